"""Who a LINE WORKS account is: its userId, which callbacks have. https://developers.worksmobile.com/jp/docs/user-get"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote

from renkei.systems.chat import Answer
from renkei.systems.delivery import Delivery
from renkei.systems.lineworks.answers import delivery_of
from renkei.systems.lineworks.api import LineWorksApi

SCOPES = "bot,bot.read,user.email.read"  # what text 4 has the administrator choose
OPERATION = "user-get"


class UserStatus(StrEnum):
    """Whether a bot can write to an account."""

    ACTIVE = "active"
    UNKNOWN = "unknown"
    PENDING = "pending"
    SUSPENDED = "suspended"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class User:
    """`user_id` is empty for one that there is not."""

    user_id: str = field(repr=False)
    status: UserStatus


def find_user(api: LineWorksApi, account: str, *, turn_s: float | None = None) -> User | Delivery:
    """The user of an account id or user id; a `Delivery` where LINE WORKS does not say.

    With `user.email.read` alone the answer has no state of the user (guess): it is taken for one who is there.
    """
    answer = api.ask(OPERATION, "GET", f"/users/{quote(account, safe='')}", turn_s=turn_s)
    if isinstance(answer, Delivery):
        return answer
    if answer.status == 404:
        return User("", UserStatus.UNKNOWN)
    return _user(answer) or delivery_of(answer, 0, account)


def _user(answer: Answer) -> User | None:
    user = answer.json_object
    user_id = user.get("userId")
    if answer.status != 200 or not isinstance(user_id, str) or not user_id:
        return None
    if user.get("isDeleted") is True:
        return User(user_id, UserStatus.DELETED)
    if user.get("isSuspended") is True:
        return User(user_id, UserStatus.SUSPENDED)
    if user.get("isPending") is True or user.get("isAwaiting") is True:
        return User(user_id, UserStatus.PENDING)
    return User(user_id, UserStatus.ACTIVE)
