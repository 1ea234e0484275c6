"""Reads what changed in Hot Profile since the last run, into `incoming` (K3–K6).

A read that is not proven whole to its end raises, and what it left is dropped by the next one: `plan` alone makes work
of it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from renkei.errors import FetchError
from renkei.links.hotprofile_kintone import data_sets, forms, history
from renkei.links.hotprofile_kintone.digest_key import digest_key
from renkei.links.hotprofile_kintone.history import State
from renkei.links.hotprofile_kintone.model import Job
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet
from renkei.links.hotprofile_kintone.tables import INCOMING
from renkei.links.hotprofile_kintone.versions import Version, Versions
from renkei.storage.database.statements import replace

ROWS = 1_000  # that are kept at once


class Source(Protocol):
    """Hot Profile, as far as a run reads it (`systems/hotprofile/client.py`)."""

    def changed(self, data_set: str, since: dt.datetime, until: dt.datetime) -> Iterable[list[dict[str, Any]]]: ...

    def by_id(self, data_set: str, ids: list[str]) -> list[dict[str, Any]]: ...

    def now(self) -> dt.datetime: ...


def read(job: Job, source: Source) -> dict[str, int]:
    """How many records each data set's window had.

    Raises:
        FetchError: Hot Profile could not be read whole, or 連携ユーザー is gone (K4); nothing has moved.
    """
    lines = history.lines(job) if job.mode.reads else {}
    wanted = [one for one in job.data_sets if one.name in lines and lines[one.name].state is not State.STOPPED]
    try:
        return {data_set.name: _read(job, data_set, source) for data_set in wanted}
    except FetchError as error:
        for data_set in wanted:
            history.note(job, data_set, said=str(error))
        raise


def _read(job: Job, data_set: DataSet, source: Source) -> int:
    now = source.now()
    if job.mode.writes:
        data_sets.enable(job, data_set, now)
    window = data_sets.window(job.mode, data_sets.progress_of(job, data_set), now, job.start.since)
    with job.database.writing() as connection:
        data_sets.drop_incoming(connection, job, data_set)
        history.note(job, data_set, connection, since=None, until=None)
    count = 0
    if not window.is_empty:  # else it is just enabled
        versions = versions_of(job, data_set)
        count = sum(
            _keep(job, data_set, versions.of_all(entries))
            for entries in source.changed(data_set.name, window.since, window.until)
        )
    history.note(job, data_set, since=window.since, until=window.until)  # proven: `plan` moves the watermark there
    return count


def versions_of(job: Job, data_set: DataSet) -> Versions:
    """Raises no error for an app whose form was never read: then nothing of it is written either."""
    form = forms.last(job, data_set)
    field = form.fields.get(data_set.key_field) if form else None
    numeric = field is not None and field.type == "NUMBER"
    secret = digest_key(job.database, job.record.store, job.tenant)
    return Versions(job.record.store, job.mapping, data_set, secret, numeric_key=numeric)


def _keep(job: Job, data_set: DataSet, versions: Iterable[Version]) -> int:
    rows: list[Mapping[str, Any]] = [
        {"tenant": job.tenant, "data_set": data_set.name, **version._asdict()} for version in versions
    ]
    new = replace(job.database, INCOMING)
    for start in range(0, len(rows), ROWS):
        with job.database.writing() as connection:
            connection.execute(new, rows[start : start + ROWS])
    return len(rows)
