"""LINE WORKS → KING OF TIME on the console: acme over a KING OF TIME and a LINE WORKS in memory."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from renkei.jobs.records import Jobs
from renkei.links.lineworks_kot.accounts import Accounts
from renkei.orchestration import jobs as task
from renkei.orchestration.lineworks_kot import jobs as kinds
from renkei.orchestration.link import dag_id
from renkei.settings import database_url
from renkei.storage.database.database import Database, open_database
from renkei.systems.kingoftime.client import Employee
from renkei.systems.lineworks.users import User, UserStatus
from tests.conftest import ROOT
from tests.contract.console.world import NOW, OwnPagesWorld, body, text_of
from tests.harness.airflow_rows import end_run

LINK = "lineworks_kot"
DAG = dag_id(LINK, "acme")
DAG_FILE = str(ROOT / "dags/renkei_jobs.py")
SHEET = """\
company_name: 株式会社アクメ
result_addresses: [soumu@acme.example.jp]
divisions: [{code: "1000", day_border: "0:00"}, {code: "2000", day_border: "5:00"}]
"""
SATO = Employee("a" * 64, "1001", "1000", "本社", "1", "正社員", "佐藤 花子")
TANAKA = Employee("b" * 64, "1003", "2000", "大阪センター", "2", "アルバイト", "田中 美咲")


class PunchingWorld(OwnPagesWorld):
    """`employees` are KING OF TIME's, `users` LINE WORKS'; `fault` is what LINE WORKS says against the app."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder, LINK, SHEET)
        self.monkeypatch = monkeypatch
        self.employees = [SATO, TANAKA]
        self.users = {"sato@acme": User("u-sato", UserStatus.ACTIVE)}
        self.fault: Exception | None = None
        monkeypatch.setattr(task, "utcnow", lambda: NOW)
        monkeypatch.setattr(kinds, "utcnow", lambda: NOW + dt.timedelta(hours=2))  # at noon it may be read
        monkeypatch.setattr(kinds, "kingoftime_client", lambda _: SimpleNamespace(employees=lambda: self.employees))
        monkeypatch.setattr(kinds, "lineworks", lambda _: SimpleNamespace(api=None, bot_id="1"))
        monkeypatch.setattr(
            kinds, "find_user", lambda _, account: self.users.get(account, User("", UserStatus.UNKNOWN))
        )
        monkeypatch.setattr(kinds, "try_lineworks", self._try)

    def _try(self, _mapping: object) -> str:
        if self.fault:
            raise self.fault
        return ""

    @property
    def database(self) -> Database:
        return open_database(database_url())

    @property
    def accounts(self) -> Accounts:
        return Accounts(self.database, self.store, "acme")

    def sent(self, path: str, user: str = "yuki", status: int = 303, files: Any = None, **form: Any) -> str:
        return super().sent(path, user, status, files, **form)

    def done(self, path: str, **form: Any) -> str:
        """What the job's page shows when the job is over."""
        place = self.sent(path, **form)
        number = int(place.rpartition("/")[2])
        run = Jobs(self.folder_of_acme).read(number).request.run
        with suppress(AirflowFailException):  # the page says why
            task.run_job(f"{DAG}/{number}", run, DAG_FILE)
        end_run(task.DAG_ID, run)
        return text_of(body(self, place, "yuki"))
