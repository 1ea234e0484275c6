"""One tenant's members, their browsers, and a LINE that answers as it is told."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
import pandas as pd
import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.notifications.members.linking import AuthorizationRequest, Linked, Linking
from renkei.notifications.members.troubles import LinkingError, LinkingFailure
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.line.login import LineLogin
from tests.unit.systems.transport import Answer, Seen, network

NOW = dt.datetime(2026, 11, 22, 1, 0, tzinfo=dt.UTC)
BACK = "https://airflow.example.jp/renkei/line/callback"
SECRET = "0123456789abcdef0123456789abcdef"
TARO, HANAKO = "U" + "a" * 32, "U" + "b" * 32


class Line:
    """LINE's token and friendship requests. `claims` goes over what an honest id_token says."""

    def __init__(self) -> None:
        self.nonce = ""
        self.person = TARO
        self.claims: dict[str, Any] = {}
        self.key = SECRET
        self.status = 200
        self.codes: list[str] = []

    def __call__(self, request: Seen) -> Answer:
        if request.path == "/friendship/v1/status":
            return Answer(status=200, body={"friendFlag": True})
        self.codes.append(dict(parse_qsl(request.body.decode()))["code"])
        now = int(NOW.timestamp())
        honest = {"iss": "https://access.line.me", "aud": "2000000002", "exp": now + 3600, "iat": now}
        claims = honest | {"sub": self.person, "nonce": self.nonce} | self.claims
        tokens = {"access_token": "ACCESS-TOKEN", "id_token": jwt.encode(claims, self.key, algorithm="HS256")}
        return Answer(status=self.status, body=tokens if self.status == 200 else {"error": "invalid_grant"})


class World:
    """One tenant with two members, their browsers, and LINE."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.line = folder, Line()
        network(self.line)
        self.login = LineLogin("2000000002", SECRET)
        self.linking = Linking(TenantFolder(Store(LocalFileSystem(), str(folder)), "smarthr_emc", "acme"))
        self.linking.members.replace(pd.DataFrame({"user_id": ["001", "002"]}))

    def invite(self, user_id: str = "001") -> str:
        return self.linking.invite([user_id], 14, NOW)[user_id]

    def begin(self, token: str, now: dt.datetime = NOW) -> AuthorizationRequest:
        return self.linking.begin(token, self.login, BACK, now)

    def finish(
        self, departure: AuthorizationRequest, *, browser: str | None = None, now: dt.datetime = NOW, **answer: str
    ) -> Linked:
        """LINE sends the browser back."""
        query = parse_qs(urlsplit(departure.url).query)
        self.line.nonce = query["nonce"][0]
        attempt = self.linking.attempt(query["state"][0], departure.value if browser is None else browser)
        code, error = answer.get("code", "CODE"), answer.get("error", "")
        return self.linking.finish(attempt, code, error, self.login, BACK, now)

    def line_id(self, user_id: str = "001") -> str:
        member = self.linking.members.find(user_id)
        assert member is not None
        return member.line_user_id


def refused(trouble: LinkingFailure) -> Any:
    return pytest.raises(LinkingError, check=lambda error: error.trouble is trouble)
