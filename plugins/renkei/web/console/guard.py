"""Who may what: every route has exactly one of these as a dependency.

Somebody without a login is sent to the log-in page; a company that somebody may not see answers as one that does not
exist, so that its name does not leak. What changes something must come from a page of ours: CSRF (docs/console.ja.md).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from renkei.storage import audit
from renkei.storage.audit import AuditEntry
from renkei.web.facts import Company
from renkei.web.guarded import CsrfError as CsrfError
from renkei.web.guarded import Guards, is_same
from renkei.web.guarded import NotFound as NotFound
from renkei.web.services import Right, Services, User

TOKEN_FIELD, TOKEN_HEADER = "token", "X-Renkei-Token"
MAX_FIELDS = 5_000  # of a form: a sheet has a few for each of its lines


class NotLoggedIn(Exception):
    """Nobody, or nobody any more."""


class NotAllowed(Exception):
    """This person may see it and not do that."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks."""

    user: User
    services: Services


@dataclass(frozen=True, slots=True)
class Access:
    """A visitor's access to a company that he may see."""

    user: User
    services: Services
    company: Company

    def may(self, right: Right) -> bool:
        return self.services.authority.may(self.user, right, self.company.dag_id)

    def note(self, what: str) -> None:
        """For the audit, before anything is shown or done: what cannot be noted is not."""
        store = self.services.knowledge.folder(self.company.dag_id).store
        audit.note(store, AuditEntry(self.services.now(), self.user.id, self.company.dag_id, what))

    def tenant_of(self, link: str) -> str:
        """Raises NotFound: it is another link's company."""
        if not self.company.dag_id.startswith(f"{link}__"):
            raise NotFound
        return self.company.tenant


def services_of(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


def token_of(services: Services, user: User) -> str:
    """What a form of ours carries: nobody else's page knows it."""
    return hmac.new(services.secret, f"renkei-console\0{user.id}".encode(), hashlib.sha256).hexdigest()


async def _visitor(request: Request) -> Visitor:
    services = services_of(request)
    user = await services.authority.user(request)
    if user is None:
        raise NotLoggedIn
    request.state.visitor = user  # for error pages
    return Visitor(user, services)


async def _poster(request: Request, visitor: Annotated[Visitor, Depends(_visitor)]) -> AsyncIterator[Visitor]:
    """As the visitor, with a form that a page of ours sent; a file in it is let go of at the end.

    Browsers say of every request where it comes from; where they say nothing, it is refused. A page of another port
    or subdomain is another's page.
    """
    try:
        await _refuse_foreign(request, visitor)
        yield visitor
    finally:
        await request.close()


async def _refuse_foreign(request: Request, visitor: Visitor) -> None:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site != "same-origin":
            raise CsrfError
    elif urlsplit(request.headers.get("Origin", "")).netloc not in {
        host for host in (request.headers.get("Host", ""), *visitor.services.hosts) if host
    }:
        raise CsrfError
    given = request.headers.get(TOKEN_HEADER) or (await request.form(max_fields=MAX_FIELDS)).get(TOKEN_FIELD)
    if not is_same(given, token_of(visitor.services, visitor.user)):
        raise CsrfError


def _access(visitor: Visitor, dag_id: str) -> Access:
    company = visitor.services.knowledge.companies().get(dag_id)
    if company is None or not visitor.services.authority.may(visitor.user, Right.SEE, dag_id):
        raise NotFound
    return Access(visitor.user, visitor.services, company)


def _access_with(right: Right, visitor: Visitor, dag_id: str) -> Access:
    access = _access(visitor, dag_id)
    if not access.may(right):
        raise NotAllowed
    return access


GUARDS = _guard = Guards()


@_guard
def everybody() -> None:
    """Style sheets, scripts and icons, which are public: nobody is asked who he is."""


@_guard
def signed_in(visitor: Annotated[Visitor, Depends(_visitor)]) -> Visitor:
    return visitor


@_guard
def posts_signed_in(visitor: Annotated[Visitor, Depends(_poster)]) -> Visitor:
    """For what asks of each company what its visitor may do with it."""
    return visitor


@_guard
def sees_dag(dag_id: str, visitor: Annotated[Visitor, Depends(_visitor)]) -> Access:
    return _access(visitor, dag_id)


@_guard
def edits_dag(dag_id: str, visitor: Annotated[Visitor, Depends(_visitor)]) -> Access:
    """For what names people."""
    return _access_with(Right.EDIT, visitor, dag_id)


@_guard
def sees_jobs(dag_id: str, visitor: Annotated[Visitor, Depends(_visitor)]) -> Access:
    """As `edits_dag`, for what others need not even know to be there."""
    access = _access(visitor, dag_id)
    if not access.may(Right.EDIT):
        raise NotFound
    return access


@_guard
def runs_dag(dag_id: str, visitor: Annotated[Visitor, Depends(_visitor)]) -> Access:
    return _access_with(Right.RUN, visitor, dag_id)


@_guard
def posts_edits_dag(dag_id: str, visitor: Annotated[Visitor, Depends(_poster)]) -> Access:
    return _access_with(Right.EDIT, visitor, dag_id)


@_guard
def posts_answers_dag(dag_id: str, visitor: Annotated[Visitor, Depends(_poster)]) -> Access:
    return _access_with(Right.ANSWER, visitor, dag_id)


@_guard
def posts_freezes_all(visitor: Annotated[Visitor, Depends(_poster)]) -> Visitor:
    if not visitor.services.authority.may_freeze_all(visitor.user):
        raise NotAllowed
    return visitor


@_guard
def creates(visitor: Annotated[Visitor, Depends(_visitor)]) -> Visitor:
    """For what adds companies, or changes many at once."""
    if not visitor.services.authority.may_create(visitor.user):
        raise NotAllowed
    return visitor


@_guard
def posts_creates(visitor: Annotated[Visitor, Depends(_poster)]) -> Visitor:
    return creates(visitor)


@_guard
def posts_runs_dag(dag_id: str, visitor: Annotated[Visitor, Depends(_poster)]) -> Access:
    return _access_with(Right.RUN, visitor, dag_id)


# How a route names its guard: `access: guard.EditsDag`.
Creates = Annotated[Visitor, Depends(creates)]
PostsCreates = Annotated[Visitor, Depends(posts_creates)]
PostsFreezesAll = Annotated[Visitor, Depends(posts_freezes_all)]
PostsSignedIn = Annotated[Visitor, Depends(posts_signed_in)]
SignedIn = Annotated[Visitor, Depends(signed_in)]
EditsDag = Annotated[Access, Depends(edits_dag)]
PostsAnswersDag = Annotated[Access, Depends(posts_answers_dag)]
PostsEditsDag = Annotated[Access, Depends(posts_edits_dag)]
PostsRunsDag = Annotated[Access, Depends(posts_runs_dag)]
RunsDag = Annotated[Access, Depends(runs_dag)]
SeesDag = Annotated[Access, Depends(sees_dag)]
SeesJobs = Annotated[Access, Depends(sees_jobs)]
