"""A process that tells dies at every step others can see, and the task is repeated: everybody knows, nobody twice (L4, N2).

Seen from outside, telling is its writes to the store and its messages. A first run counts them; then one run per step
dies just before it, and one just after it took effect. Services, clients and store are real; the simulators are asked
who got what.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import itertools
import queue
import shutil
import ssl
import types
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from fsspec.implementations.local import LocalFileSystem

from renkei.channel import Channel, Event, Service
from renkei.notifications import deliver
from renkei.notifications.deliver import DeliveryResult, Notifier, OpenedChannel
from renkei.notifications.delivery_log import DeliveryLog
from renkei.notifications.messengers import messenger
from renkei.notifications.registration import Registration, register
from renkei.notifications.services import SPEC
from renkei.notifications.state import ChannelState, ChannelStates
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.delivery import Delivery, Message, Verdict
from tests.harness.chat import Chat
from tests.harness.fuse import Died, Fuse

LINK, TENANT, RUN, LIMIT = "smarthr_emc", "acme", "run-1", 5
BEGAN = dt.datetime(2026, 4, 1, 5, 0, tzinfo=dt.UTC)
YESTERDAY = dt.datetime(2026, 3, 31, 5, 0, tzinfo=dt.UTC)
MESSAGE = Message("【失敗】SmartHR → EMC: acme", ("氏名: 値がありません 3件",))
HEARS = frozenset({Event.FAILURE, Event.DISABLED})  # who is told of a channel that was disabled
ALONE = frozenset({Event.FAILURE})
Got = tuple[str, bool]  # a channel's name; whether it is the notice of a disabled channel


@dataclass(frozen=True)
class Fused:
    """A messenger behind the fuse."""

    name: str
    inner: Any
    fuse: Fuse

    def send(self, message: Message, to: str, key: str) -> Delivery:
        delivery: Delivery = self.fuse.around(f"send {self.name}", lambda: self.inner.send(message, to, key))
        return delivery

    def check(self) -> Delivery:
        raise AssertionError("telling asks nobody whether the secret is good")


class _AllAtOnce:
    """Every service has answered before the first answer is looked at: what is lost by a death is the most."""

    def __init__(self, target: Callable[..., None], args: tuple[Any, ...], daemon: bool) -> None:
        self.work = lambda: target(*args)

    def start(self) -> None:
        self.work()


def _one_by_one() -> tuple[Any, Any]:
    """Thread and queue of a machine on which each service answers when the one before is noted."""
    waiting: list[Callable[[], None]] = []

    class Thread(_AllAtOnce):
        def start(self) -> None:
            waiting.append(self.work)

    class Queue(queue.Queue[Any]):
        def get(self, block: bool = True, timeout: float | None = None) -> Any:
            waiting.pop(0)()
            return super().get(block, timeout)

    return types.SimpleNamespace(Thread=Thread), types.SimpleNamespace(Queue=Queue, Empty=queue.Empty)


class Scene:
    """Channels of every service, each with a past; `tell` is one process, which knows only what is stored."""

    def __init__(self, chat: Chat, folder: Path) -> None:
        self.chat, self.folder = chat, folder
        self.kept, root = folder / "kept", folder / "store"
        self.store = Store(LocalFileSystem(), str(root))
        rooms = chat.registrations["chatwork"]["rooms"]
        self.secrets: dict[str, Registration] = {}
        good, bad, cut = (self._add("CHATWORK", "chatwork", room) for room in rooms)
        self.good, self.bad, self.cut = good, bad, cut
        self.slack = self._add("SLACK_WEBHOOK", "slack_webhook", "", HEARS)
        self.dead = self._add("SLACK_BOT", "slack_bot", chat.registrations["slack_bot"]["members"][0], HEARS)
        self.teams = self._add("TEAMS", "teams", "", HEARS)
        self.google = self._add("GOOGLE_CHAT", "google_chat")
        self.works = self._add("LINEWORKS", "lineworks", chat.registrations["lineworks"]["users"][0])
        self.line = self._add("LINE", "line", chat.registrations["line"]["friends"][0], HEARS)
        self.quiet = Channel("静か", Service.TEAMS, "teams", muted=True)
        self.channels = [
            self.slack, good, self.dead, bad, self.teams, self.google, cut, self.works, self.line, self.quiet
        ]  # fmt: skip
        self.others = [channel for channel in self.channels if channel not in (self.dead, bad, self.quiet)]
        self._remember()
        chat.clear()
        self.places = self._places(dict(zip((good, bad, cut), rooms, strict=True)))
        shutil.copytree(root, self.kept)

    def _add(self, service: str, name: str, to: str = "", events: frozenset[Event] = ALONE) -> Channel:
        channel = Channel(f"{service} {to}".strip(), Service(service), name, to, events=events)
        known = {one.key for one in SPEC[channel.service].fields}
        values = {key: str(value) for key, value in self.chat.registrations[name].items() if key in known}
        self.secrets[channel.name] = register(channel.service, values, {"127.0.0.1"})
        return channel

    def _remember(self) -> None:
        """Failures of earlier runs; one channel was disabled under another secret, one is muted by now."""
        for channel, failures in ((self.slack, 3), (self.dead, 1), (self.bad, 2), (self.cut, 1), (self.line, 2)):
            self._keep(channel, ChannelState(self._digest(channel), failures, "run-0", at=YESTERDAY))
        self._keep(self.good, ChannelState("another", 5, "run-0", YESTERDAY, True, Verdict.REFUSED))
        self._keep(self.quiet, ChannelState("whatever", 4, "run-0"))

    def _keep(self, channel: Channel, state: ChannelState) -> None:
        ChannelStates(TenantFolder(self.store, LINK, TENANT)).write(channel, state)

    def _digest(self, channel: Channel) -> str:
        return self.secrets[channel.name].digest(channel.to)

    def _places(self, rooms: dict[Channel, str]) -> dict[tuple[str, str], str]:
        """The name of the channel by the simulator's service and, in Chatwork, room."""
        names = {str(room["room_id"]): room["name"] for room in self._rooms()}
        found = {("chatwork", names[room]): channel.name for channel, room in rooms.items()}
        for service, channel in (
            ("slack", self.slack), ("teams", self.teams), ("googlechat", self.google), ("lineworks", self.works), ("line", self.line)
        ):  # fmt: skip
            found[service, ""] = channel.name
        return found

    def _rooms(self) -> list[dict[str, Any]]:
        known = self.chat.registrations["chatwork"]
        answer = requests.get(f"{known['base_url']}/rooms", headers={"X-ChatWorkToken": known["token"]}, timeout=20)
        rooms: list[dict[str, Any]] = answer.json()
        return rooms

    def reset(self) -> None:
        """Store and services as before the run: one bot is revoked, one room closed, the answers of another are lost."""
        shutil.rmtree(self.store.root, ignore_errors=True)
        shutil.copytree(self.kept, self.store.root)
        self.chat.clear()
        self.chat.sim("POST", "slack", {"token": "token_revoked"})
        self.chat.sim("POST", "chatwork", {"forbidden": [int(self.bad.to)]})
        path = f"/chatwork/v2/rooms/{self.cut.to}/messages"
        self.chat.fault(service="chatwork", kind="drop_after", times=None, path=path)

    def tell(self, fuse: Fuse, run: str = RUN) -> list[DeliveryResult]:
        """One process."""

        def opened(channel: Channel) -> OpenedChannel:
            if channel.service is Service.MAIL:
                return OpenedChannel(self.mailer, channel.to, "mail")
            registration = self.secrets[channel.name]
            inner = Fused(channel.name, messenger(registration), fuse)
            return OpenedChannel(inner, channel.to, registration.digest(channel.to))

        deliveries = DeliveryLog(
            ChannelStates(TenantFolder(self.store, LINK, TENANT)),
            RunRecord(TenantFolder(self.store, LINK, TENANT), run),
        )
        moments = itertools.count(next(self.hours) * 3600)
        notifier = Notifier("acme", opened, deliveries, lambda: BEGAN + dt.timedelta(seconds=next(moments)), LIMIT)
        return notifier.tell(self.channels, Event.FAILURE, MESSAGE, f"key of {run}", run)

    hours = itertools.count()
    mailer: Fused

    def got(self) -> Counter[Got]:
        """How often each message arrived."""
        found: Counter[Got] = Counter()
        for one in self.chat.messages():
            place = (one["service"], one["place"] if one["service"] == "chatwork" else "")
            found[self.places[place], "無効化" in one["text"]] += 1
        return found

    def noted(self) -> set[Got]:
        """What the run's record calls told, for sure or perhaps."""
        kept = RunRecord(TenantFolder(self.store, LINK, TENANT), RUN).json_or_none("told") or {}
        done = (Verdict.ACCEPTED, Verdict.UNKNOWN)
        return {(one["channel"], one["event"] == Event.DISABLED) for one in kept.values() if one["verdict"] in done}

    def states(self) -> dict[str, tuple[int, bool, bool]]:
        """Failures in a row, disabled, and that told to the others; by channel."""
        kept = ChannelStates(TenantFolder(self.store, LINK, TENANT))
        found = {channel.name: kept.read(channel) for channel in self.channels}
        return {name: (state.failures, state.disabled, state.told) for name, state in found.items()}

    def expected(self) -> dict[str, tuple[int, bool, bool]]:
        """One failure more where it failed, none where it was heard; the revoked bot is disabled and told."""
        failed = {self.dead.name: (2, True, True), self.bad.name: (3, False, False), self.cut.name: (2, False, False)}
        return {channel.name: failed.get(channel.name, (0, False, False)) for channel in self.channels}

    def failing(self) -> set[str]:
        return {self.dead.name, self.bad.name, self.cut.name}

    def wanted(self) -> set[Got]:
        result = {(channel.name, False) for channel in self.others}
        return result | {(channel.name, True) for channel in self.others if channel.wants(Event.DISABLED)}


