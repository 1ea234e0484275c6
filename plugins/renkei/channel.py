"""A channel (通知先): where a tenant is told what happened, and of what (N1). A sheet names it, notifications use it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import PlainSerializer

RESULT_MAIL = "結果通知メール"  # the name of the channel that every tenant has
OPERATOR = "_operator"  # whose channels are the operator's own: in the place of a tenant, and no tenant's name


class Event(StrEnum):
    """An event of 通知管理; the label is the column's name in the sheet."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    HOLD = "HOLD"
    UNCHANGED = "UNCHANGED"
    DISABLED = "DISABLED"
    EXPIRY = "EXPIRY"

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS = {
    Event.SUCCESS: "成功",
    Event.FAILURE: "失敗",
    Event.HOLD: "保留",
    Event.UNCHANGED: "変化なし",
    Event.DISABLED: "通知無効化",
    Event.EXPIRY: "期限切れ予告",
}
EVERY_EVENT = frozenset(Event)
MUST_BE_HEARD = (Event.FAILURE, Event.HOLD)


# Written in the order of `Event`, so that a sheet is the same text twice.
Events = Annotated[frozenset[Event], PlainSerializer(lambda events: [event for event in Event if event in events])]


class Service(StrEnum):
    """サービス. What each needs is in `services.py`."""

    MAIL = "MAIL"
    SLACK_WEBHOOK = "SLACK_WEBHOOK"
    SLACK_BOT = "SLACK_BOT"
    CHATWORK = "CHATWORK"
    TEAMS = "TEAMS"
    LINEWORKS = "LINEWORKS"
    GOOGLE_CHAT = "GOOGLE_CHAT"
    LINE = "LINE"


@dataclass(frozen=True, slots=True)
class Channel:
    """One line of the sheet's 通知.

    `to` is where the service is to put it (送信先): addresses for a mail, a room, a person's id; empty where the
    secret alone says so (webhooks). `社員:ID` stands for the member with that user id (N4).
    """

    name: str  # unique within a tenant
    service: Service
    connection: str = ""  # the Airflow Connection with the secret; empty for mail, which has smtp_default
    to: str = ""
    muted: bool = False  # 通知を行わない
    events: Events = EVERY_EVENT

    def wants(self, event: Event) -> bool:
        return not self.muted and event in self.events


def result_mail(addresses: Sequence[str]) -> tuple[Channel, ...]:
    """結果通知先メールアドレス as a channel: told of every run, as ever, and of a channel that was disabled."""
    if not addresses:
        return ()
    return (Channel(RESULT_MAIL, Service.MAIL, to=", ".join(addresses), events=EVERY_EVENT - {Event.EXPIRY}),)


def unheard(channels: Iterable[Channel], disabled: Collection[str] = ()) -> list[Event]:
    """失敗 and 保留, as far as nobody would be told of them (N8); `disabled` are the names of channels that are 無効."""
    listening = [one for one in channels if one.name not in disabled]
    return [event for event in MUST_BE_HEARD if not any(one.wants(event) for one in listening)]
