"""A punch is sent once: what is unknown is read back, and a process may die anywhere (P14, L4)."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import update

from renkei.errors import StoreError
from renkei.inbox import lease
from renkei.inbox.drain import HandlingResult, PausedError
from renkei.inbox.tables import State as Inboxed
from renkei.links.lineworks_kot.deciding import Reason
from renkei.links.lineworks_kot.punch_list import PunchList
from renkei.links.lineworks_kot.punches import Punches, State
from renkei.links.lineworks_kot.punching import CONFIRMED
from renkei.links.lineworks_kot.tables import PUNCH
from renkei.systems.kingoftime.client import Punch as AtKingOfTime
from renkei.systems.kingoftime.errors import KingOfTimeAwayError, OtherPunchError, PunchRefusedError
from tests.harness.inbox_programs import PLAIN
from tests.harness.punching import MAPPING, SATO, TANAKA, UNKNOWN, World, at

pytestmark = pytest.mark.usefixtures("no_lease_runs_out")


class Died(BaseException):
    """The process was killed: nothing catches it."""


def test_p14_an_unknown_answer_is_read_back_and_not_sent_again(world: World) -> None:
    """The acceptance case: a timeout at 08:45 where KING OF TIME had it; one punch, done at 10:00:30."""
    world.now = at("30 08:45:05")
    world.receive("出勤", issued="30 08:45")
    world.king.late = [UNKNOWN]
    settled = world.work()
    assert isinstance(settled, HandlingResult)
    assert settled.state is Inboxed.UNKNOWN
    (reply,) = world.replies()
    assert "確認中" in reply
    assert "10:00" in reply
    world.now += dt.timedelta(minutes=1)
    pause = world.look_back()
    assert isinstance(pause, PausedError)
    assert world.now + dt.timedelta(seconds=pause.seconds) == at("30 10:00:30")
    assert world.king.asked == ["punch"]
    world.now = at("30 10:00:30")
    settled = world.look_back()
    assert isinstance(settled, HandlingResult)
    assert settled.state is Inboxed.DONE
    assert world.king.shown() == [("1001", "2026-11-30", "08:45:00", "1")]
    assert world.king.asked == ["punch", "read"]
    assert world.replies()[1:] == ["8:45 出勤を記録しました"]
    assert world.rows()[0].state is State.DONE


def test_p14_what_king_of_time_does_not_have_is_sent_again_with_its_own_time(world: World) -> None:
    world.now = at("30 08:45:05")
    world.receive("出勤", issued="30 08:45")
    world.king.faults = [UNKNOWN]
    world.work()
    world.now = at("30 10:00:30")
    assert world.look_back() is None
    world.worker._breaker.well()  # its rest is on the machine's clock
    assert world.work() == HandlingResult(Inboxed.DONE)
    assert world.king.shown() == [("1001", "2026-11-30", "08:45:00", "1")]
    assert world.replies()[-1] == "8:45 出勤を記録しました"


def test_p14_another_kind_time_or_day_is_not_the_punch_that_is_looked_for(world: World) -> None:
    world.now = at("30 12:00")
    for text, issued in (("退勤", "30 11:59"), ("出勤", "30 11:57")):
        world.receive(text, issued=issued)
        world.work()
    world.king.faults = [UNKNOWN]
    world.receive("出勤", issued="30 11:59")
    world.work()
    world.now += dt.timedelta(minutes=1)
    assert world.look_back() is None


def test_p14_where_the_seconds_are_cut_off_the_punch_is_found_all_the_same(world: World) -> None:
    world.now = at("30 12:00")
    world.receive("出勤", issued="30 11:59:40")
    world.king.faults = [UNKNOWN]
    world.work()
    world.king.kept.append(AtKingOfTime(SATO.key, dt.date(2026, 11, 30), at("30 11:59"), "1"))
    world.now += dt.timedelta(minutes=1)
    assert world.look_back() == HandlingResult(Inboxed.DONE, CONFIRMED)


@pytest.mark.parametrize(("fault", "sent"), [(UNKNOWN, 5), (OtherPunchError(), 1)])
def test_p14_a_punch_that_is_never_found_is_not_sent_on_and_on(world: World, fault: Exception, sent: int) -> None:
    """Whatever hides it (another day, a right that shows few): each time there would be one more at KING OF TIME."""
    world.now = at("30 12:00")
    world.receive("出勤")
    real = world.king.punch

    def elsewhere(key: str, day: dt.date, moment: dt.datetime, kind: str) -> None:
        real(key, day - dt.timedelta(days=1), moment, kind)
        raise fault

    world.king.punch = elsewhere
    for _ in range(7):
        if "waiting" in world.counts():
            world.work()
        world.now += dt.timedelta(minutes=2)
        if "unknown" in world.counts():
            world.look_back()
    assert len(world.king.kept) == sent
    assert world.counts() == {"held": 1}
    world.worker.tick()
    assert ("unsure", False) in world.told
    assert world.replies()[-1].startswith("12:00 出勤が記録されたかどうかを確認できません")
    (row,) = world.rows()
    assert (row.state, row.reason) == (State.HELD, Reason.UNSURE)
    assert PunchList(world.database, PLAIN, "acme").decide(MAPPING, row.number, False, "総務", world.now)
    assert "記録されていません" not in world.replies()[-1], "it may be there"


def test_p14_one_that_a_person_found_missing_is_sent_once_more(world: World) -> None:
    world.now = at("30 12:00")
    world.receive("出勤")
    world.king.faults = [UNKNOWN] * 5
    for _ in range(5):
        world.work()
        world.now += dt.timedelta(minutes=2)
        world.look_back()
    (row,) = world.rows()
    assert PunchList(world.database, PLAIN, "acme").decide(MAPPING, row.number, True, "総務", world.now)
    assert world.work() == HandlingResult(Inboxed.DONE)
    assert world.king.shown() == [("1001", "2026-11-30", "12:00:00", "1")]


def test_p14_while_it_may_still_arrive_it_is_looked_for_and_not_sent_again(world: World) -> None:
    world.now = at("30 12:00")
    world.receive("出勤")
    world.king.faults = [UNKNOWN]
    world.work()
    for seconds, rests in ((0, 5), (5, 10), (15, 10), (25, 5)):
        world.now = at("30 12:00") + dt.timedelta(seconds=seconds)
        pause = world.look_back()
        assert isinstance(pause, PausedError)
        assert pause.seconds == rests
    assert world.king.asked == ["punch", "read", "read", "read"]
    assert world.rows()[0].absent == 0, "it proves nothing yet"
    world.now = at("30 12:00:30")
    assert world.look_back() is None


def test_p14_what_arrived_is_found_at_once_by_whoever_takes_over(world: World) -> None:
    """Long before it would be known that it never will."""
    world.now = at("30 12:00")
    world.receive("出勤")
    world.king.late = [UNKNOWN]
    world.work()
    world.begin()
    world.now += dt.timedelta(seconds=10)
    assert world.look_back() == HandlingResult(Inboxed.DONE, CONFIRMED)
    assert world.king.asked == ["punch", "read"]


@pytest.mark.parametrize("kept", [True, False])
def test_l4_a_process_that_died_in_the_middle_of_a_punch_leaves_one_punch(world: World, kept: bool) -> None:
    """Between its note that it sends and its note of the answer: the next one asks KING OF TIME."""
    world.now = at("30 12:00")
    world.receive("出勤")

    def dies() -> None:
        raise Died

    world.king.during = dies if not kept else (lambda: None)
    world.king.late = [Died()] if kept else []  # type: ignore[list-item]
    (message,) = world.take()
    with pytest.raises(Died):
        world.worker.handle(message)
    world.king.during = lambda: None
    world.begin()
    world.inbox.left_behind(world.leases)
    world.now += dt.timedelta(minutes=1)
    settled = world.look_back()
    if not kept:
        assert settled is None
        assert world.work() == HandlingResult(Inboxed.DONE)
    assert world.king.shown() == [("1001", "2026-11-30", "12:00:00", "1")]
    assert world.counts() == {"done": 1}
    assert len(world.replies()) == 1


def test_l4_one_that_a_person_let_through_is_noted_as_being_sent_too(world: World) -> None:
    """Else it would be sent once more, unasked, when its process died in the middle."""
    world.now = at("30 12:00")
    world.receive("出勤", issued="28 09:00")
    world.work()
    (row,) = world.rows()
    assert PunchList(world.database, PLAIN, "acme").decide(MAPPING, row.number, True, "総務", world.now)
    world.king.late = [Died()]  # type: ignore[list-item]
    (message,) = world.take()
    with pytest.raises(Died):
        world.worker.handle(message)
    world.begin()
    world.inbox.left_behind(world.leases)
    world.now += dt.timedelta(minutes=1)
    assert world.look_back() == HandlingResult(Inboxed.DONE, CONFIRMED)
    assert world.king.asked == ["punch", "read"]


def test_l4_a_process_that_died_before_its_note_begins_anew(world: World) -> None:
    world.receive("出勤")
    world.take()
    world.inbox.left_behind(world.leases)
    assert world.look_back() is None
    assert world.king.asked == []
    assert world.work() == HandlingResult(Inboxed.DONE)
    assert len(world.king.kept) == 1


def test_l4_a_process_that_died_after_its_note_of_the_answer_does_nothing_more(world: World) -> None:
    world.receive("出勤")
    (message,) = world.take()
    assert world.worker.handle(message) == HandlingResult(Inboxed.DONE)
    world.inbox.left_behind(world.leases)
    assert world.look_back() == HandlingResult(Inboxed.DONE)
    assert world.king.asked == ["punch"]
    assert len(world.replies()) == 1


def test_p14_an_answer_that_could_not_be_noted_is_read_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.now = at("30 12:00")
    world.receive("出勤")
    (message,) = world.take()
    monkeypatch.setattr(Punches, "become", lambda *_, **__: (_ for _ in ()).throw(StoreError("away")))
    with pytest.raises(StoreError):
        world.worker.handle(message)
    monkeypatch.undo()
    monkeypatch.setattr(lease, "LASTS_S", 1000.0)
    world.inbox.settle(message, Inboxed.UNKNOWN)
    world.now += dt.timedelta(minutes=1)
    settled = world.look_back()
    assert isinstance(settled, HandlingResult)
    assert settled.state is Inboxed.DONE
    assert len(world.king.kept) == 1


def test_p14_nothing_is_sent_without_the_lease_or_long_after_the_message_was_taken(world: World) -> None:
    world.receive("出勤")
    (message,) = world.take()
    world.now += dt.timedelta(seconds=9)
    with pytest.raises(PausedError):
        world.worker.handle(message)
    world.now -= dt.timedelta(seconds=9)
    world.leases.release(world.inbox.lease)
    with pytest.raises(PausedError):
        world.worker.handle(message)
    assert (world.king.asked, world.rows()) == ([], [])


def test_p14_where_surely_nothing_was_registered_it_waits_and_nobody_is_told(world: World) -> None:
    """403/104, too many requests, no connection."""
    world.receive("出勤")
    for seconds in (60.0, 10.0, 20.0):
        world.king.faults = [KingOfTimeAwayError("待っています", pause_s=seconds)]
        pause = world.work()
        assert isinstance(pause, PausedError)
        assert pause.seconds == pytest.approx(seconds, abs=5)
        world.worker._breaker._until = 0.0
    assert world.replies() == []
    assert world.work() == HandlingResult(Inboxed.DONE)
    world.worker.tick()
    assert world.told == []


def test_while_king_of_time_is_not_well_one_punch_at_a_time_is_tried(world: World) -> None:
    """An outage makes one punch after another unknown, not all that wait."""
    world.now = at("30 12:00")
    for user in ("u-sato", "u-tanaka"):
        world.receive("出勤", user=user)
    world.king.faults = [UNKNOWN]
    first, second = world.take()
    world.settle(first, world.worker.handle)
    assert isinstance(world.settle(second, world.worker.handle), PausedError)
    assert world.king.asked == ["punch"]


def test_p13_a_double_press_is_of_one_company(world: World) -> None:
    """What another tenant's rows say of the same key is no punch of this one."""
    world.receive("出勤")
    world.work()
    with world.database.writing() as connection:
        connection.execute(update(PUNCH).values(tenant="beta"))
    world.now += dt.timedelta(seconds=20)
    world.receive("出勤")
    assert world.work() == HandlingResult(Inboxed.DONE)
    assert len(world.king.kept) == 2


