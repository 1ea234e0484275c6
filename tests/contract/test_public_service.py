"""The public service with a real server: callbacks are kept before they are answered, and nothing else is told."""

from __future__ import annotations

import contextlib
import functools
import gzip
import http.client
import logging
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from renkei.errors import ConnectionError_, StoreError
from renkei.inbox import receiver
from renkei.inbox.inbox import Inbox
from renkei.inbox.receiver import Receiver
from renkei.inbox.tables import State
from renkei.public import app, bodies, receiving
from renkei.public.app import build
from renkei.public.lineworks import Callbacks
from renkei.public.secrets import NoSecretError, Secrets
from renkei.public.server import Server, server
from renkei.storage.database.database import open_database
from tests.harness.inbox_programs import LINK, PLAIN, TENANT
from tests.harness.public_service import PATH, SECRET, PublicService, message, signed

WAIT_S = 150


class World:
    """A server in a thread of this process, and the inbox behind it."""

    def __init__(self, folder: Path) -> None:
        self.database = f"sqlite:///{folder}/renkei.db"
        self.receiver = functools.cache(lambda: Receiver(self.database, PLAIN))
        self.health: list[Exception] = []
        self.secret: str | Exception = SECRET
        callbacks = Callbacks(LINK, Secrets(self._secret), lambda: self.receiver(), self._wants)
        self.server: Server = server(
            build([callbacks.route(), Route("/broken", self._broken)], self._check), "127.0.0.1", 0
        )
        self._thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self) -> World:
        self._thread.start()
        begun = threading.Event()
        while not self.server.started:
            assert self._thread.is_alive(), "the server did not begin"
            begun.wait(0.01)
        self.url = self.server.url
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self._thread.join(WAIT_S)

    def post(self, body: bytes, path: str = PATH, **headers: str) -> requests.Response:
        return requests.post(f"{self.url}{path}", body, headers=signed(body) | headers, timeout=WAIT_S)

    def kept(self) -> list[bytes]:
        inbox = Inbox(open_database(self.database), PLAIN, LINK, TENANT)
        return [one.body() for one in inbox.listed(State.WAITING, 10_000)]

    def _secret(self, tenant: str) -> str | None:
        if tenant != TENANT:
            return None
        if isinstance(self.secret, Exception):
            raise self.secret
        return self.secret

    def _check(self) -> None:
        for error in self.health:
            raise error

    @staticmethod
    def _wants(_tenant: str, event: object) -> bool:
        return not event.channel_id  # type: ignore[attr-defined]

    @staticmethod
    async def _broken(_: Request) -> Response:
        raise ZeroDivisionError("山田 9:00")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else this machine does."""
    monkeypatch.setattr(receiving, "WRITTEN_WITHIN_S", WAIT_S)
    monkeypatch.setattr(bodies, "WITHIN_S", WAIT_S)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as running:
        yield running


def test_p12_a_signed_message_is_kept_as_it_came_and_answered(world: World) -> None:
    body = message("出勤", user="山田")
    answer = world.post(body)
    assert (answer.status_code, answer.content) == (200, b"")
    assert world.kept() == [body]


def test_p11_what_is_not_signed_is_refused_whoever_it_is_for(world: World) -> None:
    """A tenant that there is not answers as one that there is: nobody learns who our customers are."""
    body = message("出勤")
    for headers in (
        {"X-WORKS-Signature": "x"},
        {"X-WORKS-Signature": "é".encode().decode("latin-1")},
        signed(body, "other"),
    ):
        assert world.post(body, **headers).status_code == 401
    known = requests.post(f"{world.url}{PATH}", body, timeout=WAIT_S)
    strangers = [
        world.post(body, f"/renkei/lineworks/{name}/callback") for name in ("nobody", "ACME", "a__b", "%2e%2e")
    ]
    for answer in (known, *strangers):
        assert (answer.status_code, answer.content) == (401, b"")
        assert {**answer.headers, "date": ""} == {**known.headers, "date": ""}
    changed = world.post(body + b" ", **signed(body))
    assert changed.status_code == 401
    assert world.kept() == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing",
        b"[" * 60_000,
        b"9" * 60_000,
        b'"\xff"',
        b"[]",
        b'{"type": "message"}',
        message("x", type="begin"),
        message("x", type="of tomorrow"),
        message("x", source={"channelId": "c"}),
        message("x", source={"userId": "u1", "channelId": "a group"}),
        message("x", at=""),
    ],
    ids=lambda body: body[:40].decode("utf-8", "replace"),
)
def test_p11_what_is_signed_and_no_message_for_us_is_well_and_not_kept(world: World, body: bytes) -> None:
    assert world.post(body).status_code == 200
    assert world.kept() == []


def test_p11_a_body_is_bounded_while_it_is_read(world: World) -> None:
    """Whether it says how long it is, or says nothing and never ends."""
    most = message("x" * (bodies.MOST_BYTES - len(message(""))))
    assert len(most) == bodies.MOST_BYTES
    assert world.post(most).status_code == 200
    long = most + b" "
    with contextlib.suppress(requests.ConnectionError):  # closed on us while we were sending
        assert world.post(long).status_code == 413
    sent = 0

    def parts() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(100_000):
            sent += 1024
            yield b" " * 1024

    with contextlib.suppress(requests.ConnectionError):
        assert requests.post(f"{world.url}{PATH}", parts(), headers=signed(long), timeout=WAIT_S).status_code == 413
    assert sent < 100_000 * 1024
    assert world.kept() == [most]


def test_p11_a_compressed_body_is_taken_as_it_is(world: World) -> None:
    """It is not unpacked: a few bytes might become gigabytes."""
    body = message("出勤")
    packed = gzip.compress(body)
    assert world.post(packed, **signed(body), **{"Content-Encoding": "gzip"}).status_code == 401
    assert world.post(packed, **{"Content-Encoding": "gzip"}).status_code == 200
    assert world.kept() == []


def test_p11_a_body_that_does_not_come_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "WITHIN_S", 0.05)
    address = urlsplit(world.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=WAIT_S)
    connection.putrequest("POST", PATH)
    connection.putheader("Content-Length", "100")
    connection.endheaders(b"{")
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Connection"]) == (408, "close")
    assert connection.sock is None or connection.sock.recv(1) == b""
    connection.close()


def test_the_head_of_a_request_is_bounded(world: World) -> None:
    address = urlsplit(world.url)
    with socket.create_connection((address.hostname, address.port), timeout=WAIT_S) as raw:
        answer = b""
        with contextlib.suppress(ConnectionError):  # closed on us while we were sending
            raw.sendall(b"GET /health HTTP/1.1\r\nX: " + b"x" * 1_000_000)
            while part := raw.recv(1024):
                answer += part
    assert answer.split(b"\r\n")[0] in (b"", b"HTTP/1.1 400 Bad Request")


def test_p12_while_the_database_is_away_nothing_is_said_to_be_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> Receiver:
        raise StoreError("データベースがありません。")

    there = world.receiver
    world.receiver = away  # type: ignore[assignment]
    assert world.post(message("出勤")).status_code == 503
    stuck = threading.Event()
    monkeypatch.setattr(receiving, "WRITTEN_WITHIN_S", 0.05)
    monkeypatch.setattr("renkei.inbox.receiver.open_database", lambda url: stuck.wait(WAIT_S) and open_database(url))
    world.receiver = there
    assert world.post(message("出勤")).status_code == 503
    stuck.set()  # it is written after all; nobody was told that it was not
    monkeypatch.setattr(receiving, "WRITTEN_WITHIN_S", WAIT_S)
    assert world.post(message("出勤")).status_code == 200
    assert world.kept() == [message("出勤")]


def test_p12_a_database_that_cannot_be_opened_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver, "TRIED_FOR_S", 0.0)
    (tmp_path / "file").touch()
    with World(tmp_path / "file") as world:
        assert world.post(message("出勤")).status_code == 503


def test_p12_where_the_secret_cannot_be_told_nothing_is_refused_for_good(world: World) -> None:
    """The sender may be right: 401 would say that it is not."""
    world.secret = ConnectionError_("Airflowの接続がありません。")
    assert world.post(message("出勤")).status_code == 503


def test_p11_a_tenant_without_a_secret_is_refused_and_the_log_says_so_once_a_minute(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "TOLD_EVERY_S", 1e6)
    with World(tmp_path) as world:
        world.secret = NoSecretError("acmeにはBot Secretがありません。")
        assert [world.post(message("出勤")).status_code for _ in range(3)] == [401] * 3
    assert [entry.getMessage() for entry in caplog.records if "Bot Secret" in entry.getMessage()] == [
        "lineworks callback: acmeにはBot Secretがありません。"
    ]


def test_p12_killed_between_write_and_answer_the_same_message_again_is_one(tmp_path: Path) -> None:
    database, body = f"sqlite:///{tmp_path}/renkei.db", message("出勤")
    with ThreadPoolExecutor() as others:
        dying = PublicService.start(database, "--stop-after-write")
        asking = others.submit(requests.post, dying.url + PATH, body, headers=signed(body), timeout=WAIT_S)
        assert dying.process is not None
        assert dying.process.stdout is not None
        line = dying.process.stdout.readline()
        dying.stop(kill=True)
        assert line == "WRITTEN\n", f"{line!r}"
        with pytest.raises(requests.ConnectionError):
            asking.result(WAIT_S)
    with PublicService.start(database) as next_one:
        assert requests.post(next_one.url + PATH, body, headers=signed(body), timeout=WAIT_S).status_code == 200
    inbox = Inbox(open_database(database), PLAIN, LINK, TENANT)
    assert [one.body() for one in inbox.listed(State.WAITING, 8)] == [body]


def test_p13_two_receivers_take_a_thousand_messages_and_their_repeats_once(tmp_path: Path) -> None:
    """In one SQLite file; one in two comes again, to the other receiver."""
    database = f"sqlite:///{tmp_path}/renkei.db"
    bodies_ = [message(str(number), user=f"u{number % 50}") for number in range(700)]
    sent = [(number % 2, body) for number, body in enumerate(bodies_)]
    sent += [(number % 2, body) for number, body in enumerate(bodies_[1:301])]
    with PublicService.start(database) as one, PublicService.start(database) as two, ThreadPoolExecutor(16) as senders:

        def send(which: int, body: bytes) -> int:
            answer = requests.post((one, two)[which].url + PATH, body, headers=signed(body), timeout=WAIT_S)
            return int(answer.status_code)

        answers = list(senders.map(lambda pair: send(*pair), sent))
    assert answers == [200] * 1000
    inbox = Inbox(open_database(database), PLAIN, LINK, TENANT)
    assert sorted(one.body() for one in inbox.listed(State.WAITING, 10_000)) == sorted(bodies_)


def test_a_flood_of_refusals_from_one_address_is_not_listened_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is answered well never counts: LINE WORKS has one address for all tenants.

    Whose address it is, is a proxy's to say, where one is named.
    """
    monkeypatch.setattr(app, "REFUSALS_AT_ONCE", 3)
    monkeypatch.setattr(app, "REFUSALS_PER_S", 1e-6)
    with World(tmp_path) as world:
        assert [world.post(message("出勤")).status_code for _ in range(5)] == [200] * 5
        found = [
            requests.get(f"{world.url}/wp-login.php", headers={"X-Forwarded-For": address}, timeout=WAIT_S).status_code
            for address in ("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5")
        ]
    assert found == [404, 404, 404, 429, 429]


