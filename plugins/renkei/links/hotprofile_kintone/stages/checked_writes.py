"""Writes of records that kintone has, which no change of people's slips by (K23).

A record is sent with the revision that it had when we wrote it. Where kintone says that one of a batch has another, all
of them are read, people's changes are found, and what the sheet keeps is left out: two requests more for that batch.
While more than every second batch turns out so, a batch is read before it is sent: one more. So is, each time, a record
in which a value of people's was left: no revision is kept of it.

What is found is listed before it is written over; what became of it, when kintone has confirmed the write.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from renkei.errors import SettingError
from renkei.links.hotprofile_kintone.conflicts import WatchedFields
from renkei.links.hotprofile_kintone.model import Now
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet
from renkei.links.hotprofile_kintone.stages.batch import Target, Task
from renkei.systems.kintone.errors import KintoneAwayError, QuotaSpentError, RecordChangedError
from renkei.systems.kintone.payloads import Record, Written

TRIES = 3  # each time somebody was faster


@dataclass(frozen=True, slots=True)
class _ReadRecord:
    """A record as it was read before ours is written over it."""

    revision: str
    record: Record  # what is to be sent: without what is kept
    is_kept: bool  # whether a value of people's stays in it


class CheckedWrites:
    """The writes of one data set in one run; its batches may be written at once."""

    def __init__(self, watch: WatchedFields, target: Target, data_set: DataSet, now: Now) -> None:
        self._watch, self._target, self._data_set, self._now = watch, target, data_set, now
        self._seen: dict[str, _ReadRecord] = {}
        self._batches = self._moved = 0  # how many, and of how many somebody had changed a record

    def write(self, tasks: Sequence[Task]) -> Sequence[Written]:
        """Raises: as `KintoneClient.update`; of a record that is changed all the time KintoneAwayError."""
        app, key = self._data_set.app, self._data_set.key_field
        may_have_arrived = False
        looks_first = self._moved * 2 > self._batches
        self._batches += 1
        for attempt in range(TRIES):
            first_look = [task for task in tasks if task.source_id not in self._seen]
            unsure = first_look if looks_first else [task for task in first_look if not task.place.revision]
            to_read = tasks if attempt else unsure
            try:
                if to_read and self._look(to_read) and not attempt:
                    self._moved += 1
                self._watch.note_sent([(task.written_id, task.place.ours, self._record(task)) for task in tasks])
                rows = [(task.record_id, {**self._record(task), key: {"value": task.key}}) for task in tasks]
                return self._target.update(app, rows, [self._revision(task) for task in tasks])
            except RecordChangedError as error:
                may_have_arrived |= error.unknown
                self._moved += not attempt and not looks_first
            except KintoneAwayError as error:
                error.unknown |= may_have_arrived
                raise
            except (QuotaSpentError, SettingError) as error:
                if may_have_arrived:
                    raise KintoneAwayError(str(error), unknown=True) from error
                raise
        raise KintoneAwayError("kintoneのレコードが書き込み中に変更され続けています。", unknown=may_have_arrived)

    def ours(self, task: Task) -> bytes:
        """What is to be known of the record from now on, as `written` keeps it.

        Of a field that was left to people ours is Hot Profile's value too: who writes that there gives the field back.
        """
        marks = {code: [mark] for code, mark in self._watch.marks(task.record).items()}
        return self._watch.seal(task.source_id, {**task.place.ours, **marks})

    def revision(self, task: Task, written: Written) -> str:
        """What is kept of the record's revision; empty: it is read before it is written again."""
        seen = self._seen.get(task.source_id)
        return "" if seen and seen.is_kept else written.revision

    def settle(self, connection: Connection, tasks: Sequence[Task]) -> None:
        """kintone has confirmed the tasks: list what became of what people had changed in them."""
        self._watch.settle(connection, {task.source_id: self._record(task) for task in tasks})
        for task in tasks:
            self._seen.pop(task.source_id, None)

    def _look(self, tasks: Sequence[Task]) -> bool:
        """Read the records; whether somebody has changed one. One that is deleted `update` tells of."""
        found = self._target.find(self._data_set.app, "$id", [task.record_id for task in tasks], self._watch.codes)
        current = {str(record["$id"]["value"]): record for record in found}
        moved, taken = False, []
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
            self._seen[task.source_id] = _ReadRecord(revision, rest, not changed.keys() <= rest.keys())
            if changed:
                taken.append((task.source_id, task.record_id, changed))
        self._watch.note(taken, self._now)
        return moved

    def _record(self, task: Task) -> Record:
        seen = self._seen.get(task.source_id)
        return seen.record if seen else task.record

    def _revision(self, task: Task) -> str:
        seen = self._seen.get(task.source_id)
        return seen.revision if seen else task.place.revision
