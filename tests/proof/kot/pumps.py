"""Pumps forked off a process that has loaded all, so that one begins within milliseconds: `… pumps COUNT JSON`.

JSON is `tests.harness.punching_program`'s. For each line that it reads it kills the pump that lives longest with SIGKILL,
begins another one, and prints `HOST:PID:` of the dead one, as leases name their owners. At the end of its input all die.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import traceback
from collections import deque
from typing import Any

from renkei.inbox.pump import Pump
from renkei.storage.database.database import open_database
from tests.harness.inbox_programs import PLAIN
from tests.harness.punching_program import Tenants, hurry


def _begun(asked: dict[str, Any], parent: int) -> int:
    """A new pump's process, which outlives its parent by a moment at most."""
    child = os.fork()
    if child:
        return child
    try:
        pump = Pump(open_database(asked["database"]), PLAIN, Tenants(asked))
        pump.run(until=lambda: os.getppid() != parent)
    except BaseException:  # nothing of the parent's is to be done here
        traceback.print_exc()
    finally:
        os._exit(1)


def _kill(pump: int) -> None:
    """Raises RuntimeError: it had ended by itself, which no pump does; it has said why."""
    os.kill(pump, signal.SIGKILL)
    _, status = os.waitpid(pump, 0)
    if not os.WIFSIGNALED(status):
        raise RuntimeError(f"pump {pump} ended by itself")


def _main(count: int, asked: dict[str, Any]) -> None:
    hurry(asked["quick"])
    parent = os.getpid()
    pumps = deque(_begun(asked, parent) for _ in range(count))
    try:
        for _ in sys.stdin:
            dead = pumps.popleft()
            _kill(dead)
            pumps.append(_begun(asked, parent))
            print(f"{socket.gethostname()[:60]}:{dead}:", flush=True)
    finally:
        for pump in pumps:
            _kill(pump)


if __name__ == "__main__":
    _main(int(sys.argv[1]), json.loads(sys.argv[2]))
