"""One company's true state: crews, departments and masters, and the few ways to change them.

A crew is a dict holding the wire fields that have a value, plus references under their own names, which rendering
expands: `department_ids` and `position_ids` (slots, entries may be None), `employment_type_id`, `grade_id`,
`job_category_id`, `recruitment_type_id` and `custom_values` (template id -> value). A wire field of a reference
(`departments`, `positions`, ...) that is present in the dict wins over the reference, so a test can serve anything.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .fields import CREW_FIELDS

# The calendar of every generated company starts here, so that a seed gives the same people for ever.
FIRST_DAY = date(2026, 10, 1)

REFERENCES = frozenset(
    {
        "department_ids",
        "position_ids",
        "employment_type_id",
        "grade_id",
        "job_category_id",
        "recruitment_type_id",
        "custom_values",
    }
)
WRITABLE = frozenset(CREW_FIELDS) | REFERENCES

Crew = dict[str, Any]
Record = dict[str, Any]


class Switches(BaseModel):
    """Answers to what SmartHR does not document; the defaults are those of the reference, section 8."""

    model_config = ConfigDict(extra="forbid")

    per_page_over: Literal["clamp", "reject"] = "clamp"
    per_page_most: int = Field(default=100, ge=1)
    unknown_name: Literal["ignore", "reject"] = "ignore"
    slots: Literal["trimmed", "padded"] = "trimmed"
    no_slots: Literal["empty", "null"] = "empty"
    hidden_fields: list[str] = Field(default_factory=list)
    hidden_as: Literal["omitted", "null"] = "omitted"
    forbidden: list[str] = Field(default_factory=list)
    expanded: list[str] = Field(default_factory=list)  # records written in place of their ids, wherever they stand
    timestamps: Literal["+09:00", "Z"] = "+09:00"
    hidden_crews: list[str] = Field(default_factory=list)  # whom the token's user may not see: they are not there
    hosts: list[str] = Field(default_factory=list)  # of this company alone; by default any host is everybody's


def new_uuid(rng: random.Random) -> str:
    """A version 4 UUID drawn from `rng`."""
    bits = f"{rng.getrandbits(128):032x}"
    return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-{'89ab'[int(bits[16], 16) & 3]}{bits[17:20]}-{bits[20:]}"


def timestamp(day: date, second_of_day: int) -> str:
    """ISO 8601 with milliseconds in Japanese time."""
    hours, rest = divmod(second_of_day, 3600)
    return f"{day.isoformat()}T{hours:02d}:{rest // 60:02d}:{rest % 60:02d}.000+09:00"


class UnknownRecordError(KeyError):
    """No crew or department with that id."""


@dataclass
class Company:
    """The state behind one access token."""

    name: str
    seed: int
    size: int
    token: str
    switches: Switches
    rng: random.Random
    masters: dict[str, list[Record]] = field(default_factory=dict)
    departments: dict[str, Record] = field(default_factory=dict)
    crews: dict[str, Crew] = field(default_factory=dict)
    today: date = FIRST_DAY
    next_code: int = 1
    code_width: int = 5
    used_emails: set[str] = field(default_factory=set)
    # Bumped by every change, so that query results and rendered fragments know when they are stale.
    version: int = 0
    department_version: int = 0

    def now(self) -> str:
        """A moment of the company's own calendar; later changes have later moments."""
        return timestamp(self.today, 9 * 3600 + self.version % 36000)

    def code(self) -> str:
        """The next unused 社員番号."""
        self.next_code += 1
        return str(self.next_code - 1).zfill(self.code_width)

    def add_crew(self, crew: Crew) -> str:
        """Store a new crew; returns its id."""
        self.crews[crew["id"]] = crew
        self.version += 1
        return str(crew["id"])

    def change_crew(self, crew_id: str, **values: Any) -> Crew:
        """Overwrite fields or references of a crew and its `updated_at`, unless that is given."""
        crew = self.crew(crew_id)
        self.version += 1
        crew.update({"updated_at": self.now()} | values)
        return crew

    def remove_crew(self, crew_id: str) -> None:
        """Complete deletion: SmartHR leaves no tombstone."""
        self.crew(crew_id)
        del self.crews[crew_id]
        self.version += 1

    def crew(self, crew_id: str) -> Crew:
        """The stored crew, by id."""
        if crew_id not in self.crews:
            raise UnknownRecordError(crew_id)
        return self.crews[crew_id]

    def department(self, department_id: str) -> Record:
        """The stored department, by id."""
        if department_id not in self.departments:
            raise UnknownRecordError(department_id)
        return self.departments[department_id]

    def add_department(self, name: str, code: str | None, parent_id: str | None, position: int | None = None) -> str:
        """Store a new department below `parent_id`; `position` is numbered when not given."""
        if parent_id is not None:
            self.department(parent_id)
        siblings = [d["position"] for d in self.departments.values() if d["parent_id"] == parent_id]
        department_id = new_uuid(self.rng)
        self.department_version += 1
        self.version += 1
        now = self.now()
        self.departments[department_id] = {
            "id": department_id,
            "name": name,
            "position": position if position is not None else max(siblings, default=0) + 1,
            "code": code,
            "parent_id": parent_id,
            "created_at": now,
            "updated_at": now,
        }
        return department_id

    def change_department(self, department_id: str, **values: Any) -> Record:
        """Overwrite fields of a department and its `updated_at`."""
        department = self.department(department_id)
        parent_id = values.get("parent_id")
        if parent_id is not None and department_id in self.ancestry(parent_id):
            raise ValueError("a department cannot lie below itself")
        self.department_version += 1
        self.version += 1
        department.update({"updated_at": self.now()} | values)
        return department

    def remove_department(self, department_id: str) -> None:
        """Discontinue a department and those below it: gone from the list, its members' slots become null."""
        gone = self.below(department_id)
        for gone_id in gone:
            del self.departments[gone_id]
        for crew in self.crews.values():
            if gone.intersection(crew.get("department_ids") or ()):
                crew["department_ids"] = [None if d in gone else d for d in crew["department_ids"]]
        self.department_version += 1
        self.version += 1

    def ancestry(self, department_id: str) -> list[str]:
        """Ids from this department up to its root."""
        chain = []
        current: str | None = department_id
        while current is not None:
            chain.append(current)
            current = self.department(current)["parent_id"]
        return chain

    def below(self, department_id: str) -> set[str]:
        """This department and every one under it."""
        self.department(department_id)
        children = self.children()
        found: set[str] = set()
        todo = [department_id]
        while todo:
            current = todo.pop()
            found.add(current)
            todo += [child["id"] for child in children.get(current, [])]
        return found

    def children(self) -> dict[str | None, list[Record]]:
        """Departments by parent id (None: the first level), in display order."""
        by_parent: dict[str | None, list[Record]] = {}
        for department in self.departments.values():
            by_parent.setdefault(department["parent_id"], []).append(department)
        for siblings in by_parent.values():
            siblings.sort(key=lambda d: (d["position"], d["id"]))
        return by_parent

    def department_order(self) -> list[Record]:
        """All departments in tree order."""
        children = self.children()
        ordered: list[Record] = []
        todo = list(reversed(children.get(None, [])))
        while todo:
            department = todo.pop()
            ordered.append(department)
            todo += reversed(children.get(department["id"], []))
        return ordered

    def next_day(self) -> None:
        """Move the company's calendar on by one day."""
        self.today += timedelta(days=1)
