"""Messages that nobody works off are told to the operator (N6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.channel import OPERATOR, Channel, Event, Service
from renkei.inbox.receiver import Receiver
from renkei.notifications.deliver import DeliveryResult
from renkei.orchestration.link import LINKS
from renkei.orchestration.monitor.once import Notices
from renkei.orchestration.monitor.unworked import tell_unworked
from renkei.storage.store import Store
from renkei.systems.delivery import Message, accepted

LINK = LINKS["lineworks_kot"]
BEGAN = dt.datetime(2026, 11, 30, 0, 0, tzinfo=dt.UTC)
CHANNEL = Channel("運用", Service.SLACK_WEBHOOK, "slack_webhook__operator")


def test_n6_a_message_that_waits_for_a_quarter_of_an_hour_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the tenant's name, and again for a later one; another link's messages are another look's."""
    url = f"sqlite:///{tmp_path}/renkei.db"
    monkeypatch.setenv("RENKEI_DATABASE", url)
    store, said = Store(LocalFileSystem(), str(tmp_path / "store")), list[Message]()

    def tell(
        link: str, tenant: str, channels: Sequence[Channel], event: Event, message: Message, key: str
    ) -> list[DeliveryResult]:
        assert (link, tenant, event) == (LINK.name, OPERATOR, Event.FAILURE)
        said.append(message)
        return [DeliveryResult(channel, event, accepted(200)) for channel in channels]

    def look(minutes: int) -> int:
        said.clear()
        notices = Notices(LINK, store, BEGAN + dt.timedelta(minutes=minutes), tell)
        tell_unworked(notices, [CHANNEL])
        assert notices.faults == []
        return len(said)

    receiver = Receiver(url, store)
    for link, tenant, minute in (("toy", "beta", 0), (LINK.name, "acme", 5), (LINK.name, "acme", 6)):
        at = BEGAN + dt.timedelta(minutes=minute)
        receiver.accept(link, tenant, f"{tenant} {minute}", "x", at, b"secret text").result(90)
    assert look(19) == 0
    assert look(20) == 1
    assert said[0].lines[0] == "acme: 2026/11/30 9:05 から"
    assert "secret" not in said[0].text()
    assert look(35) == 0
    receiver.accept(LINK.name, "beta", "1", "x", BEGAN + dt.timedelta(minutes=30), b"").result(90)
    assert look(45) == 1
    assert said[0].lines[:2] == ("acme: 2026/11/30 9:05 から", "beta: 2026/11/30 9:30 から")


def test_a_link_without_an_inbox_is_not_asked_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENKEI_DATABASE", "nonsense")
    notices = Notices(LINKS["smarthr_emc"], Store(LocalFileSystem(), str(tmp_path)), BEGAN, lambda *_: [])
    tell_unworked(notices, [CHANNEL])
    assert notices.faults == []
