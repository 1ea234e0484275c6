"""A run, and every way of continuing it once one of its tasks was killed: where each must end (L2–L4)."""

from __future__ import annotations

import json
import random
import re
import time
from dataclasses import dataclass, field

from tests.proof.case import Effort
from tests.proof.crashes.judgement import (
    is_about,
    mails_of,
    wrong_about_baselines,
    wrong_about_death,
    wrong_about_success,
)
from tests.proof.crashes.world import DAG_ID, SEED, TODAY, TOMORROW, YESTERDAY, CrashWorld, Seen
from tests.proof.process import Kill, dag_of

SCENES = ("first link", "ordinary day")
SLICE_POINTS = 10

RETRY, AGAIN, NEXT_DAY = "retried", "retried, killed again, retried", "next day's run"
FAILED_RUN = "retried, in a run whose load was killed for good"  # notify alone: it has another mail to send
ITSELF = "cleared from the killed task"
CLEARED = {task: f"cleared from {task}" for task in ("validate", "diff", "fetch_departments")}
NEEDLESS = ("approve", "outcome")  # of a run in which nothing is held, and that ended well: they are skipped
RECOVERIES = (RETRY, AGAIN, FAILED_RUN, ITSELF, *CLEARED.values(), NEXT_DAY)

TIME = re.compile(r"\d{4}/\d\d/\d\d \d+:\d\d(?::\d\d)?")


@dataclass(frozen=True, slots=True)
class Point:
    """A step of the undisturbed run, and on which side of it the process dies."""

    kill: Kill
    label: str

    def __str__(self) -> str:
        return f"{self.kill.task}:{self.kill.step}:{self.kill.side}"


