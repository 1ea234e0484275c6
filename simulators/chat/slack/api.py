"""Slack: an incoming webhook, and the methods of the Web API that a bot needs to write to members and channels.

Controls (`/_sim/slack`): `webhook` and `token` (what Slack answers once they are revoked), `scopes`, `archived` and
`not_joined` (channel ids), `strict` (one message a second with no burst; else fifty at once).
"""

from __future__ import annotations

import secrets
import time
from typing import Any, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from simulators.chat.controls import CurrentSettings, Settings, controls
from simulators.chat.inbox import Inbox
from simulators.chat.look import plain
from simulators.chat.slack.blocks import RefusedError, message
from simulators.chat.slack.look import show
from simulators.chat.wire import json_of

TEAM, SERVICE, SECRET = "T0SIM0001", "B0SIM0001", "simulatedSlackWebhook0001"
TOKEN = "xoxb-simulated-bot-token"
CHANNELS = {"C0SIM0001": "連携通知", "C0SIM0002": "運用", "C0SIM0003": "人事"}
MEMBERS = {
    "U0SIM0001": ("山田 太郎", "taro@example.com"),
    "U0SIM0002": ("佐藤 花子", "hanako@example.com"),
    "W0SIM0003": ("鈴木 一郎", "ichiro@example.com"),
}
BOTS = {"U0SIMBOT1"}
AUTHOR = "Renkei"
# The word that a dead webhook answers, with the status that is known of it.
GONE = {
    "no_service": 404,
    "no_active_hooks": 404,
    "no_team": 404,
    "channel_not_found": 404,
    "channel_is_archived": 410,
    "team_disabled": 403,
    "invalid_token": 403,
    "action_prohibited": 403,
    "posting_to_general_channel_denied": 403,
    "rollup_error": 500,
}
SCOPES = {
    "chat.postMessage": "chat:write",
    "users.lookupByEmail": "users:read.email",
    "conversations.open": "im:write",
    "auth.test": "",
}


class SlackSettings(Settings):
    webhook: Literal[
        "active", "no_service", "no_active_hooks", "no_team", "channel_not_found", "channel_is_archived",
        "team_disabled", "invalid_token", "action_prohibited", "posting_to_general_channel_denied", "rollup_error",
    ] = "active"  # fmt: skip
    token: Literal["active", "token_revoked", "token_expired", "account_inactive", "invalid_auth"] = "active"
    scopes: tuple[str, ...] = ("chat:write", "im:write", "users:read", "users:read.email")
    archived: tuple[str, ...] = ()
    not_joined: tuple[str, ...] = ()


def registrations(base: str) -> dict[str, Any]:
    return {
        "slack_webhook": {"url": f"{base}/slack/services/{TEAM}/{SERVICE}/{SECRET}"},
        "slack_bot": {
            "token": TOKEN,
            "base_url": f"{base}/slack/api/",
            "members": list(MEMBERS),
            "channels": list(CHANNELS),
        },
    }


def build(inbox: Inbox) -> APIRouter:
    router = APIRouter()
    control, held = controls(inbox, "slack", SlackSettings())
    router.include_router(control)
    web_api = WebApi(inbox, held)

    @router.post("/slack/services/{path:path}")
    async def webhook(path: str, request: Request) -> Response:
        state = held.now.webhook
        if path != f"{TEAM}/{SERVICE}/{SECRET}":
            return PlainTextResponse("no_service", 404)
        if state != "active":
            return PlainTextResponse(state, GONE[state])
        if seconds := _wait(held, "webhook"):
            return PlainTextResponse("rate_limited", 429, {"Retry-After": str(seconds)})
        try:
            found = message(await _webhook_payload(request))
        except RefusedError as refused:
            return PlainTextResponse(str(refused), 400)
        html = show(found)
        inbox.keep("slack", f"#{CHANNELS['C0SIM0001']}", AUTHOR, plain(html), html, found)
        return PlainTextResponse("ok")

    @router.api_route("/slack/api/{method}", methods=["GET", "POST"])
    async def method(method: str, request: Request) -> Response:
        return web_api.answer(method, await _arguments(request), request.headers.get("authorization", ""))

    return router


def _wait(held: CurrentSettings[SlackSettings], place: str) -> int:
    return held.wait(place, 1 if held.now.strict else 50, 1)


async def _webhook_payload(request: Request) -> Any:
    body = await request.body()
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        body = dict(parse_qsl(body)).get(b"payload", b"")
    try:
        return json_of(body)
    except ValueError as error:
        raise RefusedError("invalid_payload") from error


