"""SmartHRの接続 of a company: 連携する → SmartHR's log-in → 連携済み, 再認可が必要, 連携解除, アクセストークンで連携中 (S3).

Who may change the Connection `smarthr__<tenant>` in Airflow may do this. Code and state enter no log (`secret_queries`),
and no page of ours is shown with them in its address: whatever comes of them, the browser is sent on.
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from renkei.errors import ConnectionError_
from renkei.links.smarthr_emc import LINK, connecting
from renkei.links.smarthr_emc.connecting import (
    LOGIN_LASTS,
    AuthorizationResponse,
    Connecting,
    Grantor,
    cookie_name,
    is_under_way,
    prover,
    sees_fewer,
)
from renkei.links.smarthr_emc.connecting_troubles import SAID, ConnectFailure, ConnectingError
from renkei.links.smarthr_emc.granted import GrantState, grant_state
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.orchestration.link import dag_id
from renkei.orchestration.smarthr_emc import smarthr_plus
from renkei.orchestration.smarthr_emc.hooks import refuse_foreign
from renkei.orchestration.smarthr_emc.smarthr_plus import CALLBACK, PAGE
from renkei.sheets.tenant_files import is_tenant
from renkei.storage.source_grants import SourceGrants, void_tenants
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.storage.tokens import tenant_of_state
from renkei.systems.smarthr.oauth import SmartHROAuth
from renkei.web.console import guard
from renkei.web.console.page import MOUNT, address, page
from renkei.web.services import Refused, Right

router = APIRouter()
FRAMED = ".framed"  # behind the cookie of whoever left from within Airflow's frame
CONNECTED, ENDED, REVOKED = "CONNECTED", "ENDED", "REVOKED"
GOOD = {
    CONNECTED: "連携済みになりました。",
    ENDED: "連携を解除しました。SmartHR側の許可は残っています。SmartHR Plusの画面でも連携を解除してください。",
    REVOKED: "連携を解除し、SmartHRの許可も取り消しました。",
}


@dataclass(frozen=True, slots=True)
class ConnectionBadge:
    """The state of a company's connection to SmartHR: a label and its tone."""

    label: str
    tone: str


def shown(state: GrantState, under_way: bool, trouble: ConnectFailure | None, has_token: bool) -> ConnectionBadge:
    """What happened on the way just now is shown while nothing better is known."""
    if state is GrantState.VOID:
        return ConnectionBadge("再認可が必要", "bad")
    if state is GrantState.LINKED:
        return ConnectionBadge("連携済み", "good")
    if state is GrantState.ELSEWHERE or trouble is ConnectFailure.OTHER_COMPANY:
        return ConnectionBadge("会社が違います", "bad")
    if trouble is ConnectFailure.CANCELLED:
        return ConnectionBadge("キャンセルされました", "wait")
    if under_way:
        return ConnectionBadge("SmartHRで許可待ち", "cold")
    return ConnectionBadge("アクセストークンで連携中", "good") if has_token else ConnectionBadge("未連携", "none")


