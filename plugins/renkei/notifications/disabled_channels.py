"""The channels' states for the Dag's page, in the index folder: parsing may not ask the store (N2).

A copy that may be lost at any time; the truth is the store's (`state.py`).
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from renkei.clock import day_in_japan
from renkei.notifications.state import ChannelState


def write(folder: Path, link: str, tenant: str, states: Mapping[str, ChannelState]) -> bool:
    """Note which of the channels are disabled, and since when; whether that changed what was noted.

    A folder that cannot be written to is passed over: nothing changed there.
    """
    path = _path(folder, link, tenant)
    known = disabled(folder, link, tenant)
    now = {name: since for name, since in known.items() if name not in states}
    now |= {name: day_in_japan(state.disabled_at) for name, state in states.items() if state.disabled_at}
    if now == known:
        return False
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(now, file, ensure_ascii=False)
        os.replace(temporary, path)
        return True
    return False


def disabled(folder: Path, link: str, tenant: str) -> dict[str, str]:
    """The day since when a channel is disabled, by its name."""
    try:
        found = json.loads(_path(folder, link, tenant).read_bytes())
        return {str(name): str(since) for name, since in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _path(folder: Path, link: str, tenant: str) -> Path:
    return folder / "channels" / f"{link}__{tenant}.json"
