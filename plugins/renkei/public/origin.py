"""Whether a form comes from a page of ours."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request


def is_from(request: Request, ours: str) -> bool:
    """Whether a page of ours sent it, whose address begins as `ours`: browsers say so, or it is refused.

    A page of another port or subdomain is another's page.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    parts = urlsplit(ours)
    return site == "same-origin" if site else origin == f"{parts.scheme}://{parts.netloc}"
