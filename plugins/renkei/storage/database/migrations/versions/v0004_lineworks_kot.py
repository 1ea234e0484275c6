"""An administrator's settings of LINE WORKS → KING OF TIME, and the troubles of all links in one table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renkei.storage.database.columns import Moment

revision, down_revision = "0004", "0003"
_P = "lineworks_kot_"


def upgrade() -> None:
    op.create_table(
        _P + "words",
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "version"),
    )
    op.create_table(
        _P + "employee",
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("division", sa.String(length=40), nullable=False),
        sa.Column("division_name", sa.String(length=200), server_default="", nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("type_name", sa.String(length=200), server_default="", nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("gone", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "key"),
    )
    op.create_index(_P + "employee_code", _P + "employee", ["tenant", "code"])
    op.create_index(_P + "employee_group", _P + "employee", ["tenant", "division", "type", "code"])
    op.create_table(
        _P + "account",
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("entered", sa.LargeBinary(), nullable=False),
        sa.Column("entered_digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("user", sa.LargeBinary(), nullable=True),
        sa.Column("user_digest", sa.LargeBinary(length=16), nullable=True),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("checked_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "key"),
    )
    op.create_index(_P + "account_entered", _P + "account", ["tenant", "entered_digest"], unique=True)
    op.create_index(_P + "account_user", _P + "account", ["tenant", "user_digest"], unique=True)
    op.create_index(_P + "account_state", _P + "account", ["tenant", "state"])
    op.create_table(
        _P + "registration",
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("agreed_at", Moment(), nullable=True),
        sa.Column("agreed_by", sa.String(length=200), server_default="", nullable=False),
        sa.Column("first_at", Moment(), nullable=True),
        sa.Column("first_by", sa.String(length=200), server_default="", nullable=False),
        sa.Column("second_at", Moment(), nullable=True),
        sa.Column("second_by", sa.String(length=200), server_default="", nullable=False),
        sa.Column("employees_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("tenant"),
    )
    op.create_table(
        "trouble",
        sa.Column("link", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("told_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("link", "tenant", "kind"),
    )
    op.execute(
        "INSERT INTO trouble (link, tenant, kind, since, told_at) "
        "SELECT 'hotprofile_kintone', tenant, kind, since, COALESCE(told_at, since) FROM hotprofile_kintone_trouble"
    )
    op.drop_table("hotprofile_kintone_trouble")
