"""Failed records are told once, until they fail of something else (K18); other troubles are in `runs/troubles.py`."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select, update

from renkei.links.hotprofile_kintone.tables import FAILED, WORK
from renkei.storage.database.database import Database


def note_records_told(database: Database, tenant: str, now: dt.datetime) -> None:
    """Somebody has heard of every record that has failed."""
    failed = (WORK.c.tenant == tenant, WORK.c.state == FAILED, WORK.c.failed_at <= now)
    with database.writing() as connection:
        connection.execute(update(WORK).where(*failed).values(told=True))


def count_untold_records(database: Database, tenant: str) -> int:
    """How many failed records nobody was told about yet."""
    failed = (WORK.c.tenant == tenant, WORK.c.state == FAILED, WORK.c.told.is_(False))
    with database.reading() as connection:
        return connection.scalar(select(func.count()).where(*failed)) or 0
