"""What the database keeps of messages to people (docs/store.md)."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from renkei.storage.database.columns import Moment
from renkei.storage.database.database import METADATA


class State(StrEnum):
    """Where a message stands."""

    WAITING = "waiting"
    SENDING = "sending"  # it may have been sent since
    SENT = "sent"  # the service took it
    REFUSED = "refused"  # the service did not, and will not
    UNKNOWN = "unknown"  # nobody knows, and it is not sent again
    DROPPED = "dropped"  # never sent: too late, switched off, nowhere to send it to


OPEN = (State.WAITING, State.SENDING)  # a later message of the same channel and key waits for these
_Number = BigInteger().with_variant(Integer, "sqlite")

OUTGOING = Table(
    "outbox_message",
    METADATA,
    Column("number", _Number, primary_key=True),  # in the order in which they were added
    Column("link", String(40), nullable=False),
    Column("tenant", String(100), nullable=False),
    Column("event", LargeBinary(32), nullable=False),  # digest of what makes it the same message again
    Column("key", LargeBinary(16), nullable=False),  # digest of what has an order: a document, a person
    Column("rank", BigInteger, nullable=False),  # of a message within its key; of equal ones the earlier added
    Column("recipient", LargeBinary(16), nullable=False),  # digest of whose it is, to be found again
    Column("channel", String(20), nullable=False),
    Column("purpose", String(40), nullable=False),
    Column("source", _Number),  # of the inbox message that led to it
    Column("priority", Integer, nullable=False),  # the smaller, the sooner
    Column("created_at", Moment, nullable=False),
    Column("not_before", Moment, nullable=False),
    Column("not_after", Moment, nullable=False),
    Column("content", LargeBinary, nullable=False),  # recipient's address and message, sealed where the store has a key
    Column("state", String(10), nullable=False),
    Column("since", Moment, nullable=False),  # of the state
    Column("begun_at", Moment),  # when it was first `sending`
    Column("attempts", Integer, nullable=False),  # how often it became `sending`
    Column("note", Text, nullable=False, server_default=""),  # Japanese, and names nobody
    Index("outbox_message_event", "link", "tenant", "event", unique=True),
    Index("outbox_message_next", "link", "tenant", "state", "channel", "priority", "number"),
    Index("outbox_message_order", "link", "tenant", "channel", "key", "state", "rank", "number"),
    Index("outbox_message_recipient", "link", "tenant", "recipient", "number"),
    sqlite_autoincrement=True,  # a number is never given again
)
