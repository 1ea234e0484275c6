"""連携一覧, and the way to a company by its name alone."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from renkei.clock import TOKYO
from renkei.web import downloads
from renkei.web.console import guard
from renkei.web.console.page import PageNumber, address, page
from renkei.web.facts import Company
from renkei.web.screens import company_table, figures, overview

router = APIRouter()


@router.get("/")
def companies(
    request: Request, visitor: guard.SignedIn, q: str = "", state: str = "", number: PageNumber = ""
) -> Response:
    now = visitor.services.now()
    found = overview.overview(visible(visitor), now, q, state, number)
    shown = [row.company.dag_id for row in found.rows]
    today = now.astimezone(TOKYO).date()
    days = visitor.services.knowledge.days(shown, overview.begin_of(today))
    strips = {one: figures.strip(overview.strip(days.get(one, ()), today)) for one in shown}
    faults = visitor.services.knowledge.faults()
    creates = visitor.services.authority.may_create(visitor.user)
    adds = [own.adds for own in visitor.services.own_pages if own.adds]
    return page(
        request,
        "overview.html",
        found=found,
        strips=strips,
        tiles=overview.TILES,
        faults=faults,
        adds=adds if creates else (),
        creates=creates,
        now=now,
    )


@router.get("/companies.{kind}")
def table(kind: Literal["csv", "xlsx"], visitor: guard.SignedIn) -> Response:
    """Every company that somebody may see, with its state, as a file."""
    now = visitor.services.now()
    rows = company_table.rows(visible(visitor), now)
    return downloads.table(f"連携一覧_{now.astimezone(TOKYO):%Y%m%d}.{kind}", rows)


@router.get("/t/{tenant}")
def by_tenant(request: Request, tenant: str, visitor: guard.SignedIn) -> Response:
    """A tenant's page, without its link's name; where two links have one of this name, the list of them."""
    found = [one.dag_id for one in visible(visitor) if one.tenant == tenant]
    if not found:
        raise guard.NotFound
    to = address(request, "dag", found[0]) if len(found) == 1 else address(request, "") + f"?q={quote(tenant)}"
    return RedirectResponse(to, 303)


def visible(visitor: guard.Visitor) -> list[Company]:
    companies, allowed = visitor.services.knowledge.companies(), visitor.services.authority.visible(visitor.user)
    return [company for dag_id, company in companies.items() if dag_id in allowed]
