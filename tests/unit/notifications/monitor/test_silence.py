"""Who is silent, from when on, and how it is told; what expires, and when that is told."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renkei.channel import Service
from renkei.notifications.monitor import expiry, silence
from renkei.notifications.monitor.expiry import Expiring, Waiting
from renkei.notifications.monitor.silence import Expected, Notes, Schedule, Silence
from renkei.storage.records import from_plain, to_plain
from renkei.systems.delivery import Tone

TOKYO = dt.timezone(dt.timedelta(hours=9))
GRACE = dt.timedelta(hours=3)
EARLY, LATE = dt.time(4, 30), dt.time(23, 50)


def at(text: str) -> dt.datetime:
    """「22 7:30」: day and time in November 2026, in Japan."""
    day, time = text.split()
    hour, minute = time.split(":")
    return dt.datetime(2026, 11, int(day), int(hour), int(minute), tzinfo=TOKYO)


@pytest.mark.parametrize(
    ("run_at", "last", "now", "tick"),
    [
        pytest.param(EARLY, "22 4:38", "22 8:00", None, id="spoke today"),
        pytest.param(EARLY, "21 4:38", "22 7:29", None, id="within the grace"),
        pytest.param(EARLY, "21 4:38", "22 7:30", "22 4:30", id="the grace has passed"),
        pytest.param(EARLY, "22 4:30", "22 7:30", None, id="a result at the very moment"),
        pytest.param(EARLY, "22 4:29", "22 7:30", "22 4:30", id="a result before the run says nothing of it"),
        pytest.param(EARLY, None, "22 7:30", "22 4:30", id="never a result"),
        pytest.param(EARLY, "22 11:00", "22 11:01", None, id="a late result is a result"),
        pytest.param(EARLY, "20 4:38", "22 3:00", "21 4:30", id="silent since yesterday, today's is not due"),
        pytest.param(LATE, "21 23:55", "22 12:00", None, id="before midnight, spoke"),
        pytest.param(LATE, "20 23:55", "22 1:00", None, id="before midnight, within the grace"),
        pytest.param(LATE, "20 23:55", "22 2:50", "21 23:50", id="before midnight, yesterday's run is missing"),
        pytest.param(LATE, "22 0:05", "22 12:00", None, id="before midnight, result after midnight"),
        pytest.param(dt.time(0, 0), "21 0:05", "22 3:00", "22 0:00", id="at midnight"),
    ],
)
def test_n6_a_tenant_is_silent_when_no_result_follows_its_time(
    run_at: dt.time, last: str | None, now: str, tick: str | None
) -> None:
    """N6: judged by the newest run whose grace has passed, in Japan's days."""
    found = silence.overdue(Schedule(run_at), None, at(last) if last else None, at(now).astimezone(dt.UTC), GRACE)
    assert found == (at(tick) if tick else None)


@pytest.mark.parametrize(
    ("start", "since", "silent"),
    [
        pytest.param(dt.date(2026, 11, 23), None, False, id="連携開始日 is tomorrow"),
        pytest.param(dt.date(2026, 11, 22), None, True, id="連携開始日 is today"),
        pytest.param(None, "22 4:31", False, id="known since after the run"),
        pytest.param(None, "22 4:30", True, id="known since the run"),
    ],
)
def test_n6_nobody_is_late_for_what_was_not_yet_expected(
    start: dt.date | None, since: str | None, silent: bool
) -> None:
    """N6: 連携開始日 not reached; a time of day that the watch did not know."""
    schedule = Schedule(EARLY, at(since) if since else None)
    assert (silence.overdue(schedule, start, None, at("22 9:00"), GRACE) is not None) is silent


@settings(max_examples=300)
@given(
    run_at=st.times(),
    now=st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2030, 1, 1), timezones=st.just(dt.UTC)),
    hours=st.floats(0.1, 48),
)
def test_n6_exactly_one_run_a_day_is_waited_for(run_at: dt.time, now: dt.datetime, hours: float) -> None:
    """N6: at every moment the newest due tick is past its grace, at most a day so, and at the tenant's time."""
    run_at = run_at.replace(tzinfo=None)
    grace = dt.timedelta(hours=hours)
    tick = silence.newest_due_tick(run_at, now, grace)
    assert tick + grace <= now < tick + grace + dt.timedelta(days=1)
    assert tick.timetz().replace(tzinfo=None) == run_at


