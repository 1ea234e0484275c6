"""Writes of records that kintone has, which no change of people's slips by (K23).

A record is sent with the revision that it had when we wrote it. Where kintone says that one of a batch has another, all
of them are read, people's changes are found, and what the sheet keeps is left out: two requests more for that batch.
While more than every second batch turns out so, a batch is read before it is sent: one more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from renkei.links.hotprofile_kintone.conflicts import KEPT, OVERWRITTEN, Watch
from renkei.links.hotprofile_kintone.model import Now
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet
from renkei.links.hotprofile_kintone.stages.batch import Target, Task
from renkei.systems.kintone.client import Record, Written
from renkei.systems.kintone.errors import KintoneAwayError, RecordChangedError

TRIES = 3  # each time somebody was faster


@dataclass(frozen=True, slots=True)
class _Seen:
    """A record as it was read before ours is written over it."""

    revision: str
    record: Record  # what is to be sent: without what is kept
    changed: Mapping[str, str]  # by people: fields and marks


class CheckedWrites:
    """The writes of one data set in one run; its batches may be written at once."""

    def __init__(self, watch: Watch, target: Target, data_set: DataSet, now: Now) -> None:
        self._watch, self._target, self._data_set, self._now = watch, target, data_set, now
        self._seen: dict[str, _Seen] = {}
        self._batches = self._moved = 0  # how many, and of how many somebody had changed a record

    def write(self, tasks: Sequence[Task]) -> Sequence[Written]:
        """Raises: as `KintoneClient.update`; of a record that is changed all the time KintoneAwayError."""
        app, key = self._data_set.app, self._data_set.key_field
        may_have_arrived = False
        looks_first = self._moved * 2 > self._batches
        self._batches += 1
        for attempt in range(TRIES):
            to_read = tasks if looks_first or attempt else [task for task in tasks if not task.place.revision]
            if to_read and self._look(to_read) and not attempt:
                self._moved += 1
            self._watch.note_sent([(task.written_id, task.place.ours, self._record(task)) for task in tasks])
            rows = [(task.record_id, {**self._record(task), key: {"value": task.key}}) for task in tasks]
            try:
                return self._target.update(app, rows, [self._revision(task) for task in tasks])
            except RecordChangedError as error:
                may_have_arrived |= error.unknown
                self._moved += not attempt and not looks_first
            except KintoneAwayError as error:
                error.unknown |= may_have_arrived
                raise
        raise KintoneAwayError("kintoneのレコードが書き込み中に変更され続けています。", unknown=may_have_arrived)

    def ours(self, task: Task) -> bytes:
        """What is to be known of the record from now on, as `written` keeps it."""
        sent = self._record(task)
        marks = {code: [mark] for code, mark in self._watch.marks(sent).items()}
        kept = {code: marks_of for code, marks_of in task.place.ours.items() if code not in sent}
        return self._watch.seal(task.source_id, kept | marks)

    def note(self, connection: Connection, task: Task, record_id: str) -> None:
        """List what people had changed in it."""
        seen = self._seen.pop(task.source_id, None)
        for code, mark in seen.changed.items() if seen else ():
            state = KEPT if self._watch.keeps(code) else OVERWRITTEN
            self._watch.note(connection, task.source_id, record_id, {code: mark}, state, self._now)

    def _look(self, tasks: Sequence[Task]) -> bool:
        """Read the records; whether somebody has changed one. One that is deleted `update` tells of."""
        found = self._target.find(self._data_set.app, "$id", [task.record_id for task in tasks], self._watch.codes)
        current = {str(record["$id"]["value"]): record for record in found}
        moved = False
        for task in tasks:
            record = current.get(task.record_id)
            if record is None:
                continue
            revision = str(record["$revision"]["value"])
            is_moved = revision != task.place.revision
            moved |= is_moved and bool(task.place.revision)
            changed = self._watch.changed(task.place.ours, record, task.record) if is_moved else {}
            rest = {
                code: cell for code, cell in task.record.items() if code not in changed or not self._watch.keeps(code)
            }
            self._seen[task.source_id] = _Seen(revision, rest, changed)
        return moved

    def _record(self, task: Task) -> Record:
        seen = self._seen.get(task.source_id)
        return seen.record if seen else task.record

    def _revision(self, task: Task) -> str:
        seen = self._seen.get(task.source_id)
        return seen.revision if seen else task.place.revision
