"""One tenant, `acme`, with everything around it; all of it can be kept, put back, and looked at."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from scripts.neighbours import Neighbours
from tests.proof.process import AirflowRun

DAG_ID = "smarthr_emc__acme"
TENANT = "smarthr_emc/tenants/acme"
YESTERDAY, TODAY, TOMORROW = "yesterday", "today", "tomorrow"
SEED, PEOPLE = 4, 12
DAYS = {
    TODAY: {"joiners": 2, "leavers": 1, "renumbered": 1, "moves": 1},
    TOMORROW: {"joiners": 1, "leavers": 1, "moves": 1},
}

Export = dict[str, dict[str, dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a run leaves behind."""

    emc: Export
    committed: list[str]  # import keys
    plans: list[str]  # digests of the plans committed, one per import
    unfinished: list[str]  # imports open or being applied
    baselines: list[dict[str, Any]]  # oldest first
    note: bool  # pending.json
    mails: list[dict[str, Any]]  # oldest first


class CrashWorld:
    """One tenant, `acme`, with everything around it; all of it can be kept and put back."""

    def __init__(self, folder: Path, neighbours: Neighbours) -> None:
        self.folder, self.neighbours = folder, neighbours
        self.live, self.runs, self.kept = folder / "live", folder / "runs", folder / "kept"
        for path in (self.live, self.runs, folder / "mappings/smarthr_emc"):
            path.mkdir(parents=True)
        self.session = requests.Session()
        self.codes: dict[str, set[str]] = {}  # user ids that SmartHR has, by day
        self._set_environment()
        self._write_sheet()
        for day in (YESTERDAY, TODAY, TOMORROW):
            self._found_company(day)
        self.use_day(YESTERDAY)

    def _set_environment(self) -> None:
        urls, mail = self.neighbours.urls, {"disable_ssl": True, "disable_tls": True, "from_email": "renkei@example.jp"}
        connections = {
            "emc__acme": {"conn_type": "emc", "host": urls["emc"], "password": "emc_sim_acme"},
            "smtp_default": {
                "conn_type": "smtp",
                "host": "127.0.0.1",
                "port": self.neighbours.smtp_port,
                "extra": {**mail, "retry_limit": 1},
            },
        }
        for name, connection in connections.items():
            os.environ[f"AIRFLOW_CONN_{name.upper()}"] = json.dumps(connection)
        os.environ |= {
            "PROOF_FOLDER": str(self.live),
            "RENKEI_STORE": (self.live / "store").as_uri(),
            "RENKEI_MAPPINGS": str(self.folder / "mappings"),
            "RENKEI_INDEX": str(self.folder / "index"),
            "RENKEI_ALLOWED_HOSTS": urlsplit(urls["smarthr"]).netloc,
        }

    def _write_sheet(self) -> None:
        from renkei.links.smarthr_emc.sheet.yaml_form import write_yaml
        from tests.builders import CONTACT, mapping
        from tests.harness.sheet import compile_all

        lines: dict[str, Any] = {
            "ユーザID": ("社員番号", "登録", "登録しない", "更新しない", "エラー"),
            "パスワード": "社員番号",
            "氏名": ('姓&"　"&名', "登録", "エラー", "更新", "エラー"),
            "氏名(ヨミ)": '姓(ヨミガナ)&"　"&名(ヨミガナ)',
            "所属部署コード": "部署1(コード)",
            **CONTACT,
            "検索ワード1:勤務地": "事業所",
        }
        sheet = dataclasses.replace(mapping(lines), smarthr_url=self.neighbours.urls["smarthr"])
        mappings = self.folder / "mappings/smarthr_emc"
        write_yaml(sheet, mappings / "acme.yaml")
        compile_all(mappings, self.folder / "index", os.environ["RENKEI_ALLOWED_HOSTS"])

    def _found_company(self, day: str) -> None:
        """The same seed gives the same people: three companies are one company on three days."""
        self.sim("smarthr", "POST", "companies", {"name": day, "seed": SEED, "size": PEOPLE})
        for passed in (TODAY, TOMORROW)[: (YESTERDAY, TODAY, TOMORROW).index(day)]:
            self.sim("smarthr", "POST", f"companies/{day}/day", DAYS[passed])
        crews = self.sim("smarthr", "GET", f"companies/{day}/crews")
        self.codes[day] = {crew["emp_code"] for crew in crews if crew["emp_status"] != "retired" and crew["emp_code"]}

    def use_day(self, day: str) -> None:
        """Let SmartHR be as it is on that day."""
        os.environ["AIRFLOW_CONN_SMARTHR__ACME"] = json.dumps({"conn_type": "smarthr", "password": f"shr_sim_{day}"})

    def sim(self, system: str, method: str, path: str, body: Any = None) -> Any:
        answer = self.session.request(method, f"{self.neighbours.urls[system]}/_sim/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def run(self, day: str) -> AirflowRun:
        return AirflowRun(self.runs / f"{day}.json", DAG_ID)

    # --- kept and put back

    def keep(self, name: str) -> None:
        copy = self.kept / name
        for part in (self.live, self.runs, self.mail_folder):
            shutil.copytree(part, copy / part.name)
        _copy_database(self.database, copy / "emc.sqlite")

    def put_back(self, name: str) -> None:
        copy = self.kept / name
        for part in (self.live, self.runs, self.mail_folder):
            for old in part.iterdir():
                shutil.rmtree(old) if old.is_dir() else old.unlink()
            shutil.copytree(copy / part.name, part, dirs_exist_ok=True)
        _copy_database(copy / "emc.sqlite", self.database)

    @property
    def database(self) -> Path:
        return self.neighbours.folder / "emc.sqlite"

    @property
    def mail_folder(self) -> Path:
        return self.neighbours.folder / "mails"

    # --- looked at

    def see(self) -> Seen:
        imports = self._emc("imports", limit=100)["imports"]
        committed = [one for one in imports if one["state"] == "committed"]
        return Seen(
            emc=self.export(),
            committed=sorted(one["key"] for one in committed),
            plans=sorted(one["plan_digest"] for one in committed),
            unfinished=[one["state"] for one in imports if one["state"] in ("open", "applying")],
            baselines=self.baselines(),
            note=(self.live / "store/smarthr_emc/accounts/acme/pending.json").exists(),
            mails=self.neighbours.mails(),
        )

    def export(self) -> Export:
        found = {}
        for name, key in (("departments", "部署ID"), ("users", "ユーザID")):
            rows = self._emc(name, limit=1000)["items"]
            found[name] = {row[key]: {item: value for item, value in row.items() if value} for row in rows}
        return found

    def _emc(self, path: str, **query: Any) -> Any:
        headers = {"Authorization": "Bearer emc_sim_acme"}
        url = f"{self.neighbours.urls['emc']}/api/v1/{path}"
        answer = self.session.get(url, params=query, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def baselines(self) -> list[dict[str, Any]]:
        files = sorted((self.live / "store" / TENANT / "baselines").glob("*.json"))
        return [json.loads(file.read_bytes()) for file in files]

    def mail_noted(self, run: AirflowRun) -> bool:
        (folder,) = self._run_folder(run)
        told = folder / "told.json"
        entries = json.loads(told.read_bytes()).values() if told.exists() else ()
        return any((entry["service"], entry["verdict"]) == ("MAIL", "ACCEPTED") for entry in entries)

    def _run_folder(self, run: AirflowRun) -> list[Path]:
        """By the run's own record, so that the folder's name is the product's business."""
        files = (self.live / "store" / TENANT / "runs").glob("*/run.json")
        return [file.parent for file in files if json.loads(file.read_bytes())["run_id"] == run.run_id]


def _copy_database(source: Path, target: Path) -> None:
    """SQLite's own backup: whole, under locks, while the simulator runs."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
