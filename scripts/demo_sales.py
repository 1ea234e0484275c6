"""What `make run` shows of Hot Profile → kintone: from 連携テスト to changes that flow, a bad lookup, and a day that is full."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy import delete, func, select

from renkei.links.hotprofile_kintone.tables import QUOTA
from renkei.storage.database.database import open_database
from scripts.local_airflow import LocalAirflow
from scripts.neighbours import Neighbours, sim
from scripts.sample_sheets import write_sample

LINK, TENANT = "hotprofile_kintone", "minato"
DAG = f"{LINK}__{TENANT}"
SIZE = 300  # companies in Hot Profile; twice as many leads
CHANGED = 20  # companies that are changed, with their people
APPS = {"会社": 1, "リード": 3}  # 部署 is left for whoever looks around to test and enable
TOKENS = "kin_sim_companies,kin_sim_departments,kin_sim_leads"

Expect = Callable[[str, object, object], None]
Say = Callable[[str], None]


def write_sheet(mappings: Path, kintone_url: str, tenant: str = TENANT) -> Path:
    """The sample sheet, for the simulated domain."""

    def change(sheet: dict[str, Any]) -> None:
        sheet |= {
            "company_name": "港商事株式会社",
            "domain": kintone_url,
            "result_addresses": ["eigyo@minato.example.jp"],
        }
        sheet["departments"]["enabled"] = False

    return write_sample(mappings, LINK, tenant, change)


def connections(urls: dict[str, str], tenant: str = TENANT) -> dict[str, str]:
    """As an operator would enter them in Airflow's UI."""
    of = {
        "hotprofile": {"host": urls["hotprofile"], "password": "hp_sim_key"},
        "kintone": {"host": urls["kintone"], "password": TOKENS},
    }
    return {
        f"AIRFLOW_CONN_{name.upper()}__{tenant.upper()}": json.dumps({"conn_type": name, **one})
        for name, one in of.items()
    }


def show(airflow: LocalAirflow, neighbours: Neighbours, expect: Expect, say: Say) -> None:
    """A record of each app is tested, the link enabled, and the next run brings what was changed since."""
    hotprofile, kintone = neighbours.urls["hotprofile"], neighbours.urls["kintone"]
    airflow.wait_for_dags([DAG])
    airflow.unpause(DAG)
    leads = sim("GET", hotprofile, "leads?limit=1000")
    first = leads[0]
    # A run of the schedule may come before and between the tests: it passes over what nobody has tested.
    for label, number in (("会社", first["client_id"]), ("リード", first["id"])):
        tested = airflow.run_through(
            DAG, say, f"1件テスト {label}", mode="TEST_ONE", data_set=label, source_id=str(number)
        )
        expect(f"kintone, 1件テスト {label}: run", "success", tested)
    expect("kintone after 1件テスト: records", dict.fromkeys(APPS, 1), _counts(kintone))
    expect("kintone, enabled: run", "success", airflow.run_through(DAG, say, "enabled"))

    companies = sorted({lead["client_id"] for lead in leads})
    changed, unknown = companies[:CHANGED], companies[-1]  # the last one is not linked: nothing of it was changed since
    people = [lead["id"] for lead in leads if lead["client_id"] in changed]
    sim("POST", hotprofile, "clients/many", {"ids": changed, "values": {"note": "展示会で名刺交換"}})
    sim("POST", hotprofile, "leads/many", {"ids": people, "values": {"post": "部長"}})
    lead = {"client_id": unknown, "organization_id": None, "organization_name": None}
    (bad,) = sim("POST", hotprofile, "leads", {"records": [lead]})
    sim("POST", hotprofile, "clock", {"advance_s": 300})
    expect("kintone, after the changes: run", "success", airflow.run_through(DAG, say, "five minutes later"))
    linked = {"会社": len({*changed, first["client_id"]}), "リード": len({*people, first["id"]})}
    expect("kintone: records", linked, _counts(kintone))
    notes = {record["備考"] for record in sim("GET", kintone, "apps/1/records") if int(record["会社ID"]) in changed}
    expect("kintone: 備考 of the changed companies", {"展示会で名刺交換"}, notes)
    told = [mail for mail in neighbours.mails() if mail["subject"].startswith("KINTONE-WARN")]
    expect("mail of the bad lookup", [True], [f"リード ID {bad} " in mail["body"] for mail in told])
    _use_up_the_day(airflow, neighbours, changed, expect, say)


def _use_up_the_day(
    airflow: LocalAirflow, neighbours: Neighbours, companies: list[int], expect: Expect, say: Say
) -> None:
    """The day's requests are reached and the rest is held; at 0:00 it goes on by itself (K15)."""
    hotprofile, kintone = neighbours.urls["hotprofile"], neighbours.urls["kintone"]
    database = open_database(_database_of(airflow))
    sheet = Path(airflow.environment["RENKEI_MAPPINGS"]) / LINK / f"{TENANT}.yaml"
    whole = sheet.read_text(encoding="utf-8")
    with database.reading() as connection:
        used = connection.scalar(select(func.max(QUOTA.c.used)).where(QUOTA.c.app == str(APPS["会社"])))
    sheet.write_text(f"{whole}daily_requests: {used + 1}\n", encoding="utf-8")  # the form can be read, and that is all
    try:
        sim("POST", hotprofile, "clients/many", {"ids": companies, "values": {"note": "見積もりを送付"}})
        sim("POST", hotprofile, "clock", {"advance_s": 300})
        expect(
            "kintone, the day's requests used up: run",
            "success",
            airflow.run_through(DAG, say, "the day's requests used up"),
        )
        expect("kintone: 備考 that came", 0, _with_note(kintone, "見積もりを送付"))
        told = [mail["subject"] for mail in neighbours.mails() if mail["subject"].startswith("KINTONE-QUOTA")]
        expect("mail of the day's requests", 1, len(told))
        with database.writing() as connection:
            connection.execute(delete(QUOTA))  # it is tomorrow: nothing of it is used yet
        expect("kintone, the next day: run", "success", airflow.run_through(DAG, say, "the next day"))
        expect("kintone: 備考 that came", len(companies), _with_note(kintone, "見積もりを送付"))
    finally:
        sheet.write_text(whole, encoding="utf-8")


def _with_note(kintone: str, note: str) -> int:
    return sum(record["備考"] == note for record in sim("GET", kintone, f"apps/{APPS['会社']}/records"))


def _database_of(airflow: LocalAirflow) -> str:
    """As `renkei.settings.database_url`, of that Airflow's environment."""
    beside = Path(unquote(urlsplit(airflow.environment["RENKEI_STORE"]).path)).parent
    return airflow.environment.get("RENKEI_DATABASE") or f"sqlite:///{beside / 'renkei.db'}"


def _counts(kintone: str) -> dict[str, int]:
    return {label: len(sim("GET", kintone, f"apps/{number}/records")) for label, number in APPS.items()}
