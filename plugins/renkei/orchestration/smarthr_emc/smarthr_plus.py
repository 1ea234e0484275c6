"""連携する by SmartHR's OAuth, with what it needs of Airflow: the app's registration, addresses, the token of a company (S3)."""

from __future__ import annotations

import datetime as dt
import re
from contextlib import suppress
from typing import Any

import requests
from airflow.configuration import conf
from airflow.sdk import BaseHook

from renkei.clock import TOKYO
from renkei.errors import ConnectionError_, RenkeiError
from renkei.links.smarthr_emc import LINK, connecting
from renkei.links.smarthr_emc import granted as granted_token
from renkei.orchestration.connections import extra_of, find_connection, open_store
from renkei.orchestration.link import dag_id
from renkei.orchestration.monitor.operator_channels import console_page
from renkei.settings import allowed_hosts
from renkei.storage.source_grants import SourceGrants
from renkei.storage.tenant_folder import TenantFolder, tenants_folder
from renkei.systems.smarthr.oauth import AUTHORIZE, BASE, LONGEST_S, TOKEN, OAuthSettings, SmartHROAuth, is_oauth_url
from renkei.systems.transport import own_session, token_fault

CONN_ID = CONN_TYPE = "smarthr_plus"  # one of an installation: SmartHR registers one app for all companies
LABEL = "SmartHR Plusのアプリ"
PAGE = "smarthr"  # of a company: /dag/<dag id>/smarthr
CALLBACK = "smarthr/callback"
NO = ("no", "いいえ", "しない")
_SESSION = {"verify": (bool, str), "cert": (str,), "proxies": (dict,)}  # of Extra, as for Airflow's http Connections


class SmartHRPlusHook(BaseHook):
    """Connection type `smarthr_plus`, for Airflow's form; the pages and runs read it themselves."""

    conn_name_attr = "smarthr_plus_conn_id"
    default_conn_name = CONN_ID
    conn_type = CONN_TYPE
    hook_name = "SmartHR Plus"

    def __init__(self, smarthr_plus_conn_id: str = CONN_ID) -> None:
        super().__init__()
        self.smarthr_plus_conn_id = smarthr_plus_conn_id

    def test_connection(self) -> tuple[bool, str]:
        """The form's test button: the shape of everything, and what SmartHR must know. The secret cannot be tried."""
        try:
            read_settings(self.smarthr_plus_conn_id)
        except RenkeiError as error:
            return False, str(error)
        return True, (
            f"形は正しいです。SmartHRのアプリに、コールバックURL {callback_url()} を登録してください。"
            f"お客様ページから連携する場合は、{customer_callback_url()} も登録します。"
        )


def read_settings(name: str = CONN_ID) -> OAuthSettings:
    """The Connection: Login the client id, Password its secret, Host another SmartHR's (sandbox), Extra what is not published.

    Raises:
        ConnectionError_: it is missing, incomplete, or would send the secret to a host that is not SmartHR's.
    """
    connection = find_connection(name, LABEL)
    texts = {"クライアントID(Login)": connection.login, "シークレット(Password)": connection.password}
    client_id, secret = (str(text or "").strip() for text in texts.values())
    for label, text in zip(texts, (client_id, secret), strict=True):
        if not text:
            raise ConnectionError_(f"Airflowの接続「{name}」（{LABEL}）に{label}がありません。")
        if fault := token_fault(text):
            raise ConnectionError_(f"Airflowの接続「{name}」（{LABEL}）の{label}の{fault}。")
    extra = extra_of(connection)
    base = str(connection.host or "").strip().rstrip("/") or BASE
    addresses = {
        "authorize_url": _text(extra, "authorize_url") or base + AUTHORIZE,
        "token_url": _text(extra, "token_url") or base + TOKEN,
        "revoke_url": _text(extra, "revoke_url"),
    }
    for key, url in addresses.items():
        if url and not is_oauth_url(url, allowed_hosts()):
            raise ConnectionError_(
                f"Airflowの接続「{name}」（{LABEL}）の{key}がSmartHRのURLではありません（https://*.smarthr.jp）。"
                "シークレットを送らないため、使いません。"
            )
    lifetime = _text(extra, "lifetime_s") or "0"
    if not re.fullmatch(r"[0-9]{1,9}", lifetime) or int(lifetime) > LONGEST_S:
        raise ConnectionError_(f"Airflowの接続「{name}」（{LABEL}）のlifetime_sを、秒数（整数）にしてください。")
    return OAuthSettings(
        client_id,
        secret,
        **addresses,
        scope=_text(extra, "scope"),
        pkce=_text(extra, "pkce") not in NO,
        rotates=_text(extra, "rotates") not in NO,
        lifetime_s=int(lifetime),
    )


def oauth() -> SmartHROAuth:
    """SmartHR's OAuth with our registration; raises as `read_settings`."""
    return SmartHROAuth(read_settings(), session())


def session() -> requests.Session:
    """Without a token; TLS and proxies as the Connection's Extra says, if there is one: a grant that is good needs none."""
    made, extra = own_session(), {}
    with suppress(ConnectionError_):
        extra = extra_of(find_connection(CONN_ID, LABEL))
    for name, kinds in _SESSION.items():
        if isinstance(extra.get(name), kinds):
            setattr(made, name, extra[name])
    return made


def page_of(tenant: str) -> str:
    """SmartHRの接続 of a company."""
    return console_page("dag", dag_id(LINK, tenant), PAGE)


def grant_end(folder: TenantFolder) -> tuple[dt.date, str] | None:
    """The day in Japan on which a grant ends that nothing renews, and the page to allow it anew; may raise StoreError."""
    _, grant = SourceGrants(folder).newest()
    if grant is None or not grant.is_valid or grant.refresh_token or grant.expires_at is None:
        return None
    return grant.expires_at.astimezone(TOKYO).date(), page_of(folder.tenant)


def granted(tenant: str) -> granted_token.GrantedToken:
    """The token of a company that is, or was, connected by OAuth."""
    return granted_token.GrantedToken(TenantFolder(open_store(), LINK, tenant), oauth, page_of(tenant))


def tidy(now: dt.datetime, _keep: dt.timedelta) -> int:
    """Delete log-ins that are over and grants long replaced, of all companies; how many files. May raise StoreError."""
    store, deleted = open_store(), 0
    for tenant in store.names(tenants_folder(LINK)):
        folder = TenantFolder(store, LINK, tenant)
        deleted += connecting.tidy(folder, now) + granted_token.tidy(SourceGrants(folder), now)
    return deleted


def callback_url() -> str:
    """コールバックURL of the console, to be registered at SmartHR to the letter."""
    base = conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
    return f"{base}/renkei/console/{CALLBACK}"


def customer_callback_url() -> str:
    """The same of the お客様ページ."""
    from renkei.orchestration.public.inviting import address  # of pages, which no task has a use for
    from renkei.web.customer.connection import BACK

    return f"{address()}/{BACK}"


def _text(extra: dict[str, Any], name: str) -> str:
    return str(extra.get(name) or "").strip()
