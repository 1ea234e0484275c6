"""KING OF TIME as one ASGI application: the API, faults, controls and the page."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.types import ASGIApp

from simulators import clock, faults
from simulators.faults import Answer, Faults, FaultyApp
from simulators.kingoftime import errors
from simulators.kingoftime.api import build_api
from simulators.kingoftime.company import Company
from simulators.kingoftime.control import build_control
from simulators.kingoftime.errors import KotError, Shape
from simulators.kingoftime.pages import build_pages


def state(error: KotError, shape: Shape = "listed") -> Answer:
    return Answer(status=error.status, body=error.body(shape))


# What KING OF TIME answers in states that it does not get into by itself here, or only by its clock.
STATES = {
    "down": state(errors.down()),  # maintenance too
    "too_many": state(errors.too_many(), "flat"),
    "address": state(errors.unauthenticated()),
    "hours": state(errors.forbidden_hours()),
}


def build_app(company: Company) -> ASGIApp:
    played = Faults(STATES)
    app = FastAPI(title="KING OF TIME simulator", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(build_api(company))
    app.include_router(clock.routes(company.clock))
    app.include_router(faults.routes(played))
    app.include_router(build_control(company))
    app.include_router(build_pages(company))
    return FaultyApp(app, played, "/v1.0/")
