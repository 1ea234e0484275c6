"""What the LINE linking page needs of Airflow: the LINE Login channel of a tenant, and the page's own address (N4)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from airflow.configuration import conf

from renkei import settings
from renkei.errors import ConnectionError_
from renkei.orchestration.connections import extra_of, find_connection
from renkei.systems.hosts import is_trusted
from renkei.systems.line.login import ASK_HOST, LineLogin

PREFIX = "/renkei"  # where the plugin mounts the pages
CONN_TYPE = "line_login"
MAX_NAME = 100  # characters of a company's name on the page


@dataclass(frozen=True, slots=True)
class LoginChannel:
    """A tenant's LINE Login channel, and what the page says of the company."""

    login: LineLogin = field(repr=False)
    ask_origin: str  # of the page to which the browser is sent
    friend_url: str = ""  # 友だち追加
    company: str = ""


def conn_id(tenant: str) -> str:
    return f"line_login__{tenant}"


def login_channel(tenant: str) -> LoginChannel:
    """The Connection `line_login__<tenant>`; raises as `read_channel`."""
    return read_channel(conn_id(tenant))


def read_channel(name: str) -> LoginChannel:
    """The Connection `name`: Login the channel id, Password its secret, Host a stand-in for LINE,
    Extra `friend_url` and `company`.

    Raises:
        ConnectionError_: it is missing, incomplete, or would send the secret to a host that is not LINE's.
    """
    connection = find_connection(name, "LINEログイン")
    channel_id, secret = (str(value or "").strip() for value in (connection.login, connection.password))
    if not re.fullmatch(r"[0-9]{5,20}", channel_id):
        raise ConnectionError_(f"Airflowの接続「{name}」のチャネルID(Login)が数字ではありません。")
    if not re.fullmatch(r"[!-~]{8,100}", secret):
        raise ConnectionError_(
            f"Airflowの接続「{name}」のチャネルシークレット(Password)がないか、途中に空白があります。"
        )
    base = str(connection.host or "").strip().rstrip("/")
    if base and not is_trusted(base, lambda _: False, settings.allowed_hosts()):
        raise ConnectionError_(
            f"Airflowの接続「{name}」のHostは、RENKEI_ALLOWED_HOSTS にないため使えません。LINEを使う場合は空白にしてください。"
        )
    extra = extra_of(connection)
    friend = str(extra.get("friend_url") or "").strip()
    if friend and not is_trusted(friend, _is_line, settings.allowed_hosts()):
        raise ConnectionError_(
            f"Airflowの接続「{name}」の友だち追加のURL(Extra friend_url)がLINEのURLではありません（例: https://lin.ee/…）。"
        )
    parts = urlsplit(base or ASK_HOST)
    company = " ".join(str(extra.get("company") or "").split())[:MAX_NAME]
    return LoginChannel(LineLogin(channel_id, secret, base), f"{parts.scheme}://{parts.netloc}", friend, company)


def page_url() -> str:
    """The address of the pages as members reach them: RENKEI_PUBLIC_URL, else [api] base_url, with PREFIX."""
    return (settings.public_url() or conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")) + PREFIX


def callback_url() -> str:
    """コールバックURL, to be registered at LINE word for word."""
    return f"{page_url()}/line/callback"


def invitation_url(tenant: str, token: str) -> str:
    return f"{page_url()}/line/{tenant}/{token}"


def _is_line(host: str) -> bool:
    return host in ("lin.ee", "line.me") or host.endswith(".line.me")
