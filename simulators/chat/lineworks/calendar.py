"""The members' default calendars. https://developers.worksmobile.com/en/docs/calendar-default-event-user-create

Control: `GET /_sim/lineworks/calendars` shows everything, and `PUT` puts it back; `PATCH` and `DELETE …/{user}/{event id}` are what a person does
in their own calendar.
"""

from __future__ import annotations

import re
import uuid
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel

from simulators.chat.lineworks.app import App, User
from simulators.chat.lineworks.content import properties, text
from simulators.chat.lineworks.wire import WorksRoute, api_error, invalid, read_json

NEEDED = {"summary", "start"}
OPTIONAL = {
    *(
        "eventId",
        "description",
        "location",
        "categoryId",
        "end",
        "recurrence",
        "transparency",
        "visibility",
        "sequence",
    ),
    *("attendees", "reminders", "priority"),
}
LONGEST = {"eventId": 255, "summary": 200, "description": 5000, "location": 100}
CHOICES = {"transparency": ("OPAQUE", "TRANSPARENT"), "visibility": ("PUBLIC", "PRIVATE")}
LISTS = {"attendees": 500, "recurrence": 100, "reminders": 100}
LISTED = timedelta(days=31)  # calendar-event-user-list
LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
ZONED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")
PATH = "/v1.0/users/{user}/calendar/events"

Components = list[dict[str, Any]]


class All(BaseModel):
    """As `GET` shows them."""

    calendars: dict[str, dict[str, Components]]
    notices: list[str]


def build_calendar(app: App) -> APIRouter:
    router = APIRouter(prefix="/lineworks", route_class=WorksRoute)

    def events_of(
        request: Request, user: str, operation: Literal["create", "list", "get", "update", "delete"]
    ) -> dict[str, Components]:
        """The member's events by id, where the token and the member allow the operation."""
        reading = {"calendar.read"} if operation in ("list", "get") else set()
        app.admit(request, f"calendar-default-event-user-{operation}", "calendar", *reading)
        return app.calendars.setdefault(receiver(app, user).userId, {})

    def found(events: dict[str, Components], event_id: str) -> Components:
        if event_id not in events:
            raise api_error(404, "NOT_FOUND", "Event not found.")
        return events[event_id]

    def notify(event_id: str, wanted: Any) -> None:
        if not isinstance(wanted, bool):
            raise invalid("sendNotification must be true or false.")
        if wanted:
            app.notices.append(event_id)

    @router.post(PATH, status_code=201)
    async def create(request: Request, user: str) -> dict[str, Any]:
        events = events_of(request, user, "create")
        body = await read_json(request)
        components = checked(body)
        event_id = components[0].get("eventId") or str(uuid.uuid4())
        if event_id in events:  # (guess) no other status than 400, 403 and 404 is documented
            raise invalid("eventId already exists.")
        notify(event_id, body.get("sendNotification", True))
        events[event_id] = [{**one, "eventId": event_id} for one in components]
        return {"eventComponents": events[event_id]}

    @router.get(PATH)
    async def in_range(request: Request, user: str) -> dict[str, Any]:
        """At most 31 days; those that touch the time asked for (guess: in which order)."""
        events = events_of(request, user, "list")
        first, last = (moment_asked(request, name) for name in ("fromDateTime", "untilDateTime"))
        if last <= first or last - first > LISTED:
            raise invalid("fromDateTime and untilDateTime must span 31 days at most.")
        touched = [each for each in events.values() if span(each[0])[0] < last and span(each[0])[1] > first]
        return {"events": [{"eventComponents": each, "organizerCalendarId": "calendar-1"} for each in touched]}

    @router.get(PATH + "/{event_id}")
    async def get(request: Request, user: str, event_id: str) -> dict[str, Any]:
        return {"eventComponents": found(events_of(request, user, "get"), event_id)}

    @router.put(PATH + "/{event_id}")
    async def update(request: Request, user: str, event_id: str) -> dict[str, Any]:
        """The whole event anew: what is not sent is gone."""
        events = events_of(request, user, "update")
        body = await read_json(request)
        components = checked(body)
        if any(one.get("eventId") != event_id for one in components):
            raise invalid("eventId must be that of the path in every component.")
        found(events, event_id)
        notify(event_id, body.get("sendNotification", True))
        events[event_id] = components
        return {"eventComponents": components}

    @router.delete(PATH + "/{event_id}", status_code=204)
    async def delete(request: Request, user: str, event_id: str) -> Response:
        events = events_of(request, user, "delete")
        found(events, event_id)
        given = request.query_params.get("sendNotification", "true")
        notify(event_id, {"true": True, "false": False}.get(given))
        del events[event_id]
        return Response(status_code=204)

    return router


