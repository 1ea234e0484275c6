"""Who has 保有権限 in EMC: a record that opens EMC to somebody is never deleted or taken over unseen (E36, E41)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from renkei.links.smarthr_emc.load import Target
from renkei.links.smarthr_emc.sheet.items import ROLES, USER_ITEM

ROLE_ITEMS = [f"role_{n}" for n in range(1, ROLES + 1)]


def administrators(ids: Sequence[str], target: Target, before: pd.DataFrame | None) -> set[str]:
    """Those of `ids` that have any 保有権限 in EMC, whoever gave it there.

    Files cannot be asked: then it is what we wrote last (`before`, a users_target).
    """
    user_id, *roles = (USER_ITEM[item].name for item in ("user_id", *ROLE_ITEMS))
    found = target.find("users", ids, [user_id, *roles]) if ids else []
    if found is not None:
        return {row[user_id] for row in found if any(row.get(role) for role in roles)}
    written = [item for item in ROLE_ITEMS if before is not None and item in before]
    if before is None or not written:
        return set()
    return set(before.loc[(before[written].fillna("") != "").any(axis=1), "user_id"]) & set(ids)
