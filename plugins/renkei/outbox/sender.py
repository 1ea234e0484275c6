"""Sends a tenant's messages, each channel by itself: one that is slow, limited or away never keeps another waiting (W9)."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from renkei.clock import utcnow
from renkei.errors import RenkeiError, StoreError
from renkei.inbox.lease import LeaseLostError, Leases
from renkei.outbox.outbox import KEY_COUNTS, LATE, Outbox
from renkei.outbox.outgoing import Content, Outgoing, SendResult
from renkei.outbox.tables import State
from renkei.systems.delivery import Delivery, Messenger, Verdict, later, refused, unknown

log = logging.getLogger(__name__)

LONGEST_PAUSE_S = 300.0  # between two tries of one message
CLOSED_FOR_S = 60.0  # a channel that cannot be opened is tried again then
LOOKED_EVERY_S = 5.0  # at what waits, where nobody says that there is something
LOOKED_MEANWHILE_S = 0.25  # at what may be sent beside something slow
GATHERED_S = 0.02  # answers that come one after another are noted together
NOTED_AGAIN_S = 0.5  # a database that is away
ENDS_WITHIN_S = 50.0  # a request answers within 40 s by itself
NOWHERE = "送信を待つ間に、宛先の登録が無くなりました。"
GIVEN_UP = "サービスに接続できないまま、二重送信を防げる時間（24時間）を過ぎました。届いたかどうかは分かりません。"


@dataclass(frozen=True, slots=True)
class Outlet:
    """A channel as it is now. It is opened anew for every burst of messages."""

    messenger: Messenger
    takes_key: bool = False  # the service knows a message again by its key: an open answer may be repeated (LINE)
    at_once: int = 8
    # How many seconds until one more may be sent; 0: now, and it counts.
    pace: Callable[[], float] = lambda: 0.0
    # Whether "too many" (429) is said of one recipient, not of the whole channel.
    limited_by_person: bool = False
    # Where it goes now, empty: nowhere any more; it may have waited for a day. May raise StoreError.
    address: Callable[[Content], str] = lambda content: content.to
    # What people are told of a delivery that is none; it names nobody.
    explain: Callable[[Delivery], str] = lambda delivery: " ".join(
        filter(None, (str(delivery.status or ""), delivery.reason))
    )


class Sender:
    """Works the outbox of one tenant off for as long as its process holds the tenant's lease."""

    def __init__(
        self,
        outbox: Outbox,
        leases: Leases,
        open_outlet: Callable[[str], Outlet],
        watch: Callable[[Outgoing, Delivery], None] = lambda _message, _delivery: None,
        *,
        late: str = LATE,
        clock: Callable[[], dt.datetime] = utcnow,
    ) -> None:
        """`late` is the note of what was dropped because its time was over. `open_outlet` may raise RenkeiError: the channel's messages wait then, until they are too late.

        `watch` is told of each answer once it is noted, in the channel's thread; what it raises is logged by its kind.
        """
        self._outbox, self._leases, self._open, self._watch = outbox, leases, open_outlet, watch
        self._late, self._clock = late, clock
        self._lock = threading.Lock()
        self._running: dict[str, threading.Thread] = {}
        self._called: set[str] = set()  # while running: there is more
        self._rests: dict[str, float] = {}  # until when nothing of a channel is sent, on the clock nobody can set
        self._failures: dict[str, int] = {}  # in a row, each of which made the whole channel rest
        self._closed = threading.Event()

    def left_behind(self, repeatable: Collection[str] = ("line",)) -> None:
        """To be called once when the lease was acquired; `repeatable` are channels whose service takes a key."""
        self._outbox.left_behind(self._leases, repeatable, self._clock())

    def tick(self) -> float:
        """Starts whatever is due, and waits for none of it; seconds until it wants to be called again."""
        now, soon = self._clock(), LOOKED_EVERY_S
        self._outbox.lapse(now, self._late)
        for channel, at in self._outbox.next().items():
            seconds = max((at - now).total_seconds(), self._rests.get(channel, 0.0) - time.monotonic())
            if seconds <= 0:
                self.call(channel)
            soon = min(soon, max(seconds, 0.25))
        return soon

    def call(self, channel: str) -> None:
        """Says that there is something to send in a channel."""
        with self._lock:
            if self._closed.is_set() or self._rests.get(channel, 0.0) > time.monotonic():
                return
            self._called.add(channel)
            if channel not in self._running:
                thread = threading.Thread(target=self._run, args=(channel,), name=f"outbox {channel}", daemon=True)
                self._running[channel] = thread
                thread.start()

    def rest(self, channel: str, seconds: float) -> None:
        """Sends nothing of a channel for so long."""
        self._rests[channel] = time.monotonic() + seconds

    def close(self) -> None:
        """Takes nothing more, and waits for what is being sent."""
        with self._lock:
            self._closed.set()
            threads = list(self._running.values())
        until = time.monotonic() + ENDS_WITHIN_S
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _run(self, channel: str) -> None:
        """A channel's thread: it ends when nothing is due."""
        while True:
            with self._lock:
                if channel not in self._called:
                    self._running.pop(channel)
                    return
                self._called.discard(channel)
            try:
                _Burst(self, channel, self._open(channel)).run()
            except StoreError as error:
                log.warning("outbox %s channel=%s: %s", self._outbox.lease, channel, error)
                self.rest(channel, LOOKED_EVERY_S)
            except RenkeiError as error:
                log.warning("outbox %s channel=%s: %s", self._outbox.lease, channel, error)
                self.rest(channel, CLOSED_FOR_S)
            except Exception as error:  # its text might hold a secret or a person (L6)
                log.error("outbox %s channel=%s: %s", self._outbox.lease, channel, type(error).__name__)
                self.rest(channel, CLOSED_FOR_S)


