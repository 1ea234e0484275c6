"""The daily time in Japan is what Airflow's cron timetable makes of it (E1)."""

from __future__ import annotations

import datetime as dt

import pytest
from airflow.timetables.base import DataInterval, TimeRestriction
from airflow.timetables.trigger import CronTriggerTimetable
from hypothesis import given, settings
from hypothesis import strategies as st
from pendulum import DateTime, instance

from renkei.orchestration.timetable import DailyInJapan

MOMENTS = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2030, 1, 1), timezones=st.just(dt.UTC))
TICKS = st.builds(
    lambda day: dt.datetime(2026, 4, 1, 4, 30, tzinfo=dt.UTC) + dt.timedelta(days=day), st.integers(0, 900)
)


@settings(max_examples=300, deadline=None)
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
    """For any time of day, start date, last run and now: the same next run as cron in Asia/Tokyo, to the second."""
    cron = CronTriggerTimetable(f"{minute} {hour} * * *", timezone="Asia/Tokyo")
    daily = DailyInJapan(hour, minute)
    restriction = TimeRestriction(instance(start) if start else None, None, catchup)
    interval = DataInterval.exact(instance(last)) if last else None
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("airflow.timetables.trigger.utcnow", lambda: now)
        for timetable in (cron, daily):
            found.append(timetable.next_dagrun_info(last_automated_data_interval=interval, restriction=restriction))
    assert found[0] == found[1]


def test_e1_daily_time_survives_airflow_s_database() -> None:
    """Written and read back, it is the same; the operator reads its time."""
    daily = DailyInJapan(4, 30)
    again = DailyInJapan.deserialize(daily.serialize())
    assert again == daily
    assert (again.summary, again.description) == ("30 4 * * *", "毎日 04:30（日本時間）")
    at = DateTime(2026, 11, 21, 19, 30, tzinfo=dt.UTC)
    assert again.infer_manual_data_interval(run_after=at) == DataInterval.exact(at)
