"""What the pages for members have in common: templates, headers, and that no address of theirs enters a log."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

PAGES = Path(__file__).with_name("pages")
FOLDERS = (PAGES, Path(__file__).parents[1] / "members" / "pages")


class WithoutAccessLog:
    """An app, with the path and the query of its requests kept from the access log; `shown` stands there instead."""

    def __init__(self, app: ASGIApp, shown: str) -> None:
        self._app, self._shown = app, shown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        own = dict(scope)
        if scope["type"] == "http":
            # Airflow's HttpAccessLogMiddleware reads them when the request is done.
            scope["path"], scope["query_string"] = self._shown, b""
        try:
            await self._app(own, receive, send)
        except Exception:
            # The app's handler has answered and logged; Starlette raises it again for a log that would show its text.
            return


def masked(user_id: str) -> str:
    """Enough for a member to see that the invitation is another's; the whole id may be a mail address."""
    return f"{user_id[:2]}•••{user_id[-1]}" if len(user_id) > 3 else f"{user_id[:1]}•••"


def headers(form_action: str = "'none'") -> dict[str, str]:
    style = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{style}'; form-action {form_action}; "
        "base-uri 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "same-origin",  # none to LINE; to ourselves, or older browsers send no Origin with the button
        "Strict-Transport-Security": "max-age=31536000",  # browsers heed it by TLS alone
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex, nofollow",
    }


def page(template: str, status: int = 200, form_action: str = "'none'", **values: Any) -> Response:
    text = _templates().get_template(template).render(style=_style(), **values)
    return Response(text, status, headers(form_action), "text/html; charset=utf-8")


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDERS), autoescape=True, undefined=jinja2.StrictUndefined
    )


@cache
def _style() -> str:
    return (PAGES / "style.css").read_text("utf-8")
