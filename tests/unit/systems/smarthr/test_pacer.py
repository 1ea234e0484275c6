"""SmartHR's request limits, however long its answers take and wherever it starts counting (E33, L1)."""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import time
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renkei.systems.smarthr.pacer import Pacer


class World:
    """Simulated time: requests answer after a given latency, also while the pacer sleeps."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.now = 1000.0
        self.pacer = Pacer(limit, clock=lambda: self.now, sleep=self.pass_time)
        self.exchanges: list[tuple[float, float]] = []
        self._due: list[tuple[float, int, Mapping[str, str] | None]] = []
        self._order = itertools.count()

    def pass_time(self, seconds: float) -> None:
        """Let the clock run, and answers come in, for so long."""
        until = self.now + seconds
        while self._due and self._due[0][0] <= until:
            at, _, headers = heapq.heappop(self._due)
            self.now = max(self.now, at)
            self.pacer.release(headers)
        self.now = max(self.now, until)

    def send(self, latency: float, headers: Mapping[str, str] | None = None) -> float:
        """One request as soon as the pacer lets it go; the moment it left."""
        while len(self._due) >= self.limit:
            self.pass_time(max(self._due[0][0] - self.now, 0.0))
        self.pacer.acquire()
        sent = self.now
        heapq.heappush(self._due, (sent + latency, next(self._order), headers))
        self.exchanges.append((sent, sent + latency))
        return sent


def most_in_one_second(moments: list[float]) -> int:
    """The largest number of moments in any half-open window of one second."""
    moments = sorted(moments)
    return max(sum(1 for later in moments if start <= later < start + 1.0) for start in moments)


def countings(exchanges: list[tuple[float, float]], seed: int = 0) -> dict[str, list[float]]:
    """Ways in which a server may choose the moment at which each request counts."""
    rng = random.Random(seed)
    return {
        "when sent": [sent for sent, _ in exchanges],
        "when answered": [answered for _, answered in exchanges],
        "anywhere between": [rng.uniform(sent, answered) for sent, answered in exchanges],
        "early and late by turns": [pair[turn % 2] for turn, pair in enumerate(exchanges)],
        "late and early by turns": [pair[(turn + 1) % 2] for turn, pair in enumerate(exchanges)],
    }


def worst_window(exchanges: list[tuple[float, float]]) -> int:
    """The most requests a server could count in one second if it chose every moment against us."""
    return max(
        sum(1 for sent, answered in exchanges if answered > end - 1.0 and sent <= end)
        for end in [sent for sent, _ in exchanges]
    )


@given(
    limit=st.integers(1, 12),
    latencies=st.lists(st.floats(0.0, 4.0), min_size=1, max_size=60),
    seed=st.integers(0, 1000),
)
def test_e33_no_second_holds_more_requests_than_allowed_wherever_the_server_counts(
    limit: int, latencies: list[float], seed: int
) -> None:
    """Whatever moment between sending and answer counts, no window of one second has more than the limit."""
    world = World(limit)
    for latency in latencies:
        world.send(latency)

    for moments in countings(world.exchanges, seed).values():
        assert most_in_one_second(moments) <= limit


@pytest.mark.parametrize(
    "latency", [lambda n: 0.02, lambda n: 0.9 if n % 2 else 0.01, lambda n: 2.5 if n == 7 else 0.05, lambda n: 1.0]
)
def test_e33_even_the_worst_counting_stays_within_the_limit(latency: Callable[[int], float]) -> None:
    """Every request that could be counted in a second that ends at a sending is within the limit of 10."""
    world = World(10)
    for number in range(120):
        world.send(latency(number))

    assert worst_window(world.exchanges) <= 10


@pytest.mark.parametrize("limit", [1, 5, 10])
def test_e33_almost_all_of_the_rate_is_used_when_answers_take_20_ms(limit: int) -> None:
    """A thousand requests take hardly longer than the limit makes them."""
    world = World(limit)
    sent = [world.send(0.02) for _ in range(1000)]

    rate = (len(sent) - 1) / (sent[-1] - sent[0])
    assert rate >= 0.95 * limit


def test_requests_are_spread_over_the_second() -> None:
    """Ten requests a second do not leave in one burst."""
    world = World(10)
    sent = [world.send(0.02) for _ in range(50)]

    assert min(later - earlier for earlier, later in itertools.pairwise(sent)) >= 0.0999


@pytest.mark.parametrize("prefix", ["x-rate-limit", "x-intensive-rate-limit"])
@pytest.mark.parametrize(("reset", "wait"), [("7", 7.0), ("1.5", 1.5)])
def test_a_used_up_window_is_waited_for(prefix: str, reset: str, wait: float) -> None:
    """After remaining 0 nothing leaves before the reset."""
    world = World(10)
    headers = {f"{prefix}-remaining": "0", f"{prefix}-reset": reset}
    answered = world.send(0.02, headers) + 0.02

    world.pass_time(0.05)
    assert world.send(0.02) >= answered + wait - 1e-9


@pytest.mark.parametrize("reset", ["1", None, "soon"])
def test_a_second_s_window_is_left_to_the_pacer_s_own_count(reset: str | None) -> None:
    """`reset` is in whole seconds: waiting for it after every tenth request would halve the rate."""
    world = World(10)
    headers = {"x-intensive-rate-limit-remaining": "0"} | ({"x-intensive-rate-limit-reset": reset} if reset else {})
    sent = [world.send(0.02, headers) for _ in range(30)]

    assert sent[-1] - sent[0] <= 29 * 0.1 * 1.05


def test_a_window_with_requests_left_does_not_stop_anybody() -> None:
    """A reset alone, or a remaining above 0, is no reason to wait."""
    world = World(10)
    world.send(0.02, {"x-rate-limit-remaining": "4999", "x-rate-limit-reset": "3600"})
    first = world.now

    world.pass_time(0.05)
    assert world.send(0.02) <= first + 0.2


def test_an_earlier_long_wait_is_not_shortened_by_a_later_answer() -> None:
    """Of two answers that ask for a pause, the longer one counts."""
    world = World(10)
    begun = world.send(0.2, {"x-rate-limit-remaining": "0", "x-rate-limit-reset": "30"})
    world.send(0.2, {"x-rate-limit-remaining": "0", "x-rate-limit-reset": "1"})

    world.pass_time(0.5)
    assert world.send(0.02) >= begun + 30


def test_block_stops_everything_for_so_long() -> None:
    """What a 429 asks for is obeyed, and a shorter block later does not end it."""
    world = World(10)
    begun = world.now
    world.pacer.block(5)
    world.pacer.block(1)

    assert world.send(0.02) >= begun + 5


def test_a_request_without_an_answer_counts_too() -> None:
    """A broken connection may have been counted by the server: it uses up its place in the second."""
    world = World(2)
    sent = [world.send(0.0, None) for _ in range(5)]

    assert most_in_one_second(sent) <= 2


def test_e33_many_threads_share_one_limit() -> None:
    """Twenty threads over one pacer, at thirty times real speed, never pass the limit in any second."""
    speed, limit = 30.0, 10
    started = time.perf_counter()

    def clock() -> float:
        return (time.perf_counter() - started) * speed

    pacer = Pacer(limit, clock=clock, sleep=lambda seconds: time.sleep(seconds / speed))
    exchanges: list[tuple[float, float]] = []
    lock = threading.Lock()

    def work(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(8):
            pacer.acquire()
            sent = clock()
            time.sleep(rng.uniform(0.0, 1.5) / speed)
            answered = clock()
            pacer.release({})
            with lock:
                exchanges.append((sent, answered))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(exchanges) == 160
    exchanges.sort()
    assert worst_window(exchanges) <= limit
    for moments in countings(exchanges).values():
        assert most_in_one_second(moments) <= limit


@pytest.mark.parametrize("reset", ["inf", "1e308", "99999999999"])
def test_l1_no_reset_is_waited_for_beyond_the_longest_window(reset: str) -> None:
    """A used-up window ends within the hour; what says otherwise would stop the read for ever."""
    slept: list[float] = []
    pacer = Pacer(10, clock=lambda: sum(slept), sleep=slept.append)
    pacer.acquire()
    pacer.release({"x-rate-limit-remaining": "0", "x-rate-limit-reset": reset})
    pacer.acquire()

    assert sum(slept) == pytest.approx(3600, abs=2)
