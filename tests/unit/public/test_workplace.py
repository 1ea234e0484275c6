"""Who signed an event of WORKPLACE's, and when (W1)."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from renkei.public import workplace
from renkei.public.workplace import WINDOW_S, is_signed

BODY, NOW = b'{"event":"approved"}', 1_800_000_000.0
STAMP = str(int(NOW))


def signature(secret: str = "secret", stamp: str = STAMP, body: bytes = BODY) -> str:
    """As the contract has it."""
    return "v1=" + hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("secrets", [["secret"], ["secret", "former"], ["new", "secret"]])
def test_w1_any_secret_that_counts_signs(secrets: list[str]) -> None:
    assert is_signed(BODY, STAMP, signature(), secrets, NOW)


@pytest.mark.parametrize(
    ("given", "stamp", "secrets"),
    [
        pytest.param(signature("another"), STAMP, ["secret"], id="another secret"),
        pytest.param(signature(body=BODY + b" "), STAMP, ["secret"], id="another body"),
        pytest.param(signature(), str(int(NOW) + 1), ["secret"], id="another time"),
        pytest.param(signature()[3:], STAMP, ["secret"], id="no version"),
        pytest.param("", STAMP, ["secret"], id="none"),
        pytest.param(signature(stamp="now"), "now", ["secret"], id="no time"),
        pytest.param(signature(), STAMP, [], id="no secret"),
        pytest.param(signature(workplace._NOBODYS), STAMP, [], id="nobody's"),
    ],
)
def test_w1_what_nobody_signed_is_not_let_in(given: str, stamp: str, secrets: list[str]) -> None:
    assert not is_signed(BODY, stamp, given, secrets, NOW)


@pytest.mark.parametrize(
    ("late", "let_in"), [(WINDOW_S, True), (WINDOW_S + 1, False), (-WINDOW_S, True), (-WINDOW_S - 1, False)]
)
def test_w3_what_was_sent_long_ago_or_is_yet_to_be_is_not_let_in(late: int, let_in: bool) -> None:
    """Who saw a request cannot send it once more later."""
    assert is_signed(BODY, STAMP, signature(), ["secret"], NOW + late) is let_in
