"""打刻一覧, a person's word about held ones, and なぜ打刻になった／ならなかったのか."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from renkei.errors import StoreError
from renkei.links.lineworks_kot.explain import Explained, explain
from renkei.links.lineworks_kot.punch_list import PunchFilter, PunchList, Quarter, remedy, why
from renkei.links.lineworks_kot.punches import Punches, State
from renkei.runs.steps import StepResult
from renkei.systems.kingoftime.errors import KingOfTimeAwayError
from tests.harness.inbox_programs import PLAIN
from tests.harness.punching import MAPPING, TENANT, World, at

DAY = dt.date(2026, 11, 30)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def punches(world: World) -> PunchList:
    return PunchList(world.database, PLAIN, TENANT)


def say(world: World, text: str, user: str = "u-sato", issued: str | None = None) -> None:
    world.receive(text, user, issued)
    world.work()


def ways(world: World, code: str = "1001", day: dt.date = DAY) -> list[Explained]:
    return explain(world.database, PLAIN, MAPPING, code, day)[1]


def test_a_day_lists_what_was_asked_for_and_what_became_of_it(world: World, punches: PunchList) -> None:
    say(world, "出勤")
    say(world, "休憩開始", "u-tanaka")  # P8
    say(world, "出勤して退勤", "u-tanaka")  # P9
    say(world, "出勤", "u-nobody")  # P20
    say(world, "おつかれさま")
    rows = punches.listed(PunchFilter(DAY), 0, 10)
    assert [(one.code, one.state) for one in rows] == [
        *(("1001", State.NONE), ("", State.NONE), ("1003", State.NONE), ("1003", State.REFUSED), ("1001", State.DONE)),
    ]
    assert punches.counts(PunchFilter(DAY)) == {State.DONE: 1, State.REFUSED: 1, State.NONE: 3}
    assert [one.code for one in punches.listed(PunchFilter(DAY, "1003"), 0, 10)] == ["1003", "1003"]
    assert len(punches.listed(PunchFilter(DAY, state=State.NONE), 1, 10)) == 2
    assert punches.counts(PunchFilter(DAY + dt.timedelta(days=1))) == {}
    assert [why(one)[:10] for one in rows] == [
        "打刻の文言がありませ",
        "打刻連携に登録されて",
        "2種類以上の文言（出",
        "この従業員の雇用区分",
        "",
    ]
    assert remedy(rows[0]).startswith("打刻にしたい文言であれば")
    assert remedy(rows[1]).startswith("従業員であれば")


def test_the_morning_is_counted_by_quarters_and_timed(world: World, punches: PunchList) -> None:
    say(world, "出勤")
    world.now = at("30 09:31")
    say(world, "出勤", "u-tanaka")
    say(world, "出勤", "u-nobody")
    assert punches.quarters(DAY) == [
        Quarter(dt.time(9), 1, 0),
        Quarter(dt.time(9, 15), 0, 0),
        Quarter(dt.time(9, 30), 1, 1),
    ]
    times = punches.times(DAY)
    assert times is not None
    assert (times.count, times.half) == (2, 0.0)
    assert punches.times(DAY + dt.timedelta(days=1)) is None


def test_p10_a_held_one_is_punched_with_its_own_time_when_a_person_says_so(world: World, punches: PunchList) -> None:
    say(world, "出勤", issued="28 09:00")
    (held,) = punches.open(10)
    assert punches.decide(MAPPING, held.number, True, "総務", world.now)
    assert world.counts() == {"waiting": 1}
    world.work()
    assert world.king.shown() == [("1001", "2026-11-28", "09:00:00", "1")]
    assert punches.open(10) == []
    assert not punches.decide(MAPPING, held.number, False, "人事", world.now), "it is over"


def test_p10_p16_one_that_a_person_refuses_is_told_to_who_wrote_it(world: World, punches: PunchList) -> None:
    say(world, "出勤", issued="28 09:00")
    (held,) = punches.open(10)
    assert punches.decide(MAPPING, held.number, False, "総務", world.now)
    assert world.king.kept == []
    assert "管理者が確認し、打刻しないことにしました" in world.replies()[-1]
    (row,) = punches.listed(PunchFilter(DAY), 0, 10)
    assert why(row) == "総務さんが打刻しないことにしました。"


def test_l4_a_word_is_in_both_rows_or_in_neither(
    world: World, punches: PunchList, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the process dies between them, the message would be approved, and never sent."""
    say(world, "出勤", issued="28 09:00")
    (held,) = punches.open(10)

    def dies(*_: object) -> None:
        raise StoreError("away")

    monkeypatch.setattr(Punches, "decide", dies)
    with pytest.raises(StoreError):
        punches.decide(MAPPING, held.number, True, "総務", world.now)
    monkeypatch.undo()
    assert world.counts() == {"held": 1}
    assert punches.open(10) == [held]


