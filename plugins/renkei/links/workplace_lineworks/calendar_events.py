"""Which events an absence is to have, by the sheet: nothing is asked, read or written here (C4–C7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import blake2b

from renkei.links.workplace_lineworks.sheet.mapping import Hours, Mapping
from renkei.systems.lineworks.calendar import CalendarEvent
from renkei.systems.workplace.client import Absence, Period, Status, Unit

ABSENT, APPLIED = "不在", "（申請中）"
MAX_SUMMARY = 200  # LINE WORKS' own limit
END_FIRST, NO_HOURS, TOO_LONG = "END_FIRST", "NO_HOURS", "TOO_LONG"
LONGEST = dt.timedelta(days=5 * 366)  # of one period: what is longer was typed wrong, or has no end
_HALVES = {Unit.MORNING: "午前", Unit.AFTERNOON: "午後"}


class BadAbsenceError(Exception):
    """An absence of which no event can be made; it is skipped and listed (C10)."""

    def __init__(self, code: str, cause: str, remedy: str) -> None:
        super().__init__(code)
        self.code, self.cause, self.remedy = code, cause, remedy


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """One event, of the absence's period with that number."""

    number: int
    event: CalendarEvent
    last_day: dt.date


def live(mapping: Mapping) -> Collection[str]:
    """The statuses in which an absence has events (C4)."""
    return (Status.APPROVED.value, *([Status.APPLIED.value] if mapping.applied_shown else []))


def wanted(absence: Absence, status: str, mapping: Mapping) -> list[PlannedEvent]:
    """The events, one for each period; none where the absence is not to be seen.

    Raises:
        BadAbsenceError: a period ends before it starts, or after years; or the sheet does not say when a half day is.
    """
    if status not in live(mapping):
        return []
    found = []
    for number, period in enumerate(absence.periods):
        start, end = _span(period, mapping)
        event = CalendarEvent(
            event_id(mapping.tenant, absence, number),
            _summary(absence, status, mapping),
            *(start, end),
            busy=status == Status.APPROVED,
            public=mapping.public,
        )
        found.append(PlannedEvent(number, event, period.last_day))
    return found


def event_id(tenant: str, absence: Absence, number: int) -> str:
    """Always the same for a member's period of an absence, and nobody else's (C5); it names nobody."""
    said = "\n".join((tenant, absence.id, str(number), absence.user_id))
    return f"{mark(tenant)}{blake2b(said.encode(), digest_size=16).hexdigest()}"


def mark(tenant: str) -> str:
    """How every event of the tenant's begins: so it is known for ours when nothing else is known of it."""
    return f"renkei-{blake2b(tenant.encode(), digest_size=4).hexdigest()}-"


def _summary(absence: Absence, status: str, mapping: Mapping) -> str:
    title = mapping.titles.get(absence.kind, absence.kind) if mapping.kinds_shown else ABSENT
    return ((APPLIED if status == Status.APPLIED else "") + title)[:MAX_SUMMARY]


def _span(period: Period, mapping: Mapping) -> tuple[str, str]:
    """From when to when, as LINE WORKS has it: the end of days is exclusive (C6)."""
    if period.last_day - period.first_day > LONGEST or period.last_day == dt.date.max:
        cause = f"期間が5年を超えています（{period.start[:10]}～{period.end[:10]}）"
        raise BadAbsenceError(TOO_LONG, cause, "WORKPLACEで終了日を確かめ、正しければ5年以内の期間に分けてください")
    if period.unit is Unit.ALL_DAY:
        if period.last_day < period.first_day:
            raise _end_first()
        return period.start, (period.last_day + dt.timedelta(days=1)).isoformat()
    if period.unit in _HALVES:
        hours: Hours | None = mapping.morning if period.unit is Unit.MORNING else mapping.afternoon
        if hours is None:
            half = _HALVES[period.unit]
            cause = f"{half}の不在ですが、{half}の時間帯が連携設定シートにありません"
            raise BadAbsenceError(NO_HOURS, cause, f"連携設定シートの「{half}の時間帯」を記入してください")
        return f"{period.start}T{hours[0]:%H:%M:%S}", f"{period.start}T{hours[1]:%H:%M:%S}"
    if period.end <= period.start:
        raise _end_first()
    return f"{period.start}:00", f"{period.end}:00"


def _end_first() -> BadAbsenceError:
    return BadAbsenceError(END_FIRST, "終了が開始より前の期間があります", "WORKPLACEで、この不在の期間を直してください")