def test_n6_a_schedule_is_kept_while_it_stays_the_same() -> None:
    """N6: a new tenant and a new time are known from now on; 連携解除 is forgotten."""
    now = at("22 10:00")
    notes = Notes({"old": Schedule(EARLY, at("1 0:00")), "moved": Schedule(EARLY, None), "ended": Schedule(EARLY)}, {})
    expected = {"old": Expected(EARLY), "moved": Expected(LATE), "new": Expected(EARLY)}
    assert silence.update_schedules(notes, expected, frozenset({"ended"}), now) == {
        "old": Schedule(EARLY, at("1 0:00")),
        "moved": Schedule(LATE, now),
        "new": Schedule(EARLY, now),
    }


def test_l1_a_sheet_that_vanishes_is_expected_all_the_same() -> None:
    """L1, N6: a folder that is not mounted must not end the silence."""
    notes = Notes({"acme": Schedule(EARLY, at("1 0:00"))}, {})
    assert silence.update_schedules(notes, {}, frozenset(), at("22 10:00")) == dict(notes.schedules)


@pytest.mark.parametrize(
    "broken",
    [None, [], {}, {"schedules": [], "told": {}}, {"schedules": {"a": ["x", None]}, "told": {}}, {"schedules": {}}],
    ids=str,
)
def test_l1_lost_notes_make_everything_due(broken: Any) -> None:
    """L1: rather a false alarm than none."""
    with pytest.raises(ValueError, match="Notes is damaged"):
        from_plain(Notes, broken)
    assert silence.update_schedules(silence.LOST, {"acme": Expected(EARLY)}, frozenset(), at("22 10:00")) == {
        "acme": Schedule(EARLY)
    }


def test_l4_notes_survive_the_store() -> None:
    """L4: what was told is known to the next look."""
    notes = Notes({"acme": Schedule(EARLY, at("1 0:00")), "beta": Schedule(LATE)}, {"beta": at("21 23:50")})
    assert from_plain(Notes, to_plain(notes)) == notes


def test_n6_each_day_of_silence_is_told_once() -> None:
    """N6: not again the same day, again the next one."""
    today = Silence("acme", at("22 4:30"))
    assert silence.untold([today], Notes({}, {"acme": at("22 4:30")})) == []
    assert silence.untold([today], Notes({}, {"acme": at("21 4:30")})) == [today]
    assert silence.untold([today], Notes({}, {"beta": at("22 4:30")})) == [today]


def test_n6_the_end_of_a_silence_is_a_result_after_it() -> None:
    """N6: a result from before, or none, ends nothing; what was not told has no end to tell."""
    notes = Notes({}, {"acme": at("22 4:30"), "beta": at("22 4:30"), "gamma": at("22 4:30")})
    results = {"acme": at("22 9:12"), "beta": at("21 4:38"), "gamma": None, "delta": at("22 9:12")}
    assert silence.back_again(notes, results) == {"acme": at("22 9:12")}


def test_l8_the_alarm_says_who_since_when_and_what_to_do() -> None:
    """L8: each tenant with its run and last result, then the remedy of each cause."""
    told = silence.silence_message(
        "SmartHR → EMC",
        [
            Silence("acme", at("22 4:30"), at("21 4:38")),
            Silence("beta", at("22 4:30"), None, silence.SHEET_GONE),
            Silence("gamma", at("21 23:50"), None, silence.UNREADABLE),
        ],
    )
    assert told.title == "【警告】SmartHR → EMC: 3社から結果が届いていません"
    assert told.lines[:3] == (
        "acme: 2026/11/22 4:30 の処理（最後の結果 2026/11/21 4:38）",
        "beta: 2026/11/22 4:30 の処理（連携設定シートがありません）",
        "gamma: 2026/11/21 23:50 の処理（結果の記録を読み取れません）",
    )
    for word in ("一時停止", "手動で実行", "連携解除", "last_result.json"):
        assert any(word in line for line in told.lines), word
    assert told.tone is Tone.BAD


