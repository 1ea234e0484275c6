"""F9: callbacks of LINE WORKS, from the request to the 200 that follows the flush to the disk.

Child: `python -m scripts.bench.callbacks FOLDER` is the receiver; it prints READY and where it listens.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import hashlib
import hmac
import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from fsspec.implementations.local import LocalFileSystem

from renkei.inbox.inbox import Inbox
from renkei.inbox.receiver import Receiver
from renkei.inbox.tables import State
from renkei.public.app import build
from renkei.public.lineworks import Callbacks
from renkei.public.secrets import Secrets
from renkei.public.server import server
from renkei.storage.cipher import Cipher
from renkei.storage.database.database import open_database
from renkei.storage.store import Store
from scripts.bench.figures import Figure, Say
from scripts.local_airflow import PROJECT

SECRET, TENANTS = "bot secret", [f"t{number}" for number in range(10)]  # each has a limit of its own
CALLBACKS, CONNECTIONS = 10_000, 50
STORE = Store(LocalFileSystem(), "/nowhere", Cipher(base64.urlsafe_b64encode(bytes(32)).decode()))  # seals alone


def measure(folder: Path, say: Say) -> list[Figure]:
    """Callbacks over as many connections as answer within a second, and what the disk has of them afterwards."""
    command = [sys.executable, "-m", __name__, str(folder)]
    receiver = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    try:
        assert receiver.stdout is not None
        url = receiver.stdout.readline().split()[1]
        began = time.monotonic()
        waits = sorted(asyncio.run(_send(url)))
        taken = time.monotonic() - began
    finally:
        receiver.kill()  # without a word: what was answered is there
        receiver.communicate()
    database = open_database(_database(folder))
    kept = sum(Inbox(database, STORE, "bench", tenant).counts()[State.WAITING] for tenant in TENANTS)
    rate, middle, slow = len(waits) / taken, waits[len(waits) // 2] * 1000, waits[len(waits) * 99 // 100] * 1000
    say(f"{rate:,.0f} a second, p50 {middle:.0f} ms, p99 {slow:.0f} ms, {kept:,} kept")
    return [
        Figure(
            "F9", "callbacks a second, each durable before its 200", rate, "", ("≥", 1000), f"{CONNECTIONS} at once"
        ),
        Figure("F9", "… answered, p99", slow, "ms", None, f"p50 {middle:.0f}"),
        Figure("F9", "… answered and not kept, after a kill", len(waits) - kept, "", ("=", 0)),
    ]


async def _send(url: str) -> list[float]:
    """How long each callback took."""
    to = urlsplit(url)
    numbers = iter(range(CALLBACKS))
    waits: list[float] = []

    async def one_connection() -> None:
        reader, writer = await asyncio.open_connection(to.hostname, to.port)
        for number in numbers:
            request = _request(number)
            began = time.monotonic()
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200 "), answer
            waits.append(time.monotonic() - began)
        writer.close()

    await asyncio.gather(*(one_connection() for _ in range(CONNECTIONS)))
    return waits


def _request(number: int) -> bytes:
    body = json.dumps(
        {
            "type": "message",
            "source": {"userId": f"u{number % 3000}", "domainId": 40029600},
            "issuedTime": f"2026-04-01T00:{number // 6000:02}:{number // 100 % 60:02}.{number % 1000:03}Z",
            "content": {"type": "text", "text": f"出勤 {number}"},
        }
    ).encode()
    signature = base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()
    return (
        f"POST /renkei/lineworks/{TENANTS[number % 10]}/callback HTTP/1.1\r\nHost: renkei.example.jp\r\n"
        f"X-WORKS-Signature: {signature}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _database(folder: Path) -> str:
    return f"sqlite:///{folder}/renkei.db"


def _serve(folder: Path) -> None:
    receiver = functools.cache(lambda: Receiver(_database(folder), STORE))
    callbacks = Callbacks("bench", Secrets(lambda _: SECRET), receiver, lambda _tenant, _event: True)
    server(build([callbacks.route()], lambda: None), "127.0.0.1", 0).run()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
