"""A callback receiver in a process of its own: `python -m tests.harness.public_service DATABASE_URL [--stop-after-write]`."""

from __future__ import annotations

import asyncio
import base64
import functools
import hashlib
import hmac
import json
import sys
from typing import Any

from renkei.inbox.receiver import Receiver
from renkei.public import bodies, receiving
from renkei.public.app import build
from renkei.public.lineworks import Callbacks
from renkei.public.secrets import Secrets
from renkei.public.server import server
from tests.harness.inbox_programs import LINK, PLAIN, TENANT
from tests.harness.program import Program

SECRET = "bot secret of acme"
PATH = f"/renkei/lineworks/{TENANT}/callback"


class PublicService(Program):
    """It accepts callbacks of the tenant acme. With `--stop-after-write` it says WRITTEN and answers nothing."""

    module = "tests.harness.public_service"


def message(text: str, user: str = "u1", at: str = "2026-04-01T00:00:00.000Z", **more: Any) -> bytes:
    """A callback's body, as LINE WORKS sends it."""
    said = {"type": "message", "source": {"userId": user, "domainId": 1}, "issuedTime": at}
    return json.dumps(said | {"content": {"type": "text", "text": text}} | more, ensure_ascii=False).encode()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """The headers of a callback."""
    signature = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()
    return {"Content-Type": "application/json; charset=UTF-8", "X-WORKS-Signature": signature, "X-WORKS-BotId": "1"}


class _StopsAfterWrite(Callbacks):
    async def keep(self, *arguments: Any) -> None:
        await super().keep(*arguments)
        print("WRITTEN", flush=True)
        await asyncio.Event().wait()


def _main(url: str, stops: bool) -> None:
    receiving.WRITTEN_WITHIN_S = bodies.WITHIN_S = 150  # whatever else this machine does
    secrets = Secrets(lambda tenant: SECRET if tenant == TENANT else None)
    receiver = functools.cache(lambda: Receiver(url, PLAIN))
    kind = _StopsAfterWrite if stops else Callbacks
    callbacks = kind(LINK, secrets, receiver, lambda _tenant, event: not event.channel_id)
    server(build([callbacks.route()], lambda: None), "127.0.0.1", 0).run()


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2:] == ["--stop-after-write"])
