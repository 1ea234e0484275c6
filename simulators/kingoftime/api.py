"""The WebAPI, `/v1.0/…`: employees, 所属, 雇用区分, punches and tokens."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Coroutine
from datetime import date, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from simulators.kingoftime.company import BREAKS, KINDS, Asked, Company, Employee, Punch, Right
from simulators.kingoftime.errors import KotError, forbidden_hours, invalid, nobody, too_many, unauthenticated

FORBIDDEN = (("08:30", "10:00"), ("17:30", "18:30"))  # of Japan, the end not included
ADDITIONAL = {
    *("lastNamePhonetics", "firstNamePhonetics", "hiredDate", "birthDate", "resignationDate", "emailAddresses"),
    "allDayRegardingWorkInMinute",
}
YEARS_BACK, YEARS_AHEAD, MAX_DAYS = 3, 1, 62
DAY = re.compile(r"\d{4}-\d\d-\d\d")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+09:00")
PERSONAL = ("code", "lastName", "firstName", "gender")


def build_api(company: Company) -> APIRouter:
    class Route(APIRoute):
        """Turns a KotError into an answer, and notes what was asked."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handler = super().get_route_handler()

            async def answer(request: Request) -> Response:
                try:
                    response = await handler(request)
                except KotError as error:
                    shape = "flat" if error.code == 303 else company.settings.error_shape
                    response = JSONResponse(error.body(shape), error.status)
                at = company.now().isoformat()
                company.asked.append(Asked(at, request.method, request.url.path, response.status_code))
                return response

            return answer

    router = APIRouter(prefix="/v1.0", route_class=Route)

    def admit(request: Request, right: Right | None) -> None:
        """Refuse what the token does not open, and all but writing punches in the forbidden hours.

        Which of the refusals comes first is a guess.
        """
        if not company.admits():
            raise too_many()
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        token = company.tokens.get(given) if scheme == "Bearer" else None
        address = request.client.host if request.client else ""
        if token is None or not token.allows(address) or (right and right not in token.rights):
            raise unauthenticated()
        if right != "timerecord:write" and is_forbidden(company.now()):
            raise forbidden_hours()

    def in_reach(day: date) -> date:
        today = company.now().date()
        if not years(today, -YEARS_BACK) <= day <= years(today, YEARS_AHEAD):
            raise invalid("date is out of range")
        return day

    def told(employee: Employee, *names: str) -> dict[str, Any]:
        """The employee with what was asked for besides; null is left out."""
        body = {
            "divisionCode": employee.divisionCode,
            "divisionName": company.divisions[employee.divisionCode].name,
            "typeCode": employee.typeCode,
            "typeName": company.types[employee.typeCode].name,
            **employee.model_dump(mode="json", include={*PERSONAL, *names}),
            "employeeGroups": [],
        }
        return {name: value for name, value in body.items() if value is not None}

    def selected(request: Request) -> tuple[date, set[str], bool]:
        query = request.query_params
        day = in_reach(day_of(query["date"], "date")) if "date" in query else company.now().date()
        additional = listed(request, "additionalFields")
        if unknown := additional - ADDITIONAL:
            raise invalid(f"additionalFields is invalid: {', '.join(sorted(unknown))}")
        return day, additional, flag(request, "includeResigner")

    @router.get("/employees")
    async def employees(request: Request) -> JSONResponse:
        admit(request, "employees:read")
        day, additional, resigned = selected(request)
        division = request.query_params.get("division")
        if division is not None and division not in company.divisions:
            raise invalid("division not found")
        return answered(
            told(one, "key", *additional)
            for one in company.employees.values()
            if division in (None, one.divisionCode) and (resigned or one.employed(day))
        )

    @router.get("/employees/{code}")
    async def employee(request: Request, code: str) -> JSONResponse:
        admit(request, "employees:read")
        day, additional, resigned = selected(request)
        found = company.by_code(code)
        if found is None or not (resigned or found.employed(day)):
            raise nobody()
        return JSONResponse(told(found, "key", *additional))

    @router.get("/divisions")
    async def divisions(request: Request) -> JSONResponse:
        admit(request, "divisions:read")
        return answered(one.model_dump() for one in company.divisions.values())

    @router.get("/working-types")
    async def working_types(request: Request) -> JSONResponse:
        admit(request, "working-types:read")
        return answered({"code": one.code, "name": one.name} for one in company.types.values())

    @router.post("/daily-workings/timerecord/{key}")
    async def register(request: Request, key: str) -> JSONResponse:
        admit(request, "timerecord:write")
        body = object_of(request, await request.body())
        employee = company.employees.get(key)
        if employee is None:
            raise nobody()
        day = in_reach(day_of(body.get("date"), "date"))
        at = moment_of(body.get("time"))
        if abs(at.date() - day) > timedelta(days=1):
            raise invalid("date and time are more than a day apart")
        if not employee.employed(day):
            raise invalid("employee has resigned")
        division = body.get("divisionCode") or employee.divisionCode
        if division not in company.divisions:
            raise invalid("division not found")
        code = code_of(body.get("code")) or decided(company.of_day(day.isoformat()).get(key, []))
        if code in BREAKS and not company.types[employee.typeCode].breaks:
            raise invalid("break time record is not allowed for this employee")
        place = {name: number_of(body, name, most) for name, most in (("latitude", 90), ("longitude", 180))}
        made = company.punch(employee, day.isoformat(), body["time"], code, division, by="API", **place)
        record = told_punch(company, made)
        return JSONResponse({"date": made.date, "employeeKey": key, "timeRecord": record}, 201)

    def day_told(request: Request, day: str) -> dict[str, Any]:
        query = request.query_params
        keys, division = listed(request, "employeeKeys"), query.get("division")
        if keys and division is not None:
            raise invalid("employeeKeys cannot be used with division")
        if unknown := listed(request, "additionalFields") - {"currentDateEmployee"}:
            raise invalid(f"additionalFields is invalid: {', '.join(sorted(unknown))}")
        by_punch, workings = flag(request, "ondivision"), []
        for key, punches in company.of_day(day).items():
            employee = company.employees[key]
            if division is not None and by_punch:
                punches = [one for one in punches if one.division == division]
            elif division not in (None, employee.divisionCode):
                continue
            if punches and (not keys or key in keys):
                records = [told_punch(company, one) for one in punches]
                working: dict[str, Any] = {"date": day, "employeeKey": key, "timeRecord": records}
                if "additionalFields" in query:
                    working["currentDateEmployee"] = told(employee)
                workings.append(working)
        return {"date": day, "dailyWorkings": workings}

    @router.get("/daily-workings/timerecord")
    async def days(request: Request) -> JSONResponse:
        """Every day of the period, and of it those who punched (guess)."""
        admit(request, "timerecord:read")
        today, query = company.now().date(), request.query_params
        start = in_reach(day_of(query["start"], "start")) if "start" in query else today
        end = in_reach(day_of(query["end"], "end")) if "end" in query else max(start, today)
        if not 0 <= (end - start).days < MAX_DAYS:
            raise invalid(f"start and end must be in order and within {MAX_DAYS} days")
        period = [start + timedelta(days=each) for each in range((end - start).days + 1)]
        return answered(day_told(request, each.isoformat()) for each in period)

    @router.get("/daily-workings/timerecord/{day}")
    async def one_day(request: Request, day: str) -> JSONResponse:
        admit(request, "timerecord:read")
        return JSONResponse(day_told(request, in_reach(day_of(day, "date")).isoformat()))

    # (guess) These look at nothing but the token in the path, and answer at every hour.
    @router.get("/tokens/{token}/available")
    async def available(token: str) -> dict[str, bool]:
        return {"available": token in company.tokens}

    @router.post("/tokens/{token}", status_code=201)
    async def renew(token: str) -> dict[str, str]:
        if token not in company.tokens:
            raise unauthenticated()
        new = secrets.token_hex(16)
        company.tokens[new] = company.tokens.pop(token)
        return {"token": new}

    @router.delete("/tokens/{token}", status_code=204)
    async def revoke(token: str) -> Response:
        if company.tokens.pop(token, None) is None:
            raise unauthenticated()
        return Response(status_code=204)

    @router.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def nothing_here(request: Request, path: str) -> None:
        admit(request, None)
        raise KotError(404, 404, "Not Found")  # (guess)

    return router


