"""Files instead of HTTP: refused, forgotten, answered twice, and EMC's data changed by hand meanwhile."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any, Literal

from renkei.errors import RejectedLoadError, RetriableLoadError
from renkei.links.smarthr_emc import stages
from renkei.systems.emc.drop import DropFolder, LocalFiles
from tests.harness.expected import FILES, differences
from tests.harness.sheet import full_mapping
from tests.harness.tenant import NOW, Run, fails
from tests.harness.world import World
from tests.proof.target.by_hand import gone, joined
from tests.proof.target.linked import ORDINARY, Linked, reasons
from tests.proof.tried import Try, case

Outcome = Literal["committed", "rejected"]
OUTCOMES: tuple[Outcome, ...] = ("committed", "rejected")


class Drops:
    """The tenant hands over files; `upload` is the operator on EMC's screen."""

    def __init__(self, at: Linked) -> None:
        self.at, self.world = at, at.world
        self.path = at.world.folder / "drop"
        self.folder = DropFolder(LocalFiles(self.path))

    def again(self, **day: int) -> World:
        world = self.at.again(**day)
        shutil.rmtree(self.path, ignore_errors=True)
        world.tenant.target, world.tenant.mapping = self.folder, full_mapping(loader="FILE_DROP")
        return world

    def waiting(self) -> tuple[Run, str]:
        """A run that waits, and its import key."""
        run = self.at.run()
        assert run.go() == "waiting"
        (ready,) = self.path.glob("*.ready")
        return run, ready.name.removesuffix(".ready")

    def upload(self, key: str) -> dict[str, Any]:
        files = [self.path / f"{key}.{file}.csv" for file in FILES]
        return self.world.emc.load(*(file.read_bytes() if file.exists() else None for file in files))

    def uploaded(self, key: str, state: str) -> dict[str, Any]:
        """EMC's answer of this state; the files are really uploaded if it is that they were taken."""
        return self.upload(key) if state == "committed" else {"id": key, "state": state}

    def answer(self, key: str, body: dict[str, Any]) -> None:
        (self.path / f"{key}.result.json").write_text(json.dumps({**body, "key": key}), encoding="utf-8")

    def confirmed(self, run: Run) -> bool:
        return stages.load.confirm(run.job, self.folder, NOW) is not None

    def good_day(self, generation: int = 2, ours: dict[str, set[str]] | None = None) -> list[str]:
        """A run whose files are uploaded and answered."""
        expected = self.world.expected(self.world.export(), ours or self.at.ours)
        run, key = self.waiting()
        self.answer(key, self.upload(key))
        wrong = [] if self.confirmed(run) else ["the answer was not taken"]
        wrong += self.world.wrong_end(expected, generation)
        left = sorted(path.name for path in self.path.iterdir() if key in path.name)
        return wrong + ([] if left == [f"{key}.result.json"] else [f"files of people were left: {len(left)}"])

    def refused(self, run: Run, *codes: str) -> list[str]:
        """The outcome is a refusal: on record, baseline unmoved, account free, files gone."""
        try:
            self.confirmed(run)
        except RejectedLoadError:
            wrong = [] if reasons(run) == list(codes) else [f"reasons on record: {reasons(run)}"]
        else:
            wrong = ["the refusal was not taken as one"]
        if self.world.tenant.generation() != 1 or self.world.tenant.note():
            wrong.append("the baseline moved, or the note was left")
        return wrong + (["files of people were left"] if list(self.path.glob("*.csv")) else [])

    def upload_refused(self, code: str) -> list[str]:
        """A run whose files EMC refuses for this reason."""
        run, key = self.waiting()
        self.answer(key, self.upload(key))
        return self.refused(run, code)

    def stopped(self, key: str) -> list[str]:
        """The next daily run does not begin, and names the import that waits."""
        had, files = self.world.export(), sorted(self.path.iterdir())
        error = fails(self.at.run())
        if not isinstance(error, RetriableLoadError) or key not in str(error):
            return [f"the next run should wait for {key}: {error!r}"]
        wrong = differences(self.world.export(), had)
        return wrong + ([] if sorted(self.path.iterdir()) == files else ["the folder was touched"])


@case(
    "target",
    "files: refused by the operator",
    "L1 L3 E38",
    "EMC and baseline as before, files removed; the next day's files were taken, EMC as expected",
)
def refused(drops: Drops) -> Iterator[Try]:
    for day in ({"moves": 1}, ORDINARY, {"reorganised": 2}, {"leavers": 1}):
        world = drops.again(**day)
        had = world.export()
        run, key = drops.waiting()
        drops.folder.confirm(key, "rejected", "tanaka")
        wrong = drops.refused(run) + differences(world.export(), had)
        world.day(joiners=1)
        yield f"{day}", wrong or drops.good_day()


