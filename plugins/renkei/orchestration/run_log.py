"""What the tasks write into their logs: one line of counts each."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

log = logging.getLogger(__name__)


def log_counts(task_id: str, tenant: str, result: Any) -> None:
    """`diff tenant=acme users.created=2 users.updated=5 …`: what a task found, as far as it gave it back."""
    if isinstance(result, str):
        result = {"result": result}
    elif isinstance(result, list):  # of validate
        result = {"holds": ",".join(result) or "none"}
    pairs = _flat(result) if isinstance(result, Mapping) else ()
    log.info("%s tenant=%s%s", task_id, tenant, "".join(f" {name}={value}" for name, value in pairs))


def _flat(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, object]]:
    for key, one in value.items():
        if key == "told":  # what became of each message has lines of its own
            yield key, len(one)
        elif isinstance(one, Mapping):
            yield from _flat(one, above if key == "counts" else f"{above}{key}.")
        elif key != "at":
            yield f"{above}{key}", one
