"""What the database keeps of the invitations to the お客様ページ (docs/store.md)."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from renkei.storage.database.columns import Moment
from renkei.storage.database.database import METADATA

INVITATION = Table(
    "customer_invitation",
    METADATA,
    Column("token", LargeBinary(32), primary_key=True),  # digest
    Column("link", String(40), nullable=False),
    Column("tenant", String(100), nullable=False),
    Column("number", Integer, nullable=False),  # of the company's
    Column("about", LargeBinary, nullable=False),  # sealed: for whom, and why
    Column("allows", String(100), nullable=False),  # comma list of CustomerRight
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(250), nullable=False),  # the user's name in Airflow
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Column("revoked_by", String(250)),
    Column("first_used_at", Moment),
    Column("last_used_at", Moment),
    Index("customer_invitation_number", "link", "tenant", "number", unique=True),
)
SESSION = Table(
    "customer_session",
    METADATA,
    Column("token", LargeBinary(32), primary_key=True),  # digest of the cookie's value
    Column(
        "invitation", LargeBinary(32), ForeignKey(INVITATION.c.token, ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("begun_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
)
