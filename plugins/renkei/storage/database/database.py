"""The database of RENKEI_DATABASE, opened once in a process and brought to this version's tables at its first use."""

from __future__ import annotations

import functools
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import URL, Connection, Engine, MetaData, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from renkei.errors import StoreError

METADATA = MetaData()
HEAD = "0012"  # the newest of migrations/versions; a test holds it to them
WAIT_S = 60  # for another process's transaction
BRIEF_S = 4  # for a statement of a transaction for whose end somebody outside waits
POSTGRESQL = {  # libpq's parameters; what the URL says itself counts instead
    "connect_timeout": 5,
    "keepalives_idle": 5,  # a machine that vanished is missed after ten seconds, not after two hours
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    # Between two statements of a long plan there are minutes of our own work; a machine that hangs there holds locks.
    "options": f"-c lock_timeout={WAIT_S}s -c idle_in_transaction_session_timeout=600s",
}
_BRIEF = ("statement_timeout", "idle_in_transaction_session_timeout")
_LOCK = 7_365_210_441  # PostgreSQL's advisory lock of whoever migrates


class Database:
    """Transactions on one database. Errors are `StoreError`s, which quote no value (L6)."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._turn = threading.Lock()

    @contextmanager
    def writing(self, *, brief: bool = False) -> Iterator[Connection]:
        """One transaction, which is kept as a whole or not at all; on SQLite nobody else writes meanwhile.

        A `brief` one PostgreSQL ends by itself if a statement, or we between two of them, takes longer than BRIEF_S.
        """
        with _explained(), self._in_turn(), self.engine.begin() as connection:
            if brief and connection.dialect.name == "postgresql":
                limits = (f"set_config('{name}', '{BRIEF_S}s', true)" for name in _BRIEF)
                connection.exec_driver_sql(f"SELECT {', '.join(limits)}")
            yield connection

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """This process's threads write to SQLite one after another: who asks for its lock while it is taken, sleeps
        longer and longer before he asks again, and of several the last one may wait for seconds.
        """
        if self.engine.dialect.name != "sqlite":
            yield
            return
        taken = self._turn.acquire(timeout=WAIT_S)  # else SQLite says for itself that it is locked
        try:
            yield
        finally:
            if taken:
                self._turn.release()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One moment of the database, which stops nobody from writing."""
        with _explained(), self.engine.connect().execution_options(reading=True) as connection, connection.begin():
            yield connection


def open_database(url: str) -> Database:
    """The database at `url`, of which this process has one.

    Raises:
        StoreError: it cannot be opened, or a newer version has changed its tables.
    """
    return _opened(url, os.getpid())  # a connection must not be shared with a process that was forked off


@functools.cache
def _opened(url: str, _process: int) -> Database:
    with _explained():
        try:
            parsed = make_url(url)
            sqlite = parsed.get_backend_name() == "sqlite"
            engine = create_engine(
                parsed, hide_parameters=True, pool_pre_ping=not sqlite, connect_args=_connect_args(parsed)
            )
        except (ArgumentError, ImportError):  # the text may hold a password (L7)
            raise StoreError(
                "RENKEI_DATABASE がデータベースのURLではありません。"
                "例: sqlite:////srv/renkei/renkei.db、postgresql+psycopg2://renkei:…@postgres/renkei"
            ) from None
        if sqlite:
            _use_sqlite_safely(engine)
            if parsed.database:
                _own_folder(Path(parsed.database))
        _migrate(engine)
    return Database(engine)


def _connect_args(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"timeout": WAIT_S}
    if url.get_driver_name() in ("psycopg2", "psycopg"):
        return {name: value for name, value in POSTGRESQL.items() if name not in url.query}
    return {}


def _own_folder(file: Path) -> None:
    """The file holds people's names where the store has no key: it is its owner's alone (L6)."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(f"データベース {file} を作れません（{error.strerror}）。") from None


def _use_sqlite_safely(engine: Engine) -> None:
    """What is committed outlives a loss of power, and a reader never waits for a writer."""

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # else sqlite3 decides by itself when a transaction begins
        _write_ahead(connection)
        for pragma in ("synchronous = FULL", "foreign_keys = ON", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _began(connection: Connection) -> None:
        # A transaction that reads first and writes later could not be made a writing one, if another wrote meanwhile.
        reads = connection.get_execution_options().get("reading")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _write_ahead(connection: Any) -> None:
    """WAL, which stays with the file; where another process is just making it so, SQLite refuses without waiting."""
    until = monotonic() + WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() >= until:
                raise
        sleep(0.05)


def _migrate(engine: Engine) -> None:
    """Makes the tables what this version needs; of several processes one does it, and the others wait."""
    with engine.connect().execution_options(reading=True) as connection:
        if _version(connection) == HEAD:
            return
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        version = _version(connection)
        if version is not None and version > HEAD:
            raise StoreError(
                f"データベースの表は新しい版（{version}）のものです。この版のRenkei（{HEAD}）では使えません。"
                "Renkeiを新しい版に戻すか、更新の前のバックアップからデータベースを復元してください。"
            )
        if version != HEAD:
            _upgrade(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _upgrade(connection: Connection) -> None:
    from alembic import command  # a tenth of a second that a database of this version does not cost
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, "head")


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:  # its text quotes the statement, and a driver's own may quote a value (L6)
        kind = type(getattr(error, "orig", None) or error).__name__
        raise StoreError(
            f"データベース(RENKEI_DATABASE)を読み書きできません（{kind}）。空き容量と接続先を確認してください。"
        ) from None
