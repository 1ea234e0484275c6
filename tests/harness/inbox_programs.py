"""Processes that work an inbox off and may be killed: `python -m tests.harness.inbox_programs URL TARGET [STUCK_AFTER]`.

TARGET is a file that plays the target system: a line is a thing that was done, for good. After so many of them the
process says STUCK and does nothing any more, between what it did and its note of it; its lease it goes on renewing.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from fsspec.implementations.local import LocalFileSystem

from renkei.inbox import lease
from renkei.inbox.inbox import Inbox, Message
from renkei.inbox.lease import LeaseLostError, Leases
from renkei.inbox.tables import State
from renkei.storage.database.database import open_database
from renkei.storage.store import Store

LINK, TENANT = "toy", "acme"
PLAIN = Store(LocalFileSystem(), "/nowhere")  # seals nothing; no file of it is touched


def work_off(inbox: Inbox, leases: Leases, target: Path, did: Callable[[], None] = lambda: None) -> None:
    """What a link's drain does with what is there: reads back what is unknown, then takes what waits."""
    inbox.left_behind(leases)
    for message in inbox.listed(State.UNKNOWN, 1000):
        if message.body() in target.read_bytes().split(b"\n"):
            inbox.settle(message, State.DONE)
        elif again := inbox.again(leases, message):
            _do(inbox, leases, target, again, did)
    while taken := inbox.take(leases, 8):
        for message in taken:
            _do(inbox, leases, target, message, did)


def _do(inbox: Inbox, leases: Leases, target: Path, message: Message, did: Callable[[], None]) -> None:
    if not leases.holds(inbox.lease):
        raise LeaseLostError("")
    with target.open("ab") as file:
        file.write(message.body() + b"\n")
    did()
    inbox.settle(message, State.DONE)


def _drain(url: str, target: Path, stuck_after: int) -> None:
    database = open_database(url)
    inbox = Inbox(database, PLAIN, LINK, TENANT)
    left = stuck_after

    def did() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            print("STUCK", flush=True)
            threading.Event().wait()

    with Leases(database) as leases:
        while sum(inbox.counts().values()) > inbox.counts()[State.DONE]:
            try:
                if leases.acquire(inbox.lease):
                    work_off(inbox, leases, target, did)
            except LeaseLostError:
                pass
            time.sleep(0.05)


if __name__ == "__main__":
    lease.LASTS_S, lease.RENEWED_EVERY_S = 2.0, 0.2  # a test waits for the end of a killed process's lease
    _drain(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]) if sys.argv[3:] else 0)
