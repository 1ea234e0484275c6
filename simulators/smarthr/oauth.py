"""SmartHR's OAuth server: which app, who has logged in, codes, grants and their tokens. What is not published is a switch.

Strict where OAuth 2.0 is (RFC 6749, 6819, 7636, 7009): the client's secret in the body, the callback to the letter, a
code once and within ten minutes, its verifier, a refresh token that rotates once; a code or a refresh token that comes
twice revokes all that came of it.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

CODE_LASTS_S = 600
PASSWORD = "smarthr"


class OAuthSwitches(BaseModel):
    """The registered app, and what SmartHR does not publish."""

    model_config = ConfigDict(extra="forbid")

    client_id: str = "sim_client"
    client_secret: str = "sim_client_secret"
    redirect_uris: list[str] = Field(default_factory=list)
    expires_in: int | None = 7200  # of an access token; null: it does not say, and the token does not expire
    refresh: Literal["rotating", "kept", "none"] = "rotating"
    pkce: Literal["accepted", "required", "ignored"] = "accepted"
    scope: str = ""  # that an app must ask for, to the letter; empty: any
    needs_plus: bool = False  # only where 連携をはじめる was pressed before


class OAuthRefusal(Exception):
    """`error` as in RFC 6749, 5.2."""

    def __init__(self, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.status = error, status


@dataclass
class Grant:
    """What came of one consent."""

    company: str
    user: str
    access: dict[str, float | None] = field(default_factory=dict)  # token: when it ends
    refresh: str = ""
    spent: set[str] = field(default_factory=set)  # refresh tokens that were used
    revoked: bool = False


@dataclass
class Code:
    company: str
    user: str
    redirect_uri: str
    challenge: str
    at: float
    grant: Grant | None = None  # once it was used


@dataclass
class OAuth:
    """Everything that one process has granted."""

    switches: OAuthSwitches = field(default_factory=OAuthSwitches)
    sessions: dict[str, str] = field(default_factory=dict)  # cookie: user, as admin@acme
    codes: dict[str, Code] = field(default_factory=dict)
    grants: list[Grant] = field(default_factory=list)
    started: set[str] = field(default_factory=set)  # companies that pressed 連携をはじめる
    asked: list[dict[str, Any]] = field(default_factory=list)  # what came to the token's address

    # -- people

    def log_in(self, user: str, password: str, companies: Mapping[str, Any]) -> str | None:
        """A cookie for admin@NAME or member@NAME of a company."""
        role, _, company = user.partition("@")
        if role not in ("admin", "member") or company not in companies or password != PASSWORD:
            return None
        cookie = secrets.token_urlsafe(24)
        self.sessions[cookie] = user
        return cookie

    # -- the browser's side

    def fault_of(self, query: Mapping[str, str]) -> str:
        """Why this app or callback is not known; then nobody is sent anywhere."""
        if query.get("client_id") != self.switches.client_id:
            return "不明なアプリです（client_id）"
        if query.get("redirect_uri") not in self.switches.redirect_uris:
            return "登録されていないコールバックURLです（redirect_uri）"
        return ""

    def refusal_of(self, query: Mapping[str, str]) -> str:
        """What the app is told where it asks wrongly."""
        if query.get("response_type") != "code":
            return "unsupported_response_type"
        if self.switches.scope and query.get("scope") != self.switches.scope:
            return "invalid_scope"
        challenge, method = query.get("code_challenge", ""), query.get("code_challenge_method", "")
        if self.switches.pkce == "required" and not challenge:
            return "invalid_request"
        if self.switches.pkce != "ignored" and challenge and (method != "S256" or len(challenge) != 43):
            return "invalid_request"
        return ""

    def allow(self, user: str, query: Mapping[str, str]) -> str:
        """A code."""
        code = f"code_{secrets.token_urlsafe(24)}"
        challenge = "" if self.switches.pkce == "ignored" else query.get("code_challenge", "")
        company = user.partition("@")[2]
        self.codes[code] = Code(company, user, query["redirect_uri"], challenge, time.time())
        return code

    # -- the app's side

    def token(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The answer of the token's address. Raises: OAuthRefusal."""
        kind = form.get("grant_type", "")
        note = {"grant_type": kind, "outcome": "refused"}
        self.asked.append(note)
        self._check_client(form)
        if kind == "authorization_code":
            grant = self._exchanged(form)
        elif kind == "refresh_token":
            grant = self._renewed(form, note)
        else:
            raise OAuthRefusal("unsupported_grant_type")
        note |= {"outcome": "granted", "company": grant.company}
        return self._issue(grant)

    def revoke(self, form: Mapping[str, str]) -> None:
        """RFC 7009: what is unknown is revoked already."""
        self._check_client(form)
        for grant in self.grants:
            if form.get("token") in (*grant.access, grant.refresh):
                grant.revoked = True

    def company_of(self, token: str) -> str | None:
        """Whose an access token is, if it is good."""
        for grant in self.grants:
            if token in grant.access and not grant.revoked:
                ends = grant.access[token]
                return grant.company if ends is None or time.time() < ends else None
        return None

    def expire(self) -> None:
        """Every access token has ended."""
        for grant in self.grants:
            grant.access = dict.fromkeys(grant.access, 0.0)

    def _check_client(self, form: Mapping[str, str]) -> None:
        own = self.switches
        if (form.get("client_id"), form.get("client_secret")) != (own.client_id, own.client_secret):
            raise OAuthRefusal("invalid_client", 401)

    def _exchanged(self, form: Mapping[str, str]) -> Grant:
        code = self.codes.get(form.get("code", ""))
        if code is None or time.time() - code.at > CODE_LASTS_S or form.get("redirect_uri") != code.redirect_uri:
            raise OAuthRefusal("invalid_grant")
        if code.grant is not None:
            code.grant.revoked = True
            raise OAuthRefusal("invalid_grant")
        if code.challenge and _challenge(form.get("code_verifier", "")) != code.challenge:
            raise OAuthRefusal("invalid_grant")
        code.grant = Grant(code.company, code.user)
        self.grants.append(code.grant)
        return code.grant

    def _renewed(self, form: Mapping[str, str], note: dict[str, Any]) -> Grant:
        token = form.get("refresh_token", "")
        for grant in self.grants:
            if token in grant.spent:
                grant.revoked = True
                note["outcome"] = "reused"
                raise OAuthRefusal("invalid_grant")
            if token and token == grant.refresh and not grant.revoked:
                if self.switches.refresh == "rotating":
                    grant.spent.add(token)
                return grant
        raise OAuthRefusal("invalid_grant")

    def _issue(self, grant: Grant) -> dict[str, Any]:
        lasts = self.switches.expires_in
        access = f"shr_oauth_{secrets.token_urlsafe(24)}"
        grant.access = {access: None if lasts is None else time.time() + lasts}
        said: dict[str, Any] = {"access_token": access, "token_type": "Bearer"}
        if lasts is not None:
            said["expires_in"] = lasts
        if self.switches.refresh == "none":
            grant.refresh = ""
        elif self.switches.refresh == "rotating" or not grant.refresh:
            grant.refresh = f"refresh_{secrets.token_urlsafe(24)}"
            said["refresh_token"] = grant.refresh
        if self.switches.scope:
            said["scope"] = self.switches.scope
        return said


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() if len(verifier) >= 43 else ""
