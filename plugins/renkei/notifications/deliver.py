"""Tell one thing through all channels that want it, and account for each of them (N1, N2, N3).

A message that a channel took, or may have taken, is never sent to it again, however often the task is repeated, as
long as the store remembers. Only
a process that dies between the service's answer and the note of it sends again where the service knows no key.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tenacity import RetryCallState, Retrying, retry_if_result

from renkei.channel import Channel, Event, Service
from renkei.errors import ConnectionError_
from renkei.notifications.delivery_log import DeliveryLog
from renkei.notifications.diagnosis import disabled_message
from renkei.notifications.state import ChannelState, after
from renkei.systems.delivery import Delivery, Message, Messenger, Verdict, unknown

log = logging.getLogger(__name__)

TRIES = 3
PATIENCE_S = 30.0  # for waiting within a task; a service that asks for more gets its turn when Airflow repeats it
SENDING_S = 90.0  # for one channel in all; a client answers within 40 s by itself
MAIL_WAITS_S = 3.0  # until chat services have answered: while a mail is sent, which can take minutes, nothing is noted
_KEYS = uuid.UUID("6f1d5d5c-5f0b-5c43-9a5b-1d0a3f6c7a10")  # any constant: keys of equal messages are equal


@dataclass(frozen=True, slots=True)
class OpenedChannel:
    """A channel ready to be used: its client, the recipient as the service knows him, its registration's digest."""

    messenger: Messenger
    to: str
    registration: str


Opener = Callable[[Channel], OpenedChannel]  # raises ConnectionError_


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """What became of a message in one channel. What was `skipped` was not sent now: `delivery` is what is known of it."""

    channel: Channel
    event: Event
    delivery: Delivery | None = None
    skipped: str = ""  # disabled | already
    disabled_now: bool = False

    @property
    def failed(self) -> bool:
        return self.delivery is not None and not self.delivery.accepted

    @property
    def worth_repeating(self) -> bool:
        return self.delivery is not None and self.delivery.verdict is Verdict.LATER and not self.skipped


def was_accepted(told: Sequence[DeliveryResult], event: Event) -> bool:
    """Whether at least one channel took it: what became of the others is kept in their states (N2)."""
    return any(one.event is event and one.delivery is not None and one.delivery.accepted for one in told)


@dataclass(frozen=True, slots=True)
class _Due:
    channel: Channel
    key: str
    state: ChannelState
    opened: OpenedChannel | None
    fault: str = ""  # why it could not be opened


