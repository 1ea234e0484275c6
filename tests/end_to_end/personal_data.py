"""A search for personal data where none may be: in Airflow's home, and in what its tasks print (L6)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

NAMES = ("last_name", "first_name")
READINGS = ("last_name_yomi", "first_name_yomi")


def personal(crew: dict[str, Any]) -> set[str]:
    """What tells who a crew is or how to reach them; names too short to be told from ordinary words are joined only."""
    names, readings = ([str(crew.get(item) or "") for item in items] for items in (NAMES, READINGS))
    found = {joint.join(parts) for parts in (names, readings) for joint in ("", " ", "　")}
    found |= {name for name in names if len(name) > 1} | {reading for reading in readings if len(reading) > 2}
    telephone = str(crew.get("tel_number") or "")
    found |= {str(crew.get("email") or ""), telephone, telephone.replace("-", "")}
    return {value for value in found if len(value.strip()) > 1}


def found_in_text(values: Iterable[str], text: str) -> list[str]:
    """The values that occur in `text`, as they are or as JSON writes them."""
    return found_in(values, text.encode(errors="surrogateescape"))


def found_in_files(values: Iterable[str], folder: Path) -> list[str]:
    """The values that occur in any file below `folder`; a database counts with its journal and its deleted rows."""
    return found_in(values, b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()))


def found_in(values: Iterable[str], content: bytes) -> list[str]:
    return sorted(
        value for value in values if any(form.encode() in content for form in (value, json.dumps(value)[1:-1]))
    )
