"""An event, through the outbox and the real clients, into the simulated messengers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from renkei.inbox import lease
from renkei.links.workplace_lineworks.events import addresses
from renkei.orchestration.workplace_lineworks.drain import channel_opener
from renkei.outbox import sender
from scripts.chat_connections import chat_connections
from tests.harness.chat import Chat
from tests.harness.workplace_events import EventWorld, an_event

SATO = "sato@acme.example"
SERVICES = ("lineworks", "slack", "googlechat", "line")


@pytest.fixture
def world(tmp_path: Path, chat: Chat, monkeypatch: pytest.MonkeyPatch) -> Iterator[EventWorld]:
    """Acme's Connections as an operator makes them; sato is registered everywhere, kato nowhere."""
    monkeypatch.setattr(lease, "LASTS_S", 1000.0)
    monkeypatch.setattr(addresses, "FRESH_S", 0.0)
    monkeypatch.setattr(sender, "LONGEST_PAUSE_S", 0.0)
    monkeypatch.setenv("RENKEI_ALLOWED_HOSTS", chat.url.removeprefix("http://"))
    for name, connection in chat_connections(chat.registrations, "acme").items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))
    found = EventWorld(tmp_path)
    found.register(
        **{
            SATO: {
                "slack_member_id": chat.registrations["slack_bot"]["members"][0],
                "google_chat_webhook": chat.registrations["google_chat"]["url"],
                "line_user_id": chat.registrations["line"]["friends"][0],
            },
            "kato@acme.example": {},
        }
    )
    found.open_channel = channel_opener("acme")
    found.worker.close()
    found.new_worker()
    with found.leases:
        yield found
        found.worker.close()


def test_w1_an_approval_request_reaches_one_member_in_all_four_messengers(world: EventWorld, chat: Chat) -> None:
    """Title, document and the way to it, in each as it shows them; once, though it is pushed twice."""
    world.push(an_event(recipients=[SATO]), an_event(recipients=[SATO]))
    world.all_sent()
    assert {channel: state for channel, (state, _) in world.account(SATO).items()} == dict.fromkeys(
        ("lineworks", "slack", "google_chat", "line"), "sent"
    )
    for service in SERVICES:
        (message,) = chat.messages(service)
        said = json.dumps(message, ensure_ascii=False)
        for part in (
            "承認の依頼が届いています",
            "経費精算書",
            "KEIHI-2026-001",
            "https://workplace.example.jp/wf/doc-1",
        ):
            assert part in said, (service, part)


def test_c3_whom_line_works_does_not_know_is_listed_with_its_words(world: EventWorld, chat: Chat) -> None:
    world.push(an_event(recipients=["Sato@acme.example.nobody"]))
    world.all_sent()
    state, note = world.account("Sato@acme.example.nobody")["lineworks"]
    assert state == "refused"
    assert note
    assert chat.messages() == []


def test_w3_lines_answer_is_lost_and_the_message_arrives_once(world: EventWorld, chat: Chat) -> None:
    """By its retry key; the other three, without one, are not repeated: unknown, and told in a list."""
    for service in SERVICES:
        path = "*/messages" if service == "lineworks" else "*"  # not the token's
        chat.fault(service=service, kind="drop_after", times=1, path=path)
    world.push(an_event(recipients=[SATO]))
    world.all_sent()
    assert {channel: state for channel, (state, _) in world.account(SATO).items()} == {
        "lineworks": "unknown",
        "slack": "unknown",
        "google_chat": "unknown",
        "line": "sent",
    }
    assert [len(chat.messages(service)) for service in SERVICES] == [1, 1, 1, 1]
