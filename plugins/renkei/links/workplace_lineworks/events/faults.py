"""Registrations to which nothing is sent any more: void ones at once, others after failures in a row (N2, N8)."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from dataclasses import dataclass

from sqlalchemy import and_, delete, select

from renkei.links.workplace_lineworks.events.tables import FAULT
from renkei.storage.database.database import Database
from renkei.storage.database.statements import replace
from renkei.systems.delivery import Delivery, Verdict

WHOLE = ""  # in the place of a member: the channel as a whole
TRIED_AGAIN = dt.timedelta(days=1)
TOO_MANY = 429
DISABLED = "送信の失敗が続いたため、この登録への送信を止めています。登録し直してください。"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is known of a registration that failed last."""

    registration: bytes
    failures: int  # in a row
    void: bool  # the service says that no message will pass
    disabled_at: dt.datetime | None
    note: str  # the service's own words


class Faults:
    """The failures of one tenant's channels, and of its members' addresses; a new registration begins anew."""

    def __init__(self, database: Database, tenant: str, limit: int) -> None:
        """`limit`: after how many failures in a row an address is disabled (RENKEI_CHANNEL_FAILURES)."""
        self._database, self._tenant, self._limit = database, tenant, limit
        self._lock = threading.Lock()
        with database.reading() as connection:
            rows = connection.execute(select(FAULT).where(FAULT.c.tenant == tenant)).all()
        self._known = {
            (row.channel, row.who): Fault(row.registration, row.failures, row.void, row.disabled_at, row.note)
            for row in rows
        }

    def disabled(self, channel: str, who: str, registration: str, now: dt.datetime) -> Fault | None:
        """What is wrong, where nothing is to be sent to this registration.

        A void one is disabled until it is registered anew; any other is tried again after a day.
        """
        fault = self._known.get((channel, person(who)))
        if fault is None or fault.disabled_at is None or fault.registration != person(registration):
            return None
        return fault if fault.void or now - fault.disabled_at < TRIED_AGAIN else None

    def note(self, channel: str, who: str, registration: str, delivery: Delivery, now: dt.datetime) -> Fault | None:
        """Counts an answer; what is disabled by it now, else None. Passing faults do not count: they are repeated."""
        place, same = (channel, person(who)), person(registration)
        with self._lock:
            known = self._known.get(place)
            if delivery.accepted:
                if known:
                    self._forget(place)
                return None
            if (
                delivery.verdict is not Verdict.REFUSED or delivery.status == TOO_MANY
            ):  # a month's limit is nobody's fault
                return None
            before = known if known and known.registration == same else None
            failures = before.failures + 1 if before else 1
            is_over = delivery.dead or (bool(who) and failures >= self._limit)
            fault = Fault(same, failures, delivery.dead, now if is_over else None, delivery.reason)
            self._keep(place, fault, now)
            return fault if is_over and not (before and before.disabled_at) else None

    def is_known(self, channel: str, registration: str) -> bool:
        """Whether something is wrong with the channel as a whole, as it is registered."""
        fault = self._known.get((channel, person(WHOLE)))
        return fault is not None and fault.registration == person(registration)

    def all(self) -> dict[tuple[str, bytes], Fault]:
        """By channel and digest of the member (empty: the channel as a whole)."""
        return dict(self._known)

    def _keep(self, place: tuple[str, bytes], fault: Fault, now: dt.datetime) -> None:
        self._known[place] = fault
        row = {
            "tenant": self._tenant,
            "channel": place[0],
            "who": place[1],
            "registration": fault.registration,
            "failures": fault.failures,
            "void": fault.void,
            "disabled_at": fault.disabled_at,
            "note": fault.note,
            "at": now,
        }
        with self._database.writing(brief=True) as connection:
            connection.execute(replace(self._database, FAULT), row)

    def _forget(self, place: tuple[str, bytes]) -> None:
        self._known.pop(place, None)
        ours = and_(FAULT.c.tenant == self._tenant, FAULT.c.channel == place[0], FAULT.c.who == place[1])
        with self._database.writing(brief=True) as connection:
            connection.execute(delete(FAULT).where(ours))


def person(who: str) -> bytes:
    """How an address is named among faults; nothing of the channel as a whole."""
    return hashlib.sha256(who.encode("utf-8", "surrogatepass")).digest()[:16] if who else b""
