"""How many people EMC can reach, and by what, once a plan is applied: figures for 即応証明. Whole columns, no files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from renkei.links.smarthr_emc.records import Reach
from renkei.links.smarthr_emc.sheet.items import CONTACTS
from renkei.values.columns import flat

OTHER = "その他"  # a medium that the format does not name, or none


def reach(valid: pd.Series[bool], target: pd.DataFrame, lost: int, media: Iterable[str]) -> Reach:
    """The figures of a run.

    `valid` is the column of its users table, `target` its users_target, `lost` how many people have no user id any
    more. Who has no contact that is known, and one that is EMC's own affair (更新しない), is unknown; so is everybody
    where the sheet has no contact at all.
    """
    nobody = np.zeros(len(target), dtype=bool)
    reached, unknown = nobody.copy(), nobody if any(f"contact_{n}_address" in target for n in _SLOTS) else ~nobody
    names = list(media)
    by: dict[str, Any] = {name: nobody.copy() for name in (*names, OTHER)}
    for slot in _SLOTS:
        address, medium = f"contact_{slot}_address", f"contact_{slot}_medium"
        if address not in target:
            continue
        some = pc.not_equal(flat(target[address]), "").to_numpy(zero_copy_only=False)
        reached |= some
        unknown = unknown | target[address].isna().to_numpy()
        at = _places(target[medium], names) if medium in target else np.full(len(target), len(names))
        for place, name in enumerate(by):
            by[name] |= some & (at == place)
    counts = {name: int(people.sum()) for name, people in by.items()}
    return Reach(
        present=int(valid.sum()),
        lost=lost,
        reached=int(reached.sum()),
        unknown=int((unknown & ~reached).sum()),
        media={name: count for name, count in counts.items() if count or name != OTHER},
    )


_SLOTS = range(1, CONTACTS + 1)


def _places(column: pd.Series[str], names: list[str]) -> Any:
    """Where each text stands in `names`; behind them for any other."""
    at = pc.index_in(flat(column), value_set=pa.array(names, type=pa.large_string()))
    return at.fill_null(len(names)).to_numpy(zero_copy_only=False)
