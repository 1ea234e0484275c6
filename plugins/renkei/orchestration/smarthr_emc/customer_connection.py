"""SmartHRの接続 on the お客様ページ: a customer's own administrator allows us, by an invitation (S3, S5)."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlsplit

from renkei.errors import ConnectionError_, RenkeiError
from renkei.links.smarthr_emc import LINK
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
from renkei.orchestration.connections import find_connection, open_store
from renkei.orchestration.link import LINKS
from renkei.orchestration.public.connection_secrets import DAG_FILE
from renkei.orchestration.smarthr_emc import smarthr_plus
from renkei.orchestration.smarthr_emc.hooks import refuse_foreign
from renkei.orchestration.tenant import find_tenant
from renkei.storage.source_grants import SourceGrants
from renkei.storage.tenant_folder import TenantFolder
from renkei.storage.tokens import tenant_of_state
from renkei.systems.smarthr.oauth import SmartHROAuth
from renkei.web.customer.facts import Answer, AuthorizationRequest, Connected, ConnectionState, NotConnectedError
from renkei.web.customer.invitations import Invitation

PATIENCE_S = 20.0  # for a sheet that nobody has compiled yet
NO_SHEET, NOT_READY = "NO_SHEET", "NOT_READY"
OWN = {
    NO_SHEET: "先に、誤りのない連携設定シートが必要です。シートの用意ができてから連携してください。",
    NOT_READY: "この画面から連携する準備が、まだできていません。運用担当者に連絡してください。",
}


class SmartHRConnector:
    """`renkei.web.customer.facts.Connector` of one company."""

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant
        self._folder = TenantFolder(open_store(), LINK, tenant)

    @property
    def origin(self) -> str:
        try:
            parts = urlsplit(smarthr_plus.read_settings().authorize_url)
        except ConnectionError_:
            return ""
        return f"{parts.scheme}://{parts.netloc}"

    def status(self, now: dt.datetime) -> Connected:
        grants = SourceGrants(self._folder)
        _, grant = grants.newest()
        fault, url = "", ""
        try:
            url = self._smarthr_url()
            self._oauth()
            if not grants.may_be_kept:
                fault = OWN[NOT_READY]
        except NotConnectedError as error:
            fault = str(error)
        kinds = {
            GrantState.LINKED: ConnectionState.LINKED,
            GrantState.VOID: ConnectionState.VOID,
            GrantState.ELSEWHERE: ConnectionState.VOID,
        }
        state = grant_state(grants, now, url)
        if state in kinds and grant:
            fewer = sees_fewer(self._folder, grant) if state is GrantState.LINKED else None
            return Connected(kinds[state], grant.allowed_at or grant.at, fault, fewer)
        if is_under_way(self._folder, now):
            return Connected(ConnectionState.UNDER_WAY, fault=fault)
        return Connected(ConnectionState.OTHERWISE if self._has_token() else ConnectionState.NONE, fault=fault)

    def said(self, code: str) -> str:
        return SAID[ConnectFailure(code)] if code in tuple(ConnectFailure) else OWN.get(code, "")

    def begin(self, by: Invitation, back: str, now: dt.datetime) -> AuthorizationRequest:
        self._smarthr_url()
        try:
            found = Connecting(self._folder, self._oauth()).begin(_allower(by), back, now)
        except ConnectingError as error:
            raise NotConnectedError(error.trouble) from None
        return AuthorizationRequest(found.url, found.cookie, found.value, int(LOGIN_LASTS.total_seconds()))

    def finish(self, answer: Answer, by: Invitation, back: str, now: dt.datetime) -> None:
        if tenant_of_state(answer.state) != self._tenant:
            raise NotConnectedError(ConnectFailure.STATE)
        came = AuthorizationResponse(
            answer.state, answer.code, answer.error, answer.cookie(cookie_name(answer.state)), _allower(by), back
        )
        url, oauth = self._smarthr_url(), self._oauth()
        try:
            Connecting(self._folder, oauth).finish(came, prover(smarthr_plus.session(), url), now)
        except ConnectingError as error:
            raise NotConnectedError(error.trouble) from None

    def _smarthr_url(self) -> str:
        try:
            found: str = find_tenant(LINKS[LINK], self._tenant, DAG_FILE, PATIENCE_S).mapping.smarthr_url
            refuse_foreign(found)
        except RenkeiError:
            raise NotConnectedError(NO_SHEET, OWN[NO_SHEET]) from None
        return found

    def _oauth(self) -> SmartHROAuth:
        try:
            return smarthr_plus.oauth()
        except ConnectionError_:  # what is missing is the operator's to know
            raise NotConnectedError(NOT_READY, OWN[NOT_READY]) from None

    def _has_token(self) -> bool:
        try:
            find_connection(f"smarthr__{self._tenant}", "SmartHR")
        except ConnectionError_:
            return False
        return True


def _allower(by: Invitation) -> Grantor:
    return Grantor(f"invitation {by.number}", f"{by.label}（お客様ページの招待{by.number}）")


def connector(tenant: str) -> SmartHRConnector:
    """Raises StoreError."""
    return SmartHRConnector(tenant)
