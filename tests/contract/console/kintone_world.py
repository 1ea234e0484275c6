"""Hot Profile → kintone on the console: acme with runs over a source and an app in memory."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

from renkei.orchestration.link import dag_id
from tests.contract.console.world import NOW, OwnPagesWorld
from tests.harness.airflow_rows import Row, add_runs
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


class KintoneWorld(OwnPagesWorld):
    """`link` runs acme; its clock ends at the console's NOW."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, LINK, SHEET)
        before = NOW - dt.timedelta(hours=2)
        self.link = LinkWorld(folder, self.mapping, clock=before)
        self.link.hotprofile.clock = before
        self.link.store = self.store

    def linked(self, *names: str) -> None:
        """So many companies are in kintone, the first one with id 1."""
        self.link.start()
        for number, name in enumerate(names, 1):
            self.link.hotprofile.put(number, name)
        self.link.wait(minutes=1)
        self.link.run()

    def airflow_ran(self, run_id: str, run: str, words: dict[Any, Any], state: str = "success") -> None:
        add_runs([Row(DAG, run_id, state, NOW, {("check", "run"): run, **words}, run_type="manual", by="yuki")])
        self.services.knowledge.changed()

    def change(self, **changed: Any) -> None:
        self.link.mapping = replace(self.link.mapping, **changed)
