"""Things that go wrong on demand: which requests a fault hits, and what it does to a page of a list.

Faults that replace the whole answer (an error, a broken connection) are carried out by the server.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .company import WRITABLE, Company, new_uuid
from .fields import CREW_FIELDS
from .generator import Staff

Kind = Literal[
    "slow",
    "status_429",
    "status_500",
    "maintenance_503",
    "maintenance_json",
    "truncated",
    "not_json",
    "repeated_page",
    "shifted_page",
    "resorted_page",
    "short_total",
    "wrong_total",
    "expired_token",
    "forbidden",
    "ip_not_permitted",
    "empty",
    "null_crew",
    "missing_id",
    "hidden_attribute",
    "change_while_reading",
    "drop_connection",
    "lost_answer",
]


class Fault(BaseModel):
    """A fault as posted to `/_sim/faults`; the package docstring tells what each kind does."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    path: str = "/api/v1/"
    page: int | None = None
    company: str | None = None
    times: int | None = None
    after: int = 0
    seconds: float = 1.0
    delta: int | None = None
    field: str | None = None
    hidden_as: Literal["omitted", "null"] = "omitted"
    delete: int = 0
    insert: int = 0
    changes: dict[str, dict[str, Any] | None] = Field(default_factory=dict)


@dataclass
class _Armed:
    fault: Fault
    seen: int = 0
    fired: int = 0


class Faults:
    """The faults in force, in the order they were posted."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []

    def add(self, faults: list[Fault]) -> None:
        """Put faults in force after those already there."""
        self._armed += [_Armed(fault) for fault in faults]

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._armed.clear()

    def listing(self) -> list[dict[str, Any]]:
        """Every fault with the number of requests it matched and hit."""
        return [armed.fault.model_dump() | {"seen": armed.seen, "fired": armed.fired} for armed in self._armed]

    def take(self, company: str, path: str, page: int) -> list[Fault]:
        """Faults that hit this request; each match is counted."""
        hits = []
        for armed in self._armed:
            fault = armed.fault
            if fault.path not in path or fault.company not in (None, company) or fault.page not in (None, page):
                continue
            armed.seen += 1
            # A change in the middle of a read is an event, not a state: once unless told otherwise.
            times = 1 if fault.times is None and fault.kind == "change_while_reading" else fault.times
            if armed.seen <= fault.after or (times is not None and armed.fired >= times):
                continue
            armed.fired += 1
            hits.append(fault)
        return hits


@dataclass
class Window:
    """Which rows of a list a page shows, and the total it claims."""

    start: int
    stop: int
    total: int


def bend_window(faults: list[Fault], window: Window) -> Window:
    """The rows and the total that are served instead of the true ones."""
    size = window.stop - window.start
    start, total = window.start, window.total
    for fault in faults:
        match fault.kind:
            case "repeated_page":
                start = max(0, start - size)
            case "shifted_page":
                start += 1
            case "short_total":
                total = max(0, total + (-1 if fault.delta is None else fault.delta))
            case "wrong_total":
                total = max(0, total + (7 if fault.delta is None else fault.delta))
            case "empty":
                return Window(0, 0, 0)
    return Window(start, start + size, total)


def reorder(faults: list[Fault], rows: list[Any]) -> list[Any]:
    """The whole list in the order in which a page is cut from it."""
    return rows[::-1] if any(fault.kind == "resorted_page" for fault in faults) else rows


def bend_rows(faults: list[Fault], rows: list[str]) -> list[str]:
    """JSON texts of a page's records, spoilt as the faults say."""
    for fault in faults:
        match fault.kind:
            case "null_crew" if rows:
                first = json.loads(rows[0])
                rows[0] = json.dumps({key: value if key == "id" else None for key, value in first.items()})
            case "missing_id" if rows:
                first = json.loads(rows[0])
                first.pop("id", None)
                rows[0] = json.dumps(first, ensure_ascii=False)
            case "hidden_attribute":
                rows = [_hide(row, fault) for row in rows]
    return rows


def _hide(row: str, fault: Fault) -> str:
    record = json.loads(row)
    if fault.field in record:
        if fault.hidden_as == "null":
            record[fault.field] = None
        else:
            del record[fault.field]
    return json.dumps(record, ensure_ascii=False)


def change_while_reading(company: Company, fault: Fault, crew_ids: list[str]) -> None:
    """Delete the first crews of the list and insert crews before it, so that every later page moves; then `changes`."""
    for crew_id in crew_ids[: fault.delete]:
        company.remove_crew(crew_id)
    rng = random.Random(company.version)
    staff = Staff(company)
    for _ in range(fault.insert):
        crew = staff.person(company.today)
        crew["id"] = f"00000000-{new_uuid(rng)[9:]}"
        company.add_crew(crew)
    for crew_id, values in fault.changes.items():
        if values is None:
            company.remove_crew(crew_id)
        elif crew_id in company.crews:
            company.change_crew(crew_id, **values)
        else:
            company.add_crew(staff.person(company.today) | values | {"id": crew_id})


def check(fault: Fault) -> None:
    """Refuse a fault that could do nothing."""
    if fault.kind == "hidden_attribute" and fault.field not in CREW_FIELDS:
        raise ValueError("hidden_attribute needs field, a crew field name")
    if fault.kind == "change_while_reading" and not (fault.delete + fault.insert or fault.changes):
        raise ValueError("change_while_reading needs delete, insert or changes")
    if unknown := {name for values in fault.changes.values() for name in values or ()} - (WRITABLE - {"id"}):
        raise ValueError(f"changes: no crew field {', '.join(sorted(unknown))}")
