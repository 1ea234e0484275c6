"""How far the day's requests of a kintone app go, and when what waits will be written (K15). No clock, no files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping as Dict
from dataclasses import dataclass

from renkei.clock import TOKYO
from renkei.links.hotprofile_kintone.history import DataSetStatus, days_needed
from renkei.links.hotprofile_kintone.quota import WARN_AT
from renkei.links.hotprofile_kintone.sheet.mapping import Mapping

FRIDAY_NIGHT = 18  # o'clock


@dataclass(frozen=True, slots=True)
class Gauge:
    """One app's requests of today, those of other companies too."""

    app: str
    labels: str  # of the data sets that go there
    used: int
    most: int
    waiting: int  # records; of them `initial` are 初期連携's
    initial: int
    spent_at: dt.datetime | None  # at today's pace; None: not before the day ends
    done_on: dt.date | None  # when 初期連携 will be written, if nothing else takes requests; None: none waits

    @property
    def left(self) -> int:
        return max(0, self.most - self.used)

    @property
    def tone(self) -> str:
        return "bad" if not self.left else "wait" if self.used >= WARN_AT * self.most else "good"


def gauges(mapping: Mapping, used: Dict[str, int], statuses: Dict[str, DataSetStatus], now: dt.datetime) -> list[Gauge]:
    """A gauge of each app, in the order of the data sets; `used` is by app."""
    found = []
    for app in dict.fromkeys(one.app for one in mapping.data_sets):
        mine = [one for one in mapping.data_sets if one.app == app]
        known = [statuses[one.name] for one in mine if one.name in statuses]
        waiting, initial = sum(one.waiting for one in known), sum(one.initial for one in known)
        most, spent = mapping.daily_requests, used.get(app, 0)
        done_on = None
        if initial:
            days = days_needed(waiting, max(0, most - spent), most)
            done_on = now.astimezone(TOKYO).date() + dt.timedelta(days=days - 1)
        labels = "・".join(one.label for one in mine)
        found.append(Gauge(app, labels, spent, most, waiting, initial, _spent_at(spent, most, now), done_on))
    return found


def _spent_at(used: int, most: int, now: dt.datetime) -> dt.datetime | None:
    midnight = dt.datetime.combine(now.astimezone(TOKYO).date(), dt.time(), TOKYO)
    if not 0 < used < most:
        return None
    at = now + (now - midnight) * (most - used) / used
    return at if at < midnight + dt.timedelta(days=1) else None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What 初期連携 of one data set will take at most: what is in kintone already is not written again."""

    data_set: str
    app: str
    records: int
    requests: int  # of 100 records each
    left: int  # of the app's requests of today
    most: int  # of a day
    days: int  # today being the first
    done_on: dt.date

    @property
    def takes_all(self) -> bool:
        """Whether nothing is left of today for what changes meanwhile."""
        return self.requests >= self.left


def estimate(mapping: Mapping, records: Dict[str, int], used: Dict[str, int], now: dt.datetime) -> list[Estimate]:
    """Of each enabled data set, by its records that are as old as asked for; `used` is by app."""
    found = []
    for one in mapping.enabled:
        count, most = records[one.name], mapping.daily_requests
        left = max(0, most - used.get(one.app, 0))
        days = days_needed(count, left, most)
        done_on = now.astimezone(TOKYO).date() + dt.timedelta(days=days - 1)
        found.append(Estimate(one.name, one.app, count, -(-count // 100), left, most, days, done_on))
    return found


def is_calm(now: dt.datetime) -> bool:
    """Whether few people work in kintone until Monday: Friday night, or the weekend (text 5)."""
    here = now.astimezone(TOKYO)
    return here.weekday() in (5, 6) or (here.weekday() == 4 and here.hour >= FRIDAY_NIGHT)


def next_friday(now: dt.datetime) -> dt.date:
    """The next Friday whose night is yet to come."""
    today = now.astimezone(TOKYO).date()
    return today + dt.timedelta(days=(4 - today.weekday()) % 7)