@dataclass(frozen=True, slots=True)
class Notifier:
    """Tells things, and keeps account of them in `deliveries`. `limit` is after how many failed runs in a row a channel is disabled."""

    tenant: str
    opener: Opener
    deliveries: DeliveryLog
    clock: Callable[[], dt.datetime]
    limit: int

    def tell(
        self, channels: Sequence[Channel], event: Event, message: Message, key: str, run: str
    ) -> list[DeliveryResult]:
        """What became of `message` in every channel that wants `event`; then the others are told of what was disabled.

        `key` names the message: what has the same key is told once. `run` is what failures are counted by.
        """
        told, spoken_of = self._tell(channels, event, message, key, run), set[str]()
        while untold := self._untold(channels, spoken_of):  # a notice may itself find that a channel is void
            channel, state = untold
            spoken_of.add(channel.name)
            others = [other for other in channels if other.name != channel.name]
            news, news_key = (
                disabled_message(self.tenant, channel, state),
                f"disabled\n{channel.name}\n{state.disabled_at and state.disabled_at.isoformat()}",
            )
            heard = self._tell(others, Event.DISABLED, news, news_key, run)
            told += heard
            if not heard or was_accepted(heard, Event.DISABLED):
                self.deliveries.keep(channel, dataclasses.replace(state, told=True))
        return told

    def _untold(self, channels: Sequence[Channel], spoken_of: set[str]) -> tuple[Channel, ChannelState] | None:
        """The first channel, with its state, that is disabled and of which the others have not heard."""
        for channel in channels:
            state = None if channel.muted or channel.name in spoken_of else self.deliveries.known(channel)
            if state is not None and state.disabled and not state.told:
                return channel, state
        return None

    def _tell(
        self, channels: Sequence[Channel], event: Event, message: Message, key: str, run: str
    ) -> list[DeliveryResult]:
        due, told = [], []
        for channel in channels:
            if channel.muted:
                self.deliveries.forget(channel)  # taken out of 通知を行わない later, it is registered anew
            elif channel.wants(event):
                one = self._prepare(channel, key)
                settled = self.deliveries.settled(one.key)
                if settled:
                    self._catch_up(one, *settled, run)
                    told.append(DeliveryResult(channel, event, settled[0], "already"))
                elif one.state.disabled:
                    # Disabled by this very run: it stays a failure of it, however often the task is repeated.
                    told.append(
                        DeliveryResult(channel, event, one.state.last if one.state.run == run else None, "disabled")
                    )
                else:
                    due.append(one)
        for one, delivery in _send_all(due, message, lambda one: self._mail(one, event, message)):
            now = self.clock()
            self.deliveries.settle(one.key, one.channel, event, delivery, now)
            state = after(one.state, delivery, one.channel.service, run, now, self.limit)
            self.deliveries.keep(one.channel, state)
            told.append(
                DeliveryResult(one.channel, event, delivery, disabled_now=state.disabled and not one.state.disabled)
            )
            _log(told[-1])
        return told

    def _mail(self, one: _Due, event: Event, message: Message) -> Delivery:
        """A mail of his own to each addressee: a refusal or a repetition for one of them costs no other (L4)."""
        assert one.opened is not None
        addresses, found = recipients(one.channel, one.opened), []
        if len(addresses) == 1:
            return _send(one, message)
        for to in addresses:
            key = str(uuid.uuid5(_KEYS, f"{one.key}\n{to}"))
            if settled := self.deliveries.settled(key):
                found.append(settled[0])
                continue
            own = dataclasses.replace(one, key=key, opened=dataclasses.replace(one.opened, to=to))
            found.append(_send(own, message))
            self.deliveries.settle(key, one.channel, event, found[-1], self.clock())
        return combined_delivery(found)

    def _catch_up(self, one: _Due, delivery: Delivery, at: dt.datetime, run: str) -> None:
        """Note in the channel's state what a process that died between the two notes left out (L4)."""
        if not one.state.at or one.state.at < at:
            self.deliveries.keep(one.channel, after(one.state, delivery, one.channel.service, run, at, self.limit))

    def _prepare(self, channel: Channel, key: str) -> _Due:
        opened, fault, state = None, "", self.deliveries.read(channel)
        try:
            opened = self.opener(channel)
            registration = opened.registration
            if state.registration != registration:
                state = ChannelState(registration)
                self.deliveries.keep(channel, state)
        # A Connection that cannot be read is no other registration: what is known of this one stays.
        except ConnectionError_ as error:
            fault = str(error)
        except Exception as error:  # whatever it is, the other channels are told (N3); its text may hold secrets
            fault = f"登録を読み取れません（{type(error).__name__}）。"
        return _Due(channel, channel_key(key, channel, state.registration), state, opened, fault)


def channel_key(key: str, channel: Channel, registration: str) -> str:
    """A UUID for a message in a channel: the same for the same message, registration by registration."""
    return str(uuid.uuid5(_KEYS, f"{key}\n{channel.name}\n{registration}"))


def recipients(channel: Channel, opened: OpenedChannel) -> list[str]:
    """To whom a message goes one by one: the addresses of a mail; for all else, the one place."""
    return opened.to.split(", ") if channel.service is Service.MAIL else [opened.to]


