"""The daily time in Japan is what Airflow's cron timetable makes of it (E1)."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from airflow.timetables.base import DataInterval, TimeRestriction, Timetable
from airflow.timetables.trigger import CronTriggerTimetable
from airflow.utils.types import DagRunType
from hypothesis import given, settings
from hypothesis import strategies as st
from pendulum import DateTime, instance

from renkei.orchestration.timetable import (
    DailyInJapan,
    DailyWithSideRuns,
    EveryMinutes,
    EveryMinutesWithSideRuns,
    TimesInJapan,
)
from renkei.sheets.side_run import SideRun, mark_of

MOMENTS = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2030, 1, 1), timezones=st.just(dt.UTC))
TICKS = st.builds(
    lambda day: dt.datetime(2026, 4, 1, 4, 30, tzinfo=dt.UTC) + dt.timedelta(days=day), st.integers(0, 900)
)


@settings(max_examples=300)
@given(
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    now=MOMENTS | TICKS,
    start=st.none() | MOMENTS | TICKS,
    last=st.none() | MOMENTS | TICKS,
    catchup=st.booleans(),
)
def test_e1_daily_time_is_airflow_s_own_schedule_at_any_moment(
    hour: int, minute: int, now: dt.datetime, start: dt.datetime | None, last: dt.datetime | None, catchup: bool
) -> None:
    """For any time of day, start date, last run and now: the same next run as cron in Asia/Tokyo, to the second.

    Only a first run is not made up for when it is more than an hour late.
    """
    cron = CronTriggerTimetable(f"{minute} {hour} * * *", timezone="Asia/Tokyo")
    daily = DailyInJapan(hour, minute)
    restriction = TimeRestriction(instance(start) if start else None, None, catchup)
    if last is None and not catchup:
        start = max(filter(None, (start, now - dt.timedelta(hours=1))))
    effective = TimeRestriction(instance(start) if start else None, None, catchup)
    interval = DataInterval.exact(instance(last)) if last else None
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("airflow.timetables.trigger.utcnow", lambda: now)
        patch.setattr("renkei.orchestration.timetable.now", lambda _zone: instance(now))
        for timetable, given_as in ((cron, effective), (daily, restriction)):
            found.append(timetable.next_dagrun_info(last_automated_data_interval=interval, restriction=given_as))
    assert found[0] == found[1]


def test_e1_daily_time_survives_airflow_s_database() -> None:
    """Written and read back, it is the same; the operator reads its time."""
    daily = DailyInJapan(4, 30, dt.datetime(2026, 4, 1, tzinfo=dt.UTC))
    again = DailyInJapan.deserialize(daily.serialize())
    assert again == daily
    assert again != DailyInJapan(4, 30)
    assert DailyInJapan.deserialize({"hour": 4, "minute": 30}) == DailyInJapan(4, 30)  # as version 0.4 wrote it
    assert (again.summary, again.description) == ("30 4 * * *", "毎日 04:30（日本時間）")
    at = DateTime(2026, 11, 21, 19, 30, tzinfo=dt.UTC)
    assert again.infer_manual_data_interval(run_after=at) == DataInterval.exact(at)


def test_e1_minutes_survive_airflow_s_database() -> None:
    """As the daily time does, and the two are never taken for each other."""
    often = EveryMinutes(5, dt.datetime(2026, 4, 1, tzinfo=dt.UTC))
    assert EveryMinutes.deserialize(often.serialize()) == often
    assert often not in (EveryMinutes(5), EveryMinutes(6, often._not_before), DailyInJapan(0, 5, often._not_before))
    assert often.description == "5分ごと"


def next_run(timetable: Timetable, now: str, last: str | None) -> str:
    """All in Asia/Tokyo."""
    interval = DataInterval.exact(instance(tokyo(last))) if last else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("airflow.timetables.trigger.utcnow", lambda: tokyo(now))
        patch.setattr("renkei.orchestration.timetable.now", lambda _zone: instance(tokyo(now)))
        found = timetable.next_dagrun_info(
            last_automated_data_interval=interval, restriction=TimeRestriction(None, None, False)
        )
    assert found is not None
    return found.run_after.in_timezone("Asia/Tokyo").format("MM-DD HH:mm")


def tokyo(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2026-{text}:00+09:00")


@pytest.mark.parametrize(
    ("begins", "now", "last", "expected"),
    [
        ("12-01T00:00", "11-20T10:00", None, "12-01 04:30"),
        ("12-01T00:00", "11-20T10:00", "11-20T04:30", "12-01 04:30"),
        ("11-20T10:00", "11-20T10:01", "11-20T03:00", "11-21 04:30"),
        ("11-20T04:29", "11-20T04:31", "11-20T04:00", "11-20 04:30"),
        ("11-20T10:00", "11-20T10:01", None, "11-21 04:30"),
        ("11-01T00:00", "11-20T10:00", None, "11-21 04:30"),
        ("11-01T00:00", "11-20T05:00", None, "11-20 04:30"),
        ("11-01T00:00", "11-20T10:00", "11-18T04:30", "11-20 04:30"),
        ("11-19T22:00", "11-20T10:00", "11-19T04:30", "11-20 04:30"),
    ],
    ids=[
        "連携開始日 ahead",
        "連携開始日 moved ahead",
        "処理時刻 changed to a passed time",
        "処理時刻 changed to the coming minute",
        "連携開始日 changed to a passed day",
        "switched on at noon for the first time",
        "switched on within the hour",
        "switched on again after two days",
        "scheduler away overnight, sheet changed in the evening",
    ],
)
def test_e1_what_had_passed_before_the_schedule_was_made_starts_nothing(
    begins: str, now: str, last: str | None, expected: str
) -> None:
    """A new time or day holds from when it was written; what was missed since then is made up for once."""
    assert next_run(DailyInJapan(4, 30, tokyo(begins)), now, last) == expected


@pytest.mark.parametrize(
    ("begins", "now", "last", "expected"),
    [
        ("12-01T00:00", "11-20T10:00", None, "12-01 00:00"),
        ("11-01T00:00", "11-20T10:00", None, "11-20 10:00"),
        ("11-01T00:00", "11-20T10:01", "11-20T10:00", "11-20 10:05"),
        ("11-20T10:01", "11-20T10:01", "11-20T10:00", "11-20 10:05"),
        ("11-01T00:00", "11-20T10:09", "11-20T10:00", "11-20 10:05"),
        ("11-01T00:00", "11-20T10:00", "11-18T04:30", "11-20 10:00"),
        ("11-01T00:00", "11-20T10:03", "11-20T10:02", "11-20 10:05"),
        ("11-20T10:01", "11-20T10:03", None, "11-20 10:05"),
    ],
    ids=[
        "連携開始日 ahead",
        "the first",
        "the next",
        "sheet changed",
        "the last one took long",
        "switched on again",
        "the last one was between two",
        "the first of a new sheet",
    ],
)
def test_e1_minutes_are_counted_from_midnight_and_none_is_made_up_for(
    begins: str, now: str, last: str | None, expected: str
) -> None:
    """One run at most stands for all that were missed."""
    assert next_run(EveryMinutes(5, tokyo(begins)), now, last) == expected


@pytest.mark.parametrize(("minutes", "expected"), [(60, "11-20 11:00"), (720, "11-20 12:00"), (1440, "11-21 00:00")])
def test_k14_hours_are_those_of_japan(minutes: int, expected: str) -> None:
    assert next_run(EveryMinutes(minutes, tokyo("11-20T10:01")), "11-20T10:03", None) == expected


CHECK = SideRun("check", dt.time(18, 0, 15), dt.timedelta(hours=1))
RECONCILE = SideRun("reconcile", dt.time(5, 30, 30), dt.timedelta(hours=12))


@pytest.mark.parametrize(
    ("now", "last", "expected"),
    [
        ("11-20T04:31", "11-20T04:30", "11-20 05:30"),
        ("11-20T06:00", "11-20T05:31", "11-20 18:00"),
        ("11-20T18:02", "11-20T18:01", "11-21 04:30"),
        ("11-20T18:59", "11-20T05:31", "11-20 18:00"),
        ("11-20T19:01", "11-20T05:31", "11-21 04:30"),
        ("11-21T04:29", "11-20T05:31", "11-21 04:30"),
        ("11-21T08:00", "11-20T05:31", "11-21 04:30"),
        ("11-21T08:00", "11-21T04:30", "11-21 05:30"),
        ("11-20T18:30", "11-19T18:00", "11-20 04:30"),
        ("11-20T18:30", "11-20T04:30", "11-20 18:00"),
        ("11-21T03:00", "11-20T04:30", "11-21 04:30"),
        ("11-20T18:30", None, "11-21 04:30"),
    ],
    ids=[
        "照合 after the daily run",
        "the evening after 照合",
        "the next day",
        "an evening less than an hour late",
        "an evening that was missed is not made up for",
        "nor shortly before the daily run",
        "nor by taking the place of the daily run",
        "照合 is made up for in the morning, after the daily run",
        "the daily run that was missed comes before the evening",
        "a 照合 of the morning is too late in the evening",
        "nothing is made up for at night",
        "a Dag that was never switched on makes up for no side run",
    ],
)
def test_e43_side_runs_come_in_turn_and_take_nothing_from_the_daily_run(
    now: str, last: str | None, expected: str
) -> None:
    """E43, E44: the earliest tick first; one that is too late comes not at all."""
    timetable = DailyWithSideRuns(4, 30, [CHECK, RECONCILE], tokyo("11-01T00:00"))
    assert next_run(timetable, now, last) == expected


@settings(max_examples=200)
@given(now=MOMENTS, ago=st.integers(1, 200), begins=st.none() | MOMENTS)
def test_e43_a_daily_run_is_never_later_for_side_runs(now: dt.datetime, ago: int, begins: dt.datetime | None) -> None:
    """However the last run, now and the sheet's change lie: until the next daily run there are only earlier side runs."""
    plain, more = DailyInJapan(4, 30, begins), DailyWithSideRuns(4, 30, [CHECK, RECONCILE], begins)
    restriction, last = TimeRestriction(None, None, False), now - dt.timedelta(minutes=7 * ago)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("airflow.timetables.trigger.utcnow", lambda: now)
        patch.setattr("renkei.orchestration.timetable.now", lambda _zone: instance(now))
        for _ in range(3):
            found = [
                one.next_dagrun_info(
                    last_automated_data_interval=DataInterval.exact(instance(last)), restriction=restriction
                )
                for one in (plain, more)
            ]
            daily, either = (one.run_after for one in found if one)
            assert last < either <= daily
            if either == daily:
                return
            last = either
    raise AssertionError(f"after three side runs the daily run {daily} has not come")


