"""The work list of one data set: what is sent next, what becomes of what was not written, and what kintone has (K7, K22)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, and_, bindparam, case, exists, false, select, update

from renkei.links.hotprofile_kintone.model import Job, Now
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet
from renkei.links.hotprofile_kintone.stages.batch import Task
from renkei.links.hotprofile_kintone.tables import FAILED, PLANNED, SENDING, WORK, WRITTEN
from renkei.systems.kintone.errors import Refusal


class WorkList:
    """The rows of one data set, in `work` and in `written`."""

    def __init__(self, job: Job, data_set: DataSet, now: Now) -> None:
        self._job, self._now = job, now
        self.mine = and_(WORK.c.tenant == job.tenant, WORK.c.data_set == data_set.name)
        self.of_written = and_(WRITTEN.c.tenant == job.tenant, WRITTEN.c.data_set == data_set.name)

    def next(self, most: int, under_way: Sequence[str]) -> Sequence[Row[Any]]:
        """The next rows to be sent, beside those that are; first what was being sent when a process died, last 初期連携's.

        Each that was taken is written, failed, or stopped by a fault. One that replaces another, or has the 更新キー that
        another still has in kintone, comes when that has left the list: only then is it known which record of kintone's
        it is (K7, K22). Where each waits for the other, none can.
        """
        other = WORK.alias()

        def of(table: Any) -> list[Any]:
            return [table.c[name] == WORK.c[name] for name in ("tenant", "data_set")]

        replaced = (other.c.key == WORK.c.old_key, other.c.source_id != WORK.c.source_id, other.c.state != FAILED)
        owner = (WRITTEN.c.key == WORK.c.key, WRITTEN.c.source_id != WORK.c.source_id)
        is_owned = exists().where(*of(WRITTEN), *owner, *of(other), other.c.source_id == WRITTEN.c.source_id)
        is_free = and_(~exists().where(*of(other), *replaced), ~is_owned)
        return (
            self.take(most, WORK.c.state == SENDING, WORK.c.source_id.not_in(under_way), is_free)
            or self.take(most, WORK.c.state == PLANNED, is_free)
            or ([] if under_way else self.take(most, WORK.c.state != FAILED))
        )

    def take(self, most: int, *which: Any) -> Sequence[Row[Any]]:
        """The first such rows of the list, noted as being sent. With one state the order is that of an index.

        From now on kintone may have another version than it confirmed last, whatever becomes of this one.
        """
        before = WRITTEN.alias()
        its = [before.c[name] == WORK.c[name] for name in ("tenant", "data_set", "source_id")]
        doubtful = exists().where(*its, before.c.digest == b"").label("is_doubtful")
        query = select(WORK, doubtful).where(self.mine, *which).order_by(WORK.c.initial, WORK.c.source_id).limit(most)
        with self._job.database.writing() as connection:
            rows = connection.execute(query).all()
            ids = [row.source_id for row in rows if row.state != SENDING]
            if ids:
                connection.execute(update(WORK).where(self.mine, WORK.c.source_id.in_(ids)).values(state=SENDING))
                connection.execute(
                    update(WRITTEN).where(self.of_written, WRITTEN.c.source_id.in_(ids)).values(digest=b"")
                )
        return rows

    def written(self, ids: Sequence[str], keys: Sequence[bytes]) -> list[Row[Any]]:
        """What kintone confirmed last of those with these ids of Hot Profile, then of those with these 更新キー."""
        with self._job.database.reading() as connection:  # two questions: for one with OR no index is used
            known = [*connection.execute(select(WRITTEN).where(self.of_written, WRITTEN.c.source_id.in_(ids)))]
            if keys:
                known += connection.execute(select(WRITTEN).where(self.of_written, WRITTEN.c.key.in_(keys)))
        return known

    def owners(self, keys: Collection[bytes]) -> list[tuple[bytes, str]]:
        """更新キー, and the records on the list that have them in kintone until they are written themselves.

        Of one key there may be two: one that somebody deleted in kintone, and one that has taken its key since.
        """
        of = [WRITTEN.c[name] == WORK.c[name] for name in ("tenant", "data_set", "source_id")]
        query = select(WRITTEN.c.key, WRITTEN.c.source_id).where(self.mine, *of, WRITTEN.c.key.in_(keys))
        with self._job.database.reading() as connection:
            return [(key, owner) for key, owner in connection.execute(query)]

    def fail(self, refused: Sequence[tuple[Row[Any], Refusal]]) -> None:
        """Of each, why kintone cannot have it; told anew where that is another reason than before."""
        if not refused:
            return
        same = and_(WORK.c.code == bindparam("its_code"), WORK.c.field == bindparam("its_field"))
        statement = (
            update(WORK)
            .where(self.mine, WORK.c.source_id == bindparam("its"))
            .values(
                state=FAILED,
                told=case((same, WORK.c.told), else_=false()),
                failed_at=self._now(),
                code=bindparam("its_code"),
                field=bindparam("its_field"),
                cause=bindparam("its_cause"),
                remedy=bindparam("its_remedy"),
            )
        )
        rows = [
            {
                "its": row.source_id,
                "its_code": why.code,
                "its_field": why.field,
                "its_cause": why.detail,
                "its_remedy": why.remedy,
            }
            for row, why in refused
        ]
        with self._job.database.writing() as connection:
            connection.execute(statement, rows)

    def put_back(self, tasks: Sequence[Task]) -> None:
        """Not sent: the next run's, or tomorrow's. What an earlier process may have sent stays as that."""
        ids = [task.source_id for task in tasks if task.row.state == PLANNED]
        if ids:
            with self._job.database.writing() as connection:
                connection.execute(update(WORK).where(self.mine, WORK.c.source_id.in_(ids)).values(state=PLANNED))
