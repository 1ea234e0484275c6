"""The tenants: how the first run of each must end, its sheet, its people, and the Dags that fail as no one foresaw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from scripts.chat_connections import TYPES

PEOPLE = 14
MAIL_ALONE = ("drop", "smtp")  # their point lies elsewhere, and a process of Airflow takes seconds for seven services


@dataclass(frozen=True, slots=True)
class Scenario:
    """One tenant and how its first run must end; `mail` is the subject of the first mail, "" for none."""

    tenant: str
    state: str
    mail: str
    slice: bool = False
    standalone: bool = False  # when all is tried; one after another, for Airflow over SQLite is slow to do two things

    @property
    def dag_id(self) -> str:
        return f"smarthr_emc__{self.tenant}"


SCENARIOS = (
    Scenario("fine", "success", "EMC-OK", slice=True, standalone=True),
    Scenario("reject", "failed", "EMC-ERROR-L(Load NG)", slice=True, standalone=True),
    Scenario("drop", "failed", "EMC-ERROR-L(Load NG)", standalone=True),
    Scenario("trip_make_diff", "failed", "EMC-ERROR-X(System NG)", standalone=True),
    Scenario("smtp", "success", "", standalone=True),
    Scenario("chat", "success", "EMC-OK", slice=True),
    Scenario("chat_busy", "success", "EMC-OK"),
    Scenario("secret", "success", "EMC-OK"),
    Scenario("rows", "failed", "EMC-ERROR-D(Update NG)", slice=True),
    Scenario("token", "failed", "EMC-ERROR-R(Receive NG)"),
    Scenario("echo", "failed", "EMC-ERROR-R(Receive NG)"),
    Scenario("elsewhere", "failed", "EMC-ERROR-R(Receive NG)"),
    Scenario("refuse", "failed", "EMC-ERROR-L(Load NG)"),
    Scenario("away", "failed", "EMC-ERROR-L(Load NG)"),
    Scenario("sheet", "failed", "EMC-ERROR-S(Setting NG)"),
    Scenario("gone", "failed", "EMC-ERROR-X(System NG)"),
    Scenario("trip_fetch_departments", "failed", "EMC-ERROR-X(System NG)"),
    Scenario("trip_fetch_users", "failed", "EMC-ERROR-X(System NG)"),
    Scenario("trip_take_snapshot", "failed", "EMC-ERROR-X(System NG)"),
    Scenario("trip_validate", "failed", "EMC-ERROR-X(System NG)", slice=True),
    Scenario("trip_apply", "failed", "EMC-ERROR-X(System NG)"),
    Scenario("trip_collect", "success", ""),
)


# A copy of dags/smarthr_emc.py in which the functions named by TRIPS fail as no one foresaw, for one tenant each.
TRIPS = {
    "fetch_departments": "fetch",
    "fetch_users": "fetch",
    "take_snapshot": "snapshot",
    "make_diff": "diff",
    "validate": "validate",
    "apply": "load",
}
DAG_FILE = """
# Airflow reads files that speak of it and of a DAG.
import os
from importlib import import_module
from pathlib import Path
from renkei.links.smarthr_emc import notify
from renkei.orchestration.dag_builder import build_dags

def trip(room, name, tenant_of):
    original = getattr(room, name)
    def tripped(first, *args, **kwargs):
        if tenant_of(first) != f"trip_{name}":
            return original(first, *args, **kwargs)
        quoted = Path(os.environ["PROOF_QUOTE"]).read_text()
        try:
            raise KeyError(quoted)
        except KeyError as error:
            raise ValueError(f"cannot convert {quoted}") from error
    setattr(room, name, tripped)

for name, room in TRIPS.items():
    trip(import_module(f"renkei.links.smarthr_emc.stages.{room}"), name, lambda job: job.record.tenant)
trip(notify, "collect", lambda record: record.tenant)
dags = build_dags(__file__)
for dag in dags.values():
    for task in dag.tasks:
        task.retries = 0
globals().update(dags)
""".replace("TRIPS", repr(TRIPS))


def person(number: int) -> dict[str, Any]:
    address = {"pref": "東京都", "city": "町田市", "street": f"矍鑠町{number}", "zip_code": "100-0001"}
    return {
        "emp_code": f"EIDZQX{number:04}",
        "emp_status": "employed",
        "last_name": f"鼬川{number}",
        "first_name": f"麑子{number}",
        "last_name_yomi": "イタチガワ",
        "first_name_yomi": "カノコヒメ",
        "business_last_name": f"螽斯田{number}",
        "email": f"kojin{number}@himitsu.example.jp",
        "tel_number": f"090-5557-{number:04}",
        "address": address,
        "emergency_tel_number": f"070-5558-{number:04}",
        "custom_values": {"社員区分コード": f"KUBUNZQ{number}", "緊急連絡用メール": f"ura{number}@fuyo.example.jp"},
    }


BAD_ROWS: dict[int, dict[str, Any]] = {
    1: {"email": "鼬川@himitsu.example"},
    2: {"tel_number": "090-5557-電話"},
    3: {"last_name": "", "first_name": ""},
    4: {"emp_code": "EIDZQX0005"},
    6: {"last_name": "鼬川" * 40},
    7: {"first_name": "麑子\n"},
    8: {"first_name": "麑子😀"},
    9: {"emp_code": "EIDZQX" + "9" * 50},
}


def _channels(tenant: str, to: dict[str, str]) -> list[dict[str, str]]:
    """通知 with every service."""
    return [
        {"name": name, "service": name.upper(), "connection": f"{kind}__{tenant}", **({"to": to[name]} if name in to else {})}
        for name, kind in TYPES.items()
    ]  # fmt: skip


def sheet_of(tenant: str, smarthr_url: str, to: dict[str, str] | None = None) -> str:
    password = {"secret": "秘密:first_password__secret", "sheet": "固定値「LitZQ7x"}.get(tenant, "固定値「LitZQ7x」")
    sources = {
        "ユーザID": "社員番号",
        "パスワード": password,
        "氏名": '姓&"　"&名',
        "氏名(ヨミ)": '姓(ヨミガナ)&"　"&名(ヨミガナ)',
        "緊急連絡1 媒体": "固定値「メールアドレス」",
        "緊急連絡1 アドレス": "メールアドレス",
        "緊急連絡2 媒体": "固定値「電話番号」",
        "緊急連絡2 アドレス": "電話番号",
        "検索ワード1:区分": "カスタム項目:社員区分コード",
    }
    users = []
    for item, source in sources.items():
        blank = "REJECT" if item.startswith("氏名") else "SKIP"
        update = "SKIP" if item in ("パスワード", "ユーザID") else "SET"
        cells = {"on_create": {"when_present": "SET", "when_blank": "REJECT" if item == "パスワード" else blank}}
        cells["on_update"] = {"when_present": update, "when_blank": "REJECT" if item == "ユーザID" else blank}
        users.append({"item": item, "source": source, **cells})
    content = {
        "smarthr_url": smarthr_url,
        "result_addresses": [f"{tenant}@shirase.example.jp"],
        "link_start_on": "2999-01-01",  # nothing but the campaign starts a run
        "loader": "FILE_DROP" if tenant == "drop" else "HTTP",
        "emc_account": tenant,
        "departments": {"name": "部署名", "yomi": "ブショ"},
        "users": users,
        "notifications": _channels(tenant, to) if to and tenant not in MAIL_ALONE else [],
    }
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
