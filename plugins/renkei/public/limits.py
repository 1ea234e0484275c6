"""How often somebody may do something: so many at once, then so many a second."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

REMEMBERED = 10_000  # of those who came last; the others begin anew


class RateLimit:
    """A bucket for each name, emptied at a steady rate (GCRA). Its memory is bounded, whoever asks."""

    def __init__(self, per_second: float, at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._every, self._ahead = 1 / per_second, (at_once - 1) / per_second
        self._clock = clock
        self._next: OrderedDict[str, float] = OrderedDict()  # by name, when it would be steady again

    def allows(self, name: str) -> bool:
        """Whether one more would be within the limit."""
        return self._next.get(name, 0.0) - self._clock() <= self._ahead

    def take(self, name: str) -> bool:
        """Whether one more is within the limit; if so, it counts."""
        if not self.allows(name):
            return False
        self._next[name] = max(self._next.get(name, 0.0), self._clock()) + self._every
        self._next.move_to_end(name)
        if len(self._next) > REMEMBERED:
            self._next.popitem(last=False)
        return True


def network_of(address: str) -> str:
    """Whose address it is: in IPv6 anybody has 2^64 of them, but for those that are IPv4's (`::ffff:192.0.2.1`)."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
