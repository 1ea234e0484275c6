"""初期連携 on the console: an estimate, a start as the user, and how far it has come (K3; text 5, 初期データの連携)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from renkei.clock import TOKYO
from renkei.jobs.records import Jobs
from renkei.links.hotprofile_kintone.forecast import Estimate, is_calm, next_friday
from renkei.links.hotprofile_kintone.model import Mode
from renkei.orchestration.hotprofile_kintone.jobs import ESTIMATE, InitialEstimate
from tests.contract.console.kintone_world import DAG, KintoneWorld
from tests.contract.console.world import NOW


@pytest.fixture
def world(place: Path) -> KintoneWorld:
    return KintoneWorld(place)


def test_k3_a_day_is_estimated_shown_with_its_warnings_and_started(world: KintoneWorld) -> None:
    world.linked("アクメ")
    assert "見積もる" in world.shown("/initial")
    place = world.sent("/initial/estimate", status=303, since="2026-04-01")
    assert place == f"/dag/{DAG}/jobs/1"
    jobs = Jobs(world.folder_of_acme)
    assert (jobs.read(1).request.kind, jobs.read(1).request.asked) == (ESTIMATE, {"since": "2026-04-01"})
    line = Estimate("companies", "1", 1_000_000, 10_000, 5_000, 5_000, 2, dt.date(2026, 12, 1))
    jobs.finish(1, InitialEstimate(dt.date(2026, 4, 1), NOW, [line]), NOW)
    shown = world.shown("/jobs/1")
    assert "会社 1 1,000,000 10,000 5,000 / 5,000 2 12/1" in shown
    assert "使い切り、残りは翌日0:00以降に自動で続けます" in shown
    assert "金曜の夜など休日前に始めることをお勧めします" in shown
    place = world.sent("/initial/start", status=303, since="2026-04-01")
    assert place == f"/dag/{DAG}/runs/manual__1"
    assert world.hands.done[1:] == [("start", DAG, Mode.INITIAL.value, ("since", "2026-04-01"))]


@pytest.mark.parametrize("since", ["", "2026-13-01", "4月1日", "2027-01-01"])
def test_k3_a_day_that_is_none_or_yet_to_come_is_refused(world: KintoneWorld, since: str) -> None:
    assert "更新日" in world.sent("/initial/start", status=409, since=since)
    assert world.hands.done == []


def test_k3_how_far_it_has_come_is_shown_until_it_is_done(world: KintoneWorld) -> None:
    for number in range(1, 301):
        world.link.hotprofile.put(number, at=NOW - dt.timedelta(days=9))
    world.link.start()
    world.link.quota = world.link.kintone.requests + 3
    world.link.run(Mode.INITIAL, since=dt.date(2026, 11, 1))
    assert "会社 11/30(月) 8:05 300 100" in world.shown("/initial")
    world.link.quota = 5_000
    world.link.run()
    assert "300 0 完了" in world.shown("/initial")


def test_k12_what_nobody_has_tested_is_said(world: KintoneWorld) -> None:
    assert "会社は、まだ連携が始まっていません" in world.shown("/initial")


@pytest.mark.parametrize(
    ("day", "hour", "calm", "friday"),
    [(27, 17, False, 27), (27, 18, True, 27), (28, 9, True, 34), (29, 23, True, 34), (30, 9, False, 34)],
)
def test_k3_friday_night_and_the_weekend_are_calm(day: int, hour: int, calm: bool, friday: int) -> None:
    now = dt.datetime(2026, 11, day, hour, tzinfo=TOKYO)
    assert is_calm(now) is calm
    assert next_friday(now) == dt.date(2026, 11, 27) + dt.timedelta(days=friday - 27)
