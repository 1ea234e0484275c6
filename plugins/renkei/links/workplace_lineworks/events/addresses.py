"""How each channel reaches a member, or why it does not (W2)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from renkei.links.workplace_lineworks.events.texts import MISSING, NO_USER_ID, UNKNOWN_MEMBER
from renkei.notifications.members.table import Member
from renkei.systems.lineworks.client import CHANNEL as ROOM

FRESH_S = 20.0  # for which what is known of a member holds: the table is a file
REMEMBERED = 5_000
_FIELDS = {"slack": "slack_member_id", "google_chat": "google_chat_webhook", "line": "line_user_id"}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a channel reaches somebody, or what it lacks; exactly one of them is empty."""

    to: str = field(default="", repr=False)
    lacks: str = ""


class Addresses:
    """The addresses of one tenant's members, looked up at most every twenty seconds for each of them."""

    def __init__(self, find: Callable[[str], Member | None], clock: Callable[[], float] = time.monotonic) -> None:
        """`find` gives a member of the members table with what counts of him. It may raise StoreError."""
        self._find, self._clock = find, clock
        self._known: dict[str, tuple[float, Member | None]] = {}

    def of(self, user_id: str, channel: str) -> Address:
        """Equal user ids are LINE WORKS' own rule (text 3): nobody has to be registered for it (C3).

        Raises:
            StoreError: the members table cannot be read.
        """
        member = self._member(user_id)
        if channel == "lineworks":
            to = (member.lineworks_id if member else "") or user_id
            return Address(lacks=NO_USER_ID) if to.startswith(ROOM) else Address(to)
        if member is None:
            return Address(lacks=UNKNOWN_MEMBER)
        found: str = getattr(member, _FIELDS[channel])
        return Address(found) if found else Address(lacks=MISSING[channel])

    def _member(self, user_id: str) -> Member | None:
        now = self._clock()
        until, member = self._known.get(user_id, (0.0, None))
        if now >= until:
            member = self._find(user_id)
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[user_id] = (now + FRESH_S, member)
        return member
