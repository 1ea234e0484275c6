"""結果: the last runs of the company, with the remedies of their errors. User ids, and nothing else of people (L6, S5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from renkei.storage.runs import is_run_key
from renkei.web.customer import guard
from renkei.web.customer.page import page
from renkei.web.screens.customer import without_addresses
from renkei.web.screens.overview import page_of

router = APIRouter()
LISTED, PER_PAGE = 20, 100


@router.get("/results")
def listed(request: Request, visitor: Annotated[guard.Visitor, Depends(guard.sees_results)]) -> Response:
    results = visitor.services.knowledge.results(visitor.dag_id, LISTED)
    return page(request, "customer_results.html", company=visitor.company(), results=results)


@router.get("/results/{key}")
def result(
    request: Request,
    key: str,
    visitor: Annotated[guard.Visitor, Depends(guard.sees_results)],
    number: Annotated[str, Query(alias="page")] = "",
) -> Response:
    if not is_run_key(key):
        raise guard.NotFound
    knowledge = visitor.services.knowledge
    with visitor.alone(visitor.limits.reading):
        found = knowledge.result(visitor.dag_id, key, 0, PER_PAGE)
        if found is None:
            raise guard.NotFound
        shown = page_of(number, found.count, PER_PAGE)
        if shown.start:
            found = knowledge.result(visitor.dag_id, key, shown.start, PER_PAGE) or found
    # A value of somebody's stands in `detail` alone.
    problems = [replace(one, person=without_addresses(one.person), detail="") for one in found.problems]
    company = visitor.company()
    return page(
        request, "customer_result.html", company=company, found=found, one=found.result, problems=problems, shown=shown
    )
