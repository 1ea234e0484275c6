"""Microsoft Teams through the webhook of a workflow (Power Automate; N1)."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from renkei.systems.chat import Answer, ask, by_status
from renkei.systems.delivery import Delivery, Message, accepted, refused, unknown
from renkei.systems.teams.payloads import content
from renkei.systems.webhook_urls import WebhookUrl, is_below

PATH = re.compile(
    r"(?:/powerautomate/automations/direct(?:/[^/]+){0,3})?/workflows/[^/]+/triggers/[^/]+/paths/invoke", re.IGNORECASE
)
RETIRED = ("webhook.office.com", "outlook.office.com", "outlook.office365.com")
ASK = "Teamsのチャネルの「ワークフロー」で「Webhookアラートをチャネルに送信する」を作り、表示されたURLの全体をコピーしてください。"

# Codes with which the workflow or its signature is void, whatever the status.
DEAD = frozenset(
    {"WorkflowNotFound", "WorkflowTriggerNotFound", "WorkflowTriggerIsNotEnabled", "DirectApiAuthorizationRequired"}
)
INSIDE = re.compile(r"returned HTTP error (\d{3})")  # a failure told under a 200: reference, part 1


class TeamsWorkflow:
    """The channel or chat of one workflow."""

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, message: Message, to: str, key: str) -> Delivery:
        """Posts once. `to` and `key` mean nothing here: the workflow knows where, and takes no key.

        ACCEPTED says that a run of the workflow was queued, not that it succeeded: Teams tells nobody.
        """
        headers = {"Content-Type": "application/json; charset=utf-8"}
        answer = ask("POST", self._url, data=content(message), headers=headers)
        return answer if isinstance(answer, Delivery) else delivery(answer)

    def check(self) -> Delivery:
        """A workflow shows nothing of itself without being run."""
        return accepted(None)


def delivery(answer: Answer) -> Delivery:
    """What the status and the code in the body mean."""
    status = answer.status
    if inside := INSIDE.search(answer.text) if status in (200, 202) else None:
        answer = replace(answer, status=int(inside[1]))
    elif status in (200, 202):
        page = answer.text.lstrip()[:1] == "<" or "html" in answer.headers.get("content-type", "")
        return unknown(status, "not an answer of Teams") if page else accepted(status)
    code, message = answer.error("code", "message")
    reason = ": ".join(filter(None, (code, message))) or f"HTTP {answer.status}"
    if code in DEAD:
        return refused(answer.status, reason, dead=True)
    return by_status(answer, reason, dead=answer.status in (401, 404, 410))


def _path_fault(path: str, query: str) -> str:
    if not PATH.fullmatch(path):
        return f"URLが途中で切れているか、Webhookのワークフローではありません（/workflows/…/triggers/…/paths/invoke の形です）。{ASK}"
    if not parse_qs(query).get("sig"):
        return f"URLの終わりの sig=… がありません。URLが途中で切れているか、サインインの要るワークフローです。{ASK}"
    return ""


_URL = WebhookUrl(
    "Microsoft Teams", "Teamsのワークフロー", (".logic.azure.com", ".api.powerplatform.com"), _path_fault, ASK
)


def url_fault(url: str, allowed: Collection[str] = ()) -> str:
    """As `WebhookUrl.fault`, with a word of its own for the webhooks that Microsoft has retired."""
    fault = _URL.fault(url, allowed)
    host = urlsplit(url).hostname or "" if fault and "[" not in url and "]" not in url else ""
    if any(is_below(host, domain) for domain in RETIRED):
        return f"これはTeamsの以前のIncoming WebhookのURLで、Microsoftが廃止したため届きません。{ASK}"
    return fault
