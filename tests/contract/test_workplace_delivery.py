"""An event, through the outbox and the real clients, into the simulated messengers."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from starlette.testclient import TestClient

from renkei.channel import Service
from renkei.clock import utcnow
from renkei.inbox import lease
from renkei.links.workplace_lineworks.events import addresses
from renkei.links.workplace_lineworks.events.texts import MISSING
from renkei.notifications.members.own import OwnEntries
from renkei.notifications.members.table import Members
from renkei.notifications.registration import Registration
from renkei.orchestration.connections import open_store
from renkei.orchestration.link import LINKS
from renkei.orchestration.public.app import receiver
from renkei.orchestration.pump import pump
from renkei.orchestration.workplace_lineworks import drain
from renkei.orchestration.workplace_lineworks.drain import channel_opener
from renkei.outbox import sender
from renkei.outbox.outbox import Outbox
from renkei.outbox.tables import State
from renkei.public.app import build
from renkei.settings import database_url
from renkei.sheets.load import load_all
from renkei.sheets.tenant_files import tenants
from renkei.storage.database.database import open_database
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.delivery import Messenger
from scripts.chat_connections import chat_connections
from tests.conftest import ROOT
from tests.harness.chat import Chat
from tests.harness.workplace_events import KEY, EventWorld, an_event

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
    found.open_channel = channel_opener("acme", found.outbox)
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


def test_w8_a_pump_that_takes_over_counts_what_was_sent_within_the_minute(
    world: EventWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or two pumps would send twice what LINE WORKS allows."""
    world.push(an_event(recipients=[SATO]))
    world.all_sent()
    counted: dict[str, list[float]] = {}
    real = drain.messenger

    def opened(registration: Registration, sent: Iterable[float]) -> Messenger:
        counted[registration.service] = list(sent)
        return real(registration, counted[registration.service])

    monkeypatch.setattr(drain, "messenger", opened)
    monkeypatch.setattr(drain, "utcnow", lambda: world.now)
    channel_opener("acme", world.outbox)("lineworks")
    assert len(counted[Service.LINEWORKS]) == 1


SHEET = """\
company_name: 株式会社アクメ
result_addresses: [soumu@acme.example.jp]
messengers: {lineworks: 使用する, slack: 使用する, google_chat: 使用する, line: 使用する}
events:
  - {event: 申請, lineworks: ○, slack: ○, google_chat: ○, line: ○}
"""
SECRET = "events-secret-of-acme-0123456789abcdef"


def test_w1_from_the_push_to_the_messengers_with_all_that_airflow_has(
    chat: Chat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link's own routes, sheet, Connections and pump; a second event comes as a file, and LINE by マイ情報."""
    link, store = LINKS["workplace_lineworks"], tmp_path / "store"
    for name, value in {
        "RENKEI_STORE": store.as_uri(),
        "RENKEI_STORE_KEY_CONN_ID": "store_key",
        "RENKEI_DATABASE": f"sqlite:///{tmp_path}/renkei.db",
        "RENKEI_MAPPINGS": str(tmp_path / "mappings"),
        "RENKEI_INDEX": str(tmp_path / "index"),
        "RENKEI_DROP": str(tmp_path / "drop"),
        "RENKEI_ALLOWED_HOSTS": chat.url.removeprefix("http://"),
        "RENKEI_PUBLIC_URL": "http://renkei.example.jp",
    }.items():
        monkeypatch.setenv(name, value)
    known = chat_connections(chat.registrations, "acme") | {
        "store_key": {"conn_type": "generic", "password": KEY},
        "workplace__acme": {"conn_type": "workplace", "extra": {"events_secret": SECRET}},
    }
    for name, connection in known.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(connection))
    sheet = tmp_path / "mappings" / link.name / "acme.yaml"
    sheet.parent.mkdir(parents=True)
    sheet.write_text(SHEET, encoding="utf-8")
    load_all(link.sheets(), tenants(sheet.parent), tmp_path / "index", ())
    folder = TenantFolder(open_store(), link.name, "acme")
    Members(folder).replace(
        pd.DataFrame({"user_id": [SATO], "line_user_id": chat.registrations["line"]["friends"][:1]}, dtype="str")
    )
    receiver.cache_clear()
    assert link.public is not None
    internet = TestClient(build([*link.public()()], lambda: None), "http://renkei.example.jp")
    body = json.dumps(an_event(recipients=[SATO], at=utcnow())).encode()
    at = str(int(time.time()))
    digest = hmac.digest(SECRET.encode(), at.encode() + b"." + body, hashlib.sha256).hex()
    signed = {"X-Renkei-Timestamp": at, "X-Renkei-Signature": f"v1={digest}"}
    pushed = internet.post("/renkei/workplace/acme/events", content=body, headers=signed)
    token = OwnEntries(open_database(database_url()), folder).invite([SATO], 1, utcnow())[SATO]
    webhook = chat.registrations["google_chat"]["url"]
    registered = internet.post(
        f"/renkei/my/acme/{token}",
        data={"action": "google_chat", "value": webhook},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert (pushed.status_code, registered.status_code) == (200, 200)
    drop = tmp_path / "drop" / link.name / "acme"
    drop.mkdir(parents=True)
    (drop / "1.json").write_text(json.dumps(an_event(2, recipients=[SATO], at=utcnow(), document={"id": "doc-2"})))
    outbox, until = Outbox(open_database(database_url()), folder.store, link.name, "acme"), time.monotonic() + 150
    pump(str(ROOT / "dags" / "renkei_pump.py"), 0, 1).run(
        lambda: (sum(outbox.counts("event").values()) == 8 and not outbox.next()) or time.monotonic() > until
    )
    assert [len(chat.messages(service)) for service in SERVICES] == [2, 0, 3, 2]  # Google Chat with a test
    assert {(one.channel, one.note) for one in outbox.listed(State.DROPPED, most=9)} == {("slack", MISSING["slack"])}
