"""One process at a time writes a tenant's calendars, and none before what another one has sent has come to rest (C8).

LINE WORKS knows no revision: of two requests for one event, that counts which it carries out last. So whoever was killed
while he wrote, or never heard an answer, keeps the next one waiting until nothing of his can be carried out any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from renkei.errors import BusyAccountError
from renkei.inbox.lease import LeaseLostError, Leases
from renkei.links.workplace_lineworks import LINK
from renkei.storage.database.database import Database
from renkei.systems.lineworks.api import ALTOGETHER_S

LANDS_S = ALTOGETHER_S + 10.0  # after which LINE WORKS does not carry a request out any more (docs/assumptions.md)


@dataclass(slots=True)
class CalendarLease:
    """What this process holds while it writes. `is_doubtful`: an answer was lost, so the next one has to wait."""

    leases: Leases
    name: str
    is_doubtful: bool = False

    def check(self) -> None:
        """Right before each request. Raises LeaseLostError: nobody has heard of this process for too long."""
        if not self.leases.holds(self.name):
            raise LeaseLostError("カレンダーへの登録は、別の実行が引き継ぎました。")

    def doubt(self) -> None:
        """An answer was lost: its request may be carried out yet."""
        self.is_doubtful = True


@contextmanager
def leased_calendars(database: Database, tenant: str) -> Iterator[CalendarLease]:
    """The tenant's calendars are ours to write.

    Raises:
        BusyAccountError: another process writes them, or something of one that did may still be under way.
    """
    name = f"{LINK}__{tenant} calendars"
    with Leases(database) as leases:
        if not leases.acquire(name, LANDS_S):
            raise BusyAccountError("別の実行がカレンダーに登録しています。終わるまで待ちます。")
        lease = CalendarLease(leases, name)
        try:
            yield lease
        except BaseException:  # in the middle of whatever it was
            lease.doubt()
            raise
        finally:
            if lease.is_doubtful:
                leases.let_lapse(name)