@contextmanager
def scheduled(monkeypatch: pytest.MonkeyPatch, how: str, fuse: Fuse) -> Iterator[None]:
    """Threads that run in the order of `how`, so that each death is at a known place; writes go through the fuse."""
    with monkeypatch.context() as patch:
        if how == "all at once":
            patch.setattr(deliver, "threading", types.SimpleNamespace(Thread=_AllAtOnce))
        else:
            threading, queues = _one_by_one()
            patch.setattr(deliver, "threading", threading)
            patch.setattr(deliver, "queue", queues)
        for name in ("write", "create", "delete"):
            patch.setattr(Store, name, _through(fuse, getattr(Store, name)))
        yield


def _through(fuse: Fuse, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, key: str, *args: Any) -> Any:
        return fuse.around(f"{real.__name__} {key.rsplit('/', 1)[-1]}", lambda: real(self, key, *args))

    return call


@pytest.fixture
def scene(chat: Chat, memory_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    # To read the machine's certificates takes longer than all else; nothing here speaks TLS.
    monkeypatch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
    monkeypatch.setattr(deliver.log, "disabled", True)
    return Scene(chat, memory_path)


@pytest.mark.parametrize("how", ["all at once", "one by one"])
def test_l4_telling_that_died_anywhere_and_is_repeated_tells_everybody_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """N1, N2, L4: wherever it dies. Twice only what was taken and not noted; LINE knows the key, and shows it once."""
    fuse = Fuse()
    scene.reset()
    with scheduled(monkeypatch, how, fuse):
        scene.tell(fuse)
    assert dict(scene.got()) == dict.fromkeys(scene.wanted(), 1)
    assert scene.states() == scene.expected()
    wrong = []
    for at, name in enumerate(fuse.seen):
        for after in (False, True):
            where = f"died {'after' if after else 'before'} {name} ({at})"
            scene.reset()
            dying = Fuse(at, after)
            with scheduled(monkeypatch, how, dying), pytest.raises(Died):
                scene.tell(dying)
            lost = {got for got in set(scene.got()) - scene.noted() if got[0] != scene.line.name}
            for repetition in (Fuse(), Fuse()):
                with scheduled(monkeypatch, how, repetition):
                    scene.tell(repetition)
                found = dict(scene.got())
                expected = {got: 2 if got in lost else 1 for got in scene.wanted()}
                wrong += [
                    f"{where}: {got} {found.get(got, 0)} times"
                    for got in found | expected
                    if found.get(got) != expected.get(got)
                ]
                wrong += [
                    f"{where}: {channel} is {state}, not {scene.expected()[channel]}"
                    for channel, state in scene.states().items() if state != scene.expected()[channel]
                ]  # fmt: skip
    assert len(fuse.seen) > 40
    assert wrong == []


def test_l4_what_happened_since_a_note_is_not_undone_by_it(scene: Scene) -> None:
    """N2: what was told long ago is not counted again: a test that passed since, or a run that was not heard, stands."""
    scene.reset()
    scene.tell(Fuse())
    states = ChannelStates(TenantFolder(scene.store, LINK, TENANT))
    later = ChannelState("", 2, "run-9", at=dt.datetime(2999, 1, 1, tzinfo=dt.UTC))
    for channel in (scene.slack, scene.cut):
        states.write(channel, dataclasses.replace(later, registration=scene._digest(channel)))
    scene.tell(Fuse())
    assert [scene.states()[channel.name][0] for channel in (scene.slack, scene.cut)] == [2, 2]


def test_n2_a_notice_that_nobody_could_hear_is_told_later(scene: Scene) -> None:
    """N2: the only other channels are disabled themselves or refuse: the notice waits for a run that finds an ear."""
    scene.reset()
    scene.chat.sim("POST", "teams", {"workflow": "gone"})
    gone = ChannelState(scene._digest(scene.dead), 2, "run-0", YESTERDAY, True, Verdict.REFUSED, dead=True)
    scene._keep(scene.dead, gone)
    room = dataclasses.replace(scene.bad, events=HEARS)
    scene.channels = [scene.dead, room, scene.teams]
    scene.tell(Fuse())
    assert scene.states()[scene.teams.name] == (1, True, False)

    scene.chat.sim("POST", "chatwork", {"forbidden": []})
    scene.tell(Fuse(), "run-2")
    assert scene.states()[scene.teams.name] == (1, True, True)
    assert scene.got() == {(room.name, False): 1, (room.name, True): 1}


def test_n2_a_channel_found_void_by_a_notice_is_told_of_too(scene: Scene) -> None:
    """N2: whatever the order of the lines: one that hears of notices alone is void, and stands before all others."""
    scene.reset()
    scene.chat.sim("POST", "teams", {"workflow": "gone"})
    first = dataclasses.replace(scene.teams, events=frozenset({Event.DISABLED}))
    scene.channels = [first, scene.dead, scene.line]
    scene.tell(Fuse())
    assert scene.got() == {(scene.line.name, False): 1, (scene.line.name, True): 2}
    assert {name: told for name, (_, _, told) in scene.states().items()} == {
        first.name: True, scene.dead.name: True, scene.line.name: False
    }  # fmt: skip


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"k": 1}', b'{"k": {"verdict": "ACCEPTED"}}', b"\xff", b"null"]
)
def test_n3_a_note_that_cannot_be_read_costs_no_message(scene: Scene, content: bytes) -> None:
    """N3: whatever lies where the account of this run, or a channel's state, is kept."""
    scene.reset()
    scene.store.write(f"{LINK}/tenants/{TENANT}/runs/{RUN}/told.json", content)
    for name in scene.store.names(f"{LINK}/tenants/{TENANT}/channels"):
        scene.store.write(f"{LINK}/tenants/{TENANT}/channels/{name}", content)
    scene.tell(Fuse())
    assert set(scene.got()) == scene.wanted()


