"""Invitations to the お客様ページ, and who has come in by them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renkei.storage.database.columns import Moment

revision, down_revision = "0012", "0011"
INVITATION, SESSION = "customer_invitation", "customer_session"


def upgrade() -> None:
    op.create_table(
        INVITATION,
        sa.Column("token", sa.LargeBinary(length=32), nullable=False),
        sa.Column("link", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("about", sa.LargeBinary(), nullable=False),
        sa.Column("allows", sa.String(length=100), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("created_by", sa.String(length=250), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("revoked_at", Moment(), nullable=True),
        sa.Column("revoked_by", sa.String(length=250), nullable=True),
        sa.Column("first_used_at", Moment(), nullable=True),
        sa.Column("last_used_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("token"),
    )
    op.create_index(f"{INVITATION}_number", INVITATION, ["link", "tenant", "number"], unique=True)
    op.create_table(
        SESSION,
        sa.Column("token", sa.LargeBinary(length=32), nullable=False),
        sa.Column("invitation", sa.LargeBinary(length=32), nullable=False),
        sa.Column("begun_at", Moment(), nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("token"),
        sa.ForeignKeyConstraint(["invitation"], [f"{INVITATION}.token"], ondelete="CASCADE"),
    )
    op.create_index(f"ix_{SESSION}_invitation", SESSION, ["invitation"])