class _Burst:
    """What is due in one channel, sent until nothing is."""

    def __init__(self, sender: Sender, channel: str, outlet: Outlet) -> None:
        self._sender, self._channel, self._outlet = sender, channel, outlet
        self._outbox, self._leases = sender._outbox, sender._leases
        self._sending: dict[Future[Delivery | None], Outgoing] = {}

    def run(self) -> None:
        with ThreadPoolExecutor(self._outlet.at_once, f"outbox {self._channel}") as pool:
            try:
                while self._turn(pool):
                    pass
            finally:  # whatever went wrong, what is being sent now ends, and is noted
                while self._sending:
                    wait(self._sending, return_when=FIRST_COMPLETED)
                    self._note(self._finished())

    def _turn(self, pool: ThreadPoolExecutor) -> bool:
        """Notes what has ended and begins what fits; whether there is more to wait for."""
        finished, free = self._finished(), self._free()
        due, granted, pause = self._outbox.due(self._channel, free, self._sender._clock()), 0, 0.0
        while granted < due and not pause:
            pause = self._outlet.pace()
            granted += not pause
        for message in self._note(finished, granted):
            self._sending[pool.submit(self._send, message)] = message
        if self._sending:
            looks = free > granted or pause  # what is added meanwhile does not wait for what is slow
            wait(self._sending, timeout=LOOKED_MEANWHILE_S if looks else None, return_when=FIRST_COMPLETED)
            if len(self._sending) > 1:
                time.sleep(GATHERED_S)
            return True
        if pause:
            self._sender._closed.wait(pause)
        return bool(pause or finished)

    def _free(self) -> int:
        """How many more may be sent at once: one at a time, while it is not known that the service is back."""
        if self._stops():
            return 0
        most = 1 if self._channel in self._sender._failures else self._outlet.at_once
        return most - len(self._sending)

    def _stops(self) -> bool:
        rests = self._sender._rests.get(self._channel, 0.0) > time.monotonic()
        return rests or self._sender._closed.is_set() or not self._leases.holds(self._outbox.lease)

    def _send(self, message: Outgoing) -> Delivery | None:
        """What the service answers; None where nothing was sent, for another process may send it by now."""
        try:
            content = message.content()
            if not self._leases.holds(self._outbox.lease):
                return None
            to = self._outlet.address(content)
            return self._outlet.messenger.send(content.message, to, message.retry_key) if to else refused(None, NOWHERE)
        except StoreError:  # sealed with a key that is not there: nothing was sent
            return later(None, "StoreError")
        except Exception as error:  # a messenger raises for nothing that the network does; its text may hold a secret
            return unknown(None, type(error).__name__)

    def _finished(self) -> list[tuple[SendResult, Delivery | None]]:
        """What has ended, and what it means; a channel that failed rests from now on."""
        ended = [one for one in self._sending if one.done()]
        now = self._sender._clock()
        return [(self._settled(self._sending.pop(one), one.result(), now), one.result()) for one in ended]

    def _note(self, finished: list[tuple[SendResult, Delivery | None]], most: int = 0) -> list[Outgoing]:
        """Writes down what became of messages, for as long as it takes; the next ones, if the lease is still ours."""
        now, settled = self._sender._clock(), [one for one, _ in finished]
        taken: list[Outgoing] = []
        while settled or most:
            try:
                if most:
                    taken = self._outbox.settle_and_take(self._leases, self._channel, settled, most, now)
                else:
                    self._outbox.settle(settled, now)
                break
            except LeaseLostError:
                most = 0
            except StoreError:
                if not settled:
                    raise
                if not self._leases.holds(self._outbox.lease):
                    most = 0
                time.sleep(NOTED_AGAIN_S)
                if self._sender._closed.is_set() and not self._leases.holds(self._outbox.lease):
                    log.error("outbox %s: %d answers could not be noted", self._outbox.lease, len(settled))
                    break  # unknown to whoever comes next
        for one, delivery in finished:
            self._tell(one.message, delivery)
        return taken

    def _settled(self, message: Outgoing, delivery: Delivery | None, now: dt.datetime) -> SendResult:
        if delivery is None:
            return SendResult(message, State.WAITING, message.note, now)
        if delivery.accepted:
            self._sender._failures.pop(self._channel, None)
            return SendResult(message, State.SENT)
        note = self._outlet.explain(delivery)
        if delivery.verdict is Verdict.REFUSED:
            return SendResult(message, State.REFUSED, note)
        if delivery.verdict is Verdict.UNKNOWN:
            self._rest(delivery)  # a service that answers nobody would make all of them unknown
            return SendResult(message, State.UNKNOWN, note)
        if self._outlet.takes_key and now - (message.begun_at or now) > KEY_COUNTS:
            return SendResult(message, State.UNKNOWN, GIVEN_UP)
        return SendResult(message, State.WAITING, note, now + dt.timedelta(seconds=self._pause(message, delivery)))

    def _pause(self, message: Outgoing, delivery: Delivery) -> float:
        """Until the message is tried again; where the service as a whole takes nothing, the channel rests as long."""
        if delivery.status == 429 and self._outlet.limited_by_person:
            return delivery.retry_after_s or float(min(2**message.attempts, LONGEST_PAUSE_S))
        return self._rest(delivery)

    def _rest(self, delivery: Delivery) -> float:
        """Lets the channel rest, longer from failure to failure; of several that fail at once, the first one counts."""
        rests = self._sender._rests.get(self._channel, 0.0) - time.monotonic()
        if rests <= 0:
            failures = self._sender._failures[self._channel] = self._sender._failures.get(self._channel, 0) + 1
            rests = min(delivery.retry_after_s or float(2 ** min(failures, 20)), LONGEST_PAUSE_S)
            self._sender.rest(self._channel, rests)
        return rests

    def _tell(self, message: Outgoing, delivery: Delivery | None) -> None:
        if delivery is None:
            return
        log.log(
            logging.INFO if delivery.accepted else logging.WARNING,
            "outbox %s number=%d channel=%s verdict=%s status=%s",
            self._outbox.lease,
            message.number,
            self._channel,
            delivery.verdict,
            delivery.status,
        )
        try:
            self._sender._watch(message, delivery)
        except Exception as error:
            log.error("outbox %s: %s", self._outbox.lease, type(error).__name__)
