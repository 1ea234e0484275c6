"""Writes the work list of one data set to kintone, batch by batch, until it is done or held (K15–K19, K22).

A batch is noted as being sent before it is sent, and leaves the list in the transaction that keeps what kintone
confirmed. One that was being sent when a process died is sent again: by the 更新キー, or by kintone's own id, the same
record comes of it.
"""

from __future__ import annotations

import dataclasses
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from sqlalchemy import Row, delete

from renkei.errors import RenkeiError, SettingError
from renkei.links.hotprofile_kintone import forms, history
from renkei.links.hotprofile_kintone.conflicts import WatchedFields
from renkei.links.hotprofile_kintone.conversion import convert_all, has_tables, with_row_ids
from renkei.links.hotprofile_kintone.form_check import form_problems
from renkei.links.hotprofile_kintone.history import State
from renkei.links.hotprofile_kintone.isolate import write_all_but_the_bad
from renkei.links.hotprofile_kintone.lookups import missing_in_lookups
from renkei.links.hotprofile_kintone.model import Job, Now, host_of
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet
from renkei.links.hotprofile_kintone.stages.batch import NO_PLACE, Apps, Place, Task
from renkei.links.hotprofile_kintone.stages.checked_writes import CheckedWrites
from renkei.links.hotprofile_kintone.stages.finish import end_line
from renkei.links.hotprofile_kintone.stages.plan import SAME_KEY, TAKEN_KEY
from renkei.links.hotprofile_kintone.stages.read import Source, versions_of
from renkei.links.hotprofile_kintone.stages.work_list import WorkList
from renkei.links.hotprofile_kintone.tables import FAILED, WORK, WRITTEN
from renkei.storage.database.statements import replace
from renkei.systems.kintone.errors import GONE as RECORD_GONE
from renkei.systems.kintone.errors import KintoneAwayError, QuotaSpentError, Refusal
from renkei.systems.kintone.form import same_number
from renkei.systems.kintone.payloads import Written

log = logging.getLogger(__name__)

BATCH = 100  # records of a request; kintone takes no more
GONE = "SOURCE_GONE"
FORM_CHANGED = "連携の途中で、kintoneのアプリのフォームが変わりました。次の連携で確認し、その間に書き込んだレコードも書き直します。"


def write(job: Job, data_set: DataSet, apps: Apps, source: Source, now: Now) -> dict[str, int]:
    """What was added, updated, failed, and is held; the line in the history says why it stopped, if it did."""
    line = history.lines(job).get(data_set.name)
    if line is None or line.state is State.STOPPED or not job.mode.writes:
        return {}
    writer = Writer(job, data_set, apps, source, now)
    if problems := form_problems(
        data_set, writer.form
    ):  # of a run that is cleared: the app has changed since its `check`
        state, said = State.STOPPED, "\n".join(map(str, problems))
    else:
        state, said = writer.work_off()
    end_line(job, data_set, state, said, now)
    done = history.lines(job)[data_set.name]
    return {"added": done.added, "updated": done.updated, "failed": done.failed, "held": done.held}


