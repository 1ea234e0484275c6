"""Who asks, and what his invitation allows: every route has exactly one of these as a dependency.

Nobody, somebody whose invitation is over, and somebody whose invitation is for other things are answered alike: there is
no such page. What changes something comes from a page of ours: by where the browser says it comes from, and by a word
that only the session's own pages know.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import Response

from renkei.public.bodies import MOST_BYTES, form_of
from renkei.public.limits import RateLimit, network_of
from renkei.public.origin import is_from
from renkei.sheets.tenant_files import MAX_BYTES
from renkei.web.customer.facts import Company, Services
from renkei.web.customer.invitations import CustomerRight, Invitation, Session
from renkei.web.guarded import CsrfError, Guards, is_same
from renkei.web.guarded import NotFound as NotFound

COOKIE = "renkei_customer"
FIELD = "form"  # of every form of ours
MAX_UPLOAD, UPLOAD_WITHIN_S = MAX_BYTES + MOST_BYTES, 120.0
_LOOKED = threading.Lock()


class TooManyRequests(Exception):
    """More than a person does."""


class Busy(Exception):
    """The same is being done for this company already."""


@dataclass(slots=True)
class Limits:
    """How often: so many a second after so many at once."""

    entries: RateLimit = field(default_factory=lambda: RateLimit(1 / 10, 10))  # of one address
    requests: RateLimit = field(default_factory=lambda: RateLimit(2, 120))  # of one invitation
    reviews: RateLimit = field(
        default_factory=lambda: RateLimit(1 / 30, 20)
    )  # each may take ten seconds of a processor
    departures: RateLimit = field(default_factory=lambda: RateLimit(1 / 60, 10))
    uploads: int = 8  # at once, of all companies: each is kept in memory
    uploading: set[str] = field(default_factory=set)  # the companies with one under way, and those
    reviewing: set[str] = field(
        default_factory=set
    )  # with a sheet that is looked through: one each, or one holds up all
    reading: set[str] = field(default_factory=set)  # and with a run that is read: 300,000 errors take 60 MB


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody with an invitation."""

    services: Services
    limits: Limits
    session: Session
    cookie: str = field(repr=False)
    form: FormData = field(default_factory=FormData, repr=False)

    @property
    def invitation(self) -> Invitation:
        return self.session.invitation

    @property
    def dag_id(self) -> str:
        return f"{self.invitation.link}__{self.invitation.tenant}"

    def company(self) -> Company:
        return self.services.knowledge.company(self.dag_id)

    def may(self, what: CustomerRight) -> bool:
        """What the invitation allows, and its link still has."""
        return what in self.invitation.allows and what in self.services.inviting.offers(self.dag_id)

    @contextmanager
    def alone(self, among: set[str]) -> Iterator[None]:
        """This company's only one meanwhile.

        Raises:
            Busy: there is one.
        """
        with _LOOKED:  # several threads answer requests: of two at once one is first
            if self.dag_id in among:
                raise Busy
            among.add(self.dag_id)
        try:
            yield
        finally:
            among.discard(self.dag_id)

    def count(self, limit: RateLimit) -> None:
        """Raises TooManyRequests."""
        if not limit.take(self.invitation.token.hex()):
            raise TooManyRequests


def services_of(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


def limits_of(request: Request) -> Limits:
    found: Limits = request.app.state.limits
    return found


def set_cookie(services: Services, response: Response, value: str, *, name: str = COOKIE, lasts_s: int | None) -> None:
    """One that no script reads and no other site's form sends; without `lasts_s` it goes with the browser, 0 ends it."""
    address = urlsplit(services.inviting.address())
    tls = address.scheme == "https"
    response.set_cookie(
        _cookie(services, name),
        value,
        max_age=lasts_s,
        path="/" if tls else address.path,  # `__Host-` asks for it
        secure=tls,
        httponly=True,
        samesite="lax",  # sent when the source system sends the browser back, and with no form from elsewhere
    )


def cookie_of(services: Services, request: Request, name: str = COOKIE) -> str:
    return request.cookies.get(_cookie(services, name), "")


def _cookie(services: Services, name: str) -> str:
    """`__Host-`: the browser takes it from this very host alone, by TLS, for all paths."""
    return f"__Host-{name}" if services.inviting.address().startswith("https:") else name


def _visitor(request: Request) -> Visitor:
    services, limits = services_of(request), limits_of(request)
    cookie = cookie_of(services, request)
    session = services.inviting.invitations().session(cookie, services.now()) if cookie else None
    if session is None:
        raise NotFound
    found = Visitor(services, limits, session, cookie)
    found.count(limits.requests)
    request.state.visitor = found  # for error pages
    return found


def _refuse_foreign(request: Request, services: Services) -> None:
    if not is_from(request, services.inviting.address()):
        raise CsrfError


async def _posted(request: Request, visitor: Visitor, most: int = MOST_BYTES, within_s: float = 0) -> Visitor:
    """With the form, which is read once it is known whose it is."""
    form = await form_of(request, most, within_s)
    if not is_same(form.get(FIELD), visitor.session.form):
        await form.close()
        raise CsrfError
    return replace(visitor, form=form)


def _with(what: CustomerRight, visitor: Visitor) -> Visitor:
    if not visitor.may(what):
        raise NotFound
    return visitor


GUARDS = _guard = Guards()


@_guard
def everybody() -> None:
    """Style sheets, scripts, and the page on which an invitation is opened: nobody is asked who he is."""


@_guard
async def posts_entry(request: Request) -> FormData:
    """Whoever opens an invitation."""
    services, client = services_of(request), request.client
    await run_in_threadpool(_refuse_foreign, request, services)
    if not limits_of(request).entries.take(network_of(client.host) if client else ""):
        raise TooManyRequests
    return await form_of(request)


@_guard
def invited(visitor: Annotated[Visitor, Depends(_visitor)]) -> Visitor:
    return visitor


@_guard
def sees_sheet(visitor: Annotated[Visitor, Depends(_visitor)]) -> Visitor:
    return _with(CustomerRight.SHEET, visitor)


@_guard
def sees_results(visitor: Annotated[Visitor, Depends(_visitor)]) -> Visitor:
    return _with(CustomerRight.RESULTS, visitor)


@_guard
def sees_connection(visitor: Annotated[Visitor, Depends(_visitor)]) -> Visitor:
    return _with(CustomerRight.CONNECTION, visitor)


@_guard
async def posts_invited(request: Request, visitor: Annotated[Visitor, Depends(_visitor)]) -> Visitor:
    _refuse_foreign(request, visitor.services)
    return await _posted(request, visitor)


@_guard
async def posts_sheet(request: Request, visitor: Annotated[Visitor, Depends(_visitor)]) -> AsyncIterator[Visitor]:
    """With a file, which is let go of at the end."""
    found = _with(CustomerRight.SHEET, visitor)
    _refuse_foreign(request, found.services)
    if len(found.limits.uploading) >= found.limits.uploads:
        raise HTTPException(503, headers={"Retry-After": "30"})
    with found.alone(found.limits.uploading):
        found = await _posted(request, found, MAX_UPLOAD, UPLOAD_WITHIN_S)
        try:
            yield found
        finally:
            await found.form.close()


@_guard
async def posts_connection(request: Request, visitor: Annotated[Visitor, Depends(_visitor)]) -> Visitor:
    found = _with(CustomerRight.CONNECTION, visitor)
    _refuse_foreign(request, found.services)
    found.count(found.limits.departures)
    return await _posted(request, found)
