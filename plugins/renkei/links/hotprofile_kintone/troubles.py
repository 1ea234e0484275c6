"""What is told once, until it is over or a day has passed: an outage of kintone's is one mail, not one every five minutes (K15, K17)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import delete, func, select, update

from renkei.links.hotprofile_kintone.tables import FAILED, TROUBLE, WORK
from renkei.storage.database.database import Database
from renkei.storage.database.statements import insert

REMIND_AFTER = dt.timedelta(hours=23, minutes=30)  # what goes on is told again the next day


def untold(database: Database, tenant: str, kinds: Collection[str], now: dt.datetime) -> set[str]:
    """Those of the troubles that nobody has heard of lately."""
    lately = (TROUBLE.c.tenant == tenant, TROUBLE.c.told_at > now - REMIND_AFTER)
    with database.reading() as connection:
        told = set(connection.scalars(select(TROUBLE.c.kind).where(*lately)))
    return set(kinds) - told


def over(database: Database, tenant: str, kinds: Collection[str]) -> set[str]:
    """The troubles that somebody has heard of, and that are none any more."""
    with database.reading() as connection:
        known = set(connection.scalars(select(TROUBLE.c.kind).where(TROUBLE.c.tenant == tenant)))
    return known - set(kinds)


def note_told(database: Database, tenant: str, kinds: Collection[str], now: dt.datetime) -> None:
    """Somebody has heard of these, and that all others are over; and of every record that has failed."""
    new = insert(database, TROUBLE)
    again = new.on_conflict_do_update(index_elements=["tenant", "kind"], set_={"told_at": now})
    with database.writing() as connection:
        connection.execute(delete(TROUBLE).where(TROUBLE.c.tenant == tenant, TROUBLE.c.kind.not_in(kinds)))
        for kind in kinds:
            connection.execute(again, {"tenant": tenant, "kind": kind, "since": now, "told_at": now})
        failed = (WORK.c.tenant == tenant, WORK.c.state == FAILED, WORK.c.failed_at <= now)
        connection.execute(update(WORK).where(*failed).values(told=True))


def count_untold_records(database: Database, tenant: str) -> int:
    """How many records have failed of which nobody has heard."""
    failed = (WORK.c.tenant == tenant, WORK.c.state == FAILED, WORK.c.told.is_(False))
    with database.reading() as connection:
        return connection.scalar(select(func.count()).where(*failed)) or 0
