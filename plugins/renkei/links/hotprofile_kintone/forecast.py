"""How far the day's requests of a kintone app go, and when what waits will be written (K15). No clock, no files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping as Dict
from dataclasses import dataclass

from renkei.clock import TOKYO
from renkei.links.hotprofile_kintone.history import Standing, days_needed
from renkei.links.hotprofile_kintone.quota import WARN_AT
from renkei.links.hotprofile_kintone.sheet.mapping import Mapping


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


def gauges(mapping: Mapping, used: Dict[str, int], standings: Dict[str, Standing], now: dt.datetime) -> list[Gauge]:
    """A gauge of each app, in the order of the data sets; `used` is by app."""
    found = []
    for app in dict.fromkeys(one.app for one in mapping.data_sets):
        mine = [one for one in mapping.data_sets if one.app == app]
        standing = [standings[one.name] for one in mine if one.name in standings]
        waiting, initial = sum(one.waiting for one in standing), sum(one.initial for one in standing)
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
