"""連携テスト: writes one record as a run would, and shows what kintone then has (K12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, delete, select

from renkei.errors import LoadError, SettingError
from renkei.links.hotprofile_kintone import data_sets, history
from renkei.links.hotprofile_kintone.history import State
from renkei.links.hotprofile_kintone.model import Job, Now
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet
from renkei.links.hotprofile_kintone.stages.batch import Apps, Target
from renkei.links.hotprofile_kintone.stages.check import tested_digest
from renkei.links.hotprofile_kintone.stages.plan import MAX_ASKED, named
from renkei.links.hotprofile_kintone.stages.read import Source, versions_of
from renkei.links.hotprofile_kintone.stages.write import Writer
from renkei.links.hotprofile_kintone.tables import FAILED, PLANNED, SENDING, WORK, WRITTEN
from renkei.links.hotprofile_kintone.versions import Version, Versions
from renkei.storage.database.statements import replace

PASSED = "正常に処理が行われました。"


@dataclass(frozen=True, slots=True)
class TestedItem:
    """One line of what the test shows."""

    item: str
    value: Any  # as Hot Profile has it
    field: str
    kintone: Any  # what kintone holds now


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of a test; it names people, and stays in the store (L6)."""

    FILE: ClassVar[str] = "tested"
    data_set: str
    source_id: str
    record_id: str  # kintone's
    items: list[TestedItem]


def try_one(job: Job, data_set: DataSet, apps: Apps, source: Source, now: Now) -> Tested:
    """Write the record that the run was asked for; the mapping has passed then, as it stands.

    Raises:
        SettingError: Hot Profile has no such record, or something is wrong with the mapping or the app.
        LoadError: kintone does not take this record; the message says which field, and what to do.
    """
    line, source_id = history.lines(job)[data_set.name], job.start.source_id
    if line.state is not State.RUNNING:
        raise SettingError(line.said)
    entry = next((one for one in source.by_id(data_set.name, [source_id]) if str(one["id"]) == source_id), None)
    if entry is None:
        raise SettingError(f"Hot Profileに、IDが「{source_id}」の{data_set.label}がありません。IDを確認してください。")
    versions = versions_of(job, data_set)
    version = versions.of(entry)
    data_sets.aim(job, data_set)
    if others := _with_its_key(job, data_set, version, versions, source):
        raise LoadError(
            f"連携テストに失敗しました。更新キーが他のレコードと同じです（ID {named(others)}）。"
            f"Hot Profileで、どの{data_set.label}の更新キーも別の値にしてください。"
        )
    its = (WORK.c.tenant == job.tenant, WORK.c.data_set == data_set.name, WORK.c.source_id == source_id)
    _put_on_list(job, data_set, version, its, now)
    is_linked = data_sets.progress_of(job, data_set).enabled_at is not None
    fault = Writer(job, data_set, apps, source, now).send_one(source_id)
    with job.database.writing() as connection:
        left = connection.execute(select(WORK).where(*its)).first()
        if not is_linked:
            connection.execute(delete(WORK).where(*its))  # there is nothing yet that a run would try again
    if fault is not None:
        raise fault
    if left is not None and left.state == FAILED:
        where = f"フィールド「{left.field}」: " if left.field else ""
        raise LoadError(f"連携テストに失敗しました。{where}{left.cause}。{left.remedy}。")
    tested = _shown(job, data_set, apps(data_set.app), versions.read(source_id, version.body))
    job.record.write(tested)
    data_sets.note_tested(job, data_set, tested_digest(job, data_set))
    history.note(job, data_set, state=State.DONE.value, said=PASSED, ended_at=now())
    return tested


def _put_on_list(job: Job, data_set: DataSet, version: Version, its: Sequence[ColumnElement[bool]], now: Now) -> None:
    """Raises LoadError: what became of it is not known yet."""
    names = {"tenant": job.tenant, "data_set": data_set.name}
    row = {**names, **version._asdict(), "state": PLANNED, "initial": False, "since": now(), "failed_at": None}
    with job.database.writing() as connection:
        before = connection.execute(select(WORK.c.state, WORK.c.key).where(*its)).first()
        if before is not None and before.state == SENDING:
            if before.key != version.key:  # kintone may have it by its old key: only the next run's answer tells
                raise LoadError(
                    "このレコードは書き込みの結果を確認中です。次の連携が終わってから、もう一度行ってください。"
                )
            row["state"] = SENDING
        connection.execute(
            replace(job.database, WORK),
            {**row, **dict.fromkeys(("field", "code", "cause", "remedy"), ""), "told": False},
        )


def _with_its_key(job: Job, data_set: DataSet, version: Version, versions: Versions, source: Source) -> list[str]:
    """The other records with its 更新キー that are written or wait, and still have it in Hot Profile (K7)."""
    if version.key is None or version.key == version.old_key:
        return []
    others: set[str] = set()
    with job.database.reading() as connection:
        for table in (WRITTEN, WORK):
            its = (table.c.tenant == job.tenant, table.c.data_set == data_set.name, table.c.key == version.key)
            others |= set(connection.scalars(select(table.c.source_id).where(*its)))
    found = source.by_id(data_set.name, sorted(others - {version.source_id})[:MAX_ASKED])
    return [other.source_id for other in versions.of_all(found) if other.key == version.key]


def _shown(job: Job, data_set: DataSet, target: Target, values: dict[str, Any]) -> Tested:
    known = history.record(job.database, job.tenant, data_set.name, job.start.source_id)
    codes = list(dict.fromkeys(item.table or item.field for item in data_set.items))
    found = target.find(data_set.app, "$id", [known.record_id], codes)
    record = found[0] if found else {}
    items = [
        TestedItem(item.item, values[item.item], item.field, record.get(item.table or item.field, {}).get("value"))
        for item in data_set.items
    ]
    return Tested(data_set.name, job.start.source_id, known.record_id, items)
