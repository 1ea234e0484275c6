"""One HTTP exchange over a `requests` Session, bounded alike for every client: in time, size and where it goes.

requests bounds each read from the socket, so that an answer may trickle in for hours, and takes in a body of any size.
Here every byte of an answer, from its first header on, is read under one deadline and one limit; and urllib3, which
names the URL of every request in its log, and with it a webhook's secret or a person (L6, L7), keeps silent.
"""

from __future__ import annotations

import io
import json
import logging
import re
import socket
import time
import unicodedata
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from http.client import HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import LocationValueError
from urllib3.poolmanager import ProxyManager

CONNECT_S = 10.0
PACKED = "gzip"  # how an answer may come, if at all
MAX_HEAD = 1 << 20  # bytes of an answer beside its body
_CHUNK = 1 << 16
HEADER_TEXT = re.compile(r"[\x21-\x7e]+")  # what of a secret a header can carry


class TooLongError(requests.RequestException):
    """The answer has more bytes, unpacked, than it may have."""


class Meter:
    """What is left to one answer: seconds and bytes."""

    def __init__(self, timeout_s: float, max_bytes: int) -> None:
        self.timeout_s, self.left = timeout_s, max_bytes
        self.is_connecting = self.is_asked = self.is_spent = False
        self.restart()

    def restart(self) -> None:
        """All the seconds are left again."""
        self.until = time.monotonic() + self.timeout_s

    def wait(self) -> float:
        """Seconds that are left. Raises: TimeoutError."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer takes too long")
        return left

    def take(self, count: int) -> None:
        """Raises: OSError."""
        self.left -= count
        if self.left < 0:
            self.is_spent = True
            raise OSError("the answer is too long")


class UnsendableError(requests.RequestException):
    """No request could be made of what the Connection says: its URL, or what its Extra adds."""


_meter: ContextVar[Meter] = ContextVar("meter of the exchange under way")
for _name in ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(lambda record: _meter.get(None) is None)  # other people's requests may speak


class _Metered(io.RawIOBase):
    """A socket's bytes under a meter."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, meter: Meter) -> None:
        self._raw, self._sock, self.meter = raw, sock, meter

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self.meter.wait())
        count = self._raw.readinto(buffer) or 0
        self.meter.take(count)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def metered(file: Any, sock: socket.socket, meter: Meter) -> io.BufferedReader:
    """What `sock.makefile("rb")` gives, under a meter; the meter is `raw.meter` of it."""
    return io.BufferedReader(_Metered(file.detach(), sock, meter), _CHUNK)


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        meter = _meter.get(None)
        if meter is not None:
            self.fp = metered(self.fp, sock, meter)


class _Metering:
    """Of a connection: what is sent has the answer's time, and not what the answer before has left."""

    sock: socket.socket | None

    def connect(self) -> None:
        meter = _meter.get(None)
        if meter is None:
            super().connect()  # type: ignore[misc]
            return
        meter.is_connecting = True
        super().connect()  # type: ignore[misc]
        meter.is_connecting = False
        meter.restart()
        self._set_time()

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._set_time()
        if meter := _meter.get(None):
            meter.is_asked = True
        super().request(*args, **kwargs)  # type: ignore[misc]

    def _set_time(self) -> None:
        meter = _meter.get(None)
        if meter is not None and self.sock is not None:
            self.sock.settimeout(meter.wait())


class _Http(_Metering, HTTPConnection):
    response_class = _Response


class _Https(_Metering, HTTPSConnection):
    response_class = _Response


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


_POOLS = {"http": _HttpPool, "https": _HttpsPool}


def bounded(session: requests.Session) -> requests.Session:
    """The Session, whose answers are read under the meter of `exchange` from now on."""
    if _forget_location not in session.hooks["response"]:
        session.hooks["response"].append(_forget_location)
    for adapter in session.adapters.values():
        if isinstance(adapter, HTTPAdapter):
            adapter.poolmanager.pool_classes_by_scheme = _POOLS
            adapter.proxy_manager_for = _metered_proxies(adapter)  # type: ignore[method-assign]
    return session


