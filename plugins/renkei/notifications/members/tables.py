"""What the database keeps of what members registered themselves (docs/store.md)."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, String, Table

from renkei.storage.database.columns import Moment
from renkei.storage.database.database import METADATA

ENTRY = Table(
    "member_entry",
    METADATA,
    Column("link", String(40), primary_key=True),
    Column("tenant", String(100), primary_key=True),
    Column("member", LargeBinary(16), primary_key=True),  # digest of the user id
    Column("field", String(30), primary_key=True),  # of a `Member`
    Column("value", LargeBinary, nullable=False),  # sealed; empty text: taken back by the member
    Column("same", LargeBinary(16), nullable=False),  # digest of the value: one Slack account is one member's
    Column("changed_at", Moment, nullable=False),
    Column("invitation", LargeBinary(32), nullable=False),  # digest of the token by which it came
    Index("member_entry_same", "link", "tenant", "field", "same"),
)
INVITATION = Table(
    "member_invitation",
    METADATA,
    Column("token", LargeBinary(32), primary_key=True),  # digest
    Column("link", String(40), nullable=False),
    Column("tenant", String(100), nullable=False),
    Column("member", LargeBinary(16), nullable=False),
    Column("user_id", LargeBinary, nullable=False),  # sealed
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Index("member_invitation_member", "link", "tenant", "member"),
)
