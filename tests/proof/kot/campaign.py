"""LINE WORKS → KING OF TIME: the process is killed, KING OF TIME misbehaves, and clocks jump, while people punch."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from renkei.inbox import lease
from renkei.systems.kingoftime import client
from tests.harness.kingoftime import KingOfTime
from tests.harness.migrated import databases_copied
from tests.harness.punching import MAPPING
from tests.proof.case import Case, Effort, Say
from tests.proof.kot.oracle import wrong
from tests.proof.kot.storm import storm
from tests.proof.kot.world import Message, PunchWorld
from tests.proof.tried import Try, case

GROUP = "kot"
ONCE = "each punch once, with its own time and working day; each message answered once; nothing waits"
STORM = "each punch once, with its own time, in each employee's order; nothing waits"
FAULTS: dict[str, dict[str, Any]] = {
    **{kind: {} for kind in ("down", "too_many", "address", "hours", "drop", "drop_after", "truncated")},
    "hang": {"seconds": 1.5},
    "slow": {"seconds": 0.05},
    "answer": {"answer": {"status": 200, "body": "<!doctype html><title>log in</title>"}},
}
TIMES = ("08:29:58", "08:45:00", "09:59:58", "10:00:02", "12:00:00", "17:29:58", "18:29:59", "23:59:58", "04:59:58")
Fresh = Callable[..., PunchWorld]


def campaign(folder: Path, effort: Effort, say: Say) -> list[Case]:
    with ExitStack() as stack:
        stack.enter_context(databases_copied())
        king = stack.enter_context(KingOfTime.start())
        for module, name, value in (
            (client, "PUNCH_S", 0.5),  # it waits as long as it must, only not for what never comes
            (client, "READ_S", 1.0),
            (lease, "LASTS_S", 1e6),
        ):
            stack.enter_context(mock.patch.object(module, name, value))
        numbers = itertools.count()

        def fresh(**more: Any) -> PunchWorld:
            return PunchWorld(folder / str(next(numbers)), king, **more)

        full = effort is Effort.FULL
        found = [play(fresh, full) for play in (_killed, _faults, _clocks, _stories)]
    return [*found, _storm(folder / "storm", full)]


def morning() -> list[Message]:
    """A morning with everything in it, around the time at which KING OF TIME must not be asked."""
    return [
        Message("出勤します", "u-sato", "30 08:44:59"),
        Message("出勤", "u-tanaka", "30 08:45:00"),
        Message("出勤", "u-sato", "30 08:45:30"),
        Message("こんにちは", "u-sato", "30 08:46"),
        Message("出勤して退勤", "u-tanaka", "30 08:47"),
        Message("出勤", "u-nobody", "30 08:48"),
        Message("休憩開始", "u-tanaka", "30 10:10"),
        Message("退勤", "u-tanaka", "1 00:30"),
        Message("退勤", "u-sato", "28 18:00", "1 00:31"),
    ]


@case(GROUP, "killed before and after each request and each transaction", "L4 P13 P14 P17", ONCE)
def _killed(fresh: Fresh, full: bool) -> Iterator[Try]:
    """Once; and where the answer was lost as well."""
    for fault in (None, "drop_after", "drop") if full else ("drop_after",):
        for moment in itertools.count(1, 1 if full else 13):
            world = fresh()
            if fault:
                world.program.fault(fault, method="POST")
            world.moments.deadly = {moment, moment + 3} if full and moment % 2 else {moment}
            messages = morning()
            world.play(messages)
            yield f"{fault}, moment {moment}", wrong(world, world.program, messages)
            if not world.deaths:
                break


@case(GROUP, "each fault of KING OF TIME at each request", "P14 P15", ONCE)
def _faults(fresh: Fresh, full: bool) -> Iterator[Try]:
    for (kind, more), after, times in itertools.product(FAULTS.items(), range(3), (1, 4)):
        if full or (kind, after, times) in (("truncated", 1, 1), ("address", 0, 4)):
            world = fresh()
            world.program.fault(kind, after=after, times=times, **more)
            messages = morning()
            world.play(messages)
            left = ["the fault never struck"] if times == 1 and world.program.sim("GET", "faults") else []
            yield f"{kind} after {after}, {times} times", left + wrong(world, world.program, messages)


@case(GROUP, "clocks: every border of a day and of the forbidden hours, set forward, back, or apart", "P10 P14", ONCE)
def _clocks(fresh: Fresh, full: bool) -> Iterator[Try]:
    jumps = {"none": 0, "an hour back": -3600, "an hour on": 3600}
    for time, fault, skew, (name, seconds) in itertools.product(
        TIMES, ("drop", "drop_after"), (-20.0, 0.0, 20.0), jumps.items()
    ):
        if not full and (time, fault, skew) != ("08:45:00", "drop_after", 20.0):
            continue
        world = fresh(skew_s=skew)
        world.program.fault(fault, method="POST", times=2)
        done = 0

        def jump(jumped: PunchWorld, by: int = seconds) -> None:
            nonlocal done
            done += 1
            if done == 3 and by:
                jumped.clock(jumped.now + dt.timedelta(seconds=by))

        messages = [Message("出勤", user, f"30 {time}") for user in ("u-sato", "u-tanaka")]
        world.play(messages, jump)
        yield f"{time}, {fault}, KING OF TIME {skew} s ahead, {name}", wrong(world, world.program, messages)


@case(GROUP, "a pump killed every 100 ms while 1,000 messages are punched", "L4 P13 P14 P17", STORM)
def _storm(folder: Path, full: bool) -> Iterator[Try]:
    """In earnest: processes, SIGKILL and the wall's clock."""
    for how, found in storm(folder, 20 if full else 1):
        print(f"   {GROUP}: {how}", flush=True)
        yield how, found


