"""The database of a version that knew an app's form for all tenants together (0007), brought to this one's tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, make_url, text

from renkei.storage.database.database import open_database
from tests.conftest import ROOT
from tests.harness.postgresql import folder_of_programs

MIGRATIONS = ROOT / "plugins" / "renkei" / "storage" / "database" / "migrations"
needs_postgresql = pytest.mark.skipif(folder_of_programs() is None, reason="PostgreSQL is not installed")


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=needs_postgresql)])
def test_k15_a_form_that_was_all_tenants_is_then_of_each_that_writes_to_the_app(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Whose requests are used up at the time of the upgrade plans by it; who has nothing to do with the app gets none."""
    url = f"sqlite:///{tmp_path}/renkei.db" if kind == "sqlite" else request.getfixturevalue("postgresql_url")
    old = create_engine(make_url(url))
    with old.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(MIGRATIONS))
        config.set_main_option("path_separator", "os")
        command.upgrade(config, "0007")
        for tenant, app in (("acme", "1"), ("sub", "1"), ("other", "2")):
            row = f"'{tenant}', 'companies', 'acme.cybozu.com/{app}'"
            connection.execute(
                text(f"INSERT INTO hotprofile_kintone_data_set (tenant, data_set, target) VALUES ({row})")
            )
        columns, row = "host, app, read_at, content", "'acme.cybozu.com', '1', '2026-11-01 00:00:00', '{}'"
        connection.execute(text(f"INSERT INTO hotprofile_kintone_form ({columns}) VALUES ({row})"))
    old.dispose()
    opened = open_database(url)
    with opened.reading() as connection:
        found = connection.execute(text("SELECT tenant, app, content FROM hotprofile_kintone_form ORDER BY tenant"))
        assert found.all() == [("acme", "1", "{}"), ("sub", "1", "{}")]
    opened.engine.dispose()
