"""Changes that people make in kintone are found; the form of an app is what each tenant has read of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renkei.storage.database.columns import Moment

revision, down_revision = "0008", "0007"
_P = "hotprofile_kintone_"


def upgrade() -> None:
    op.add_column(f"{_P}written", sa.Column("ours", sa.LargeBinary(), nullable=True))
    op.create_table(
        f"{_P}conflict",
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("data_set", sa.String(length=20), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("field", sa.String(length=200), nullable=False),
        sa.Column("record_id", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("mark", sa.String(length=8), nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.Column("told", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "data_set", "source_id", "field"),
    )
    op.create_index(f"{_P}conflict_time", f"{_P}conflict", ["tenant", "seen_at"], unique=False)
    op.rename_table(f"{_P}form", f"{_P}form_of_all")
    op.create_table(
        f"{_P}form",
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("host", sa.String(length=200), nullable=False),
        sa.Column("app", sa.String(length=20), nullable=False),
        sa.Column("read_at", Moment(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "host", "app"),
    )
    op.execute(
        f"INSERT INTO {_P}form (tenant, host, app, read_at, content) "
        f"SELECT DISTINCT its.tenant, form.host, form.app, form.read_at, form.content FROM {_P}form_of_all AS form "
        f"JOIN {_P}data_set AS its ON its.target = form.host || '/' || form.app"
    )
    op.drop_table(f"{_P}form_of_all")