async def _arguments(request: Request) -> dict[str, Any] | None:
    """Query, form or JSON; None: the body is not what its type says."""
    body = await request.body()
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            given = json_of(body or b"{}")
        except ValueError:
            return None
        return dict(request.query_params) | given if isinstance(given, dict) else None
    try:
        return dict(request.query_params) | dict(parse_qsl(body.decode(), keep_blank_values=True))
    except UnicodeDecodeError:
        return None


class WebApi:
    """Every answer is 200 and JSON, an error too; only the rate limit has a status of its own."""

    def __init__(self, inbox: Inbox, held: CurrentSettings[SlackSettings]) -> None:
        self.inbox, self.held = inbox, held

    def answer(self, method: str, given: dict[str, Any] | None, authorization: str) -> Response:
        headers = {"x-slack-req-id": secrets.token_hex(16), "x-oauth-scopes": ",".join(self.held.now.scopes)}
        try:
            if given is None:
                raise RefusedError("invalid_json")
            if method not in SCOPES:
                raise RefusedError("unknown_method")
            self._authenticate(given, authorization)
            needed = SCOPES[method]
            if needed and needed not in self.held.now.scopes:
                provided = ",".join(self.held.now.scopes)
                refusal = {"ok": False, "error": "missing_scope", "needed": needed, "provided": provided}
                return JSONResponse(refusal, headers=headers)
            body = getattr(self, "_" + method.replace(".", "_"))(given)
        except _LimitedError as limited:
            headers["Retry-After"] = str(limited.seconds)
            return JSONResponse({"ok": False, "error": "ratelimited"}, 429, headers)
        except RefusedError as refused:
            return JSONResponse({"ok": False, "error": str(refused)}, headers=headers)
        return JSONResponse({"ok": True} | body, headers=headers)

    def _authenticate(self, given: dict[str, Any], authorization: str) -> None:
        scheme, _, bearer = authorization.partition(" ")
        token = bearer.strip() if scheme.lower() == "bearer" else str(given.get("token", ""))
        if not token:
            raise RefusedError("not_authed")
        if token != TOKEN:
            raise RefusedError("invalid_auth")
        if self.held.now.token != "active":
            raise RefusedError(self.held.now.token)

    def _auth_test(self, given: dict[str, Any]) -> dict[str, Any]:
        names = {"team": "シミュレータ株式会社", "user": "renkei", "url": "https://simulator.example.com/"}
        return names | {"team_id": TEAM, "user_id": "U0SIMBOT1", "bot_id": SERVICE, "is_enterprise_install": False}

    def _users_lookupByEmail(self, given: dict[str, Any]) -> dict[str, Any]:
        for member, (name, email) in MEMBERS.items():
            if email == str(given.get("email", "")).lower():
                profile = {"real_name": name, "email": email}
                return {"user": {"id": member, "team_id": TEAM, "name": email.partition("@")[0], "profile": profile}}
        raise RefusedError("users_not_found")

    def _conversations_open(self, given: dict[str, Any]) -> dict[str, Any]:
        members = str(given.get("users", "")).split(",")
        if members == [""]:
            raise RefusedError("users_list_not_supplied")
        if BOTS & set(members):
            raise RefusedError("cannot_dm_bot")
        if len(members) != 1 or members[0] not in MEMBERS:
            raise RefusedError("user_not_found")
        return {"channel": {"id": _direct(members[0])}}

    def _chat_postMessage(self, given: dict[str, Any]) -> dict[str, Any]:
        channel, place = self._place(str(given.get("channel", "")))
        found = message({"blocks": [], "attachments": []} | given)
        if seconds := _wait(self.held, channel):
            raise _LimitedError(seconds)
        html = show(found)
        received = self.inbox.keep(
            "slack", place, AUTHOR, plain(html), html, {k: found[k] for k in found if k != "token"}
        )
        sent = {"type": "message", "bot_id": SERVICE, "text": found["text"], "user": "U0SIMBOT1"}
        return {"channel": channel, "ts": f"{int(time.time())}.{received.number:06d}", "message": sent}

    def _place(self, asked: str) -> tuple[str, str]:
        """Channel id, and its name on the page; a member's id stands for the direct messages with them."""
        if not asked or asked in BOTS:
            raise RefusedError("cannot_dm_bot" if asked in BOTS else "channel_not_found")
        for member, (name, _) in MEMBERS.items():
            if asked in (member, _direct(member)):
                return _direct(member), f"{name} (DM)"
        for channel, name in CHANNELS.items():
            if asked in (channel, name, f"#{name}"):
                if channel in self.held.now.archived:
                    raise RefusedError("is_archived")
                if channel in self.held.now.not_joined:
                    raise RefusedError("not_in_channel")
                return channel, f"#{name}"
        raise RefusedError("channel_not_found")


class _LimitedError(Exception):
    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def _direct(member: str) -> str:
    return "D" + member[1:]
