"""The default calendars of members (C4, C5). https://developers.worksmobile.com/en/docs/calendar-default-event-user-create

Every write may be repeated: an event is known by an id that we give it, so that it is replaced and never doubled.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

from renkei.errors import ConnectionError_, LoadError, RenkeiError
from renkei.systems.chat import Answer
from renkei.systems.delivery import Delivery, Verdict
from renkei.systems.lineworks.answers import reason_of
from renkei.systems.lineworks.api import LineWorksApi
from renkei.systems.lineworks.client import place_of

SCOPES = "calendar,user.read"
TOKYO = "Asia/Tokyo"
TRIES = 3  # of a request that came too early
LISTED_DAYS = 31  # at most in one request: calendar-default-event-user-list
MAX_LIST = 4_000_000  # bytes of a month of one member
NO_MEMBER, SUSPENDED, REFUSED = "NO_MEMBER", "SUSPENDED", "REFUSED"


class LineWorksAwayError(LoadError):
    """LINE WORKS cannot be reached, or nobody knows what became of a request; it may be repeated."""


class EventRefusedError(RenkeiError):
    """LINE WORKS does not take this event, or the member has no calendar; `code` says which."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class MemberState(StrEnum):
    """The state of the member whose user id is asked for."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    OTHER_CASE = "OTHER_CASE"  # somebody whose id differs in capital letters alone: nobody's guess (C3)
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One event. `start` and `end`: days (`2026-12-01`, the end exclusive) or local times (`2026-12-01T09:00:00`)."""

    id: str
    summary: str
    start: str
    end: str
    busy: bool = True  # OPAQUE, else TRANSPARENT
    public: bool = True

    def component(self) -> dict[str, Any]:
        """As LINE WORKS takes it, and gives it back."""
        return {
            "eventId": self.id,
            "summary": self.summary,
            "start": _time(self.start),
            "end": _time(self.end),
            "transparency": "OPAQUE" if self.busy else "TRANSPARENT",
            "visibility": "PUBLIC" if self.public else "PRIVATE",
        }

    def digest(self) -> bytes:
        """16 bytes that stand for all of it."""
        return blake2b(json.dumps(self.component(), sort_keys=True).encode(), digest_size=16).digest()

    def is_like(self, component: dict[str, Any]) -> bool:
        """Whether a calendar has it as it was written; what else it has (a reminder, a category) is a person's own."""
        return all(component.get(name) == value for name, value in self.component().items())


def _time(text: str) -> dict[str, str]:
    return {"dateTime": text, "timeZone": TOKYO} if "T" in text else {"date": text}


