"""The LINE Login channel: what a test may change, who was let in, and who may be sent back where."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode, urlsplit

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field

from simulators.chat import controls
from simulators.chat.inbox import Inbox
from simulators.chat.line.account import Account, Person
from simulators.chat.line.wire import RefusedRequest

CHANNEL_ID = "2000000002"  # of the same provider as the Messaging API channel, so user ids are the same
CHANNEL_SECRET = hashlib.md5(b"simulated LINE Login channel").hexdigest()
TokenFault = Literal["nonce", "signature", "audience", "issuer", "expired", "unsigned"]


class Settings(controls.Settings):
    """What a test may change. `redirect_uris`: the registered callback URLs; none: any of this machine.

    `faults` are played once each, in their order: `state` at the next return to the app, the others in the next
    id_token. `upper_case`: errors of the page as the documents' table writes them, else as their example does.
    """

    redirect_uris: list[str] = Field(default_factory=list)
    faults: list[TokenFault | Literal["state"]] = Field(default_factory=list)
    upper_case: bool = False


@dataclass(frozen=True)
class Asked:
    """What the app asks for."""

    redirect_uri: str
    state: str
    scopes: list[str]
    nonce: str
    challenge: str
    bot_prompt: str


@dataclass(frozen=True)
class Granted:
    """What a code stands for."""

    asked: Asked
    person: Person
    at: float


@dataclass(frozen=True)
class AccessToken:
    person: Person
    scopes: list[str]
    expires_at: float


class Channel:
    """The LINE Login channel of one inbox."""

    def __init__(self, inbox: Inbox) -> None:
        self.account = Account.of(inbox)
        self.control, self._held = controls.controls(inbox, "line/login", Settings())
        self.asked: dict[str, Asked] = {}
        self.codes: dict[str, Granted] = {}
        self.tokens: dict[str, AccessToken] = {}
        for kept in (self.asked, self.codes, self.tokens):
            inbox.at_reset(kept.clear)

    @property
    def settings(self) -> Settings:
        return self._held.now

    def fault(self, *, of_return: bool) -> str:
        """The next fault to play at a return, or in an id_token; "" for none."""
        waiting = [kind for kind in self.settings.faults if (kind == "state") == of_return]
        if not waiting:
            return ""
        left = list(self.settings.faults)
        left.remove(waiting[0])
        self._held.now = self.settings.model_copy(update={"faults": left})
        return waiting[0]

    def registered(self, redirect_uri: str) -> bool:
        """Whether the address, whatever its query, is a callback URL of the channel."""
        try:
            parts = urlsplit(redirect_uri)
            local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1")
        except ValueError:
            return False
        if parts.fragment or parts.username is not None:
            return False
        plain = parts._replace(query="").geturl()
        return plain in self.settings.redirect_uris if self.settings.redirect_uris else local

    def back(self, asked: Asked, **answer: str) -> Response:
        """The person's browser sent back to the app."""
        state = secrets.token_urlsafe(16) if self.fault(of_return=True) else asked.state
        if "error" in answer and self.settings.upper_case:
            answer["error"] = answer["error"].upper()
        joint = "&" if urlsplit(asked.redirect_uri).query else "?"
        return RedirectResponse(f"{asked.redirect_uri}{joint}{urlencode({**answer, 'state': state})}", 302)

    def bearer(self, request: Request, scope: str) -> AccessToken:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        token = self.tokens.get(given) if scheme == "Bearer" else None
        if token is None or token.expires_at <= self.account.now():
            raise RefusedRequest(401, {"message": "invalid token"})
        if scope not in token.scopes:
            raise RefusedRequest(403, {"message": f"This request requires the scope {scope}"})
        return token
