"""One tenant's messages under its lease: who works them off, and what is under way (L5)."""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from renkei.errors import RenkeiError, StoreError
from renkei.inbox.inbox import Inbox, Message
from renkei.inbox.lease import Leases
from renkei.inbox.tables import State

log = logging.getLogger(__name__)

LOOKS_BACK_EVERY_S = 1.0  # at what is unknown
AGAIN_S = 30.0  # after a fault
THREADS = 64  # of one tenant at most; made when needed
Tenancy = tuple[str, str]  # a link and a tenant of it


class PausedError(RenkeiError):
    """Nothing was done; the message waits again, and its tenant rests for so many seconds.

    Raised of a message that is looked back at, it rests that message alone.
    """

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(reason)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class HandlingResult:
    """What became of a message. `note` is Japanese and names nobody; with `forget` what the message says is deleted."""

    state: State
    note: str = ""
    forget: bool = False


class Worker(Protocol):
    """Works one tenant's messages off, in several threads. It is made anew when the tenant's sheet has changed.

    An exception of no kind leaves a message unknown: it may have been done.
    """

    at_once: int  # messages

    def handle(self, message: Message) -> HandlingResult:
        """Do what the message asks for, once. Raises PausedError: nothing was done."""

    def look_back(self, message: Message) -> HandlingResult | None:
        """What became of a message that is unknown; None if nothing did, so that it is handled anew."""

    def tick(self) -> float:
        """Do other work that is due, and be asked again after so many seconds, or when a message was settled."""

    def close(self) -> None:
        """The last call, when nothing is under way any more."""


class Source(Protocol):
    """Who has an inbox."""

    def versions(self) -> Mapping[Tenancy, str]:
        """By tenant what changes when a worker must be made anew. It may take seconds."""

    def open(self, tenancy: Tenancy, leases: Leases) -> Worker:
        """A worker; it asks `leases.holds` right before each thing that it does outside.

        Raises:
            RenkeiError: a setting is to be mended.
        """