@router.get(f"/dag/{{dag_id}}/{PAGE}")
def connection(request: Request, access: guard.EditsDag, said: str = "") -> Response:
    folder, now = _own(access), access.services.now()
    grants = SourceGrants(folder)
    mapping: Mapping | None = access.services.knowledge.mapping(access.company.dag_id)
    state, (_, grant) = grant_state(grants, now, mapping.smarthr_url if mapping else ""), grants.newest()
    trouble = ConnectFailure(said) if said in tuple(ConnectFailure) else None
    token = access.services.knowledge.connection_state(access.company.dag_id, _connection(access))
    return page(
        request,
        f"{LINK}/smarthr.html",
        one=access.company,
        state=shown(state, is_under_way(folder, now), trouble, bool(token and token.registered)),
        elsewhere=state is GrantState.ELSEWHERE,
        linked=state is GrantState.LINKED,
        void=state is GrantState.VOID,
        grant=grant if grant and state is not GrantState.NONE else None,
        fewer=sees_fewer(folder, grant) if state is GrantState.LINKED else None,
        good=GOOD.get(said, ""),
        bad=SAID[trouble] if trouble else "",
        smarthr_url=mapping.smarthr_url if mapping else "",
        has_token=bool(token and token.registered),
        connection=_connection(access),
        may=access.services.authority.may_register(access.user, _connection(access)),
        fault=_fault(access, grants),
        minutes=int(LOGIN_LASTS.total_seconds() // 60),
        now=now,
    )


@router.get(f"/dag/{{dag_id}}/{PAGE}/connect")
def connect(request: Request, access: guard.EditsDag, framed: str = "") -> Response:
    """連携する: off to SmartHR. A link, for a browser holds a form and all that follows to this page's policy."""
    folder = _connector(access)
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        raise guard.CsrfError
    _sheet(access)
    back = smarthr_plus.callback_url()
    try:
        departure = Connecting(folder, _oauth()).begin(
            Grantor(access.user.id, access.user.name), back, access.services.now()
        )
    except ConnectingError as error:
        return _there(request, access.company.dag_id, error.trouble, framed=False)
    response = RedirectResponse(departure.url, 303, {"Referrer-Policy": "no-referrer"})
    response.set_cookie(
        departure.cookie,
        departure.value + (FRAMED if framed else ""),
        max_age=int(LOGIN_LASTS.total_seconds()),
        path=urlsplit(back).path,
        secure=back.startswith("https:"),
        httponly=True,
        samesite="lax",  # sent when SmartHR sends the browser back, and with nothing else from elsewhere
    )
    return response


@router.get(f"/{CALLBACK}")
def come_back(request: Request, visitor: guard.SignedIn) -> Response:
    """SmartHR has sent the browser back."""
    state, code, error = (request.query_params.get(name, "") for name in ("state", "code", "error"))
    tenant = tenant_of_state(state)
    access = _access(visitor, dag_id(LINK, tenant) if is_tenant(tenant) else "")
    folder = _connector(access)
    cookie = request.cookies.get(cookie_name(state), "")
    by = Grantor(visitor.user.id, visitor.user.name)
    back = AuthorizationResponse(state, code, error, cookie.removesuffix(FRAMED), by, smarthr_plus.callback_url())
    said = CONNECTED
    try:
        prove = prover(smarthr_plus.session(), _sheet(access).smarthr_url)
        Connecting(folder, _oauth()).finish(back, prove, visitor.services.now())
        access.note("smarthr connected")
    except ConnectingError as trouble:
        said = trouble.trouble
    except Refused:  # the page says why nobody can connect
        said = ""
    visitor.services.knowledge.changed()
    response = _there(request, access.company.dag_id, said, framed=cookie.endswith(FRAMED))
    response.delete_cookie(cookie_name(state), path=urlsplit(back.redirect_uri).path)
    return response


@router.post(f"/dag/{{dag_id}}/{PAGE}/disconnect")
def disconnect(request: Request, access: guard.PostsEditsDag) -> Response:
    """連携解除: the grant is given back where SmartHR has an address for it."""
    folder = _connector(access)
    oauth: SmartHROAuth | None = None
    with suppress(ConnectionError_):  # the registration is gone, or broken: what we hold is void all the same
        oauth = smarthr_plus.oauth()
    by = Grantor(access.user.id, access.user.name)
    try:
        said = REVOKED if connecting.disconnect(folder, oauth, by, access.services.now()) else ENDED
    except ConnectingError as error:
        said = error.trouble
    access.note("smarthr disconnected")
    access.services.knowledge.changed()
    return _there(request, access.company.dag_id, said, framed=False)


def granted(folder: TenantFolder, mapping: Mapping, now: dt.datetime) -> dict[str, bool]:
    """The Connection that a grant of the company stands in for, and whether the next run can use that grant."""
    state = grant_state(SourceGrants(folder), now, mapping.smarthr_url)
    return {} if state is GrantState.NONE else {f"smarthr__{folder.tenant}": state is GrantState.LINKED}


def void(store: Store) -> frozenset[str]:
    return void_tenants(store, LINK)


# --- what all of them need


def _own(access: guard.Access) -> TenantFolder:
    """The company's folder; raises NotFound: it is another link's."""
    folder = access.services.knowledge.folder(access.company.dag_id)
    if folder.link != LINK:
        raise guard.NotFound
    return folder


def _connector(access: guard.Access) -> TenantFolder:
    """As `_own`, for who may connect it; raises NotAllowed."""
    folder = _own(access)
    if not access.services.authority.may_register(access.user, _connection(access)):
        raise guard.NotAllowed
    return folder


def _access(visitor: guard.Visitor, one: str) -> guard.Access:
    """Raises NotFound: a company that is none, or that he may not change."""
    company, authority = visitor.services.knowledge.companies().get(one), visitor.services.authority
    if company is None or not all(authority.may(visitor.user, right, one) for right in (Right.SEE, Right.EDIT)):
        raise guard.NotFound
    return guard.Access(visitor.user, visitor.services, company)


def _sheet(access: guard.Access) -> Mapping:
    """Raises Refused: the sheet does not say which SmartHR it is."""
    mapping: Mapping | None = access.services.knowledge.mapping(access.company.dag_id)
    if mapping is None:
        raise Refused("連携設定シートに誤りがあるか、まだ読み取られていません。シートを直してから連携してください。")
    try:
        refuse_foreign(mapping.smarthr_url)
    except ConnectionError_ as error:
        raise Refused(str(error)) from None
    return mapping


def _oauth() -> SmartHROAuth:
    try:
        return smarthr_plus.oauth()
    except ConnectionError_ as error:
        raise Refused(str(error)) from None


def _fault(access: guard.Access, grants: SourceGrants) -> str:
    """Why 連携する cannot be pressed."""
    try:
        _sheet(access)
        if grants.may_be_kept:
            _oauth()
    except Refused as error:
        return str(error)
    return "" if grants.may_be_kept else SAID[ConnectFailure.PLAIN_STORE]


def _connection(access: guard.Access) -> str:
    return f"smarthr__{access.company.tenant}"


def _there(request: Request, one: str, said: str, *, framed: bool) -> RedirectResponse:
    """The company's page, which says what came of it; within Airflow's frame for who left from there."""
    path = f"{address(request, 'dag', one, PAGE)}?said={quote(said)}"
    outer = request.scope.get("root_path", "").removesuffix(MOUNT)
    return RedirectResponse(f"{outer}/plugin/renkei{path}" if framed else path, 303, {"Referrer-Policy": "no-referrer"})
