"""SmartHR's OAuth for registered apps (SmartHR Plus): where to send the browser, a code for a grant, its renewal.

Published are the two addresses, and that the client's secret goes in the body (kufu/omniauth-smarthr). All else is a
setting: PKCE, scope, lifetimes, whether refresh tokens are spent by use, revocation (docs/assumptions.md).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, TypeGuard
from urllib.parse import urlencode, urlsplit

import requests

from renkei.errors import RenkeiError
from renkei.systems.delivery import words
from renkei.systems.hosts import is_trusted
from renkei.systems.smarthr.hosts import SUFFIXES
from renkei.systems.transport import HEADER_TEXT, UnsendableError, bounded, exchange, is_unsent, json_of

BASE = "https://app.smarthr.jp"
AUTHORIZE, TOKEN = "/oauth/authorization", "/oauth/token"
CONNECT_S, ANSWER_S = 5.0, 15.0
MAX_BYTES = 64 * 1024  # of an answer
LONGEST_S = 10 * 365 * 86_400  # of a lifetime
MAX_TOKEN = 8_000  # characters
UNTAKEN = (429, 503)  # too many, or maintenance: the request was not taken up


class OAuthError(RenkeiError):
    """No grant. `str()` is for people, `reason` for the log; neither holds a code, a token or a secret."""

    def __init__(self, message: str, reason: str = "") -> None:
        self.reason = words(reason)
        super().__init__(message)


class RefusedGrantError(OAuthError):
    """SmartHR says that the code or the refresh token is void: spent, expired, revoked."""


class OAuthSettingError(OAuthError):
    """SmartHR does not know us: client id, secret, callback URL, scope."""


class UnreachedError(OAuthError):
    """SmartHR did not take the request up: nothing is spent."""


class LostAnswerError(OAuthError):
    """It may have been taken, and the answer was lost: a code or a rotating refresh token may be spent."""


@dataclass(frozen=True, slots=True)
class OAuthSettings:
    """What the Connection `smarthr_plus` says."""

    client_id: str
    client_secret: str = field(repr=False)
    authorize_url: str = BASE + AUTHORIZE
    token_url: str = BASE + TOKEN
    revoke_url: str = ""  # empty: SmartHR has none
    scope: str = ""
    pkce: bool = True
    rotates: bool = True  # a refresh token is spent by its use
    lifetime_s: int = 0  # where an answer does not say; 0: it does not expire


@dataclass(frozen=True, slots=True)
class Tokens:
    """What SmartHR gives for a code or a refresh token."""

    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    expires_at: dt.datetime | None = None
    scope: str = ""


def is_oauth_url(url: str, allowed: Collection[str] = ()) -> bool:
    """Whether `url` is SmartHR's, by HTTPS, or an operator's stand-in: the client's secret goes nowhere else (L7)."""
    return is_trusted(url, lambda host: host.endswith(SUFFIXES), allowed)


