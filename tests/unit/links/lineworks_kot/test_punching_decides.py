"""What is a punch, of which time and working day, and what is none (P7-P11, P13, P20)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from renkei.inbox.drain import HandlingResult
from renkei.inbox.tables import State as Inboxed
from renkei.links.lineworks_kot.deciding import Reason
from renkei.links.lineworks_kot.kinds import Kind
from renkei.links.lineworks_kot.punch_list import PunchList
from renkei.links.lineworks_kot.punches import State, tidy
from renkei.links.lineworks_kot.words_store import Word, Words
from renkei.systems.kingoftime.errors import PunchRefusedError
from tests.harness.inbox_programs import PLAIN
from tests.harness.punching import MAPPING, SATO, World, at

pytestmark = pytest.mark.usefixtures("no_lease_runs_out")


def test_p10_p16_the_punch_has_the_messages_own_time_and_the_reply_names_it(world: World) -> None:
    world.now = at("30 09:01:30")
    world.receive("おはようございます、出勤です", issued="30 09:00:59.9")
    assert world.work() == HandlingResult(Inboxed.DONE)
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
        ("出勤しました。退勤は18時", "u-sato", "30 09:00", State.NONE, Reason.TWO_KINDS, "どちらか1つだけ"),
        ("外出", "u-sato", "30 09:00", State.REFUSED, Reason.OFF, "外出開始の打刻を使用していません"),
        ("休憩開始", "u-tanaka", "30 09:00", State.REFUSED, Reason.NO_BREAKS, "休憩打刻が許可されていません"),
        ("出勤", "u-nobody", "30 09:00", State.NONE, Reason.STRANGER, "登録されていないため"),
        ("出勤", "u-sato", "30 09:05", State.REFUSED, Reason.FUTURE, "時刻が未来"),
        (
            "しゅっきん",
            "u-sato",
            "30 09:00",
            State.NONE,
            Reason.NO_WORD,
            "「出勤」「退勤」「休憩開始」「休憩終了」のどれか",
        ),
        ("👍", "u-sato", "30 09:00", State.NONE, Reason.NO_WORD, "打刻の文言がない"),
        ("おはよう", "u-nobody", "30 09:00", State.NONE, Reason.STRANGER, "登録されていないため"),
    ],
)
def test_p8_p9_p10_p20_what_is_no_punch_is_answered_with_the_reason(
    world: World, text: str, user: str, issued: str, state: State, reason: Reason, said: str
) -> None:
    world.receive(text, user=user, issued=issued)
    settled = world.work()
    assert isinstance(settled, HandlingResult)
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


def test_p9_p11_as_long_a_message_as_is_accepted_punches_by_its_word(world: World) -> None:
    world.receive("あ" * 20_000 + "出勤")
    assert world.work() == HandlingResult(Inboxed.DONE)
    assert world.rows()[0].word == "出勤"


def test_p7_p9_an_emoji_may_be_a_word_whoever_writes_it(world: World) -> None:
    Words(world.database, "acme").save([Word(Kind.CLOCK_IN, "🏃\u200d♀️")], 0, "admin", world.now)
    world.receive("おはよう🏃\u200d♀\ufe0f")
    world.work()
    assert [one[3] for one in world.king.shown()] == ["1"]


def test_p10_a_clock_that_is_a_little_ahead_is_no_future(world: World) -> None:
    world.receive("出勤", issued="30 09:02:59")
    assert world.work() == HandlingResult(Inboxed.DONE)


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
    assert world.work() == HandlingResult(Inboxed.DONE)
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
        ("", {"content": {"type": "sticker", "packageId": "1", "stickerId": "2"}}),
        ("出勤", {"content": {"type": "image", "fileId": "出勤"}}),
        ("出勤", {"type": "postback", "data": "出勤"}),
        ("出勤", {"source": {"userId": "u-sato", "channelId": "room", "domainId": 1}}),
        ("出勤", {"issuedTime": "きのう", "source": {"userId": "u-sato", "channelId": "room", "domainId": 1}}),
    ],
)
def test_l6_p11_of_what_was_no_punch_nothing_is_kept(world: World, text: str, more: dict[str, object]) -> None:
    world.receive(text, **more)
    settled = world.work()
    assert isinstance(settled, HandlingResult)
    assert settled.forget
    assert (world.king.asked, world.rows(), world.replies()) == ([], [], [])
    world.worker.tick()
    assert world.told == ([("no_time", False)] if "issuedTime" in more else [])
    assert world.inbox.listed(Inboxed.DONE, 1)[0].body() == b""


@pytest.mark.parametrize("issued", ["きのう", "2026-11-30T09:00:00", "1764460800000"])
def test_p10_p16_a_message_whose_time_cannot_be_read_is_no_punch_and_its_sender_is_told(
    world: World, issued: str
) -> None:
    world.receive("出勤", issuedTime=issued)
    settled = world.work()
    assert isinstance(settled, HandlingResult)
    assert settled.state is Inboxed.REFUSED
    assert world.king.asked == []
    (row,) = world.rows()
    assert (row.state, row.reason, row.kind) == (State.REFUSED, Reason.NO_TIME, Kind.CLOCK_IN)
    assert row.issued_at == row.received_at
    (reply,) = world.replies()
    assert reply.startswith("メッセージの時刻を読み取れないため、打刻していません。KING OF TIMEの画面などで")
    world.worker.tick()
    assert world.told == [("no_time", False)]


def test_p16_of_a_message_without_a_word_its_time_is_listed_and_not_what_it_says(world: World) -> None:
    world.receive("田中さんによろしく")
    world.work()
    assert world.inbox.listed(Inboxed.REFUSED, 1)[0].body() == b""
    (row,) = world.rows()
    assert (row.key, row.kind, row.word) == (SATO.key, None, "")
    assert not world.punches.were_received(world.now - dt.timedelta(hours=1), world.now), "nobody asked for a punch"


def test_p11_in_a_group_only_what_has_a_word_is_answered(tmp_path: Path) -> None:
    world = World(tmp_path, dataclasses.replace(MAPPING, groups=True))
    world.receive("お昼はカレーでした", source={"userId": "u-sato", "channelId": "room", "domainId": 1})
    world.work()
    assert (world.rows(), world.replies()) == ([], [])


def test_p11_group_talks_count_where_the_sheet_says_so(tmp_path: Path) -> None:
    world = World(tmp_path, dataclasses.replace(MAPPING, groups=True))
    world.receive("出勤", source={"userId": "u-sato", "channelId": "room", "domainId": 1})
    assert world.work() == HandlingResult(Inboxed.DONE)


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


def test_p10_what_is_older_than_a_day_waits_for_a_person_and_then_has_its_own_time(world: World) -> None:
    for user in ("u-sato", "u-tanaka"):
        world.receive("出勤", user=user, issued="29 09:00:59")
        settled = world.work()
        assert isinstance(settled, HandlingResult)
        assert settled.state is Inboxed.HELD
    assert world.king.asked == []
    assert "24時間より前" in world.replies()[0]
    sato, tanaka = world.rows()
    people = PunchList(world.database, PLAIN, "acme")
    assert people.decide(MAPPING, sato.number, True, "admin", world.now)
    assert people.decide(MAPPING, tanaka.number, False, "admin", world.now)
    assert not people.decide(MAPPING, tanaka.number, True, "admin", world.now)
    assert world.work() == HandlingResult(Inboxed.DONE)
    assert world.king.shown() == [("1001", "2026-11-29", "09:00:59", "1")]
    assert [(row.state, row.by) for row in world.rows()] == [(State.DONE, "admin"), (State.REFUSED, "admin")]


def test_p15_what_waited_longer_than_a_day_for_king_of_time_is_not_held(world: World) -> None:
    world.receive("出勤")
    world.now += dt.timedelta(days=3)
    assert world.work() == HandlingResult(Inboxed.DONE)


def test_rows_are_kept_for_400_days_and_what_is_open_for_longer(world: World) -> None:
    world.receive("出勤")
    world.work()
    world.receive("出勤", issued="28 09:00")
    world.work()
    assert tidy(world.database, world.now + dt.timedelta(days=399), dt.timedelta(days=999)) == 0
    assert tidy(world.database, world.now + dt.timedelta(days=401), dt.timedelta(days=999)) == 1
    assert [row.state for row in world.rows()] == [State.HELD]
