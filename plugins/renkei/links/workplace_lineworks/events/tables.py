"""What the database keeps for events (docs/store.md)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, String, Table, Text

from renkei.storage.database.columns import Moment
from renkei.storage.database.database import METADATA

DOCUMENT = Table(
    "workplace_lineworks_document",
    METADATA,
    Column("tenant", String(100), primary_key=True),
    Column("document", LargeBinary(16), primary_key=True),  # digest of its id
    Column("sequence", BigInteger, nullable=False),  # of its last event without one missing before it
    Column("at", Moment, nullable=False),
)
FAULT = Table(
    "workplace_lineworks_fault",
    METADATA,
    Column("tenant", String(100), primary_key=True),
    Column("channel", String(20), primary_key=True),
    Column("who", LargeBinary(16), primary_key=True),  # digest of a member's address; empty for the channel as a whole
    Column("registration", LargeBinary(16), nullable=False),  # digest of the address, or of the channel's secret
    Column("failures", Integer, nullable=False),  # in a row
    Column("void", Boolean, nullable=False),  # the service says that no message will pass
    Column("disabled_at", Moment),  # since when nothing is sent there
    Column("note", Text, nullable=False),
    Column("at", Moment, nullable=False),
)
