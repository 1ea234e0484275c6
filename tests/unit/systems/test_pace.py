"""Pacer: windows of any length, lower limits of long use, headers, a wait that has an end (C11)."""

from __future__ import annotations

import itertools

import pytest

from renkei.systems.lineworks.pace import LineWorksPace, reset_s
from renkei.systems.pace import Pacer, SustainedLimit


class Clock:
    """Time that passes by sleeping alone."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def minutes(moments: list[float]) -> dict[int, int]:
    return {int(minute): len(list(group)) for minute, group in itertools.groupby(moments, lambda at: at // 60)}


def send(pacer: Pacer, clock: Clock, count: int) -> list[float]:
    """When each of so many requests left; every answer comes at once."""
    moments = []
    for _ in range(count):
        assert pacer.acquire()
        moments.append(clock.now)
        pacer.release(None)
    return moments


def test_c11_no_minute_has_more_than_its_requests_and_none_waits_for_nothing() -> None:
    clock = Clock()
    moments = send(Pacer(240, 60, clock=clock, sleep=clock.sleep), clock, 1_000)

    assert set(minutes(moments[:960]).values()) == {240}
    assert all(later - earlier >= 60 for earlier, later in zip(moments, moments[240:], strict=False))


def test_c11_after_half_an_hour_of_use_it_is_half_until_a_minute_is_silent() -> None:
    clock = Clock()
    pacer = Pacer(240, 60, long_use=SustainedLimit(1800, 120), clock=clock, sleep=clock.sleep)
    moments = send(pacer, clock, 10_000)

    late = [at for at in moments if at >= 1800 + 60]
    assert all(later - earlier >= 60 for earlier, later in zip(late, late[120:], strict=False))
    assert 50 * 60 <= moments[-1] <= 56 * 60  # half an hour for 7,200, and 24 minutes for the rest

    clock.sleep(61)
    again = send(pacer, clock, 240)
    assert again[-1] == again[0]


def test_c11_whose_turn_does_not_come_in_time_is_told_so_at_once() -> None:
    clock = Clock()
    pacer = Pacer(2, 60, clock=clock, sleep=clock.sleep)
    send(pacer, clock, 2)

    assert pacer.acquire(5.0) is False
    assert clock.now == 0
    assert pacer.acquire(61.0) is True


def test_c11_a_429_stops_its_operation_and_no_other() -> None:
    clock = Clock()
    pace = LineWorksPace(clock=clock, sleep=clock.sleep)
    pace.of("get").block(30)

    assert pace.of("create").acquire(0.0)
    assert not pace.of("get").acquire(29.0)
    assert pace.of("get").acquire(31.0)
    assert clock.now == 30


def test_c11_what_other_programs_use_is_seen_in_the_headers() -> None:
    clock = Clock()
    pacer = LineWorksPace(clock=clock, sleep=clock.sleep).of("create")
    pacer.acquire()
    pacer.release({"rateLimit-remaining": "0", "rateLimit-reset": "17"})

    assert pacer.acquire()
    assert clock.now == 17


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"rateLimit-remaining": "3", "rateLimit-reset": "17"}, 0),
        ({"rateLimit-remaining": "0"}, 60),
        ({"rateLimit-remaining": "0", "rateLimit-reset": "soon"}, 60),
        ({"rateLimit-remaining": "0", "rateLimit-reset": "86400"}, 60),
    ],
)
def test_c11_a_reset_is_within_the_minute_whatever_is_said(headers: dict[str, str], seconds: float) -> None:
    assert reset_s(headers) == seconds


def test_p16_what_another_process_has_sent_within_the_window_counts_as_ours() -> None:
    """A pump that takes over sends no more than what is left of the minute."""
    clock = Clock()
    pacer = Pacer(240, 60, clock=clock, sleep=clock.sleep)
    pacer.sent_before([10.0] * 200 + [59.0] * 30 + [90.0] * 500)

    moments = send(pacer, clock, 240)

    assert sum(at < 1 for at in moments) == 10
    assert sum(at < 50 for at in moments) == 40
    assert sum(at < 60 for at in moments) == 240


def test_p16_whoever_does_not_wait_is_told_when_the_next_turn_is() -> None:
    clock = Clock()
    pacer = Pacer(2, 60, clock=clock, sleep=clock.sleep)
    send(pacer, clock, 1)
    clock.now = 20
    send(pacer, clock, 1)
    assert not pacer.acquire(5)
    assert pacer.next_in_s() == pytest.approx(40, abs=0.1)
    clock.now = 61
    assert 0 < pacer.next_in_s() < 0.1
