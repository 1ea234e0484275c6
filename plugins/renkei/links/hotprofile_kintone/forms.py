"""The forms of kintone's apps, as they were read last: a run whose requests are used up plans by them (K8, K15).

kintone takes a record with a code that no field has any more, and says nothing (reference, レコードを更新する). So what
was written between two readings of a form is known to be whole only if the form was the same both times.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from renkei.links.hotprofile_kintone.model import Job, host_of
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet
from renkei.links.hotprofile_kintone.tables import DATA_SET, FORM, WRITTEN
from renkei.storage.database.database import Database
from renkei.storage.database.statements import replace
from renkei.storage.records import from_plain, to_plain
from renkei.systems.hotprofile.payloads import updated_at
from renkei.systems.kintone.form import Form


def keep(job: Job, data_set: DataSet, form: Form, now: dt.datetime) -> None:
    keep_of(job.database, job.tenant, host_of(job.mapping), data_set.app, form, now)


def keep_of(database: Database, tenant: str, host: str, app: str, form: Form, now: dt.datetime) -> None:
    """The form as the tenant has read it: what another one may not see, its sheet cannot ask for."""
    row = {"tenant": tenant, "host": host, "app": app, "read_at": now, "content": _text(form)}
    with database.writing() as connection:
        before = connection.execute(select(FORM).where(*_its(tenant, host, app))).first()
        if before and from_plain(Form, json.loads(before.content)).revision != form.revision:
            target = (DATA_SET.c.tenant == tenant, DATA_SET.c.target == f"{host}/{app}")
            for its in connection.execute(select(DATA_SET).where(*target)).all():
                _doubt(connection, its, before.read_at)
        connection.execute(replace(database, FORM), row)


def is_current(connection: Connection, job: Job, data_set: DataSet, form: Form) -> bool:
    """Whether nobody has read another form of the app since."""
    its = _its(job.tenant, host_of(job.mapping), data_set.app)
    content = connection.scalar(select(FORM.c.content).where(*its, FORM.c.content != _text(form)))
    return content is None or from_plain(Form, json.loads(content)).revision == form.revision


def doubt(connection: Connection, job: Job, data_set: DataSet, since: dt.datetime) -> None:
    """What was written since then by a form that the app has no more counts as changed, and is read again."""
    its = (DATA_SET.c.tenant == job.tenant, DATA_SET.c.data_set == data_set.name)
    for one in connection.execute(select(DATA_SET).where(*its)).all():
        _doubt(connection, one, since)


def _doubt(connection: Connection, its: Row[Any], since: dt.datetime) -> None:
    """What 初期連携 brought from before 有効化日時 is not read again: it counts as changed for the next 初期連携."""
    mine = (DATA_SET.c.tenant == its.tenant, DATA_SET.c.data_set == its.data_set)
    of = (WRITTEN.c.tenant == its.tenant, WRITTEN.c.data_set == its.data_set, WRITTEN.c.written_at >= since)
    oldest = connection.scalar(select(func.min(WRITTEN.c.updated_at)).where(*of))
    if oldest is not None:
        moment = max(updated_at({"updated_at": oldest}), its.enabled_at or since)
        # Of a field that it had no more kintone took nothing: its value is not ours either (K23).
        connection.execute(update(WRITTEN).where(*of).values(digest=b"", ours=None))
        connection.execute(update(DATA_SET).where(*mine, DATA_SET.c.watermark > moment).values(watermark=moment))


def last(job: Job, data_set: DataSet) -> Form | None:
    """The app's form, if it was ever read."""
    return last_of(job.database, job.tenant, host_of(job.mapping), data_set.app)


def last_of(database: Database, tenant: str, host: str, app: str) -> Form | None:
    with database.reading() as connection:
        content = connection.scalar(select(FORM.c.content).where(*_its(tenant, host, app)))
    return from_plain(Form, json.loads(content)) if content else None


def read_at(database: Database, tenant: str, host: str, app: str) -> dt.datetime | None:
    """When that was."""
    with database.reading() as connection:
        return connection.scalar(select(FORM.c.read_at).where(*_its(tenant, host, app)))


def _text(form: Form) -> str:
    return json.dumps(to_plain(form), ensure_ascii=False)


def _its(tenant: str, host: str, app: str) -> tuple[Any, ...]:
    return FORM.c.tenant == tenant, FORM.c.host == host, FORM.c.app == app
