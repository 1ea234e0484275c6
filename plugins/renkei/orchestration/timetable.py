"""When tenants' Dags run: every day at one time in Japan, or every so many minutes; from 連携開始日 on (E1).

When to run next and what to make up for after a pause is Airflow's own code. No Dag of Renkei's has a `start_date`: a
run whose 論理日付 lies before it gets no task from Airflow, and is a success.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable
from airflow.timetables.trigger import CronTriggerTimetable, DeltaTriggerTimetable
from pendulum import DateTime, instance, now, timezone

from renkei.clock import DAILY_AT, next_daily
from renkei.sheets.side_run import SideRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.utils.types import DagRunType

    from renkei.orchestration.link import Link
    from renkei.sheets.compiled import Compiled

TOKYO = timezone("Asia/Tokyo")
DAY = dt.timedelta(days=1)
LATE = dt.timedelta(hours=1)  # a first run this late was not meant for now: the Dag has just been switched on


class _NotBefore(Timetable):
    """`not_before` is when the schedule began to be this one (連携開始日, or the last change of the sheet).

    A time that had passed by then starts nothing.
    """

    _not_before: DateTime | None
    _side_runs: tuple[SideRun, ...] = ()

    def _begin(self, not_before: dt.datetime | None) -> None:
        self._not_before = None if not_before is None else instance(not_before).in_timezone("UTC")

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Timetable:
        begins = data.get("not_before")
        return cls(**data | {"not_before": dt.datetime.fromisoformat(begins) if begins else None})

    def serialize(self) -> dict[str, Any]:
        return {"not_before": self._not_before.isoformat() if self._not_before else None}

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.serialize() == other.serialize()

    def __hash__(self) -> int:
        return hash(self.description)  # Airflow asks thirty times a Dag

    def generate_run_id(
        self, *, run_type: DagRunType, run_after: DateTime, data_interval: DataInterval | None, **extra: Any
    ) -> str:
        """With its mark for a side run, which loads nothing.

        Airflow keeps a Dag and its next tick apart, and may have one of before and the other of after a change of the
        sheet: a tick of a whole minute is a daily run's, or the day would have none; any other is a side run's.
        """
        plain = super().generate_run_id(run_type=run_type, run_after=run_after, data_interval=data_interval, **extra)
        at = run_after.in_timezone(TOKYO).time().replace(microsecond=0)
        if run_type.value != "scheduled" or at.second == 0:
            return plain
        return f"{plain}__{next((one.mark for one in self._side_runs if one.at == at), 'past')}"

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        if not restriction.catchup:  # else Airflow asks which runs there were between two moments
            begins = [moment for moment in (restriction.earliest, self._not_before) if moment is not None]
            if last_automated_data_interval is None:
                begins.append(now("UTC") - LATE)
            restriction = restriction._replace(earliest=max(begins, default=None))
        return super().next_dagrun_info(  # type: ignore[safe-super]  # that of Airflow's timetable beside this one
            last_automated_data_interval=last_automated_data_interval, restriction=restriction
        )


class EveryMinutes(_NotBefore, DeltaTriggerTimetable):
    """Runs every `minutes`, counted from midnight in Japan; a run that takes longer is followed by the next one at once."""

    def __init__(self, minutes: int, not_before: dt.datetime | None = None) -> None:
        super().__init__(dt.timedelta(minutes=minutes))
        self._begin(not_before)
        self._minutes = minutes
        self.every = dt.timedelta(minutes=minutes)
        self.description = f"{minutes}分ごと"

    def serialize(self) -> dict[str, Any]:
        return {"minutes": self._minutes, **super().serialize()}

    def _align_to_prev(self, current: DateTime) -> DateTime:
        local = current.in_timezone(TOKYO)
        passed = dt.timedelta(local.toordinal(), local.second, local.microsecond, 0, local.minute, local.hour)
        return (local - passed % self.every).in_timezone("UTC")

    def _align_to_next(self, current: DateTime) -> DateTime:
        tick = self._align_to_prev(current)
        return tick if tick == current else tick + self.every

    def _get_next(self, current: DateTime) -> DateTime:
        return self._align_to_prev(current) + self.every

    def _get_prev(self, current: DateTime) -> DateTime:
        return self._align_to_next(current) - self.every


class DailyInJapan(_NotBefore, CronTriggerTimetable):
    """Runs at `hour`:`minute` Asia/Tokyo: what `CronTriggerTimetable` does, without cron.

    Airflow decodes a Dag's timetable some twenty times while it writes the Dag to its database, and a cron timetable
    parses its expression and words a description each time: 10 of 15 ms per Dag. Japan has no summer time, so a day is
    24 hours.
    """

    def __init__(self, hour: int, minute: int, not_before: dt.datetime | None = None) -> None:
        # Not super().__init__: parsing the expression is what this class is here to avoid.
        self._begin(not_before)
        self._hour, self._minute = hour, minute
        self._expression = f"{minute} {hour} * * *"
        self._timezone = TOKYO
        self._interval = dt.timedelta()
        self._run_immediately = False
        self.description = f"毎日 {hour:02d}:{minute:02d}（日本時間）"

    def serialize(self) -> dict[str, Any]:
        return {"hour": self._hour, "minute": self._minute, **super().serialize()}

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


class TimesInJapan(DailyInJapan):
    """Runs at each of `times` Asia/Tokyo; they are whole minutes."""

    def __init__(self, times: Sequence[dt.time | str], not_before: dt.datetime | None = None) -> None:
        self._times = sorted(dt.time.fromisoformat(at) if isinstance(at, str) else at for at in times)
        super().__init__(self._times[0].hour, self._times[0].minute, not_before)
        self.description = f"毎日 {'、'.join(f'{at:%H:%M}' for at in self._times)}（日本時間）"

    def serialize(self) -> dict[str, Any]:
        kept = super().serialize()
        return {"times": [at.isoformat() for at in self._times], "not_before": kept["not_before"]}

    def _get_next(self, current: DateTime) -> DateTime:
        return min(one._get_next(current) for one in self._daily())

    def _get_prev(self, current: DateTime) -> DateTime:
        return max(one._get_prev(current) for one in self._daily())

    def _daily(self) -> list[DailyInJapan]:
        return [DailyInJapan(at.hour, at.minute) for at in self._times]


class _WithSideRuns(_NotBefore):
    """Runs beside those of the timetable after it, whose ids say what they are (`sheets/side_run.py`).

    They take nothing from those: the earliest tick comes first, and one that is too late comes not at all.
    """

    def _beside(self, side_runs: Sequence[SideRun]) -> None:
        self._side_runs = tuple(side_runs)
        self.description += "".join(f"、{one.at:%H:%M}" for one in self._side_runs)

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Timetable:
        runs = [
            SideRun(mark, dt.time.fromisoformat(at), dt.timedelta(seconds=late)) for mark, at, late in data["side_runs"]
        ]
        return super().deserialize(data | {"side_runs": runs})

    def serialize(self) -> dict[str, Any]:
        runs = [[one.mark, one.at.isoformat(), one.late.total_seconds()] for one in self._side_runs]
        return {**super().serialize(), "side_runs": runs}

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        found = super().next_dagrun_info(
            last_automated_data_interval=last_automated_data_interval, restriction=restriction
        )
        if restriction.catchup or found is None:
            return found
        last = last_automated_data_interval.end if last_automated_data_interval else None
        begins = [moment for moment in (last, self._not_before, restriction.earliest) if moment is not None]
        present = now("UTC")
        ticks = [
            instance(next_daily(one.at, max([present - (one.late if last else dt.timedelta()), *begins])))
            for one in self._side_runs
        ]
        return DagRunInfo.exact(min([found.run_after, *(tick.in_timezone("UTC") for tick in ticks)]))


class DailyWithSideRuns(_WithSideRuns, DailyInJapan):
    """The daily run, and those beside it."""

    def __init__(
        self, hour: int, minute: int, side_runs: Sequence[SideRun], not_before: dt.datetime | None = None
    ) -> None:
        super().__init__(hour, minute, not_before)
        self._beside(side_runs)


class EveryMinutesWithSideRuns(_WithSideRuns, EveryMinutes):
    """A run every so many minutes, and those of a day beside them."""

    def __init__(self, minutes: int, side_runs: Sequence[SideRun], not_before: dt.datetime | None = None) -> None:
        super().__init__(minutes, not_before)
        self._beside(side_runs)


def timetable_of(link: Link, sheet: Compiled[Any], not_before: dt.datetime | None = None) -> Timetable:
    """When a tenant's Dag runs. A broken sheet is told once a day, not oftener."""
    return (link.timetable() if sheet.mapping else daily)(sheet, not_before)


def daily(sheet: Compiled[Any], not_before: dt.datetime | None) -> Timetable:
    """処理時刻 of the sheet, and the times of its side runs."""
    run_at = sheet.run_at or DAILY_AT
    if sheet.side_runs:
        return DailyWithSideRuns(run_at.hour, run_at.minute, sheet.side_runs, not_before)
    return DailyInJapan(run_at.hour, run_at.minute, not_before)
