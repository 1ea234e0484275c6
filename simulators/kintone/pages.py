"""The pages of a person: the apps of the domain, an app's records, one record."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from simulators.clock import TOKYO
from simulators.kintone.domain import App, Caller, Domain, Record
from simulators.kintone.errors import KintoneError
from simulators.kintone.form import WITHOUT_VALUE, Field
from simulators.kintone.query import select
from simulators.kintone.records import told

PAGE_SIZE = 50


def build_pages(domain: Domain) -> APIRouter:
    """Read-only HTML, rendered on the server; addresses of apps and records are kintone's own."""
    router = APIRouter(default_response_class=HTMLResponse)
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    )

    templates.filters["words"] = words

    def render(template: str, **values: Any) -> HTMLResponse:
        values["today"] = domain.clock.now().astimezone(TOKYO).strftime("%Y-%m-%d %H:%M:%S")
        return HTMLResponse(templates.get_template(template).render(values))

    def app_of(app_id: int) -> App:
        if app_id not in domain.apps:
            raise HTTPException(404, f"no app {app_id}")
        return domain.apps[app_id]

    def shown(app: App, record: Record) -> dict[str, Any]:
        cells = {code: cell["value"] for code, cell in told(domain, app, record, set()).items()}
        return {"id": record.id, "revision": record.revision, "cells": cells}

    def columns(app: App) -> list[Field]:
        return [one for one in app.fields.values() if one.type not in WITHOUT_VALUE]

    @router.get("/")
    async def apps() -> HTMLResponse:
        day = domain.clock.now().astimezone(TOKYO).strftime("%Y-%m-%d")
        today = {
            app: sum(count for (one, hour), count in domain.counts.items() if one == app and hour.startswith(day))
            for app in domain.apps
        }
        return render("apps.html", apps=list(domain.apps.values()), requests=today)

    @router.get("/k/{app_id:int}/")
    async def records(app_id: int, query: str = "", page: Annotated[int, Query(ge=1)] = 1) -> HTMLResponse:
        app, error = app_of(app_id), ""
        try:
            found, _ = select(query, domain, app, Caller({}, "Administrator"))
        except KintoneError as refused:
            found, error = [], "、".join(told_errors(refused))
        return render(
            "records.html",
            app=app,
            query=query,
            error=error,
            found=len(found),
            columns=columns(app),
            records=[shown(app, record) for record in found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]],
            page=page,
            pages=max(1, -(-len(found) // PAGE_SIZE)),
        )

    @router.get("/k/{app_id:int}/show")
    async def record(app_id: int, record: int) -> HTMLResponse:
        app = app_of(app_id)
        if record not in app.records:
            raise HTTPException(404, f"no record {record}")
        return render("record.html", app=app, columns=columns(app), record=shown(app, app.records[record]))

    return router


def told_errors(refused: KintoneError) -> list[str]:
    """What a person reads of a refusal."""
    body = refused.body()
    return [message for each in body.get("errors", {}).values() for message in each["messages"]] or [body["message"]]


def words(value: Any, one: Field) -> str:
    """A value as a person reads it on the page: names for people, times of Japan."""
    if not value:
        return ""
    if one.type in ("DATETIME", "CREATED_TIME", "UPDATED_TIME"):
        return datetime.fromisoformat(value).astimezone(TOKYO).strftime("%Y-%m-%d %H:%M")
    if one.type == "RICH_TEXT":
        return Markup(value).striptags()  # seen as text: what tags would do is the browser's matter
    if one.type == "SUBTABLE":
        return f"{len(value)}行"
    if isinstance(value, dict):
        return str(value["name"])
    if isinstance(value, list):
        return "、".join(each["name"] if isinstance(each, dict) else str(each) for each in value)
    return str(value)
