"""A template as an answer, and what all of them may say: addresses below the prefix, times, the token of forms."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import jinja2
from fastapi import Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from renkei.clock import TOKYO
from renkei.storage import once
from renkei.web.console.guard import services_of, token_of
from renkei.web.facts import Company, Question
from renkei.web.screens.freeze import Banner, banner
from renkei.web.screens.words import JOB_STATES, RUN_STATES
from renkei.web.services import Right, Services, User

WEB = Path(__file__).parents[1]
MOUNT = "/renkei/console"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
WEEK = "月火水木金土日"
PageNumber = Annotated[str, Query(alias="page")]  # of a list, as an address has it


@dataclass(frozen=True, slots=True)
class Static:
    """A file of `static/`, and the version under which browsers keep it."""

    content: bytes
    version: str
    media_type: str


@cache
def statics() -> dict[str, Static]:
    return {
        path.name: Static(content := path.read_bytes(), hashlib.sha256(content).hexdigest()[:12], TYPES[path.suffix])
        for path in sorted((WEB / "static").iterdir())
        if path.suffix in TYPES
    }


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """The template with `values`. Addresses in it: `url("dag", id)` of ours, `airflow("dags", id)` of Airflow's."""
    base: str = request.scope.get("root_path", "")
    services, user = services_of(request), getattr(request.state, "visitor", None)
    text = (
        _templates(tuple(own.templates for own in services.own_pages))
        .get_template(template)
        .render(
            values
            | {
                "url": partial(address_below, base),
                "airflow": partial(address_below, base.removesuffix(MOUNT)),
                "static": lambda name: f"{base}/static/{statics()[name].version}/{name}",
                "airflow_base": base.removesuffix(MOUNT),
                "answer_page": partial(_answer_page, services, user, base),
                "freeze": _banner(services, user, values.get("one")) if user and status < 500 else None,
                "token": partial(token_of, services, user) if user else str,
                "once": lambda: once.new(services.now()),
                "user": user,
                "now": values.get("now") or services.now(),
            }
        )
    )
    return HTMLResponse(text, status)


def message(request: Request, status: int, title: str, *lines: str, links: Sequence[tuple[str, str]] = ()) -> Response:
    """A page that says what is so, and what to do."""
    return page(request, "message.html", status, title=title, lines=lines, links=links)


def address(request: Request, *parts: str) -> str:
    """Of a page of ours."""
    return address_below(request.scope.get("root_path", ""), *parts)


def go_to(request: Request, *parts: str, **query: Any) -> RedirectResponse:
    """Sends the browser to a page of ours, which it may read again without doing again what was done."""
    return RedirectResponse(address_below(request.scope.get("root_path", ""), *parts, **query), 303)


def _banner(services: Services, user: User, company: object) -> Banner | None:
    knowledge, freezes = services.knowledge, services.knowledge.freezes()
    visible = services.authority.visible(user) if freezes else ()
    frozen = sum(one.frozen for dag_id, one in knowledge.companies().items() if dag_id in visible)
    return banner(freezes, company if isinstance(company, Company) else None, frozen, services.now())


def _answer_page(services: Services, user: User | None, base: str, company: Company, question: Question) -> str:
    """Where the question can be answered with all that is known; empty: on Airflow's own page alone."""
    own = next((own for own in services.own_pages if company.dag_id.startswith(f"{own.link}__")), None)
    part = own.answers.get(question.task_id) if own else None
    if part is None or user is None or not services.authority.may(user, Right.EDIT, company.dag_id):
        return ""
    return address_below(base, "dag", company.dag_id, part, question.run_id)


def address_below(base: str, *parts: str, **query: Any) -> str:
    asked = urlencode({name: value for name, value in query.items() if value not in (None, "")})
    path = "/".join(quote(str(part), safe="") for part in parts)
    return f"{base}/{path}" + (f"?{asked}" if asked else "")


def filters() -> dict[str, Any]:
    """How templates write times and numbers."""
    return {
        "jp": in_japan,
        "jpfull": full,
        "jpday": day,
        "number": number,
        "lasted": lasted,
        "percent": percent,
    }


@cache
def _templates(own: tuple[Path, ...]) -> jinja2.Environment:
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader([WEB / "pages", *own]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= filters()
    found.globals |= {"Right": Right, "RUN_STATES": RUN_STATES, "JOB_STATES": JOB_STATES}
    return found


def in_japan(moment: dt.datetime | None, now: dt.datetime | None = None) -> str:
    """`11/29(日) 4:30`, with the year where it is not this one."""
    if moment is None:
        return "–"
    local = moment.astimezone(TOKYO)
    return f"{day(local.date(), now)} {local.hour}:{local:%M}"


def full(moment: dt.datetime) -> str:
    """`2026年11月29日 4:30`, for what is kept on paper."""
    local = moment.astimezone(TOKYO)
    return f"{local.year}年{local.month}月{local.day}日 {local.hour}:{local:%M}"


def day(found: dt.date | None, now: dt.datetime | None = None) -> str:
    if found is None:
        return "–"
    year = "" if now and now.astimezone(TOKYO).year == found.year else f"{found.year}/"
    return f"{year}{found.month}/{found.day}({WEEK[found.weekday()]})"


def number(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def percent(part: int, of: int) -> str:
    """In whole percents, never rounded up to all of them."""
    return f"{100 * part // of}%" if of else "–"


def lasted(start: dt.datetime | None, end: dt.datetime | None) -> str:
    if start is None or end is None:
        return "–"
    seconds = max(0, round((end - start).total_seconds()))
    if seconds < 60:
        return f"{seconds}秒"
    minutes = seconds // 60
    return f"{minutes}分{seconds % 60}秒" if minutes < 60 else f"{minutes // 60}時間{minutes % 60}分"
