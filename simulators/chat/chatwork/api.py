"""Chatwork API v2: `/me`, `/rooms`, and messages of a room.

Controls (`/_sim/chatwork`): `token` and `forbidden` (room ids) revoke; `strict` keeps a room to ten messages in ten
seconds as documented (else fifty); the 300 requests in five minutes of a token hold always.
"""

from __future__ import annotations

import math
import time
from collections import deque
from typing import Any, Literal
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from simulators.chat.chatwork.look import show
from simulators.chat.controls import CurrentSettings, Settings, controls
from simulators.chat.inbox import Inbox
from simulators.chat.look import plain

TOKEN = "simulated-chatwork-token"
ROOMS = {100000001: ("連携通知", "group"), 100000002: ("運用", "group"), 100000003: ("山田 太郎", "direct")}
ME: dict[str, Any] = {
    "account_id": 900001,
    "room_id": 100000009,
    "name": "Renkei",
    "chatwork_id": "",
    "mail": "renkei@example.com",
}
MAX_BODY = 65_535
REQUESTS, WINDOW_S = 300, 300
ROOM_WINDOW_S = 10


class ChatworkSettings(Settings):
    token: Literal["active", "revoked"] = "active"
    forbidden: tuple[int, ...] = ()


class RefusedError(Exception):
    def __init__(self, status: int, *errors: str) -> None:
        super().__init__(status)
        self.status, self.errors = status, errors


def registrations(base: str) -> dict[str, Any]:
    rooms = [str(room) for room in ROOMS]
    return {"chatwork": {"token": TOKEN, "base_url": f"{base}/chatwork/v2", "rooms": rooms}}


def build(inbox: Inbox) -> APIRouter:
    router = APIRouter()
    control, held = controls(inbox, "chatwork", ChatworkSettings())
    router.include_router(control)
    api = Api(inbox, held)
    inbox.at_reset(api.forget)

    @router.api_route("/chatwork/v2/{path:path}", methods=["GET", "POST", "PUT", "DELETE"])
    async def v2(path: str, request: Request) -> Response:
        body = await request.body()
        try:
            headers = api.admit(request.headers.get("x-chatworktoken", ""))
        except RefusedError as refused:
            return _refuse(refused, api.headers())
        try:
            content = api.answer(request.method, path.strip("/").split("/"), request, body)
        except RefusedError as refused:
            return _refuse(refused, headers)
        return JSONResponse(content, headers=headers) if content else Response(status_code=204, headers=headers)

    return router


def _refuse(refused: RefusedError, headers: dict[str, str]) -> Response:
    return JSONResponse({"errors": list(refused.errors)}, refused.status, headers)


class Api:
    """The one account, and how much of its limits is used."""

    def __init__(self, inbox: Inbox, held: CurrentSettings[ChatworkSettings]) -> None:
        self.inbox, self.held = inbox, held
        self.forget()

    def forget(self) -> None:
        self._until = 0.0
        self._left = REQUESTS
        self._posted: dict[int, deque[float]] = {room: deque() for room in ROOMS}
        self._messages: dict[int, list[dict[str, Any]]] = {room: [] for room in ROOMS}
        self._read: dict[int, int] = dict.fromkeys(ROOMS, 0)

    def admit(self, token: str) -> dict[str, str]:
        """Headers that tell the limit of the token; every request counts."""
        if token != TOKEN or self.held.now.token != "active":
            raise RefusedError(401, "Invalid API token")
        if time.time() >= self._until:
            self._until, self._left = time.time() + WINDOW_S, REQUESTS
        if not self._left:
            raise RefusedError(429, "Rate limit exceeded")
        self._left -= 1
        return self.headers()

    def headers(self) -> dict[str, str]:
        left, until = str(self._left), str(math.ceil(self._until))
        return {"x-ratelimit-limit": str(REQUESTS), "x-ratelimit-remaining": left, "x-ratelimit-reset": until}

    def answer(self, method: str, path: list[str], request: Request, body: bytes) -> Any:
        match method, path:
            case "GET", ["me"]:
                return ME
            case "GET", ["rooms"]:
                return [{"room_id": room, "name": name, "type": kind} for room, (name, kind) in ROOMS.items()]
            case "POST", ["rooms", room, "messages"]:
                return self._post(self._room(room), request.headers.get("content-type", ""), body)
            case "GET", ["rooms", room, "messages"]:
                return self._latest(self._room(room), request.query_params.get("force", "0") == "1")
            case _, (["me"] | ["rooms"] | ["rooms", _, "messages"]):
                raise RefusedError(405, "Method not allowed")
        raise RefusedError(404, "Invalid Endpoint or HTTP method")

    def _room(self, text: str) -> int:
        if not text.isdecimal():
            raise RefusedError(404, "Invalid Endpoint or HTTP method")
        if int(text) not in ROOMS or int(text) in self.held.now.forbidden:
            raise RefusedError(403, "You don't have permission to send message in this room")
        return int(text)

    def _post(self, room: int, content_type: str, body: bytes) -> dict[str, str]:
        if not content_type.lower().startswith("application/x-www-form-urlencoded"):
            raise RefusedError(400, "Parameter 'body' is required")
        try:
            form = parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
        except (UnicodeDecodeError, ValueError) as error:
            raise RefusedError(400, "Invalid parameter") from error
        if unknown := sorted(set(form) - {"body", "self_unread"}):
            # Our own strictness: what the service makes of other parameters is not documented.
            raise RefusedError(400, *(f"Parameter '{name}' is invalid" for name in unknown))
        text, unread = form.get("body", [""])[0], form.get("self_unread", ["0"])[0]
        if not text.strip():
            raise RefusedError(400, "Parameter 'body' is required")
        if len(text) > MAX_BODY:
            raise RefusedError(400, f"Parameter 'body' must be {MAX_BODY} characters or less")
        if unread not in ("0", "1"):
            raise RefusedError(400, "Parameter 'self_unread' is invalid")
        self._limit(room)
        html = show(text)
        received = self.inbox.keep(
            "chatwork", ROOMS[room][0], ME["name"], plain(html), html, {"body": text, "self_unread": unread}
        )
        author = {key: ME[key] for key in ("account_id", "name")}
        sent_at = int(time.time())
        one: dict[str, Any] = {
            "message_id": f"17{received.number:017d}",
            "account": author,
            "body": text,
            "send_time": sent_at,
        }
        self._messages[room].append(one | {"update_time": 0})
        return {"message_id": one["message_id"]}

    def _limit(self, room: int) -> None:
        posted, now = self._posted[room], time.monotonic()
        while posted and posted[0] <= now - ROOM_WINDOW_S:
            posted.popleft()
        if len(posted) >= (10 if self.held.now.strict else 50):
            raise RefusedError(429, "Rate limit for message posting per room exceeded.")
        posted.append(now)

    def _latest(self, room: int, force: bool) -> list[dict[str, Any]]:
        """The last hundred, or only those not yet read; empty is answered with 204."""
        messages = self._messages[room]
        found = messages[-100:] if force else messages[self._read[room] :][-100:]
        self._read[room] = len(messages)
        return found
