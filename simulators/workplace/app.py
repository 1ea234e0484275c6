"""The service as one ASGI application: the API behind its faults, controls and pages."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp

from simulators import clock, copies, faults
from simulators.faults import Answer, Faults, FaultyApp
from simulators.workplace.api import PREFIX, answer
from simulators.workplace.company import Company
from simulators.workplace.control import build_control
from simulators.workplace.pages import build_pages
from simulators.workplace.workflow import build_workflow

HTML = "<!doctype html><html lang=ja><meta charset=utf-8><title>{0}</title><h1>{0}</h1></html>"
STATES = {
    "error": Answer(status=500, body={"code": "INTERNAL", "message": "エラーが発生しました。"}),
    "maintenance": Answer(status=503, body=HTML.format("メンテナンス中です")),
    "login_page": Answer(status=200, body=HTML.format("ログイン")),
    "empty_page": Answer(status=200, body=""),
    "empty_list": Answer(status=200, body={"version": 0, "total": 0, "next": None, "absences": []}),
    "unauthorized": Answer(status=401, body={"code": "UNAUTHORIZED", "message": "トークンが正しくありません。"}),
}


def build_app(company: Company) -> ASGIApp:
    played = Faults(STATES)
    app = FastAPI(title="WORKPLACE simulator", docs_url=None, redoc_url=None, openapi_url=None)

    @app.exception_handler(404)
    async def nowhere(request: Request, error: Exception) -> Response:
        """Of a path that no route has, such as one with a line break in it."""
        return JSONResponse({"code": "NOT_FOUND", "message": "ありません。"}, 404)

    @app.api_route(
        PREFIX + "{path:path}", methods=["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]
    )
    async def api(path: str, request: Request) -> Response:
        return await answer(company, request)

    app.include_router(clock.routes(company.clock))
    app.include_router(copies.routes(company))
    app.include_router(faults.routes(played))
    app.include_router(build_control(company))
    app.include_router(build_workflow(company))
    app.include_router(build_pages(company))
    return FaultyApp(app, played, PREFIX)
