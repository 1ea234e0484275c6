"""The way of a message to a punch: once, with its own time, and whoever wrote it hears what became of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import select

from renkei.errors import ConnectionError_, StoreError
from renkei.inbox import lease
from renkei.inbox.pump import PausedError, Settled
from renkei.inbox.tables import State as Inboxed
from renkei.links.lineworks_kot.deciding import Reason
from renkei.links.lineworks_kot.kinds import Kind
from renkei.links.lineworks_kot.punch_list import PunchList
from renkei.links.lineworks_kot.punches import Punches, State, tidy
from renkei.links.lineworks_kot.punching import CONFIRMED
from renkei.links.lineworks_kot.words_store import Word, Words
from renkei.outbox.tables import OUTGOING
from renkei.systems.kingoftime.client import Punch as AtKingOfTime
from renkei.systems.kingoftime.errors import KingOfTimeAwayError, OtherPunchError, PunchRefusedError, StoppedError
from tests.harness.inbox_programs import PLAIN
from tests.harness.punching import MAPPING, SATO, World, at

UNKNOWN = KingOfTimeAwayError("応答が届きませんでした。", unknown=True)


@pytest.fixture(autouse=True)
def no_lease_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LASTS_S", 1000.0)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_p10_p16_the_punch_has_the_messages_own_time_and_the_reply_names_it(world: World) -> None:
    world.now = at("30 09:01:30")
    world.receive("おはようございます、出勤です", issued="30 09:00:59.9")
    assert world.work() == Settled(Inboxed.DONE)
    assert world.king.shown() == [("1001", "2026-11-30", "09:00:59", "1")]
    assert world.replies() == ["9:00 出勤を記録しました"]
    (row,) = world.rows()
    assert (row.state, row.word, row.key, row.code) == (State.DONE, "出勤", SATO.key, "1001")
    assert row.received_at <= row.sent_at <= row.done_at  # type: ignore[operator]
    assert world.punches.sender_of(row) == "u-sato"


def test_p10_after_midnight_the_working_day_is_by_the_boundary_of_the_division(world: World) -> None:
    world.now = at("1 00:31")
    world.receive("退勤", user="u-tanaka", issued="1 00:30")
    world.receive("退勤", issued="1 00:30")
    world.work()
    world.work()
    assert world.king.shown() == [
        ("1003", "2026-11-30", "00:30:00", "2"),
        ("1001", "2026-12-01", "00:30:00", "2"),
    ]
    assert world.replies() == ["0:30 退勤を記録しました（11/30の勤務）", "0:30 退勤を記録しました"]


@pytest.mark.parametrize(
    ("text", "user", "issued", "state", "reason", "said"),
    [
        ("出勤して退勤", "u-sato", "30 09:00", State.NONE, Reason.TWO_KINDS, "どちらか1つだけ"),
        ("外出", "u-sato", "30 09:00", State.REFUSED, Reason.OFF, "外出開始の打刻を使用していません"),
        ("休憩開始", "u-tanaka", "30 09:00", State.REFUSED, Reason.NO_BREAKS, "休憩打刻が許可されていません"),
        ("出勤", "u-nobody", "30 09:00", State.NONE, Reason.STRANGER, "登録されていないため"),
        ("出勤", "u-sato", "30 09:05", State.REFUSED, Reason.FUTURE, "時刻が未来"),
    ],
)
def test_p8_p9_p10_p20_what_is_no_punch_is_answered_with_the_reason(
    world: World, text: str, user: str, issued: str, state: State, reason: Reason, said: str
) -> None:
    world.receive(text, user=user, issued=issued)
    settled = world.work()
    assert isinstance(settled, Settled)
    assert settled.state is Inboxed.REFUSED
    assert world.king.asked == []
    (row,) = world.rows()
    assert (row.state, row.reason) == (state, reason)
    (reply,) = world.replies()
    assert said in reply
    world.worker.tick()
    assert world.told == ([("future", False)] if reason is Reason.FUTURE else [])


def test_e1_before_the_link_starts_nothing_is_punched_and_that_is_said(tmp_path: Path) -> None:
    """By the day in Japan on which it was written, whatever its working day."""
    world = World(tmp_path, dataclasses.replace(MAPPING, link_start_on=dt.date(2026, 12, 1)))
    world.receive("出勤", issued="30 09:00")
    world.work()
    assert world.king.asked == []
    assert "まだ始まっていないため、打刻していません" in world.replies()[0]
    world.now = at("1 00:31")
    world.receive("退勤", user="u-tanaka", issued="1 00:30")
    world.work()
    assert world.king.shown() == [("1003", "2026-11-30", "00:30:00", "2")]


def test_p10_a_clock_that_is_a_little_ahead_is_no_future(world: World) -> None:
    world.receive("出勤", issued="30 09:02:59")
    assert world.work() == Settled(Inboxed.DONE)


def test_p10_a_division_without_a_boundary_is_refused_and_told_to_the_administrator_once_a_day(tmp_path: Path) -> None:
    world = World(tmp_path, dataclasses.replace(MAPPING, boundaries={"2000": dt.time(5)}))
    for _ in range(2):
        world.receive("出勤", issued=None)
        world.now += dt.timedelta(minutes=5)
        world.work()
        world.worker.tick()
    assert world.told == [("no_boundary 1000", False)]
    world.now += dt.timedelta(days=1)
    world.receive("出勤")
    world.work()
    world.worker.tick()
    assert len(world.told) == 2
    assert world.king.asked == []


def test_p9_only_switched_on_kinds_make_a_message_ambiguous(world: World) -> None:
    world.receive("外出から直帰、退勤します")
    assert world.work() == Settled(Inboxed.DONE)
    assert world.king.shown()[0][3] == Kind.CLOCK_OUT


def test_p7_changed_words_are_in_force_at_once(world: World) -> None:
    world.receive("イン", issued="30 08:59")
    world.work()
    Words(world.database, "acme").save([Word(Kind.CLOCK_IN, "イン")], 0, "admin", world.now)
    world.receive("ｲﾝ")
    world.work()
    assert [one[3] for one in world.king.shown()] == ["1"]


def test_p9_where_the_sheet_says_so_a_word_must_stand_alone(tmp_path: Path) -> None:
    world = World(tmp_path, dataclasses.replace(MAPPING, exact=True))
    world.receive("出勤します")
    world.receive("出勤", issued="30 09:00")
    world.work()
    world.work()
    assert len(world.king.kept) == 1


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("お昼はカレーでした", {}),
        ("", {"content": {"type": "sticker", "packageId": "1", "stickerId": "2"}}),
        ("出勤", {"content": {"type": "image", "fileId": "出勤"}}),
        ("出勤", {"type": "postback", "data": "出勤"}),
        ("出勤", {"source": {"userId": "u-sato", "channelId": "room", "domainId": 1}}),
        ("出勤", {"issuedTime": "きのう"}),
    ],
)
def test_l6_p11_of_what_was_no_punch_nothing_is_kept(world: World, text: str, more: dict[str, object]) -> None:
    world.receive(text, **more)
    settled = world.work()
    assert isinstance(settled, Settled)
    assert settled.forget
    assert (world.king.asked, world.rows(), world.replies()) == ([], [], [])
    world.worker.tick()
    assert world.told == ([("no_time", False)] if "issuedTime" in more else [])
    assert world.inbox.listed(Inboxed.DONE, 1)[0].body() == b""


def test_p11_group_talks_count_where_the_sheet_says_so(tmp_path: Path) -> None:
    world = World(tmp_path, dataclasses.replace(MAPPING, groups=True))
    world.receive("出勤", source={"userId": "u-sato", "channelId": "room", "domainId": 1})
    assert world.work() == Settled(Inboxed.DONE)


def test_l6_the_text_of_an_ambiguous_message_is_dropped(world: World) -> None:
    world.receive("出勤のあと退勤、田中さんによろしく")
    world.work()
    assert world.inbox.listed(Inboxed.REFUSED, 1)[0].body() == b""


def test_p13_the_same_kind_within_a_minute_is_one_punch_and_told_so(world: World) -> None:
    for issued in ("30 09:00", "30 09:00:59", "30 08:59:30"):
        world.receive("出勤", issued=issued)
        world.work()
    world.receive("退勤", issued="30 09:00:30")
    world.work()
    world.receive("出勤", user="u-tanaka", issued="30 09:00:30")
    world.work()
    assert [one[:1] + one[2:] for one in world.king.shown()] == [
        ("1001", "09:00:00", "1"),
        ("1001", "09:00:30", "2"),
        ("1003", "09:00:30", "1"),
    ]
    assert [row.state for row in world.rows()] == [State.DONE, State.DOUBLE, State.DOUBLE, State.DONE, State.DONE]
    assert world.replies()[1:3] == ["9:00 出勤は受付済みです。", "8:59 出勤は受付済みです。"]


def test_p13_how_long_is_a_setting_and_a_refused_punch_does_not_count(tmp_path: Path) -> None:
    world = World(tmp_path, dataclasses.replace(MAPPING, double_press_s=0))
    world.king.faults = [PunchRefusedError("KING OF TIMEが打刻を受け付けませんでした（コード101）。")]
    for _ in range(3):
        world.receive("出勤", issued=f"30 09:00:0{_}")
        world.work()
    assert len(world.king.kept) == 2
    one = World(tmp_path / "other")
    one.king.faults = [PunchRefusedError("x")]
    one.receive("出勤", issued="30 09:00:00")
    one.work()
    one.receive("出勤", issued="30 09:00:10")
    one.work()
    assert len(one.king.kept) == 1


def test_p14_an_unknown_answer_is_read_back_and_not_sent_again(world: World) -> None:
    """The acceptance case: a timeout at 08:45 where KING OF TIME had it; one punch, done at 10:00:30."""
    world.now = at("30 08:45:05")
    world.receive("出勤", issued="30 08:45")
    world.king.late = [UNKNOWN]
    settled = world.work()
    assert isinstance(settled, Settled)
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
    assert isinstance(settled, Settled)
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
    world.worker._gate.well()  # its rest is on the machine's clock
    assert world.work() == Settled(Inboxed.DONE)
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
    assert world.look_back() == Settled(Inboxed.DONE, CONFIRMED)


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
    assert world.work() == Settled(Inboxed.DONE)
    assert world.king.shown() == [("1001", "2026-11-30", "12:00:00", "1")]


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


def test_p14_it_is_not_read_back_while_it_may_still_arrive(world: World) -> None:
    world.now = at("30 12:00")
    world.receive("出勤")
    world.king.faults = [UNKNOWN]
    world.work()
    world.now += dt.timedelta(seconds=10)
    pause = world.look_back()
    assert isinstance(pause, PausedError)
    assert pause.seconds == 20
    assert world.king.asked == ["punch"]


@pytest.mark.parametrize("kept", [True, False])
def test_l4_a_process_that_died_in_the_middle_of_a_punch_leaves_one_punch(world: World, kept: bool) -> None:
    """Between its note that it sends and its note of the answer: the next one asks KING OF TIME."""
    world.now = at("30 12:00")
    world.receive("出勤")

    class Died(BaseException):
        pass

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
        assert world.work() == Settled(Inboxed.DONE)
    assert world.king.shown() == [("1001", "2026-11-30", "12:00:00", "1")]
    assert world.counts() == {"done": 1}
    assert len(world.replies()) == 1


def test_l4_a_process_that_died_before_its_note_begins_anew(world: World) -> None:
    world.receive("出勤")
    world.take()
    world.inbox.left_behind(world.leases)
    assert world.look_back() is None
    assert world.king.asked == []
    assert world.work() == Settled(Inboxed.DONE)
    assert len(world.king.kept) == 1


def test_l4_a_process_that_died_after_its_note_of_the_answer_does_nothing_more(world: World) -> None:
    world.receive("出勤")
    (message,) = world.take()
    assert world.worker.handle(message) == Settled(Inboxed.DONE)
    world.inbox.left_behind(world.leases)
    assert world.look_back() == Settled(Inboxed.DONE)
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
    assert isinstance(settled, Settled)
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
    world.worker._gate._until = 0.0
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
    world.worker._gate.well()
    world.receive("出勤", user="u-tanaka")
    assert world.work() == Settled(Inboxed.DONE)
    world.worker.tick()
    assert world.told == [("unreadable", False)]


def test_p14_where_surely_nothing_was_registered_it_waits_and_nobody_is_told(world: World) -> None:
    """403/104, too many requests, no connection."""
    world.receive("出勤")
    for seconds in (60.0, 10.0, 20.0):
        world.king.faults = [KingOfTimeAwayError("待っています", seconds=seconds)]
        pause = world.work()
        assert isinstance(pause, PausedError)
        assert pause.seconds == pytest.approx(seconds, abs=5)
        world.worker._gate._until = 0.0
    assert world.replies() == []
    assert world.work() == Settled(Inboxed.DONE)
    world.worker.tick()
    assert world.told == []


def test_an_absence_is_told_after_ten_minutes_and_when_it_is_over(world: World) -> None:
    world.receive("出勤")
    for _ in range(3):
        world.king.faults = [KingOfTimeAwayError("接続できません")]
        world.work()
        world.worker._gate._until = 0.0
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


def test_p16_a_refusal_of_king_of_times_is_told_with_its_reason(world: World) -> None:
    world.king.faults = [PunchRefusedError("この雇用区分では休憩打刻が許可されていません（コード101）。")]
    world.receive("休憩開始")
    settled = world.work()
    assert isinstance(settled, Settled)
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


def test_p10_what_is_older_than_a_day_waits_for_a_person_and_then_has_its_own_time(world: World) -> None:
    for user in ("u-sato", "u-tanaka"):
        world.receive("出勤", user=user, issued="29 09:00:59")
        settled = world.work()
        assert isinstance(settled, Settled)
        assert settled.state is Inboxed.HELD
    assert world.king.asked == []
    assert "24時間より前" in world.replies()[0]
    sato, tanaka = world.rows()
    people = PunchList(world.database, PLAIN, "acme")
    assert people.decide(MAPPING, sato.number, True, "admin", world.now)
    assert people.decide(MAPPING, tanaka.number, False, "admin", world.now)
    assert not people.decide(MAPPING, tanaka.number, True, "admin", world.now)
    assert world.work() == Settled(Inboxed.DONE)
    assert world.king.shown() == [("1001", "2026-11-29", "09:00:59", "1")]
    assert [(row.state, row.by) for row in world.rows()] == [(State.DONE, "admin"), (State.REFUSED, "admin")]


def test_p15_what_waited_longer_than_a_day_for_king_of_time_is_not_held(world: World) -> None:
    world.receive("出勤")
    world.now += dt.timedelta(days=3)
    assert world.work() == Settled(Inboxed.DONE)


def test_rows_are_kept_for_400_days_and_what_is_open_for_longer(world: World) -> None:
    world.receive("出勤")
    world.work()
    world.receive("出勤", issued="28 09:00")
    world.work()
    assert tidy(world.database, world.now + dt.timedelta(days=399), dt.timedelta(days=999)) == 0
    assert tidy(world.database, world.now + dt.timedelta(days=401), dt.timedelta(days=999)) == 1
    assert [row.state for row in world.rows()] == [State.HELD]
