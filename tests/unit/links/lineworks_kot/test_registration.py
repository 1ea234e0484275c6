"""LINE WORKSのAPI登録: how it is known whether a Bot Secret is the right one."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from renkei.links.lineworks_kot.registration import is_uncalled, note_registration, was_called_back
from tests.harness.punching import TENANT, World, at


def test_p3_a_bot_secret_with_which_nothing_was_ever_signed_is_told(tmp_path: Path) -> None:
    """Of another app's secret nobody hears otherwise: each message is refused, and none is kept (P11)."""
    world = World(tmp_path)
    assert not is_uncalled(world.database, TENANT, world.now), "not registered on a page"
    world.now = registered = at("30 10:00")
    note_registration(world.database, TENANT, second_at=registered)
    assert not is_uncalled(world.database, TENANT, registered + dt.timedelta(hours=9))
    assert is_uncalled(world.database, TENANT, registered + dt.timedelta(days=1))
    world.receive("こんにちは")
    assert not is_uncalled(world.database, TENANT, registered + dt.timedelta(days=1))


def test_p3_p11_what_the_former_secret_signed_says_nothing_of_the_new_one(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.receive("こんにちは")
    registered = at("30 10:00")
    world.now = registered + dt.timedelta(minutes=10)
    world.receive("出勤")
    assert not was_called_back(world.database, TENANT, registered)
    assert is_uncalled(world.database, TENANT, registered + dt.timedelta(days=1)) is False, "it was not on a page"
    note_registration(world.database, TENANT, second_at=registered)
    assert is_uncalled(world.database, TENANT, registered + dt.timedelta(days=1))
    world.now = registered + dt.timedelta(minutes=12)
    world.receive("退勤")
    assert was_called_back(world.database, TENANT, registered)
