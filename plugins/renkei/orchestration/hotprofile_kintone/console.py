"""What the console shows of this link alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from renkei.links.hotprofile_kintone import LINK, history
from renkei.links.hotprofile_kintone.sheet.mapping import DATA_SETS
from renkei.orchestration.hotprofile_kintone import (
    connections,
    initial_pages,
    login_pages,
    record_pages,
    setting_pages,
    status_pages,
)
from renkei.orchestration.hotprofile_kintone.sheet_editor import EDITOR
from renkei.orchestration.web.link_view import LinkView
from renkei.storage.runs import RunRecord
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.facts import Counts, Figure, Findings, RunProblem
from renkei.web.services import OwnPages

TITLES = ("対象", "場所", "内容", "対処")
WRITES = tuple(f"write_{name}" for name in DATA_SETS)


def counts(words: Mapping[str, Any]) -> Counts | None:
    """The records that `plan` found changed, and that the three tasks wrote."""
    planned = words.get("plan")
    if not isinstance(planned, dict):
        found = words.get("read")  # a run that found nothing ends there
        return Counts(0, 0, 0, 0) if isinstance(found, dict) and not any(found.values()) else None
    read = sum(_number(one, "read") for one in planned.values())
    added, updated = (sum(_number(words.get(task), name) for task in WRITES) for name in ("added", "updated"))
    return Counts(read, added, updated, 0)


def figures(folder: TenantFolder) -> list[Figure]:
    statuses = history.data_set_statuses(connections.database(), folder.tenant).values()
    return [
        Figure("kintoneに連携済み", sum(one.written for one in statuses)),
        Figure("待ち", sum(one.waiting for one in statuses)),
        Figure("失敗", sum(one.failed for one in statuses)),
    ]


def problems(record: RunRecord, start: int, most: int) -> Findings:
    """Why data sets of the run stopped; which records failed is the company's own page."""
    found = list(_stops(record))
    return Findings([*islice(found, start, start + most)], len(found), 0)


def findings(record: RunRecord) -> Iterator[Sequence[str]]:
    yield TITLES
    for one in _stops(record):
        yield one.place, one.item, one.reason, one.remedy


def _stops(record: RunRecord) -> Iterator[RunProblem]:
    for line in history.of_run(connections.database(), record.tenant_folder.tenant, record.run):
        if line.state in (history.State.STOPPED, history.State.AWAY, history.State.HELD):
            for text in line.said.splitlines():
                yield RunProblem(line.label, "", "", "", text, "", "")


def connection_names(mapping: Any) -> Sequence[str]:
    return f"hotprofile__{mapping.tenant}", f"kintone__{mapping.tenant}"


def _number(value: Any, name: str) -> int:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, int) else 0


router = APIRouter()
for pages in (status_pages.router, record_pages.router, setting_pages.router, login_pages.router, initial_pages.router):
    router.include_router(pages)
PAGES = OwnPages(
    LINK,
    router,
    Path(__file__).parent / "pages",
    (
        *setting_pages.MENU,
        ("initial", "初期連携"),
        ("failed", "失敗レコード"),
        ("conflicts", "競合"),
        ("record", "なぜkintoneに（い）ないのか"),
    ),
    jobs=setting_pages.JOBS | initial_pages.JOBS,
    open_menu=(("processed", "データ処理状況一覧"),),
    first=(
        "まだ一度も連携していません。アプリを読み込み、連携テストに合格すると、次の実行から連携します。",
        "kintone連携設定を開く",
        "kintone",
    ),
)
VIEW = LinkView(
    ("read", "plan", *WRITES),
    counts,
    problems,
    findings,
    pages=PAGES,
    connections=connection_names,
    figures=figures,
    sheet_editor=EDITOR,
)
