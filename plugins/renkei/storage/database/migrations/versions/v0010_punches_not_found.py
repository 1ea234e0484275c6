"""How often KING OF TIME did not have a punch that was sent to it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0010", "0009"


def upgrade() -> None:
    op.add_column("lineworks_kot_punch", sa.Column("absent", sa.Integer(), server_default="0", nullable=False))
