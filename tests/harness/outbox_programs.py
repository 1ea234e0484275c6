"""A process that sends an outbox and may be killed: `python -m tests.harness.outbox_programs URL TARGET [STUCK_AFTER]`.

TARGET is a file that plays the service: a line is a message that arrived. After so many of them the process says STUCK
and does nothing any more, between the service's taking a message and its own note of that.
"""

from __future__ import annotations

import datetime as dt
import sys
import threading
import time
from pathlib import Path

from renkei.inbox import lease
from renkei.inbox.lease import Leases
from renkei.outbox.outbox import Entry, Outbox
from renkei.outbox.sender import Outlet, Sender
from renkei.storage.database.database import open_database
from renkei.systems.delivery import Delivery, Message, accepted
from tests.harness.inbox_programs import LINK, PLAIN, TENANT

AT = dt.datetime(2026, 4, 1, 0, 0, tzinfo=dt.UTC)


def an_entry(event: str, *, key: str = "", channel: str = "slack", to: str = "U1", **more: object) -> Entry:
    """A message whose title is its event; it may be sent for a day."""
    known = {"purpose": "event", "recipient": to, "message": Message(event), "not_after": AT + dt.timedelta(days=1)}
    return Entry(**{"event": event, "key": key or event, "channel": channel, "to": to, **known, **more})


class File:
    """A service that takes everything. It writes the key, if it knows one, and takes it once."""

    def __init__(self, target: Path, stuck_after: int = 0, keys: bool = False) -> None:
        self._target, self._left, self._keys, self._lock = target, stuck_after, keys, threading.Lock()

    def send(self, message: Message, to: str, key: str) -> Delivery:
        with self._lock:
            if not self._keys or key not in self._target.read_text():
                with self._target.open("a") as file:
                    file.write(f"{message.title} {key if self._keys else ''}\n")
            self._left -= 1
            if self._left == 0:
                print("STUCK", flush=True)
                threading.Event().wait()
        return accepted(200)

    def check(self) -> Delivery:
        return accepted(200)


def _drain(url: str, target: Path, stuck_after: int) -> None:
    outbox = Outbox(open_database(url), PLAIN, LINK, TENANT)
    with Leases(open_database(url)) as leases:
        files = {
            channel: File(
                target.with_suffix(f".{channel}"), stuck_after if channel == "slack" else 0, channel == "line"
            )
            for channel in ("slack", "line")
        }
        sender = Sender(outbox, leases, lambda channel: Outlet(files[channel], channel == "line"), clock=lambda: AT)
        while outbox.next():
            if not leases.holds(outbox.lease) and leases.acquire(outbox.lease):  # at first, and after a long pause
                sender.left_behind()
            if leases.holds(outbox.lease):
                sender.tick()
            time.sleep(0.02)
        sender.close()


if __name__ == "__main__":
    lease.LASTS_S, lease.RENEWED_EVERY_S = 2.0, 0.2  # a test waits for the end of a killed process's lease
    _drain(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]) if sys.argv[3:] else 0)
