"""WORKPLACE → LINE WORKS on the console: acme with runs over a source and calendars in memory."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from renkei.links.workplace_lineworks.sheet.mapping import Mapping
from renkei.orchestration.link import LINKS, dag_id
from renkei.settings import index_folder
from renkei.sheets.load import load_all
from renkei.sheets.tenant_files import tenants
from tests.contract.console.world import BASE, NOW, ConsoleWorld, text_of
from tests.harness.airflow_rows import add_dags
from tests.harness.workplace_lineworks import AbsenceWorld

LINK = "workplace_lineworks"
DAG = dag_id(LINK, "acme")
SHEET = """\
company_name: 株式会社アクメ
result_addresses: [info@acme.example.jp]
calendar: 使用する
kinds_shown: 不在の種類
titles: [{kind: 病気休暇, title: 休暇}]
"""


class WorkplaceWorld(ConsoleWorld):
    """`link` runs acme, two hours before the console's NOW."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.sheets_of_link = folder / "mappings" / LINK
        self.sheets_of_link.mkdir()
        self.write_sheet(SHEET)
        add_dags(DAG, next_run=NOW + dt.timedelta(minutes=5))
        self.services.knowledge.changed()
        self.link = AbsenceWorld(folder, self.mapping, clock=NOW - dt.timedelta(hours=2))
        self.link.store = self.store

    @property
    def mapping(self) -> Mapping:
        found: Mapping = self.services.knowledge.mapping(DAG)
        return found

    def write_sheet(self, text: str) -> None:
        """As the Dag processor has compiled it."""
        (self.sheets_of_link / "acme.yaml").write_text(text, encoding="utf-8")
        load_all(LINKS[LINK].sheets(), tenants(self.sheets_of_link), index_folder(), ())
        self.services.knowledge.changed()

    def shown(self, path: str, user: str = "yuki", status: int = 200) -> str:
        """What a reader sees."""
        return text_of(self.html(path, user, status))

    def html(self, path: str, user: str = "yuki", status: int = 200) -> str:
        answer = self.browser(user).get(f"{BASE}/dag/{DAG}{path}")
        assert answer.status_code == status, answer.text[:2000]
        return answer.text

    def sent(self, path: str, user: str = "yuki", status: int = 200, **form: str) -> str:
        """What a reader sees of the answer to a form; where it leads to, if it does."""
        answer = self.browser(user).post(f"{BASE}/dag/{DAG}{path}", data=form | {"token": self.token(user)})
        assert answer.status_code == status, answer.text[:2000]
        return answer.headers["location"].removeprefix(BASE) if status == 303 else text_of(answer.text)
