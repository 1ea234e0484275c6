"""K23, L4: whatever people change while runs die or lose answers, what is kept is never lost, nor overwritten unlisted."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import pytest

from renkei.links.hotprofile_kintone.conflicts import OVERWRITTEN
from renkei.systems.kintone.errors import KintoneAwayError
from tests.harness.hotprofile_kintone import LinkWorld
from tests.unit.links.hotprofile_kintone.test_conflicts import listed, watch_three

DAYS, RECORDS = 12, "123"


class KilledError(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("seed", range(4))
def test_k23_what_people_write_is_kept_or_listed_whatever_dies(world: LinkWorld, seed: int) -> None:
    watch_three(world)
    dice, app, theirs, gone = random.Random(seed), world.kintone, dict[tuple[str, str], str](), set[tuple[str, str]]()

    def by_hand(one: str, field: str, day: int) -> None:
        theirs[one, field] = f"人が{day}日目に"
        app.by_hand(one, **{field: theirs[one, field]})

    for day in range(DAYS):
        for one in RECORDS:
            if dice.random() < 0.5:
                world.hotprofile.put(one, f"会社{one}の{day}", note=f"備考{day}")
            if dice.random() < 0.3:
                by_hand(one, dice.choice(("name", "note")), day)
        kind, at = (
            dice.choice(("well", "lost", "away", "dies before", "dies after", "somebody")),
            dice.choice((2, 3, 4)),
        )
        hand = dice.choice(RECORDS)
        app.before, app.fault = _troubles(kind, at, lambda hand=hand, day=day: by_hand(hand, "note", day))
        world.wait(minutes=11)
        with contextlib.suppress(KilledError):
            world.run()
        app.before = app.fault = lambda: None
        for (one, field), text in [*theirs.items()]:
            if app.records[one][field] != text:
                assert field == "name", f"day {day}: what was to be kept is lost"
                assert (one, field) in listed(world), f"day {day}: overwritten, and not listed"
                gone.add((one, field))
                del theirs[one, field]
    world.wait(minutes=11)
    world.run()
    assert listed(world).keys() <= theirs.keys() | gone, "our own is taken for people's"
    assert {listed(world)[place] for place in gone - theirs.keys()} <= {OVERWRITTEN}
    for one, entry in world.hotprofile.entries.items():
        for field in {"name", "note"} - {field for its, field in theirs if its == one}:
            assert app.records[one][field] == entry[field]


def _troubles(kind: str, at: int, hand: Callable[[], None]) -> tuple[Callable[[], None], Callable[[], None]]:
    """What happens before the `at`-th request of a run, and after a write of it."""
    asked = 0

    def before() -> None:
        nonlocal asked
        asked += 1
        if asked != at:
            return
        if kind == "dies before":
            raise KilledError
        if kind == "away":
            raise KintoneAwayError("away", unknown=False)
        if kind == "somebody":
            hand()

    def after() -> None:
        if kind == "dies after":
            raise KilledError
        if kind == "lost":
            raise KintoneAwayError("lost", unknown=True)

    return before, after