def test_n1_ten_thousand_silent_tenants_are_one_short_message() -> None:
    """N1: the first twenty, and how many others."""
    silent = [Silence(f"t{n:05d}", at("22 4:30")) for n in range(10_000)]
    told = silence.silence_message("SmartHR → EMC", silent)
    assert "ほか9980社" in told.lines
    assert len(told.text()) < 2_000


def test_l4_the_key_of_a_message_is_the_same_for_the_same_news() -> None:
    """L4: in any order; another day is other news."""
    one, other = {"a": at("22 4:30"), "b": at("22 5:30")}, {"b": at("22 5:30"), "a": at("22 4:30")}
    assert silence.message_key("silent", "smarthr_emc", one) == silence.message_key("silent", "smarthr_emc", other)
    assert silence.message_key("silent", "smarthr_emc", one) != silence.message_key("back", "smarthr_emc", one)
    assert silence.message_key("silent", "smarthr_emc", {"a": at("23 4:30")}) != silence.message_key(
        "silent", "smarthr_emc", {"a": at("22 4:30")}
    )


# --- 期限切れ予告


@pytest.mark.parametrize(
    ("now", "soon"),
    [("23 2:14", False), ("23 2:15", True), ("23 4:14", True), ("23 4:15", False), ("23 9:00", False)],
)
def test_n7_an_answer_is_asked_for_again_two_hours_before_its_end(now: str, soon: bool) -> None:
    """N7: not earlier, and not when it is too late."""
    assert Waiting("r1", at("23 4:15"), "HOLD", "EMC-HOLD").ends_soon(at(now)) is soon


@pytest.mark.parametrize(("outcome", "word"), [("HOLD", "承認の期限"), ("CONFIRM", "取込結果の確認の期限")])
def test_l8_the_notice_says_what_waits_until_when_and_what_happens_else(outcome: str, word: str) -> None:
    """L8: approval or upload, the time that is left, the consequence, the page."""
    told = expiry.waiting_message(
        "SmartHR → EMC", "acme", Waiting("r1", at("23 4:15"), outcome, "EMC-HOLD"), at("23 2:45"), "http://a/r1"
    )
    assert told.title == "【期限切れ予告】SmartHR → EMC: acme EMC-HOLD"
    assert word in told.lines[0]
    assert "2026/11/23 4:15 です（あと1時間30分）" in told.lines[0]
    assert told.link == "http://a/r1"


@pytest.mark.parametrize(
    "broken", [None, [], {}, {"run": "r", "until": "tomorrow", "outcome": "HOLD", "subject": "x"}], ids=str
)
def test_l5_what_is_no_note_of_a_question_is_an_error(broken: Any) -> None:
    """L5: of the kinds that the look lets pass for one tenant."""
    with pytest.raises(ValueError, match="Waiting is damaged"):
        from_plain(Waiting, broken)


def on(days: int) -> Expiring | None:
    today = dt.date(2026, 11, 22)
    end = today + dt.timedelta(days=days)
    return expiry.expiring("acme", "総務", Service.SLACK_WEBHOOK, "slack_webhook__acme", end, today)


def test_n7_each_threshold_of_a_registration_is_one_notice() -> None:
    """N7: 30, 7, 1 and 0 days before, once each; a day on which nobody looked loses none; a new date begins anew."""
    days = [31, 30, 29, 8, 7, 6, 2, 1, 0, -1, -100]
    today = dt.date(2026, 11, 22)
    end = today + dt.timedelta(days=31)
    keys = []
    for left in days:
        one = expiry.expiring("acme", "総務", Service.LINE, "line__acme", end, today + dt.timedelta(days=31 - left))
        keys.append(one.key if one else None)
    assert keys[0] is None
    assert [keys.index(key) for key in keys[1:]] == [1, 1, 1, 4, 4, 4, 7, 8, 8, 8]
    renewed = expiry.expiring("acme", "総務", Service.LINE, "line__acme", end + dt.timedelta(1), end)
    assert renewed is not None
    assert renewed.key not in keys


