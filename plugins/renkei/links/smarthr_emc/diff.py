"""Decide by id alone who is new, kept and gone; then ask EMC which of those ids it has (E5–E14, E31, E32)."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

import pandas as pd

from renkei.links.smarthr_emc.model import Counts, Mode, Operation, Reason
from renkei.links.smarthr_emc.records import SetSummary
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sources import value_of
from renkei.texts import fold
from renkei.values.columns import is_in, look_up

DIFF_COLUMNS = ("id", "crew_id", "line", "operation", "write_as", "reason", "was")


def diff_users(
    baseline: pd.DataFrame | None, current: pd.DataFrame, lost_before: AbstractSet[str]
) -> tuple[pd.DataFrame, frozenset[str]]:
    """Operations by user id (新規 / 更新(維持) / 削除), and the crews that lost theirs.

    `baseline` and `current` are users tables; `baseline` is None on the first run. Values are not
    compared. `lost_before` are crews that had lost their id by the baseline: they stay known until
    they get one again or leave, so that E9 is not applied to them. Duplicate ids keep their first
    row; validate reports them. Rules: E5, E6, E8, E10, E12. Source: guide, "IDの追加・更新・削除".
    """
    named = _valid(current).drop_duplicates("user_id")
    nameless = set(current.loc[current["valid"] & (current["user_id"] == ""), "crew_id"].tolist())
    rows = named[["user_id", "crew_id", "line"]].rename(columns={"user_id": "id"})
    if baseline is None:
        return _with_operation(rows, Operation.CREATE), frozenset()
    before = _valid(baseline)
    kept = is_in(rows["id"], before["user_id"])
    rows = _with_operation(rows, Operation.CREATE)
    rows.loc[kept, ["operation", "write_as"]] = Operation.UPDATE.value
    owner = look_up(rows["id"], before["user_id"], before["crew_id"])
    # 災害時凍結 keeps an id whose crew has another one now, without a crew: nobody took it over.
    rows.loc[kept & (rows["crew_id"] != "") & (owner != rows["crew_id"]), "reason"] = Reason.TAKEN_OVER.value
    left = before[~is_in(before["user_id"], named["user_id"])]
    gone = _with_operation(left[["user_id", "crew_id", "line"]].rename(columns={"user_id": "id"}), Operation.DELETE)
    gone["line"] = 0  # their line was in another read
    gone["reason"] = Reason.GONE.value
    gone.loc[is_in(gone["crew_id"], current.loc[~current["valid"], "crew_id"]), "reason"] = Reason.RETIRED.value
    gone.loc[is_in(gone["crew_id"], nameless), "reason"] = Reason.LOST_ID.value
    gone.loc[is_in(gone["crew_id"], named["crew_id"]), "reason"] = Reason.ID_CHANGE.value
    rows["was"] = look_up(rows["crew_id"], before["crew_id"], before["user_id"])
    rows.loc[(rows["operation"] == Operation.CREATE.value) & (rows["was"] != ""), "reason"] = Reason.ID_CHANGE.value
    lost = (set(before["crew_id"].tolist()) | lost_before) & nameless
    return _concat(rows, gone), frozenset(lost)


def hand_over(table: pd.DataFrame, baseline: pd.DataFrame, current: pd.DataFrame, mapping: Mapping) -> pd.DataFrame:
    """The diff of users with every id marked that has passed to another person (引き継ぎ, E40); after `reconcile`.

    Another crew and another 氏名 than at the baseline, both by today's sheet: the id stays 更新, but is written as a
    delete and an add, so that EMC keeps nothing of its earlier holder. Another crew of the same name is the same person,
    registered anew.
    """
    rule = mapping.rule("full_name")
    holder = look_up(table["id"], *(_valid(baseline)[name] for name in ("user_id", "crew_id")))
    # 災害時凍結 keeps an id whose crew has another one now, without a crew: nobody took it over.
    kept = (table["operation"] == Operation.UPDATE.value) & (table["crew_id"] != "")
    passed = table.loc[kept & (holder != table["crew_id"]), "id"]
    if rule is None or not len(passed):
        return table
    texts = current.columns.drop(["line", "valid"])

    def names(users: pd.DataFrame) -> Any:
        rows = _valid(users).drop_duplicates("user_id").set_index("user_id", drop=False).loc[passed]
        return value_of(rule, rows.reindex(columns=texts).astype("str").fillna("")).map(fold).to_numpy()

    then, now = names(baseline), names(current)
    others = passed.index[(then != now) | (now == "")]  # two names that are not known are not the same
    table = table.copy()
    table.loc[others, "write_as"] = Operation.CREATE.value
    table.loc[others, "reason"] = Reason.HANDED_OVER.value
    return table


def diff_departments(baseline: pd.DataFrame | None, current: pd.DataFrame) -> pd.DataFrame:
    """Operations by department id; `crew_id` holds SmartHR's id of the department (E13)."""
    named = current[current["department_id"] != ""].drop_duplicates("department_id")
    names = {"department_id": "id", "source_id": "crew_id"}
    rows = _with_operation(named[["department_id", "source_id", "line"]].rename(columns=names), Operation.CREATE)
    if baseline is None:
        return rows
    rows.loc[is_in(rows["id"], baseline["department_id"]), ["operation", "write_as"]] = Operation.UPDATE.value
    left = baseline[(baseline["department_id"] != "") & ~is_in(baseline["department_id"], named["department_id"])]
    gone = _with_operation(left[["department_id", "source_id", "line"]].rename(columns=names), Operation.DELETE)
    gone["line"] = 0
    gone["reason"] = Reason.GONE.value
    return _concat(rows, gone)


