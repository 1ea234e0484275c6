"""The source system is connected: there by a button, and back (S3, S5). How, its link knows."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from renkei.storage.customer_acts import CustomerActKind
from renkei.web.customer import guard
from renkei.web.customer.facts import Answer, Connector, NotConnectedError
from renkei.web.customer.page import address, page
from renkei.web.customer.uploads import for_operator, note

router = APIRouter()
BACK = "connection/back"


@router.get("/connection")
def shown(
    request: Request, visitor: Annotated[guard.Visitor, Depends(guard.sees_connection)], said: str = ""
) -> Response:
    connector = _connector(visitor)
    found, fault = connector.status(visitor.services.now()), connector.said(said)
    shown = page(request, "customer_connection.html", company=visitor.company(), found=found, fault=fault)
    if (
        connector.origin
    ):  # the browser holds the whole way that begins with the button to this list, redirects there too
        shown.headers["Content-Security-Policy"] = policy(f"'self' https: {connector.origin}")
    return shown


@router.post("/connection")
def begin(request: Request, visitor: Annotated[guard.Visitor, Depends(guard.posts_connection)]) -> Response:
    connector = _connector(visitor)
    note(visitor, "connection begun")
    try:
        departure = connector.begin(visitor.invitation, _back(visitor), visitor.services.now())
    except NotConnectedError as error:
        return there(request, error.code)
    response = RedirectResponse(departure.url, 303, {"Referrer-Policy": "no-referrer"})
    cookie, value, lasts_s = departure.cookie, departure.value, departure.lasts_s
    guard.set_cookie(visitor.services, response, value, name=cookie, lasts_s=lasts_s)
    return response


@router.get(f"/{BACK}")
def come_back(
    request: Request,
    visitor: Annotated[guard.Visitor, Depends(guard.sees_connection)],
    state: str = "",
    code: str = "",
    error: str = "",
) -> Response:
    """From the source system. Whatever came of it, the browser is sent on to an address without its answer."""
    connector = _connector(visitor)
    visitor.count(visitor.limits.departures)
    note(visitor, "connection back")
    answer, now = (
        Answer(state, code, error, partial(guard.cookie_of, visitor.services, request)),
        visitor.services.now(),
    )
    take_back = for_operator(visitor, CustomerActKind.CONNECTION, now)
    try:
        connector.finish(answer, visitor.invitation, _back(visitor), now)
    except NotConnectedError as trouble:
        take_back()
        return there(request, trouble.code)
    return there(request)


def there(request: Request, said: str = "") -> Response:
    """The page of the connection, which says what came of it."""
    path = address(request, "connection") + (f"?said={quote(said)}" if said else "")
    return RedirectResponse(path, 303, {"Referrer-Policy": "no-referrer"})


def policy(form_action: str = "'self'") -> str:
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"form-action {form_action}; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    )


def _connector(visitor: guard.Visitor) -> Connector:
    """Raises NotFound."""
    found = visitor.services.knowledge.connector(visitor.dag_id)
    if found is None:
        raise guard.NotFound
    return found


def _back(visitor: guard.Visitor) -> str:
    """The address to which the source system sends the browser back, to be registered there."""
    return f"{visitor.services.inviting.address()}/{BACK}"
