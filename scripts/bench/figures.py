"""A measured figure with its target, and the fresh processes that figures are measured in."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from scripts.local_airflow import COMPOSE, PROJECT

Say = Callable[[str], None]


@dataclass(frozen=True)
class Figure:
    """One measured value. `target` is `<`, `≥` or `=` with its limit; without one there is nothing to meet."""

    group: str  # F1 … F10
    what: str
    value: float
    unit: str = "s"
    target: tuple[str, float] | None = None
    note: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)  # for the JSON alone

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        sign, limit = self.target
        return {"<": self.value < limit, "≥": self.value >= limit, "=": self.value == limit}[sign]

    def as_json(self) -> dict[str, Any]:
        target = f"{self.target[0]} {self.target[1]:g}" if self.target else None
        return {**asdict(self), "target": target, "met": self.met}


def child(module: str, *arguments: object, environment: Mapping[str, str] | None = None) -> Any:
    """What `python -m module` prints as the JSON of its last line, in a process of its own.

    Raises:
        RuntimeError: it failed; with the end of what it complained of.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "RENKEI_"))}
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=PROJECT,
        env={**clean, **COMPOSE, "PYTHONPATH": f"{PROJECT / 'plugins'}:{PROJECT}", **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{module} {arguments} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load_before": os.getloadavg()[0],
    }