def build_calendar_control(app: App) -> APIRouter:
    router = APIRouter(prefix="/_sim/lineworks/calendars")

    def events_of(user: str, event_id: str) -> dict[str, Components]:
        member = app.user(user)
        events = app.calendars.get(member.userId, {}) if member else {}
        if event_id not in events:
            raise HTTPException(404, "no such event")
        return events

    @router.get("")
    async def all_events() -> dict[str, Any]:
        """`calendars`: components by user id and event id; `notices`: the ids people were told of, one for each write."""
        return {"calendars": app.calendars, "notices": app.notices}

    @router.put("", status_code=204)
    async def put_back(given: All) -> Response:
        """In place of all there are."""
        app.calendars.clear()
        app.calendars.update(given.calendars)
        app.notices[:] = given.notices
        return Response(status_code=204)

    @router.patch("/{user}/{event_id}")
    async def change(user: str, event_id: str, values: dict[str, Any]) -> dict[str, Any]:
        event = events_of(user, event_id)[event_id][0]
        event.update(values)
        return event

    @router.delete("/{user}/{event_id}", status_code=204)
    async def delete(user: str, event_id: str) -> Response:
        del events_of(user, event_id)[event_id]
        return Response(status_code=204)

    return router


def receiver(app: App, user: str) -> User:
    """The member, who must be able to use LINE WORKS."""
    if user == "me":
        raise invalid("A service account cannot use me.")
    member = app.user(user)
    if member is None or member.isDeleted:
        raise api_error(404, "NOT_FOUND", "User not found.")
    if member.isSuspended or member.isPending:
        raise api_error(403, "FORBIDDEN", "The user is suspended or pending.")
    return member


def checked(body: dict[str, Any]) -> Components:
    """The components of an event as they are kept, defaults filled in."""
    properties(body, "", {"eventComponents"}, {"sendNotification"})
    components = body["eventComponents"]
    if not isinstance(components, list) or not components or not all(isinstance(one, dict) for one in components):
        raise invalid("eventComponents is required.")
    for one in components:
        check_event(one)
    if any(one.get("eventId") != components[0].get("eventId") for one in components):
        raise invalid("eventId must be the same in every component.")
    return [{"transparency": "OPAQUE", "visibility": "PUBLIC", **one} for one in components]


def check_event(event: dict[str, Any]) -> None:
    properties(event, "eventComponents.", NEEDED, OPTIONAL)
    for name, most in LONGEST.items():
        if name in event and not (event[name] == "" and name in ("description", "location")):
            text(event, name, most)
    for name, choices in CHOICES.items():
        if event.get(name, choices[0]) not in choices:
            raise invalid(f"{name} must be one of {', '.join(choices)}.")
    for name, most in LISTS.items():
        if not isinstance(event.get(name, []), list) or len(event.get(name, [])) > most:
            raise invalid(f"{name} must be a list of {most} at most.")
    priority = event.get("priority", 0)
    if isinstance(priority, bool) or not isinstance(priority, int) or not 0 <= priority <= 9:
        raise invalid("priority must be 0 to 9.")
    starts, ends = time_of(event, "start"), time_of(event, "end") if "end" in event else None
    if ends is None:
        return
    if isinstance(starts, datetime) != isinstance(ends, datetime):
        raise invalid("start and end must both be dates or both be times.")
    # All-day events end before `end`: one that ends where it starts has no day (guess: refused).
    if ends < starts or (ends == starts and not isinstance(ends, datetime)):
        raise invalid("end must be after start.")


def time_of(event: dict[str, Any], name: str) -> Any:
    """A date, or a moment: the local time without an offset, in its zone (our own strictness)."""
    given = event[name]
    try:
        match given:
            case {"date": str(day), **rest} if not rest:
                if re.fullmatch(r"\d{4}-\d\d-\d\d", day):
                    return date.fromisoformat(day)
            case {"dateTime": str(local), "timeZone": str(zone), **rest} if not rest:
                if LOCAL.fullmatch(local):
                    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone))
    except (ValueError, ZoneInfoNotFoundError, OSError):  # the last for a folder of zones
        pass
    raise invalid(f"{name} must be a date, or a dateTime without offset and its timeZone.")


def moment_asked(request: Request, name: str) -> datetime:
    given = request.query_params.get(name, "")
    try:
        if ZONED.fullmatch(given):
            return datetime.fromisoformat(given)
    except ValueError:
        pass
    raise invalid(f"{name} must be YYYY-MM-DDThh:mm:ssTZD.")


def span(event: dict[str, Any]) -> tuple[datetime, datetime]:
    """From when to when; days are those of Japan, and an event without end is over at once (guess)."""

    def at(name: str) -> datetime:
        found = time_of(event, name)
        if isinstance(found, datetime):
            return found
        return datetime(found.year, found.month, found.day, tzinfo=ZoneInfo("Asia/Tokyo"))

    return at("start"), at("end" if "end" in event else "start")