class LineWorksCalendar:
    """Calendars by members' user ids. Nobody is sent a notice (C7).

    Every method may raise:
        LineWorksAwayError: it may be repeated, now or in the next run.
        EventRefusedError: only for this event, or this member.
        ConnectionError_: nothing will pass until a person has mended the Connection or the app's scopes.
    """

    def __init__(self, api: LineWorksApi) -> None:
        self._api = api

    def put(self, user_id: str, event: CalendarEvent, *, is_new: bool = False) -> bool:
        """Write the event, in the place of the one with its id; True where it was added. `is_new`: never sent before."""
        body = {"eventComponents": [event.component()], "sendNotification": False}
        if is_new:
            if self._create(user_id, body):
                return True
            if self.get(user_id, event.id) is None:
                raise EventRefusedError(REFUSED, "LINE WORKSが予定の内容を受け付けませんでした")
        answer = self._ask("update", "PUT", user_id, f"/{event.id}", json=body)
        if not _is_missing(answer):
            _check(answer, user_id)
            return False
        if not self._create(user_id, body):
            raise EventRefusedError(
                REFUSED, f"LINE WORKSが予定の内容を受け付けませんでした（{reason_of(answer, user_id)}）"
            )
        return True

    def delete(self, user_id: str, event_id: str) -> bool:
        """Delete the event; False where it, or the member, was gone already."""
        if not _is_path(user_id):
            return False
        query = {"sendNotification": "false"}
        answer = self._ask("delete", "DELETE", user_id, f"/{event_id}", params=query)
        if _is_missing(answer):
            return False
        _check(answer, user_id)
        return True

    def get(self, user_id: str, event_id: str) -> dict[str, Any] | None:
        """The event's first component as the calendar has it; None where it has none."""
        answer = self._ask("get", "GET", user_id, f"/{event_id}")
        if _is_missing(answer):
            return None
        _check(answer, user_id)
        components = answer.json_object.get("eventComponents")
        if not isinstance(components, list) or not components or not isinstance(components[0], dict):
            raise LineWorksAwayError("LINE WORKSの応答がAPIの形式ではありません。次回の連携で確認し直します。")
        found: dict[str, Any] = components[0]
        return found

    def ids(self, user_id: str, first_day: dt.date) -> list[str]:
        """The ids of the events that touch one of LISTED_DAYS from then on; none where there is no such member."""
        days = (first_day, first_day + dt.timedelta(days=LISTED_DAYS))
        names = ("fromDateTime", "untilDateTime")
        query = {name: f"{day}T00:00:00+09:00" for name, day in zip(names, days, strict=True)}
        answer = self._ask("list", "GET", user_id, "", params=query, max_bytes=MAX_LIST)
        if _is_missing(answer):
            return []
        _check(answer, user_id)
        try:
            return [event["eventComponents"][0]["eventId"] for event in answer.json_object["events"]]
        except (KeyError, TypeError, IndexError):
            raise LineWorksAwayError(
                "LINE WORKSの応答がAPIの形式ではありません。次回の連携で確認し直します。"
            ) from None

    def member(self, user_id: str) -> MemberState:
        """Whether somebody has exactly this user id, and may use LINE WORKS (C3)."""
        if not _is_path(user_id):
            return MemberState.NONE
        answer = self._answer("user-get", "GET", f"/users/{quote(user_id, safe='')}")
        if _is_missing(answer):
            small = user_id.lower()
            is_there = small != user_id and self.member(small) is not MemberState.NONE
            return MemberState.OTHER_CASE if is_there else MemberState.NONE
        if answer.status == 403:
            raise _no_right(answer, user_id, "user.read")
        _check(answer, user_id)
        user = answer.json_object
        known = [one for one in (user.get("userId"), user.get("email")) if isinstance(one, str)]
        if user.get("isDeleted"):
            return MemberState.NONE
        if user_id not in known:
            is_there = user_id.casefold() in (one.casefold() for one in known)
            return MemberState.OTHER_CASE if is_there else MemberState.NONE
        return MemberState.SUSPENDED if user.get("isSuspended") or user.get("isPending") else MemberState.ACTIVE

    def check(self) -> None:
        """Whether the app may read members and write calendars: a token for both scopes, and nobody's calendar is opened."""
        answer = self._answer("user-get", "GET", "/users/renkei-connection-test")
        if answer.status == 403:
            raise _no_right(answer, "", "user.read")
        if not _is_missing(answer):
            _check(answer, "")

    def _create(self, user_id: str, body: dict[str, Any]) -> bool:
        """False where there is such an event, or LINE WORKS does not take it: which of them, only a look tells."""
        answer = self._ask("create", "POST", user_id, "", json=body)
        if answer.status in (400, 409):
            return False
        if _is_missing(answer):
            raise EventRefusedError(NO_MEMBER, "LINE WORKSに同じユーザーIDのメンバーがいません")
        _check(answer, user_id)
        return True

    def _ask(self, operation: str, method: str, user_id: str, path: str, **kwargs: Any) -> Answer:
        if not _is_path(user_id):
            raise EventRefusedError(NO_MEMBER, "ユーザーIDがLINE WORKSのものではありません")
        whole = f"/users/{quote(user_id, safe='')}/calendar/events{path}"
        return self._answer(f"calendar-default-event-user-{operation}", method, whole, **kwargs)

    def _answer(self, operation: str, method: str, path: str, **kwargs: Any) -> Answer:
        """The answer; one that came too early is asked for again when its turn has come."""
        answer: Answer | Delivery | None = None
        for _ in range(TRIES):
            answer = self._api.ask(operation, method, path, **kwargs)
            if not isinstance(answer, Answer) or answer.status != 429:
                break
        if isinstance(answer, Answer):
            return answer
        assert answer is not None
        if answer.verdict is Verdict.REFUSED:
            raise ConnectionError_(
                f"LINE WORKSのアクセストークンを取得できません（{answer.reason}）。Developer Consoleのアプリの認証情報と"
                f"OAuth Scopes（{SCOPES.replace(',', '、')}）を確認し、Airflowの接続 lineworks__（テナント名）を直してください。"
            )
        raise LineWorksAwayError(
            f"LINE WORKSに接続できません（{answer.reason}）。次回の連携で続きから行います。"
            "続く場合は、連携サーバからLINE WORKSへ通信できることを確認してください。"
        )


def _is_missing(answer: Answer) -> bool:
    """Whether LINE WORKS itself says that there is none: a 404 of somebody in between proves nothing."""
    if answer.status != 404:
        return False
    if not isinstance(answer.json_object.get("code"), str):
        raise LineWorksAwayError("LINE WORKSの応答がAPIの形式ではありません。次回の連携で続きから行います。")
    return True


def _check(answer: Answer, user_id: str) -> None:
    """Raises for all but success."""
    if answer.status in (200, 201, 204):
        return
    reason = reason_of(answer, user_id)
    if answer.status in (408, 429) or answer.status >= 500:
        raise LineWorksAwayError(f"LINE WORKSが応答しません（{reason}）。次回の連携で続きから行います。")
    if answer.status == 401:
        raise ConnectionError_(
            f"LINE WORKSに拒否されました（{reason}）。Airflowの接続 lineworks__（テナント名）の認証情報を確認してください。"
        )
    if answer.status == 403:
        cause = "メンバーが利用停止中か、アプリにカレンダーの権限（OAuth Scopeのcalendar）がありません"
        raise EventRefusedError(SUSPENDED, f"{cause}（{reason}）")
    raise EventRefusedError(REFUSED, f"LINE WORKSが受け付けませんでした（{reason}）")


def _no_right(answer: Answer, user_id: str, scope: str) -> ConnectionError_:
    return ConnectionError_(
        f"LINE WORKSのアプリに権限がありません（{reason_of(answer, user_id)}）。Developer Consoleの OAuth Scopes に {scope} を追加してください。"
    )


def _is_path(user_id: str) -> bool:
    return place_of(user_id).startswith("users/")