class SmartHROAuth:
    """One registered app, over a Session of its own."""

    def __init__(self, settings: OAuthSettings, session: requests.Session) -> None:
        self.settings = settings
        self._session = bounded(session)

    def authorize_url(self, redirect_uri: str, state: str, challenge: str) -> str:
        """Where the browser goes."""
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "state": state,
        }
        if self.settings.scope:
            query["scope"] = self.settings.scope
        if self.settings.pkce:
            query |= {"code_challenge": challenge, "code_challenge_method": "S256"}
        joint = "&" if urlsplit(self.settings.authorize_url).query else "?"
        return f"{self.settings.authorize_url}{joint}{urlencode(query)}"

    def exchange(self, code: str, redirect_uri: str, verifier: str, now: dt.datetime) -> Tokens:
        """The grant for a code, which is good once: nothing is tried twice.

        Raises:
            OAuthError: by its kind.
        """
        asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        if self.settings.pkce:
            asked["code_verifier"] = verifier
        return self._tokens(asked, now)

    def renew(self, refresh_token: str, now: dt.datetime) -> Tokens:
        """A new grant for a refresh token, tried once; where none comes with it, the old refresh token stays good.

        Raises:
            OAuthError: by its kind.
        """
        found = self._tokens({"grant_type": "refresh_token", "refresh_token": refresh_token}, now)
        kept = found.refresh_token or refresh_token
        return Tokens(found.access_token, kept, found.expires_at, found.scope)

    def revoke(self, token: str) -> bool:
        """Whether SmartHR said that the token is void now (RFC 7009); where it has no such address, it is not asked."""
        if not self.settings.revoke_url or not token:
            return False
        try:
            return self._ask(self.settings.revoke_url, {"token": token}).status_code == 200
        except OAuthError:
            return False

    def _tokens(self, asked: dict[str, str], now: dt.datetime) -> Tokens:
        response = self._ask(self.settings.token_url, asked)
        said = _said(response)
        if response.status_code == 200:
            return self._read(said, now)
        error = said.get("error")
        reason = f"HTTP {response.status_code} {error if isinstance(error, str) else ''}"
        if response.status_code in UNTAKEN:
            raise UnreachedError(
                "SmartHRが混み合っているか、メンテナンス中です。時間をおいてやり直してください。", reason
            )
        if response.status_code == 408 or response.status_code >= 500:
            raise LostAnswerError("SmartHRでエラーが発生し、許可されたか分かりません。", reason)
        if error == "invalid_grant":
            raise RefusedGrantError("SmartHRが、許可の期限切れまたは取り消しを知らせました。", reason)
        raise OAuthSettingError(
            "SmartHRがこの連携サーバの登録を受け付けません。運用担当者が、接続 smarthr_plus のクライアントID・"
            "シークレットと、SmartHRに登録したコールバックURLを確認してください。",
            reason,
        )

    def _read(self, said: dict[str, Any], now: dt.datetime) -> Tokens:
        access, refresh = said.get("access_token"), said.get("refresh_token")
        kind, scope = said.get("token_type", "bearer"), said.get("scope")
        if not _is_token(access) or not (refresh is None or _is_token(refresh)) or str(kind).lower() != "bearer":
            raise LostAnswerError("SmartHRの応答に、使えるトークンがありません。", "an answer without tokens")
        lasts = _seconds(said.get("expires_in") or self.settings.lifetime_s)
        expires = now + dt.timedelta(seconds=lasts) if lasts else None
        return Tokens(access, refresh or "", expires, words(scope) if isinstance(scope, str) else "")

    def _ask(self, url: str, asked: dict[str, str]) -> requests.Response:
        own = {"client_id": self.settings.client_id, "client_secret": self.settings.client_secret}
        try:
            return exchange(
                self._session,
                "POST",
                url,
                data={**asked, **own},
                headers={"Accept": "application/json"},
                connect_s=CONNECT_S,
                timeout_s=ANSWER_S,
                max_bytes=MAX_BYTES,
            )
        except UnsendableError as error:
            raise OAuthSettingError(
                "接続 smarthr_plus のURLまたはExtraに誤りがあるため、送れません。運用担当者が直してください。",
                type(error.__cause__ or error).__name__,
            ) from None
        except requests.RequestException as error:
            name = type(error).__name__
            if is_unsent(error):
                raise UnreachedError("SmartHRに接続できません。時間をおいてやり直してください。", name) from None
            raise LostAnswerError("SmartHRの応答が途中で切れ、許可されたか分かりません。", name) from None


def crews_answer(session: requests.Session, smarthr_url: str, access_token: str) -> tuple[int, Any, int | None]:
    """Status and JSON of the smallest read of a tenant's people, and how many there are: 200 proves that the token is
    that tenant's.

    Raises:
        UnreachedError: SmartHR did not answer.
    """
    try:
        response = exchange(
            bounded(session),
            "GET",
            f"{smarthr_url.rstrip('/')}/api/v1/crews",
            params={"fields": "id", "per_page": "1", "page": "1"},
            headers={"Accept": "application/json", "Authorization": f"Bearer {access_token}"},
            connect_s=CONNECT_S,
            timeout_s=ANSWER_S,
            max_bytes=MAX_BYTES,
        )
    except requests.RequestException as error:
        raise UnreachedError(
            "SmartHRに接続できませんでした。時間をおいてやり直してください。", type(error).__name__
        ) from None
    total = response.headers.get("x-total-count", "")
    people = int(total) if total.isascii() and total.isdigit() and len(total) < 10 else None
    try:
        return response.status_code, json_of(response.content), people
    except ValueError:
        return response.status_code, None, people


def _said(response: requests.Response) -> dict[str, Any]:
    try:
        said = json_of(response.content)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _seconds(value: Any) -> int:
    """Of a lifetime, as a number or as text; 0 where it says none."""
    text = str(int(value)) if isinstance(value, float) else str(value)
    return min(int(text), LONGEST_S) if re.fullmatch(r"[0-9]{1,18}", text) else 0


def _is_token(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= MAX_TOKEN and HEADER_TEXT.fullmatch(value) is not None
