"""Forms that are good once: who reloads their answer, or goes back and sends them again, does nothing a second time.

For forms that are answered by a page, which a reload sends again. A mark for each that was sent, a folder a day.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets

from renkei.storage.store import Store

FOLDER = "console/once"
DAYS = 2  # today's forms and yesterday's are good
_FORM = re.compile(r"(\d{4}-\d\d-\d\d)\.[0-9a-f]{32}")


def new(now: dt.datetime) -> str:
    """What a form carries, with the day on which it was drawn."""
    return f"{now.date().isoformat()}.{secrets.token_hex(16)}"


def is_good(form: str, now: dt.datetime) -> bool:
    """Whether it is one of ours, drawn not long ago."""
    found = _FORM.fullmatch(form)
    return found is not None and found[1] in _good(now)


def take(store: Store, form: str, now: dt.datetime) -> bool:
    """Whether a good form is sent for the first time; of two at once one is the first."""
    return is_good(form, now) and store.create(f"{FOLDER}/{form.partition('.')[0]}/{form}", b"")


def tidy(store: Store, now: dt.datetime) -> int:
    """Delete the marks of forms that are not good any more; how many."""
    old = [day for day in store.names(FOLDER) if day < min(_good(now))]
    keys = [key for day in old for key in store.files(f"{FOLDER}/{day}")]
    for key in keys:
        store.delete(key)
    for day in old:
        store.remove_folder(f"{FOLDER}/{day}")
    return len(keys)


def _good(now: dt.datetime) -> set[str]:
    return {(now - dt.timedelta(days=day)).date().isoformat() for day in range(DAYS)}
