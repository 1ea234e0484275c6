"""A PostgreSQL of its own for tests, from Debian's binaries where they are installed; nothing of it outlives the test."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

WAIT_S = 120
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")  # it need not outlive a loss of power


def folder_of_programs() -> Path | None:
    """Where `initdb` and `postgres` are; None: nowhere."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((one for one in found if (one / "initdb").exists() and (one / "postgres").exists()), None)


@contextmanager
def postgresql(host: str = "127.0.0.1", clients: str = "") -> Iterator[str]:
    """Its URL for SQLAlchemy; `clients` are addresses (CIDR) that may come besides this machine's own.

    Raises:
        AssertionError: it did not start.
    """
    programs = folder_of_programs()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="renkei-postgresql-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
    # It refuses to run as root.
    other = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    if other:
        shutil.chown(folder, "nobody", "nogroup")
    data, port = folder / "data", _free_port(host)
    try:
        made = [*other, programs / "initdb", "-D", data, "-U", "renkei", "--auth=trust", "-E", "UTF8", "-N"]
        subprocess.run(made, check=True, capture_output=True, cwd=folder, timeout=WAIT_S)
        if clients:
            with (data / "pg_hba.conf").open("a") as trusted:
                trusted.write(f"host all all {clients} trust\n")
        where = ["-D", data, "-k", "", "-h", host, "-p", str(port)]
        settings = [part for one in FAST for part in ("-c", one)]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen([*other, programs / "postgres", *where, *settings], stdout=log, stderr=log)
        try:
            url = f"postgresql+psycopg2://renkei@{host}:{port}/postgres"
            _wait(server, url, folder / "log")
            yield url
        finally:
            server.send_signal(signal.SIGINT)  # whoever is still connected is not waited for
            server.wait(WAIT_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    engine, until = create_engine(url, connect_args={"connect_timeout": 5}), time.monotonic() + WAIT_S
    while time.monotonic() < until and server.poll() is None:
        try:  # it listens before it is ready
            engine.connect().close()
        except OperationalError:
            time.sleep(0.05)
        else:
            engine.dispose()
            return
    raise AssertionError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as taken:
        port: int = taken.getsockname()[1]
        return port
