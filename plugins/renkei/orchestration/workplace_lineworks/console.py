"""What the console shows of this link alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from renkei.links.workplace_lineworks import LINK, history
from renkei.links.workplace_lineworks.model import Fetched, Written
from renkei.links.workplace_lineworks.tables import FAILED, HELD, WAITING, WRITTEN
from renkei.links.workplace_lineworks.wording import doubts
from renkei.orchestration.web.link_view import LinkView
from renkei.orchestration.workplace_lineworks import absence_pages, connections, message_pages, setting_pages
from renkei.orchestration.workplace_lineworks.sheet_editor import EDITOR
from renkei.storage.runs import RunRecord
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.facts import Counts, Figure, Findings, RunProblem
from renkei.web.services import OwnPages

TITLES = ("対象", "内容", "対処")
COUNTED_BY = ("fetch_absences", "write_calendar")
MAX_ROWS = 1_000  # failed absences in a table of findings


def counts(words: Mapping[str, Any]) -> Counts | None:
    """The absences that were read, and the events that were added, replaced and deleted."""
    fetched, written = (_dict(words.get(task)) for task in COUNTED_BY)
    if not fetched and not written:
        return None
    added, replaced, deleted = (_number(written, name) for name in ("added", "replaced", "deleted"))
    return Counts(_number(fetched, "read"), added, replaced, deleted)


def figures(folder: TenantFolder) -> list[Figure]:
    found = history.counts(connections.database(), folder.tenant)
    return [
        Figure("カレンダーに登録済みの不在", found.get(WRITTEN, 0)),
        Figure("待ち", found.get(WAITING, 0)),
        Figure("登録できない", found.get(FAILED, 0)),
        Figure("保留", found.get(HELD, 0)),
    ]


def problems(record: RunRecord, start: int, most: int) -> Findings:
    """Why the run stopped and what was doubtful; which absences failed is the company's own page."""
    found = [RunProblem("", "", "", "", text, "", "") for text in _stops(record)]
    return Findings([*islice(found, start, start + most)], len(found), 0)


def findings(record: RunRecord) -> Iterator[Sequence[str]]:
    yield TITLES
    for text in _stops(record):
        yield "", text, ""
    for one in history.failed(connections.database(), record.tenant, MAX_ROWS):
        yield f"不在 {one.absence_id}", one.cause, one.remedy


def _stops(record: RunRecord) -> Iterator[str]:
    written = record.read_or_none(Written)
    if written and written.said:
        yield written.said
    yield from doubts(record.read_or_none(Fetched))


def connection_names(mapping: Any) -> Sequence[str]:
    return (
        *([f"workplace__{mapping.tenant}"] if mapping.calendar or any(mapping.messengers.values()) else []),
        *([connections.lineworks_name(mapping.tenant)] if mapping.calendar or mapping.uses("lineworks") else []),
        *([f"slack_bot__{mapping.tenant}"] if mapping.uses("slack") else []),
        *([f"line__{mapping.tenant}"] if mapping.uses("line") else []),
    )


def needless(mapping: Any, name: str) -> Sequence[str]:
    """Who writes calendars alone has no bot."""
    return (
        (connections.BOT,)
        if name == connections.lineworks_name(mapping.tenant) and not mapping.uses("lineworks")
        else ()
    )


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: Mapping[str, Any], name: str) -> int:
    found = value.get(name)
    return found if isinstance(found, int) else 0


router = APIRouter()
for pages in (setting_pages.router, absence_pages.router, message_pages.router):
    router.include_router(pages)
PAGES = OwnPages(
    LINK,
    router,
    Path(__file__).parent / "pages",
    (
        ("services", "サービス連携設定"),
        ("absences", "不在日程"),
        ("absence", "なぜこの不在はカレンダーに（い）ないのか"),
        ("deliveries", "通知の配信"),
        ("recipient", "なぜこの人に届かなかったのか"),
    ),
    first=(
        "まだ一度も連携していません。サービス連携設定で使う機能と接続を確かめると、次の実行から連携します。",
        "サービス連携設定を開く",
        "services",
    ),
)
VIEW = LinkView(
    COUNTED_BY,
    counts,
    problems,
    findings,
    pages=PAGES,
    connections=connection_names,
    needless=needless,
    figures=figures,
    sheet_editor=EDITOR,
    own_page=True,
)
