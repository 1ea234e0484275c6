"""初回メッセージ: to everybody of the shown 所属 and 雇用区分 who is registered, once each (P6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from renkei.links.lineworks_kot import LINK
from renkei.links.lineworks_kot.accounts import Account
from renkei.links.lineworks_kot.kinds import switched_on
from renkei.links.lineworks_kot.sheet.mapping import Mapping
from renkei.links.lineworks_kot.words_store import WordList
from renkei.outbox.outbox import Entry, Outbox
from renkei.outbox.tables import State
from renkei.storage.database.database import Database
from renkei.storage.store import Store
from renkei.systems.delivery import Message

PURPOSE, CHANNEL = "first", "lineworks"
PRIORITY = 9  # replies to punches come first
LASTS = dt.timedelta(hours=24)
AT_ONCE = 500  # of one transaction
A_MINUTE, LONG_A_MINUTE, LONG_AFTER_MIN = 240, 120, 30  # LINE WORKS' limit, and what it asks of who sends on and on


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the first messages of a company are."""

    counts: dict[State, int]

    @property
    def open(self) -> int:
        return self.counts.get(State.WAITING, 0) + self.counts.get(State.SENDING, 0)

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def minutes_for(count: int) -> int:
    """How long LINE WORKS lets so many messages take, replies not counted."""
    quick = A_MINUTE * LONG_AFTER_MIN
    if count <= quick:
        return max(1, -(-count // A_MINUTE))
    return LONG_AFTER_MIN - (quick - count) // LONG_A_MINUTE


def text_of(mapping: Mapping, words: WordList) -> Message:
    """What the employee reads."""
    examples = [f"{kind.label}: {words.of(kind)[0]}" for kind in switched_on(mapping) if words.of(kind)]
    how = "次の文言だけを送ると打刻されます。" if mapping.exact else "次の文言を含むメッセージを送ると打刻されます。"
    return Message(f"{mapping.company}の打刻連携の設定が完了しました。", (f"このトークに、{how}", *examples))


def send_first_messages(
    database: Database,
    store: Store,
    mapping: Mapping,
    words: WordList,
    accounts: Sequence[Account],
    now: dt.datetime,
    again: str = "",
) -> int:
    """Puts a message for each account into the outbox; who has had theirs gets none, unless asked `again` by a name.

    Who was refused or was too late for it gets another one, once a day. Broken off and asked once more, it goes on where
    it was. How many wait now that did not before.
    """
    outbox, message = Outbox(database, store, LINK, mapping.tenant), text_of(mapping, words)
    before = progress_of(outbox).total
    failed = undelivered(outbox.newest(PURPOSE, [one.employee.key for one in accounts]))
    for start in range(0, len(accounts), AT_ONCE):
        some = accounts[start : start + AT_ONCE]
        today = now.date().isoformat()
        entries = [_entry(one, message, now, again or (today if one.employee.key in failed else "")) for one in some]
        with database.writing() as connection:
            outbox.add(connection, entries, now)
    return progress_of(outbox).total - before


def undelivered(states: dict[str, tuple[State, str]]) -> set[str]:
    """Who surely has not got theirs."""
    return {key for key, (state, _) in states.items() if state in (State.REFUSED, State.DROPPED)}


def _entry(account: Account, message: Message, now: dt.datetime, again: str) -> Entry:
    key = account.employee.key
    return Entry(
        event=f"first {key} {account.user_id} {again}",
        key=f"first {key}",  # no reply to a punch waits for it
        channel=CHANNEL,
        purpose=PURPOSE,
        recipient=key,
        to=account.user_id,
        message=message,
        not_after=now + LASTS,
        priority=PRIORITY,
    )


def progress_of(outbox: Outbox) -> Progress:
    counts: dict[State, int] = {}
    for (_, state), count in outbox.counts(PURPOSE).items():
        counts[state] = counts.get(state, 0) + count
    return Progress(counts)
