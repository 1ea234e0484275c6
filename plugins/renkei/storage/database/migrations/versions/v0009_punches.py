"""What became of each message that asked for a punch."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renkei.storage.database.columns import Moment

revision, down_revision = "0009", "0008"
_P = "lineworks_kot_punch"


def upgrade() -> None:
    op.create_table(
        _P,
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("division", sa.String(length=40), nullable=False),
        sa.Column("sender", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(length=1), nullable=False),
        sa.Column("word", sa.String(length=100), nullable=False),
        sa.Column("issued_at", Moment(), nullable=False),
        sa.Column("day", sa.Date()),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=12), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("sent_at", Moment()),
        sa.Column("done_at", Moment()),
        sa.Column("by", sa.String(length=200), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("tenant", "number"),
    )
    op.create_index(f"{_P}_person", _P, ["tenant", "key", "issued_at"])
    op.create_index(f"{_P}_day", _P, ["tenant", "day", "key"])
    op.create_index(f"{_P}_state", _P, ["tenant", "state", "number"])
    op.create_index(f"{_P}_received", _P, ["tenant", "received_at"])
