"""Which items a recorded plan changes of a few people: what it writes beside what EMC had confirmed."""

from __future__ import annotations

from collections.abc import Collection

from renkei.links.smarthr_emc.compared import compared_with
from renkei.links.smarthr_emc.model import Operation
from renkei.links.smarthr_emc.records import Plan
from renkei.links.smarthr_emc.rows import UNWRITTEN
from renkei.links.smarthr_emc.sheet.items import USER_ITEMS
from renkei.storage.runs import RunRecord


def changed_items(run: RunRecord, crews: Collection[str]) -> dict[str, list[str]]:
    """The names of the items of which EMC gets another value, or none, by crew id; only of those who are updated."""
    plan, where = run.read_or_none(Plan), compared_with(run)
    if plan is None or not plan.users or not crews:
        return {}
    rows = run.rows("users_plan", {"crew_id": crews})
    rows = rows[rows["operation"] == Operation.UPDATE.value].set_index("user_id", drop=False)
    had = where.rows("users_target", {"user_id": rows["user_id"]})
    if had is None:
        return {}
    had = had.drop_duplicates("user_id").set_index("user_id")
    had = had.reindex(index=rows.index, columns=rows.columns).astype("str").fillna("")
    found: dict[str, list[str]] = {}
    for item in USER_ITEMS:
        if item.key in UNWRITTEN or item.key not in rows:
            continue
        differs = rows[item.key].notna() & (rows[item.key] != had[item.key])
        for crew_id in rows.loc[differs, "crew_id"]:
            found.setdefault(crew_id, []).append(item.name)
    return found
