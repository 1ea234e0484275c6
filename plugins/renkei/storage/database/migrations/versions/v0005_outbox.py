"""The outbox: messages to people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renkei.storage.database.columns import Moment

revision, down_revision = "0005", "0004"
TABLE = "outbox_message"


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        TABLE,
        sa.Column("number", number, nullable=False),
        sa.Column("link", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("event", sa.LargeBinary(length=32), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("recipient", sa.LargeBinary(length=16), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("source", number, nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("not_before", Moment(), nullable=False),
        sa.Column("not_after", Moment(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("begun_at", Moment(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_message_event", TABLE, ["link", "tenant", "event"], unique=True)
    op.create_index("outbox_message_next", TABLE, ["link", "tenant", "state", "channel", "priority", "number"])
    op.create_index("outbox_message_order", TABLE, ["link", "tenant", "channel", "key", "state", "rank", "number"])
    op.create_index("outbox_message_recipient", TABLE, ["link", "tenant", "recipient", "number"])
