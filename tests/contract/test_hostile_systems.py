"""SmartHR, EMC, kintone and Hot Profile answered by somebody who means harm: bounded in time and memory, told in Japanese, no token elsewhere.

The seconds that clients wait are a fraction of the real ones.
"""

from __future__ import annotations

import datetime as dt
import functools
import gzip
import json
import smtplib
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
import requests

from renkei.errors import RenkeiError, RetriableFetchError, RetriableLoadError
from renkei.systems.emc import client as emc
from renkei.systems.emc.client import EmcClient
from renkei.systems.hotprofile import client as hotprofile
from renkei.systems.hotprofile.client import HotProfileClient
from renkei.systems.kintone import client as kintone
from renkei.systems.kintone.client import KintoneClient
from renkei.systems.kintone.errors import KintoneAwayError
from renkei.systems.mail.client import BoundedSMTP
from renkei.systems.smarthr import client as smarthr
from renkei.systems.smarthr import oauth
from renkei.systems.smarthr.client import SmartHRClient
from renkei.systems.smarthr.oauth import OAuthError, OAuthSettings, SmartHROAuth
from tests.harness.hostile import MARK, Hostile, Play, drip, hang, http, said
from tests.harness.patience import within

SECONDS = 0.2  # to connect, and for an answer
MAX_BYTES = 200_000  # bytes of one
NOW = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {MARK}"
        yield session


@functools.cache
def bomb(packed: int) -> bytes:
    """Three hundred million blanks, packed so many times."""
    return gzip.compress(b" " * 300_000_000, 9) if packed == 1 else gzip.compress(bomb(packed - 1))


@pytest.fixture(scope="module", autouse=True)
def _made_before() -> None:
    """Tables take seconds to import, bombs to make: not what is measured here."""
    import pandas  # noqa: F401
    import pyarrow  # noqa: F401

    bomb(2)


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (smarthr, emc, kintone, hotprofile):
        monkeypatch.setattr(module, "ANSWER_S", SECONDS)
        monkeypatch.setattr(module, "MAX_BODY", MAX_BYTES)
        monkeypatch.setattr(module, "TRIES", 1)
    monkeypatch.setattr(emc, "LONG_S", SECONDS)
    monkeypatch.setattr(oauth, "ANSWER_S", SECONDS)
    monkeypatch.setattr(oauth, "CONNECT_S", SECONDS)
    monkeypatch.setattr("renkei.systems.transport.CONNECT_S", SECONDS)
    monkeypatch.setattr("renkei.systems.transport.MAX_HEAD", MAX_BYTES)
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.01)))


