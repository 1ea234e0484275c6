"""LINE WORKS API 2.0: the service account's token, and a bot's messages to users and rooms.

Sources: developers.worksmobile.com auth-jwt, bot-user-message-send, user-get, rate-limits; lineworks/works-api-code-samples.
Errors of the token endpoint and most codes of the API are not documented: RFC 6749's words, and those of the samples.

Stricter than documented, so that a sloppy client is found here: properties that a message does not have are refused, text
is counted in UTF-16 code units, and content other than text, link, button_template and flex is not taken.

Control: `GET`, `POST` and `DELETE /_sim/lineworks`, see `Settings`; `DELETE /_sim/lineworks/tokens` makes every token void.
"""

from __future__ import annotations

import secrets
import time
import uuid
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from simulators.chat import controls
from simulators.chat.inbox import Inbox
from simulators.chat.lineworks.content import check_message, html_of, text_of
from simulators.chat.lineworks.token import CLIENT_ID, CLIENT_SECRET, SERVICE_ACCOUNT, check_token_request, private_key
from simulators.chat.lineworks.wire import WorksRoute, api_error, read_form, read_json

BOT_ID, BOT_NAME = "6811001", "Renkei通知Bot"
DOMAIN_ID = 40029600
TOKEN_LIFE_S = 24 * 3600  # the console's longer setting; the other is one hour
PER_MINUTE = {True: 60, False: 2400}  # strict: the Free plan; else ten times the paid ones, which have 240


class User(BaseModel):
    """A member; `userId` or `email` names it in a path."""

    model_config = ConfigDict(extra="forbid")
    userId: str
    email: str
    name: str
    isSuspended: bool = False

    def as_json(self) -> dict[str, Any]:
        family, _, given = self.name.partition(" ")
        return {
            "domainId": DOMAIN_ID,
            "userId": self.userId,
            "email": self.email,
            "userName": {"lastName": family, "firstName": given},
            "isAdministrator": False,
            "isPending": False,
            "isSuspended": self.isSuspended,
            "isDeleted": False,
        }


def users_at_start() -> list[User]:
    names = {"sato": "佐藤 花子", "suzuki": "鈴木 一郎", "tanaka": "田中 美咲", "takahashi": "高橋 健"}
    return [
        User(
            userId=str(uuid.uuid5(uuid.NAMESPACE_DNS, key)),
            email=f"{key}@acme.example",
            name=name,
            isSuspended=key == "takahashi",
        )
        for key, name in names.items()
    ]


CHANNELS = {str(uuid.uuid5(uuid.NAMESPACE_DNS, "room")): "人事システム連携"}


class Settings(controls.Settings):
    """What a test may change. `strict`: the Free plan's limit; `scopes`: those the app was given; `token_life_s`: of
    tokens still to be issued; `channels`: the rooms the bot is in, by id; `ahead_s`: how far this clock is ahead."""

    scopes: list[str] = Field(default_factory=lambda: ["bot", "bot.message", "bot.read", "user.read"])
    users: list[User] = Field(default_factory=users_at_start)
    channels: dict[str, str] = Field(default_factory=CHANNELS.copy)
    token_life_s: int = TOKEN_LIFE_S
    ahead_s: float = 0


@dataclass(frozen=True)
class Token:
    scopes: frozenset[str]
    expires_at: float


