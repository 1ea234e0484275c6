"""Callbacks of LINE WORKS: signatures, and what makes an event the same one again."""

from __future__ import annotations

import base64
import hmac

import pytest

from renkei.systems.lineworks import callback
from renkei.systems.lineworks.callback import event_of, is_signed
from tests.harness.public_service import message

# Made with OpenSSL: printf '%s' BODY | openssl dgst -sha256 -hmac SECRET -binary | base64
BODY = '{"type":"message","content":{"type":"text","text":"出勤"}}'.encode()
SIGNATURES = {
    "bot-secret": b"s+oBUq8gKHIs2dERSMcXGPlMdd/caxv9w4Ez2io0ajM=",
    "秘密の鍵": b"LzEvg2QddPA5J7pFWJM8/VnOHxIgNVMHb+mIMFcdkmQ=",
}


@pytest.mark.parametrize("secret", SIGNATURES)
def test_p11_the_bot_secret_signs_the_body_as_it_was_sent(secret: str) -> None:
    signature = SIGNATURES[secret]
    assert is_signed(BODY, signature, ["another", secret])
    assert is_signed(BODY, signature, [secret, "another"])
    assert not is_signed(BODY + b"\n", signature, [secret])
    assert not is_signed(BODY, signature, ["another"])
    assert not is_signed(BODY, signature.lower(), [secret])
    assert not is_signed(BODY, b"", [secret])
    assert not is_signed(BODY, signature, [])


def test_p11_a_tenant_without_a_secret_has_not_signed_what_is_signed_with_our_stand_in() -> None:
    """The stand-in is in the source, for all to read."""
    nobodys = base64.b64encode(hmac.digest(callback._NOBODYS.encode(), BODY, "sha256"))
    assert not is_signed(BODY, nobodys, [])


def test_p13_an_event_is_the_same_by_whose_when_and_what() -> None:
    """LINE WORKS gives no id; a repetition may be written with other blanks."""
    first = event_of(message("出勤"))
    assert first
    spaced = event_of(message("出勤").replace(b": ", b" :  "))
    assert spaced
    assert first.same == spaced.same
    others = [message("退勤"), message("出勤", user="u2"), message("出勤", at="2026-04-01T00:00:00.001Z")]
    found = [event_of(body) for body in (*others, message("出勤", type="postback", data="x"))]
    assert len({first.same, *(event.same for event in found if event)}) == 5
