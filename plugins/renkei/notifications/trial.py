"""A test message to one channel, step by step, as text 2's 「通知が届かない時は？」 goes through it (N5)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from renkei.channel import Channel, Event
from renkei.clock import TOKYO, day_in_japan
from renkei.errors import ConnectionError_
from renkei.notifications.deliver import Opener, recipients
from renkei.notifications.delivery_log import DeliveryLog
from renkei.notifications.diagnosis import explain_in_words
from renkei.notifications.services import SPEC
from renkei.notifications.state import ChannelState, after
from renkei.systems.delivery import Delivery, Message


@dataclass(frozen=True, slots=True)
class Step:
    """One thing looked at; `remedy` only where it is not `well`. One that `decides` ends the test when it is not."""

    title: str
    well: bool
    found: str
    remedy: str = ""
    decides: bool = True

    def __str__(self) -> str:
        return f"{'○' if self.well else '×'} {self.title}: {self.found}" + (f" → {self.remedy}" if self.remedy else "")


def try_channel(
    channel: Channel, tenant: str, opener: Opener, deliveries: DeliveryLog, now: dt.datetime
) -> Iterator[Step]:
    """Each step as it is done; the message is sent even to a channel that is muted or 無効, for it was asked for.

    A message that is accepted enables a channel that was 無効. A failure here counts no run.
    """
    muted = channel.muted
    found = "「通知を行わない」に○があるため、ふだんは送信しません" if muted else "送信する設定です"
    yield Step("通知を行わない", not muted, found, "連携設定シートの○を消してください" if muted else "", False)
    events = "、".join(event.label for event in Event if event in channel.events)
    yield Step("通知管理", bool(events), events or "○が1つもありません", "" if events else "○を付けてください", False)
    try:
        opened = opener(channel)
    except ConnectionError_ as error:
        yield Step("接続と送信先", False, str(error), "登録を直してください")
        return
    yield Step("接続と送信先", True, f"{SPEC[channel.service].label}の形として正しく登録されています")
    state = deliveries.read(channel)
    if state.registration == opened.registration and state.disabled_at:
        yield Step(
            "通知の自動無効化",
            False,
            f"{day_in_japan(state.disabled_at)}に無効になりました",
            "この送信が成功すると有効に戻ります",
            False,
        )
    delivery = opened.messenger.check()
    if not delivery.accepted:
        yield _failed("認証", channel, delivery)
        return
    yield Step("認証", True, "確認できました" if delivery.status else "送信して確認します")
    message = _message(channel, tenant, now)
    sent = [opened.messenger.send(message, to, str(uuid.uuid4())) for to in recipients(channel, opened)]
    delivery = next((one for one in sent if not one.accepted), sent[0])
    if not delivery.accepted:
        failed = sum(not one.accepted for one in sent)
        yield _failed(f"送信({len(sent)}件のうち{failed}件)" if len(sent) > 1 else "送信", channel, delivery)
        return
    deliveries.keep(channel, after(ChannelState(opened.registration), delivery, channel.service, "", now, 1))
    yield Step("送信", True, f"{SPEC[channel.service].label}が受け付けました。届いているか確認してください")


def _failed(title: str, channel: Channel, delivery: Delivery) -> Step:
    return Step(title, False, *explain_in_words(channel.service, delivery))


def _message(channel: Channel, tenant: str, now: dt.datetime) -> Message:
    local = now.astimezone(TOKYO)
    lines = (
        f"「{tenant}」の通知先「{channel.name}」への通知テストです。",
        f"送信日時: {local:%Y/%m/%d %H:%M:%S}",
        "この内容が読めれば、通知は届いています。",
    )
    return Message("【テスト】Renkei 通知テスト", lines)
