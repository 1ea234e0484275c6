"""What the administrator is told and what the bot answers (P15, P16, P20)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import select

from renkei.errors import ConnectionError_
from renkei.inbox.drain import HandlingResult, PausedError
from renkei.inbox.tables import State as Inboxed
from renkei.links.lineworks_kot.deciding import Reason
from renkei.outbox.tables import OUTGOING
from renkei.systems.kingoftime.errors import KingOfTimeAwayError, PunchRefusedError, StoppedError
from tests.harness.punching import MAPPING, UNKNOWN, World, at

pytestmark = pytest.mark.usefixtures("no_lease_runs_out")


def test_p15_a_refused_token_stops_all_keeps_all_and_is_told_once_with_its_end(world: World) -> None:
    stopped = StoppedError("KING OF TIMEが要求を拒否しています（HTTP 403 コード100）。次の3つを確認してください。")
    world.king.faults = [stopped, stopped]
    for user in ("u-sato", "u-tanaka"):
        world.receive("出勤", user=user)
    first, second = world.take()
    pause = world.settle(first, world.worker.handle)
    assert isinstance(pause, PausedError)
    assert pause.seconds == pytest.approx(300, abs=100)
    assert isinstance(world.settle(second, world.worker.handle), PausedError)
    assert world.king.asked == ["punch"]
    for _ in range(3):
        world.worker.tick()
    assert world.told == [("stopped", False)]
    assert world.counts() == {"waiting": 2}
    assert world.replies() == []
    world.worker._breaker._until = 0.0
    assert isinstance(world.work(), PausedError)
    world.worker.tick()
    assert world.told == [("stopped", False)]
    world.begin()  # a worker after half an hour knows nothing of it, and says nothing before it has seen the end
    world.worker.tick()
    assert world.told == [("stopped", False)]
    for message in world.take():
        world.settle(message, world.worker.handle)
    world.worker.tick()
    assert world.told == [("stopped", False), ("stopped", True)]
    assert len(world.king.kept) == 2
    assert world.opened == 3, "the Connection was read again after each refusal"


def test_p15_a_connection_that_is_missing_is_the_same(world: World) -> None:
    world.receive("出勤")

    def missing() -> None:
        raise ConnectionError_("Airflowの接続「kingoftime__acme」がありません。")

    world.king.during = missing
    assert isinstance(world.work(), PausedError)
    world.worker.tick()
    assert world.told == [("stopped", False)]


def test_p15_a_token_that_may_not_read_stops_no_punch(world: World) -> None:
    world.now = at("30 12:00")
    world.receive("出勤")
    world.king.faults, world.king.read_faults = [UNKNOWN], [StoppedError("Readがありません")]
    world.work()
    world.now += dt.timedelta(minutes=1)
    assert isinstance(world.look_back(), PausedError)
    world.worker._breaker.well()
    world.receive("出勤", user="u-tanaka")
    assert world.work() == HandlingResult(Inboxed.DONE)
    world.worker.tick()
    assert world.told == [("unreadable", False)]


def test_an_absence_is_told_after_ten_minutes_and_when_it_is_over(world: World) -> None:
    world.receive("出勤")
    for _ in range(3):
        world.king.faults = [KingOfTimeAwayError("接続できません")]
        world.work()
        world.worker._breaker._until = 0.0
        world.worker.tick()
        world.now += dt.timedelta(minutes=6)
    assert world.told == [("away", False)]
    world.work()
    world.worker.tick()
    assert world.told == [("away", False), ("away", True)]


def test_an_alarm_that_nobody_heard_is_told_again(world: World) -> None:
    world.receive("出勤")
    world.king.faults = [StoppedError("x")]
    world.work()
    world.heard = False
    world.worker.tick()
    world.heard = True
    world.worker.tick()
    world.worker.tick()
    assert world.told == [("stopped", False)] * 2


def test_p16_a_refusal_of_king_of_times_is_told_with_its_reason(world: World) -> None:
    world.king.faults = [PunchRefusedError("この雇用区分では休憩打刻が許可されていません（コード101）。")]
    world.receive("休憩開始")
    settled = world.work()
    assert isinstance(settled, HandlingResult)
    assert settled.state is Inboxed.REFUSED
    (reply,) = world.replies()
    assert reply == "9:01 休憩開始は記録されていません。この雇用区分では休憩打刻が許可されていません（コード101）。"
    assert world.rows()[0].reason is Reason.REFUSED


def test_p16_failures_go_first_and_a_late_success_is_not_worth_sending(world: World) -> None:
    """Of one that was told 確認中 the end is worth it for a day."""
    world.now = at("30 12:00")
    world.king.faults = [PunchRefusedError("x")]
    for text in ("休憩開始", "出勤", "出勤 退勤"):
        world.receive(text)
        world.work()
    world.king.late = [UNKNOWN]
    world.receive("退勤")
    world.work()
    world.now += dt.timedelta(minutes=1)
    world.look_back()
    columns = (OUTGOING.c.priority, OUTGOING.c.created_at, OUTGOING.c.not_after)
    with world.database.reading() as connection:
        rows = connection.execute(select(*columns).order_by(OUTGOING.c.number)).all()
    found = [(row.priority, int((row.not_after - row.created_at).total_seconds() / 60)) for row in rows]
    refused, done, asked, unknown, confirmed = found
    assert (refused, done, asked, unknown, confirmed) == ((1, 1440), (5, 10), (2, 1440), (3, 10), (3, 1440))


def test_p16_a_company_that_wants_no_replies_gets_none(tmp_path: Path) -> None:
    world = World(tmp_path, dataclasses.replace(MAPPING, replies=False))
    world.receive("出勤")
    world.receive("出勤", user="u-nobody")
    world.work()
    world.work()
    assert world.replies() == []
    assert len(world.king.kept) == 1


def test_p20_somebody_unknown_gets_one_answer_a_day_and_is_listed_each_time(world: World) -> None:
    for _ in range(3):
        world.receive("出勤", user="u-nobody")
        world.work()
        world.now += dt.timedelta(minutes=1)
    assert len(world.replies()) == 1
    world.now += dt.timedelta(days=1)
    world.receive("出勤", user="u-nobody")
    world.work()
    assert len(world.rows()) == 4
    assert world.punches.sender_of(world.rows()[0]) == "u-nobody"


def test_p16_the_end_of_what_was_being_confirmed_is_worth_telling_for_a_day(world: World) -> None:
    world.now = at("30 12:00")
    world.receive("出勤")
    world.king.faults = [UNKNOWN]
    world.work()
    world.now += dt.timedelta(minutes=2)
    world.look_back()
    world.work()
    last = world.outbox.listed(most=1)[0]
    assert last.not_after - world.now == dt.timedelta(hours=24)
