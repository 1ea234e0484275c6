"""A search for personal data where none may be: in Airflow's home, and in what its tasks print (L6)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

NAMES = ("last_name", "first_name")
READINGS = ("last_name_yomi", "first_name_yomi")


@cache
def own_words() -> str:
    """What the product and its sample sheets say by themselves; Airflow keeps some of it, whoever is in SmartHR."""
    files = (path for name in ("plugins", "include", "dags") for path in (ROOT / name).rglob("*"))
    return "\n".join(path.read_text(encoding="utf-8") for path in files if path.suffix in (".py", ".yaml", ".json"))


@cache
def _ordinary(name: str) -> bool:
    return name in own_words()


def personal(crew: dict[str, Any]) -> set[str]:
    """What tells who a crew is or how to reach them; a name that may be an ordinary word is joined only (湊商事の湊)."""
    names, readings = ([str(crew.get(item) or "") for item in items] for items in (NAMES, READINGS))
    found = {name for name in names if len(name) > 1} | {reading for reading in readings if len(reading) > 2}
    found = {name for name in found if not _ordinary(name)}
    found |= {joint.join(parts) for parts in (names, readings) for joint in ("", " ", "　")}
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
