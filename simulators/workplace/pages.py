"""マイ不在日程 and its approval: what a member and an approver see and press."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import ValidationError

from simulators.clock import TOKYO
from simulators.workplace.company import KINDS, STATUSES, UNITS, Absence, Application, Change, Company


def build_pages(company: Company) -> APIRouter:
    """HTML rendered on the server; every button is a form."""
    router = APIRouter(default_response_class=HTMLResponse)
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    )

    def absence_of(number: str) -> Absence:
        if number not in company.absences:
            raise HTTPException(404, "no such absence")
        return company.absences[number]

    @router.get("/")
    async def listed(wrong: str = "") -> HTMLResponse:
        now = company.clock.now().astimezone(TOKYO)
        return HTMLResponse(
            templates.get_template("absences.html").render(
                absences=sorted(company.absences.values(), key=lambda one: one.id, reverse=True)[:200],
                members=company.members,
                kinds=KINDS,
                units=UNITS,
                statuses=STATUSES,
                now=now.strftime("%Y-%m-%d %H:%M"),
                tomorrow=(now.date() + timedelta(days=1)).isoformat(),
                wrong=bool(wrong),
            )
        )

    @router.post("/apply")
    async def apply(request: Request) -> RedirectResponse:
        sent = await _form(request)
        try:
            company.apply(_application(sent))
        except (KeyError, ValueError, ValidationError):
            return RedirectResponse("/?wrong=1", 303)
        return RedirectResponse("/", 303)

    @router.post("/absences/{number}/{action}")
    async def act(number: str, action: str) -> RedirectResponse:
        absence = absence_of(number)
        match action:
            case "approve":
                company.change(absence, Change(status="APPROVED"))
            case "reject":
                company.change(absence, Change(status="REJECTED"))
            case "cancel":
                company.change(absence, Change(status="CANCELLED"))
            case "later":
                company.change(absence, Change(periods=[period.moved(1) for period in absence.said.periods]))
            case _:
                raise HTTPException(404, "no such action")
        return RedirectResponse("/", 303)

    return router


async def _form(request: Request) -> dict[str, str]:
    sent = parse_qs((await request.body()).decode(), keep_blank_values=True)
    return {name: values[-1] for name, values in sent.items()}


def _application(sent: dict[str, str]) -> Application:
    unit, start = sent["unit"], date.fromisoformat(sent["start_on"])
    period: dict[str, Any] = {"unit": unit}
    if unit == "ALL_DAY":
        period |= {"start_on": start, "end_on": sent["end_on"] or start}
    elif unit in ("MORNING", "AFTERNOON"):
        period |= {"on": start}
    else:
        period |= {"start_at": f"{start}T{sent['start_time']}", "end_at": f"{start}T{sent['end_time']}"}
    said = {name: sent.get(name, "") for name in ("user_id", "kind", "title", "reason")}
    return Application.model_validate({**said, "periods": [period]})
