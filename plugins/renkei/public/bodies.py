"""A request's body, bounded while it is read."""

from __future__ import annotations

import asyncio

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

MOST_BYTES = 64 * 1024
WITHIN_S = 10.0
FIELDS = 20  # of a form
_CLOSE = {"Connection": "close"}  # what is left of it is not waited for


async def body_of(request: Request, most: int = MOST_BYTES, within_s: float = 0) -> bytes:
    """The bytes as they were sent; a Content-Encoding is left as it is.

    Raises:
        HTTPException: it is longer than `most` (413), takes longer than ten seconds, or `within_s` (408), or breaks off
            (400).
    """
    declared = request.headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdigit() or int(declared[:20]) > most:
        raise HTTPException(413, headers=_CLOSE)
    body = bytearray()
    try:
        async with asyncio.timeout(within_s or WITHIN_S):
            async for part in request.stream():
                body += part
                if len(body) > most:
                    raise HTTPException(413, headers=_CLOSE)
    except TimeoutError:
        raise HTTPException(408, headers=_CLOSE) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    return bytes(body)


async def form_of(request: Request, most: int = MOST_BYTES, within_s: float = 0) -> FormData:
    """The form that it is, with one file at most; let go of what it holds by `close`.

    A form without a file is no longer than MOST_BYTES, whatever `most`: reading one takes the whole process its time.

    Raises:
        HTTPException: as `body_of`; it is no form (400).
    """
    has_file = request.headers.get("content-type", "").lower().startswith("multipart/form-data")
    body = await body_of(request, most if has_file else min(most, MOST_BYTES), within_s)

    async def received() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        return await Request(request.scope, received).form(max_files=1, max_fields=FIELDS)
    except MultiPartException:
        raise HTTPException(400) from None