def test_l5_wrong_signatures_take_nothing_from_what_is_rightly_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LINE WORKS sends for all tenants from the same addresses: one with a wrong secret would shut out every other."""
    monkeypatch.setattr(app, "REFUSALS_AT_ONCE", 3)
    monkeypatch.setattr(app, "REFUSALS_PER_S", 1e-6)
    with World(tmp_path) as world:
        body = message("出勤")
        wrong = [world.post(body, "/renkei/lineworks/other/callback").status_code for _ in range(5)]
        right = world.post(body).status_code
        page = requests.get(f"{world.url}/renkei/line/callback", timeout=WAIT_S).status_code
    assert (wrong, right, page) == ([401, 401, 401, 429, 429], 200, 429)


def test_l5_a_tenant_that_sends_without_end_harms_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "AT_ONCE", 3)
    monkeypatch.setattr(receiving, "PER_S", 1e-6)
    with World(tmp_path) as world:
        body = message("出勤")
        unsigned = [world.post(body, **{"X-WORKS-Signature": "x"}).status_code for _ in range(5)]
        answers = [world.post(message(str(number))) for number in range(4)]
    assert unsigned == [401] * 5  # and these take nothing from who is right
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].headers["Retry-After"] == "10"


def test_every_answer_has_the_headers_and_tells_nothing_of_us(world: World) -> None:
    addresses = ("/health", "/", "/renkei/broken", PATH, "/renkei/lineworks/acme/callback/")
    answers = [requests.get(world.url + address, timeout=WAIT_S, allow_redirects=False) for address in addresses]
    assert [answer.status_code for answer in answers] == [200, 404, 503, 405, 404]
    for answer in answers:
        assert "Server" not in answer.headers
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.text in ("", "ok\n")


def test_l6_nothing_of_a_request_is_in_a_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.post(message("9:00 出勤", user="suzuki@example.jp"))
    world.post(b'{"text": "9:00 ', **{"X-WORKS-Signature": "signature-of-nobody"})
    requests.get(f"{world.url}/renkei/broken?code=secret-code", timeout=WAIT_S)
    ours = [entry.getMessage() for entry in caplog.records if not entry.name.startswith("urllib3")]
    assert any("ZeroDivisionError" in said for said in ours)
    for word in ("suzuki", "出勤", "9:00", "signature-of-nobody", "secret-code", SECRET, "山田"):
        assert not any(word in said for said in ours), (word, ours)


def test_health_is_that_of_what_a_request_needs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "HEALTH_S", 0.0)
    assert requests.get(f"{world.url}/health", timeout=WAIT_S).status_code == 200
    world.health.append(StoreError("データベースがありません。"))
    assert requests.get(f"{world.url}/health", timeout=WAIT_S).status_code == 503
