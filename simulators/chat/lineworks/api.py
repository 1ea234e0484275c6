"""LINE WORKS API 2.0: the service account's token, a bot's messages to users and rooms, its menu, and its callbacks.

Sources: developers.worksmobile.com auth-jwt, bot-user-message-send, user-get, rate-limits; lineworks/works-api-code-samples.
Errors of the token endpoint and most codes of the API are not documented: RFC 6749's words, and those of the samples.

Stricter than documented, so that a sloppy client is found here: properties that a message does not have are refused, text
is counted in UTF-16 code units, and content other than text, link, button_template and flex is not taken.

Control: `GET`, `POST` and `DELETE /_sim/lineworks`, see `app.Settings`; `DELETE /_sim/lineworks/tokens` makes every token
void; `POST /_sim/lineworks/said` see `talk`; `GET /_sim/lineworks/calls`.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Annotated, Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from simulators.chat.inbox import Inbox
from simulators.chat.lineworks.app import BOT_ID, BOT_NAME, BOT_SECRET, CHANNELS, App, Token, users_at_start
from simulators.chat.lineworks.calendar import build_calendar, build_calendar_control, receiver
from simulators.chat.lineworks.calendar_page import build_calendar_page
from simulators.chat.lineworks.content import check_message, html_of, text_of
from simulators.chat.lineworks.menu import check_menu
from simulators.chat.lineworks.talk import MAX_AT_ONCE, Said, Uttered
from simulators.chat.lineworks.talk_page import build_talk_page
from simulators.chat.lineworks.token import CLIENT_ID, CLIENT_SECRET, SERVICE_ACCOUNT, check_token_request, private_key
from simulators.chat.lineworks.wire import WorksRoute, api_error, read_form, read_json


def registrations(base: str) -> dict[str, Any]:
    pem = private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return {
        "lineworks": {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "service_account": SERVICE_ACCOUNT,
            "private_key": pem,
            "bot_id": BOT_ID,
            "bot_secret": BOT_SECRET,
            "base_url": f"{base}/lineworks",
            "users": [user.userId for user in users_at_start() if not user.isSuspended],
            "channels": list(CHANNELS),
        }
    }


def build(inbox: Inbox) -> APIRouter:
    app = App(inbox)
    router = APIRouter()

    @router.delete("/_sim/lineworks/tokens", status_code=204)
    async def revoke() -> Response:
        app.tokens.clear()
        return Response(status_code=204)

    @router.post("/_sim/lineworks/said")
    async def say(events: list[Said], at_once: Annotated[int, Query(ge=1, le=MAX_AT_ONCE)] = 1) -> list[Uttered]:
        """Say all of it, `at_once` at a time; one by one is in the given order."""
        gate = asyncio.Semaphore(at_once)

        async def one(said: Said) -> Uttered:
            async with gate:
                return await app.say(said)

        return await asyncio.gather(*map(one, events))

    @router.get("/_sim/lineworks/said")
    async def uttered() -> list[Uttered]:
        return app.talk.uttered

    @router.get("/_sim/lineworks/calls")
    async def calls() -> list[dict[str, Any]]:
        """How often each operation was called in each minute, and how often of that it was too often (429)."""
        return [
            {"operation": name, "minute": minute, "calls": used, "refused": max(0, used - app.most)}
            for (name, minute), used in sorted(app.calls.items())
        ]

    router.include_router(app.control)
    router.include_router(build_calendar_control(app))
    router.include_router(build_calendar(app))
    router.include_router(build_api(inbox, app))
    router.include_router(build_talk_page(inbox, app))
    router.include_router(build_calendar_page(app))
    return router


def build_api(inbox: Inbox, app: App) -> APIRouter:
    router = APIRouter(prefix="/lineworks", route_class=WorksRoute)

    @router.post("/oauth2/v2.0/token")
    async def token(request: Request) -> Response:
        scopes = check_token_request(await read_form(request), app.settings.scopes, app.now())
        given = "jp1" + secrets.token_urlsafe(60)
        app.tokens[given] = Token(frozenset(scopes), app.now() + app.settings.token_life_s)
        body = {
            "access_token": given,
            "refresh_token": "jp1" + secrets.token_urlsafe(60),
            "token_type": "Bearer",
            "expires_in": str(app.settings.token_life_s),  # a string, as in the official Java model
            "scope": " ".join(scopes),
        }
        return JSONResponse(body, headers={"cache-control": "no-store"})

    @router.post("/v1.0/bots/{bot_id}/users/{user}/messages")
    async def to_user(request: Request, bot_id: str, user: str) -> Response:
        app.admit(request, "bot-user-message-send", "bot", "bot.message")
        check_bot(bot_id)
        member = receiver(app, user)
        return await keep(request, member.name, {"userId": member.userId})

    @router.post("/v1.0/bots/{bot_id}/channels/{channel_id}/messages")
    async def to_channel(request: Request, bot_id: str, channel_id: str) -> Response:
        app.admit(request, "bot-channel-message-send", "bot", "bot.message")
        check_bot(bot_id)
        if channel_id not in app.settings.channels:
            raise api_error(404, "NOT_FOUND", "Channel not found.")
        return await keep(request, app.settings.channels[channel_id], {"channelId": channel_id})

    async def keep(request: Request, place: str, to: dict[str, str]) -> Response:
        content = check_message(await read_json(request))
        inbox.keep("lineworks", place, BOT_NAME, text_of(content), html_of(content), {**to, "content": content})
        return Response(status_code=201)

    @router.get("/v1.0/bots/{bot_id}")
    async def bot(request: Request, bot_id: str) -> dict[str, Any]:
        app.admit(request, "bot-get", "bot", "bot.read")
        check_bot(bot_id)
        return {"botId": int(BOT_ID), "botName": BOT_NAME, "photoUrl": "", "description": "", "administrators": []}

    @router.get("/v1.0/users/{user}")
    async def user(request: Request, user: str) -> dict[str, Any]:
        whole = {"user", "user.read", "directory", "directory.read"}
        scopes = app.admit(request, "user-get", *whole, "user.email.read")
        member = app.user(user)
        if member is None:
            raise api_error(404, "NOT_FOUND", "User not found.")
        found = member.as_json()
        if not scopes & whole:  # (guess) the scope is not on the page, and KING OF TIME's own link has no other
            return {name: found[name] for name in ("domainId", "userId", "email")}
        return found

    @router.post("/v1.0/bots/{bot_id}/persistentmenu", status_code=201)
    async def put_menu(request: Request, bot_id: str) -> dict[str, Any]:
        app.admit(request, "bot-persistentmenu-create", "bot", "bot.message")
        check_bot(bot_id)
        app.menu = check_menu(await read_json(request))
        return {"content": app.menu}

    @router.get("/v1.0/bots/{bot_id}/persistentmenu")
    async def menu(request: Request, bot_id: str) -> dict[str, Any]:
        app.admit(request, "bot-persistentmenu-get", "bot", "bot.message", "bot.read")
        check_bot(bot_id)
        if app.menu is None:
            raise api_error(404, "NOT_FOUND", "Persistent menu not found.")
        return {"content": app.menu}

    @router.delete("/v1.0/bots/{bot_id}/persistentmenu", status_code=204)
    async def delete_menu(request: Request, bot_id: str) -> Response:
        app.admit(request, "bot-persistentmenu-delete", "bot", "bot.message")
        check_bot(bot_id)
        app.no_menu()
        return Response(status_code=204)

    @router.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def nothing_here(path: str) -> None:
        raise api_error(404, "NOT_FOUND", "Not found.")

    return router


def check_bot(bot_id: str) -> None:
    if not bot_id.isdecimal():
        raise api_error(400, "INVALID_PARAMETER", "botId must be an integer.")
    if bot_id != BOT_ID:
        raise api_error(404, "NOT_FOUND", "Bot not found.")
