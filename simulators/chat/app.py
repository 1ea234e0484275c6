"""The six services, their controls and the page as one ASGI application."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from simulators.chat.chatwork import api as chatwork
from simulators.chat.faults import Fault, Service
from simulators.chat.google_chat import api as google_chat
from simulators.chat.inbox import SERVICES, Inbox, Lost, Received
from simulators.chat.line import api as line
from simulators.chat.line import login as line_login
from simulators.chat.lineworks import api as lineworks
from simulators.chat.slack import api as slack
from simulators.chat.teams import api as teams
from simulators.faults import Faults, FaultyApp

MODULES = (slack, chatwork, teams, google_chat, lineworks, line, line_login)
JAPAN = timezone(timedelta(hours=9))


def build_app() -> FaultyApp:
    """Everything over one inbox, empty."""
    inbox, faults = Inbox(), Faults()
    app = FastAPI(title="Chat simulator", docs_url=None, redoc_url=None, openapi_url=None)
    for module in MODULES:
        app.include_router(module.build(inbox))
    app.include_router(build_control(inbox, faults))
    app.include_router(build_page(inbox))
    return FaultyApp(app, faults, "/")


def build_control(inbox: Inbox, faults: Faults) -> APIRouter:
    """Routes of `/_sim` that belong to no service."""
    router = APIRouter(prefix="/_sim")

    @router.get("/registrations")
    async def registrations(request: Request) -> dict[str, Any]:
        base = str(request.base_url).rstrip("/")
        return {key: value for module in MODULES for key, value in module.registrations(base).items()}

    @router.get("/messages")
    async def messages(service: Service | None = None) -> list[Received]:
        return inbox.all(service)

    @router.delete("/messages", status_code=204)
    async def clear() -> Response:
        inbox.clear()
        return Response(status_code=204)

    @router.get("/lost")
    async def lost(service: Service | None = None) -> list[Lost]:
        return inbox.lost(service)

    @router.post("/reset", status_code=204)
    async def reset() -> Response:
        """No message, no fault, every service as at the start."""
        inbox.reset()
        faults.clear()
        return Response(status_code=204)

    @router.get("/faults")
    async def pending() -> list[Any]:
        return faults.pending()

    @router.post("/faults", status_code=204)
    async def add(given: list[Fault]) -> Response:
        faults.add(given)
        return Response(status_code=204)

    @router.delete("/faults", status_code=204)
    async def clear_faults() -> Response:
        faults.clear()
        return Response(status_code=204)

    return router


def build_page(inbox: Inbox) -> APIRouter:
    """`/`: one column for each service, or the one that is asked for."""
    router = APIRouter()
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    )
    templates.filters["clock"] = clock

    @router.get("/", response_class=HTMLResponse)
    async def page(service: Service | None = None) -> str:
        shown = [service] if service else list(SERVICES)
        columns = [(name, SERVICES[name], entries(inbox, name)) for name in shown]
        return templates.get_template("inbox.html").render(
            columns=columns, services=SERVICES, chosen=service, state=state(inbox)
        )

    @router.get("/_sim/state", response_class=PlainTextResponse)
    async def current() -> str:
        """Changes with what the page shows: the page asks for it and shows itself anew."""
        return state(inbox)

    return router


def state(inbox: Inbox) -> str:
    numbers = [one.number for one in inbox.all()] + [one.number for one in inbox.lost()]
    return f"{len(numbers)}-{max(numbers, default=0)}"


def clock(at: str) -> str:
    """A moment as people in Japan read it: 11/22 16:05:07."""
    return datetime.fromisoformat(at).astimezone(JAPAN).strftime("%m/%d %H:%M:%S")


def entries(inbox: Inbox, service: str) -> list[Received | Lost]:
    """What a column shows, newest first."""
    found: list[Received | Lost] = [*inbox.all(service), *inbox.lost(service)]
    return sorted(found, key=lambda one: -one.number)
