"""Routes of `/_sim`: tests and benches set up companies, play days and cause faults here. No authentication."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from . import query
from .company import WRITABLE, Company, Switches, UnknownRecordError
from .day import Day, play
from .faults import Fault, check
from .generator import Staff, generate
from .limits import Limits
from .server import Served, World


class NewCompany(BaseModel):
    """A company to generate; `switches` as in `company.Switches`."""

    model_config = ConfigDict(extra="forbid")

    name: str
    seed: int = 1
    size: int = Field(100, ge=0)
    token: str | None = None
    missing_codes: float = 0.0
    missing_codes_retired: float = 0.03
    switches: Switches = Field(default_factory=Switches)


class NewDepartment(BaseModel):
    """A department to add."""

    model_config = ConfigDict(extra="forbid")

    name: str
    code: str | None = None
    parent_id: str | None = None
    position: int | None = None


class DepartmentChange(BaseModel):
    """New values of a department; what is not sent stays."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    code: str | None = None
    parent_id: str | None = None
    position: int | None = None


def control(world: World) -> APIRouter:
    """Routes of `/_sim`."""
    router = APIRouter(prefix="/_sim")

    def served(name: str) -> Served:
        if name not in world.companies:
            raise HTTPException(404, f"no company {name}")
        return world.companies[name]

    @router.post("/companies", status_code=201)
    async def put_company(new: NewCompany) -> dict[str, Any]:
        company = generate(**new.model_dump(exclude={"switches"}), switches=new.switches)
        world.put(company)
        return _summary(company)

    @router.get("/companies")
    async def list_companies() -> list[dict[str, Any]]:
        return [_summary(each.company) for each in world.companies.values()]

    @router.patch("/companies/{name}")
    async def change_switches(name: str, switches: Switches) -> dict[str, Any]:
        """Switches that are not sent keep their setting."""
        company = served(name).company
        company.switches = company.switches.model_copy(update=switches.model_dump(exclude_unset=True))
        return _summary(company)

    @router.delete("/companies/{name}", status_code=204)
    async def remove_company(name: str) -> None:
        served(name)
        del world.companies[name]

    @router.get("/companies/{name}/crews")
    async def true_crews(name: str, request: Request) -> Response:
        """All crews in id order, unpaged, whatever the token may see; the filters and `fields` of the API work."""
        it = served(name)
        fields = query.fields(it.company, request.query_params)
        ids = it.crew_ids(request.query_params)
        rows = [it.renderer.crew(it.company.crews[crew_id], fields, true_state=True) for crew_id in ids]
        return Response("[" + ",".join(rows) + "]", media_type="application/json")

    @router.post("/companies/{name}/crews", status_code=201)
    async def add_crew(name: str, values: dict[str, Any]) -> dict[str, str]:
        """A new invented crew with the given values in place of invented ones."""
        company = served(name).company
        values = _crew_values(company, values)
        return {"id": company.add_crew(Staff(company).person(company.today) | values)}

    @router.patch("/companies/{name}/crews/{crew_id}")
    async def change_crew(name: str, crew_id: str, values: dict[str, Any]) -> Response:
        it = served(name)
        values = _crew_values(it.company, values, it.company.crew(crew_id))
        if "id" in values:
            raise HTTPException(400, "the id of a crew never changes")
        crew = it.company.change_crew(crew_id, **values)
        return Response(it.renderer.crew(crew, true_state=True), media_type="application/json")

    @router.delete("/companies/{name}/crews/{crew_id}", status_code=204)
    async def remove_crew(name: str, crew_id: str) -> None:
        served(name).company.remove_crew(crew_id)

    @router.get("/companies/{name}/departments")
    async def true_departments(name: str) -> Response:
        it = served(name)
        rows = [it.renderer.department(department) for department in it.company.department_order()]
        return Response("[" + ",".join(rows) + "]", media_type="application/json")

    @router.post("/companies/{name}/departments", status_code=201)
    async def add_department(name: str, new: NewDepartment) -> dict[str, str]:
        return {"id": served(name).company.add_department(new.name, new.code, new.parent_id, new.position)}

    @router.patch("/companies/{name}/departments/{department_id}")
    async def change_department(name: str, department_id: str, change: DepartmentChange) -> Response:
        it = served(name)
        try:
            department = it.company.change_department(department_id, **change.model_dump(exclude_unset=True))
        except ValueError as exc:
            raise HTTPException(400, str(exc)) from exc
        return Response(it.renderer.department(department), media_type="application/json")

    @router.delete("/companies/{name}/departments/{department_id}", status_code=204)
    async def remove_department(name: str, department_id: str) -> None:
        served(name).company.remove_department(department_id)

    @router.post("/companies/{name}/day")
    async def play_day(name: str, day: Day) -> dict[str, Any]:
        return play(served(name).company, day)

    @router.post("/faults", status_code=201)
    async def add_faults(faults: list[Fault]) -> list[dict[str, Any]]:
        for fault in faults:
            try:
                check(fault)
            except ValueError as exc:
                raise HTTPException(400, str(exc)) from exc
        world.faults.add(faults)
        return world.faults.listing()

    @router.get("/faults")
    async def list_faults() -> list[dict[str, Any]]:
        return world.faults.listing()

    @router.delete("/faults", status_code=204)
    async def clear_faults() -> None:
        world.faults.clear()

    @router.get("/requests")
    async def requests() -> list[dict[str, Any]]:
        return [
            {"company": company or None, "path": path} | asdict(count)
            for (company, path), count in world.counts.items()
        ]

    @router.delete("/requests", status_code=204)
    async def reset_requests() -> None:
        world.counts.clear()

    @router.get("/limits")
    async def limits() -> Limits:
        return world.limits

    @router.post("/limits")
    async def set_limits(limits: dict[str, int]) -> Limits:
        if not limits.keys() <= {"per_second", "per_hour"} or any(value < 1 for value in limits.values()):
            raise HTTPException(400, "per_second and per_hour, each 1 or more")
        world.limits.per_second = limits.get("per_second", world.limits.per_second)
        world.limits.per_hour = limits.get("per_hour", world.limits.per_hour)
        # A changed limit starts afresh, so that a test does not inherit what an earlier one has used.
        world.budgets.clear()
        return world.limits

    return router


