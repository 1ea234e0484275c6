"""The forms of kintone's apps, as they were read last: a run whose requests are used up plans by them (K8, K15)."""

from __future__ import annotations

import datetime as dt
import json

from sqlalchemy import select

from renkei.links.hotprofile_kintone.model import Job, host_of
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet
from renkei.links.hotprofile_kintone.tables import FORM
from renkei.storage.database.database import Database
from renkei.storage.database.statements import replace
from renkei.storage.records import from_plain, to_plain
from renkei.systems.kintone.form import Form


def keep(job: Job, data_set: DataSet, form: Form, now: dt.datetime) -> None:
    keep_of(job.database, host_of(job.mapping), data_set.app, form, now)


def keep_of(database: Database, host: str, app: str, form: Form, now: dt.datetime) -> None:
    content = json.dumps(to_plain(form), ensure_ascii=False)
    row = {"host": host, "app": app, "read_at": now, "content": content}
    with database.writing() as connection:
        connection.execute(replace(database, FORM), row)


def last(job: Job, data_set: DataSet) -> Form | None:
    """The app's form, if it was ever read."""
    return last_of(job.database, host_of(job.mapping), data_set.app)


def last_of(database: Database, host: str, app: str) -> Form | None:
    with database.reading() as connection:
        content = connection.scalar(select(FORM.c.content).where(FORM.c.host == host, FORM.c.app == app))
    return from_plain(Form, json.loads(content)) if content else None


def read_at(database: Database, host: str, app: str) -> dt.datetime | None:
    """When that was."""
    with database.reading() as connection:
        return connection.scalar(select(FORM.c.read_at).where(FORM.c.host == host, FORM.c.app == app))
