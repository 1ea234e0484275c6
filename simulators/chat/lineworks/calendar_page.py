"""`/calendar/lineworks`: what members see in their own calendars, and delete there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from simulators.chat.lineworks.app import App


def build_calendar_page(app: App) -> APIRouter:
    router = APIRouter()
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    )

    @router.get("/calendar/lineworks", response_class=HTMLResponse)
    async def calendars() -> str:
        members = [
            (one, sorted((event[0] for event in app.calendars.get(one.userId, {}).values()), key=starts))
            for one in app.settings.users
        ]
        return templates.get_template("calendar.html").render(members=members, shown=shown)

    @router.post("/calendar/lineworks/{user}/{event_id}/delete")
    async def delete(user: str, event_id: str) -> Response:
        if app.calendars.get(user, {}).pop(event_id, None) is None:
            raise HTTPException(404, "no such event")
        return RedirectResponse("/calendar/lineworks", 303)

    return router


def starts(event: dict[str, Any]) -> str:
    return str(event["start"].get("date") or event["start"]["dateTime"])


def shown(time: dict[str, str]) -> str:
    return time.get("date") or time["dateTime"][:16].replace("T", " ")
