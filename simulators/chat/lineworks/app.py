"""The one app of the company: its settings, members and tokens, its bot's menu and talks."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from simulators.chat import controls
from simulators.chat.inbox import Inbox
from simulators.chat.lineworks.talk import Said, Talk, Uttered, headers
from simulators.chat.lineworks.wire import api_error

BOT_ID, BOT_NAME = "6811001", "Renkei通知Bot"
DOMAIN_ID = 40029600
TOKEN_LIFE_S = 24 * 3600  # the console's longer setting; the other is one hour
FREE_PER_MINUTE, PER_MINUTE = 60, 2400  # of each operation; ten times the paid plans, which have 240
BOT_SECRET = "simWorksBotSecret0123456789abcd"


class User(BaseModel):
    """A member; `userId` or `email` names it in a path."""

    model_config = ConfigDict(extra="forbid")
    userId: str
    email: str
    name: str
    isSuspended: bool = False
    isDeleted: bool = False
    isPending: bool = False

    def as_json(self) -> dict[str, Any]:
        family, _, given = self.name.partition(" ")
        return {
            "domainId": DOMAIN_ID,
            "userId": self.userId,
            "email": self.email,
            "userName": {"lastName": family, "firstName": given},
            "isAdministrator": False,
            "isPending": self.isPending,
            "isSuspended": self.isSuspended,
            "isDeleted": self.isDeleted,
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
    tokens still to be issued; `channels`: the rooms the bot is in, by id; `ahead_s`: how far this clock is ahead;
    `per_minute`: calls of each operation; `callback_url`, `bot_secret`: where callbacks go and what signs them."""

    scopes: list[str] = Field(default_factory=lambda: ["bot", "bot.message", "bot.read", "user.read"])
    users: list[User] = Field(default_factory=users_at_start)
    channels: dict[str, str] = Field(default_factory=CHANNELS.copy)
    token_life_s: int = TOKEN_LIFE_S
    ahead_s: float = 0
    per_minute: Annotated[int, Field(ge=1)] = PER_MINUTE
    callback_url: str = ""
    bot_secret: str = BOT_SECRET


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
        self.menu: dict[str, Any] | None = None
        self.talk = Talk()
        self.calendars: dict[str, dict[str, list[dict[str, Any]]]] = {}  # by user id and event id
        self.notices: list[str] = []
        kept = (self.tokens, self.calls, self.talk, self.calendars, self.notices)
        for clear in (self.no_menu, *(one.clear for one in kept)):
            inbox.at_reset(clear)

    @property
    def settings(self) -> Settings:
        return self._held.now

    def now(self) -> float:
        return time.time() + self.settings.ahead_s

    @property
    def most(self) -> int:
        """Calls of one operation in a minute."""
        return FREE_PER_MINUTE if self.settings.strict else self.settings.per_minute

    def user(self, name: str) -> User | None:
        return next((one for one in self.settings.users if name in (one.userId, one.email)), None)

    def no_menu(self) -> None:
        self.menu = None

    async def say(self, said: Said) -> Uttered:
        """What a member says, or one who is not known here by that id; delivered to the Callback URL.

        Events of a room alone, such as join, have no user.
        """
        member, settings = self.user(said.user), self.settings
        user_id = member.userId if member else said.user
        body = said.body(user_id, DOMAIN_ID, datetime.fromtimestamp(self.now(), UTC))
        sent = headers(body, settings.bot_secret, BOT_ID, said.signed)
        return await self.talk.say(said, body, user_id, settings.callback_url, sent)

    def admit(self, request: Request, operation: str, *scopes: str) -> frozenset[str]:
        """The scopes of the token; refuses one that is not good, has none of these, or is past the operation's limit."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        token = self.tokens.get(given) if scheme == "Bearer" else None
        if token is None or token.expires_at <= self.now():
            raise api_error(401, "UNAUTHORIZED", "Authentication failed.")
        if not token.scopes & set(scopes):
            raise api_error(403, "FORBIDDEN", "Access is denied: the scope of the token does not suffice.")
        most, minute = self.most, int(self.now() // 60)
        used = self.calls[operation, minute] = self.calls.get((operation, minute), 0) + 1
        request.state.limit = {
            "rateLimit-used": str(min(used, most)),
            "rateLimit-limit": str(most),
            "rateLimit-remaining": str(max(0, most - used)),
            "rateLimit-reset": str(60 - int(self.now() % 60)),
        }
        if used > most:
            raise api_error(429, "TOO_MANY_REQUESTS", "API rate limit exceeded.")
        return token.scopes
