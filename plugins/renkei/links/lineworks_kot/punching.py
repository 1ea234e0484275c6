"""What is done about each message to the bot: KING OF TIME is punched, once, with the message's own time (P8–P16)."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from renkei.clock import utcnow
from renkei.errors import ConnectionError_, RenkeiError
from renkei.inbox.drain import HandlingResult, PausedError
from renkei.inbox.inbox import Message
from renkei.inbox.lease import Leases
from renkei.inbox.tables import State as Inboxed
from renkei.links.lineworks_kot import LINK, replies
from renkei.links.lineworks_kot.accounts import Accounts
from renkei.links.lineworks_kot.alarms import (
    AWAY,
    FUTURE,
    NO_TIME,
    STOPPED,
    UNREADABLE,
    UNSURE,
    Alarms,
    Tell,
    no_boundary,
)
from renkei.links.lineworks_kot.circuit_breaker import LONGEST_REST_S, CircuitBreaker
from renkei.links.lineworks_kot.deciding import Decision, PunchMessage, Reason, asked_for, decide, read
from renkei.links.lineworks_kot.kinds import switched_on
from renkei.links.lineworks_kot.punches import Punch, Punches, State
from renkei.links.lineworks_kot.sheet.mapping import Mapping
from renkei.links.lineworks_kot.words_store import Word, Words
from renkei.outbox.outbox import Entry
from renkei.outbox.sender import Sender
from renkei.storage.database.database import Database
from renkei.storage.store import Store
from renkei.systems.delivery import Message as Text
from renkei.systems.kingoftime.client import KingOfTimeClient, minute
from renkei.systems.kingoftime.client import Punch as AtKingOfTime
from renkei.systems.kingoftime.errors import KingOfTimeAwayError, OtherPunchError, PunchRefusedError, StoppedError
from renkei.systems.kingoftime.hours import reading_opens_in

log = logging.getLogger(__name__)

AT_ONCE = 8
STALE = dt.timedelta(seconds=8)  # after a message was taken nothing is sent for it: the lease may have passed on
SETTLES = dt.timedelta(seconds=30)  # by then KING OF TIME has done, or never will do, what was sent
LOOKS_AFTER = dt.timedelta(seconds=5)  # what it has by then is done; what it has not may still come
LOOKS_EVERY = dt.timedelta(seconds=10)
MAX_SENT = 5  # times that KING OF TIME may not have a punch that may have been sent; then a person looks for it
STOPPED_S = 300.0  # until one punch is tried again, after KING OF TIME refused us (P15)
TOLD_FOR, ASKED_FOR = dt.timedelta(minutes=10), dt.timedelta(hours=24)  # how long a reply is worth sending
WITHOUT_TIME = (
    "LINE WORKSのメッセージの時刻(issuedTime)を読み取れないため、打刻していません。LINE WORKSの形式が変わった可能性があります。"
    "運用担当者に連絡してください。打刻しなかった人は「打刻一覧」で確認し、KING OF TIMEで打刻してください。"
)
FROM_THE_FUTURE = (
    "未来の時刻のメッセージが届いたため、打刻しませんでした。メッセージの時刻はLINE WORKSのものです。"
    "このサーバーの時計が遅れていないか、運用担当者に確認してください。打刻しなかった人は「打刻一覧」で確認し、KING OF TIMEで打刻してください。"
)
CONFIRMED = "KING OF TIMEに登録されていることを確認しました。"
NOT_FOUND = "送った打刻がKING OF TIMEに見つかりません。KING OF TIMEの打刻を見て、打刻するかどうかを決めてください。"
NOT_SURE = "KING OF TIMEの応答が届かなかったため、登録されたかどうかを確認します。"
TICK_S = 5.0


@dataclass(frozen=True, slots=True)
class PunchingContext:
    """What a tenant's worker works with. `open_client` reads the Connection anew; `sender` sends replies."""

    database: Database
    store: Store
    leases: Leases
    mapping: Mapping
    open_client: Callable[[], KingOfTimeClient] = field(repr=False)
    sender: Sender
    tell: Tell
    now: Callable[[], dt.datetime] = utcnow


