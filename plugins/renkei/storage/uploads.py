"""Files that somebody has uploaded and not confirmed: they name people, and nobody else would delete them (L6)."""

from __future__ import annotations

import datetime as dt

from renkei.storage.tenant_folder import TenantFolder

KEPT = dt.timedelta(days=1)


def keep(folder: TenantFolder, digest: str, content: bytes) -> None:
    """Where a file waits for its job, in the place of any before it."""
    for old in folder.store.files(folder.imports):
        folder.store.delete(old)
    folder.store.write(_key(folder, digest), content)


def take(folder: TenantFolder, digest: str) -> bytes:
    """The file, which waits no more: no job is done twice.

    Raises:
        MissingKeyError: it was taken before.
    """
    content = folder.store.read(_key(folder, digest))
    folder.store.delete(_key(folder, digest))
    return content


def _key(folder: TenantFolder, digest: str) -> str:
    return f"{folder.imports}/{digest}"


def tidy(folder: TenantFolder, now: dt.datetime) -> int:
    """Delete those that have waited for longer than a day; how many."""
    keys = [f"{folder.imports}/{name}" for name in folder.store.names(folder.imports)]
    old = [key for key in keys if (at := folder.store.modified(key)) is not None and now - at > KEPT]
    for key in old:
        folder.store.delete(key)
    return len(old)