TEXTS = (
    "出勤",
    "退勤",
    "休憩開始",
    "休憩終了",
    "外出",
    "出勤 退勤",
    "お昼",
    "ｼｭｯｷﾝ",
    "出　勤です",
    "外出から戻って退勤",
)
MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(TEXTS),
        st.sampled_from(("u-sato", "u-sato", "u-tanaka", "u-nobody")),
        st.integers(0, 2 * 24 * 60),  # minutes from the first midnight
        st.sampled_from((0, 0, 1, 30, 61)),  # seconds of the minute
        st.sampled_from((0, 0, 0, 2, 90, 25 * 60)),  # minutes until it arrives
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda one: (one[1], one[2], one[3]),
)
TROUBLES = st.lists(st.tuples(st.sampled_from(sorted(FAULTS)), st.integers(0, 9), st.integers(1, 3)), max_size=3)


@case(GROUP, "stories that Hypothesis invents", "L4 P8 P9 P10 P13 P14 P15 P16 P17 P20", ONCE)
def _stories(fresh: Fresh, full: bool) -> Iterator[Try]:
    tries: list[Try] = []

    def play(said: list[tuple[str, str, int, int, int]], troubles: list[tuple[str, int, int]], kills: set[int]) -> None:
        world = fresh(mapping=dataclasses.replace(MAPPING))
        for kind, after, times in troubles:
            world.program.fault(kind, after=after, times=times, **FAULTS[kind])
        world.moments.deadly = kills
        messages = [_message(*one) for one in said]
        world.play(messages)
        found = wrong(world, world.program, messages)
        tries.append((f"{said}, {troubles}, killed at {sorted(kills)}", found))
        assert not found, found

    told = settings(
        max_examples=400 if full else 8,
        phases=(Phase.generate, Phase.shrink) if full else (Phase.generate,),
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    try:
        seed(4)(told(given(MESSAGES, TROUBLES, st.sets(st.integers(1, 60), max_size=3))(play)))()
    except AssertionError:
        yield from (one for one in tries if not one[1])
        yield tries[-1]  # the shortest
    else:
        yield from tries


def _message(text: str, user: str, minute: int, second: int, late: int) -> Message:
    def written(minutes: int) -> str:
        at = dt.datetime(2026, 11, 28) + dt.timedelta(minutes=minutes, seconds=second)
        return f"{at.day} {at:%H:%M:%S}"

    return Message(text, user, written(minute), written(minute + late))
