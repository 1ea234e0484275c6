"""Microsoft Teams: the webhook of a Workflow that posts an Adaptive Card into a channel.

202 says that a run of the flow is queued. What the flow's own action then refuses (a card that is none, more than
28 KB) fails after that: it stands in `/_sim/lost` and on the page, and the sender never hears of it.
Controls (`/_sim/teams`): `workflow` gone or disabled, `signature` revoked, `flow` fails (its owner left), `strict`
(one a second with no burst; else fifty at once).
"""

from __future__ import annotations

import secrets
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from simulators.chat.controls import Settings, controls
from simulators.chat.inbox import Inbox
from simulators.chat.look import plain
from simulators.chat.teams.card import CardError, check
from simulators.chat.teams.look import show
from simulators.chat.wire import json_of

WORKFLOW, SIGNATURE = "0123456789abcdef0123456789abcdef", "simulated-signature_0001"
CHANNEL, AUTHOR = "連携通知", "Workflows"
MAX_BYTES = 28 * 1024
CARD_TYPE = "application/vnd.microsoft.card.adaptive"


class TeamsSettings(Settings):
    workflow: Literal["active", "gone", "disabled"] = "active"
    signature: Literal["active", "revoked"] = "active"
    flow: Literal["works", "fails"] = "works"


class RefusedError(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


def registrations(base: str) -> dict[str, Any]:
    query = f"api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={SIGNATURE}"
    return {"teams": {"url": f"{base}/teams/workflows/{WORKFLOW}/triggers/manual/paths/invoke?{query}"}}


def build(inbox: Inbox) -> APIRouter:
    router = APIRouter()
    control, held = controls(inbox, "teams", TeamsSettings())
    router.include_router(control)

    def admit(workflow: str, request: Request) -> None:
        if workflow != WORKFLOW or held.now.workflow == "gone":
            raise RefusedError(404, "WorkflowNotFound", f"The workflow '{workflow}' could not be found.")
        if "api-version" not in request.query_params:
            raise RefusedError(400, "MissingApiVersionParameter", "The api-version query parameter is required.")
        if request.query_params.get("sig") != SIGNATURE or held.now.signature == "revoked":
            text = "The request must be authenticated only by Shared Access scheme."
            raise RefusedError(401, "DirectApiAuthorizationRequired", text)
        if held.now.workflow == "disabled":
            text = f"Could not execute workflow '{workflow}' trigger 'manual' with state 'Disabled'."
            raise RefusedError(400, "WorkflowTriggerIsNotEnabled", text)

    @router.post("/teams/powerautomate/automations/direct/workflows/{workflow}/triggers/manual/paths/invoke/")
    @router.post("/teams/powerautomate/automations/direct/workflows/{workflow}/triggers/manual/paths/invoke")
    @router.post("/teams/workflows/{workflow}/triggers/manual/paths/invoke/")
    @router.post("/teams/workflows/{workflow}/triggers/manual/paths/invoke")
    async def invoke(workflow: str, request: Request) -> Response:
        body = await request.body()
        try:
            admit(workflow, request)
            if seconds := held.wait("flow", 1 if held.now.strict else 50, 1):
                error = {"code": "429", "message": "Rate limit is exceeded. Try again later."}
                return JSONResponse({"error": error}, 429, {"Retry-After": str(seconds)})
            given = _message(request, body)
        except RefusedError as refused:
            return JSONResponse({"error": {"code": refused.code, "message": refused.message}}, refused.status)
        run = secrets.token_hex(12)
        _run_flow(inbox, given, len(body), works=held.now.flow == "works")
        return Response(status_code=202, headers={"x-ms-workflow-run-id": run, "x-ms-request-id": run})

    return router


def _message(request: Request, body: bytes) -> dict[str, Any]:
    """What the trigger takes: `type` message and a list of attachments; anything else never starts a run."""
    try:
        if not request.headers.get("content-type", "").lower().startswith("application/json"):
            raise ValueError
        given = json_of(body)
    except ValueError as error:
        raise RefusedError(400, "InvalidRequestContent", "The request content is not valid JSON.") from error
    mismatch = "The input body for trigger 'manual' did not match its schema definition."
    if not isinstance(given, dict) or given.get("type") != "message":
        raise RefusedError(400, "TriggerInputSchemaMismatch", f"{mismatch} Error details: 'type'.")
    attachments = given.get("attachments")
    if not isinstance(attachments, list) or not all(isinstance(one, dict) for one in attachments):
        raise RefusedError(400, "TriggerInputSchemaMismatch", f"{mismatch} Error details: 'attachments'.")
    return given


def _run_flow(inbox: Inbox, given: dict[str, Any], size: int, *, works: bool) -> None:
    """Post each card, or note why the run failed."""
    if not works:
        inbox.lose("teams", CHANNEL, "フローが失敗しました: フローの所有者がこのチームにいません", given)
    elif size > MAX_BYTES:
        inbox.lose("teams", CHANNEL, f"フローが失敗しました: RequestEntityTooLarge ({size:,} バイト)", given)
    elif not given["attachments"]:
        inbox.lose("teams", CHANNEL, "フローは動きましたが、attachments が空で何も投稿されません", given)
    else:
        for attachment in given["attachments"]:
            try:
                if attachment.get("contentType") != CARD_TYPE:
                    raise CardError(f"contentType が {CARD_TYPE} ではありません")
                card = attachment.get("content")
                check(card)
            except CardError as error:
                inbox.lose("teams", CHANNEL, f"フローが失敗しました: {error}", given)
                return
            html = show(card)
            inbox.keep("teams", CHANNEL, AUTHOR, plain(html), html, given)
