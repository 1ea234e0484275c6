"""Absences of WORKPLACE and their events in LINE WORKS' calendars."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renkei.storage.database.columns import Moment

revision, down_revision = "0007", "0006"
ABSENCE, EVENT = (f"workplace_lineworks_{name}" for name in ("absence", "event"))


def upgrade() -> None:
    op.create_table(
        ABSENCE,
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("absence_id", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("sheet", sa.LargeBinary(length=16), nullable=False),
        sa.Column("released", sa.BigInteger(), nullable=True),
        sa.Column("failed_at", Moment(), nullable=True),
        sa.Column("code", sa.String(length=40), server_default="", nullable=False),
        sa.Column("cause", sa.Text(), server_default="", nullable=False),
        sa.Column("remedy", sa.Text(), server_default="", nullable=False),
        sa.Column("told", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "absence_id"),
    )
    op.create_index(f"{ABSENCE}_next", ABSENCE, ["tenant", "state", "first_day"])
    op.create_index(f"{ABSENCE}_last", ABSENCE, ["tenant", "last_day"])
    op.create_table(
        EVENT,
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("absence_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("member", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("written_at", Moment(), nullable=True),
        sa.Column("compared_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "event_id"),
    )
    op.create_index(f"{EVENT}_absence", EVENT, ["tenant", "absence_id"])
    op.create_index(f"{EVENT}_compared", EVENT, ["tenant", "compared_at"])
