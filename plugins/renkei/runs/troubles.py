"""What is told once, until it is over or a day has passed: an outage is one mail, not one every few minutes (K15, K17, P15)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import Column, String, Table, delete, select

from renkei.storage.database.columns import Moment
from renkei.storage.database.database import METADATA, Database
from renkei.storage.database.statements import insert

REMIND_AFTER = dt.timedelta(hours=23, minutes=30)  # what goes on is told again the next day

TROUBLE = Table(
    "trouble",
    METADATA,
    Column("link", String(40), primary_key=True),
    Column("tenant", String(100), primary_key=True),
    Column("kind", String(60), primary_key=True),  # a name that stays the same while it lasts
    Column("since", Moment, nullable=False),
    Column("told_at", Moment, nullable=False),
)


class Troubles:
    """The troubles of one tenant that somebody has heard of."""

    def __init__(self, database: Database, link: str, tenant: str) -> None:
        self._database, self._link, self._tenant = database, link, tenant
        self._own = (TROUBLE.c.link == link, TROUBLE.c.tenant == tenant)

    def untold(self, kinds: Collection[str], now: dt.datetime) -> set[str]:
        """Those of them that nobody has heard of lately."""
        lately = TROUBLE.c.told_at > now - REMIND_AFTER
        with self._database.reading() as connection:
            told = set(connection.scalars(select(TROUBLE.c.kind).where(*self._own, lately)))
        return set(kinds) - told

    def over(self, kinds: Collection[str]) -> set[str]:
        """The troubles that somebody has heard of, and that are none any more."""
        with self._database.reading() as connection:
            known = set(connection.scalars(select(TROUBLE.c.kind).where(*self._own)))
        return known - set(kinds)

    def note_told(self, kinds: Collection[str], now: dt.datetime) -> None:
        """Somebody has heard of these, and that all others are over."""
        new = insert(self._database, TROUBLE)
        again = new.on_conflict_do_update(index_elements=["link", "tenant", "kind"], set_={"told_at": now})
        with self._database.writing() as connection:
            connection.execute(delete(TROUBLE).where(*self._own, TROUBLE.c.kind.not_in(kinds)))
            for kind in kinds:
                row = {"link": self._link, "tenant": self._tenant, "kind": kind, "since": now, "told_at": now}
                connection.execute(again, row)
