"""Events pushed at the public service, with a real server: signed, kept once, and answered."""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from renkei.errors import StoreError
from renkei.inbox.inbox import Inbox
from renkei.inbox.receiver import Receiver
from renkei.inbox.tables import State
from renkei.links.workplace_lineworks.events.event import event_of
from renkei.orchestration.workplace_lineworks.public import same_of
from renkei.public import app, bodies, receiving
from renkei.public.app import build
from renkei.public.secrets import Secrets
from renkei.public.server import server
from renkei.public.workplace import WINDOW_S, Events
from renkei.storage.database.database import open_database
from tests.harness.inbox_programs import PLAIN
from tests.harness.workplace import Workplace
from tests.harness.workplace_events import an_event

WAIT_S = 150
SECRET = "events secret of acme"
NOW = 1_775_001_600
PATH = "/renkei/workplace/acme/events"


class World:
    """A server in a thread of this process. `away`: the store cannot be opened."""

    def __init__(self, folder: Path, clock: Callable[[], float] = lambda: NOW) -> None:
        self.database = f"sqlite:///{folder}/renkei.db"
        self.away = False
        secrets = Secrets(lambda tenant: SECRET if tenant == "acme" else None)
        events = Events("workplace_lineworks", secrets, self._receiver, same_of, clock)
        self.server = server(build([events.route()], lambda: None), "127.0.0.1", 0)
        self._thread = threading.Thread(target=self.server.run, daemon=True)

    @functools.cached_property
    def _open(self) -> Receiver:
        return Receiver(self.database, PLAIN)

    def _receiver(self) -> Receiver:
        if self.away:
            raise StoreError("")
        return self._open

    def __enter__(self) -> World:
        self._thread.start()
        while not self.server.started:
            assert self._thread.is_alive(), "the server did not begin"
            threading.Event().wait(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self._thread.join(WAIT_S)

    def push(
        self, body: bytes, at: int | str = NOW, secret: str = SECRET, path: str = PATH, **headers: str
    ) -> requests.Response:
        digest = hmac.digest(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hex()
        signed = {"X-Renkei-Timestamp": str(at), "X-Renkei-Signature": f"v1={digest}"}
        return requests.post(f"{self.server.url}{path}", body, headers=signed | headers, timeout=WAIT_S)

    def kept(self) -> list[bytes]:
        inbox = Inbox(open_database(self.database), PLAIN, "workplace_lineworks", "acme")
        return [one.body() for one in inbox.listed(State.WAITING, 10_000)]


def body(number: int = 1, **more: Any) -> bytes:
    return json.dumps(an_event(number, **more)).encode()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(receiving, "WRITTEN_WITHIN_S", WAIT_S)
    monkeypatch.setattr(bodies, "WITHIN_S", WAIT_S)
    with World(tmp_path) as running:
        yield running


def test_w3_an_event_is_kept_as_it_came_and_once_however_often_it_is_pushed(world: World) -> None:
    """Again in other words too: it is the same one by its id."""
    pushed = [world.push(one).status_code for one in (body(1), body(1), body(2), body(1, kind="approved"))]
    assert pushed == [200] * 4
    assert world.kept() == [body(1), body(2)]


def test_what_is_not_signed_now_by_the_tenant_is_refused_and_kept_nowhere(world: World) -> None:
    """Nor what was signed long ago, by whoever saw it; a tenant that there is not answers alike."""
    right = body()
    refused = [
        world.push(right, secret="another"),
        world.push(right, **{"X-Renkei-Signature": "v1="}),
        world.push(right, **{"X-Renkei-Signature": "é".encode().decode("latin-1")}),
        world.push(right, **{"X-Renkei-Timestamp": str(NOW + 1)}),
        world.push(right, at=NOW - WINDOW_S - 1),
        world.push(right, at=NOW + WINDOW_S + 1),
        world.push(right, at="now"),
        world.push(right, at="9" * 5_000),
        world.push(right, path="/renkei/workplace/nobody/events"),
        requests.post(f"{world.server.url}{PATH}", right, timeout=WAIT_S),
    ]
    assert [(one.status_code, one.content) for one in refused] == [(401, b"")] * len(refused)
    assert world.kept() == []
    assert [world.push(right, at=NOW + edge).status_code for edge in (-WINDOW_S, WINDOW_S)] == [200, 200]


def test_l8_who_signed_it_is_told_what_is_wrong_with_an_event(world: World) -> None:
    answer = world.push(body(kind="deleted", recipients=["suzuki"]))
    assert (answer.status_code, answer.json()["error"]) == (
        400,
        "通知の形が正しくありません（kind: literal_error）。",
    )
    assert world.push(b"[" * 60_000).status_code == 400
    assert world.push(b" " * (bodies.MOST_BYTES + 1)).status_code == 413
    assert world.kept() == []


def test_while_the_store_is_away_nothing_is_said_to_be_kept(world: World) -> None:
    world.away = True
    assert world.push(body()).status_code == 503
    world.away = False
    assert world.push(body()).status_code == 200
    assert world.kept() == [body()]


def test_l5_wrong_signatures_take_nothing_from_what_is_rightly_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "REFUSALS_AT_ONCE", 3)
    monkeypatch.setattr(app, "REFUSALS_PER_S", 1e-6)
    with World(tmp_path) as world:
        wrong = [world.push(body(), secret="another").status_code for _ in range(5)]
        assert (wrong, world.push(body()).status_code) == ([401, 401, 401, 429, 429], 200)


def test_w3_what_the_simulator_pushes_is_kept_once_whatever_it_repeats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Repeated, out of order, wrongly signed or long ago: by its own reading of the contract."""
    monkeypatch.setattr(receiving, "WRITTEN_WITHIN_S", WAIT_S)
    with World(tmp_path, clock=time.time) as world, Workplace.start() as workplace:
        workplace.aim(f"{world.server.url}{PATH}", SECRET)
        answers = workplace.happen(
            {"times": 3},
            {"kind": "approved", "sequence": 3},
            {"kind": "commented", "sequence": 2},
            *({"signed": how, "document": "other"} for how in ("wrong", "missing", "old")),
        )
        assert answers == [[200] * 3, [200], [200], [401], [401], [401]]
        kept = [event_of(one) for one in world.kept()]
    assert [(one.kind, one.sequence) for one in kept] == [("requested", 1), ("approved", 3), ("commented", 2)]
