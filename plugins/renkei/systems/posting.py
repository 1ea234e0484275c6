"""One HTTP request to a chat service, bounded in time and size; what went wrong on the way is a `Delivery`."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import threading
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from renkei.systems.messaging import Delivery, later, refused, unknown

# Both name the URL of every request, and with it a webhook's secret (L7): httpx at INFO, httpcore at DEBUG.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

CONNECT_S, ANSWER_S = 5.0, 15.0  # to connect; from then on, for the whole answer
BYTES_MOST = 64 * 1024  # of an answer


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said; `json` is None where it is no JSON."""

    status: int
    text: str
    headers: httpx.Headers

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None

    @property
    def retry_after_s(self) -> float | None:
        """The header Retry-After: seconds, or a date."""
        value = self.headers.get("retry-after", "").strip()
        if value.isascii() and value.isdecimal():
            return float(value[:6])
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
        except (ValueError, TypeError, OverflowError):
            return None


def request(method: str, url: str, *, transport: httpx.BaseTransport | None = None, **kwargs: Any) -> Answer | Delivery:
    """The answer, whatever its status; a `Delivery` where there is none.

    LATER when the request cannot have been sent (no such host, refused, no TLS); UNKNOWN when it may have been.
    Redirects are not followed and no proxy or `.netrc` of the machine is used: they would carry the secret away.
    """
    timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
    try:
        with (
            _Deadline(CONNECT_S + ANSWER_S) as deadline,
            httpx.Client(transport=transport, timeout=timeout, trust_env=False, follow_redirects=False) as client,
            client.stream(method, url, extensions={"trace": deadline.watch}, **kwargs) as response,
        ):
            return Answer(response.status_code, _read(response), response.headers)
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, ValueError) as error:  # ValueError: a host that IDNA refuses
        return refused(None, type(error).__name__)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        return later(None, type(error).__name__)
    except (httpx.HTTPError, _TooLongError) as error:
        return unknown(None, type(error).__name__)


class _Deadline:
    """Cuts the connection after `seconds`: httpx bounds each read, so that headers may trickle in for ever."""

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._stream: Any = None

    def watch(self, event: str, info: dict[str, Any]) -> None:
        """httpcore's trace: the stream as it is after connecting, and after TLS."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._stream = info["return_value"]

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _cut(self) -> None:
        if self._stream is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(
                    self._stream.get_extra_info("socket"), socket.SHUT_RDWR
                )  # not the one of TLS, which waits


class _TooLongError(Exception):
    """The answer takes too long, or is too long."""


def _read(response: httpx.Response) -> str:
    content, until = b"", time.monotonic() + ANSWER_S
    for part in response.iter_bytes():
        content += part
        if len(content) > BYTES_MOST or time.monotonic() > until:
            raise _TooLongError
    return content.decode("utf-8", "replace")


def passing(status: int, reason: str, retry_after_s: float | None = None) -> Delivery | None:
    """What 408, 429 and 5xx mean where no key keeps a repetition from being sent twice; None for every other status.

    429 and 503 say that the request was not taken up. After any other 5xx it may have been.
    """
    if status in (429, 503):
        return later(status, reason, retry_after_s)
    if status == 408 or status >= 500:
        return unknown(status, reason)
    return None
