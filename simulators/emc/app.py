"""The simulator as one ASGI application."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match, Route

from simulators.emc.api import build_router
from simulators.emc.control import build_control
from simulators.emc.faults import Faults, FaultyApp
from simulators.emc.imports import Imports
from simulators.emc.pages import build_pages
from simulators.emc.problems import Problem
from simulators.emc.store import Store


def build_app(store: Store, imports: Imports) -> FaultyApp:
    """The contract, the control interface and the pages over one store."""
    faults = Faults()
    app = FastAPI(title="EMC simulator", docs_url=None, redoc_url=None)
    app.state.store = store
    app.include_router(build_router(store, imports))
    app.include_router(build_control(store, faults))
    app.include_router(build_pages(store, imports))

    @app.exception_handler(Problem)
    def problem(request: Request, exc: Problem) -> JSONResponse:
        return JSONResponse(exc.body(), status_code=exc.status, headers=exc.headers)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, exc: RequestValidationError) -> JSONResponse:
        # Places only: pydantic's own text repeats the values.
        places = ", ".join(sorted({".".join(str(part) for part in error["loc"]) for error in exc.errors()}))
        return problem(request, Problem("BAD_REQUEST", f"({places})"))

    @app.exception_handler(HTTPException)
    def routing(request: Request, exc: HTTPException) -> JSONResponse:
        code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(exc.status_code, "BAD_REQUEST")
        headers = dict(exc.headers or {})
        if exc.status_code == 405:  # Starlette names the methods of the first route alone
            routes = [
                route
                for route in app.routes
                if isinstance(route, Route) and route.matches(request.scope)[0] != Match.NONE
            ]
            headers["Allow"] = ", ".join(sorted(method for route in routes for method in route.methods or ()))
        return problem(request, Problem(code, headers=headers))

    @app.exception_handler(ClientDisconnect)
    def gone(request: Request, exc: ClientDisconnect) -> JSONResponse:
        return problem(request, Problem("BAD_REQUEST"))  # nobody hears it

    @app.exception_handler(Exception)
    def crashed(request: Request, exc: Exception) -> JSONResponse:
        return problem(request, Problem("SERVER_ERROR"))

    return FaultyApp(app, faults)