@pytest.mark.parametrize(
    ("now", "last", "expected"),
    [
        ("11-20T02:20", "11-20T02:20", "11-20 02:25"),
        ("11-20T02:26", "11-20T02:25", "11-20 02:27"),
        ("11-20T02:29", "11-20T02:28", "11-20 02:30"),
        ("11-20T02:58", "11-20T02:25", "11-20 02:27"),
        ("11-20T03:30", "11-20T02:25", "11-20 03:30"),
        ("11-20T03:00", None, "11-20 03:00"),
    ],
    ids=["before it", "its turn", "after it", "less than an hour late", "missed", "switched on"],
)
def test_c8_照合_comes_at_night_between_the_runs_of_every_few_minutes(
    now: str, last: str | None, expected: str
) -> None:
    nightly = [SideRun("reconcile", dt.time(2, 27, 30), dt.timedelta(hours=1))]
    timetable = EveryMinutesWithSideRuns(5, nightly, tokyo("11-01T00:00"))
    assert next_run(timetable, now, last) == expected
    assert [mark(timetable, one) for one in ("11-20T02:27:30", "11-20T02:25:00")] == ["reconcile", ""]
    assert mark(EveryMinutes(5), "11-20T02:27:30") == "past"  # the sheet has just changed: it only looks
    again = EveryMinutesWithSideRuns.deserialize(json.loads(json.dumps(timetable.serialize())))
    assert (again, again.every) == (timetable, dt.timedelta(minutes=5))
    assert again not in (EveryMinutesWithSideRuns(5, [], timetable._not_before), EveryMinutes(5, timetable._not_before))
    assert again.description == "5分ごと、02:27"


