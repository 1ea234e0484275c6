"""照合: what of ours is not there, is there twice, or came by other means; and a morning without any punch."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from renkei.inbox import lease
from renkei.links.lineworks_kot.stages.reconcile import DOUBLED, MISSING, is_silent, reconcile
from renkei.systems.kingoftime.client import Punch
from renkei.systems.kingoftime.errors import KingOfTimeAwayError
from tests.harness.punching import SATO, TANAKA, World, at


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(lease, "LASTS_S", 1000.0)
    made = World(tmp_path)
    made.now = at("30 09:01")
    for user in ("u-sato", "u-tanaka"):
        made.receive("出勤", user=user, issued="30 09:00")
        made.work()
    made.now = at("30 10:05")
    return made


def test_p19_a_day_on_which_all_is_well(world: World) -> None:
    """What other means have punched is counted, and is no fault; nor is what an employee without an account did."""
    world.king.kept.append(Punch(SATO.key, dt.date(2026, 11, 30), at("30 09:30"), "3"))
    world.king.kept.append(Punch("ef" * 32, dt.date(2026, 11, 30), at("30 09:00"), "1"))
    found = reconcile(world.punches, world.king, world.now)
    assert (found.ours, found.there, found.others, found.open, found.findings) == (2, 2, 2, 0, [])
    assert found.troubles == []


def test_p19_what_is_missing_or_doubled_is_named_by_its_code(world: World) -> None:
    del world.king.kept[1]
    world.king.kept.append(world.king.kept[0])
    found = reconcile(world.punches, world.king, world.now)
    assert [(one.kind, one.code, one.times) for one in found.findings] == [(DOUBLED, "1001", 2), (MISSING, "1003", 0)]
    said = "\n".join(found.said())
    assert "従業員コード 1003: 11/30 9:00 出勤がKING OF TIMEにありません" in said
    assert "従業員コード 1001: 11/30 9:00 出勤がKING OF TIMEに2件あります" in said
    assert "佐藤" not in said
    assert found.troubles == ["doubled 2026-11-30 1001", "missing 2026-11-30 1003"]


def test_p19_the_same_kind_by_other_means_within_a_minute_is_a_doubled_punch(world: World) -> None:
    day = dt.date(2026, 11, 30)
    world.king.kept += [Punch(SATO.key, day, at("30 09:01:00"), "1"), Punch(TANAKA.key, day, at("30 09:02"), "1")]
    found = reconcile(world.punches, world.king, world.now)
    assert [(one.kind, one.code, one.number) for one in found.findings] == [(DOUBLED, "1001", None)]


def test_p19_what_is_not_known_yet_is_not_missing(world: World) -> None:
    world.king.faults = [KingOfTimeAwayError("x", unknown=True)]
    world.receive("退勤", issued="30 10:04")
    world.work()
    found = reconcile(world.punches, world.king, world.now)
    assert (found.ours, found.open, found.findings) == (2, 1, [])


def test_p19_a_night_shift_belongs_to_the_day_before(world: World) -> None:
    world.now = at("1 04:30")
    world.receive("退勤", user="u-tanaka", issued="1 04:29")
    world.work()
    world.now = at("1 10:05")
    assert reconcile(world.punches, world.king, world.now).ours == 3


def test_p19_a_morning_on_which_nobody_punches_is_silent_where_somebody_usually_does(world: World) -> None:
    """30 November and 7 December have punches by ten: the third Monday without one is silent, a Tuesday is not."""
    assert not is_silent(world.punches, world.now)
    world.now = at("7 09:01")
    assert not is_silent(world.punches, world.now), "one week says nothing yet"
    world.receive("出勤")
    world.work()
    assert is_silent(world.punches, at("14 10:00"))
    assert not is_silent(world.punches, at("14 08:00")), "by then nobody ever has"
    assert not is_silent(world.punches, at("15 10:00"))
    world.now = at("14 09:30")
    world.receive("出勤", user="u-nobody")
    world.work()
    assert is_silent(world.punches, at("14 10:00")), "somebody unknown is nobody of the company"
