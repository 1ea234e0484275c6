"""Texts of any length and any script through `Notifier`, as each simulated service shows them (N1)."""

from __future__ import annotations

import datetime as dt
import unicodedata
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.channel import Channel, Event, Service
from renkei.notifications.deliver import Notifier, OpenedChannel
from renkei.notifications.delivery_log import DeliveryLog
from renkei.notifications.messengers import messenger
from renkei.notifications.registration import register
from renkei.notifications.state import ChannelStates
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.delivery import CUT, Message
from tests.harness.chat import Chat


def _arrive(folder: Path, chat: Chat, message: Message) -> dict[str, str]:
    """The text that each service shows."""
    registrations, store = {}, Store(LocalFileSystem(), str(folder))
    names = {
        Service.SLACK_BOT: ("slack_bot", "channels"),
        Service.CHATWORK: ("chatwork", "rooms"),
        Service.TEAMS: ("teams", ""),
        Service.LINEWORKS: ("lineworks", "users"),
        Service.GOOGLE_CHAT: ("google_chat", ""),
        Service.LINE: ("line", "friends"),
    }
    channels = []
    for service, (name, places) in names.items():
        known = chat.registrations[name]
        values = {key: value for key, value in known.items() if isinstance(value, str)}
        registrations[service] = register(service, values, {"127.0.0.1"})
        channels.append(Channel(service.value, service, "c", known[places][0] if places else ""))

    def opened(channel: Channel) -> OpenedChannel:
        return OpenedChannel(messenger(registrations[channel.service]), channel.to, "r")

    deliveries = DeliveryLog(
        ChannelStates(TenantFolder(store, "smarthr_emc", "acme")),
        RunRecord(TenantFolder(store, "smarthr_emc", "acme"), "run-1"),
    )
    told = Notifier("acme", opened, deliveries, lambda: dt.datetime.now(dt.UTC), 5).tell(
        channels, Event.SUCCESS, message, "k", "run-1"
    )
    assert [one for one in told if one.failed] == []
    assert chat.lost() == []
    found = {one["service"]: one["text"] for one in chat.messages()}
    assert len(found) == len(names)
    return found


FAMILY = "👨‍👩‍👧‍👦"
SHORT = f"{FAMILY} 👩🏽‍🚒 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇯🇵 𠮷野家 が ｶﾞ e\u0301 葛\U000e0100城市 עברית ไทย"


def test_n1_signs_of_several_code_points_arrive_whole(memory_path: Path, chat: Chat) -> None:
    """N1: emoji of families and flags, rare characters with selectors, combining marks; a lone surrogate becomes �."""
    for text in _arrive(memory_path, chat, Message("題", (SHORT, "前\ud83d後"))).values():
        assert SHORT in text
        assert "前\ufffd後" in text


@pytest.mark.parametrize(
    "unit", ["あ", FAMILY, "e\u0301", "𠮷", "<&>", "\ud83d", "[toall]", "行\n"], ids=ascii
)  # fmt: skip
def test_n1_text_of_200000_characters_arrives_cut_between_signs(memory_path: Path, chat: Chat, unit: str) -> None:
    """N1: never lost for its length, never cut within what is seen as one sign; the link stays."""
    link = "https://airflow.example/runs/1"
    for service, text in _arrive(memory_path, chat, Message("題", (unit * (200_000 // len(unit)),), link)).items():
        assert link in text, service
        assert CUT in text, service
        kept = text.partition(CUT)[0].rstrip("\n")
        if unit == FAMILY:
            assert kept.endswith((FAMILY, "題")), (service, ascii(kept[-12:]))
        else:
            assert not kept.endswith("\u200d"), service
        rest = text.partition(CUT)[2]
        assert not rest or not unicodedata.combining(rest[0])
