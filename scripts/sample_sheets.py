"""The sample sheets, as the demo's companies fill them in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from scripts.local_airflow import PROJECT


def write_sample(mappings: Path, link: str, tenant: str, change: Callable[[dict[str, Any]], None]) -> Path:
    """The link's sample, changed; one that is there stays, somebody may have changed it."""
    file = mappings / link / f"{tenant}.yaml"
    if not file.exists():
        sheet = yaml.safe_load((PROJECT / "include" / "mappings" / link / "sample.yaml").read_text(encoding="utf-8"))
        change(sheet)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(sheet, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return file
