"""連携一覧: every company that somebody may see, the most urgent first. No clock, no files."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from renkei.clock import TOKYO
from renkei.texts import fold
from renkei.web.facts import Company, Run
from renkei.web.screens.company_state import badges, state_of
from renkei.web.screens.words import BY_KEY, CompanyState

PER_PAGE = 50
DAYS = 14
TILES = (CompanyState.STOPPED, CompanyState.HELD, CompanyState.SILENT, CompanyState.BROKEN, CompanyState.WELL)


@dataclass(frozen=True, slots=True)
class Day:
    """One square of the strip."""

    day: dt.date
    tone: str  # bad | wait | good | look | none
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """Which of how many lines are on a page."""

    number: int
    pages: int
    start: int
    stop: int
    total: int


def page_of(asked: str, total: int, size: int) -> Page:
    """The page that an address asks for; the nearest one where there is none of this number, the first for a word."""
    pages = max(1, -(-total // size))
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 1
    number = min(max(number, 1), pages)
    return Page(number, pages, (number - 1) * size, min(number * size, total), total)


@dataclass(frozen=True, slots=True)
class Row:
    """One company of the list."""

    company: Company
    state: CompanyState
    badges: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Overview:
    """The list as it was asked for."""

    rows: Sequence[Row]  # of this page
    page: Page
    total: int
    counts: Counter[CompanyState]  # of all that were searched for, by state
    query: str = ""
    chosen: CompanyState | None = None

    @property
    def others(self) -> list[CompanyState]:
        """The states that have no tile, and somebody in them."""
        return [state for state in CompanyState if state not in TILES and (self.counts[state] or state is self.chosen)]


def overview(
    companies: Iterable[Company], now: dt.datetime, query: str = "", state: str = "", page: str = ""
) -> Overview:
    """What was asked for; words and pages that make no sense are passed over."""
    everybody = [Row(one, found := state_of(one, now), badges(one, found, now)) for one in companies]
    query = _query_of(query)
    named = [row for row in everybody if _is_named(row.company, query)]
    chosen = BY_KEY.get(state)
    rows = [row for row in named if chosen in (None, row.state)]
    rows.sort(key=lambda row: (row.state.urgency, row.company.name, row.company.dag_id))
    shown = page_of(page, len(rows), PER_PAGE)
    return Overview(
        rows[shown.start : shown.stop],
        shown,
        len(everybody),
        Counter(row.state for row in named),
        query,
        chosen,
    )


def matching(companies: Iterable[Company], now: dt.datetime, query: str = "", state: str = "") -> list[Company]:
    """All companies of a list that was asked for, whatever page they are on."""
    query, chosen = _query_of(query), BY_KEY.get(state)
    return [one for one in companies if _is_named(one, query) and chosen in (None, state_of(one, now))]


def _query_of(text: str) -> str:
    return " ".join(text.split())[:100]


def _is_named(company: Company, query: str) -> bool:
    return all(fold(word) in _text_of(company) for word in query.split())


def _text_of(company: Company) -> str:
    return fold(f"{company.name} {company.tenant} {company.dag_id}")


def begin_of(today: dt.date, days: int = DAYS) -> dt.datetime:
    """When the first of the last days began in Japan."""
    return dt.datetime.combine(today - dt.timedelta(days=days - 1), dt.time(), TOKYO)


def strip(runs: Sequence[Run], today: dt.date, days: int = DAYS) -> list[Day]:
    """A square for each of the last days: how the day's last run ended; runs are given oldest first.

    One that only looked, and well, takes no day from a run that wrote.
    """
    last: dict[dt.date, Run] = {}
    for run in runs:
        day = run.at.astimezone(TOKYO).date()
        before = last.get(day)
        looked = run.state == "success" and not run.writes
        if run.is_result and not (looked and before and before.writes):
            last[day] = run
    found = []
    for back in range(days - 1, -1, -1):
        day = today - dt.timedelta(days=back)
        tone, said = _tone(last.get(day))
        found.append(Day(day, tone, f"{day.month}/{day.day} {said}"))
    return found


def _tone(run: Run | None) -> tuple[str, str]:
    if run is None:
        return "none", "実行なし"
    if run.state == "failed":
        return "bad", "失敗"
    if run.state != "success":
        return "wait", "実行中"
    return ("good", "成功") if run.writes else ("look", f"成功（{run.mode}）")
