"""Which events an absence is to have (C4–C7)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from renkei.links.workplace_lineworks.calendar_events import (
    END_FIRST,
    NO_HOURS,
    BadAbsenceError,
    event_id,
    mark,
    wanted,
)
from renkei.links.workplace_lineworks.sheet.mapping import Mapping
from renkei.systems.workplace.client import Absence, Period, Status, Unit
from tests.harness.workplace_lineworks import MAPPING, SATO, SUZUKI, day, hours


def absence(*periods: Period, kind: str = "年次有給休暇", user_id: str = SATO) -> Absence:
    return Absence("A-1", 1, Status.APPROVED, user_id, kind, periods)


def spans(*periods: Period, mapping: Mapping = MAPPING) -> list[tuple[str, str]]:
    return [(one.event.start, one.event.end) for one in wanted(absence(*periods), "APPROVED", mapping)]


def test_c6_an_all_day_absence_ends_before_the_next_day() -> None:
    assert spans(day("2026-12-05")) == [("2026-12-05", "2026-12-06")]
    assert spans(day("2026-12-30", "2027-01-02")) == [("2026-12-30", "2027-01-03")]


def test_c6_half_days_are_the_sheet_s_and_times_are_local() -> None:
    found = spans(
        Period(Unit.MORNING, "2026-12-05", "2026-12-05"),
        Period(Unit.AFTERNOON, "2026-12-05", "2026-12-05"),
        Period(Unit.HALF_HOURS, "2026-12-05T09:30", "2026-12-05T10:00"),
        hours("2026-12-05T23:00", "2026-12-06T01:00"),
    )
    assert found == [
        ("2026-12-05T09:00:00", "2026-12-05T13:00:00"),
        ("2026-12-05T13:00:00", "2026-12-05T18:00:00"),
        ("2026-12-05T09:30:00", "2026-12-05T10:00:00"),
        ("2026-12-05T23:00:00", "2026-12-06T01:00:00"),
    ]


@pytest.mark.parametrize(
    ("period", "code", "said"),
    [
        (Period(Unit.MORNING, "2026-12-05", "2026-12-05"), NO_HOURS, "午前の時間帯"),
        (Period(Unit.AFTERNOON, "2026-12-05", "2026-12-05"), NO_HOURS, "午後の時間帯"),
        (day("2026-12-05", "2026-12-04"), END_FIRST, "WORKPLACEで"),
        (hours("2026-12-05T10:00", "2026-12-05T10:00"), END_FIRST, "WORKPLACEで"),
    ],
)
def test_c6_what_has_no_time_is_refused_and_never_guessed(period: Period, code: str, said: str) -> None:
    with pytest.raises(BadAbsenceError) as caught:
        spans(day("2026-12-01"), period, mapping=replace(MAPPING, morning=None, afternoon=None))
    assert caught.value.code == code
    assert said in caught.value.remedy


def test_c4_what_is_only_applied_for_is_not_shown_or_keeps_nobody_s_time() -> None:
    assert wanted(absence(day("2026-12-05")), "APPLIED", MAPPING) == []
    (shown,) = wanted(absence(day("2026-12-05")), "APPLIED", replace(MAPPING, applied_shown=True))
    assert shown.event.component()["transparency"] == "TRANSPARENT"
    assert shown.event.summary == "（申請中）年次有給休暇"
    (approved,) = wanted(absence(day("2026-12-05")), "APPROVED", replace(MAPPING, applied_shown=True))
    assert approved.event.component()["transparency"] == "OPAQUE"
    assert approved.event.id == shown.event.id


@pytest.mark.parametrize("status", ["REJECTED", "CANCELLED", "GONE"])
def test_c5_what_is_no_more_has_no_event(status: str) -> None:
    assert wanted(absence(day("2026-12-05")), status, replace(MAPPING, applied_shown=True)) == []


@pytest.mark.parametrize(
    ("mapping", "kind", "title"),
    [
        (replace(MAPPING, kinds_shown=False), "病気休暇", "不在"),
        (MAPPING, "病気休暇", "病気休暇"),
        (replace(MAPPING, titles={"病気休暇": "休暇"}), "病気休暇", "休暇"),
        (MAPPING, "長" * 300, "長" * 200),
    ],
)
def test_c7_the_title_is_the_kind_or_absence_alone(mapping: Mapping, kind: str, title: str) -> None:
    (one,) = wanted(absence(day("2026-12-05"), kind=kind), "APPROVED", mapping)
    component = one.event.component()
    assert component["summary"] == title
    assert sorted(component) == ["end", "eventId", "start", "summary", "transparency", "visibility"]


def test_c7_visibility_is_a_setting() -> None:
    (one,) = wanted(absence(day("2026-12-05")), "APPROVED", replace(MAPPING, public=False))
    assert one.event.component()["visibility"] == "PRIVATE"


def test_c5_an_event_s_id_is_the_member_s_period_and_names_nobody() -> None:
    one = absence(day("2026-12-05"), day("2026-12-09"))
    ids = {
        *(event_id("acme", one, 0), event_id("acme", one, 1), event_id("other", one, 0)),
        event_id("acme", replace(one, user_id=SUZUKI), 0),
        event_id("acme", replace(one, id="A-2"), 0),
    }
    assert len(ids) == 5
    assert event_id("acme", replace(one, revision=7, periods=(day("2027-01-01"),)), 0) in ids
    assert all(len(number) == 48 and "sato" not in number for number in ids)
    assert [sum(number.startswith(mark(tenant)) for number in ids) for tenant in ("acme", "other", "acm")] == [4, 1, 0]


def test_c5_an_event_s_id_is_the_same_for_ever() -> None:
    """By another one nobody would know the events that are in calendars already for ours."""
    assert event_id("acme", absence(user_id="sato@acme"), 0) == "renkei-c27a50c5-967da7404297ca68be7d34bbbd70a539"