class Drain:
    """One tenant's messages under our lease: what is under way, and when to go on after a rest.

    The loop calls `advance`; all that may take long is done in the tenant's own threads.
    """

    def __init__(self, inbox: Inbox, leases: Leases, source: Source, tenancy: Tenancy, woken: threading.Event) -> None:
        self.inbox = inbox
        self._leases, self._source, self._tenancy, self._woken = leases, source, tenancy, woken
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=inbox.lease)
        self._lock = threading.Lock()  # of all below
        self._under_way: set[object] = set()  # numbers of messages, and words for other work
        self._looking: set[object] = set()  # of those, the ones that are looked back at
        self._unsettled: list[tuple[Message, HandlingResult]] = []  # what the database has yet to hear
        self._worker: Worker | None = None
        self._version = ""
        self._takes_at = self._looks_back_at = self._ticks_at = self._opens_at = 0.0
        self._rests: dict[int, float] = {}  # until when an unknown message is left alone, by its number
        self._told = ""  # what was said last of a worker that cannot be made
        self._ended = False

    def is_ours(self) -> bool:
        return self._leases.holds(self.inbox.lease)

    @property
    def is_idle(self) -> bool:
        with self._lock:
            return not self._under_way

    def end(self) -> None:
        """Nothing new is begun."""
        self._ended = True

    def wait(self) -> None:
        """What is under way is done, and the worker closed."""
        self._threads.shutdown(wait=True)
        with contextlib.suppress(StoreError):  # whoever has the lease next looks back at it
            self._settle_late()
        self._close()

    def advance(self, version: str, states: Set[State]) -> None:
        """Begin what can be begun now; `states` are those in which there are open messages.

        Raises:
            LeaseLostError, StoreError: the lease is another process's; the database is away.
        """
        now = time.monotonic()
        self._settle_late()
        if State.SENDING in states and self.is_idle:  # an answer of the database was lost, or a fault of ours
            self.inbox.left_behind(self._leases)
        if self._worker is None or version != self._version:
            if self.is_idle and now >= self._opens_at:
                self._start("open", self._open, version)
            return
        worker = self._worker
        if State.UNKNOWN in states and now >= self._looks_back_at:
            self._looks_back_at = now + LOOKS_BACK_EVERY_S
            for message in self.inbox.listed(State.UNKNOWN, 200):
                if self._may_look(worker) and now >= self._rests.get(message.number, 0.0):
                    with self._lock:
                        self._looking.add(message.number)
                    self._start(message.number, self._look_back, worker, message)
        free = self._free(worker)
        if State.WAITING in states and free > 0 and now >= self._takes_at:
            for message in self.inbox.take(self._leases, free):
                self._start(message.number, self._handle, worker, message)
        if now >= self._ticks_at:
            self._start("tick", self._tick, worker)

    def _free(self, worker: Worker) -> int:
        with self._lock:
            return worker.at_once - len(self._under_way - self._looking - {"tick"})

    def _may_look(self, worker: Worker) -> bool:
        """Looking back has half as many places of its own: neither waits for the other, however much there is of it."""
        with self._lock:
            looks = len(self._looking & self._under_way)
        return looks < max(1, worker.at_once // 2)

    def _start(self, name: object, work: Callable[..., None], *arguments: object) -> None:
        with self._lock:
            if self._ended or name in self._under_way:
                return
            self._under_way.add(name)
        self._threads.submit(self._work, name, work, *arguments)

    def _work(self, name: object, work: Callable[..., None], *arguments: object) -> None:
        try:
            work(*arguments)
        except Exception as error:  # of ours; its text might quote a person (L6)
            log.error("pump %s: %s", self.inbox.lease, named(error))
        finally:
            with self._lock:
                self._under_way.discard(name)
                self._looking.discard(name)
            self._woken.set()

    def _open(self, version: str) -> None:
        self._close()
        self._opens_at = time.monotonic() + AGAIN_S
        try:
            self._worker = self._source.open(self._tenancy, self._leases)
        except Exception as error:
            said = named(error)
            if said != self._told:
                self._told = said
                log.error("pump %s: cannot begin: %s", self.inbox.lease, said)
        else:
            self._version, self._told, self._opens_at = version, "", 0.0

    def _close(self) -> None:
        worker, self._worker = self._worker, None
        if worker:
            try:
                worker.close()
            except Exception as error:
                log.error("pump %s: %s", self.inbox.lease, named(error))

    def _handle(self, worker: Worker, message: Message) -> None:
        if not self.is_ours():  # nothing was done about it
            self._settle(message, HandlingResult(State.WAITING))
            return
        try:
            settled = worker.handle(message)
        except PausedError as pause:
            self._takes_at = max(self._takes_at, time.monotonic() + pause.seconds)
            settled = HandlingResult(State.WAITING, str(pause))
        except Exception as error:
            log.error("pump %s message=%d: %s", self.inbox.lease, message.number, named(error))
            self._rest(message, AGAIN_S)
            settled = HandlingResult(State.UNKNOWN, "処理中に予期しないエラーが起きました。結果を確認します。")
        self._settle(message, settled)

    def _look_back(self, worker: Worker, message: Message) -> None:
        self._rest(message, AGAIN_S)
        try:
            settled = worker.look_back(message)
        except PausedError as pause:
            self._rest(message, pause.seconds)
            return
        self._settle(message, settled or HandlingResult(State.WAITING))

    def _rest(self, message: Message, seconds: float) -> None:
        with self._lock:
            self._rests[message.number] = time.monotonic() + seconds

    def _tick(self, worker: Worker) -> None:
        after, self._ticks_at = AGAIN_S, math.inf
        try:
            after = worker.tick()
        except PausedError as pause:
            after = pause.seconds
        finally:
            with self._lock:  # a message may have been settled meanwhile
                self._ticks_at = min(self._ticks_at, time.monotonic() + after)

    def _settle(self, message: Message, settled: HandlingResult) -> None:
        try:
            self.inbox.settle(message, settled.state, settled.note, forget=settled.forget)
        except StoreError:
            with self._lock:
                self._unsettled.append((message, settled))
            raise
        with self._lock:
            if settled.state is not State.UNKNOWN:
                self._rests.pop(message.number, None)
            self._ticks_at = 0.0

    def _settle_late(self) -> None:
        """Raises StoreError: the database still does not hear of it."""
        while self._unsettled:
            with self._lock:
                message, settled = self._unsettled[0]
            self.inbox.settle(message, settled.state, settled.note, forget=settled.forget)
            with self._lock:
                self._unsettled.pop(0)


def named(error: Exception) -> str:
    return str(error) if isinstance(error, RenkeiError) else type(error).__name__
