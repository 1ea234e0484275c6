"""LINE WORKS' simulator: events in a member's default calendar, and how they are refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.contract.test_lineworks_simulator import Bot
from tests.harness.chat import Chat

EVENTS = "/users/sato%40acme.example/calendar/events"
DAY = {"start": {"date": "2026-12-05"}, "end": {"date": "2026-12-06"}}


@pytest.fixture
def bot(chat: Chat) -> Bot:
    chat.sim("POST", "lineworks", {"scopes": ["calendar", "calendar.read", "user.read"]})
    return Bot(chat)


def at(time: str, zone: str = "Asia/Tokyo") -> dict[str, str]:
    return {"dateTime": time, "timeZone": zone}


def send(bot: Bot, method: str, path: str, scope: str = "calendar", **event: Any) -> httpx.Response:
    body = {"eventComponents": [{"summary": "不在", **DAY, **event}], "sendNotification": False}
    return bot.call(method, path, bot.token(scope), body)


def test_c5_own_event_id_is_created_once_and_replaced_whole(chat: Chat, bot: Bot) -> None:
    """C4, C7"""
    made = send(bot, "POST", EVENTS, eventId="a1", description="理由", visibility="PRIVATE")
    again = send(bot, "POST", EVENTS, eventId="a1")
    moved = send(bot, "PUT", f"{EVENTS}/a1", eventId="a1", summary="有休")

    assert (made.status_code, again.status_code, moved.status_code) == (201, 400, 200)
    read = bot.call("GET", f"{EVENTS}/a1", bot.token("calendar.read")).json()
    event = {"eventId": "a1", "summary": "有休", **DAY, "transparency": "OPAQUE", "visibility": "PUBLIC"}
    assert read == {"eventComponents": [event]}
    kept = chat.sim("GET", "lineworks/calendars")
    assert kept == {"calendars": {bot.users["sato@acme.example"]: {"a1": [event]}}, "notices": []}


def test_c5_missing_event_is_404_and_a_person_may_have_deleted_it(chat: Chat, bot: Bot) -> None:
    token = bot.token("calendar")
    assert send(bot, "PUT", f"{EVENTS}/a1", eventId="a1").status_code == 404
    for event_id in ("a1", "a2"):
        send(bot, "POST", EVENTS, eventId=event_id)
    chat.sim("DELETE", "lineworks/calendars/sato@acme.example/a1")

    gone = [bot.call("DELETE", f"{EVENTS}/{each}?sendNotification=false", token).status_code for each in ("a1", "a2")]

    assert gone == [404, 204]
    assert bot.call("GET", f"{EVENTS}/a2", token).json()["code"] == "NOT_FOUND"


def test_c6_times_are_local_and_days_end_before_their_end(bot: Bot) -> None:
    wrong: list[dict[str, Any]] = [
        {"start": at("2026-12-05T09:00:00+09:00"), "end": at("2026-12-05T10:00:00+09:00")},
        {"start": at("2026-12-05T09:00:00Z"), "end": at("2026-12-05T10:00:00Z")},
        {"start": {"dateTime": "2026-12-05T09:00:00"}},
        *({"start": at("2026-12-05T09:00:00", zone)} for zone in ("Mars/Olympus", "Asia", "")),
        {"start": at("2026-12-05T10:00:00"), "end": at("2026-12-05T09:00:00")},
        {"start": at("2026-12-05T10:00:00"), "end": {"date": "2026-12-06"}},
        {"end": {"date": "2026-12-05"}},
        {"start": {"date": "2026-02-30"}},
        {"summary": "あ" * 201},
        {"summary": ""},
        {"visibility": "SECRET"},
        {"color": "red"},
    ]
    answers = [send(bot, "POST", EVENTS, **each) for each in wrong]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [(400, "INVALID_PARAMETER")] * len(wrong)

    timed = send(bot, "POST", EVENTS, start=at("2026-12-05T09:00:00"), end=at("2026-12-05T13:00:00"))
    assert timed.json()["eventComponents"][0]["eventId"]
    send(bot, "POST", EVENTS, eventId="day")
    for until, found in (
        ("2026-12-05T00:00:00%2B09:00", 0),
        ("2026-12-05T09:00:00%2B09:00", 1),
        ("2026-12-06T00:00:00%2B09:00", 2),
    ):
        asked = f"{EVENTS}?fromDateTime=2026-12-01T00:00:00%2B09:00&untilDateTime={until}"
        assert len(bot.call("GET", asked, bot.token("calendar.read")).json()["events"]) == found, until
    assert bot.call("GET", EVENTS, bot.token("calendar.read")).status_code == 400
    long = f"{EVENTS}?fromDateTime=2026-12-01T00:00:00%2B09:00&untilDateTime=2027-01-01T00:00:01%2B09:00"
    assert bot.call("GET", long, bot.token("calendar.read")).status_code == 400


def test_calendar_needs_its_scope_and_a_member_who_is_there(bot: Bot) -> None:
    assert send(bot, "POST", EVENTS, "calendar.read").json()["code"] == "FORBIDDEN"
    assert send(bot, "POST", "/users/nobody/calendar/events").status_code == 404
    assert send(bot, "POST", "/users/takahashi@acme.example/calendar/events").status_code == 403
    assert send(bot, "PUT", f"{EVENTS}/a1", eventId="a2").status_code == 400
