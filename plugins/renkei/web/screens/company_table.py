"""連携一覧 as a table to take along: one row for each company, with its state. No clock, no files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from renkei.clock import TOKYO
from renkei.web.facts import Company
from renkei.web.screens.company_state import badges, state_of

TITLES = ("会社", "会社のID", "連携", "状態", "付記", "最後の結果", "結果の日時", "有効件数", "新規", "更新", "削除",
          "次回", "連携開始日", "シートの注意", "Dag")  # fmt: skip


def rows(companies: Iterable[Company], now: dt.datetime) -> Iterator[Sequence[str]]:
    """The titles, then the most urgent first, as on the page; times are Japan's."""
    yield TITLES
    found = [(state_of(one, now), one) for one in companies]
    for state, one in sorted(found, key=lambda row: (row[0].urgency, row[1].name, row[1].dag_id)):
        last = one.last
        counts = last.counts if last else None
        figures = (counts.valid, counts.created, counts.updated, counts.deleted) if counts else ()
        yield (
            one.name, one.tenant, one.link, state.value.label,
            "、".join(words for words, _ in badges(one, state, now)),
            (last.subject or {"success": "成功", "failed": "失敗"}.get(last.state, last.state)) if last else "",
            _at(last.ended or last.at) if last else "",
            *([str(figure) for figure in figures] or [""] * 4),
            "" if one.unlinked or one.paused else _at(one.next_run),
            one.link_start_on.isoformat() if one.link_start_on else "", str(one.notes), one.dag_id,
        )  # fmt: skip


def _at(moment: dt.datetime | None) -> str:
    return f"{moment.astimezone(TOKYO):%Y-%m-%d %H:%M}" if moment else ""
