"""What every client's exchange holds to (L6, L7); hostile answers are in tests/contract."""

from __future__ import annotations

import contextlib
import logging
import socket

import pytest
import requests

from renkei.systems.transport import UnsendableError, exchange, is_unsent, own_session
from tests.unit.systems.line.wire import Wire, http

SECRET = "/services/T0/B0/himitsu"


def get(url: str) -> requests.Response:
    with own_session() as session:
        return exchange(session, "GET", url, timeout_s=5, max_bytes=1000)


@pytest.mark.parametrize(
    "answer",
    [http(200, "{}"), http(200, "{}").replace(b"Connection", b"no header\r\nConnection"), b"HTTP/1.1 200\r\n\r\n", b"x", b""],
    ids=["plain", "odd headers", "no length", "no HTTP", "closed"],
)  # fmt: skip
def test_l7_urllib3_names_no_url_of_ours(answer: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """L7: neither at DEBUG, nor at WARNING of headers that it cannot read."""
    caplog.set_level(logging.DEBUG)
    with Wire(lambda _: answer) as server:
        with contextlib.suppress(requests.RequestException):
            get(server.url + SECRET)
        assert server.seen
    assert caplog.records == []


def test_l7_urllib3_may_speak_of_others(caplog: pytest.LogCaptureFixture) -> None:
    """Before, between and after our own requests."""
    caplog.set_level(logging.DEBUG)
    with Wire(lambda _: http(200, "{}")) as server:
        get(server.url)
        requests.get(server.url + "/theirs", timeout=5)
    assert "/theirs" in caplog.text


def test_n1_what_met_nobody_is_unsent() -> None:
    """N1: a port that nobody listens to; one that is hung up may have been read."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(requests.RequestException) as refused:
        get(url)
    with Wire(lambda _: b"") as server, pytest.raises(requests.RequestException) as cut:
        get(server.url)
    assert (is_unsent(refused.value), is_unsent(cut.value)) == (True, False)


@pytest.mark.parametrize(
    "url",
    ["", "hooks.example/x", "ftp://hooks.example/", "https://[", "https://" + "a" * 64 + ".example/", "https://a..example/",
     "https://hooks.example/\r\nX-Evil: 1", "https://hooks.example/\ud800"],
    ids=ascii,
)  # fmt: skip
def test_n1_url_that_is_none_is_unsendable(url: str) -> None:
    """N1: so is a host that IDNA refuses; repeating does not help."""
    with pytest.raises(UnsendableError):
        get(url)
