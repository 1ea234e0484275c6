"""Hot Profile → kintone on the console: acme with runs over a source and an app in memory."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

from renkei.links.hotprofile_kintone.sheet.mapping import Mapping
from renkei.orchestration.link import LINKS, dag_id
from renkei.settings import index_folder
from renkei.sheets.load import load_all
from renkei.sheets.tenant_files import tenants
from renkei.storage.tenant_folder import TenantFolder
from tests.contract.console.world import BASE, NOW, ConsoleWorld, text_of
from tests.harness.airflow_rows import Row, add_dags, add_runs
from tests.harness.hotprofile_kintone import LinkWorld

LINK = "hotprofile_kintone"
DAG = dag_id(LINK, "acme")
SHEET = """\
company_name: 株式会社アクメ
domain: https://acme.cybozu.com
user: renkei
interval_minutes: 5
result_addresses: [info@acme.example.jp]
companies:
  enabled: true
  app: 1
  items:
    - {item: 会社ID, field: id, key: ○}
    - {item: 会社名, field: name}
    - {item: 備考, field: note, when_blank: 空なら書かない}
"""


class KintoneWorld(ConsoleWorld):
    """`link` runs acme; its clock ends at the console's NOW."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.kintone_sheets = folder / "mappings" / LINK
        self.kintone_sheets.mkdir()
        self.write_sheet(SHEET)
        add_dags(DAG, next_run=NOW + dt.timedelta(minutes=5))
        self.services.knowledge.changed()
        before = NOW - dt.timedelta(hours=2)
        self.link = LinkWorld(folder, self.mapping, clock=before)
        self.link.hotprofile.clock = before
        self.link.store = self.store

    @property
    def mapping(self) -> Mapping:
        found: Mapping = self.services.knowledge.mapping(DAG)
        return found

    def write_sheet(self, text: str, tenant: str = "acme") -> None:
        """As the Dag processor has compiled it."""
        (self.kintone_sheets / f"{tenant}.yaml").write_text(text, encoding="utf-8")
        load_all(LINKS[LINK].sheets(), tenants(self.kintone_sheets), index_folder(), ())
        self.services.knowledge.changed()

    @property
    def folder_of_acme(self) -> TenantFolder:
        return TenantFolder(self.store, LINK, "acme")

    def linked(self, *names: str) -> None:
        """So many companies are in kintone, the first one with id 1."""
        self.link.start()
        for number, name in enumerate(names, 1):
            self.link.hotprofile.put(number, name)
        self.link.wait(minutes=1)
        self.link.run()

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

    def airflow_ran(self, run_id: str, run: str, words: dict[Any, Any], state: str = "success") -> None:
        add_runs([Row(DAG, run_id, state, NOW, {("check", "run"): run, **words}, run_type="manual", by="yuki")])
        self.services.knowledge.changed()

    def change(self, **changed: Any) -> None:
        self.link.mapping = replace(self.link.mapping, **changed)