def _metered_proxies(adapter: HTTPAdapter) -> Callable[..., Any]:
    """The adapter's `proxy_manager_for`: the Extra of a Connection may name a proxy."""
    ask = adapter.proxy_manager_for

    def proxy_manager_for(proxy: str, **kwargs: Any) -> Any:
        manager = ask(proxy, **kwargs)
        if type(manager) is ProxyManager:  # one of SOCKS makes its connections in its own way
            manager.pool_classes_by_scheme = _POOLS
        return manager

    return proxy_manager_for


def own_session() -> requests.Session:
    """A Session that is not the http provider's: no proxy and no `.netrc` of the machine has a part in it."""
    session = bounded(requests.Session())
    session.trust_env = False
    session.headers["Accept-Encoding"] = PACKED
    return session


def exchange(
    session: requests.Session,
    method: str,
    url: str,
    *,
    timeout_s: float,
    max_bytes: int,
    connect_s: float = CONNECT_S,
    **kwargs: Any,
) -> requests.Response:
    """The answer with its body taken in. No redirect is followed: it would carry the token away.

    `timeout_s` from when there is a connection to the last byte, `max_bytes` bytes of body, unpacked. The Session is `bounded`.

    Raises:
        TooLongError: the body is longer.
        UnsendableError: repeating it will not help.
        requests.RequestException: no connection, no whole answer in time, or one that is no HTTP.
    """
    if not url.isprintable():
        raise UnsendableError
    meter = Meter(timeout_s, max_bytes + MAX_HEAD)
    token = _meter.set(meter)
    try:
        timeout = (connect_s, timeout_s)
        with session.request(method, url, timeout=timeout, allow_redirects=False, stream=True, **kwargs) as response:
            body = bytearray()
            for chunk in response.iter_content(_CHUNK):
                body += chunk
                if len(body) > max_bytes:
                    raise TooLongError
                meter.wait()
    except TimeoutError as error:
        raise requests.Timeout from error
    except (UnicodeError, LocationValueError) as error:  # a header that HTTP cannot carry, a host that is none
        raise UnsendableError from error
    except requests.RequestException as error:
        if meter.is_spent:
            raise TooLongError from error
        if isinstance(error, ValueError) and not meter.is_asked:  # InvalidURL, InvalidSchema and their kind
            raise UnsendableError from error
        error.is_unsent = meter.is_connecting  # type: ignore[attr-defined]
        raise
    except ValueError as error:  # the length of a chunk below nothing
        raise requests.exceptions.InvalidHeader from error
    except OSError as error:  # of requests itself where Extra's verify or cert names a file that is not there
        raise (UnsendableError if error.errno is None else requests.ConnectionError) from error
    finally:
        _meter.reset(token)
    response._content = bytes(body)
    return response


def is_unsent(error: requests.RequestException) -> bool:
    """Whether nothing of the request can have been read: no connection came about."""
    return isinstance(error, requests.ConnectTimeout) or getattr(error, "is_unsent", False)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The header Retry-After: seconds, or a date."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdecimal():
        return float(value[:6])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def _forget_location(response: requests.Response, *_: Any, **__: Any) -> None:
    """Without it, requests reads all of a redirect's body and parses its target, although it is not to follow it."""
    response.headers.pop("location", None)


def json_of(content: bytes) -> Any:
    """The JSON, which is UTF-8 whatever the headers say.

    Raises:
        ValueError: it is something else, is nested too deeply, or holds numbers that JSON does not have.
    """
    try:
        return json.loads(content.decode(), parse_constant=_refuse_number, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _finite(text: str) -> float:
    return float(text) if abs(float(text)) < float("inf") else _refuse_number(text)


def _refuse_number(text: str) -> float:
    raise ValueError("not a number of JSON")


def token_fault(token: str) -> str:
    """What of a token no HTTP header can carry, by place and kind, in Japanese; "" if nothing is."""
    for place, character in enumerate(token, start=1):
        if not HEADER_TEXT.fullmatch(character):
            return f"{place}文字目が{_kind(character)}です"
    return ""


def _kind(character: str) -> str:
    if character in "\r\n":
        return "改行"
    if character.isspace() or unicodedata.category(character) in ("Cc", "Cf"):
        return "空白または見えない文字"
    return "全角文字" if unicodedata.east_asian_width(character) in "FW" else "半角英数字と記号以外の文字"
