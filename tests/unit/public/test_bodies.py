"""A request's body is read no further than its bound (P11)."""

from __future__ import annotations

import asyncio

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from renkei.public.bodies import body_of


class Sender:
    """Sends parts of a body one by one, of so many altogether."""

    def __init__(self, part: bytes, count: int, **headers: str) -> None:
        self.part, self.count, self.sent = part, count, 0
        self.headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]

    async def receive(self) -> Message:
        self.sent += 1
        return {"type": "http.request", "body": self.part, "more_body": self.sent < self.count}

    def read(self, most: int) -> bytes:
        return asyncio.run(body_of(Request({"type": "http", "headers": self.headers}, self.receive), most))


def test_p11_a_body_may_have_as_many_bytes_as_is_said() -> None:
    assert Sender(b"abc", 2).read(6) == b"abcabc"


def test_p11_a_body_that_does_not_say_how_long_it_is_is_not_read_to_its_end() -> None:
    """It is sent in parts, or is longer than its Content-Length: the memory that it takes is bounded all the same."""
    sender = Sender(b"abc", 1_000, content_length="3")
    with pytest.raises(HTTPException) as refused:
        sender.read(6)
    assert (refused.value.status_code, sender.sent) == (413, 3)


@pytest.mark.parametrize("declared", ["7", "99999999999999999999999", "-1", "1e3", "\u0663"])
def test_p11_what_is_said_to_be_too_long_is_not_read_at_all(declared: str) -> None:
    sender = Sender(b"abc", 2, content_length=declared)
    with pytest.raises(HTTPException) as refused:
        sender.read(6)
    assert (refused.value.status_code, sender.sent) == (413, 0)