async def unknown_record(_: Request, exc: Exception) -> Response:
    """404 of the control routes for an id that does not exist."""
    assert isinstance(exc, UnknownRecordError)
    return Response(json.dumps({"detail": f"no record {exc.args[0]}"}), 404, media_type="application/json")


def _summary(company: Company) -> dict[str, Any]:
    return {
        "name": company.name,
        "seed": company.seed,
        "size": company.size,
        "token": company.token,
        "crews": len(company.crews),
        "departments": len(company.departments),
        "date": company.today.isoformat(),
        "switches": company.switches.model_dump(),
    }


def _crew_values(company: Company, values: dict[str, Any], crew: dict[str, Any] | None = None) -> dict[str, Any]:
    """Values as stored: `custom_values` may name a custom field instead of its template id, and adds to those set."""
    if unknown := sorted(values.keys() - WRITABLE):
        raise HTTPException(400, f"no crew field {', '.join(unknown)}")
    titles = {title["id"] for title in company.masters["job_titles"]}
    for key, known in (("department_ids", company.departments.keys()), ("position_ids", titles)):
        if not set(values.get(key) or ()) <= {*known, None}:
            raise HTTPException(400, f"{key}: no such id")
    if "custom_values" in values:
        ids = {t["name"]: t["id"] for t in company.masters["crew_custom_field_templates"]}
        custom = {ids.get(key, key): value for key, value in values["custom_values"].items()}
        if not custom.keys() <= set(ids.values()):
            raise HTTPException(400, "custom_values: no such custom field")
        values = values | {"custom_values": ((crew or {}).get("custom_values") or {}) | custom}
    if crew is None and values.get("id") in company.crews:
        raise HTTPException(409, "a crew with that id exists")
    return values