class Puncher:
    """The worker of one tenant's inbox (`inbox/pump.Worker`)."""

    at_once = AT_ONCE

    def __init__(self, context: PunchingContext) -> None:
        tenant = context.mapping.tenant
        self._context, self._mapping, self._now = context, context.mapping, context.now
        self._lease = f"{LINK}__{tenant}"
        self._punches = Punches(context.database, context.store, tenant)
        self._accounts = Accounts(context.database, context.store, tenant)
        self._words = Words(context.database, tenant)
        self._alarms = Alarms(context.database, tenant, context.tell)
        self._breaker = CircuitBreaker()
        self._client: KingOfTimeClient | None = None
        context.sender.left_behind()

    # -- the pump's calls

    def handle(self, message: Message) -> HandlingResult:
        """Punch it, or say why it is no punch."""
        punch = self._punches.of(message.number)
        if punch is None:
            punch_message = read(message.body(), message.received_at)
            if punch_message and not punch_message.timed:  # LINE WORKS would write times in another way
                self._alarms.notice(NO_TIME, WITHOUT_TIME, self._now())
            if punch_message is None or (punch_message.in_group and not self._mapping.groups):
                return HandlingResult(Inboxed.DONE, "打刻のメッセージではありません。", forget=True)
            words = asked_for(punch_message, self._mapping, self._words.current().words)
            if punch_message.in_group and not words:  # people talk to one another
                return HandlingResult(Inboxed.DONE, "打刻の文言がありません。", forget=True)
            person = self._accounts.person_of(punch_message.user_id)
            decision = decide(punch_message, message.received_at, self._mapping, words, person)
            if decision.reason is not None:
                return self._keep(message, punch_message, decision, decision.reason)
            self._before_sending(message)
            doubled = self._no_punch(message, punch_message, decision, Reason.DOUBLE)
            window = self._mapping.double_press_s
            punch = self._punches.begin(message, punch_message, decision, window, doubled, self._now())
        elif punch.state in (State.SENDING, State.UNKNOWN, State.APPROVED):
            self._before_sending(message)
            self._punches.sent_again(punch, self._now())
        return _settled(punch) or self._send(message, punch)

    def look_back(self, message: Message) -> HandlingResult | None:
        """Ask KING OF TIME about a punch whose answer is unknown: it is there, or it is sent with its own time (P14)."""
        punch = self._punches.of(message.number)
        if punch is None or punch.state is State.APPROVED:  # each is noted as being sent before it is
            return None
        if settled := _settled(punch):
            return settled
        assert punch.day is not None
        gone = self._now() - max(message.since, punch.sent_at or message.since)
        if gone < min(LOOKS_AFTER, SETTLES):
            raise PausedError((min(LOOKS_AFTER, SETTLES) - gone).total_seconds(), NOT_SURE)
        if opens := reading_opens_in(self._now()):
            raise PausedError(opens, "KING OF TIMEを確認できない時間帯です。")
        found = self._read(punch, punch.day)
        times = (punch.issued_at, minute(punch.issued_at))
        if any(one.key == punch.key and one.kind == punch.kind and one.at in times for one in found):
            return self._done(punch, CONFIRMED)
        if gone < SETTLES:
            raise PausedError(min(SETTLES - gone, LOOKS_EVERY).total_seconds(), NOT_SURE)
        if punch.absent + 1 >= MAX_SENT:
            return self._unsure(punch)
        self._punches.note_absent(punch)
        return None

    def tick(self) -> float:
        """Replies and alarms."""
        self._alarms.tell_new(self._now())
        return min(TICK_S, self._context.sender.tick())

    def close(self) -> None:
        self._context.sender.close()

    # -- sending

    def _before_sending(self, message: Message) -> None:
        """Raises PausedError: KING OF TIME is given a rest, or the message is another process's by now."""
        self._breaker.check()
        if not self._context.leases.holds(self._lease) or self._now() - message.since > STALE:
            raise PausedError(0.0, "")

    def _send(self, message: Message, punch: Punch) -> HandlingResult:
        """Raises PausedError: it was surely not registered."""
        assert punch.kind is not None
        assert punch.day is not None
        try:
            with self._breaker.attempt():
                client = self._open_client()
                self._before_sending(message)
                client.punch(punch.key, punch.day, punch.issued_at, punch.kind)
        except PunchRefusedError as error:
            self._well()
            return self._refused(punch, str(error))
        except StoppedError as error:
            raise self._stopped(error, STOPPED_S) from None
        except KingOfTimeAwayError as error:
            self._alarms.notice(AWAY, str(error), self._now())
            rest = self._breaker.rest(0.0 if error.unknown else error.pause_s)
            if error.unknown:
                return self._unknown(punch, is_other=isinstance(error, OtherPunchError))
            raise PausedError(rest, str(error)) from None
        except ConnectionError_ as error:
            raise self._stopped(error, LONGEST_REST_S) from None
        self._well()
        return self._done(punch, "")

    def _stopped(self, error: RenkeiError, seconds: float) -> PausedError:
        """KING OF TIME takes nothing until a person acts; the Connection is read anew, as it may be what is mended (P15)."""
        self._client = None
        self._alarms.notice(STOPPED, str(error), self._now())
        return PausedError(self._breaker.rest(seconds), str(error))

    def _well(self) -> None:
        self._breaker.well()
        self._alarms.over(STOPPED, AWAY)

    def _read(self, punch: Punch, day: dt.date) -> list[AtKingOfTime]:
        """The employee's punches of the day. Raises PausedError: they cannot be read now; that stops no other punch."""
        try:
            found = self._open_client().punches(day, [punch.key])
        except KingOfTimeAwayError as error:
            raise PausedError(error.pause_s, str(error)) from None
        except (StoppedError, ConnectionError_) as error:
            self._client = None
            self._alarms.notice(UNREADABLE, str(error), self._now())
            raise PausedError(STOPPED_S, str(error)) from None
        self._alarms.over(UNREADABLE, AWAY)
        return found

    def _open_client(self) -> KingOfTimeClient:
        if self._client is None:
            self._client = self._context.open_client()
        return self._client

    # -- what became of it

    def _done(self, punch: Punch, note: str) -> HandlingResult:
        assert punch.kind is not None
        assert punch.day is not None
        text = replies.done(punch.issued_at, punch.kind, punch.day)
        waited_for = bool(note) or punch.state in (State.APPROVED, State.UNKNOWN)
        reply = self._reply_about(punch, "done", text, 3 if waited_for else 5, ASKED_FOR if waited_for else TOLD_FOR)
        self._punches.become(punch, State.DONE, reply, self._now(), note=note)
        return HandlingResult(Inboxed.DONE, note)

    def _unknown(self, punch: Punch, is_other: bool) -> HandlingResult:
        """Nobody knows yet; `is_other`: something was registered, so that this must not be sent once more."""
        assert punch.kind is not None
        text = replies.being_confirmed(punch.issued_at, punch.kind, reading_opens_in(self._now() + SETTLES))
        reply = self._reply_about(punch, "unknown", text, 3, TOLD_FOR)
        absent = MAX_SENT if is_other else None
        self._punches.become(punch, State.UNKNOWN, reply, self._now(), note=NOT_SURE, absent=absent)
        return HandlingResult(Inboxed.UNKNOWN, NOT_SURE)

    def _unsure(self, punch: Punch) -> HandlingResult:
        """It was sent, perhaps more than once, and is not where it should be: sent on and on it might be there as often."""
        assert punch.kind is not None
        self._alarms.notice(UNSURE, f"{NOT_FOUND}（打刻一覧の「確認が必要なもの」）", self._now())
        reply = self._reply_about(punch, Reason.UNSURE, replies.unsure(punch.issued_at, punch.kind), 1, ASKED_FOR)
        self._punches.become(punch, State.HELD, reply, self._now(), Reason.UNSURE, NOT_FOUND)
        return HandlingResult(Inboxed.HELD, NOT_FOUND)

    def _refused(self, punch: Punch, why: str) -> HandlingResult:
        assert punch.kind is not None
        reply = self._reply_about(punch, "refused", replies.refused(punch.issued_at, punch.kind, why), 1, ASKED_FOR)
        self._punches.become(punch, State.REFUSED, reply, self._now(), Reason.REFUSED, why)
        return HandlingResult(Inboxed.REFUSED, why)

    def _keep(
        self, message: Message, punch_message: PunchMessage, decision: Decision, reason: Reason
    ) -> HandlingResult:
        """A message that is no punch, or not without a person."""
        none = (Reason.NO_WORD, Reason.TWO_KINDS, Reason.STRANGER)
        states = {Reason.OLD: State.HELD, **dict.fromkeys(none, State.NONE)}
        if reason is Reason.FUTURE:
            self._alarms.notice(FUTURE, FROM_THE_FUTURE, self._now())
        if reason is Reason.NO_BOUNDARY and decision.person:
            kind, text = no_boundary(decision.person.division)
            self._alarms.notice(kind, text, self._now())
        reply = self._no_punch(message, punch_message, decision, reason)
        punch = self._punches.keep(
            message, punch_message, decision, states.get(reason, State.REFUSED), reply, self._now()
        )
        settled = _settled(punch)
        assert settled is not None
        return settled

    def _no_punch(
        self, message: Message, punch_message: PunchMessage, decision: Decision, reason: Reason
    ) -> list[Entry]:
        words = self._examples() if reason is Reason.NO_WORD else decision.words
        text = replies.no_punch(punch_message.issued_at, words, reason)
        event = f"reply {message.number} {reason}"
        if reason is Reason.STRANGER:  # one answer a day (P20)
            event = f"reply {reason} {punch_message.issued_at.date().isoformat()} {punch_message.user_id}"
        worth, priority = (ASKED_FOR, 2)
        if reason in (Reason.DOUBLE, Reason.NO_WORD):
            worth, priority = TOLD_FOR, 5
        key = decision.person.key if decision.person else punch_message.user_id
        return self._reply(event, key, punch_message.user_id, text, priority, worth, message.number)

    def _examples(self) -> list[Word]:
        """A word of each kind that is punched."""
        words = self._words.current()
        return [Word(kind, text) for kind in switched_on(self._mapping) for text in words.of(kind)[:1]]

    def _reply_about(self, punch: Punch, step: str, text: str, priority: int, worth: dt.timedelta) -> list[Entry]:
        user_id = self._punches.sender_of(punch)
        return self._reply(f"reply {punch.number} {step}", punch.key, user_id, text, priority, worth, punch.number)

    def _reply(
        self, event: str, key: str, user_id: str, text: str, priority: int, worth: dt.timedelta, number: int
    ) -> list[Entry]:
        """The reply, if the company wants any; failures go first, and what is late is not worth sending (P16)."""
        if not self._mapping.replies:
            return []
        until = self._now() + worth
        return [Entry(event, key, "lineworks", "reply", key, user_id, Text(text), until, None, priority, number)]


def _settled(punch: Punch) -> HandlingResult | None:
    """What the inbox is told of a punch about which nothing is to be done any more, or not now."""
    if punch.state in (State.SENDING, State.UNKNOWN, State.APPROVED):
        return None
    if punch.state is State.HELD:
        return HandlingResult(
            Inboxed.HELD, punch.note or "24時間より前のメッセージです。打刻するかどうかを決めてください。"
        )
    if punch.state in (State.DONE, State.DOUBLE):
        return HandlingResult(Inboxed.DONE, punch.note)
    return HandlingResult(Inboxed.REFUSED, punch.note, forget=punch.state is State.NONE)
