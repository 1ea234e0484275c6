"""The page of a 総務 person: 日別データ, everybody's punches of a day, エラー勤務 marked."""

from __future__ import annotations

from datetime import date as Date
from datetime import timedelta
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from simulators.kingoftime.company import KINDS, Company


def build_pages(company: Company) -> APIRouter:
    """Read-only HTML, rendered on the server."""
    router = APIRouter()
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    )

    @router.get("/", response_class=HTMLResponse)
    async def day(date: Date | None = None, division: str = "", errors: bool = False) -> str:
        shown = date or company.now().date()
        punches = company.of_day(shown.isoformat())
        rows = []
        for one in sorted(company.employees.values(), key=lambda each: each.code):
            mine = punches.get(one.key, [])
            faults = company.faults_of(shown.isoformat(), mine)
            if division in ("", one.divisionCode) and (faults or not errors) and (mine or one.employed(shown)):
                cells = {code: [each for each in mine if each.code == code] for code in KINDS}
                rows.append({"employee": one, "cells": cells, "errors": faults})
        return templates.get_template("day.html").render(
            now=company.now().strftime("%Y-%m-%d %H:%M:%S"),
            day=shown,
            before=shown - timedelta(days=1),
            after=shown + timedelta(days=1),
            rows=rows,
            kinds=KINDS,
            divisions=company.divisions,
            types=company.types,
            division=division,
            only_errors=errors,
            state=f"{len(company.punches)}-{max(company.punches, default=0)}",
        )

    return router
