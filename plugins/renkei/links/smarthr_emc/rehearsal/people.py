"""The people (and departments) of a rehearsal in columns: who is written how, and what EMC has of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from renkei.links.smarthr_emc.disaster import received
from renkei.links.smarthr_emc.model import Operation, RecordSet
from renkei.links.smarthr_emc.rehearsal.simulated_run import SimulatedRun
from renkei.links.smarthr_emc.rows import UNWRITTEN
from renkei.links.smarthr_emc.sheet.items import USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.stages.validate import Planned
from renkei.values.columns import constant, is_in, positions


@dataclass(frozen=True, slots=True)
class People:
    """Everybody who would be in EMC afterwards, once and in received order; every column is aligned with `table`."""

    table: pd.DataFrame  # users, as in model.py
    write_as: pd.Series[str]
    creates: pd.Series[bool]
    known: pd.DataFrame  # what EMC has of whom: user_id and items by key; of anybody, in any order
    at: Any  # where each stands in `known`, from 0; -1 = nowhere (a NumPy array)
    cells: pd.DataFrame  # what the run writes of each, by item, as in rows.UserRows
    written: bool  # 変化なし: nobody is

    def has(self, item: str) -> pd.Series[str]:
        """What EMC has of an item: "" = nothing, also for those who are created; missing = not known."""
        if item in self.known:
            found = taken(self.known[item], self.at).set_axis(self.table.index)
        else:
            found = constant("", self.table).where(self.creates & False)
        return found.mask(self.creates, "")


def people_of(run: SimulatedRun, planned: Planned, mapping: Mapping) -> People:
    """The people of a plan."""
    users = run.record.table("users")
    named = users[users["valid"] & (users["user_id"] != "") & received(users)].drop_duplicates("user_id")
    named = named.reset_index(drop=True)
    rows = planned.users.rows
    cells = rows[rows["operation"] != Operation.DELETE.value].set_axis(named.index)  # one for each, in their order
    write_as = cells["operation"]
    creates = write_as == Operation.CREATE.value
    known = emc_has(run, mapping, named.loc[~creates, "user_id"])
    return People(
        named,
        write_as,
        creates,
        known,
        positions(named["user_id"], known["user_id"]),
        cells,
        run.sets[RecordSet.USERS].changed,
    )


def emc_has(run: SimulatedRun, mapping: Mapping, ids: pd.Series[str]) -> pd.DataFrame:
    """What EMC has: its own word where it is asked, else what it confirmed last; `user_id` and items by key.

    An item that nobody knows has no column, or is missing.
    """
    items = items_of(mapping)
    names = {USER_ITEM[item].name: item for item in ("user_id", *items)}
    exported = run.target.export("users", list(names)) if len(ids) else None
    if exported is not None:
        return exported.rename(columns=names)
    before = run.where.table("users_target")
    return pd.DataFrame({"user_id": []}, dtype="str") if before is None else before.drop_duplicates("user_id")


def items_of(mapping: Mapping) -> list[str]:
    """The items that a sheet writes, in its order; no passwords among them (L7)."""
    return [rule.item for rule in mapping.users if rule.item not in UNWRITTEN]


def taken(column: pd.Series[str], at: Any) -> pd.Series[str]:
    """The column's values at these places; missing at -1."""
    return pd.Series(column.array.take(at, allow_fill=True), dtype="str")


def same_in_emc(sent: pd.Series[str], found: pd.Series[str], encoding: str) -> pd.Series[bool]:
    """Where EMC has what is sent; what the file's encoding makes of it counts (CP932 brings 〜 back as ～)."""
    same = sent == found
    unlike = sent.notna() & found.notna() & ~same
    texts = sent[unlike].drop_duplicates().tolist()
    altered = {text: back for text in texts if (back := text.encode(encoding, "replace").decode(encoding)) != text}
    if altered:
        where = unlike & is_in(sent, altered)
        same[where] = sent[where].map(altered) == found[where]
    return same
