"""A pump that may be killed: `python -m tests.harness.pump_program URL TARGET STUCK_AFTER TENANTS…`.

TARGET is a file that plays the target system: a line is a thing that was done, for good. After STUCK_AFTER of them (0:
never) the process says STUCK and does nothing any more, between what it did and its note of it; its leases it goes on
renewing.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from renkei.inbox import drain, lease, pump
from renkei.inbox.drain import HandlingResult, Tenancy
from renkei.inbox.inbox import Message
from renkei.inbox.lease import Leases
from renkei.inbox.pump import Pump
from renkei.inbox.tables import State
from renkei.storage.database.database import open_database
from tests.harness.inbox_programs import LINK, PLAIN


class Appends:
    """A worker of any tenant."""

    at_once = 4

    def __init__(self, target: Path, stuck_after: int) -> None:
        self._target, self._left = target, stuck_after
        self._lock = threading.Lock()

    def handle(self, message: Message) -> HandlingResult:
        with self._lock:
            with self._target.open("ab") as file:
                file.write(message.body() + b"\n")
            self._left -= 1
            if self._left == 0:
                print("STUCK", flush=True)
                threading.Event().wait()
        return HandlingResult(State.DONE)

    def look_back(self, message: Message) -> HandlingResult | None:
        return HandlingResult(State.DONE) if message.body() in self._target.read_bytes().split(b"\n") else None

    def tick(self) -> float:
        return 60.0

    def close(self) -> None:
        pass


class Named:
    """The tenants of the command line."""

    def __init__(self, target: Path, stuck_after: int, tenants: Sequence[str]) -> None:
        self._target, self._stuck_after, self._tenants = target, stuck_after, tenants

    def versions(self) -> Mapping[Tenancy, str]:
        return {(LINK, tenant): "1" for tenant in self._tenants}

    def open(self, tenancy: Tenancy, leases: Leases) -> Appends:
        return Appends(self._target, self._stuck_after if tenancy[1] == self._tenants[0] else 0)


def _main(url: str, target: str, stuck_after: str, *tenants: str) -> None:
    pump.TRIES_EVERY_S = drain.LOOKS_BACK_EVERY_S = 0.1
    lease.LASTS_S, lease.RENEWED_EVERY_S = 2.0, 0.2  # a test waits for a killed one's lease
    Pump(open_database(url), PLAIN, Named(Path(target), int(stuck_after), tenants)).run()


if __name__ == "__main__":
    _main(*sys.argv[1:])
