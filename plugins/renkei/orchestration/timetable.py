"""Every day at one time in Japan: what `CronTriggerTimetable` does, without cron.

Airflow decodes a Dag's timetable some twenty times while it writes the Dag to its database, and a cron
timetable parses its expression and words a description each time: 10 of 15 ms per Dag. Japan has no summer
time, so a day is 24 hours. When to run first, after a pause, or never is still Airflow's own code.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from airflow.timetables.trigger import CronTriggerTimetable
from pendulum import DateTime, timezone

TOKYO = timezone("Asia/Tokyo")
DAY = dt.timedelta(days=1)


class DailyInJapan(CronTriggerTimetable):
    """Runs at `hour`:`minute` Asia/Tokyo; registered by plugins/renkei_plugin.py."""

    def __init__(self, hour: int, minute: int) -> None:
        # Not super().__init__: parsing the expression is what this class is here to avoid.
        self._hour, self._minute = hour, minute
        self._expression = f"{minute} {hour} * * *"
        self._timezone = TOKYO
        self._interval = dt.timedelta()
        self._run_immediately = False
        self.description = f"毎日 {hour:02d}:{minute:02d}（日本時間）"

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> DailyInJapan:
        return cls(data["hour"], data["minute"])

    def serialize(self) -> dict[str, Any]:
        return {"hour": self._hour, "minute": self._minute}

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
