"""Workflow events, pushed as the contract says: signed, again until they are answered, in the order that is asked for."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.client
import json
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field

from simulators.workplace.company import Company, Strict

ANSWERED_WITHIN_S = 30
KINDS = ("requested", "approved", "rejected", "returned", "withdrawn", "completed", "referenced", "commented")
FIRST_SECRET = "workplace_sim_events_secret_0123456789"


class Target(Strict):
    """Where events are pushed to, and with which secret."""

    url: str = ""
    secret: str = FIRST_SECRET


class Happened(Strict):
    """One event. Its id, its time and its document's `sequence` are made up unless they are given."""

    kind: Literal[KINDS] = "requested"  # type: ignore[valid-type]
    recipients: Annotated[tuple[str, ...], Field(min_length=1)] = ("sato@acme.example",)
    document: Annotated[str, Field(pattern=r"^[0-9A-Za-z._:-]+$")] = "WF-000001"
    title: str = "経費精算書（11月分）"
    id: str = ""
    occurred_at: str = ""
    sequence: int | None = None
    times: Annotated[int, Field(ge=1, le=100)] = 1
    signed: Literal["right", "wrong", "missing", "old"] = "right"


@dataclass
class Pushed:
    """An event with its answers: a status each, None where there was none."""

    event: dict[str, Any]
    answers: list[int | None] = field(default_factory=list)


@dataclass
class Workflow:
    """The documents of one company."""

    company: Company
    target: Target = field(default_factory=Target)
    pushed: list[Pushed] = field(default_factory=list)
    last: dict[str, int] = field(default_factory=dict)  # sequence by document

    def event_of(self, happened: Happened) -> dict[str, Any]:
        name = happened.document
        sequence = happened.sequence or self.last.get(name, 0) + 1
        self.last[name] = max(sequence, self.last.get(name, 0))
        return {
            "id": happened.id or f"{name}:{sequence}",
            "kind": happened.kind,
            "occurred_at": happened.occurred_at or self.company.clock.now().isoformat(),
            "sequence": sequence,
            "document": {
                "id": name,
                "number": name,
                "title": happened.title,
                "url": f"https://workplace.example.jp/workflow/{name}",
            },
            "recipients": list(happened.recipients),
        }

    def push(self, happened: Happened) -> Pushed:
        """Made up in the order of the calls, and pushed so often."""
        pushed = Pushed(self.event_of(happened))
        self.pushed.append(pushed)
        body = json.dumps(pushed.event, ensure_ascii=False).encode()
        for _ in range(happened.times if self.target.url else 0):
            pushed.answers.append(_post(self.target.url, body, _signed(body, self.target.secret, happened.signed)))
        return pushed


def build_workflow(company: Company) -> APIRouter:
    """Routes of `/_sim`: what happens to documents."""
    router, workflow = APIRouter(prefix="/_sim"), Workflow(company)

    @router.put("/events/target")
    async def aim(target: Target) -> Target:
        workflow.target = target
        return target

    @router.post("/events")
    async def happen(given: list[Happened], at_once: int = 1) -> list[dict[str, Any]]:
        """Each one pushed and answered before the next, or so many at once."""
        gate = asyncio.Semaphore(max(1, min(at_once, 64)))

        async def one(happened: Happened) -> dict[str, Any]:
            async with gate:
                return asdict(await asyncio.to_thread(workflow.push, happened))

        return list(await asyncio.gather(*(one(happened) for happened in given)))

    @router.get("/events")
    async def pushed() -> list[dict[str, Any]]:
        return [asdict(one) for one in workflow.pushed]

    @router.delete("/events", status_code=204)
    async def clear() -> None:
        workflow.pushed.clear()
        workflow.last.clear()

    return router


def _signed(body: bytes, secret: str, how: str) -> dict[str, str]:
    at = str(int(time.time()) - (3600 if how == "old" else 0))
    found = {"Content-Type": "application/json; charset=UTF-8", "X-Renkei-Timestamp": at}
    if how != "missing":
        key = secret if how != "wrong" else f"not {secret}"
        digest = hmac.digest(key.encode(), at.encode() + b"." + body, hashlib.sha256)
        found["X-Renkei-Signature"] = f"v1={digest.hex()}"
    return found


def _post(url: str, body: bytes, headers: dict[str, str]) -> int | None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(
            urllib.request.Request(url, body, headers, method="POST"), timeout=ANSWERED_WITHIN_S
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except (OSError, ValueError, http.client.HTTPException):
        return None
