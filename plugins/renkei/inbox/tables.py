"""What the database keeps of messages (docs/store.md)."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text, text

from renkei.storage.database.columns import Moment
from renkei.storage.database.database import METADATA


class State(StrEnum):
    """Where a message stands."""

    WAITING = "waiting"
    SENDING = "sending"  # something may have been done about it since
    UNKNOWN = "unknown"  # nobody knows whether it was: the target is to be asked
    HELD = "held"  # a person decides
    DONE = "done"
    REFUSED = "refused"


OPEN = (State.WAITING, State.SENDING, State.UNKNOWN)  # a later message of the same key waits for these
OVER = (State.DONE, State.REFUSED)
IS_OPEN = text("state IN ('waiting', 'sending', 'unknown')")  # as the index says it: else it is not used

MESSAGE = Table(
    "inbox_message",
    METADATA,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),  # in the order of arrival
    Column("link", String(40), nullable=False),
    Column("tenant", String(100), nullable=False),
    Column("event", LargeBinary(32), nullable=False),  # digest of what makes a message the same one again
    Column("key", LargeBinary(16), nullable=False),  # digest of whose it is: an employee, a document
    Column("received_at", Moment, nullable=False),
    Column("body", LargeBinary, nullable=False),  # sealed where the store has a key
    Column("state", String(10), nullable=False),
    Column("since", Moment, nullable=False),  # of the state
    Column("attempts", Integer, nullable=False),  # how often it became `sending`
    Column("note", Text, nullable=False, server_default=""),  # Japanese, and names nobody
    Index("inbox_message_event", "link", "tenant", "event", unique=True),
    Index("inbox_message_next", "link", "tenant", "state", "number"),
    Index("inbox_message_open", "link", "tenant", "state", sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
    Index("inbox_message_order", "link", "tenant", "key", "state", "number"),
    sqlite_autoincrement=True,  # a number is never given again
)
LEASE = Table(
    "inbox_lease",
    METADATA,
    Column("name", String(150), primary_key=True),
    Column("owner", String(100), nullable=False),  # of one process; "" where it was given back
    Column("expires_at", Moment, nullable=False),
)
