"""Files that somebody has uploaded and not confirmed: they name people, and nobody else would delete them (L6)."""

from __future__ import annotations

import datetime as dt

from renkei.storage.tenant_folder import TenantFolder

KEPT = dt.timedelta(days=1)


def tidy(folder: TenantFolder, now: dt.datetime) -> int:
    """Delete those that have waited for longer than a day; how many."""
    keys = [f"{folder.imports}/{name}" for name in folder.store.names(folder.imports)]
    old = [key for key in keys if (at := folder.store.modified(key)) is not None and now - at > KEPT]
    for key in old:
        folder.store.delete(key)
    return len(old)
