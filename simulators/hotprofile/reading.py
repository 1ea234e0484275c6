"""Which records a search takes, and how a record looks on the wire."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from simulators.clock import TOKYO
from simulators.hotprofile.instance import Instance, Kind, Table, Values
from simulators.hotprofile.invent import mixed

MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
DAY = re.compile(r"\d{4}/\d\d/\d\d")
TEXTS: dict[Kind, frozenset[str]] = {
    "clients": frozenset({"client_name", "name_kana", "name_disp", "zip", "address", "main_tel", "url", "note"}),
    "leads": frozenset(
        {
            *("family_name", "first_name", "family_name_kana", "first_name_kana", "client_name", "post", "tel"),
            *("email", "mobile_tel", "zip", "address", "url", "note", "organization_name"),
        }
    ),
}


class BadSearchError(ValueError):
    """A parameter that the service cannot read; the text names it."""


def number_of(raw: Any, name: str) -> int:
    """A whole number, as such or as text."""
    text = str(raw)
    if isinstance(raw, bool) or not re.fullmatch(r"\d{1,18}", text):
        raise BadSearchError(name)
    return int(text)


def moment_of(raw: Any, name: str) -> int:
    """`yyyy-MM-dd HH:mm:ss` of Japan as seconds since the epoch."""
    if not isinstance(raw, str) or not MOMENT.fullmatch(raw):
        raise BadSearchError(name)
    try:
        return int(datetime.fromisoformat(raw).replace(tzinfo=TOKYO).timestamp())
    except ValueError:
        raise BadSearchError(name) from None


def day_of(raw: Any, name: str, *, ends: bool) -> int:
    """`yyyy/mm/dd` as the first or the last second of that day in Japan."""
    if not isinstance(raw, str) or not DAY.fullmatch(raw):
        raise BadSearchError(name)
    try:
        day = datetime.strptime(raw, "%Y/%m/%d").replace(tzinfo=TOKYO)
    except ValueError:
        raise BadSearchError(name) from None
    return int((day + timedelta(days=1)).timestamp()) - 1 if ends else int(day.timestamp())


def select(instance: Instance, kind: Kind, search: Values, user: str) -> list[int]:
    """Ids by ascending order that the search takes and the key's user may see.

    Raises:
        BadSearchError: a parameter with a value that cannot be read. Unknown ones are ignored (guess).
    """
    table = instance.tables[kind]
    first = number_of(search["from_id"], "from_id") if search.get("from_id") not in (None, "") else 0
    last = number_of(search["to_id"], "to_id") if search.get("to_id") not in (None, "") else None
    rest = {
        name: value for name, value in search.items() if name not in ("from_id", "to_id") and value not in (None, "")
    }
    key = (user if kind == "leads" else "", *sorted((name, str(value)) for name, value in rest.items()))
    if key not in table.selected:
        table.selected[key] = _matching(table, kind, rest, user)
    found = table.selected[key]
    return found[bisect_left(found, first) : bisect_right(found, last) if last is not None else None]


def _matching(table: Table, kind: Kind, search: Values, user: str) -> list[int]:
    low, high = 0, 1 << 62
    tests: list[Callable[[int], bool]] = []
    ids: list[int] | None = None
    for name, value in search.items():
        match name:
            case "from_datetime_updated_on":
                low = max(low, moment_of(value, name))
            case "to_datetime_updated_on":
                high = min(high, moment_of(value, name))
            case "from_updated_on":
                low = max(low, day_of(value, name, ends=False))
            case "to_updated_on":
                high = min(high, day_of(value, name, ends=True))
            case "ids" if kind == "leads":
                wanted = value if isinstance(value, list) else str(value).split(",")
                ids = sorted({number_of(each, name) for each in wanted} & table.rows.keys())
            case _ if name in TEXTS[kind]:
                tests.append(_containing(table, "name" if name == "client_name" and kind == "clients" else name, value))
    rows = table.rows
    found = [each for each in (table.ids if ids is None else ids) if low <= rows[each].updated <= high]
    if kind == "leads":
        found = [each for each in found if (seen_by := rows[each].seen_by) is None or user in seen_by]
    return [each for each in found if all(test(each) for test in tests)] if tests else found


def _containing(table: Table, name: str, part: Any) -> Callable[[int], bool]:
    return lambda number: str(part) in str(table.values(number).get(name) or "")


def in_order(instance: Instance, ids: list[int], key: str, kind: str) -> list[int]:
    """A list that asks for no order comes as the setting says, and nobody may rely on it (guess)."""
    if key == "id":
        return ids if kind != "desc" else ids[::-1]
    match instance.settings.order:
        case "oldest":
            return ids
        case "newest":
            return ids[::-1]
    return sorted(ids, key=lambda number: mixed(0, number, 0))


def told(table: Table, number: int, *, iso: bool = False) -> Values:
    """A record as the API writes it. `iso`: dates as page.date_format_option asks for (guess)."""
    row = table.rows[number]
    return {
        "id": number,
        **table.values(number),
        "created_at": written(row.created, iso),
        "updated_at": written(row.updated, iso),
    }


def written(seconds: int, iso: bool = False) -> str:
    at = datetime.fromtimestamp(seconds, UTC).astimezone(TOKYO)
    return at.isoformat() if iso else at.strftime("%Y/%m/%d %H:%M:%S")  # (guess) the form of the dates, with a time
