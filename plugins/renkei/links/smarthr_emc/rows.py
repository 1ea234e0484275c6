"""Apply the sheet's policy: what is written for each person, item by item (E16–E20, E24)."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from renkei.links.smarthr_emc.model import Operation
from renkei.links.smarthr_emc.sheet.items import CONTACTS, DEPARTMENT_REFERENCES
from renkei.links.smarthr_emc.sheet.mapping import Action, Cells, FieldRule, Mapping
from renkei.links.smarthr_emc.sources import value_of
from renkei.values.columns import constant

UNWRITTEN = ("operation", "user_id", "password")  # made by the system, the key itself, made while loading (E19, L6)


@dataclass(frozen=True, slots=True)
class UserRows:
    """Rows to write, aligned with the users they were made from.

    `cells` has one column per item: missing = leave what EMC has, "" = clear, else the value.
    `rejected` has, per item, the rows whose policy cell says エラー.
    """

    cells: pd.DataFrame
    rejected: dict[str, pd.Series[bool]]


def user_rows(users: pd.DataFrame, write_as: pd.Series[str], mapping: Mapping) -> UserRows:
    """The cells of every user in `users`; `write_as` says CREATE or UPDATE for each."""
    creates = write_as == Operation.CREATE.value
    cells: dict[str, pd.Series[str]] = {}
    rejected: dict[str, pd.Series[bool]] = {}
    for rule in mapping.users:
        if rule.item in UNWRITTEN:
            continue
        cells[rule.item], rejected[rule.item] = _cells(rule, users, creates, mapping.id_prefix)
    if "password_reset" not in cells:
        cells["password_reset"] = constant("T", users).where(creates)  # E19
    _pair_contacts(cells)
    return UserRows(pd.DataFrame(cells, index=users.index), rejected)


def restored_rows(users: pd.DataFrame, write_as: pd.Series[str], mapping: Mapping, target: pd.DataFrame) -> UserRows:
    """The cells that bring EMC back to `target`, the users_target of an earlier run (復元).

    Only items that the sheet writes on an update are put back for people who are there; the others are not ours.
    """
    then = target.drop_duplicates("user_id").set_index("user_id").reindex(users["user_id"])
    then.index = users.index
    creates = write_as == Operation.CREATE.value
    cells: dict[str, pd.Series[str]] = {}
    for rule in mapping.users:
        if rule.item in UNWRITTEN or rule.item not in then:
            continue
        ours = rule.item != "password_reset" and rule.on_update.writes
        value = then[rule.item].astype("str")
        cells[rule.item] = value.mask(creates & (value == "")).where(creates | ours)
    cells["password_reset"] = constant("T", users).where(creates)  # E19
    return UserRows(pd.DataFrame(cells, index=users.index), dict.fromkeys(cells, creates & False))


def _cells(
    rule: FieldRule, users: pd.DataFrame, creates: pd.Series[bool], prefix: str
) -> tuple[pd.Series[str], pd.Series[bool]]:
    value = value_of(rule, users)
    present = value != ""
    result = constant("", users).where(creates & False)  # all missing: leave
    rejected = present & False
    for rows, policy in ((creates, rule.on_create), (~creates, rule.on_update)):
        result, rejected = _apply(policy, rows, present, value, result, rejected)
    if rule.item in DEPARTMENT_REFERENCES and prefix:
        result = (prefix + result).where(result.notna() & (result != ""), result)
    # On a create there is nothing to clear: blank and left out are the same.
    return result.mask(creates & (result == "")), rejected


def _apply(
    policy: Cells,
    rows: pd.Series[bool],
    present: pd.Series[bool],
    value: pd.Series[str],
    result: pd.Series[str],
    rejected: pd.Series[bool],
) -> tuple[pd.Series[str], pd.Series[bool]]:
    for where, cell in ((rows & present, policy.when_present), (rows & ~present, policy.when_blank)):
        if cell.action is Action.SET:
            result = result.mask(where, value)
        elif cell.action is Action.DEFAULT:
            result = result.mask(where, cell.default)
        elif cell.action is Action.REJECT:
            rejected = rejected | where
    return result, rejected


def _pair_contacts(cells: dict[str, pd.Series[str]]) -> None:
    """媒体n follows アドレスn: not written without it, cleared with it (E20)."""
    for slot in range(1, CONTACTS + 1):
        medium, address = f"contact_{slot}_medium", f"contact_{slot}_address"
        if medium in cells and address in cells:
            paired = cells[medium].mask(cells[address].isna())
            cells[medium] = paired.mask(cells[address] == "", "")


def after(cells: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """What EMC has once `cells` are written over `before` (aligned rows; "" = no value).

    An item that was never written and is left alone stays unknown (missing).
    """
    columns = {}
    for name in dict.fromkeys([*before.columns, *cells.columns]):
        if name not in cells:
            columns[name] = before[name]
        elif name not in before:
            columns[name] = cells[name]
        else:
            columns[name] = cells[name].where(cells[name].notna(), before[name])
    return pd.DataFrame(columns, index=cells.index)
