"""A pump of LINE WORKS → KING OF TIME that may be killed: `python -m tests.harness.punching_program JSON`.

JSON has `database`, `king` (KING OF TIME's URL), `lineworks` (a registration of the chat simulator, or null: no replies),
`tenants`, and `quick`: seconds after which leases run out and answers count as lost for good (0: as in earnest). By us KING
OF TIME may be read at any hour.
"""

from __future__ import annotations

import datetime as dt
import json
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

import requests

from renkei.clock import utcnow
from renkei.inbox import drain, lease, pump
from renkei.inbox.drain import Tenancy
from renkei.inbox.lease import Leases
from renkei.inbox.pump import Pump
from renkei.links.lineworks_kot import LINK, punching
from renkei.links.lineworks_kot.punching import Puncher, PunchingContext
from renkei.outbox.outbox import Outbox
from renkei.outbox.sender import Outlet, Sender
from renkei.storage.database.database import open_database
from renkei.systems.kingoftime.client import KingOfTimeClient
from renkei.systems.lineworks.auth import LineWorksCredentials
from renkei.systems.lineworks.client import LineWorksBot
from renkei.systems.lineworks.pace import MINUTE_S
from tests.harness.inbox_programs import PLAIN
from tests.harness.punching import company_sheet


class Tenants:
    """Who has an inbox: each with the same KING OF TIME and bot."""

    def __init__(self, asked: Mapping[str, Any]) -> None:
        self._asked = asked
        self._database = open_database(asked["database"])

    def versions(self) -> Mapping[Tenancy, str]:
        return {(LINK, tenant): "1" for tenant in self._asked["tenants"]}

    def open(self, tenancy: Tenancy, leases: Leases) -> Puncher:
        tenant = tenancy[1]
        outbox = Outbox(self._database, PLAIN, LINK, tenant)
        return Puncher(
            PunchingContext(
                database=self._database,
                store=PLAIN,
                leases=leases,
                mapping=company_sheet(tenant, replies=bool(self._asked["lineworks"])),
                open_client=self._client,
                sender=Sender(outbox, leases, self._outlet(outbox)),
                tell=lambda kind, text, over: True,
            )
        )

    def _client(self) -> KingOfTimeClient:
        session = requests.Session()
        session.headers["Authorization"] = "Bearer kot_sim_token"
        return KingOfTimeClient(session, self._asked["king"])

    def _outlet(self, outbox: Outbox) -> Callable[[str], Outlet]:
        found = self._asked["lineworks"]
        if not found:
            return lambda channel: (_ for _ in ()).throw(AssertionError(channel))
        names = ("client_id", "client_secret", "service_account", "private_key", "bot_id")
        bot = LineWorksBot(LineWorksCredentials(*(str(found[name]) for name in names)), found["base_url"])
        bot.sent_before(outbox.tried_within("lineworks", MINUTE_S, utcnow()))
        return lambda _channel: Outlet(bot)


def hurry(seconds: float) -> None:
    """What this process waits for takes so long, for as long as it lives."""
    punching.reading_opens_in = lambda now: 0.0
    if seconds:
        pump.TRIES_EVERY_S = drain.LOOKS_BACK_EVERY_S = 0.1
        lease.LASTS_S, lease.RENEWED_EVERY_S = seconds, seconds / 10
        punching.SETTLES, drain.AGAIN_S = dt.timedelta(seconds=seconds), seconds / 2


def _main(asked: dict[str, Any]) -> None:
    hurry(asked["quick"])
    working = Pump(open_database(asked["database"]), PLAIN, Tenants(asked))
    signal.signal(signal.SIGTERM, lambda *_: working.stop())
    print("READY", flush=True)
    working.run()


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
