"""A search for personal data where none may be: Airflow's database and what its tasks print (L6)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path


def found_in_text(values: Iterable[str], text: str) -> list[str]:
    """The values that occur in `text`, as they are or as JSON writes them."""
    return sorted(value for value in values if value in text or json.dumps(value)[1:-1] in text)


def found_in_database(values: Iterable[str], database: Path) -> list[str]:
    """The values that occur anywhere in an SQLite file or the journal beside it, deleted rows included."""
    content = b"".join(path.read_bytes() for path in sorted(database.parent.glob(f"{database.name}*")))
    return sorted(v for v in values if v.encode() in content or json.dumps(v)[1:-1].encode() in content)
