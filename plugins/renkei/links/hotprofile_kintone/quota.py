"""How many of a day's requests an app has had: reserved before they are sent, over all tenants (K15)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Executable, select

from renkei.clock import TOKYO
from renkei.links.hotprofile_kintone.tables import QUOTA
from renkei.storage.database.database import Database
from renkei.storage.database.statements import insert
from renkei.systems.kintone.errors import QuotaSpentError

WARN_AT = 0.8


@dataclass(frozen=True, slots=True)
class Quota:
    """The requests of one kintone app. `most`: of a day, by the sheet that asks; others may allow more or less."""

    database: Database
    host: str
    app: str
    most: int

    def reserve(self, count: int, now: dt.datetime, also: Executable | None = None) -> None:
        """Take `count` of today's requests; all of them or none, whoever else asks in the same moment.

        `also` is done exactly if they are taken.

        Raises:
            QuotaSpentError: there are not so many left.
        """
        new = insert(self.database, QUOTA).values(host=self.host, app=self.app, day=day(now), used=count)
        used = QUOTA.c.used + new.excluded.used
        counted = new.on_conflict_do_update(
            index_elements=["host", "app", "day"], set_={"used": used}, where=used <= self.most
        )
        with self.database.writing() as connection:
            taken = count <= self.most and connection.execute(counted).rowcount
            if taken and also is not None:
                connection.execute(also)
        if not taken:
            raise QuotaSpentError(
                f"kintoneアプリ {self.app} の本日のAPIリクエスト数が上限（{self.most:,}）に達しました。"
                "残りは保留し、翌日0:00以降に自動で再開します。"
            )

    def used(self, now: dt.datetime) -> int:
        today = (QUOTA.c.host == self.host, QUOTA.c.app == self.app, QUOTA.c.day == day(now))
        with self.database.reading() as connection:
            return connection.scalar(select(QUOTA.c.used).where(*today)) or 0

    def left(self, now: dt.datetime) -> int:
        return max(0, self.most - self.used(now))


def day(now: dt.datetime) -> dt.date:
    return now.astimezone(TOKYO).date()
