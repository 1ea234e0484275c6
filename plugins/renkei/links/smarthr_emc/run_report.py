"""What is told of one run: everything that its mail says (E4, E29, E39)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from renkei.clock import time_in_japan
from renkei.links.smarthr_emc.affected import Group
from renkei.links.smarthr_emc.model import Counts, Mode, RecordSet
from renkei.links.smarthr_emc.records import RefusedRow
from renkei.links.smarthr_emc.wording import AHEAD_BAD, AHEAD_HELD, AHEAD_WELL, SUBJECTS
from renkei.runs.hold import Hold
from renkei.runs.outcome import Outcome


@dataclass(frozen=True, slots=True)
class ReportedProblem:
    """One row of the `problems` table."""

    record_set: RecordSet
    line: int
    id: str
    crew_id: str
    item: str
    kind: str
    detail: str
    source: str = ""  # where the value is mended


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Errors of one item and kind that have one cause; only the first of them are among the problems shown."""

    record_set: RecordSet
    item: str
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class ConfirmedTotals:
    """What EMC last confirmed to have of this tenant."""

    people: int
    departments: int
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """Who refused a held plan, and why; `by` is empty where nobody answered in time."""

    by: str
    why: str


@dataclass(frozen=True, slots=True)
class RunReport:
    """Everything the mail says. `counts` is None until the diff is made; a failed run shows none of it."""

    outcome: Outcome
    mode: Mode
    started_at: dt.datetime
    ended_at: dt.datetime
    smarthr_url: str
    received: bool = True  # SmartHR was read and frozen
    counts: dict[RecordSet, Counts] | None = None
    changed: dict[RecordSet, bool] | None = None
    message: str = ""  # of the error, already Japanese
    problems: Sequence[ReportedProblem] = ()
    problem_count: int = 0
    problem_kinds: dict[str, int] = field(default_factory=dict)  # of all, by kind
    alike: Sequence[ErrorGroup] = ()
    failed_sets: frozenset[RecordSet] = frozenset()
    emc_problems: Sequence[RefusedRow] = ()
    holds: Sequence[Hold] = ()
    approved_by: str = ""
    people: Sequence[tuple[str, str, str]] = ()  # kind, user id, crew id
    value_warnings: dict[str, int] = field(default_factory=dict)  # people by kind (VALUE_WARNINGS)
    warned_of: Sequence[tuple[str, str, str, str]] = ()  # the first of them: kind, user id, crew id, items
    substituted: Sequence[tuple[str, str]] = ()  # department id, characters
    id_changes: Sequence[tuple[str, str, str]] = ()  # crew id, old, new
    handovers: Sequence[tuple[str, str, str]] = ()  # user id, crew id before, crew id now
    sheet_warnings: Sequence[str] = ()
    clashing_tenants: Sequence[str] = ()
    differences: Sequence[str] = ()  # what 照合 found, already Japanese
    restored: str = ""  # what 復元 goes back to
    disaster: bool = False  # 災害時凍結 was on
    company: str = ""
    id_source: str = ""  # the SmartHR item that the sheet makes the user id of
    registered: ConfirmedTotals | None = None  # what EMC has confirmed; None before the first link
    ahead: bool = False  # 事前確認: what the next daily run would come to (E43)
    linked: bool = True  # whether `registered` is known at all
    groups: Sequence[Group] = ()  # people that the run added and deleted, or would
    planned: bool = False  # whether the run got as far as to have something to load
    answer: Answer | None = None  # to the question of a held run
    deadline: dt.datetime | None = None  # of that question
    next_run: dt.datetime | None = None  # the next one by itself; None where there is none
    contact: str = ""  # how to reach the operator
    links: dict[str, str] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        if not self.ahead:
            return SUBJECTS[self.outcome]
        code = AHEAD_BAD if not self.outcome.succeeded else AHEAD_HELD if self.holds else AHEAD_WELL
        return f"{code} {self.forecast}"

    @property
    def forecast(self) -> str:
        """What 事前確認 says of the next run."""
        at = f"（{time_in_japan(self.next_run)}）" if self.next_run else ""
        if self.outcome is Outcome.SYSTEM:
            return f"事前確認（書き込みなし）: 次回{at}の処理を確かめられませんでした"
        end = "失敗する" if not self.outcome.succeeded else "保留になる" if self.holds else "完了する"
        return f"事前確認（書き込みなし）: 次回{at}の処理は{end}見込みです"
