"""The messages that people would see, and those that a service took and never showed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from markupsafe import escape

# The first segment of a service's paths, and its name on the page.
SERVICES = {
    "slack": "Slack",
    "chatwork": "Chatwork",
    "teams": "Microsoft Teams",
    "lineworks": "LINE WORKS",
    "googlechat": "Google Chat",
    "line": "LINE",
}


@dataclass(frozen=True, slots=True)
class Received:
    """One message. `place` is the room, channel or person, `html` the message as it would look (safe HTML)."""

    number: int
    service: str
    place: str
    author: str
    text: str
    html: str
    at: str
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lost:
    """A request that the service accepted, and of which nobody sees anything: a blocked friend, a failed flow."""

    number: int
    service: str
    place: str
    why: str
    at: str
    raw: dict[str, Any]


class Inbox:
    """What arrived since the last `clear`, oldest first; numbers go on through all services."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._received: list[Received] = []
        self._lost: list[Lost] = []
        self._at_reset: list[Callable[[], None]] = []
        self._number = 0

    def keep(self, service: str, place: str, author: str, text: str, html: str, raw: dict[str, Any]) -> Received:
        """The message as kept. `html` that is no Markup is escaped."""
        with self._lock:
            received = Received(self._next(service), service, place, author, text, str(escape(html)), _now(), raw)
            self._received.append(received)
            return received

    def lose(self, service: str, place: str, why: str, raw: dict[str, Any]) -> Lost:
        """Keep a request that was accepted and shows nowhere; `why` is Japanese and stands on the page."""
        with self._lock:
            lost = Lost(self._next(service), service, place, why, _now(), raw)
            self._lost.append(lost)
            return lost

    def all(self, service: str | None = None) -> list[Received]:
        with self._lock:
            return [one for one in self._received if service in (None, one.service)]

    def lost(self, service: str | None = None) -> list[Lost]:
        with self._lock:
            return [one for one in self._lost if service in (None, one.service)]

    def clear(self) -> None:
        with self._lock:
            self._received.clear()
            self._lost.clear()

    def at_reset(self, action: Callable[[], None]) -> None:
        """Call `action` at every reset: a service puts its settings and counters back."""
        self._at_reset.append(action)

    def reset(self) -> None:
        """Empty, and every service as it was at the start."""
        self.clear()
        for action in self._at_reset:
            action()

    def _next(self, service: str) -> int:
        if service not in SERVICES:
            raise ValueError(f"{service!r} is none of {', '.join(SERVICES)}")
        self._number += 1
        return self._number


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
