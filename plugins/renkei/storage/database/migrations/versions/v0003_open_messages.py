"""Who has open messages is asked four times a second."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0003", "0002"


def upgrade() -> None:
    is_open = sa.text("state IN ('waiting', 'sending', 'unknown')")
    op.create_index(
        "inbox_message_open",
        "inbox_message",
        ["link", "tenant", "state"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
