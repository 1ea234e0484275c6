"""Requests and answers of LINE WORKS: bodies read strictly, errors, and the limit's headers."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute


class WorksError(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, body: dict[str, str], headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers


def api_error(status: int, code: str, description: str) -> WorksError:
    return WorksError(status, {"code": code, "description": description})


def oauth_error(error: str, description: str) -> WorksError:
    return WorksError(401 if error == "invalid_client" else 400, {"error": error, "error_description": description})


class WorksRoute(APIRoute):
    """Turns WorksError into an answer, and puts the limit's headers on every one."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                response = await handler(request)
            except WorksError as error:
                response = JSONResponse(error.body, error.status, error.headers)
            response.headers.update(getattr(request.state, "limit", {}))
            return response

        return answer


async def read_form(request: Request) -> dict[str, str]:
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise oauth_error("invalid_request", "Content-Type must be application/x-www-form-urlencoded.")
    try:
        return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError:
        raise oauth_error("invalid_request", "The body is not UTF-8.") from None


async def read_json(request: Request) -> dict[str, Any]:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise api_error(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type must be application/json.")
    try:
        body = json.loads(await request.body())
        json.dumps(body, ensure_ascii=False).encode()  # no lone surrogate
    except (ValueError, RecursionError):
        raise api_error(400, "INVALID_PARAMETER", "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise api_error(400, "INVALID_PARAMETER", "The body is not an object.")
    return body


def invalid(description: str) -> WorksError:
    return api_error(400, "INVALID_PARAMETER", description)
