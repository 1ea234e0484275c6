"""Routes of `/_sim`: what an administrator or a time recorder does, and what a test has to know."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import PlainTextResponse
from pydantic import AwareDatetime, ValidationError

from simulators.clock import TOKYO
from simulators.kingoftime.company import Code, Company, Definition, Employee, Settings, Strict, Token


class NewPunch(Strict):
    """A punch of a time recorder: `date` is the working day by the 所属's 日付変更時間 unless it is said."""

    code: str
    time: AwareDatetime
    kind: Code
    date: str = ""
    by: str = "タイムレコーダー"


def build_control(company: Company) -> APIRouter:
    router = APIRouter(prefix="/_sim")

    def employee_of(code: str) -> Employee:
        found = company.by_code(code)
        if found is None:
            raise HTTPException(404, f"no employee {code}")
        return found

    @router.post("/reset", status_code=204)
    async def reset() -> Response:
        """Nobody, no token, no punch, the machine's time. Faults are apart."""
        company.empty()
        return Response(status_code=204)

    @router.post("/definition", status_code=204)
    async def define(definition: Definition) -> Response:
        """Add 所属, 雇用区分, employees and tokens; each takes the place of one with its code or key."""
        try:
            company.define(definition)
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        return Response(status_code=204)

    @router.get("/employees")
    async def employees() -> list[Employee]:
        return list(company.employees.values())

    @router.patch("/employees/{code}")
    async def change(code: str, values: dict[str, Any]) -> Employee:
        """New values, among them another `code`; the key stays."""
        found = employee_of(code)
        try:
            return company.put(Employee.model_validate(found.model_dump() | values | {"key": found.key}))
        except ValueError as error:  # pydantic's is one too
            raise HTTPException(422, str(error)) from error

    @router.delete("/employees/{code}", status_code=204)
    async def delete(code: str) -> Response:
        """The employee and their punches are gone."""
        key = employee_of(code).key
        for number in [one.number for one in company.punches.values() if one.key == key]:
            company.remove(number)
        del company.employees[key]
        return Response(status_code=204)

    @router.put("/tokens/{token}", status_code=204)
    async def grant(token: str, granted: Token) -> Response:
        """A token with exactly these rights and addresses."""
        company.tokens[token] = granted
        return Response(status_code=204)

    @router.delete("/tokens/{token}", status_code=204)
    async def revoke(token: str) -> Response:
        if company.tokens.pop(token, None) is None:
            raise HTTPException(404, "no such token")
        return Response(status_code=204)

    @router.get("/punches")
    async def punches() -> list[dict[str, Any]]:
        """Every punch in the order of arrival, with the employee's code."""
        return [
            {**asdict(one), "employee": company.employees[one.key].code, "kind": one.code}
            for one in company.punches.values()
        ]

    @router.post("/punches", status_code=201)
    async def punch(new: NewPunch) -> int:
        employee, local = employee_of(new.code), new.time.astimezone(TOKYO)
        day = new.date or company.divisions[employee.divisionCode].working_day(local).isoformat()
        return company.punch(employee, day, local.isoformat(timespec="seconds"), new.kind, by=new.by).number

    @router.delete("/punches/{number}", status_code=204)
    async def remove(number: int) -> Response:
        """As on 打刻編集."""
        if not company.remove(number):
            raise HTTPException(404, f"no punch {number}")
        return Response(status_code=204)

    @router.get("/errors")
    async def errors(day: str) -> dict[str, list[str]]:
        """Who has an エラー勤務 on a day, by code, and why."""
        found = {company.employees[key].code: company.faults_of(day, each) for key, each in company.of_day(day).items()}
        return {code: reasons for code, reasons in found.items() if reasons}

    @router.get("/settings")
    async def settings() -> Settings:
        return company.settings

    @router.post("/settings")
    async def set_settings(given: dict[str, Any]) -> Settings:
        """Those that are sent; the others stay."""
        try:
            company.settings = Settings.model_validate(company.settings.model_dump() | given)
        except ValidationError as error:
            raise HTTPException(422, error.errors(include_context=False, include_url=False)) from error
        return company.settings

    @router.get("/asked")
    async def asked() -> list[dict[str, Any]]:
        """The latest 200,000 requests that reached the API, oldest first."""
        return [asdict(each) for each in company.asked]

    @router.get("/state", response_class=PlainTextResponse)
    async def current() -> str:
        """Changes with the punches: the page asks for it and shows itself anew."""
        return f"{len(company.punches)}-{max(company.punches, default=0)}"

    return router
