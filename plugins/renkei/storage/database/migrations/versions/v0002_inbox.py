"""The inbox and its leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renkei.storage.database.columns import Moment

revision, down_revision = "0002", "0001"


def upgrade() -> None:
    op.create_table(
        "inbox_message",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("link", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("event", sa.LargeBinary(length=32), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("inbox_message_event", "inbox_message", ["link", "tenant", "event"], unique=True)
    op.create_index("inbox_message_next", "inbox_message", ["link", "tenant", "state", "number"], unique=False)
    op.create_index("inbox_message_order", "inbox_message", ["link", "tenant", "key", "state", "number"], unique=False)
    op.create_table(
        "inbox_lease",
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
