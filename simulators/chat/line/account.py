"""The official account of LINE, the people who have it as a friend or not, and what a test may change of them."""

from __future__ import annotations

import base64
import hashlib
import time
from dataclasses import dataclass
from typing import Any, ClassVar, Self
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ConfigDict, Field

from simulators.chat import controls
from simulators.chat.inbox import Inbox

NAME = "Renkei通知"
# As long as a real long-lived token, and with the signs such a token has.
TOKEN = base64.b64encode(hashlib.shake_256(b"simulated LINE channel").digest(128)).decode()
KEY_LIFE_S = 24 * 3600  # "Retry failed API requests"


class Person(BaseModel):
    """Somebody with LINE. Messages are seen by friends that have not blocked the account."""

    model_config = ConfigDict(extra="forbid")
    user_id: str = Field(pattern=r"^U[0-9a-f]{32}$")
    name: str
    friend: bool = True
    blocked: bool = False

    @property
    def reachable(self) -> bool:
        return self.friend and not self.blocked

    @classmethod
    def named(cls, name: str, **state: bool) -> Self:
        return cls(user_id="U" + hashlib.md5(name.encode()).hexdigest(), name=name, **state)


def people_at_start() -> list[Person]:
    return [
        Person.named("佐藤 花子"),
        Person.named("鈴木 一郎"),
        Person.named("田中 美咲", friend=False),
        Person.named("高橋 健", blocked=True),
    ]


class Settings(controls.Settings):
    """What a test may change. `quota` None: no monthly limit; `used`: this month's messages; `limited`: each push is
    one too many for now (`strict` changes nothing: 2,000 a second are no test's); `ahead_s`: how far this clock is ahead."""

    token_valid: bool = True
    quota: int | None = 5000
    used: int = 0
    limited: bool = False
    ahead_s: float = 0
    people: list[Person] = Field(default_factory=people_at_start)


@dataclass(frozen=True)
class AcceptedPush:
    """What a repeat with the same retry key is told."""

    at: float
    request_id: str
    sent: list[dict[str, str]]


class Account:
    """The official account of one inbox; LINE Login shares it."""

    _all: ClassVar[WeakKeyDictionary[Inbox, Account]] = WeakKeyDictionary()

    def __init__(self, inbox: Inbox) -> None:
        self.control, self._held = controls.controls(inbox, "line", Settings())
        self.accepted: dict[str, AcceptedPush] = {}
        self.sent = 0
        inbox.at_reset(self.accepted.clear)

    @classmethod
    def of(cls, inbox: Inbox) -> Account:
        if inbox not in cls._all:
            cls._all[inbox] = cls(inbox)
        return cls._all[inbox]

    @property
    def settings(self) -> Settings:
        return self._held.now

    def now(self) -> float:
        return time.time() + self.settings.ahead_s

    def person(self, user_id: str) -> Person | None:
        return next((one for one in self.settings.people if one.user_id == user_id), None)

    def befriend(self, user_id: str) -> bool:
        """Whether the person was none before; adding the account again also ends a block."""
        changed = False
        people = []
        for one in self.settings.people:
            changed |= one.user_id == user_id and not one.reachable
            people.append(one if one.user_id != user_id else one.model_copy(update={"friend": True, "blocked": False}))
        self._change(people=people)
        return changed

    def count(self, messages: int) -> None:
        self._change(used=self.settings.used + messages)

    def repeated(self, key: str) -> AcceptedPush | None:
        first = self.accepted.get(key.lower())
        return first if first and self.now() - first.at < KEY_LIFE_S else None

    def message_id(self) -> str:
        self.sent += 1
        return str(461230966842064897 + self.sent)  # the documents' example, counted on

    def _change(self, **values: Any) -> None:
        # A copy: the first settings are what a reset goes back to.
        self._held.now = self.settings.model_copy(update=values)


def why_unseen(person: Person | None) -> str:
    if person is None:
        return "このLINEユーザーIDの人はいません"
    return "公式アカウントがブロックされています" if person.blocked else "公式アカウントの友だちではありません"
