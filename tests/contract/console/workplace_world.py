"""WORKPLACE → LINE WORKS on the console: acme with runs over a source and calendars in memory."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from renkei.orchestration.link import dag_id
from tests.contract.console.world import NOW, OwnPagesWorld
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


class WorkplaceWorld(OwnPagesWorld):
    """`link` runs acme, two hours before the console's NOW."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, LINK, SHEET)
        self.link = AbsenceWorld(folder, self.mapping, clock=NOW - dt.timedelta(hours=2))
        self.link.store = self.store
