"""A day in the life of a company: who joins, leaves, moves, and what is reorganised."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from .company import Company
from .generator import Staff


class Day(BaseModel):
    """How many of each change; see the package docstring."""

    model_config = ConfigDict(extra="forbid")

    joiners: int = Field(0, ge=0)
    leavers: int = Field(0, ge=0)
    retirements: int = Field(0, ge=0)
    moves: int = Field(0, ge=0)
    renumbered: int = Field(0, ge=0)
    reorganised: int = Field(0, ge=0)
    lost_codes: int = Field(0, ge=0)
    blank_names: int = Field(0, ge=0)


def play(company: Company, day: Day) -> dict[str, Any]:
    """Apply a day's changes; each crew is touched by one kind at most, reorganisation apart.

    Returns crew ids per kind, and under `departments` the ids renamed, moved and added.
    """
    company.next_day()
    rng = company.rng
    active = [crew_id for crew_id, crew in company.crews.items() if crew.get("emp_status") != "retired"]
    rng.shuffle(active)
    touched: dict[str, Any] = {"date": company.today.isoformat()}

    def take(kind: str) -> list[str]:
        wanted = getattr(day, kind)
        touched[kind] = [active.pop() for _ in range(min(wanted, len(active)))]
        return list(touched[kind])

    for crew_id in take("leavers"):
        company.remove_crew(crew_id)
    for crew_id in take("retirements"):
        company.change_crew(
            crew_id, emp_status="retired", resigned_at=company.today.isoformat(), resigned_reason="自己都合"
        )
    staff = Staff(company)
    for crew_id in take("moves") if staff.leaves else ():
        slots = list(company.crew(crew_id).get("department_ids") or []) or [None]
        others = [d for d in staff.leaves if d != slots[0]]
        company.change_crew(crew_id, department_ids=[rng.choice(others or staff.leaves), *slots[1:]])
    for crew_id in take("renumbered"):
        company.change_crew(crew_id, emp_code=company.code())
    for crew_id in take("lost_codes"):
        company.change_crew(crew_id, emp_code=None)
    for crew_id in take("blank_names"):
        company.change_crew(crew_id, last_name="", first_name="")
    touched["departments"] = _reorganise(company, day.reorganised)
    staff = Staff(company)
    touched["joiners"] = [company.add_crew(staff.person(company.today)) for _ in range(day.joiners)]
    changed = {d for kind in ("renamed", "moved") for root in touched["departments"][kind] for d in company.below(root)}
    touched["reorganised"] = [
        crew_id for crew_id, crew in company.crews.items() if changed.intersection(crew.get("department_ids") or ())
    ]
    return touched


def _reorganise(company: Company, number: int) -> dict[str, list[str]]:
    """Rename and re-parent departments by turns and found one new department for each."""
    rng = company.rng
    result: dict[str, list[str]] = {"renamed": [], "moved": [], "added": []}
    pool = list(company.departments)
    rng.shuffle(pool)
    for turn in range(min(number, len(pool))):
        department = company.department(pool[turn])
        barred = company.below(department["id"]) | {department["parent_id"]}
        parents = [d for d in company.departments if d not in barred and len(company.ancestry(d)) < 3]
        if turn % 2 and parents:
            company.change_department(department["id"], parent_id=rng.choice(parents))
            result["moved"].append(department["id"])
        else:
            company.change_department(department["id"], name=f"新{department['name']}")
            result["renamed"].append(department["id"])
        serial = len(company.departments) + 1
        codes = {d["code"] for d in company.departments.values()}
        while f"D{serial:05d}" in codes:
            serial += 1
        roots = [d for d in company.departments if len(company.ancestry(d)) == 1]
        added = company.add_department(f"新設第{serial}部", f"D{serial:05d}", rng.choice(roots) if roots else None)
        result["added"].append(added)
    return result
