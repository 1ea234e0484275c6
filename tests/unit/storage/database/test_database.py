"""The database: its tables are this version's, what is committed stays, its errors name nobody."""

from __future__ import annotations

import datetime as dt
import os
import socket
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from renkei.errors import StoreError
from renkei.inbox import tables as _inbox  # noqa: F401 - its tables too
from renkei.links.hotprofile_kintone import tables as _hotprofile_kintone  # noqa: F401
from renkei.links.lineworks_kot import tables as _lineworks_kot  # noqa: F401
from renkei.links.workplace_lineworks import tables as _workplace_lineworks  # noqa: F401
from renkei.links.workplace_lineworks.events import tables as _events  # noqa: F401
from renkei.notifications.members import tables as _members  # noqa: F401
from renkei.outbox import tables as _outbox  # noqa: F401
from renkei.runs.troubles import TROUBLE
from renkei.storage.database import database
from renkei.storage.database.database import HEAD, METADATA, open_database
from renkei.web.customer import tables as _customer  # noqa: F401
from tests.conftest import ROOT

MIGRATIONS = ROOT / "plugins" / "renkei" / "storage" / "database" / "migrations"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/new/renkei.db"


def test_the_migrations_make_just_the_tables_that_the_links_describe(url: str) -> None:
    with open_database(url).reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_the_newest_migration_is_the_one_that_is_looked_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_l4_processes_that_open_a_new_database_at_once_all_find_its_tables(url: str) -> None:
    """One migrates, under the lock; the others wait for it."""
    code = (
        "import sys; from renkei.storage.database.database import open_database;"
        "connection = open_database(sys.argv[1]).engine.connect();"
        "print(connection.exec_driver_sql('select count(*) from hotprofile_kintone_work').scalar())"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    ended = [process.communicate(timeout=150) for process in started]
    assert [out.strip() for out, _ in ended] == ["0"] * 4, ended


@pytest.mark.parametrize("ends", [True, False])
def test_l4_who_finds_a_new_database_being_made_waits_for_it(
    url: str, monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    """SQLite itself refuses at once to change the journal while another process is at it; in the end it is an error."""
    file = Path(url.removeprefix("sqlite:///"))
    file.parent.mkdir()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(database, "WAIT_S", 60 if ends else 0)
        monkeypatch.setattr(database, "sleep", lambda _: other.execute("ROLLBACK"))
        if ends:
            test_what_is_committed_is_flushed_to_the_disk(url)
        else:
            with pytest.raises(StoreError, match="OperationalError"):
                open_database(url)


def test_l6_the_file_is_its_owners_alone(url: str) -> None:
    open_database(url)
    file = Path(url.removeprefix("sqlite:///"))
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_what_is_committed_is_flushed_to_the_disk(url: str) -> None:
    with open_database(url).reading() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    assert found == ["wal", 2]


def test_a_transaction_that_fails_leaves_nothing_behind(url: str) -> None:
    opened = open_database(url)
    one = _trouble("acme")
    with pytest.raises(ZeroDivisionError), opened.writing() as connection:
        raise ZeroDivisionError(connection.execute(TROUBLE.insert(), one))
    with opened.reading() as connection:
        assert connection.execute(TROUBLE.select()).all() == []


def test_a_moment_comes_back_with_its_offset(url: str) -> None:
    opened = open_database(url)
    with opened.writing() as connection:
        connection.execute(TROUBLE.insert(), _trouble("acme"))
    with opened.reading() as connection:
        assert connection.scalar(TROUBLE.select().with_only_columns(TROUBLE.c.since)) == _moment()


def test_l6_an_error_quotes_no_value(url: str) -> None:
    opened = open_database(url)
    one = _trouble("山田")
    with pytest.raises(StoreError) as raised, opened.writing() as connection:
        connection.execute(TROUBLE.insert(), [one, one])
    assert "山田" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_l1_a_database_of_a_newer_version_is_left_alone(url: str) -> None:
    with open_database(url).writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database._opened.cache_clear()
    with pytest.raises(StoreError, match="新しい版（9999）"):
        open_database(url)


@pytest.mark.parametrize("wrong", ["nothing", "mysql-of-nobody://secret@host/x"])
def test_l7_a_wrong_url_is_named_and_not_quoted(wrong: str) -> None:
    with pytest.raises(StoreError, match="RENKEI_DATABASE") as raised:
        open_database(wrong)
    assert "secret" not in str(raised.value)


def test_a_postgresql_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes connections and says nothing, as behind a firewall that drops, or on a machine that hangs."""
    monkeypatch.setitem(database.POSTGRESQL, "connect_timeout", 2)  # libpq takes no less
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor() as others:
        url = f"postgresql+psycopg2://renkei:secret@127.0.0.1:{silent.getsockname()[1]}/renkei"
        opening = others.submit(open_database, url)
        try:
            error = opening.exception(60)
        finally:
            silent.close()  # else a test that failed would never end
    assert isinstance(error, StoreError), error


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=f"{os.fspath(tmp_path)}/file"):
        open_database(f"sqlite:///{tmp_path}/file/renkei.db")


def _moment() -> dt.datetime:
    return dt.datetime(2026, 4, 1, 4, 30, 15, 120000, dt.timezone(dt.timedelta(hours=9)))


def _trouble(tenant: str) -> dict[str, Any]:
    return {"link": "link", "tenant": tenant, "kind": "away", "since": _moment(), "told_at": _moment()}
