"""Limits: so many at once, then so many a second, in bounded memory."""

from __future__ import annotations

import pytest

from renkei.public import limits
from renkei.public.limits import RateLimit, network_of


def test_so_many_at_once_then_so_many_a_second() -> None:
    now = [0.0]
    limit = RateLimit(2, 3, lambda: now[0])
    assert [limit.take("a") for _ in range(4)] == [True, True, True, False]
    assert limit.take("b")
    now[0] = 0.5
    assert [limit.take("a") for _ in range(2)] == [True, False]
    now[0] = 100
    assert [limit.take("a") for _ in range(4)] == [True, True, True, False]


def test_whoever_asks_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REMEMBERED", 10)
    limit = RateLimit(1, 1, lambda: 0.0)
    assert all(limit.take(str(number)) for number in range(100))
    assert len(limit._next) == 10
    assert not limit.take("99")


@pytest.mark.parametrize(
    ("address", "whose"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1:2:3:4", "2001:db8::/64"),
        ("testclient", "testclient"),
    ],
)
def test_an_ipv6_address_is_its_networks(address: str, whose: str) -> None:
    assert network_of(address) == whose
