"""A company's OAuth at a SmartHR in memory: what it is asked, and what it answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import requests
from fsspec.implementations.local import LocalFileSystem

from renkei.links.smarthr_emc.connecting import (
    AuthorizationRequest,
    AuthorizationResponse,
    Connecting,
    Grantor,
    cookie_name,
)
from renkei.links.smarthr_emc.granted import GrantedToken
from renkei.storage.cipher import Cipher
from renkei.storage.source_grants import Grant, GrantEvent, SourceGrants
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.smarthr.oauth import OAuthSettings, SmartHROAuth
from tests.unit.systems.transport import Answer, Seen, Wire

KEY = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="  # for tests alone
NOW = dt.datetime(2026, 11, 29, 19, 30, tzinfo=dt.UTC)
CALLBACK = "https://airflow.example.jp/renkei/console/smarthr/callback"
YUKI = Grantor("yuki", "結城")
SECRETS = ("very-secret-client", "access-1", "refresh-1", "code-1")


def session_of(wire: Wire) -> requests.Session:
    session = requests.Session()
    session.mount("https://", wire)
    return session


def tokens(number: int, **changed: Any) -> Answer:
    """What SmartHR gives the n-th time; None leaves a field out."""
    said = {
        "access_token": f"access-{number}",
        "refresh_token": f"refresh-{number}",
        "token_type": "Bearer",
        "expires_in": 7200,
        **changed,
    }
    return Answer({name: value for name, value in said.items() if value is not None})


class OAuthWorld:
    """acme in an encrypted store. `answer` is what SmartHR's token address says; `asked` what it was asked."""

    def __init__(self, folder: Path, *, encrypted: bool = True, **settings: Any) -> None:
        self.store = Store(LocalFileSystem(), str(folder), Cipher(KEY) if encrypted else None)
        self.folder = TenantFolder(self.store, "smarthr_emc", "acme")
        self.grants = SourceGrants(self.folder)
        self.now = NOW
        self.answer: Answer | Exception | Callable[[], Answer | Exception] = tokens(1)
        self.crews = Answer([], headers={"x-total-count": "1"})
        self.asked: list[dict[str, str]] = []
        self.wire = Wire(self._reply)
        self.oauth = SmartHROAuth(OAuthSettings("client", "very-secret-client", **settings), session_of(self.wire))
        self.connecting = Connecting(self.folder, self.oauth)
        self.page = "https://airflow.example.jp/renkei/console/dag/smarthr_emc__acme/smarthr"

    def _reply(self, seen: Seen) -> Answer | Exception:
        if seen.path.startswith("/api/"):
            return self.crews
        self.asked.append(dict(parse_qsl(seen.body.decode())) | {"path": seen.path})
        return self.answer() if callable(self.answer) else self.answer

    @property
    def sent(self) -> list[str]:
        """The refresh tokens that were sent."""
        return [one["refresh_token"] for one in self.asked if "refresh_token" in one]

    def allowed(self, lasts: dt.timedelta | None = dt.timedelta(hours=2), refresh: str = "refresh-1") -> None:
        """A grant, as somebody allowed it just now."""
        number, _ = self.grants.newest()
        expires = self.now + lasts if lasts is not None else None
        made = Grant(GrantEvent.ALLOWED, self.now, "yuki", "結城", self.now, "access-1", refresh, expires)
        assert self.grants.follow(number, made)

    def granted(self, sleep: Callable[[float], None] | None = None) -> GrantedToken:
        """Whoever sleeps lets a second pass."""

        def pass_by(_: float) -> None:
            self.now += dt.timedelta(seconds=1)

        return GrantedToken(self.folder, lambda: self.oauth, self.page, lambda: self.now, sleep or pass_by)

    def back(self, departure: AuthorizationRequest, **changed: Any) -> AuthorizationResponse:
        """How SmartHR sends the browser back."""
        state = dict(parse_qsl(departure.url.partition("?")[2]))["state"]
        assert cookie_name(state) == departure.cookie
        found = {
            "state": state,
            "code": "code-1",
            "error": "",
            "cookie": departure.value,
            "by": YUKI,
            "redirect_uri": CALLBACK,
        }
        return AuthorizationResponse(**(found | changed))