def is_forbidden(now: datetime) -> bool:
    return any(begin <= now.strftime("%H:%M") < end for begin, end in FORBIDDEN)


def answered(items: Any) -> JSONResponse:
    return JSONResponse(list(items))


def told_punch(company: Company, punch: Punch) -> dict[str, Any]:
    body = {
        "time": punch.time,
        "code": punch.code,
        "name": KINDS[punch.code],
        "divisionCode": punch.division,
        "divisionName": company.divisions[punch.division].name,
        "latitude": punch.latitude,
        "longitude": punch.longitude,
    }
    return {name: value for name, value in body.items() if value is not None}


def decided(punches: list[Punch]) -> str:
    """The kind of a punch that names none (guess): who has come, goes."""
    return "2" if any(one.code == "1" for one in punches) else "1"


def object_of(request: Request, body: bytes) -> dict[str, Any]:
    """Properties that the description does not know are passed over, as a public client sends one."""
    if not request.headers.get("content-type", "").lower().startswith("application/json"):
        raise invalid("Content-Type must be application/json")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise invalid("The body is not JSON") from None
    if not isinstance(found, dict):
        raise invalid("The body is not an object")
    return found


def day_of(value: Any, name: str) -> date:
    if isinstance(value, str) and DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise invalid(f"{name} must be YYYY-MM-DD")


def moment_of(value: Any) -> datetime:
    if isinstance(value, str) and MOMENT.fullmatch(value):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    raise invalid("time must be YYYY-MM-DDThh:mm:ss+09:00")


def code_of(value: Any) -> str:
    """A text, or a number as clients send it; "" where KING OF TIME is to decide."""
    if value is None:
        return ""
    if isinstance(value, bool) or str(value) not in KINDS:
        raise invalid("code is invalid")
    return str(value)


def number_of(body: dict[str, Any], name: str, most: int) -> float | None:
    value = body.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= most):
        raise invalid(f"{name} is invalid")
    return value


def listed(request: Request, name: str) -> set[str]:
    return {each for value in request.query_params.getlist(name) for each in value.split(",") if each}


def flag(request: Request, name: str) -> bool:
    value = request.query_params.get(name, "false")
    if value not in ("true", "false"):
        raise invalid(f"{name} must be true or false")
    return value == "true"


def years(day: date, number: int) -> date:
    """So many years later; 29 February becomes the 28th."""
    try:
        return day.replace(year=day.year + number)
    except ValueError:
        return day.replace(year=day.year + number, day=28)