def test_e43_a_side_run_s_id_says_what_it_is() -> None:
    """Only of what the timetable starts; one of a sheet that has just changed is nobody's, and no daily run."""
    timetable, plain = DailyWithSideRuns(4, 30, [CHECK, RECONCILE]), DailyInJapan(4, 30)
    assert [mark(timetable, one) for one in ("11-20T18:00:15", "11-20T05:30:30")] == ["check", "reconcile"]
    assert mark(timetable, "11-20T18:00:15", DagRunType.MANUAL) == ""
    assert [mark(one, "11-20T17:00:15") for one in (timetable, plain)] == ["past", "past"]
    assert [mark_of(one) for one in ("manual__2026-11-20T09:00:00+00:00__check", "check", "")] == ["", "", ""]


def test_e1_a_changed_daily_time_loses_no_day() -> None:
    """Airflow may have the tick of a sheet's new 処理時刻 with the old timetable (it writes a Dag once in 30 seconds), or
    the other way about: it is the day's run all the same."""
    for timetable in (DailyWithSideRuns(4, 30, [CHECK, RECONCILE]), DailyInJapan(4, 30)):
        assert [mark(timetable, one) for one in ("11-20T04:30:00", "11-20T04:33:00", "11-20T18:00:00")] == ["", "", ""]


