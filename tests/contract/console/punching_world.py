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
from renkei.orchestration.link import LINKS, dag_id
from renkei.settings import database_url, index_folder
from renkei.sheets.load import load_all
from renkei.sheets.tenant_files import tenants
from renkei.storage.database.database import Database, open_database
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.kingoftime.client import Employee
from renkei.systems.lineworks.users import User, UserStatus
from tests.conftest import ROOT
from tests.contract.console.world import BASE, NOW, ConsoleWorld, text_of
from tests.harness.airflow_rows import add_dags, end_run

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


class PunchingWorld(ConsoleWorld):
    """`employees` are KING OF TIME's, `users` LINE WORKS'; `fault` is what LINE WORKS says against the app."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder)
        self.monkeypatch = monkeypatch
        self.employees = [SATO, TANAKA]
        self.users = {"sato@acme": User("u-sato", UserStatus.ACTIVE)}
        self.fault: Exception | None = None
        self.punching_sheets = folder / "mappings" / LINK
        self.punching_sheets.mkdir()
        self.write_sheet(SHEET)
        add_dags(DAG, next_run=NOW + dt.timedelta(minutes=5))
        self.services.knowledge.changed()
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

    def write_sheet(self, text: str) -> None:
        (self.punching_sheets / "acme.yaml").write_text(text, encoding="utf-8")
        load_all(LINKS[LINK].sheets(), tenants(self.punching_sheets), index_folder(), ())
        self.services.knowledge.changed()

    @property
    def database(self) -> Database:
        return open_database(database_url())

    @property
    def accounts(self) -> Accounts:
        return Accounts(self.database, self.store, "acme")

    def shown(self, path: str, user: str = "yuki", status: int = 200) -> str:
        """What a reader sees."""
        return text_of(self.html(path, user, status))

    def html(self, path: str, user: str = "yuki", status: int = 200) -> str:
        answer = self.browser(user).get(f"{BASE}/dag/{DAG}{path}")
        assert answer.status_code == status, answer.text[:2000]
        return answer.text

    def sent(self, path: str, user: str = "yuki", status: int = 303, files: Any = None, **form: Any) -> str:
        """What a reader sees of the answer to a form; where it leads to, if it does."""
        data = form | {"token": self.token(user)}
        answer = self.browser(user).post(f"{BASE}/dag/{DAG}{path}", data=data, files=files)
        assert answer.status_code == status, text_of(answer.text)[:2000]
        return answer.headers["location"].removeprefix(BASE) if status == 303 else text_of(answer.text)

    def done(self, path: str, **form: Any) -> str:
        """What the job's page shows when the job is over."""
        place = self.sent(path, **form)
        number = int(place.rpartition("/")[2])
        run = Jobs(TenantFolder(self.store, LINK, "acme")).read(number).request.run
        with suppress(AirflowFailException):  # the page says why
            task.run_job(f"{DAG}/{number}", run, DAG_FILE)
        end_run(task.DAG_ID, run)
        answer = self.browser("yuki").get(BASE + place)
        assert answer.status_code == 200, answer.text[:2000]
        return text_of(answer.text)