def reconcile(table: pd.DataFrame, present: AbstractSet[str]) -> pd.DataFrame:
    """The diff with `write_as` set by what EMC has (L4, E31).

    New to us but in EMC already: adopted as an update. Ours but gone from EMC: created again. The
    operation itself, and so the counts, stay as E6 has them. An id that is neither in EMC nor kept
    needs no delete: EMC takes that as done.
    """
    table = table.copy()
    there = is_in(table["id"], present)
    adopted = (table["operation"] == Operation.CREATE.value) & there
    recreated = (table["operation"] == Operation.UPDATE.value) & ~there
    table.loc[adopted, "write_as"] = Operation.UPDATE.value
    table.loc[adopted & (table["reason"] == ""), "reason"] = Reason.ADOPTED.value
    table.loc[recreated, "write_as"] = Operation.CREATE.value
    table.loc[recreated, "reason"] = Reason.RECREATED.value
    return table


def relink(table: pd.DataFrame, baseline_ids: pd.Series[str]) -> pd.DataFrame:
    """The diff of 再連携: every old id is deleted, every received one added anew (E32).

    An id that is in both appears twice: its delete, then its create (reason `replaced`).
    """
    received = table[table["operation"] != Operation.DELETE.value].copy()
    received[["operation", "write_as"]] = Operation.CREATE.value
    received["reason"] = Reason.NONE.value
    received.loc[is_in(received["id"], baseline_ids), "reason"] = Reason.REPLACED.value
    gone = _with_operation(pd.DataFrame({"id": baseline_ids, "crew_id": "", "line": 0}), Operation.DELETE)
    gone["reason"] = Reason.GONE.value
    gone.loc[is_in(gone["id"], received["id"]), "reason"] = Reason.REPLACED.value
    return _concat(received, gone)


def count(table: pd.DataFrame, previous: SetSummary | None, received: SetSummary) -> Counts:
    """The mail's figures (E11). `previous` is None on the first run."""
    operations = table["operation"].value_counts()
    return Counts(
        previous_total=previous.total if previous else 0,
        previous_valid=previous.valid if previous else 0,
        received_total=received.total,
        received_valid=received.valid,
        created=int(operations.get(Operation.CREATE.value, 0)),
        updated=int(operations.get(Operation.UPDATE.value, 0)),
        deleted=int(operations.get(Operation.DELETE.value, 0)),
    )


def is_changed(previous: SetSummary | None, received: SetSummary, mode: Mode) -> bool:
    """変化あり: another set of values or another sheet than at the baseline, or writing was asked for (E3, E14)."""
    if previous is None or mode in (Mode.WRITE_ALL, Mode.RESTORE) or mode.relinks:
        return True
    return (previous.digest, previous.sheet_digest) != (received.digest, received.sheet_digest)


def has_drifted(table: pd.DataFrame) -> bool:
    """Whether EMC lacks records that it had confirmed, e.g. deleted by hand on its screen.

    They are written again even if SmartHR is 変化なし: nobody may be missing on the day of an earthquake.
    """
    return bool((table["reason"] == Reason.RECREATED.value).any())


def _valid(users: pd.DataFrame) -> pd.DataFrame:
    return users[users["valid"] & (users["user_id"] != "")]


def _with_operation(rows: pd.DataFrame, operation: Operation) -> pd.DataFrame:
    return rows.assign(operation=operation.value, write_as=operation.value, reason=Reason.NONE.value, was="")


def _concat(rows: pd.DataFrame, gone: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([rows, gone], ignore_index=True)