def mark(timetable: Timetable, text: str, run_type: DagRunType = DagRunType.SCHEDULED) -> str:
    at = instance(dt.datetime.fromisoformat(f"2026-{text}+09:00")).in_timezone("UTC")
    return mark_of(timetable.generate_run_id(run_type=run_type, run_after=at, data_interval=None))


def test_e43_side_runs_survive_airflow_s_database() -> None:
    """Written and read back they are the same."""
    timetable = DailyWithSideRuns(4, 30, [CHECK, RECONCILE], dt.datetime(2026, 4, 1, tzinfo=dt.UTC))
    again = DailyWithSideRuns.deserialize(json.loads(json.dumps(timetable.serialize())))
    assert (again, hash(again)) == (timetable, hash(timetable))
    assert again not in (DailyWithSideRuns(4, 30, [CHECK], timetable._not_before), DailyInJapan(4, 30))
    assert again.description == "毎日 04:30（日本時間）、18:00、05:30"


@pytest.mark.parametrize(
    ("now", "last", "expected"),
    [
        ("11-20T09:00", "11-19T18:35", "11-20 09:30"),
        ("11-20T09:31", "11-20T09:30", "11-20 10:05"),
        ("11-20T10:06", "11-20T10:05", "11-20 18:35"),
        ("11-20T19:00", "11-20T18:35", "11-21 09:30"),
        ("11-20T19:00", "11-19T09:30", "11-20 18:35"),
    ],
    ids=["morning", "the next", "evening", "tomorrow", "one for all that were missed"],
)
def test_p19_several_times_a_day_come_in_turn(now: str, last: str, expected: str) -> None:
    times = TimesInJapan([dt.time(18, 35), dt.time(10, 5), dt.time(9, 30)], tokyo("11-01T00:00"))
    assert next_run(times, now, last) == expected


def test_p19_times_survive_airflow_s_database() -> None:
    times = TimesInJapan([dt.time(10, 5), dt.time(18, 35)], dt.datetime(2026, 4, 1, tzinfo=dt.UTC))
    assert TimesInJapan.deserialize(times.serialize()) == times
    assert times not in (TimesInJapan([dt.time(10, 5)], times._not_before), DailyInJapan(10, 5, times._not_before))
    assert times.description == "毎日 10:05、18:35（日本時間）"
