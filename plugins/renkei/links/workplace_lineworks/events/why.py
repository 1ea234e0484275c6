"""なぜこの人に届かなかったのか: for each messenger, where a member's notifications stop (W1, W2, N8)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping as Map
from dataclasses import dataclass

from renkei.links.workplace_lineworks.events.addresses import Addresses
from renkei.links.workplace_lineworks.events.faults import Faults
from renkei.links.workplace_lineworks.events.texts import MISSING, UNKNOWN_MEMBER
from renkei.links.workplace_lineworks.sheet.mapping import CHANNELS, EVENTS, Mapping
from renkei.outbox.outgoing import Outgoing
from renkei.outbox.tables import State


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """One messenger, as it is for one member."""

    channel: str
    label: str
    reaches: bool  # the next notification would be sent there
    found: str
    remedy: str = ""
    registered: str = ""  # by whom, where it is


def channel_statuses(
    mapping: Mapping,
    user_id: str,
    addresses: Addresses,
    own: Map[str, dt.datetime],
    faults: Faults,
    newest: Map[str, Outgoing],
    now: dt.datetime,
) -> list[ChannelStatus]:
    """What would become of the next notification to this member. `own` is when he registered what himself, by channel;
    `newest` his last message of each channel.

    Raises:
        StoreError: the members table cannot be read.
    """
    return [
        _channel_status(mapping, user_id, channel, addresses, own, faults, newest.get(channel), now)
        for channel in CHANNELS
    ]


def _channel_status(
    mapping: Mapping,
    user_id: str,
    channel: str,
    addresses: Addresses,
    own: Map[str, dt.datetime],
    faults: Faults,
    newest: Outgoing | None,
    now: dt.datetime,
) -> ChannelStatus:
    label = CHANNELS[channel]
    if not mapping.uses(channel):
        return ChannelStatus(
            channel, label, False, "「使用しない」です。", "連携設定シートで「使用する」にしてください。"
        )
    kinds = [name for key, name in EVENTS.items() if channel in mapping.table.get(key, frozenset())]
    if not kinds:
        return ChannelStatus(
            channel, label, False, "通知管理で○の付いた通知項目がありません。", "通知管理で○を付けてください。"
        )
    address = addresses.of(user_id, channel)
    if address.lacks:
        return ChannelStatus(channel, label, False, address.lacks, _REMEDIES.get(address.lacks, ""))
    by = "本人がマイ情報で登録" if channel in own else ("同じユーザーID" if channel == "lineworks" else "メンバー表")
    fault = faults.disabled(channel, address.to, address.to, now)
    if fault:
        remedy = "マイ情報かメンバー表で登録し直してください。" if fault.void else "1日後に、もう一度試します。"
        return ChannelStatus(channel, label, False, f"この宛先への送信を止めています（{fault.note}）。", remedy, by)
    if newest and newest.state is State.REFUSED:
        return ChannelStatus(
            channel, label, True, f"前回は届けられませんでした（{newest.note}）。", "宛先を確認してください。", by
        )
    if newest and newest.state is State.UNKNOWN:
        return ChannelStatus(channel, label, True, "前回は、届いたか分かりません。", "本人に確認してください。", by)
    return ChannelStatus(channel, label, True, f"届く設定です（{'、'.join(kinds)}）。", "", by)


_REMEDIES = {
    UNKNOWN_MEMBER: "在籍中であれば、メンバー表に登録してください。",
    MISSING["slack"]: "マイ情報のURLを本人に送り、登録してもらってください。",
    MISSING["google_chat"]: "マイ情報のURLを本人に送り、登録してもらってください。",
    MISSING["line"]: "マイ情報のURLを本人に送り、LINEの認証をしてもらってください。",
}
