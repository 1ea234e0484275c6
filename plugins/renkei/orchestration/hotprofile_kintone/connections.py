"""What a task gets from Airflow: Hot Profile and kintone with the tenant's credentials, and the database."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import urlsplit

from renkei import settings
from renkei.errors import ConnectionError_, RenkeiError
from renkei.links.hotprofile_kintone.sheet.mapping import Mapping
from renkei.orchestration.secret_hook import SecretHook
from renkei.settings import allowed_hosts
from renkei.storage.database.database import Database, open_database
from renkei.systems.hotprofile.client import HotProfileClient
from renkei.systems.kintone.client import KintoneClient
from renkei.systems.kintone.hosts import is_kintone_url


class HotProfileHook(SecretHook):
    """Connection type `hotprofile`: 連携ユーザー's API key."""

    conn_name_attr = "hotprofile_conn_id"
    default_conn_name = "hotprofile_default"
    conn_type = "hotprofile"
    hook_name = label = "Hot Profile"
    secret_name = "APIキー(Password)"

    def __init__(self, hotprofile_conn_id: str = default_conn_name) -> None:
        super().__init__(method="POST", http_conn_id=hotprofile_conn_id)

    def client(self) -> HotProfileClient:
        """Raises ConnectionError_, as `open_session`."""
        session, connection = self.open_session()
        self.require_private_url()
        return HotProfileClient(session, self.base_url, self.secret_of(connection))

    def test_connection(self) -> tuple[bool, str]:
        """The form's test button."""
        try:
            if not self.client().user_exists(""):
                return (
                    False,
                    "ユーザーが削除されているか、APIキーが無効です。Hot Profileで連携ユーザーを確認してください。",
                )
        except RenkeiError as error:
            return False, str(error)
        return True, "Hot Profileに接続できました。"


class KintoneHook(SecretHook):
    """Connection type `kintone`: one domain. With a login it is a password, else API tokens with commas between."""

    conn_name_attr = "kintone_conn_id"
    default_conn_name = "kintone_default"
    conn_type = "kintone"
    hook_name = label = "kintone"
    secret_name = "APIトークン(Password)"

    def __init__(self, kintone_conn_id: str = default_conn_name) -> None:
        super().__init__(method="GET", http_conn_id=kintone_conn_id)

    def client(self, mapping: Mapping, spend: Callable[[int], None]) -> KintoneClient:
        """A client for the sheet's domain.

        Raises:
            ConnectionError_: as `open_session`; or the Connection is another domain's than the sheet, or neither is
                kintone's.
        """
        session, connection = self.open_session()
        if urlsplit(self.base_url).hostname and urlsplit(self.base_url).netloc != urlsplit(mapping.domain).netloc:
            raise ConnectionError_(
                f"Airflowの接続「{self.http_conn_id}」のURLと連携設定シートのサブドメインが異なります。"
                "別の会社のkintoneに書き込まないよう中止しました。どちらかを直してください。"
            )
        if not is_kintone_url(mapping.domain, allowed_hosts()):  # the sheet was read when other hosts were allowed
            raise ConnectionError_(
                "連携設定シートのサブドメインはkintoneのものではないため、トークンを送りませんでした。"
                "シートのサブドメインを「https://(サブドメイン).cybozu.com」の形に直してください。"
            )
        secret = self.secret_of(connection)
        if connection.login:
            credentials = base64.b64encode(f"{connection.login}:{secret}".encode()).decode()
            session.headers["X-Cybozu-Authorization"] = credentials
        else:
            session.headers["X-Cybozu-API-Token"] = secret
        return KintoneClient(
            *(session, mapping.domain, mapping.guest_space, spend),
            at_once=mapping.at_once,
            address=settings.outgoing_ip(),
        )

    def test_connection(self) -> tuple[bool, str]:
        """The form's test button: which apps the tokens open, only a sheet says."""
        try:
            self.open_session()
        except RenkeiError as error:
            return False, str(error)
        if not urlsplit(self.base_url).hostname:
            return False, "kintoneのURLを入力してからテストしてください。"
        if not is_kintone_url(self.base_url, allowed_hosts()):
            return False, "kintoneのURLではありません（https://*.cybozu.com）。"
        return True, "形は正しいです。アプリに接続できるかどうかは、Dagの「確認のみ」で確認してください。"


def hotprofile_client(tenant: str) -> HotProfileClient:
    """Hot Profile of one tenant: Connection `hotprofile__<tenant>`."""
    return HotProfileHook(f"hotprofile__{tenant}").client()


def kintone_client(mapping: Mapping, spend: Callable[[int], None]) -> KintoneClient:
    """kintone of one tenant, each of whose requests is told to `spend` before it is sent: Connection `kintone__<tenant>`."""
    return KintoneHook(f"kintone__{mapping.tenant}").client(mapping, spend)


def database() -> Database:
    """The database of RENKEI_DATABASE; raises StoreError."""
    return open_database(settings.database_url())
