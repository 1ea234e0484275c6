"""An Airflow Connection with a secret, and the `requests` Session that may carry it: TLS and proxies are HttpHook's."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlsplit

import requests
from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk import Connection

from renkei.errors import ConnectionError_
from renkei.notifications.services import SYSTEMS
from renkei.orchestration.connection_kinds import kind_of
from renkei.orchestration.connections import extra_of, find_connection
from renkei.settings import allowed_hosts
from renkei.systems.hosts import is_private
from renkei.systems.transport import token_fault


class SecretHook(HttpHook):
    """What the hooks of all systems have in common. A subclass puts the secret where its system asks for it."""

    label: ClassVar[str]
    secret_name: ClassVar[str] = "トークン(Password)"

    def open_session(
        self, headers: dict[Any, Any] | None = None, extra_options: dict[str, Any] | None = None
    ) -> tuple[requests.Session, Connection]:
        """A Session without the secret, which follows no redirect and takes no other credentials; and the Connection.

        Raises:
            ConnectionError_: the Connection is missing, another system's, has no secret, or a URL that is none.
        """
        connection = find_connection(self.http_conn_id, self.label)
        if connection.conn_type in SYSTEMS - {self.conn_type}:  # its secret would go to this one
            raise ConnectionError_(
                f"Airflowの接続「{self.http_conn_id}」の種類が「{self.hook_name}」ではありません。接続の名前か種類を直してください。"
            )
        extra_of(connection)
        self.secret_of(connection)
        try:
            session: requests.Session = super().get_conn(headers, extra_options)
        except ValueError:  # its text quotes the Connection
            raise self._no_url() from None
        if connection.host and "://" not in connection.host and not connection.schema:
            self.base_url = self.base_url.replace("http://", "https://", 1)  # HttpHook would send the secret in clear
        self.base_url = self.base_url.strip()
        session.auth = None
        session.trust_env = False  # a .netrc entry would replace the secret
        for one in kind_of(self.conn_type).fields:
            if one.place == "extra":  # HttpHook makes a header of whatever Extra has
                session.headers.pop(one.key, None)
        session.headers["Accept"] = "application/json"
        return session, connection

    def secret_of(self, connection: Connection) -> str:
        """The Connection's password; raises ConnectionError_ where it has none, or one that no header can carry."""
        secret = (connection.password or "").strip()
        if not secret:
            raise ConnectionError_(
                f"Airflowの接続「{self.http_conn_id}」（{self.label}）に{self.secret_name}がありません。"
            )
        if fault := token_fault(secret):
            what = self.secret_name.partition("(")[0]
            raise ConnectionError_(
                f"Airflowの接続「{self.http_conn_id}」（{self.label}）の{self.secret_name}の{fault}。"
                f"{what}をコピーし直して、半角のまま貼り付けてください。"
            )
        return secret

    def require_private_url(self) -> None:
        """Raises ConnectionError_: it has no URL, or one that would carry the secret, and people, in clear."""
        if not urlsplit(self.base_url).hostname:
            raise ConnectionError_(f"Airflowの接続「{self.http_conn_id}」（{self.label}）にURL(Host)がありません。")
        if is_private(self.base_url, allowed_hosts()):
            return
        if self.base_url.lower().startswith("https:"):
            raise self._no_url()
        raise ConnectionError_(
            f"Airflowの接続「{self.http_conn_id}」（{self.label}）のURL(Host)が https:// で始まりません。"
            f"{self.secret_name.partition('(')[0]}と個人情報が暗号化されずに流れるため、送りませんでした。URLを https:// に直してください。"
        )

    def _no_url(self) -> ConnectionError_:
        return ConnectionError_(
            f"Airflowの接続「{self.http_conn_id}」（{self.label}）のURL(Host)の形が正しくありません。"
        )