def combined_delivery(deliveries: Sequence[Delivery]) -> Delivery:
    """What became of one message to several addressees: to be repeated where one of them may take it later."""
    missed = [one for one in deliveries if not one.accepted]
    if not missed:
        return deliveries[0]
    if wait := next((one for one in missed if one.verdict is Verdict.LATER), None):
        return wait
    if len(missed) == len(deliveries):
        return missed[0]
    codes = ", ".join(sorted({str(one.status or one.reason) for one in missed}))
    return Delivery(Verdict.ACCEPTED, 250, f"{len(missed)} of {len(deliveries)} addresses not reached: {codes}")


def _send_all(
    due: Sequence[_Due], message: Message, mail: Callable[[_Due], Delivery]
) -> Iterator[tuple[_Due, Delivery]]:
    """Pairs of channel and delivery, as they come in; all channels at the same time, and mails by `mail`.

    Threads are daemons: one that hangs must not keep the task's process from ending.
    """
    results: queue.Queue[tuple[int, Delivery]] = queue.Queue()
    open_ones = set[int]()
    for number, one in enumerate(due):
        if one.opened is None:
            yield one, Delivery(Verdict.REFUSED, reason=one.fault)
        elif one.channel.service is not Service.MAIL:
            open_ones.add(number)
            threading.Thread(target=_work, args=(results, number, one, message), daemon=True).start()
    # Airflow's hook asks for its Connection while it sends, which is the main thread's to do.
    mails = [one for one in due if one.opened is not None and one.channel.service is Service.MAIL]
    if mails:
        yield from _answers(due, results, open_ones, MAIL_WAITS_S)
    for one in mails:
        yield one, mail(one)
    yield from _answers(due, results, open_ones, SENDING_S)
    for number in sorted(open_ones):
        yield due[number], unknown(None, f"no answer within {SENDING_S:.0f} s")


def _answers(
    due: Sequence[_Due], results: queue.Queue[tuple[int, Delivery]], open_ones: set[int], seconds: float
) -> Iterator[tuple[_Due, Delivery]]:
    """What comes in within `seconds`; it is no longer open then."""
    until = time.monotonic() + seconds
    while open_ones:
        try:
            number, delivery = results.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            return
        open_ones.discard(number)
        yield due[number], delivery


def _work(results: queue.Queue[tuple[int, Delivery]], number: int, one: _Due, message: Message) -> None:
    results.put((number, _send(one, message)))


def _send(one: _Due, message: Message) -> Delivery:
    """One message to one channel, repeated only where that cannot send twice."""
    assert one.opened is not None
    retrying = Retrying(
        retry=retry_if_result(lambda delivery: delivery.verdict is Verdict.LATER),
        wait=_pause,
        stop=lambda call: call.attempt_number >= TRIES or (call.seconds_since_start or 0.0) + _pause(call) > PATIENCE_S,
        retry_error_callback=_result,
    )
    try:
        delivery: Delivery = retrying(one.opened.messenger.send, message, one.opened.to, one.key)
    except Exception as error:  # whatever it is, the run's result stays what it is (N3); its text may hold secrets
        return unknown(None, type(error).__name__)
    return delivery


def _result(call: RetryCallState) -> Delivery:
    assert call.outcome is not None
    delivery: Delivery = call.outcome.result()
    return delivery


def _pause(call: RetryCallState) -> float:
    asked = _result(call).retry_after_s
    return float(2**call.attempt_number) if asked is None else asked


def _log(told: DeliveryResult) -> None:
    delivery = told.delivery
    assert delivery is not None
    log.log(
        logging.INFO if delivery.accepted else logging.WARNING,
        "notify channel=%s service=%s event=%s verdict=%s status=%s reason=%s%s",
        told.channel.name,
        told.channel.service,
        told.event,
        delivery.verdict,
        delivery.status,
        delivery.reason,
        " (now disabled)" if told.disabled_now else "",
    )
