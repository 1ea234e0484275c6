"""Processes that work an inbox off and may be killed: `python -m tests.harness.inbox_programs URL TARGET`.

TARGET is a file that plays the target system: a line is a thing that was done, for good.
"""

from __future__ import annotations

import os
import sys
import time
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


def work_off(inbox: Inbox, leases: Leases, target: Path) -> int:
    """What a link's drain does with what is there: reads back what is unknown, then takes what waits. How many."""
    inbox.left_behind(leases)
    settled = 0
    for message in inbox.listed(State.UNKNOWN, 1000):
        if message.body() in target.read_bytes().split(b"\n"):
            inbox.settle(message, State.DONE)
        elif again := inbox.again(leases, message):
            _do(inbox, leases, target, again)
        settled += 1
    while taken := inbox.take(leases, 8):
        for message in taken:
            _do(inbox, leases, target, message)
        settled += len(taken)
    return settled


def _do(inbox: Inbox, leases: Leases, target: Path, message: Message) -> None:
    if not leases.holds(inbox.lease):
        raise LeaseLostError("")
    with target.open("ab") as file:
        file.write(message.body() + b"\n")
    inbox.settle(message, State.DONE)


def _drain(url: str, target: Path) -> None:
    database = open_database(url)
    inbox = Inbox(database, PLAIN, LINK, TENANT)
    with Leases(database) as leases:
        print("READY", flush=True)
        while sum(inbox.counts().values()) > inbox.counts()[State.DONE]:
            try:
                if leases.acquire(inbox.lease):
                    print("HOLDS", flush=True)
                    work_off(inbox, leases, target)
            except LeaseLostError:
                pass
            time.sleep(0.05)


if __name__ == "__main__":
    lease.LASTS_S, lease.RENEWED_EVERY_S = 2.0, 0.2  # a test waits for the end of a killed process's lease
    _drain(sys.argv[1], Path(sys.argv[2]))
    os._exit(0)