@pytest.mark.parametrize("error", [OSError("disk"), RuntimeError("botocore"), KeyError("secret")], ids=repr)
def test_n3_a_store_that_fails_in_any_way_costs_no_message(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """N3: libraries of object stores have exceptions of their own."""
    scene.reset()

    def fail(*_: Any) -> None:
        raise error

    with monkeypatch.context() as patch:
        for name in ("read", "write", "delete"):
            patch.setattr(Store, name, fail)
        scene.tell(Fuse())
    assert set(scene.got()) == scene.wanted()


def test_n3_a_registration_that_cannot_be_read_at_all_is_one_failed_channel(scene: Scene) -> None:
    """N3, L7: an opener that fails as nobody foresaw is quoted nowhere, and costs the others nothing."""
    scene.reset()
    good = scene.secrets.pop(scene.slack.name)
    told = {one.channel.name: one for one in scene.tell(Fuse())}
    assert {name for name, one in told.items() if one.failed} == {scene.slack.name, *scene.failing()}
    found = told[scene.slack.name].delivery
    assert found is not None
    assert "KeyError" in found.reason
    assert scene.slack.name not in found.reason
    assert scene.states()[scene.slack.name][0] == 4
    scene.secrets[scene.slack.name] = good
    scene.tell(Fuse(), "run-2")
    assert scene.states()[scene.slack.name] == (0, False, False)


def test_l4_what_chats_have_answered_is_noted_before_the_mail(scene: Scene) -> None:
    """L4: a mail server can take minutes; a process that dies meanwhile has sent nothing that it did not note."""
    scene.reset()
    mail = Channel("結果通知メール", Service.MAIL, to="soumu@acme.example.jp")
    scene.channels = [mail, *scene.channels]
    scene.mailer = Fused(mail.name, None, Fuse(0))
    with pytest.raises(Died):
        scene.tell(Fuse())
    assert scene.noted() == {(channel.name, False) for channel in scene.others}
    scene.channels.remove(mail)
    scene.tell(Fuse())
    assert scene.got() == dict.fromkeys(scene.wanted(), 1)