Ask = Callable[[requests.Session, str], Any]
CALLS: dict[str, tuple[Ask, type[RenkeiError]]] = {
    "SmartHR list": (
        lambda session, url: SmartHRClient(session, url, 1000).read_all("departments"),
        RetriableFetchError,
    ),
    "SmartHR token": (
        lambda session, url: SmartHROAuth(OAuthSettings("id", MARK, token_url=url), session).renew(MARK, NOW),
        OAuthError,
    ),
    "EMC outcome": (lambda session, url: EmcClient(session, url).find_import("k"), RetriableLoadError),
    "EMC search": (
        lambda session, url: EmcClient(session, url).find("users", ["u1"], ["ユーザID"]),
        RetriableLoadError,
    ),
    "EMC export": (lambda session, url: EmcClient(session, url).export("users", ["ユーザID"]), RetriableLoadError),
    "EMC import": (
        lambda session, url: EmcClient(session, url).submit("k", "acme", "d", None, None),
        RetriableLoadError,
    ),
    "kintone upsert": (
        lambda session, url: KintoneClient(session, url).upsert("1", "code", [("1", {})]),
        KintoneAwayError,
    ),
    "Hot Profile list": (
        lambda session, url: HotProfileClient(session, url, MARK).by_id("companies", ["1"]),
        RetriableFetchError,
    ),
}
JSON = "Content-Type: application/json"
LIST_HEADERS = ("x-total-count: 1", "x-page: 1", "x-per-page: 100")
HEAD = b"HTTP/1.1 200 OK\r\nx-total-count: 1\r\n"
PLAYS: dict[str, Play] = {
    "hangs": hang,
    "drips headers": drip(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n", 0.02),
    "drips a header": drip(b"HTTP/1.1 200 OK\r\nX-A: ", b"b", 0.02),
    "endless header": drip(b"HTTP/1.1 200 OK\r\nX-A: ", b"b" * 60_000, 0),
    "endless continue": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.002),
    "drips a body": drip(HEAD + b"Content-Length: 100000\r\n\r\n", b" ", 0.02),
    "drips chunks": drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", 0.02),
    "endless body": drip(HEAD + b"\r\n", b" " * 60_000, 0),
    "endless chunk size": drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 60_000, 0),
    "gzip bomb": lambda caller: said("200 OK", bomb(1), "Content-Encoding: gzip", JSON, *LIST_HEADERS)(caller),
    "gzip bomb in a bomb": lambda caller: said("200 OK", bomb(2), "Content-Encoding: gzip, gzip", JSON, *LIST_HEADERS)(caller),
    "chunk below nothing": lambda caller: caller.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n[]"),
    "no time": said("408 Request Timeout"),
    "no sensible time": lambda caller: caller.sendall(b"HTTP/1.1 429 Wait\r\nRetry-After: \xb2\r\nContent-Length: 0\r\n\r\n"),
    "deep": said("200 OK", b"[" * 90_000 + b"]" * 90_000, JSON, *LIST_HEADERS),
    "deep object": said("200 OK", b'{"a":' * 30_000 + b"1" + b"}" * 30_000, JSON, *LIST_HEADERS),
    "long number": said("200 OK", b"[" + b"9" * 100_000 + b"]", JSON, *LIST_HEADERS),
    "not a number": said("200 OK", b'[{"id": NaN}]', JSON, *LIST_HEADERS),
    "not UTF-8": said("200 OK", b'[{"id": "\xff"}]', JSON, *LIST_HEADERS),
    "false gzip": said("200 OK", b"plain", "Content-Encoding: gzip", *LIST_HEADERS),
    "huge redirect": drip(b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 9000000000\r\n\r\n", b" " * 60_000, 0),
    "huge error": drip(b"HTTP/1.1 500 Oops\r\nContent-Length: 9000000000\r\n\r\n", b" " * 60_000, 0),
    "speaks no HTTP": lambda caller: caller.sendall(b"220 mail.example ESMTP\r\n"),
    "cuts its answer": lambda caller: caller.sendall(http("200 OK", b"[]" + b" " * 90)[:-40]),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("play", PLAYS)
def test_l1_answer_that_means_harm_is_an_error_in_time(
    hostile: Hostile, session: requests.Session, play: str, call: str
) -> None:
    """A message that says to try again, within the seconds that it may take, and in little memory."""
    hostile.play = PLAYS[play]
    ask, error = CALLS[call]
    tracemalloc.start()
    try:
        with within(2 * SECONDS + 10), pytest.raises(error) as caught:
            ask(session, hostile.url)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40_000_000
    assert MARK not in str(caught.value)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_l7_token_is_not_sent_after_a_redirect(
    hostile: Hostile, session: requests.Session, call: str, status: int
) -> None:
    """The other host sees not even a connection."""
    with closing(Hostile()) as elsewhere:
        hostile.play = said(f"{status} Elsewhere", b"{}", f"Location: {elsewhere.url}/{MARK}", JSON, *LIST_HEADERS)
        with pytest.raises(RenkeiError):
            CALLS[call][0](session, hostile.url)
        assert hostile.seen
        assert elsewhere.callers == 0


@pytest.mark.parametrize("call", CALLS)
def test_l1_proxy_that_means_harm_is_an_error_in_time(hostile: Hostile, session: requests.Session, call: str) -> None:
    """The Extra of a Connection may name one: its answers are bounded like those of the service."""
    hostile.play = PLAYS["drips headers"]
    session.trust_env, session.proxies = False, {"http": hostile.url}
    ask, error = CALLS[call]
    with within(2 * SECONDS + 10), pytest.raises(error):
        ask(session, "http://emc.example")
    assert hostile.callers == 1


IMPORT = {
    "id": "imp_1",
    "key": "k",
    "state": "committed",
    "errors": [],
    "notices": [],
    "counts": None,
    "error_count": 0,
}
FINDING = {"file": "users", "line": 1, "item": None, "code": "TOO_LONG", "message": "長すぎます"}


@pytest.mark.parametrize(
    "bend",
    [
        *({key: odd} for key in ("id", "key", "state") for odd in (None, 5, [], {}, "")),
        {"id": "../accounts"},
        {"id": ".."},
        {"id": "a?b"},
        {"counts": 5},
        {"counts": {"users": {"added": "1"}}},
        {"error_count": "1"},
        {"errors": 5},
        {"errors": {"a": 1}},
        *({"errors": [{**FINDING, key: odd}]} for key in ("line", "file", "message") for odd in (None, "1x" if key == "line" else 1, [], {})),
        {"errors": ["x"]},
        {"notices": [None]},
    ],
    ids=str,
)  # fmt: skip
def test_l1_import_that_is_not_as_the_contract_has_it_is_no_outcome(
    hostile: Hostile, session: requests.Session, bend: dict[str, Any]
) -> None:
    """So nothing is known of the outcome, and the baseline stays."""
    hostile.play = said("200 OK", json.dumps({"imports": [{**IMPORT, **bend}]}).encode(), JSON)
    with pytest.raises(RetriableLoadError):
        EmcClient(session, hostile.url).find_import("k")


@pytest.mark.parametrize(
    "items",
    [
        None,
        5,
        {},
        [5],
        [{}],
        [{"ユーザID": None}],
        [{"ユーザID": 5}],
        [{"ユーザID": "\ud800"}],
        [{"ユーザID": "u1"}, {"ユーザID": "u1"}],
    ],
)
def test_l1_found_items_are_as_the_contract_has_them(hostile: Hostile, session: requests.Session, items: Any) -> None:
    """An item that EMC leaves out is not a blank one."""
    hostile.play = said("200 OK", json.dumps({"version": 1, "items": items}).encode(), JSON)
    with pytest.raises(RetriableLoadError):
        EmcClient(session, hostile.url).find("users", ["u1"], ["ユーザID"])


GREETING = b"220 mail.example ESMTP\r\n"
MAIL_PLAYS: dict[str, Play] = {
    "hangs": hang,
    "drips its greeting": drip(b"220", b"-", 0.02),
    "endless greeting": drip(b"220", b"-" * 60_000, 0),
    "endless lines": drip(b"", b"220-mail.example\r\n" * 3000, 0),
    "drips lines": drip(b"", b"220-mail.example\r\n", 0.02),
    "endless answer": drip(GREETING, b"250-HELP\r\n" * 3000, 0),
    "drips its answer": drip(GREETING, b"250-HELP\r\n", 0.02),
    "no SMTP": drip(b"HTTP/1.1 200 OK\r\n", b"<html>", 0),
}


def hello(address: str) -> None:
    with closing(BoundedSMTP(address, timeout=SECONDS, local_hostname="here")) as mail:
        mail.ehlo_or_helo_if_needed()


@pytest.mark.parametrize("play", MAIL_PLAYS)
def test_l1_mail_server_that_means_harm_is_an_error_in_time(hostile: Hostile, play: str) -> None:
    """Each of its replies has one deadline and one limit."""
    hostile.early, hostile.play = True, MAIL_PLAYS[play]
    address = hostile.url.removeprefix("http://")
    tracemalloc.start()
    try:
        with within(4 * SECONDS + 10), pytest.raises(smtplib.SMTPException):
            hello(address)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000
