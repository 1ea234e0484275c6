"""Requests and answers of LINE's API: bodies read strictly, errors, and the request id on every answer."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Coroutine
from typing import Any, Self
from urllib.parse import parse_qsl

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

MAX_BODY = 2_000_000  # bytes; 413 past it


class RefusedRequest(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers

    @classmethod
    def because(cls, status: int, message: str, details: list[dict[str, str]] | None = None) -> Self:
        return cls(status, {"message": message} | ({"details": details} if details else {}))


class LineRoute(APIRoute):
    """Puts x-line-request-id on every answer, and turns RefusedRequest into one."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            request.state.request_id = str(uuid.uuid4())
            try:
                response = await handler(request)
            except RefusedRequest as refused:
                response = JSONResponse(refused.body, refused.status, refused.headers)
            response.headers["x-line-request-id"] = request.state.request_id
            return response

        return answer


async def read_json(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedRequest.because(415, "Unsupported Media Type")  # our own strictness
    content = await request.body()
    if len(content) > MAX_BODY:
        raise RefusedRequest.because(413, "Payload Too Large")
    try:
        body = json.loads(content)
        json.dumps(body, ensure_ascii=False).encode()  # no lone surrogate
    except (ValueError, RecursionError):
        raise RefusedRequest.because(400, "The request body could not be parsed as JSON (line: 1, column: 1)") from None
    if not isinstance(body, dict):
        raise RefusedRequest.because(400, "The request body could not be parsed as JSON (line: 1, column: 1)")
    return body


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form body; none where it is no form or names a field twice (our own strictness)."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        return {}
    fields = dict(pairs)
    return fields if media == "application/x-www-form-urlencoded" and len(fields) == len(pairs) else {}
