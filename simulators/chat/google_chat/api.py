"""Google Chat: the incoming webhook of a space.

Controls (`/_sim/googlechat`): `webhook` deleted (403) or `space` gone (404), `strict` (one a second with no burst; else
fifty at once).
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from simulators.chat.controls import Settings, controls
from simulators.chat.google_chat.look import show
from simulators.chat.google_chat.message import InvalidError, check
from simulators.chat.inbox import Inbox
from simulators.chat.look import plain
from simulators.chat.wire import json_of, size_of

SPACE, SPACE_NAME, AUTHOR = "AAAASIM0001", "連携通知", "Renkei"
KEY, TOKEN = "simulated-key-0001", "simulated-token_0001="
PARAMETERS = {
    "key", "token", "threadKey", "messageReplyOption", "requestId", "messageId", "alt", "fields", "prettyPrint",
}  # fmt: skip
REPLY_OPTIONS = {"REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD", "REPLY_MESSAGE_OR_FAIL", "MESSAGE_REPLY_OPTION_UNSPECIFIED"}
CODES = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}


class GoogleChatSettings(Settings):
    webhook: Literal["active", "deleted"] = "active"
    space: Literal["active", "gone"] = "active"


class RefusedError(Exception):
    def __init__(self, status: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.status, self.reason = status, reason


def registrations(base: str) -> dict[str, Any]:
    query = f"key={KEY}&token={TOKEN.replace('=', '%3D')}"
    return {"google_chat": {"url": f"{base}/googlechat/v1/spaces/{SPACE}/messages?{query}"}}


def build(inbox: Inbox) -> APIRouter:
    router = APIRouter()
    control, held = controls(inbox, "googlechat", GoogleChatSettings())
    router.include_router(control)

    def admit(space: str, request: Request) -> None:
        query = request.query_params
        if unknown := sorted(set(query) - PARAMETERS):
            text = f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot bind query parameter.'
            raise RefusedError(400, text)
        if not query.get("key"):
            raise RefusedError(403, "Method doesn't allow unregistered callers (callers without established identity).")
        if query["key"] != KEY:
            raise RefusedError(400, "API key not valid. Please pass a valid API key.", "API_KEY_INVALID")
        if space != SPACE or held.now.space == "gone":
            raise RefusedError(404, "Requested entity was not found.")
        if not hmac.compare_digest(query.get("token", ""), TOKEN) or held.now.webhook == "deleted":
            raise RefusedError(403, "The caller does not have permission")
        if query.get("messageReplyOption", "MESSAGE_REPLY_OPTION_UNSPECIFIED") not in REPLY_OPTIONS:
            raise RefusedError(400, "Invalid value at 'message_reply_option'")
        if held.wait(space, 1 if held.now.strict else 50, 1):
            raise RefusedError(429, "Resource has been exhausted (e.g. check quota).")

    @router.post("/googlechat/v1/spaces/{space}/messages")
    async def create(space: str, request: Request) -> Response:
        body = await request.body()
        try:
            admit(space, request)
            given = _json(body)
            check(given, size_of(given), f"spaces/{space}")
        except RefusedError as refused:
            return _error(refused)
        except InvalidError as invalid:
            return _error(RefusedError(400, str(invalid)))
        html = show(given)
        received = inbox.keep("googlechat", SPACE_NAME, AUTHOR, plain(html), html, given)
        return JSONResponse(_resource(given, received.number, request))

    return router


def _json(body: bytes) -> Any:
    try:
        return json_of(body or b"{}")
    except ValueError as error:
        raise RefusedError(400, "Invalid JSON payload received. Unexpected token.") from error


def _error(refused: RefusedError) -> Response:
    error: dict[str, Any] = {"code": refused.status, "message": str(refused), "status": CODES[refused.status]}
    if refused.reason:
        kind = "type.googleapis.com/google.rpc.ErrorInfo"
        error["details"] = [{"@type": kind, "reason": refused.reason, "domain": "googleapis.com"}]
    return JSONResponse({"error": error}, refused.status)


def _resource(given: dict[str, Any], number: int, request: Request) -> dict[str, Any]:
    """The message as Google gives it back."""
    name = f"spaces/{SPACE}/messages/SIM{number:08d}"
    thread = given.get("thread") or {}
    key = thread.get("threadKey") or thread.get("thread_key") or request.query_params.get("threadKey")
    return given | {
        "name": f"{name}.SIM{number:08d}",
        "sender": {"name": "users/100000000000000000001", "displayName": AUTHOR, "type": "BOT"},
        "createTime": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "thread": {"name": f"spaces/{SPACE}/threads/{key or f'SIM{number:08d}'}"},
        "space": {"name": f"spaces/{SPACE}", "type": "ROOM", "displayName": SPACE_NAME, "spaceType": "SPACE"},
    }
