"""LINE Messaging API: push messages to the friends of one official account, its quota and its token.

Sources: line/line-openapi (messaging-api.yml, channel-access-token.yml), developers.line.biz "Retry failed API requests"
and "Error responses". Wording of errors as seen in public bug reports where the documents show none.

Stricter than documented, so that a sloppy client is found here: properties that a push does not have are refused, as
are messages other than text, lone surrogates, and a JSON body that does not say it is one.

Control: `GET`, `POST` and `DELETE /_sim/line`, see `line_account.Settings`.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from fastapi import APIRouter, Request

from simulators.chat.inbox import Inbox
from simulators.chat.line.account import NAME, TOKEN, AcceptedPush, Account, Person, people_at_start, why_unseen
from simulators.chat.line.wire import LineRoute, RefusedRequest, read_form, read_json
from simulators.chat.look import box, linked

CHANNEL_ID = "2000000001"  # the Messaging API channel
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
RECEIVER = re.compile(r"[UCR][0-9a-f]{32}")
MAX_TEXT = 5000  # UTF-16 code units


def build(inbox: Inbox) -> APIRouter:
    account = Account.of(inbox)
    router = APIRouter()
    router.include_router(build_api(inbox, account))
    router.include_router(account.control)
    return router


def registrations(base: str) -> dict[str, Any]:
    friends = [person.user_id for person in people_at_start() if person.reachable]
    return {"line": {"token": TOKEN, "base_url": f"{base}/line", "friends": friends}}


def build_api(inbox: Inbox, account: Account) -> APIRouter:
    router = APIRouter(prefix="/line/v2", route_class=LineRoute)

    @router.post("/bot/message/push")
    async def push(request: Request) -> dict[str, Any]:
        settings = account.settings
        authorise(request, account)
        await request.body()  # from here on nothing waits: of two requests with one key, only one is accepted
        key = request.headers.get("x-line-retry-key")
        if key is not None:
            check_retry_key(account, key)
        if settings.limited:
            raise RefusedRequest.because(429, "The API rate limit has been exceeded. Try again later.")
        body = await read_json(request)
        check_push(body)
        to, messages = body["to"], body["messages"]
        if not to.startswith("U"):  # the account is in no group
            raise RefusedRequest.because(400, "Failed to send messages")
        person = account.person(to)
        seen = person is not None and person.reachable
        counted = len(messages) if seen else 0  # a message nobody gets costs nothing
        if settings.quota is not None and settings.used + counted > settings.quota:
            raise RefusedRequest.because(429, "You have reached your monthly limit.")
        account.count(counted)
        sent = []
        for message in messages:
            sent.append({"id": account.message_id(), "quoteToken": uuid.uuid4().hex})
            raw = {"to": to, "message": message, "retry_key": key, "id": sent[-1]["id"]}
            if person is not None and seen:
                inbox.keep("line", person.name, NAME, message["text"], box("bubble", linked(message["text"])), raw)
            else:
                inbox.lose("line", person.name if person else to, why_unseen(person), raw)
        if key is not None:
            account.accepted[key.lower()] = AcceptedPush(account.now(), request.state.request_id, sent)
        return {"sentMessages": sent}

    @router.get("/bot/info")
    async def info(request: Request) -> dict[str, Any]:
        authorise(request, account, keyed=False)
        bot = Person.named(NAME)
        return {
            "userId": bot.user_id,
            "basicId": "@216ru0000",
            "displayName": NAME,
            "chatMode": "bot",
            "markAsReadMode": "auto",
        }

    @router.get("/bot/profile/{user_id}")
    async def profile(request: Request, user_id: str) -> dict[str, Any]:
        authorise(request, account, keyed=False)
        person = account.person(user_id)
        if person is None or not person.reachable:
            raise RefusedRequest.because(404, "Not found")
        return {"userId": person.user_id, "displayName": person.name}

    @router.get("/bot/message/quota")
    async def quota(request: Request) -> dict[str, Any]:
        authorise(request, account, keyed=False)
        value = account.settings.quota
        return {"type": "none"} if value is None else {"type": "limited", "value": value}

    @router.get("/bot/message/quota/consumption")
    async def consumption(request: Request) -> dict[str, Any]:
        authorise(request, account, keyed=False)
        return {"totalUsage": account.settings.used}

    @router.post("/oauth/verify")
    async def verify(request: Request) -> dict[str, Any]:
        """Of a long-lived token; the example of channel-access-token.yml."""
        if (await read_form(request)).get("access_token") != TOKEN or not account.settings.token_valid:
            raise RefusedRequest(400, {"error": "invalid_request", "error_description": "access token expired"})
        return {"client_id": CHANNEL_ID, "expires_in": 3138007490, "scope": "P CM"}

    @router.api_route("/bot/{path:path}", methods=["GET", "POST", "PUT", "DELETE"])
    async def nothing_here(request: Request, path: str) -> None:
        authorise(request, account, keyed=False)
        raise RefusedRequest.because(404, "Not found")

    return router


def authorise(request: Request, account: Account, *, keyed: bool = True) -> None:
    """Refuse a request without the token, or with a retry key where none is taken (`keyed` False)."""
    given = request.headers.get("authorization", "")
    if given != f"Bearer {TOKEN}" or not account.settings.token_valid:
        why = "Confirm that the access token in the authorization header is valid."
        raise RefusedRequest.because(401, f"Authentication failed. {why}")
    if not keyed and "x-line-retry-key" in request.headers:
        raise RefusedRequest.because(400, "The retry key is not supported by this endpoint")  # our own words


def check_retry_key(account: Account, key: str) -> None:
    """Refuse what is no UUID (in our own words), and what was accepted within a day, be the body the same or not."""
    if not UUID.fullmatch(key):
        raise RefusedRequest.because(400, "The retry key is invalid")
    first = account.repeated(key)
    if first is not None:
        body = {"message": "The retry key is already accepted", "sentMessages": first.sent}
        raise RefusedRequest(409, body, {"x-line-accepted-request-id": first.request_id})


def check_push(body: dict[str, Any]) -> None:
    """Refuse what is no push message, with every fault in `details`; the receiver is told of alone, as LINE does."""
    if not isinstance(body.get("to"), str) or not RECEIVER.fullmatch(body["to"]):
        raise RefusedRequest.because(400, "The property, 'to', in the request body is invalid (line: -, column: -)")
    known = {"to", "messages", "notificationDisabled", "customAggregationUnits"}
    details = [_detail(name, "Unknown property") for name in body if name not in known]
    if not isinstance(body.get("notificationDisabled", False), bool):
        details.append(_detail("notificationDisabled", "Must be a boolean"))
    messages = body.get("messages")
    if not isinstance(messages, list) or not 1 <= len(messages) <= 5:
        details.append(_detail("messages", "Size must be between 1 and 5"))
    else:
        for number, message in enumerate(messages):
            details += _message_faults(f"messages[{number}]", message)
    if details:
        raise RefusedRequest.because(400, f"The request body has {len(details)} error(s)", details)


def _message_faults(place: str, message: Any) -> list[dict[str, str]]:
    if not isinstance(message, dict):
        return [_detail(place, "Must be an object")]
    if message.get("type") != "text":
        return [_detail(f"{place}/type", "Must be one of the following values: [text]")]
    known = {"type", "text", "emojis", "quoteToken", "quickReply", "sender"}
    faults = [_detail(f"{place}.{name}", "Unknown property") for name in message if name not in known]
    text = message.get("text")
    if not isinstance(text, str) or not text.strip():
        faults.append(_detail(f"{place}.text", "May not be empty"))
    elif len(text.encode("utf-16-le")) // 2 > MAX_TEXT:
        faults.append(_detail(f"{place}.text", f"Length must be between 0 and {MAX_TEXT}"))
    return faults


def _detail(property_: str, message: str) -> dict[str, str]:
    return {"message": message, "property": property_}
