"""What a message is, before anything is done about it: a punch, or why it is none."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from renkei.clock import TOKYO
from renkei.links.lineworks_kot.accounts import Person
from renkei.links.lineworks_kot.kinds import Kind, switched_on
from renkei.links.lineworks_kot.matching import match
from renkei.links.lineworks_kot.sheet.mapping import Mapping
from renkei.links.lineworks_kot.words_store import Word
from renkei.links.lineworks_kot.working_day import working_day
from renkei.systems.lineworks.callback import event_of

AHEAD = dt.timedelta(minutes=2)  # two clocks differ
OLD = dt.timedelta(hours=24)


class Reason(StrEnum):
    """Why a message is no punch, or why it waits."""

    STRANGER = "stranger"
    NO_WORD = "no_word"
    NO_TIME = "no_time"  # it cannot be read
    TWO_KINDS = "two_kinds"
    OFF = "off"
    NO_BREAKS = "no_breaks"
    NO_BOUNDARY = "no_boundary"
    FUTURE = "future"
    OLD = "old"
    DOUBLE = "double"
    REFUSED = "refused"  # by KING OF TIME
    BY_HAND = "by_hand"  # a person refused a held one
    NOT_YET = "not_yet"  # before 連携開始日
    UNSURE = "unsure"  # KING OF TIME may have it, and does not show it


@dataclass(frozen=True, slots=True)
class PunchMessage:
    """What somebody wrote; where its time cannot be read (not `timed`), `issued_at` is when it was received."""

    user_id: str = field(repr=False)
    text: str = field(repr=False)
    issued_at: dt.datetime
    in_group: bool
    timed: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """`words` are those that the message has, of switched on kinds where there are any; none: it asks for nothing.

    With a `reason` it is no punch, or (OLD) not without a person. `day` is the working day, where it can be told.
    """

    words: tuple[Word, ...] = ()
    person: Person | None = None
    reason: Reason | None = None
    day: dt.date | None = None

    @property
    def kind(self) -> Kind:
        return self.words[0].kind


def read(body: bytes, received_at: dt.datetime) -> PunchMessage | None:
    """The text that a callback brings; None for anything else: a picture, a sticker, a place, a button's data."""
    event, text = event_of(body), _text(body)
    if event is None or not text:
        return None
    issued_at = _moment(event.issued_time)
    return PunchMessage(event.user_id, text, issued_at or received_at, bool(event.channel_id), issued_at is not None)


def _text(body: bytes) -> str:
    """What somebody wrote; empty where the event is of another kind."""
    if event_of(body) is None:
        return ""
    event: dict[str, Any] = json.loads(body)
    content = event.get("content") if event["type"] == "message" else None
    text = content.get("text") if isinstance(content, dict) and content.get("type") == "text" else None
    return text if isinstance(text, str) else ""


def asked_for(punch_message: PunchMessage, mapping: Mapping, words: Sequence[Word]) -> tuple[Word, ...]:
    """A word of each kind that the text names; of kinds that are switched off only where it names no other."""
    found = match(punch_message.text, words, exact=mapping.exact).words
    on = switched_on(mapping)
    return tuple(word for word in found if word.kind in on) or found


def decide(
    punch_message: PunchMessage,
    received_at: dt.datetime,
    mapping: Mapping,
    words: tuple[Word, ...],
    person: Person | None,
) -> Decision:
    """What becomes of a message with these words; it depends on nothing that changes while the message waits."""
    if person is None:
        return Decision(words, None, Reason.STRANGER)
    if not words:
        return Decision(words, person, Reason.NO_WORD)
    if not punch_message.timed:
        return Decision(words, person, Reason.NO_TIME)
    if mapping.link_start_on and punch_message.issued_at.astimezone(TOKYO).date() < mapping.link_start_on:
        return Decision(words, person, Reason.NOT_YET)
    if len(words) > 1:
        return Decision(words, person, Reason.TWO_KINDS)
    (word,) = words
    if word.kind not in switched_on(mapping):
        return Decision(words, person, Reason.OFF)
    if word.kind.is_break and person.type in mapping.no_break_types:
        return Decision(words, person, Reason.NO_BREAKS)
    boundary = mapping.boundaries.get(person.division)
    if boundary is None:
        return Decision(words, person, Reason.NO_BOUNDARY)
    day = working_day(punch_message.issued_at, boundary)
    if punch_message.issued_at > received_at + AHEAD:
        return Decision(words, person, Reason.FUTURE, day)
    return Decision(words, person, Reason.OLD if punch_message.issued_at < received_at - OLD else None, day)


def _moment(text: str) -> dt.datetime | None:
    """An issuedTime, to the second as KING OF TIME keeps it; None for one that is none."""
    try:
        found = dt.datetime.fromisoformat(text)
        return found.astimezone(TOKYO).replace(microsecond=0) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None
