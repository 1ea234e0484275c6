"""The newest read that the store has, as fetch had it: so that another sheet can be laid over it (E3)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import pandas as pd

from renkei.errors import LinkStateError
from renkei.links.smarthr_emc.disaster import received
from renkei.links.smarthr_emc.fetch import column_name, source_columns
from renkei.links.smarthr_emc.records import RunSheet, RunStart, SnapshotSummary
from renkei.links.smarthr_emc.rehearsal.result import MissingItem
from renkei.links.smarthr_emc.sheet.form import item_name
from renkei.links.smarthr_emc.sheet.items import CONTACTS
from renkei.links.smarthr_emc.sheet.mapping import CustomField, FieldRule, Mapping, SourceField
from renkei.storage.runs import RunRecord, date_in

LEVELS = "部署名(階層)"
RUNS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class StoredRead:
    """A read of SmartHR in the tables that fetch leaves, with the columns of the sheet it was read for."""

    run: str
    at: str  # ISO 8601
    departments: pd.DataFrame
    users: pd.DataFrame
    sheet: Mapping
    log_in: str | None  # by which SmartHR was read, as `SmartHRClient.log_in`


def newest_first(record: RunRecord) -> Iterator[tuple[RunStart, RunRecord]]:
    """The tenant's runs that have begun, the last one first.

    Their names tell the order by and large, so that of hundreds only a few starts are read: a manual run may have begun
    before a scheduled one of the same morning, but not before one of last month.
    """
    latest = dt.datetime.max.replace(tzinfo=dt.UTC)  # a name without a date may be of any
    names = sorted(record.store.names(record.tenant_folder.runs), key=lambda name: date_in(name) or latest)
    while names:
        few = [record.sibling(names.pop()) for _ in range(min(RUNS_AT_ONCE, len(names)))]
        begun = [(start, run) for run in few if (start := run.read_or_none(RunStart))]
        yield from sorted(begun, key=lambda one: dt.datetime.fromisoformat(one[0].started_at), reverse=True)


def reads(record: RunRecord) -> Iterator[RunRecord]:
    """The tenant's runs that froze a read of SmartHR, the last one first; a run may have failed afterwards."""
    for start, run in newest_first(record):
        if start.mode.reads and run.has(SnapshotSummary) and run.has(RunSheet):
            yield run


def newest_read(record: RunRecord) -> StoredRead:
    """The newest of these reads.

    Raises:
        LinkStateError: there is none.
    """
    for run in reads(record):
        return read_of(run)
    raise LinkStateError(
        "保存先にSmartHRの受信データがありません。SmartHRから受信してリハーサルしてください（--live）。"
    )


def read_of(run: RunRecord) -> StoredRead:
    """The read that a run froze. What 災害時凍結 kept and 最上位部署 are no part of it: they are line 0."""
    at, sheet = run.read(RunStart).started_at, run.read(RunSheet).mapping
    departments, users = run.table("departments"), run.table("users")
    users = users[received(users)].drop(columns=["valid", "user_id"])
    tree = _departments(departments[departments["line"] > 0], sheet)
    return StoredRead(run.run, at, tree, users, sheet, run.read(SnapshotSummary).log_in)


def _departments(frozen: pd.DataFrame, sheet: Mapping) -> pd.DataFrame:
    """Departments as SmartHR gave them: ids without ID付与コード, first level without a parent."""
    root = f"{sheet.id_prefix}{sheet.root_department.id}" if sheet.root_department else ""
    parent = frozen["parent_id"].mask(frozen["parent_id"] == root, "")
    return pd.DataFrame(
        {
            "line": frozen["line"],
            "source_id": frozen["source_id"],
            "code": frozen["department_id"].str.removeprefix(sheet.id_prefix),
            "name": frozen["name"],  # one of the two is the other sheet's: see `missing`
            "full_name": frozen["name"],
            "parent_code": parent.str.removeprefix(sheet.id_prefix),
            "has_parent": (parent != "") | frozen["orphan"],
        }
    ).reset_index(drop=True)


def missing(read: StoredRead, mapping: Mapping) -> tuple[MissingItem, ...]:
    """What `mapping` takes from SmartHR and the read does not hold, in the sheet's order.

    Raises:
        LinkStateError: the user id is among it, and with it everything.
    """
    lacking = {column: term for column, term in source_columns(mapping).items() if column not in read.users}
    found = tuple(
        MissingItem(column, tuple(item_name(rule) for rule in mapping.users if column in columns_of(rule)))
        for column in lacking
    )
    rule = mapping.rule("user_id")
    if rule is not None and (needed := [column for column in columns_of(rule) if column in lacking]):
        raise LinkStateError(
            f"ユーザIDの元になるSmartHR項目（{'、'.join(needed)}）が保存先の受信データ（{read.at[:10]}）にありません。"
            "SmartHRから受信してリハーサルしてください（--live）。"
        )
    if by_level(mapping) != by_level(read.sheet):
        found = (MissingItem(LEVELS if by_level(mapping) else "部署名", ("部署名",)), *found)
    return found


def by_level(mapping: Mapping) -> bool:
    return any(isinstance(term, SourceField) and term.name == LEVELS for term in mapping.departments.name.terms)


def columns_of(rule: FieldRule) -> list[str]:
    """The columns of the users table that a rule reads."""
    return [column_name(term) for term in rule.source.terms if isinstance(term, SourceField | CustomField)]


def without(mapping: Mapping, lacking: AbstractSet[str]) -> Mapping:
    """The mapping without the lines that read a lacking column; 媒体n and アドレスn go together (E20)."""
    gone = {rule.item for rule in mapping.users if lacking & set(columns_of(rule))}
    for slot in range(1, CONTACTS + 1):
        pair = {f"contact_{slot}_medium", f"contact_{slot}_address"}
        gone |= pair if pair & gone else set()
    return dataclasses.replace(mapping, users=tuple(rule for rule in mapping.users if rule.item not in gone))


def as_read_for(users: pd.DataFrame, mapping: Mapping) -> pd.DataFrame:
    """The users table that fetch_users would have left for `mapping`, which lacks nothing (`without`)."""
    return users[["line", "crew_id", "emp_status", *source_columns(mapping)]]


def wider_mapping(mapping: Mapping, in_force: Mapping | None) -> Mapping:
    """A mapping to read by: what either sheet reads, so that both can be laid over one read.

    Custom fields of the sheet in force are left out: SmartHR may not have them any more, and refuses them then.
    """
    known = set(source_columns(mapping))
    more = tuple(
        rule
        for rule in (in_force.users if in_force else ())
        if all(not isinstance(term, CustomField) or column_name(term) in known for term in rule.source.terms)
    )
    return dataclasses.replace(mapping, users=(*mapping.users, *more))
