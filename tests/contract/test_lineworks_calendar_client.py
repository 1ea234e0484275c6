"""LineWorksCalendar over the simulated LINE WORKS (C3, C5, C7)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from renkei.errors import ConnectionError_
from renkei.systems.chat import Answer
from renkei.systems.lineworks.api import LineWorksApi
from renkei.systems.lineworks.auth import LineWorksCredentials
from renkei.systems.lineworks.calendar import (
    NO_MEMBER,
    SCOPES,
    SUSPENDED,
    CalendarEvent,
    EventRefusedError,
    LineWorksAwayError,
    LineWorksCalendar,
    MemberState,
)
from tests.harness.chat import Chat

SATO, TAKAHASHI = "sato@acme.example", "takahashi@acme.example"
EVENT = CalendarEvent("renkei-1", "年次有給休暇", "2026-12-05", "2026-12-06")


@pytest.fixture
def chat(chat_process: Chat) -> Chat:
    chat_process.clear()
    chat_process.sim("POST", "lineworks", {"scopes": ["bot", "calendar", "user.read"]})
    return chat_process


def api_of(chat: Chat, scopes: str = SCOPES) -> LineWorksApi:
    said = chat.registrations["lineworks"]
    names = ("client_id", "client_secret", "service_account", "private_key")
    return LineWorksApi(LineWorksCredentials(**{name: said[name] for name in names}), said["base_url"], scopes=scopes)


@pytest.fixture
def calendar(chat: Chat) -> LineWorksCalendar:
    return LineWorksCalendar(api_of(chat))


def user_of(chat: Chat, email: str) -> str:
    users = chat.sim("GET", "lineworks")["users"]
    return str(next(one["userId"] for one in users if one["email"] == email))


def shown(chat: Chat) -> list[dict[str, Any]]:
    found = chat.sim("GET", "lineworks/calendars")
    assert found["notices"] == [], "nobody is told"
    return [event[0] for events in found["calendars"].values() for event in events.values()]


def test_c8_a_month_of_a_member_s_events_is_listed_by_their_ids(chat: Chat, calendar: LineWorksCalendar) -> None:
    """However many and long they are; a member who is not there has none."""
    first = dt.date(2026, 12, 5)
    own = {"description": "め" * 5_000, "start": {"date": "2026-12-20"}, "end": {"date": "2026-12-21"}}
    for number in range(40):
        calendar.put(SATO, replace(EVENT, id=f"renkei-{number}"))
        chat.sim("PATCH", f"lineworks/calendars/{user_of(chat, SATO)}/renkei-{number}", own)
    calendar.put(SATO, replace(EVENT, id="later", start="2027-01-05", end="2027-01-06"))
    assert sorted(calendar.ids(SATO, first)) == sorted(f"renkei-{number}" for number in range(40))
    assert "later" in calendar.ids(SATO, first + dt.timedelta(days=1))
    assert calendar.ids("nobody@acme.example", first) == []
    with pytest.raises(EventRefusedError):
        calendar.ids(TAKAHASHI, first)
    chat.fault(service="lineworks", kind="status", status=200, body={"events": [{"id": 1}]}, path="/lineworks/*events")
    with pytest.raises(LineWorksAwayError, match="形式"):
        calendar.ids(SATO, first)


def test_c5_c7_an_event_is_added_replaced_and_deleted_by_its_own_id(chat: Chat, calendar: LineWorksCalendar) -> None:
    assert calendar.put(SATO, EVENT, is_new=True) is True
    assert shown(chat) == [EVENT.component()]
    assert EVENT.is_like(calendar.get(SATO, EVENT.id) or {})
    moved = replace(EVENT, start="2026-12-07T09:00:00", end="2026-12-07T13:00:00", busy=False, public=False)
    assert calendar.put(SATO, moved) is False
    assert shown(chat) == [moved.component()]
    assert calendar.put(SATO, EVENT, is_new=True) is False, "one that exists is replaced"
    assert calendar.delete(SATO, EVENT.id) is True
    assert calendar.delete(SATO, EVENT.id) is False, "gone already is done"
    assert calendar.get(SATO, EVENT.id) is None
    assert calendar.put(SATO, EVENT) is True, "one that somebody deleted is added again"


@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.parametrize("fault", [{"kind": "drop_after"}, {"kind": "status", "status": 500}])
def test_c5_a_lost_answer_is_made_good_by_repeating(
    chat: Chat, calendar: LineWorksCalendar, fault: dict[str, Any], is_new: bool
) -> None:
    chat.fault(service="lineworks", path="/lineworks/v1.0/*", **fault)
    with pytest.raises(LineWorksAwayError):
        calendar.put(SATO, EVENT, is_new=is_new)
    calendar.put(SATO, EVENT)
    assert shown(chat) == [EVENT.component()]


def test_c3_a_member_has_exactly_this_id(calendar: LineWorksCalendar) -> None:
    assert calendar.member(SATO) is MemberState.ACTIVE
    assert calendar.member(TAKAHASHI) is MemberState.SUSPENDED
    assert calendar.member(SATO.upper()) is MemberState.OTHER_CASE
    for other in ("nobody@acme.example", "../bots", "", "channel:1"):
        assert calendar.member(other) is MemberState.NONE


@pytest.mark.parametrize(
    ("user", "code"), [("nobody@acme.example", NO_MEMBER), (TAKAHASHI, SUSPENDED), ("channel:1", NO_MEMBER)]
)
@pytest.mark.parametrize("is_new", [True, False])
def test_c3_c10_who_has_no_calendar_is_named_by_a_code(
    calendar: LineWorksCalendar, user: str, code: str, is_new: bool
) -> None:
    with pytest.raises(EventRefusedError) as caught:
        calendar.put(user, EVENT, is_new=is_new)
    assert caught.value.code == code
    assert user not in str(caught.value)


def test_c5_a_404_that_is_not_line_works_own_says_nothing_of_an_event(
    chat: Chat, calendar: LineWorksCalendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a proxy, or an address that is wrong: an event whose row went for it would stay for good."""
    calendar.put(SATO, EVENT)
    said = Answer(404, b"<html>Not Found</html>", {})
    with monkeypatch.context() as between:
        between.setattr(LineWorksApi, "ask", lambda *_, **__: said)
        for ask in (
            lambda: calendar.delete(SATO, EVENT.id),
            lambda: calendar.get(SATO, EVENT.id),
            lambda: calendar.put(SATO, EVENT),
            lambda: calendar.member(SATO),
        ):
            with pytest.raises(LineWorksAwayError):
                ask()
    assert calendar.delete(SATO, EVENT.id) is True
    assert calendar.delete("channel:1", EVENT.id) is False, "nobody's calendar"


def test_c10_what_line_works_does_not_take_is_refused(calendar: LineWorksCalendar) -> None:
    for is_new in (True, False):
        with pytest.raises(EventRefusedError):
            calendar.put(SATO, replace(EVENT, end="2026-12-05"), is_new=is_new)


def test_c1_a_scope_that_the_app_lacks_is_named(chat: Chat) -> None:
    calendar = LineWorksCalendar(api_of(chat))
    calendar.check()
    chat.sim("POST", "lineworks", {"scopes": ["bot", "user.read"]})
    with pytest.raises(ConnectionError_, match="OAuth Scopes"):
        LineWorksCalendar(api_of(chat)).check()
    chat.sim("POST", "lineworks", {"scopes": ["calendar"]})
    with pytest.raises(ConnectionError_, match=r"user\.read"):
        LineWorksCalendar(api_of(chat, "calendar")).check()
