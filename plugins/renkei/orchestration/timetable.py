"""Every day at one time in Japan, from 連携開始日 on (E1): what `CronTriggerTimetable` does, without cron.

Airflow decodes a Dag's timetable some twenty times while it writes the Dag to its database, and a cron
timetable parses its expression and words a description each time: 10 of 15 ms per Dag. Japan has no summer
time, so a day is 24 hours. When to run next and what to make up for after a pause is still Airflow's own code.

No Dag of Renkei's has a `start_date`: a run whose 論理日付 lies before it gets no task from Airflow, and is a success.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction
from airflow.timetables.trigger import CronTriggerTimetable
from pendulum import DateTime, instance, now, timezone

TOKYO = timezone("Asia/Tokyo")
DAY = dt.timedelta(days=1)
LATE = dt.timedelta(hours=1)  # a first run this late was not meant for now: the Dag has just been switched on


class DailyInJapan(CronTriggerTimetable):
    """Runs at `hour`:`minute` Asia/Tokyo; registered by plugins/renkei_plugin.py.

    `not_before` is when the schedule began to be this one (連携開始日, or the last change of the sheet): a time that
    had passed by then starts nothing.
    """

    def __init__(self, hour: int, minute: int, not_before: dt.datetime | None = None) -> None:
        # Not super().__init__: parsing the expression is what this class is here to avoid.
        self._hour, self._minute = hour, minute
        self._not_before = None if not_before is None else instance(not_before).in_timezone("UTC")
        self._expression = f"{minute} {hour} * * *"
        self._timezone = TOKYO
        self._interval = dt.timedelta()
        self._run_immediately = False
        self.description = f"毎日 {hour:02d}:{minute:02d}（日本時間）"

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> DailyInJapan:
        begins = data.get("not_before")
        return cls(data["hour"], data["minute"], dt.datetime.fromisoformat(begins) if begins else None)

    def serialize(self) -> dict[str, Any]:
        begins = self._not_before.isoformat() if self._not_before else None
        return {"hour": self._hour, "minute": self._minute, "not_before": begins}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DailyInJapan) and self.serialize() == other.serialize()

    def __hash__(self) -> int:
        return hash((self._hour, self._minute, self._not_before))

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        if not restriction.catchup:  # else Airflow asks which runs there were between two moments
            begins = [moment for moment in (restriction.earliest, self._not_before) if moment is not None]
            if last_automated_data_interval is None:
                begins.append(now("UTC") - LATE)
            restriction = restriction._replace(earliest=max(begins, default=None))
        return super().next_dagrun_info(
            last_automated_data_interval=last_automated_data_interval, restriction=restriction
        )

    def validate(self) -> None:
        """Nothing to check: hours and minutes come from a time."""

    def _get_next(self, current: DateTime) -> DateTime:
        local = current.in_timezone(TOKYO)
        tick = local.replace(hour=self._hour, minute=self._minute, second=0, microsecond=0)
        return (tick if tick > local else tick + DAY).in_timezone("UTC")

    def _get_prev(self, current: DateTime) -> DateTime:
        local = current.in_timezone(TOKYO)
        tick = local.replace(hour=self._hour, minute=self._minute, second=0, microsecond=0)
        return (tick if tick < local else tick - DAY).in_timezone("UTC")
