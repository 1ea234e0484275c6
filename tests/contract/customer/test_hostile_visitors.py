"""What no browser sends, to the お客様ページ over a real server: never a 500, never a trace, and nobody else waits (L5, L8)."""

from __future__ import annotations

import logging
import random
import resource
import socket
import threading
from collections import Counter
from pathlib import Path

import pytest

from renkei.public import app as public_app
from renkei.public import bodies
from renkei.public.limits import RateLimit
from renkei.public.server import Server, server
from renkei.storage.tokens import new_token
from tests.contract.customer.world import BASE, FOLDER, OURS, CustomerWorld

SEED, TRIES, PATIENCE_S, MEMORY_MB = 17, 600, 150.0, 300
METHODS = (*("GET", "POST") * 5, "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "BREW", "CONNECT")
PATHS = ("/", "/enter", "/leave", "/sheets", "/sheets/{}", "/sheets/{}/marked", "/results", "/results/{}",
         "/connection", "/connection/back", "/static/{}/customer.css", "/{}")  # fmt: skip
ODD = ("1", "0", "-1", "99999999999", "1e3", "..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%00", "%ff%fe", "%", "%zz",
       "%E3%81%82", "\u3042", "\udcff", "a" * 4_000, "//", ";x", "%0d%0aSet-Cookie:x", FOLDER)  # fmt: skip
QUERIES = ("", "?", "?said=%00", "?said=<script>", "?page=-1", "?page=" + "9" * 400, "?page=1&page=2", "?state=%ff&code=%00",
           "?state=acme." + "0" * 64 + "&state=x&error=y", "?" + "&".join("a=b" for _ in range(500)))  # fmt: skip
TYPES = ("application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-16", "application/json",
         "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=x",
         "multipart/form-data; boundary=" + "x" * 300, "text/plain; charset=nonsense", "\xff")  # fmt: skip
BODIES = (
    b"", b"\0", b"\xff\xfe" * 50, b"form=a&form=b", b"invitation=" + b"%" * 50, b"a=b&" * 3_000, b"=" * 500, b"{" * 5_000,
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.xlsx"\r\n\r\nPK\x03\x04\r\n--x--\r\n',
    b'--x\r\nContent-Disposition: form-data; name="form"\r\n\r\nFORM\r\n'
    b'--x\r\nContent-Disposition: form-data; name="file"; filename*=utf-16\'\'%ff\r\n\r\n\0\0\r\n--x--\r\n',
    b"--x\r\n" * 200, b"--x\r\nContent-Disposition: form-data\r\n\r\n", b'--x\r\nContent-Disposition: ;;;"\r\n\r\ny',
)  # fmt: skip
HEADERS = ("Host: ", "Host: a\r\nHost: b", "Host: \xff", "Host: [::1", "Content-Length: -1", "Content-Length: 5\r\nContent-Length: 6",
           "Content-Length: 99999999999999999999", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked", "Expect: 100-continue",
           "Cookie: " + "a=b; " * 3_000, "Cookie: __Host-renkei_customer=\xff\x01", "Cookie: =;=;;", "Range: bytes=9-1", "Upgrade: websocket",
           "Sec-Fetch-Site: cross-site", "Origin: null", "Origin: https://[", "Content-Encoding: gzip", "X-Forwarded-For: 1",
           "X: " + "y" * 70_000)  # fmt: skip


class HostileWorld(CustomerWorld):
    """A real server for the app; `log` is what it said."""

    server: Server

    def __enter__(self) -> HostileWorld:
        self.server = server(self.app, "127.0.0.1", 0)
        self._thread = threading.Thread(target=self.server.run, daemon=True)
        self._thread.start()
        waiting = threading.Event()
        while not self.server.started:
            assert self._thread.is_alive()
            waiting.wait(0.01)
        self.port = int(self.server.url.rpartition(":")[2])
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self._thread.join(PATIENCE_S)

    def say(self, sent: bytes) -> int:
        """The status with which these bytes are answered; 0: the connection is closed without a word."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE_S, ("127.0.0.2", 0)) as talk:
            try:
                talk.sendall(sent)
                answer = b""
                while part := talk.recv(65536):
                    answer += part
            except (ConnectionResetError, BrokenPipeError):
                return 0
        assert b"Traceback" not in answer
        assert b'File "' not in answer
        return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


@pytest.fixture
def world(mappings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HostileWorld:
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    monkeypatch.delenv("RENKEI_DATABASE", raising=False)
    monkeypatch.setenv("RENKEI_PUBLIC_URL", OURS)
    monkeypatch.setattr(bodies, "WITHIN_S", 0.3)
    found = HostileWorld(tmp_path)
    found.ran()
    return found


def request(draw: random.Random, cookie: str, form: str) -> bytes:
    """One of millions; every third by somebody who is in."""
    path = BASE + draw.choice(PATHS).replace("{}", draw.choice(ODD)) + draw.choice(QUERIES)
    body = draw.choice(BODIES).replace(b"FORM", form.encode())
    lines = [f"{draw.choice(METHODS)} {path} HTTP/1.{draw.choice('111109')}"]
    lines += [f"Host: {draw.choice(('renkei.example.jp', '127.0.0.1', ''))}", f"Content-Type: {draw.choice(TYPES)}"]
    lines += draw.sample(HEADERS, draw.choice((0, 0, 1, 1, 2)))
    if draw.random() < 0.5:
        lines += [f"Content-Length: {len(body)}", "Sec-Fetch-Site: same-origin"]
    if draw.random() < 0.35:
        lines.append(f"Cookie: __Host-renkei_customer={cookie}")
        body = draw.choice((body, f"form={form}".encode(), f"form={form}&form={form}&x=%ff".encode()))
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1", "replace") + body


def test_l8_what_makes_no_sense_is_refused_and_nobody_hears_of_it(
    world: HostileWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """L8, L6: any method, path, head, length, encoding and body; with and without a session."""
    monkeypatch.setattr(public_app, "REFUSALS_AT_ONCE", 10**6)
    caplog.set_level(logging.INFO)
    world.limits.requests = world.limits.entries = world.limits.reviews = RateLimit(1e6, 10**6)
    world.serve()
    entered = world.invitations.enter(world.invite(), world.now)
    assert entered
    session, cookie = entered
    draw, before = random.Random(SEED), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with world:
        answers = Counter(world.say(request(draw, cookie, session.form)) for _ in range(TRIES))
        guest = world.guest()
        assert "アクメ" in guest.shown("/")
    assert max(answers) < 500, answers
    assert {200, 303, 400, 404, 405}.issubset(answers), f"it reaches the pages: {answers}"
    assert answers[0] < TRIES // 4, answers
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < MEMORY_MB
    said = [f"{one.levelname} {one.name} {one.getMessage()}" for one in caplog.records if one.name.startswith("renkei")]
    # A body that breaks HTTP ends its connection in the server, and is one line without a word of it.
    assert not [one for one in said if "ERROR" in one and not one.endswith("public service: LocalProtocolError")]
    assert not [one for one in caplog.records if one.exc_info]
    assert cookie not in caplog.text


def test_l5_who_guesses_and_who_sends_slowly_keeps_nobody_waiting(world: HostileWorld) -> None:
    """L5: invitations by the thousand from one address, and fifty forms that do not come to their end."""
    world.limits.entries = RateLimit(1 / 10, 10)
    world.serve()
    with world:
        slow = [socket.create_connection(("127.0.0.1", world.port), PATIENCE_S, ("127.0.0.2", 0)) for _ in range(50)]
        for one in slow:
            one.sendall(f"POST {BASE}/enter HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\ninvi".encode())
        guesses = Counter()
        for _ in range(400):
            body = f"invitation={new_token()}"
            head = f"POST {BASE}/enter HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\n"
            kind = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
            guesses[world.say(f"{head}{kind}{body}".encode())] += 1
        assert set(guesses) <= {403, 404, 429}
        assert guesses[404] <= 11, "ten, and one in ten seconds"
        assert "アクメ" in world.guest().shown("/"), "of another address"
        assert [one.recv(12)[9:12] in (b"408", b"429", b"403", b"") for one in slow] == [True] * 50
        for one in slow:
            one.close()
