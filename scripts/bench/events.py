"""F13: workflow events, from the push to each of four messengers.

Children: `python -m scripts.bench.events receiver FOLDER` takes them in, `… pump FOLDER` works them off; each prints READY.
The messengers are of this process: each answers after 50 ms, and none of them limits anybody.
"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import functools
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from fsspec.implementations.local import LocalFileSystem
from sqlalchemy import select

from renkei.inbox.drain import Tenancy
from renkei.inbox.inbox import Inbox
from renkei.inbox.lease import Leases
from renkei.inbox.pump import Pump
from renkei.inbox.receiver import Receiver
from renkei.inbox.tables import MESSAGE, State
from renkei.links.workplace_lineworks.events.event import event_of
from renkei.links.workplace_lineworks.events.worker import LINK, EventWorker
from renkei.links.workplace_lineworks.sheet.mapping import CHANNELS, EVENTS
from renkei.links.workplace_lineworks.sheet.mapping import Mapping as Sheet
from renkei.notifications.members.table import Member
from renkei.outbox.outbox import Outbox
from renkei.outbox.sender import Outlet
from renkei.outbox.tables import OUTGOING
from renkei.outbox.tables import State as Sent
from renkei.public.app import build
from renkei.public.secrets import Secrets
from renkei.public.server import server
from renkei.public.workplace import Events
from renkei.storage.cipher import Cipher
from renkei.storage.database.database import open_database
from renkei.storage.store import Store
from renkei.systems.delivery import Delivery, Message, accepted
from scripts.bench.figures import Figure, Say
from scripts.local_airflow import PROJECT

SECRET, TENANTS = "events secret", [f"t{number}" for number in range(10)]  # each has a limit of its own
MANY, CONNECTIONS = 10_000, 50
PER_S, SECONDS = 50, 20
ANSWER_S = 0.05  # of a messenger
STORE = Store(LocalFileSystem(), "/nowhere", Cipher(base64.urlsafe_b64encode(bytes(32)).decode()))  # seals alone


def measure(folder: Path, say: Say) -> list[Figure]:
    flood, steady = folder / "flood", folder / "steady"
    for one in (flood, steady):
        one.mkdir(parents=True)
    with ExitStack() as running:
        url = running.enter_context(_Child("receiver", flood)).url
        began = time.monotonic()
        asyncio.run(_push(url, [(TENANTS[number % 10], number) for number in range(MANY)], 0))
        rate = MANY / (time.monotonic() - began)
    kept = sum(_inbox(flood, tenant).counts()[State.WAITING] for tenant in TENANTS)
    say(f"{rate:,.0f} events a second, {kept:,} kept")
    with ExitStack() as running:
        running.enter_context(_Child("pump", steady))
        url = running.enter_context(_Child("receiver", steady)).url
        asyncio.run(_push(url, [(TENANTS[0], number) for number in range(PER_S * SECONDS)], PER_S))
        _until_sent(steady, PER_S * SECONDS * len(CHANNELS))
    waits = _waits(steady)
    middle, slow = waits[len(waits) // 2], waits[len(waits) * 99 // 100]
    say(f"{len(waits):,} messages, p50 {middle:.2f} s, p99 {slow:.2f} s")
    note = f"{PER_S} a second, four messengers that answer after {ANSWER_S * 1000:.0f} ms"
    return [
        Figure(
            "F13",
            "workflow events a second, each durable before its 200",
            rate,
            "",
            ("≥", 1000),
            f"{CONNECTIONS} at once",
        ),
        Figure("F13", "… answered and not kept, after a kill", MANY - kept, "", ("=", 0)),
        Figure("F13", "from an event's acceptance to its delivery, p99", slow, "s", ("<", 2), note),
        Figure("F13", "… p50", middle, "s"),
        Figure("F13", "… messages lost or doubled", PER_S * SECONDS * len(CHANNELS) - len(waits), "", ("=", 0)),
    ]


class _Child:
    """One of this module's programs, until the end of `with`."""

    def __init__(self, what: str, folder: Path) -> None:
        command = [sys.executable, "-m", __name__, what, str(folder)]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("RENKEI_")}
        self._process = subprocess.Popen(command, cwd=PROJECT, env=clean, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().split()[-1]

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()  # without a word: what was answered is there
        self._process.communicate()


async def _push(url: str, events: Iterable[tuple[str, int]], per_s: int) -> None:
    """Over as many connections as need be; so many a second, or as fast as they are answered."""
    to, waiting, began = urlsplit(url), iter(enumerate(events)), time.monotonic()

    async def one_connection() -> None:
        reader, writer = await asyncio.open_connection(to.hostname, to.port)
        for place, (tenant, number) in waiting:
            if per_s:
                await asyncio.sleep(max(0.0, began + place / per_s - time.monotonic()))
            writer.write(_request(tenant, number))
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200 "), answer
        writer.close()

    await asyncio.gather(*(one_connection() for _ in range(CONNECTIONS)))


def _request(tenant: str, number: int) -> bytes:
    body = json.dumps(
        {
            "id": f"e{number}",
            "kind": "requested",
            "occurred_at": dt.datetime.now(dt.UTC).isoformat(),
            "document": {"id": f"d{number}", "number": f"WF-{number}", "title": "経費精算書"},
            "recipients": [f"u{number % 3000}"],
        }
    ).encode()
    at = str(int(time.time()))
    signature = hmac.digest(SECRET.encode(), at.encode() + b"." + body, hashlib.sha256).hex()
    return (
        f"POST /renkei/workplace/{tenant}/events HTTP/1.1\r\nHost: renkei.example.jp\r\n"
        f"X-Renkei-Timestamp: {at}\r\nX-Renkei-Signature: v1={signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _until_sent(folder: Path, messages: int) -> None:
    outbox, until = Outbox(open_database(_database(folder)), STORE, LINK, TENANTS[0]), time.monotonic() + 120
    while sum(number for (_, state), number in outbox.counts().items() if state is Sent.SENT) < messages:
        if time.monotonic() > until:
            return
        time.sleep(0.5)


def _waits(folder: Path) -> list[float]:
    """Seconds from an event's acceptance to its delivery, of each message that was sent."""
    both = select(OUTGOING.c.since, MESSAGE.c.received_at).join(MESSAGE, MESSAGE.c.number == OUTGOING.c.source)
    with open_database(_database(folder)).reading() as connection:
        rows = connection.execute(both.where(OUTGOING.c.state == Sent.SENT)).all()
    return sorted((row.since - row.received_at).total_seconds() for row in rows)


def _inbox(folder: Path, tenant: str) -> Inbox:
    return Inbox(open_database(_database(folder)), STORE, LINK, tenant)


def _database(folder: Path) -> str:
    return f"sqlite:///{folder}/renkei.db"


class _Answers:
    """A messenger."""

    def send(self, message: Message, to: str, key: str) -> Delivery:
        time.sleep(ANSWER_S)
        return accepted(200)

    def check(self) -> Delivery:
        return accepted(200)


class _One:
    """A pump's `Source` of one tenant."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def versions(self) -> Mapping[Tenancy, str]:
        return {(LINK, TENANTS[0]): "1"}

    def open(self, tenancy: Tenancy, leases: Leases) -> EventWorker:
        sheet = Sheet(
            TENANTS[0],
            "",
            messengers=dict.fromkeys(CHANNELS, True),
            table=dict.fromkeys(EVENTS, frozenset(CHANNELS)),
        )
        database = open_database(_database(self._folder))
        outbox = Outbox(database, STORE, LINK, TENANTS[0])
        outlet = Outlet(_Answers())
        return EventWorker(sheet, database, outbox, leases, lambda channel: (outlet, channel), _member, 5)


def _member(user_id: str) -> Member:
    return Member(user_id, user_id, f"U{user_id}", f"https://chat.example/{user_id}", f"L{user_id}")


def _serve(folder: Path) -> None:
    def same_of(body: bytes) -> tuple[str, str]:
        event = event_of(body)
        return event.id, event.document.id

    receiver = functools.cache(lambda: Receiver(_database(folder), STORE))
    events = Events(LINK, Secrets(lambda _: SECRET), receiver, same_of)
    server(build([events.route()], lambda: None), "127.0.0.1", 0).run()


def _pump(folder: Path) -> None:
    pump = Pump(open_database(_database(folder)), STORE, _One(folder))
    print("READY pump", flush=True)
    pump.run()


if __name__ == "__main__":
    {"receiver": _serve, "pump": _pump}[sys.argv[1]](Path(sys.argv[2]))