def test_n7_what_has_no_end_is_not_told() -> None:
    """N7: 有効期限 is optional."""
    assert expiry.expiring("acme", "総務", Service.LINE, "line__acme", None, dt.date(2026, 11, 22)) is None


def test_l8_the_notice_of_a_registration_says_which_when_and_how_to_renew_it() -> None:
    """L8: channel, service, Connection, date; what to do."""
    found = [one for one in (on(7), on(0), on(-3)) if one]
    told = expiry.connections_message("SmartHR → EMC", found)
    assert told.lines[:3] == (
        "acme 通知先「総務」（Slack(Webhook)、接続 slack_webhook__acme）: 2026/11/29 まで（あと7日）",
        "acme 通知先「総務」（Slack(Webhook)、接続 slack_webhook__acme）: 2026/11/22 まで（本日）",
        "acme 通知先「総務」（Slack(Webhook)、接続 slack_webhook__acme）: 2026/11/19 に期限が切れています（3日前）",
    )
    assert "Admin > Connections" in told.lines[-1]


FIVE, HALF_DAY = dt.timedelta(minutes=5), dt.timedelta(hours=12)


@pytest.mark.parametrize(
    ("every", "last", "now", "tick"),
    [
        pytest.param(FIVE, "22 10:00", "22 10:34", None, id="half an hour is no silence yet"),
        pytest.param(FIVE, "22 10:00", "22 10:35", "22 10:05", id="seven runs are missing"),
        pytest.param(FIVE, "22 10:00", "22 18:00", "22 10:05", id="the same silence all day"),
        pytest.param(FIVE, "22 10:00", "23 10:06", "23 10:05", id="told again the next day"),
        pytest.param(HALF_DAY, "22 4:00", "22 18:59", None, id="a long interval: within the grace"),
        pytest.param(HALF_DAY, "22 4:00", "22 19:00", "22 16:00", id="a long interval: no later than the grace"),
        pytest.param(FIVE, None, "22 12:34", None, id="known since noon"),
        pytest.param(FIVE, None, "22 12:35", "22 12:05", id="known since noon and never heard of"),
    ],
)
def test_n6_a_link_of_minutes_is_late_after_a_few_of_them(
    every: dt.timedelta, last: str | None, now: str, tick: str | None
) -> None:
    """N6: by its own timetable, and not once a day."""
    schedule = Schedule(EARLY, at("1 0:00") if last else at("22 12:00"), every)
    found = silence.overdue(schedule, None, at(last) if last else None, at(now), GRACE)
    assert found == (at(tick) if tick else None)


def test_n6_who_was_never_linked_is_not_silent() -> None:
    """N6: a first link that failed, and nothing since: the console's list says what the watch says."""
    said = (Schedule(EARLY), None, at("20 4:38"))
    assert silence.silent_since(*said, False, at("22 9:00"), GRACE) is None
    assert silence.silent_since(*said, True, at("22 9:00"), GRACE) == at("22 4:30")


def test_n6_an_interval_is_remembered_and_a_new_one_counts_from_now() -> None:
    """N6: a daily schedule is written as versions without intervals wrote it, and read from them."""
    notes = Notes({"a": Schedule(EARLY, at("1 0:00"), FIVE), "b": Schedule(EARLY, at("1 0:00"))}, {})
    assert from_plain(Notes, to_plain(notes)) == notes
    assert [len(one) for one in to_plain(notes)["schedules"].values()] == [3, 2]
    now = at("22 10:00")
    wanted = {"a": Expected(EARLY, every=HALF_DAY), "b": Expected(EARLY, every=FIVE)}
    assert silence.update_schedules(notes, wanted, frozenset(), now) == {
        "a": Schedule(EARLY, now, HALF_DAY),
        "b": Schedule(EARLY, at("1 0:00"), FIVE),
    }