@case(
    "target",
    "files: never answered",
    "L1 L3 L4 E27 E38",
    "each later run stopped and named the import, the folder was left alone; once answered the baseline moved "
    "(or not, if refused) and the next day's files were taken, EMC as expected",
)
def unanswered(drops: Drops) -> Iterator[Try]:
    for state in OUTCOMES:
        for days in (1, 2):
            world = drops.again(**ORDINARY)
            _, key = drops.waiting()
            body = drops.uploaded(key, state)
            then, wrong = after(drops, state), []
            for _ in range(days):
                world.day(**ORDINARY)
                wrong += drops.stopped(key)
            drops.answer(key, body)
            yield f"{days} days, then {state}", wrong or drops.good_day(*then)


def after(drops: Drops, state: str) -> tuple[int, dict[str, set[str]]]:
    """The generation of the next good day's baseline and whom we have in EMC, if today's files meet this end."""
    return (3, drops.world.ours()) if state == "committed" else (2, drops.at.ours)


@case(
    "target",
    "files: answered twice, or with a broken or foreign result",
    "L1 L3 E38",
    "the first whole answer stood, the baseline moved once or not at all; a broken or foreign one was no answer",
)
def answered_twice(drops: Drops) -> Iterator[Try]:
    for first in OUTCOMES:
        for second in OUTCOMES:
            for by in ("operator", "file"):
                yield f"{first}, then {second} by {by}", second_answer(drops, first, second, by)
    for broken in ("{", "[]", '{"state": "committed"}', '{"id": "1", "key": "another", "state": "committed"}', ""):
        yield f"result {broken!r}", broken_answer(drops, broken)


def second_answer(drops: Drops, first: Outcome, second: Outcome, by: str) -> list[str]:
    world = drops.again(**ORDINARY)
    expected = drops.at.expected()
    run, key = drops.waiting()
    drops.answer(key, drops.uploaded(key, first))
    if by == "operator":
        drops.folder.confirm(key, second, "tanaka")
    wrong = [] if first == "committed" and drops.confirmed(run) else drops.refused(run)
    if by == "file":
        drops.answer(key, {"id": key, "state": second})
    if drops.confirmed(run):
        wrong.append("the second answer was taken")
    if first == "committed":
        wrong += world.wrong_end(expected, 2)
    then = after(drops, first)
    world.day(joiners=1)
    return wrong or drops.good_day(*then)


def broken_answer(drops: Drops, broken: str) -> list[str]:
    world = drops.again(**ORDINARY)
    expected = drops.at.expected()
    run, key = drops.waiting()
    (drops.path / f"{key}.result.json").write_text(broken, encoding="utf-8")
    wrong = []
    try:
        drops.confirmed(run)
        wrong.append("a broken result was taken")
    except RetriableLoadError:
        pass
    if world.tenant.generation() != 1 or not world.tenant.note():
        wrong.append("the baseline moved, or the note is gone")
    drops.answer(key, drops.upload(key))
    wrong += [] if drops.confirmed(run) else ["the mended result was not taken"]
    return wrong + world.wrong_end(expected, 2)


@case(
    "target",
    "files: EMC's data changed by hand",
    "L2 L3 E28 E38",
    "EMC refused with its reason, nothing applied, baseline as before; once put right by hand EMC as expected. "
    "A leaver whom somebody had deleted already went through",
)
def changed_by_hand(drops: Drops) -> Iterator[Try]:
    world = drops.again()
    _, user_id = joined(world)
    world.somebody(user_id)
    wrong = drops.upload_refused("DUPLICATE_ID")
    world.by_hand("DELETE", "users", user_id)
    yield "newcomer's id taken", wrong or drops.good_day()

    drops.again()
    user_id = world.active()[0]["emp_code"]
    world.by_hand("DELETE", "users", user_id)
    world.day(joiners=1)
    wrong = drops.upload_refused("UNKNOWN_ID")
    world.somebody(user_id)
    yield "somebody who stays deleted", wrong or drops.good_day()

    drops.again()
    user_id = world.active()[0]["emp_code"]
    world.by_hand("DELETE", "users", user_id)
    gone(world, user_id)
    yield "a leaver deleted", drops.good_day()


FILE_CASES = (refused, unanswered, answered_twice, changed_by_hand)
