"""期限切れ予告: an approval that will soon count as refused, a secret that will soon be void (N7). No clock, no files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from renkei.channel import Service
from renkei.clock import hours_and_minutes, time_in_japan
from renkei.notifications.services import SPEC
from renkei.storage.records import Moment
from renkei.systems.delivery import Message, Tone, key_of

BEFORE = dt.timedelta(hours=2)  # an answer is asked for again when less than this remains
THRESHOLDS = (0, 1, 7, 30)  # days


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that waits for a person's answer until `until`."""

    run: str
    until: Moment
    outcome: str  # the name of the run's outcome: HOLD, CONFIRM
    subject: str

    @property
    def key(self) -> str:
        return key_of("waiting", self.run, self.until.isoformat())

    def ends_soon(self, now: dt.datetime) -> bool:
        return now < self.until <= now + BEFORE


@dataclass(frozen=True, slots=True)
class Expiring:
    """A channel's registration whose 有効期限 is near or over; `days` may be negative."""

    tenant: str
    channel: str
    service: Service
    connection: str
    on: dt.date
    days: int

    @property
    def key(self) -> str:
        """One per registration and threshold: a new date is a new registration."""
        return key_of("connection", self.tenant, self.connection, self.on.isoformat(), str(_threshold(self.days)))


def expiring(
    tenant: str, channel: str, service: Service, connection: str, on: dt.date | None, today: dt.date
) -> Expiring | None:
    """What is to be told of a registration; None where it has no end, or a far one.

    A day on which nobody looked loses no notice: past a threshold is at it, until the next one.
    """
    if on is None or _threshold((on - today).days) is None:
        return None
    return Expiring(tenant, channel, service, connection, on, (on - today).days)


def _threshold(days: int) -> int | None:
    return next((threshold for threshold in THRESHOLDS if days <= threshold), None)


def waiting_message(label: str, tenant: str, waiting: Waiting, now: dt.datetime, link: str) -> Message:
    """For the tenant's channels: what waits, until when, and what happens else."""
    left = hours_and_minutes(waiting.until - now)
    is_upload, target = waiting.outcome == "CONFIRM", label.rpartition(" → ")[2]
    return Message(
        title=f"【期限切れ予告】{label}: {tenant} {waiting.subject}",
        lines=(
            f"{'EMCへの取込結果の確認' if is_upload else '保留中の登録処理の承認'}の期限は "
            f"{time_in_japan(waiting.until)} です（あと{left}）。",
            "期限までに結果が選ばれないと、処理は失敗となり、結果が分かるまで次の取込は行いません。"
            if is_upload
            else f"期限までに承認されないと、この処理は登録されません（{target}には何も書き込みません）。",
            "運用担当者は、Airflowの要対応項目で回答してください。",
        ),
        link=link,
        link_label="回答する画面を開く",
        tone=Tone.WAITING,
    )


def connections_message(label: str, found: Sequence[Expiring], link: str = "") -> Message:
    """Which registrations end when, and how to renew them. Of the secrets themselves it says nothing (L7)."""
    names = sorted({one.tenant for one in found})
    over = any(one.days < 0 for one in found)
    return Message(
        title=f"【期限切れ予告】{label}: {names[0] if len(names) == 1 else f'{len(names)}社'} 通知先の有効期限",
        lines=(
            *(
                f"{one.tenant} 通知先「{one.channel}」（{SPEC[one.service].label}、接続 {one.connection}）: "
                f"{one.on:%Y/%m/%d} {_remaining(one.days)}"
                for one in found
            ),
            *(["期限が切れた通知先には、通知が届かなくなっているおそれがあります。"] if over else []),
            "サービスの管理画面でトークンまたはWebhookを発行し直し、AirflowのAdmin > Connectionsでその接続の値と有効期限を"
            "登録し直してください。登録後は通知テストで確認できます。",
        ),
        link=link,
        link_label="Airflowを開く",
        tone=Tone.WAITING,
    )


@dataclass(frozen=True, slots=True)
class EndingGrant:
    """What a company allowed us at its source, and nothing renews; `days` may be negative."""

    tenant: str
    on: dt.date
    days: int

    @property
    def key(self) -> str:
        return key_of("grant", self.tenant, self.on.isoformat(), str(_threshold(self.days)))


def ending_grant(tenant: str, on: dt.date, today: dt.date) -> EndingGrant | None:
    """What is to be told of it; None: its end is far."""
    days = (on - today).days
    return None if _threshold(days) is None else EndingGrant(tenant, on, days)


def grant_message(label: str, one: EndingGrant, link: str) -> Message:
    """For the tenant's channels: until when runs can read the source, and who renews it."""
    source = label.partition(" → ")[0]
    return Message(
        title=f"【期限切れ予告】{label}: {one.tenant} {source}の許可",
        lines=(
            f"{source}の許可の有効期限: {one.on:%Y/%m/%d} {_remaining(one.days)}",
            f"自動では更新できません。{source}の管理者が、「{source}の接続」の画面で「連携する」を押し、許可し直してください。"
            "期限を過ぎると、処理は止まります。",
        ),
        link=link,
        link_label=f"{source}の接続を開く",
        tone=Tone.WAITING,
    )


def _remaining(days: int) -> str:
    if days < 0:
        return f"に期限が切れています（{-days}日前）"
    return "まで（本日）" if days == 0 else f"まで（あと{days}日）"
