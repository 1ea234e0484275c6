"""Apply the sheet's policy: what is written for each person, item by item (E16–E20, E24)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from renkei.links.smarthr_emc.model import Operation
from renkei.links.smarthr_emc.sheet.items import CONTACTS, DEPARTMENT_REFERENCES
from renkei.links.smarthr_emc.sheet.mapping import Action, Cell, FieldRule, Mapping
from renkei.links.smarthr_emc.sources import value_of
from renkei.values.columns import arrow, arrows, constant, frame, prefixed, text

UNWRITTEN = ("operation", "user_id", "password")  # made by the system, the key itself, made while loading (E19, L6)


@dataclass(frozen=True, slots=True)
class UserRows:
    """Rows to write, aligned with the users they were made from.

    `cells` has one column per item: missing = leave what EMC has, "" = clear, else the value.
    `rejected` has, per item that the sheet says エラー of, the rows whose policy cell it is.
    """

    cells: pd.DataFrame
    rejected: dict[str, pd.Series[bool]]


def user_rows(users: pd.DataFrame, write_as: pd.Series[str], mapping: Mapping) -> UserRows:
    """The cells of every user in `users`; `write_as` says CREATE or UPDATE for each."""
    creates = pc.equal(arrow(write_as), Operation.CREATE.value)
    cells: dict[str, Any] = {}
    rejected: dict[str, pd.Series[bool]] = {}
    for rule in mapping.users:
        if rule.item in UNWRITTEN:
            continue
        value = arrow(value_of(rule, users))
        cells[rule.item] = _cells(rule, value, creates, mapping.id_prefix)
        if any(cell.action is Action.REJECT for cell in rule.cells):
            refused = _by_policy(rule, value, creates, lambda cell: pa.scalar(cell.action is Action.REJECT))
            rejected[rule.item] = pd.Series(refused.to_numpy(zero_copy_only=False), index=users.index)
    if "password_reset" not in cells:
        cells["password_reset"] = pc.if_else(creates, text("T"), text(None))  # E19
    _pair_contacts(cells)
    return UserRows(frame(cells, users.index), rejected)


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
    return UserRows(pd.DataFrame(cells, index=users.index), {})


def _cells(rule: FieldRule, value: Any, creates: Any, prefix: str) -> Any:
    """What is written of one item (an Arrow array): missing = leave."""

    def written(cell: Cell) -> Any:
        if cell.action is Action.SET:
            return value
        return text(cell.default if cell.action is Action.DEFAULT else None)

    cells = _by_policy(rule, value, creates, written)
    if rule.item in DEPARTMENT_REFERENCES and prefix:
        cells = prefixed(prefix, cells)
    # On a create there is nothing to clear: blank and left out are the same.
    return pc.if_else(pc.and_(creates, pc.equal(cells, "")), text(None), cells)


def _by_policy(rule: FieldRule, value: Any, creates: Any, values_of: Callable[[Cell], Any]) -> Any:
    """For each row the value by the one of the four policy cells that decides over it."""
    present = pc.not_equal(value, "")
    create, known = (
        _choose(present, values_of(side.when_present), values_of(side.when_blank))
        for side in (rule.on_create, rule.on_update)
    )
    return _choose(creates, create, known)


def _choose(where: Any, yes: Any, no: Any) -> Any:
    """`yes` where it is so, else `no`; most sheets write an item's value either way, and then nothing is copied."""
    return yes if yes is no else pc.if_else(where, yes, no)


def _pair_contacts(cells: dict[str, Any]) -> None:
    """媒体n follows アドレスn: not written without it, cleared with it (E20)."""
    for slot in range(1, CONTACTS + 1):
        medium, address = f"contact_{slot}_medium", f"contact_{slot}_address"
        if medium in cells and address in cells:
            cells[medium] = pc.if_else(pc.equal(cells[address], ""), text(""), cells[medium])


def after(cells: pd.DataFrame, before: pd.DataFrame, otherwise: Any = None) -> pd.DataFrame:
    """What EMC has once `cells` are written over `before` (aligned rows; "" = no value).

    An item that was never written and is left alone stays unknown: it is what `otherwise` (an Arrow array) has, or missing.
    """
    parts = [arrows(table) for table in (cells, before)]
    names = dict.fromkeys([*before.columns, *cells.columns])
    last = [] if otherwise is None else [otherwise]
    return frame({n: _first_known(*(part[n] for part in parts if n in part), *last) for n in names}, cells.index)


def _first_known(first: Any, *others: Any) -> Any:
    """Of each row the first text of these Arrow arrays; most items are written for everybody, and nothing is copied."""
    told = [texts for texts in others if texts.null_count < len(texts)]
    return pc.coalesce(first, *told) if first.null_count and told else first
