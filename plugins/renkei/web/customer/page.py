"""A template as an answer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import jinja2
from fastapi import Request
from starlette.responses import HTMLResponse, Response

from renkei.web.console.page import WEB, address_below, filters, statics
from renkei.web.customer.guard import FIELD, Visitor, services_of
from renkei.web.customer.invitations import CustomerRight

PAGES = Path(__file__).parent / "pages"


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """The template with `values`, by who asks: `url("sheets", 3)` is an address of ours."""
    base: str = request.scope.get("root_path", "")
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    shown = {
        "url": partial(address_below, base),
        "static": lambda name: f"{base}/static/{statics()[name].version}/{name}",
        "field": FIELD,
        "form": visitor.session.form if visitor else "",
        "menu": menu(visitor) if visitor else (),
        "now": services_of(request).now(),
    }
    return HTMLResponse(_templates().get_template(template).render(shown | values), status)


def message(request: Request, status: int, title: str, *lines: str, links: Sequence[tuple[str, str]] = ()) -> Response:
    """A page that says what is so, and what to do."""
    return page(request, "message.html", status, title=title, lines=lines, links=links)


def address(request: Request, *parts: str) -> str:
    """Of a page of ours."""
    return address_below(request.scope.get("root_path", ""), *parts)


def menu(visitor: Visitor) -> list[tuple[str, str]]:
    """The pages that the invitation allows: the last part of the address, and the title."""
    names = visitor.services.inviting.offers(visitor.dag_id)
    parts = {CustomerRight.CONNECTION: "connection", CustomerRight.SHEET: "sheets", CustomerRight.RESULTS: "results"}
    return [("", "はじめに"), *((parts[what], name) for what, name in names.items() if visitor.may(what))]


@cache
def _templates() -> jinja2.Environment:
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader([PAGES, WEB / "pages"]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= filters()
    return found
