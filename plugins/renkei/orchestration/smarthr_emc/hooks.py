"""Airflow Connections as clients: credentials and TLS from HttpHook, everything else from our own clients."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests

from renkei.errors import ConnectionError_, RenkeiError
from renkei.orchestration.secret_hook import SecretHook
from renkei.orchestration.smarthr_emc import smarthr_plus
from renkei.settings import allowed_hosts
from renkei.systems.emc.client import EmcClient
from renkei.systems.smarthr.client import SmartHRClient
from renkei.systems.smarthr.hosts import is_smarthr_url


class _TokenHook(SecretHook):
    """A Connection whose password is a bearer token."""

    def get_conn(
        self, headers: dict[Any, Any] | None = None, extra_options: dict[str, Any] | None = None
    ) -> requests.Session:
        """A Session that carries the token; raises as `open_session`."""
        session, connection = self.open_session(headers, extra_options)
        session.headers["Authorization"] = f"Bearer {self.secret_of(connection)}"
        return session


class SmartHRHook(_TokenHook):
    """Connection type `smarthr`: one tenant's access token."""

    conn_name_attr = "smarthr_conn_id"
    default_conn_name = "smarthr_default"
    conn_type = "smarthr"
    hook_name = "SmartHR"
    label = "SmartHR"

    def __init__(self, smarthr_conn_id: str = default_conn_name) -> None:
        super().__init__(method="GET", http_conn_id=smarthr_conn_id)

    def client(self, smarthr_url: str, requests_per_second: int) -> SmartHRClient:
        """A client for the sheet's SmartHR URL.

        Raises:
            ConnectionError_: the Connection belongs to another SmartHR tenant than the sheet, or the URL is not
                SmartHR's.
        """
        session = self.get_conn()
        if urlsplit(self.base_url).hostname and urlsplit(self.base_url).netloc != urlsplit(smarthr_url).netloc:
            raise ConnectionError_(
                f"Airflowの接続「{self.http_conn_id}」のURLと連携設定シートのSmartHR URLが異なります。"
                "別の会社のトークンを使わないよう中止しました。どちらかを直してください。"
            )
        refuse_foreign(smarthr_url)
        return SmartHRClient(session, smarthr_url, requests_per_second, log_in=lambda: "")

    def test_connection(self) -> tuple[bool, str]:
        """The form's test button."""
        try:
            session = self.get_conn()
            host = urlsplit(self.base_url).hostname
            if not host:
                return False, "SmartHRのURLを入力してからテストしてください。"
            if not is_smarthr_url(self.base_url, allowed_hosts()):
                return False, "SmartHRのURLではありません（https://*.smarthr.jp）。"
            SmartHRClient(session, self.base_url).check()
        except RenkeiError as error:
            return False, str(error)
        return True, "SmartHRに接続できました。"


def smarthr_client(tenant: str, smarthr_url: str, requests_per_second: int = 10) -> SmartHRClient:
    """A client by what the company allowed on 「SmartHRの接続」; if it never did, by the Connection `smarthr__<tenant>`.

    Raises:
        FetchError: it had allowed it, and the grant is void, or cannot be renewed just now.
        ConnectionError_: it was allowed at another SmartHR than the sheet's; or as `SmartHRHook.client`.
    """
    grant = smarthr_plus.granted(tenant)
    if not grant.exists():
        return SmartHRHook(f"smarthr__{tenant}").client(smarthr_url, requests_per_second)
    refuse_foreign(smarthr_url)
    if not grant.is_of(smarthr_url):
        raise ConnectionError_(
            "SmartHRの許可を受けた会社のURLと、連携設定シートのSmartHR URLが異なります。"
            "別の会社に許可を使わないよう中止しました。シートのURLを直すか、「SmartHRの接続」の画面で連携し直してください。"
        )
    token = grant.token()
    return SmartHRClient(
        smarthr_plus.session(), smarthr_url, requests_per_second, token, grant.instead_of, grant.log_in
    )


def refuse_foreign(smarthr_url: str) -> None:
    """Raises ConnectionError_: the sheet was read when other hosts were allowed."""
    if not is_smarthr_url(smarthr_url, allowed_hosts()):
        raise ConnectionError_(
            "連携設定シートのSmartHR URLはSmartHRのURLではないため、トークンを送りませんでした。"
            "シートのSmartHR URLを「https://(サブドメイン).smarthr.jp」の形に直してください。"
        )


class EmcHook(_TokenHook):
    """Connection type `emc`: one EMC account."""

    conn_name_attr = "emc_conn_id"
    default_conn_name = "emc_default"
    conn_type = "emc"
    hook_name = "Emergency Call (EMC)"
    label = "EMC"

    def __init__(self, emc_conn_id: str = default_conn_name) -> None:
        super().__init__(method="POST", http_conn_id=emc_conn_id)

    def client(self) -> EmcClient:
        session = self.get_conn()
        self.require_private_url()
        return EmcClient(session, self.base_url)

    def test_connection(self) -> tuple[bool, str]:
        """The form's test button."""
        try:
            account = self.client().check()
        except RenkeiError as error:
            return False, str(error)
        return True, f"EMCに接続できました（アカウント {account.get('account')}、ユーザ {account.get('users')}名）。"