class Writer:
    """Sends rows of the work list of one data set, and keeps what becomes of each."""

    def __init__(self, job: Job, data_set: DataSet, apps: Apps, source: Source, now: Now) -> None:
        """The app's form has been read, by `check`."""
        self._form_read_at = forms.read_at(job.database, job.tenant, host_of(job.mapping), data_set.app) or now()
        form = forms.last(job, data_set)
        assert form is not None
        self._job, self._data_set, self._apps, self._source, self._now = job, data_set, apps, source, now
        self._target = apps(data_set.app)
        self._target.know(form)
        self._versions = versions_of(job, data_set)
        self.form, self._users = form, dict(job.mapping.users)
        self._watch = WatchedFields(job, data_set, form)
        self._checked = CheckedWrites(self._watch, self._target, data_set, now)
        self._list = WorkList(job, data_set, now)

    def work_off(self) -> tuple[State, str]:
        """Sends until nothing is planned, or something that is no record's fault stops it.

        What comes next is prepared while what came before is under way.
        """
        most = BATCH * self._job.mapping.at_once
        with ThreadPoolExecutor(self._job.mapping.at_once) as pool:
            rows, sent = self._list.next(most, []), list[Future[RenkeiError | None]]()
            while rows or sent:
                tasks = self._tasks(rows)
                if faults := [fault for one in sent if (fault := one.result())]:
                    self._list.put_back(tasks)
                    return _why(faults)
                batches = [tasks[start : start + BATCH] for start in range(0, len(tasks), BATCH)]
                sent = [pool.submit(self._send, batch) for batch in batches]
                rows = self._list.next(most, [task.source_id for task in tasks])
        return State.DONE, ""

    def send_one(self, source_id: str) -> RenkeiError | None:
        """Sends this one alone; what kept it from being sent, if that is no fault of its own."""
        return self._send(self._tasks(self._list.take(1, WORK.c.source_id == source_id, WORK.c.state != FAILED)))

    def _tasks(self, rows: Sequence[Row[Any]]) -> list[Task]:
        """Those of the rows that can be sent; the others have failed."""
        read = {row.source_id: self._versions.read(row.source_id, row.body) for row in rows}
        names = set(self._versions.names)
        # Of an older mapping, or failed before: since then Hot Profile may have deleted or merged it.
        old = [row.source_id for row in rows if row.code or not names <= read[row.source_id].keys()]
        entries = {str(one["id"]): one for one in self._source.by_id(self._data_set.name, old)} if old else {}
        ready: list[tuple[Row[Any], dict[str, Any], bytes]] = []
        refused: list[tuple[Row[Any], Refusal]] = []
        for row in rows:
            if row.source_id not in old:
                ready.append((row, read[row.source_id], row.digest))
            elif entry := entries.get(row.source_id):
                fresh = self._versions.of(entry)
                ready.append((row, self._versions.read(row.source_id, fresh.body), fresh.digest))
            else:
                refused.append((row, _gone()))
        tasks = []
        key_digests = self._versions.keys([values[self._data_set.key] for _, values, _ in ready])
        keys = {row.source_id: key for (row, _, _), key in zip(ready, key_digests, strict=True)}
        places = self._places(rows, keys)
        converted = convert_all([values for _, values, _ in ready], self._data_set, self.form, self._users)
        for (row, _, digest), one in zip(ready, converted, strict=True):
            key_digest = keys[row.source_id]
            if one.refusals or key_digest is None:
                refused.append((row, one.refusals[0]))
            else:
                place = places.get(row.source_id, NO_PLACE)
                tasks.append(Task(row, one.key, one.record, digest, key_digest, place))
        owners = self._owners(tasks)
        refused += [(task.row, _taken_key(owners[task.source_id])) for task in tasks if task.source_id in owners]
        tasks = [task for task in tasks if task.source_id not in owners]
        count = Counter(task.key for task in tasks)  # 変換 may make one of two; kintone refuses both without a word
        refused += [(task.row, _same_key()) for task in tasks if count[task.key] > 1]
        self._list.fail(refused)
        return [task for task in tasks if count[task.key] == 1]

    def _places(self, rows: Sequence[Row[Any]], keys: Mapping[str, bytes | None]) -> dict[str, Place]:
        """Of the records that kintone has and that their 更新キー does not find, or shall not, by Hot Profile's ids.

        `keys`: the 更新キー as this sheet has it. One that may have been sent before may have another in kintone by now.
        """
        known = self._list.written([row.source_id for row in rows], [row.old_key for row in rows if row.old_key])
        by_id, by_key = {one.source_id: one for one in known}, {one.key: one for one in known}
        places = {}
        for row in rows:
            mine, replaced = by_id.get(row.source_id), by_key.get(row.old_key)
            if mine is not None:
                if row.is_doubtful or self._watch or mine.key != keys.get(row.source_id):
                    places[row.source_id] = self._place(mine, "", is_sure=not row.is_doubtful)
            elif replaced is not None:
                places[row.source_id] = self._place(replaced, replaced.source_id, is_sure=replaced.digest != b"")
        return places

    def _place(self, written: Row[Any], instead_of: str, *, is_sure: bool) -> Place:
        if not self._watch:
            return Place(written.record_id, instead_of)
        ours = self._watch.read(written.source_id, written.ours)
        return Place(written.record_id, instead_of, written.revision if is_sure else "", ours)

    def _owners(self, tasks: Sequence[Task]) -> dict[str, str]:
        """Ids of the records that still hold a 更新キー which another record now needs, by who needs it."""
        known = {task.key_digest: task.source_id for task in tasks if not task.record_id}
        found = self._list.owners(known)
        owners = {known[key]: owner for key, owner in found if owner != known[key]}
        if not owners:
            return {}
        left = {str(one["id"]) for one in self._source.by_id(self._data_set.name, sorted(set(owners.values())))}
        return {source_id: owner for source_id, owner in owners.items() if owner in left}

    def _send(self, tasks: Sequence[Task]) -> RenkeiError | None:
        """Send a batch, and keep what became of each; what stopped it, if something did."""
        done: list[tuple[Task, Written]] = []
        refused: list[tuple[Row[Any], Refusal]] = []
        fault: RenkeiError | None = None
        try:
            if has_tables(self._data_set):
                tasks = self._with_row_ids(tasks)
            new_keys = [task for task in tasks if task.record_id]
            known_keys = [task for task in tasks if not task.record_id]
            for task, result in self._results(new_keys, known_keys):
                if isinstance(result, Refusal):
                    refused.append((task.row, result))
                else:
                    done.append((task, result))
        except (QuotaSpentError, KintoneAwayError, SettingError) as error:
            fault = error
        try:
            self._confirm(done)
        except SettingError as error:
            fault = fault or error
        self._list.fail(refused)
        if fault is not None and not (isinstance(fault, KintoneAwayError) and fault.unknown):
            settled = {task.source_id for task, _ in done} | {row.source_id for row, _ in refused}
            self._list.put_back([task for task in tasks if task.source_id not in settled])
        return fault

    def _with_row_ids(self, tasks: Sequence[Task]) -> list[Task]:
        """The rows of a table stay the rows that they are in kintone (K9)."""
        app, key = self._data_set.app, self._data_set.key_field
        tables = sorted({item.table for item in self._data_set.items if item.table})
        found = self._target.find(app, key, [task.key for task in tasks], [key, *tables])
        current = {same_number(str(record[key]["value"])): record for record in found}
        return [
            dataclasses.replace(task, record=with_row_ids(task.record, current.get(same_number(task.key), {})))
            for task in tasks
        ]

    def _results(
        self, new_keys: Sequence[Task], known_keys: Sequence[Task]
    ) -> Iterator[tuple[Task, Written | Refusal]]:
        app, key = self._data_set.app, self._data_set.key_field

        def change(tasks: Sequence[Task]) -> Sequence[Written]:
            if self._watch:
                return self._checked.write(tasks)
            return self._target.update(app, [(task.record_id, task.whole(key)) for task in tasks])

        def upsert(tasks: Sequence[Task]) -> Sequence[Written]:
            return self._target.upsert(app, key, [(task.key, task.record) for task in tasks])

        def suspects(tasks: Sequence[Task]) -> dict[int, Refusal]:
            return missing_in_lookups([task.record for task in tasks], self.form, self._apps)

        gone = []
        for task, result in write_all_but_the_bad(new_keys, change, suspects):
            if isinstance(result, Refusal) and result.code in RECORD_GONE:
                gone.append(task)  # somebody deleted it in kintone: it is found by its key, or added
            else:
                yield task, result
        yield from write_all_but_the_bad([*known_keys, *gone], upsert, suspects)

    def _confirm(self, done: Sequence[tuple[Task, Written]]) -> None:
        """What kintone has is written; it leaves the list in the same transaction.

        Raises:
            SettingError: somebody has read another form of the app since. What was written by this one is doubted.
        """
        if not done:
            return
        names = {"tenant": self._job.tenant, "data_set": self._data_set.name}
        rows = [
            {
                **names,
                "source_id": task.source_id,
                "updated_at": task.row.updated_at,
                "digest": task.digest,
                "key": task.key_digest,
                "record_id": written.id,
                "revision": self._checked.revision(task, written),
                "written_at": self._now(),
                "ours": self._checked.ours(task) if self._watch else None,
            }
            for task, written in done
        ]
        ids = [task.source_id for task, _ in done]
        replaced = [task.place.instead_of for task, _ in done if task.place.instead_of]
        records = [written.id for _, written in done]
        added = sum(written.added for _, written in done)
        # A record of kintone's is one record's of Hot Profile: whoever had it before has it no more.
        before = (WRITTEN.c.source_id.in_(replaced), WRITTEN.c.record_id.in_(records))
        with self._job.database.writing() as connection:
            for others in before:
                connection.execute(
                    delete(WRITTEN).where(self._list.of_written, others, WRITTEN.c.source_id.not_in(ids))
                )
            connection.execute(replace(self._job.database, WRITTEN), rows)
            connection.execute(delete(WORK).where(self._list.mine, WORK.c.source_id.in_(ids)))
            connection.execute(history.added(self._job, self._data_set, added=added, updated=len(done) - added))
            if self._watch:
                self._checked.settle(connection, [task for task, _ in done])
            is_current = forms.is_current(connection, self._job, self._data_set, self.form)
            if not is_current:
                forms.doubt(connection, self._job, self._data_set, self._form_read_at)
        if not is_current:
            raise SettingError(FORM_CHANGED)


def _why(faults: Sequence[RenkeiError]) -> tuple[State, str]:
    """The worst of what stopped the batches: a setting waits for a person, the rest passes."""
    kinds: tuple[tuple[type[RenkeiError], State], ...] = (
        (SettingError, State.STOPPED),
        (KintoneAwayError, State.AWAY),
        (QuotaSpentError, State.HELD),
    )
    return next((state, str(fault)) for kind, state in kinds for fault in faults if isinstance(fault, kind))


def _gone() -> Refusal:
    detail = "Hot Profileから読み直しましたが、レコードがありません"
    return Refusal(None, "", GONE, detail, "Hot Profileで削除した場合は、そのままで問題ありません")


def _taken_key(owner: str) -> Refusal:
    detail = f"更新キーを、kintoneではまだ他のレコードが使っています（ID {owner}）"
    return Refusal(None, "", TAKEN_KEY, detail, "そのレコードの失敗を先に解消してください。その後、自動で連携します")


def _same_key() -> Refusal:
    detail = "更新キーが他のレコードと同じです"
    return Refusal(None, "", SAME_KEY, detail, "Hot Profileで、どちらかの更新キーを別の値にしてください")
