"""Our check of signatures beside that of LINE's own library: LINE WORKS signs as LINE does."""

from __future__ import annotations

import base64
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from renkei.systems.lineworks.callback import is_signed
from simulators.chat.lineworks.talk import Said, headers
from tests.harness.npm import installed
from tests.harness.public_service import message, signed

HERE = Path(__file__).parent
BODIES = [b"", b"{}", message("出勤😀"), b'{"a": 1}\r\n', bytes(range(256)), message("x" * 60_000)]
SECRETS = ["0123456789abcdef0123456789abcdef", "秘密", "a b"]


def judged(cases: list[tuple[bytes, str, str]]) -> list[bool]:
    """What LINE's library says of each body, secret and signature."""
    asked = "\n".join(
        json.dumps({"body": base64.b64encode(body).decode(), "secret": secret, "signature": signature})
        for body, secret, signature in cases
    )
    command = ["node", str(HERE / "check.mjs"), str(installed(HERE, "line-bot-sdk"))]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr[-2000:]
    return [line == "true" for line in done.stdout.split()]


def test_lines_own_library_agrees_about_signatures() -> None:
    cases = []
    for body in BODIES:
        for secret in SECRETS:
            right = signed(body, secret)["X-WORKS-Signature"]
            for signature in (
                right,
                right.swapcase(),
                right.rstrip("="),
                "",
                signed(body + b" ", secret)["X-WORKS-Signature"],
            ):
                cases.append((body, secret, signature))
    theirs = judged(cases)
    ours = [is_signed(body, signature.encode(), [secret]) for body, secret, signature in cases]
    # They decode the Base64, so that a missing `=` passes; we compare texts, and LINE WORKS always writes it.
    differ = [case for case, our, their in zip(cases, ours, theirs, strict=True) if our != their]
    assert all(signature == signed(body, secret)["X-WORKS-Signature"].rstrip("=") for body, secret, signature in differ)
    assert sum(ours) == len(BODIES) * len(SECRETS)


def test_lines_own_library_takes_the_callbacks_of_the_simulator() -> None:
    now, cases = datetime(2026, 11, 30, tzinfo=UTC), []
    for said in (Said(text="出勤😀"), Said(type="postback", more={"data": "kind=1"}), Said(text="x" * 60_000)):
        body = said.body("u1", 1, now)
        for signed_as in ("right", "wrong"):
            cases.append((body, SECRETS[0], headers(body, SECRETS[0], "1", signed_as)["X-WORKS-Signature"]))

    assert judged(cases) == [True, False] * 3
