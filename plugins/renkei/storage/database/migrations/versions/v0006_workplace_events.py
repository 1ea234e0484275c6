"""What members register themselves; the order of WORKPLACE's documents; registrations that failed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renkei.storage.database.columns import Moment

revision, down_revision = "0006", "0005"


def upgrade() -> None:
    op.create_table(
        "member_entry",
        sa.Column("link", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("member", sa.LargeBinary(length=16), nullable=False),
        sa.Column("field", sa.String(length=30), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("same", sa.LargeBinary(length=16), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("invitation", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("link", "tenant", "member", "field"),
    )
    op.create_index("member_entry_same", "member_entry", ["link", "tenant", "field", "same"])
    op.create_table(
        "member_invitation",
        sa.Column("token", sa.LargeBinary(length=32), nullable=False),
        sa.Column("link", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("member", sa.LargeBinary(length=16), nullable=False),
        sa.Column("user_id", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("token"),
    )
    op.create_index("member_invitation_member", "member_invitation", ["link", "tenant", "member"])
    op.create_table(
        "workplace_lineworks_document",
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("document", sa.LargeBinary(length=16), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "document"),
    )
    op.create_table(
        "workplace_lineworks_fault",
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("who", sa.LargeBinary(length=16), nullable=False),
        sa.Column("registration", sa.LargeBinary(length=16), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.Column("disabled_at", Moment(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "channel", "who"),
    )
