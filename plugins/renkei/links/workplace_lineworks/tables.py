"""What the database keeps of this link (docs/store.md).

An absence is known by WORKPLACE's id, which names nobody. `body` is who is absent, of what kind and when, sealed where
the store has a key; its title and reason are not read at all.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, LargeBinary, String, Table, Text, false

from renkei.storage.database.columns import Moment
from renkei.storage.database.database import METADATA

_P = "workplace_lineworks_"
WAITING, WRITTEN, FAILED, HELD = "waiting", "written", "failed", "held"  # states of an absence
GONE = "GONE"  # beside WORKPLACE's own statuses: it was deleted there for good
UNKNOWN = b""  # digest of an event that may have been sent: what the calendar has, nobody knows

ABSENCE = Table(
    _P + "absence",
    METADATA,
    Column("tenant", String(100), primary_key=True),
    Column("absence_id", String(64), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("status", String(20), nullable=False),
    Column("digest", LargeBinary(16), nullable=False),  # of the body
    Column("body", LargeBinary, nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("state", String(10), nullable=False),
    Column("since", Moment, nullable=False),  # when this revision was read
    Column("sheet", LargeBinary(16), nullable=False),  # digest of the settings by which it was written last
    Column("released", BigInteger),  # the revision whose cancellation a person has let through (C9)
    Column("failed_at", Moment),
    Column("code", String(40), nullable=False, server_default=""),
    Column("cause", Text, nullable=False, server_default=""),  # Japanese, and names nobody
    Column("remedy", Text, nullable=False, server_default=""),
    Column("told", Boolean, nullable=False, server_default=false()),  # of its failure somebody has heard
    Index(_P + "absence_next", "tenant", "state", "first_day"),
    Index(_P + "absence_last", "tenant", "last_day"),
)
EVENT = Table(  # in a member's calendar, or perhaps in it: written down before it is sent
    _P + "event",
    METADATA,
    Column("tenant", String(100), primary_key=True),
    Column("event_id", String(64), primary_key=True),
    Column("absence_id", String(64), nullable=False),
    Column("number", Integer, nullable=False),  # of the absence's periods, from 0
    Column("member", LargeBinary, nullable=False),  # the user id, sealed
    Column("digest", LargeBinary(16), nullable=False),  # of what the calendar confirmed; UNKNOWN
    Column("last_day", Date, nullable=False),
    Column("written_at", Moment),  # None: it was never confirmed
    Column("compared_at", Moment),
    Index(_P + "event_absence", "tenant", "absence_id"),
    Index(_P + "event_compared", "tenant", "compared_at"),
)