def test_l4_what_the_inbox_does_not_hold_yet_is_not_decided(world: World, punches: PunchList) -> None:
    """The row is there a moment before: a word that only the row had would be forgotten."""
    world.receive("出勤", issued="28 09:00")
    (message,) = world.take()
    settled = world.worker.handle(message)
    (held,) = punches.open(10)
    assert not punches.decide(MAPPING, held.number, True, "総務", world.now)
    world.inbox.settle(message, settled.state, settled.note)
    assert punches.decide(MAPPING, held.number, True, "総務", world.now)
    world.work()
    assert len(world.king.kept) == 1


def test_p16_what_became_of_the_answer_stands_beside_the_punch(world: World, punches: PunchList) -> None:
    say(world, "出勤", issued="30 09:00")
    say(world, "出勤", issued="30 09:00:10")
    say(world, "出勤", user="u-nobody", issued="30 09:00")
    rows = punches.listed(PunchFilter(DAY), 0, 10)
    assert punches.replies(rows) == {one.number: "送信待ち" for one in rows if one.key}
    world.outbox.drop("lineworks", "x", world.now)
    assert set(punches.replies(rows).values()) == {"期限切れ"}


def test_why_it_was_punched_names_each_step(world: World) -> None:
    say(world, "出勤します")
    (way,) = ways(world)
    assert way.answer == "09:01:00 に出勤をKING OF TIMEに打刻しました。"
    assert [(step.name, step.passed) for step in way.steps] == [
        *(
            ("受信", StepResult.YES),
            ("文言", StepResult.YES),
            ("勤務日", StepResult.YES),
            ("KING OF TIME", StepResult.YES),
        ),
        ("返信", StepResult.NOT),
    ]
    assert "11/30 の勤務です（日付変更時間 00:00）" in way.steps[2].reason


def test_why_it_was_not_punched_ends_where_it_stopped(world: World) -> None:
    say(world, "休憩開始", "u-tanaka")
    (way,) = ways(world, "1003")
    assert way.answer.startswith("休憩開始は打刻していません。この従業員の雇用区分は")
    assert [(step.name, step.passed) for step in way.steps[:2]] == [("受信", StepResult.YES), ("文言", StepResult.NO)]


def test_p14_what_is_not_known_yet_is_said_to_be_unknown(world: World) -> None:
    world.king.late = [KingOfTimeAwayError("?", unknown=True)]
    say(world, "出勤")
    (way,) = ways(world)
    assert way.answer == "出勤がKING OF TIMEに登録されたかどうかを確認しています。"
    assert "自動で確認し" in way.steps[3].remedy


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("9999", "この従業員コードの従業員がいません"),
        ("1003", "LINE WORKSアカウントIDが登録されていません"),
        ("1001", "11/30に、この人のメッセージは届いていません"),
    ],
)
def test_why_nothing_came_is_told_as_far_as_it_is_known(world: World, code: str, answer: str) -> None:
    tanaka = next(one.employee.key for one in world.accounts.shown() if one.employee.code == "1003")
    world.accounts.put({tanaka: ""}, "総務", world.now)
    (way,) = ways(world, code)
    assert answer in way.answer
    assert way.steps[-1].passed is StepResult.NO
    assert way.steps[-1].remedy
