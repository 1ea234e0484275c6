"""The tables of Hot Profile → kintone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renkei.storage.database.columns import Moment

revision, down_revision = "0001", None


def upgrade() -> None:
    op.create_table(
        "hotprofile_kintone_data_set",
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("data_set", sa.String(length=20), nullable=False),
        sa.Column("enabled_at", Moment(), nullable=True),
        sa.Column("watermark", Moment(), nullable=True),
        sa.Column("paused_at", Moment(), nullable=True),
        sa.Column("target", sa.String(length=250), server_default="", nullable=False),
        sa.Column("tested", sa.String(length=64), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("tenant", "data_set"),
    )
    op.create_table(
        "hotprofile_kintone_form",
        sa.Column("host", sa.String(length=200), nullable=False),
        sa.Column("app", sa.String(length=20), nullable=False),
        sa.Column("read_at", Moment(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("host", "app"),
    )
    op.create_table(
        "hotprofile_kintone_history",
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("run", sa.String(length=120), nullable=False),
        sa.Column("data_set", sa.String(length=20), nullable=False),
        sa.Column("run_id", sa.String(length=250), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("since", Moment(), nullable=True),
        sa.Column("until", Moment(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("read", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("added", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("updated", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unchanged", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("held", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("requests", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("said", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("tenant", "run", "data_set"),
    )
    op.create_index(
        "hotprofile_kintone_history_time", "hotprofile_kintone_history", ["tenant", "started_at"], unique=False
    )
    op.create_table(
        "hotprofile_kintone_incoming",
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("data_set", sa.String(length=20), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=True),
        sa.Column("old_key", sa.LargeBinary(length=16), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "data_set", "source_id"),
    )
    op.create_table(
        "hotprofile_kintone_quota",
        sa.Column("host", sa.String(length=200), nullable=False),
        sa.Column("app", sa.String(length=20), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("host", "app", "day"),
    )
    op.create_table(
        "hotprofile_kintone_trouble",
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("told_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "kind"),
    )
    op.create_table(
        "hotprofile_kintone_work",
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("data_set", sa.String(length=20), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=True),
        sa.Column("old_key", sa.LargeBinary(length=16), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("initial", sa.Boolean(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("failed_at", Moment(), nullable=True),
        sa.Column("field", sa.String(length=200), server_default="", nullable=False),
        sa.Column("code", sa.String(length=40), server_default="", nullable=False),
        sa.Column("cause", sa.Text(), server_default="", nullable=False),
        sa.Column("remedy", sa.Text(), server_default="", nullable=False),
        sa.Column("told", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "data_set", "source_id"),
    )
    op.create_index(
        "hotprofile_kintone_work_key", "hotprofile_kintone_work", ["tenant", "data_set", "key"], unique=False
    )
    op.create_index(
        "hotprofile_kintone_work_next",
        "hotprofile_kintone_work",
        ["tenant", "data_set", "state", "initial", "source_id"],
        unique=False,
    )
    op.create_table(
        "hotprofile_kintone_written",
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("data_set", sa.String(length=20), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("record_id", sa.String(length=20), nullable=False),
        sa.Column("revision", sa.String(length=20), nullable=False),
        sa.Column("written_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "data_set", "source_id"),
    )
    op.create_index(
        "hotprofile_kintone_written_key", "hotprofile_kintone_written", ["tenant", "data_set", "key"], unique=False
    )
    op.create_index(
        *("hotprofile_kintone_written_record", "hotprofile_kintone_written"),
        ["tenant", "data_set", "record_id"],
        unique=False,
    )
