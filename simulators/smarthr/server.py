"""The SmartHR side of the simulator: one application, several companies, chosen by the bearer token."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from . import errors, query
from .company import Company
from .faults import Fault, Faults, Window, bend_rows, bend_window, change_while_reading, reorder
from .limits import Budget, Limits
from .oauth import OAuth
from .render import Renderer, dumps
from .wire import DroppedResponse, TruncatedResponse

JSON_TYPE = "application/json;charset=utf-8"
PER_PAGE_DEFAULT = 10

_MASTERS = frozenset(
    {
        "biz_establishments",
        "companies",
        "crew_custom_field_template_groups",
        "crew_custom_field_templates",
        "employment_types",
        "grades",
        "job_categories",
        "job_titles",
        "payment_periods",
        "recruitment_types",
    }
)
_FAULT_ERRORS = {
    "status_429": errors.TOO_MANY,
    "status_500": errors.INTERNAL,
    "maintenance_json": errors.MAINTENANCE,
    "expired_token": errors.UNAUTHORIZED,
    "forbidden": errors.FORBIDDEN,
    "ip_not_permitted": errors.IP_NOT_PERMITTED,
}
_HTML = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


class ApiRefusal(Exception):
    """A request that is answered with a documented error."""

    def __init__(self, error: errors.ApiError) -> None:
        super().__init__(error.type)
        self.error = error


@dataclass
class Served:
    """A company with what serving it needs."""

    company: Company
    renderer: Renderer
    # Ids a query selected, kept while the company's version lasts: a read of a thousand pages filters once.
    selected: dict[tuple[tuple[str, str], ...], list[str]] = field(default_factory=dict)
    selected_version: int = -1

    def crew_ids(self, params: Mapping[str, str]) -> list[str]:
        """Ids that the filters select, in order."""
        if self.selected_version != self.company.version:
            self.selected_version = self.company.version
            self.selected.clear()
        key = tuple(sorted((k, v) for k, v in params.items() if k not in ("page", "per_page", "fields")))
        if key not in self.selected:
            self.selected[key] = query.crew_ids(self.company, self.renderer, params)
        return self.selected[key]


@dataclass
class Count:
    """Requests to one path of one company; moments are seconds since the epoch."""

    requests: int = 0
    too_many: int = 0
    first_at: float = 0.0
    last_at: float = 0.0


@dataclass
class World:
    """Everything one process serves."""

    limits: Limits = field(default_factory=Limits)
    companies: dict[str, Served] = field(default_factory=dict)
    budgets: dict[str, Budget] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    counts: dict[tuple[str, str], Count] = field(default_factory=dict)
    oauth: OAuth = field(default_factory=OAuth)

    def put(self, company: Company) -> Served:
        """Serve a company, in place of an earlier one of that name."""
        served = Served(company, Renderer(company))
        self.companies[company.name] = served
        return served

    def by_token(self, token: str | None) -> Served | None:
        """The company whose access token this is, issued by hand or granted by OAuth."""
        if not token:
            return None
        by_hand = next((s for s in self.companies.values() if s.company.token == token), None)
        return by_hand or self.companies.get(self.oauth.company_of(token) or "")

    def at_home(self, served: Served | None, host: str) -> Served | None:
        """The company, unless this host is another one's."""
        owner = next((name for name, one in self.companies.items() if host in one.company.switches.hosts), None)
        return served if served is None or owner in (None, served.company.name) else None