@dataclass
class Scene:
    """A run found to have these steps, and where every way of continuing it must end."""

    name: str
    world: CrashWorld
    order: list[str] = field(default_factory=list)  # the tasks
    retries: dict[str, int] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    before: dict[str, Seen] = field(default_factory=dict)  # by task: as it finds everything
    ends: dict[str, Seen] = field(default_factory=dict)  # by day, undisturbed
    wrong: list[str] = field(default_factory=list)  # about the undisturbed runs

    @property
    def first(self) -> bool:
        return self.name == "first link"

    @property
    def base(self) -> set[str]:
        """Whom EMC has before the run."""
        return set() if self.first else self.world.codes[YESTERDAY]

    def go_through(self) -> None:
        """The undisturbed runs: they find the steps, and are checked against what SmartHR has."""
        world = self.world
        tasks = dag_of(DAG_ID).topological_sort()
        self.order, self.retries = [task.task_id for task in tasks], {task.task_id: task.retries for task in tasks}
        if not self.first:
            world.run(YESTERDAY).begin("manual__yesterday", manual=True).play(apart=True)
            self._check(YESTERDAY, set())
        world.use_day(TODAY)
        run = world.run(TODAY).begin("manual__today" if self.first else "scheduled__today", manual=self.first)
        trace = world.folder / "trace.json"
        for task in self.order:
            world.keep(task)
            self.before[task] = world.see()
            run.play(until=task, apart=True)
            if run.states().get(task) == "skipped":  # nothing is held
                continue
            run.attempt(task, trace=trace)
            for step, (label, depth) in enumerate(json.loads(trace.read_text(encoding="utf-8"))):
                self.points.append(Point(Kill(task, step, "before"), label))
                if depth == 0:  # after a part of a step is before its next part, or after the step
                    self.points.append(Point(Kill(task, step, "after"), label))
        self._check(TODAY, self.base)
        world.use_day(TOMORROW)
        world.run(TOMORROW).begin("scheduled__tomorrow", manual=False).play(apart=True)
        self._check(TOMORROW, world.codes[TODAY])

    def _check(self, day: str, before: set[str]) -> None:
        seen = self.ends[day] = self.world.see()
        codes = self.world.codes[day]
        wrong = wrong_about_baselines(seen, self.world.live / "store")
        if set(seen.emc["users"]) != codes:
            wrong.append(f"EMC has {sorted(seen.emc['users'])}, SmartHR {sorted(codes)}")
        states = self.world.run(day).states()
        if states != {task: "skipped" if task in NEEDLESS else "success" for task in states}:
            wrong.append(f"tasks ended as {states}")
        wrong += wrong_about_success(seen.mails[-1], before, codes)
        self.wrong += [f"{self.name}, {day}, undisturbed: {line}" for line in wrong]

    def recoveries(self, point: Point) -> list[str]:
        """The ways in which this run can be continued, the most ordinary first."""
        task = point.kill.task
        ways = [RETRY] if self.retries[task] else []
        ways += {"load": [AGAIN], "notify": [FAILED_RUN]}.get(task, [])
        ways.append(ITSELF)
        ways += [name for start, name in CLEARED.items() if self._before(start, task)]
        return [*ways, NEXT_DAY]

    def work(self, effort: Effort) -> list[tuple[Point, str]]:
        """What is tried: each point with one recovery, by turns; from load's first request on with the ordinary one, too.

        And while load is under way, with the next day's run as a third.
        """
        if effort is Effort.SLICE:
            early = [point for point in self.points if self._before(point.kill.task, "load")]
            late = self.points[len(early) :]
            points = _spread(early, SLICE_POINTS // 3) + _spread(late, SLICE_POINTS - SLICE_POINTS // 3)
            return [(p, (ways := self.recoveries(p))[n % len(ways)]) for n, p in enumerate(points)]
        pairs, first_request = [], self._first_request_of_load()
        for number, point in enumerate(self.points):
            ways = self.recoveries(point)
            if number < first_request:
                ways = [ways[number % len(ways)]]
            elif point.kill.task == "load":
                ways = [ways[0], ways[1 + number % (len(ways) - 2)], ways[-1]]
            else:
                ways = [ways[0], ways[1 + number % (len(ways) - 1)]]
            pairs += [(point, way) for way in ways]
        return pairs

    def _first_request_of_load(self) -> int:
        return next(
            number
            for number, point in enumerate(self.points)
            if point.kill.task == "load" and point.label.startswith("Session.request")
        )

    def try_one(self, point: Point, recovery: str) -> list[str]:
        """Kill, recover, compare; what was wrong."""
        world, task, kill = self.world, point.kill.task, point.kill
        world.use_day(TODAY)
        if recovery == FAILED_RUN:
            return self._try_in_failed_run(point)
        world.put_back(task)
        run = world.run(TODAY)
        trace = world.folder / "killed.json"
        before = self.before[task]
        if not run.attempt(task, kill, trace):
            return [f"the process was not killed; it should have died {kill.side} {point.label}"]
        label = json.loads(trace.read_text(encoding="utf-8"))[kill.step][0]
        dead = world.see()
        noted = task in ("notify", "outcome") and world.mail_noted(run)
        wrong = [] if label == point.label else [f"died at {label}, counted was {point.label}"]
        wrong += self._wrong_after_death(before, dead)
        if recovery in (RETRY, AGAIN):
            run.note(task, "up_for_retry")
            if recovery == AGAIN:
                dice = random.Random(f"{SEED} {point}")
                steps = [p.kill for p in self.points if p.kill.task == task]
                # The second try may have fewer steps: then it goes through.
                if run.attempt(task, dice.choice(steps)):
                    run.note(task, "up_for_retry")
                noted = task in ("notify", "outcome") and world.mail_noted(run)
                dead = world.see()
            if task == "notify":
                _let_a_second_pass()
            run.play()
        else:
            run.note(task, "failed")
            run.play()
            if recovery != NEXT_DAY:
                run.clear(task if recovery == ITSELF else next(t for t, name in CLEARED.items() if name == recovery))
                run.play()
        day = TODAY
        if recovery == NEXT_DAY:
            day = TOMORROW
            wrong += self._next_day(dead)
        else:
            wrong += [
                f"the task {name} ended as {state}"
                for name, state in run.states().items()
                if state != "success" and (name not in NEEDLESS or state != "skipped")
            ]
        end = world.see()
        wrong += wrong_about_baselines(end, world.live / "store")
        if end.emc != self.ends[day].emc:
            wrong.append("EMC is not as after an undisturbed run")
        if end.note:
            wrong.append("pending.json is left")
        if end.unfinished:
            wrong.append(f"EMC has imports left in {end.unfinished}")
        return wrong + self._wrong_mails(task, recovery, dead, end, noted)

    def _try_in_failed_run(self, point: Point) -> list[str]:
        """The load dies before it begins, for good; then notify dies, and is tried again."""
        world, run = self.world, self.world.run(TODAY)
        world.put_back("load")
        before = world.see()
        run.attempt("load", Kill("load", 0, "before"))
        run.note("load", "failed")
        trace = world.folder / "failed.json"
        if not run.attempt("notify", point.kill, trace):
            steps = json.loads(trace.read_text(encoding="utf-8"))
            if point.kill.step < len(steps):
                return [f"the process was not killed; it should have died {point.kill.side} {point.label}"]
            # A run that failed has fewer steps, for `outcome` is not skipped: then `notify` goes through.
        accepted, noted = len(mails_of(world.see(), run.run_id)), world.mail_noted(run)
        _let_a_second_pass()
        run.note("notify", "up_for_retry")
        run.play()
        end = world.see()
        mails = mails_of(end, run.run_id)
        wrong = [line for mail in mails for line in wrong_about_death(mail, "load")]
        if len(mails) != (right := accepted if noted else accepted + 1):
            wrong.append(f"{len(mails)} mails tell of the failed run, right are {right}")
        if len({mail["message_id"] for mail in mails}) != 1:
            wrong.append("the mail was repeated under another Message-ID")
        if (end.emc, end.baselines, end.note) != (before.emc, before.baselines, False):
            wrong.append("EMC or the store were changed by a load that never began")
        if (state := run.states()["outcome"]) != "failed":
            wrong.append(f"the run ended as {state}")
        return wrong

    def _wrong_after_death(self, before: Seen, dead: Seen) -> list[str]:
        """All or nothing, and never a baseline that EMC has not confirmed (L2, L3)."""
        wrong = []
        if dead.emc not in (before.emc, self.ends[TODAY].emc):
            wrong.append("after the death EMC has neither the old nor the new")
        if dead.emc != before.emc and len(dead.committed) == len(before.committed):
            wrong.append("after the death EMC is changed without a commit")
        if not {baseline["import_key"] for baseline in dead.baselines} <= set(dead.committed):
            wrong.append("after the death there is a baseline that EMC has not confirmed")
        return wrong

    def _next_day(self, dead: Seen) -> list[str]:
        world = self.world
        world.use_day(TOMORROW)
        world.run(TOMORROW).begin("scheduled__tomorrow", manual=False).play()
        if not self.first or dead.committed:
            return []
        # A first link that never reached EMC is asked for by hand (E31): the scheduled run says so and leaves EMC alone.
        seen = world.see()
        wrong = []
        if (
            not seen.mails[-1]["subject"].startswith("EMC-ERROR-S(Setting NG) ")
            or "手動で実行" not in seen.mails[-1]["body"]
        ):
            wrong.append(f"a scheduled first link ended in the mail {seen.mails[-1]['subject']}")
        if seen.emc["users"] or seen.baselines:
            wrong.append("a scheduled run made the first link")
        world.run("by hand").begin("manual__by_hand", manual=True).play()
        return wrong

    def _wrong_mails(self, task: str, recovery: str, dead: Seen, end: Seen, noted: bool) -> list[str]:
        """Which mails there must be, in their order, and what each must say."""
        codes, run_ids = self.world.codes, {day: self.world.run(day).run_id for day in self._days()}
        mine, good = mails_of(end, run_ids[TODAY]), mails_of(self.ends[TODAY], run_ids[TODAY])[0]
        later = [mail for mail in end.mails if not any(is_about(mail, run_id) for run_id in run_ids.values())]
        wrong = []
        confirmed = False
        if self._before(task, "notify") and recovery not in (RETRY, AGAIN):
            if not mine:
                return ["no mail tells of the killed run"]
            # EMC's confirmation is on record from then on, whatever became of the task: the mail says what was done.
            confirmed = len(dead.baselines) == len(self.ends[TODAY].baselines)
            first = mine.pop(0)
            wrong += (
                wrong_about_success(first, self.base, codes[TODAY]) if confirmed else wrong_about_death(first, task)
            )
        least, most = self._mails_expected(task, recovery, len(mails_of(dead, run_ids[TODAY])), noted)
        if confirmed:  # what comes after the clear is told once more, unless it is the same to the second
            least = 0
        if not least <= len(mine) <= most:
            wrong.append(f"{len(mine)} mails tell of the run's success, right are {least} to {most}")
        for mail in mine:
            wrong += wrong_about_success(mail, self.base, codes[TODAY])
            if TIME.sub("", mail["body"]) != TIME.sub("", good["body"]):
                wrong.append("the mail differs from that of an undisturbed run in more than its times")
        if recovery in (RETRY, AGAIN, ITSELF) and len({mail["message_id"] for mail in mine}) > 1:
            wrong.append("the mail was repeated under another Message-ID")
        arrived = len(dead.committed) == len(self.ends[TODAY].committed)
        if len(later) != (recovery == NEXT_DAY) + (recovery == NEXT_DAY and self.first and not arrived):
            wrong.append(f"{[mail['subject'] for mail in later]} are the later mails")
        elif recovery == NEXT_DAY:
            wrong += wrong_about_success(later[-1], codes[TODAY] if arrived else self.base, codes[TOMORROW])
        return wrong

    def _days(self) -> list[str]:
        return [TODAY] if self.first else [YESTERDAY, TODAY]

    def _before(self, task: str, other: str) -> bool:
        return self.order.index(task) < self.order.index(other)

    def _mails_expected(self, task: str, recovery: str, accepted: int, noted: bool) -> tuple[int, int]:
        """Least and most mails of success about the killed run."""
        if self._before(task, "notify"):
            return (0, 0) if recovery == NEXT_DAY else (1, 1)
        if recovery == NEXT_DAY:  # `notify` was killed at every try
            return accepted, accepted
        # Between the server's acceptance and our note of it a repetition cannot know: the same mail goes out again.
        once = accepted if noted else accepted + 1
        # Cleared from before notify, the run ends a second time: that may be told, too.
        return (once, once) if recovery in (RETRY, AGAIN, ITSELF) else (max(accepted, 1), accepted + 1)


def _let_a_second_pass() -> None:
    """Airflow waits before it tries again, and mails tell the time to the second."""
    began = int(time.time())
    while int(time.time()) == began:
        time.sleep(0.02)


def _spread(points: list[Point], number: int) -> list[Point]:
    return [points[n * len(points) // number] for n in range(number)]
