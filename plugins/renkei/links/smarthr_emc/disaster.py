"""災害時凍結: while it lasts nobody and nothing disappears from EMC, and what is new still gets in.

The people and departments that this read no longer has are kept in the snapshot as the baseline has them, so that
they are part of the next baseline, and the run after the freeze deletes them like any others. Pure columns.
"""

from __future__ import annotations

import pandas as pd

from renkei.links.smarthr_emc.model import Operation
from renkei.values.columns import is_in


def keep_departments(read: pd.DataFrame, baseline: pd.DataFrame) -> pd.DataFrame:
    """`read` and below it the baseline's departments that it lacks; departments tables as in model.py."""
    left = baseline[(baseline["department_id"] != "") & ~is_in(baseline["department_id"], read["department_id"])]
    return pd.concat([read, left.assign(line=0)], ignore_index=True)[list(read.columns)]


def keep_users(read: pd.DataFrame, baseline: pd.DataFrame) -> pd.DataFrame:
    """`read` and below it the baseline's people whose user id it lacks, as line 0; users tables as in model.py.

    A crew that is still there (with another id, or none) is in `read` already: the row of its old id has no crew.
    """
    named = read.loc[read["valid"] & (read["user_id"] != ""), "user_id"]
    before = baseline[baseline["valid"] & (baseline["user_id"] != "")]
    left = before[~is_in(before["user_id"], named)].reindex(columns=read.columns)
    text = [name for name in read.columns if name not in ("line", "valid")]
    left[text] = left[text].fillna("")
    still_there = is_in(left["crew_id"], read.loc[read["valid"], "crew_id"])
    left = left.assign(line=0, crew_id=left["crew_id"].mask(still_there, ""))
    # A retired crew's own row says nothing but that it retired.
    others = read[~is_in(read["crew_id"], left["crew_id"])]
    return pd.concat([others, left.astype(read.dtypes.to_dict())], ignore_index=True)


def received(users: pd.DataFrame) -> pd.Series[bool]:
    """Which rows of a users table were read, and are not only kept."""
    return users["line"] > 0


def keep_values(
    cells: pd.DataFrame, had: pd.DataFrame, updates: pd.Series[bool]
) -> tuple[pd.DataFrame, pd.Series[bool]]:
    """`cells` (as in rows.UserRows) that clear nothing in EMC, and which people would have lost a value (aligned)."""
    clears = (cells == "").mul(updates, axis=0)
    known_empty = had.reindex(columns=cells.columns) == ""
    return cells.mask(clears), (clears & ~known_empty).any(axis=1)


def removes_something(
    departments: pd.DataFrame | None, users: pd.DataFrame | None, before: pd.DataFrame | None
) -> bool:
    """Whether a plan's rows (`*_plan`, None = not written) delete a record or clear a value that EMC may have.

    `before` is the baseline's users_target.
    """
    if departments is not None and (departments["operation"] == Operation.DELETE.value).any():
        return True
    if users is None:
        return False
    deleted, created = (
        users.loc[users["operation"] == kind.value, "user_id"] for kind in (Operation.DELETE, Operation.CREATE)
    )
    if not is_in(deleted, created).all():  # an id that passes to another person is deleted and added (E40)
        return True
    rows = users[users["operation"] == Operation.UPDATE.value].set_index("user_id")
    cells = rows.drop(columns=["line", "crew_id", "operation"])
    had = None if before is None else before.set_index("user_id").reindex(index=cells.index, columns=cells.columns)
    return bool(((cells == "") if had is None else (cells == "") & (had != "")).any(axis=None))