def test_p14_anothers_punch_of_that_minute_proves_nothing(world: World) -> None:
    """Whatever KING OF TIME answers with: it is by the employee's own key that a punch is found."""
    world.now = at("30 12:00")
    world.receive("出勤")
    world.king.faults = [UNKNOWN]
    world.work()
    (row,) = world.rows()
    assert row.day is not None
    others = [AtKingOfTime(TANAKA.key, row.day, row.issued_at, "1")]
    world.king.punches = lambda *_: others
    world.now += dt.timedelta(minutes=1)
    assert world.look_back() is None  # it is sent with its own time


def test_p15_a_refused_punch_shows_that_king_of_time_is_well(world: World) -> None:
    """It answered: what waits behind the outage is let through again."""
    for fault in (KingOfTimeAwayError("接続できません"), PunchRefusedError("この日は締められています")):
        world.receive("出勤")
        world.king.faults = [fault]
        world.work()
        world.now += dt.timedelta(minutes=10)
        world.worker._breaker._until = 0.0
        world._since = dict.fromkeys(world._since, world.now)
    with world.worker._breaker.attempt(), world.worker._breaker.attempt():
        pass


def test_p10_what_is_no_longer_held_is_not_decided_again(world: World) -> None:
    """Two answers of one moment: the punch is what the first one made of it."""
    world.receive("出勤")
    world.work()
    (row,) = world.rows()
    with world.database.writing() as connection:
        assert not world.punches.decide(connection, row.number, State.REFUSED, "総務", [], world.now)
    assert world.rows() == [row]