def api(world: World) -> APIRouter:
    """Routes of `/api/v1`."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/api/v1/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def read(path: str, request: Request) -> Response:
        token = _token(request.headers.get("authorization", ""))
        served = world.at_home(world.by_token(token), request.url.hostname or "")
        name = served.company.name if served else ""
        now = time.monotonic()
        budget = world.budgets.setdefault(token if served and token else "", Budget(world.limits))
        allowed = budget.spend(now)
        count = world.counts.setdefault((name, request.url.path), Count(first_at=time.time()))
        count.requests += 1
        count.last_at = time.time()
        try:
            if not allowed:
                raise ApiRefusal(errors.TOO_MANY)
            if served is None:
                raise ApiRefusal(errors.UNAUTHORIZED)
            if request.method != "GET":
                # Tokens here carry 参照 (read) and nothing else.
                raise ApiRefusal(errors.FORBIDDEN)
            response = await _answer(world, served, path, request)
        except ApiRefusal as refusal:
            response = _json(dumps(refusal.error.body()), refusal.error.status)
        except query.BadParameterError as exc:
            problem = {"message": "値が不正です", "resource": None, "field": str(exc)}
            response = _json(dumps(errors.BAD_REQUEST.body() | {"errors": [problem]}), 400)
        count.too_many += response.status_code == 429
        for header, value in budget.headers(time.monotonic()).items():
            # A fault that plays a refusal has already said what remains.
            response.headers.setdefault(header, value)
        return response

    return router


def _token(authorization: str) -> str | None:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return None
    return None


async def _answer(world: World, served: Served, path: str, request: Request) -> Response:
    params = request.query_params
    faults = world.faults.take(served.company.name, request.url.path, max(1, _integer(params, "page", 1)))
    for fault in faults:
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        elif fault.kind == "change_while_reading":
            change_while_reading(served.company, fault, served.crew_ids(params))
    kinds = {fault.kind for fault in faults}
    if "drop_connection" in kinds:
        return DroppedResponse()
    if "maintenance_503" in kinds:
        return HTMLResponse(_HTML.format("ただいまメンテナンス中です"), 503)
    if "not_json" in kinds:
        return HTMLResponse(_HTML.format("SmartHR"))
    for fault in faults:
        if error := _FAULT_ERRORS.get(fault.kind):
            response = _json(dumps(error.body()), error.status)
            if error is errors.TOO_MANY:
                response.headers["x-intensive-rate-limit-remaining"] = "0"
                response.headers["x-intensive-rate-limit-reset"] = str(round(fault.seconds))
            return response
    response = _resource(served, path.strip("/").split("/"), request, faults)
    if "truncated" in kinds:
        return TruncatedResponse(bytes(response.body), response.status_code, dict(response.headers))
    return response


def _resource(served: Served, parts: list[str], request: Request, faults: list[Fault]) -> Response:
    company, renderer, params = served.company, served.renderer, request.query_params
    embed = (params.get("embed") or "").split(",")
    if parts[0] in company.switches.forbidden:
        raise ApiRefusal(errors.FORBIDDEN)
    match parts:
        case ["crews"]:
            fields = query.fields(company, params)
            crews = company.crews
            seen = [one for one in served.crew_ids(params) if one not in company.switches.hidden_crews]
            return _list(company, request, seen, lambda i: renderer.crew(crews[i], fields), faults)
        case ["crews", crew_id] if crew_id in company.crews:
            crew = renderer.crew(company.crews[crew_id], query.fields(company, params))
            return _json(bend_rows(faults, [crew])[0])
        case ["departments"]:
            found = query.departments(company, params)
            return _list(company, request, found, renderer.department, faults)
        case ["departments", department_id] if department_id in company.departments:
            return _json(renderer.department(company.departments[department_id]))
        case ["users"]:
            return _list(company, request, _users(company), lambda row: renderer.record(row, embed), faults)
        case ["users", user_id]:
            users = {user["id"]: user for user in _users(company)}
            user = users.get(user_id) if user_id != "me" else next(iter(users.values()))
            if user is not None:
                return _json(renderer.record(user))
        case [master] if master in _MASTERS:
            rows = query.masters(company, master, params)
            return _list(company, request, rows, lambda row: renderer.record(row, embed), faults)
        case [master, record_id] if master in _MASTERS - {"biz_establishments"}:
            for record in company.masters[master]:
                if record["id"] == record_id:
                    return _json(renderer.record(record))
    raise ApiRefusal(errors.NOT_FOUND)


def _users(company: Company) -> list[dict[str, Any]]:
    """Accounts: the administrator whose token is used first, then one for every crew that has one."""
    firm = company.masters["companies"][0]
    admin_id = str(uuid.uuid5(uuid.UUID(firm["id"]), "administrator"))
    admin = _user(admin_id, "admin@example.com", None, firm["created_at"])
    crews = (crew for crew in company.crews.values() if crew.get("user_id"))
    return [admin, *(_user(crew["user_id"], crew.get("email"), crew["id"], crew["created_at"]) for crew in crews)]


def _user(user_id: str, email: str | None, crew_id: str | None, created_at: str) -> dict[str, Any]:
    invited_on = created_at[:10]
    return {
        "id": user_id,
        "email": email,
        "notification_email": email,
        "admin": crew_id is None,
        "role": None,
        "agreement_for_electronic_delivery": crew_id is not None,
        "crew_id": crew_id,
        "addons": [],
        "invitation_created_at": invited_on,
        "invitation_opened_at": invited_on,
        "invitation_accepted_at": invited_on,
        "invitation_answered_at": invited_on,
        "suppressed_email_logs": [],
        "has_password": True,
        "created_at": created_at,
        "updated_at": created_at,
    }


def _integer(params: Mapping[str, str], name: str, default: int) -> int:
    try:
        return int(params.get(name) or default)
    except ValueError as exc:
        raise query.BadParameterError(name) from exc


def _list(
    company: Company, request: Request, rows: list[Any], render: Callable[[Any], str], faults: list[Fault]
) -> Response:
    params = request.query_params
    page = max(1, _integer(params, "page", 1))
    per_page = _integer(params, "per_page", PER_PAGE_DEFAULT)
    most = company.switches.per_page_most
    if per_page > most and company.switches.per_page_over == "reject":
        raise query.BadParameterError("per_page")
    per_page = min(per_page, most) if per_page > 0 else PER_PAGE_DEFAULT
    rows = reorder(faults, rows)
    window = bend_window(faults, Window((page - 1) * per_page, page * per_page, len(rows)))
    texts = bend_rows(faults, [render(row) for row in rows[window.start : window.stop]])
    response = _json("[" + ",".join(texts) + "]")
    response.headers["x-total-count"] = str(window.total)
    response.headers["x-page"] = str(page)
    response.headers["x-per-page"] = str(per_page)
    if link := _link(request, page, -(-window.total // per_page)):
        response.headers["link"] = link
    return response


def _link(request: Request, page: int, last: int) -> str:
    targets: dict[str, int] = {}
    if page > 1:
        targets |= {"first": 1, "prev": page - 1}
    if page < last:
        targets |= {"next": page + 1, "last": last}
    others = [(k, v) for k, v in request.query_params.multi_items() if k != "page"]
    base = str(request.url.replace(query="", fragment=""))
    return ", ".join(f'<{base}?{urlencode([*others, ("page", to)])}>; rel="{rel}"' for rel, to in targets.items())


def _json(text: str, status: int = 200) -> Response:
    return Response(text.encode(), status, media_type=JSON_TYPE)
