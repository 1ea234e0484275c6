"""A request's body, bounded while it is read."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

MOST_BYTES = 64 * 1024
WITHIN_S = 10.0
_CLOSE = {"Connection": "close"}  # what is left of it is not waited for


async def body_of(request: Request, most: int = MOST_BYTES) -> bytes:
    """The bytes as they were sent; a Content-Encoding is left as it is.

    Raises:
        HTTPException: it is longer than `most` (413), takes longer than ten seconds (408), or breaks off (400).
    """
    declared = request.headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdigit() or int(declared[:20]) > most:
        raise HTTPException(413, headers=_CLOSE)
    body = bytearray()
    try:
        async with asyncio.timeout(WITHIN_S):
            async for part in request.stream():
                body += part
                if len(body) > most:
                    raise HTTPException(413, headers=_CLOSE)
    except TimeoutError:
        raise HTTPException(408, headers=_CLOSE) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    return bytes(body)