class App:
    """The one app of the company: its settings, its tokens, and what it called in this minute."""

    def __init__(self, inbox: Inbox) -> None:
        self.control, self._held = controls.controls(inbox, "lineworks", Settings())
        self.tokens: dict[str, Token] = {}
        self.calls: dict[tuple[str, int], int] = {}
        for kept in (self.tokens, self.calls):
            inbox.at_reset(kept.clear)

    @property
    def settings(self) -> Settings:
        return self._held.now

    def now(self) -> float:
        return time.time() + self.settings.ahead_s

    def user(self, name: str) -> User | None:
        return next((one for one in self.settings.users if name in (one.userId, one.email)), None)

    def admit(self, request: Request, operation: str, *scopes: str) -> None:
        """Refuse a request without a good token, without any of the scopes, or past the operation's limit."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        token = self.tokens.get(given) if scheme == "Bearer" else None
        if token is None or token.expires_at <= self.now():
            raise api_error(401, "UNAUTHORIZED", "Authentication failed.")
        if not token.scopes & set(scopes):
            raise api_error(403, "FORBIDDEN", "Access is denied: the scope of the token does not suffice.")
        most, minute = PER_MINUTE[self.settings.strict], int(self.now() // 60)
        used = self.calls[operation, minute] = self.calls.get((operation, minute), 0) + 1
        request.state.limit = {
            "rateLimit-used": str(min(used, most)),
            "rateLimit-limit": str(most),
            "rateLimit-remaining": str(max(0, most - used)),
            "rateLimit-reset": str(60 - int(self.now() % 60)),
        }
        if used > most:
            raise api_error(429, "TOO_MANY_REQUESTS", "API rate limit exceeded.")


def registrations(base: str) -> dict[str, Any]:
    pem = private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return {
        "lineworks": {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "service_account": SERVICE_ACCOUNT,
            "private_key": pem,
            "bot_id": BOT_ID,
            "base_url": f"{base}/lineworks",
            "users": [user.userId for user in users_at_start() if not user.isSuspended],
            "channels": list(CHANNELS),
        }
    }


def build(inbox: Inbox) -> APIRouter:
    app = App(inbox)
    router = APIRouter()

    @router.delete("/_sim/lineworks/tokens", status_code=204)
    async def revoke() -> Response:
        app.tokens.clear()
        return Response(status_code=204)

    router.include_router(app.control)
    router.include_router(build_api(inbox, app))
    return router


def build_api(inbox: Inbox, app: App) -> APIRouter:
    router = APIRouter(prefix="/lineworks", route_class=WorksRoute)

    @router.post("/oauth2/v2.0/token")
    async def token(request: Request) -> Response:
        scopes = check_token_request(await read_form(request), app.settings.scopes, app.now())
        given = "jp1" + secrets.token_urlsafe(60)
        app.tokens[given] = Token(frozenset(scopes), app.now() + app.settings.token_life_s)
        body = {
            "access_token": given,
            "refresh_token": "jp1" + secrets.token_urlsafe(60),
            "token_type": "Bearer",
            "expires_in": str(app.settings.token_life_s),  # a string, as in the official Java model
            "scope": " ".join(scopes),
        }
        return JSONResponse(body, headers={"cache-control": "no-store"})

    @router.post("/v1.0/bots/{bot_id}/users/{user}/messages")
    async def to_user(request: Request, bot_id: str, user: str) -> Response:
        app.admit(request, "bot-user-message-send", "bot", "bot.message")
        check_bot(bot_id)
        if user == "me":
            raise api_error(400, "INVALID_PARAMETER", "A service account cannot use me.")
        member = app.user(user)
        if member is None:
            raise api_error(404, "NOT_FOUND", "User not found.")
        if member.isSuspended:
            raise api_error(403, "FORBIDDEN", "The user is suspended.")
        return await keep(request, member.name, {"userId": member.userId})

    @router.post("/v1.0/bots/{bot_id}/channels/{channel_id}/messages")
    async def to_channel(request: Request, bot_id: str, channel_id: str) -> Response:
        app.admit(request, "bot-channel-message-send", "bot", "bot.message")
        check_bot(bot_id)
        if channel_id not in app.settings.channels:
            raise api_error(404, "NOT_FOUND", "Channel not found.")
        return await keep(request, app.settings.channels[channel_id], {"channelId": channel_id})

    async def keep(request: Request, place: str, to: dict[str, str]) -> Response:
        content = check_message(await read_json(request))
        inbox.keep("lineworks", place, BOT_NAME, text_of(content), html_of(content), {**to, "content": content})
        return Response(status_code=201)

    @router.get("/v1.0/bots/{bot_id}")
    async def bot(request: Request, bot_id: str) -> dict[str, Any]:
        app.admit(request, "bot-get", "bot", "bot.read")
        check_bot(bot_id)
        return {"botId": int(BOT_ID), "botName": BOT_NAME, "photoUrl": "", "description": "", "administrators": []}

    @router.get("/v1.0/users/{user}")
    async def user(request: Request, user: str) -> dict[str, Any]:
        app.admit(request, "user-get", "user", "user.read", "directory", "directory.read")
        member = app.user(user)
        if member is None:
            raise api_error(404, "NOT_FOUND", "User not found.")
        return member.as_json()

    @router.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def nothing_here(path: str) -> None:
        raise api_error(404, "NOT_FOUND", "Not found.")

    return router


def check_bot(bot_id: str) -> None:
    if not bot_id.isdecimal():
        raise api_error(400, "INVALID_PARAMETER", "botId must be an integer.")
    if bot_id != BOT_ID:
        raise api_error(404, "NOT_FOUND", "Bot not found.")
