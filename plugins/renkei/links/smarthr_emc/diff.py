"""Decide by id alone who is new, kept and gone; then ask EMC which of those ids it has (E5–E14, E31, E32)."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from renkei.links.smarthr_emc.model import Counts, Mode, Operation, Reason
from renkei.links.smarthr_emc.records import SetSummary
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sources import value_of
from renkei.texts import fold
from renkei.values.columns import arrow, first_of_each, has_text, is_in, look_up, mask, places, series, text

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
    named = first_of_each(_valid(current), "user_id")
    if baseline is None:
        return _rows(named, "user_id", "crew_id", pa.repeat(True, len(named))), frozenset()
    before = _valid(baseline)
    nameless = current.loc[current["valid"] & (current["user_id"] == ""), "crew_id"]
    ids, crew = arrow(named["user_id"]), arrow(named["crew_id"])
    place = places(ids, arrow(before["user_id"]))
    is_new, owner = pc.is_null(place), arrow(before["crew_id"]).take(place)
    same = pc.fill_null(pc.equal(owner, crew), False)
    # 災害時凍結 keeps an id whose crew has another one now, without a crew: nobody took it over.
    taken_over = pc.and_not(pc.and_not(has_text(crew), same), is_new)
    elsewhere = places(crew.filter(pc.invert(same)), arrow(before["crew_id"]))  # of those alone it has to be looked for
    was = pc.fill_null(arrow(before["user_id"]).take(elsewhere), "")
    was = pc.replace_with_mask(ids, pc.invert(same), was)
    changed = pc.if_else(pc.and_(is_new, has_text(was)), text(Reason.ID_CHANGE.value), text(Reason.NONE.value))
    reason = pc.if_else(taken_over, text(Reason.TAKEN_OVER.value), changed)
    rows = _rows(named, "user_id", "crew_id", is_new).assign(
        reason=series(reason, named.index), was=series(was, named.index)
    )
    has_left = np.ones(len(before), dtype=bool)
    has_left[place.drop_null().to_numpy()] = False
    left = before[has_left]
    gone = _gone(left, "user_id", "crew_id")
    gone.loc[is_in(gone["crew_id"], current.loc[~current["valid"], "crew_id"]), "reason"] = Reason.RETIRED.value
    gone.loc[is_in(gone["crew_id"], nameless), "reason"] = Reason.LOST_ID.value
    gone.loc[is_in(gone["crew_id"], named["crew_id"]), "reason"] = Reason.ID_CHANGE.value
    return _concat(rows, gone), frozenset(nameless[is_in(nameless, before["crew_id"]) | is_in(nameless, lost_before)])


def hand_over(table: pd.DataFrame, baseline: pd.DataFrame, current: pd.DataFrame, mapping: Mapping) -> pd.DataFrame:
    """The diff of users with every id marked that has passed to another person (引き継ぎ, E40); after `reconcile`.

    Another crew and another 氏名 than at the baseline, both by today's sheet: the id stays 更新, but is written as a
    delete and an add, so that EMC keeps nothing of its earlier holder. Another crew of the same name is the same person,
    registered anew.
    """
    rule = mapping.rule("full_name")
    kept = table[(table["operation"] == Operation.UPDATE.value) & (table["crew_id"] != "") & may_have_passed(table)]
    before = _valid(baseline[["valid", "user_id", "crew_id"]])
    holder = look_up(kept["id"], before["user_id"], before["crew_id"])
    passed = kept.loc[holder != kept["crew_id"], "id"]
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


def may_have_passed(table: pd.DataFrame) -> pd.Series[bool]:
    """Which ids another crew has than at the baseline, or perhaps: that EMC lacks one is told instead."""
    return is_in(table["reason"], [Reason.TAKEN_OVER.value, Reason.RECREATED.value])


def diff_departments(baseline: pd.DataFrame | None, current: pd.DataFrame) -> pd.DataFrame:
    """Operations by department id; `crew_id` holds SmartHR's id of the department (E13)."""
    named = first_of_each(current[current["department_id"] != ""], "department_id")
    if baseline is None:
        return _rows(named, "department_id", "source_id", pa.repeat(True, len(named)))
    is_new = mask(~is_in(named["department_id"], baseline["department_id"]))
    left = baseline[(baseline["department_id"] != "") & ~is_in(baseline["department_id"], named["department_id"])]
    rows = _rows(named, "department_id", "source_id", is_new)
    return _concat(rows, _gone(left, "department_id", "source_id"))


def reconcile(table: pd.DataFrame, present: AbstractSet[str]) -> pd.DataFrame:
    """The diff with `write_as` set by what EMC has (L4, E31).

    New to us but in EMC already: adopted as an update. Ours but gone from EMC: created again. The
    operation itself, and so the counts, stay as E6 has them. An id that is neither in EMC nor kept
    needs no delete: EMC takes that as done.
    """
    there = is_in(table["id"], present)
    adopted = (table["operation"] == Operation.CREATE.value) & there
    recreated = (table["operation"] == Operation.UPDATE.value) & ~there
    if not (adopted | recreated).any():
        return table
    table = table.copy()
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
    gone = _gone(pd.DataFrame({"user_id": baseline_ids, "crew_id": ""}), "user_id", "crew_id")
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


def _rows(named: pd.DataFrame, key: str, crew_key: str, is_new: Any) -> pd.DataFrame:
    """What was received, as rows of a diff."""
    operation = series(pc.if_else(is_new, text(Operation.CREATE.value), text(Operation.UPDATE.value)), named.index)
    rows = named[[key, crew_key, "line"]].set_axis(["id", "crew_id", "line"], axis=1)
    return rows.assign(operation=operation, write_as=operation, reason=Reason.NONE.value, was="")


def _gone(left: pd.DataFrame, key: str, crew_key: str) -> pd.DataFrame:
    """What the read has no more, as rows of a diff."""
    operation = Operation.DELETE.value
    rows = left[[key, crew_key]].set_axis(["id", "crew_id"], axis=1)
    return rows.assign(line=0, operation=operation, write_as=operation, reason=Reason.GONE.value, was="")


def _concat(rows: pd.DataFrame, gone: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([rows, gone], ignore_index=True)
