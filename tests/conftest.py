"""Airflow for the tests: a home of its own, set before anything imports Airflow, and running simulators."""

from __future__ import annotations

import atexit
import gc
import itertools
import os
import secrets
import shutil
import socket
import sqlite3
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).parents[1]
MEMORY = Path("/dev/shm")
ROOM = 4 << 30  # bytes; a whole run leaves a fraction of it behind


def _work_in_memory() -> None:
    """Temporary files where flushing costs nothing, if the machine has such a place: the tests flush tens of thousands."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        tempfile.tempdir = os.environ["TMPDIR"] = str(MEMORY)


_work_in_memory()
HOME = Path(tempfile.mkdtemp(prefix="renkei-tests-"))


def _settle_environment() -> None:
    """Airflow reads its settings when it is imported; nothing of the developer's own Airflow may take part."""
    for name in list(os.environ):
        if name.startswith(("AIRFLOW__", "AIRFLOW_CONN_", "AIRFLOW_VAR_", "RENKEI_")):
            del os.environ[name]
    # Kept, bytecode spares every worker the rewriting of 5,000 asserts, and each program that a test starts its compiling.
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    atexit.register(shutil.rmtree, HOME, ignore_errors=True)  # first come, last served: after Airflow's own
    (HOME / "dags").mkdir()
    os.environ.update(
        {
            "AIRFLOW_HOME": str(HOME),
            "AIRFLOW__CORE__DAGS_FOLDER": str(HOME / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            # Else a Dag that another test has written within half a minute is not written again.
            "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",
            "AIRFLOW__API__BASE_URL": "http://airflow.example.jp",
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        }
    )


_settle_environment()
# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")

from scripts.neighbours import Neighbours  # noqa: E402  (nothing is imported before Airflow's home is known)
from tests.harness.migrated import databases_copied  # noqa: E402
from tests.harness.s3 import ObjectStore  # noqa: E402
from tests.harness.warm import children_kept, read_once  # noqa: E402

# Workers beyond one for each processor: a test that waits for a browser, a time-out or Airflow keeps none busy.
WAITING = 1


def pytest_xdist_auto_num_workers() -> int | None:
    return None if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else (os.cpu_count() or 1) + WAITING


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collecting makes a million objects that stay: Python would look through them for garbage again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


# What is long elsewhere: programs that are killed at every step, or wait for one another.
LONG = (
    "contract/test_calendar_writers.py",
    "contract/test_inbox.py",
    "contract/test_load_crashes.py",
    "contract/test_punching.py",
    "contract/test_punching_between_machines.py",
    "contract/test_telling_crashes.py",
    "unit/links/hotprofile_kintone/test_crashes.py",
    "unit/sheets/test_bounded.py",
)


def _kind(item: pytest.Item) -> int:
    """What begins the share of which worker: 0 runs in Airflow, 1 pages of whole Airflows, 2 campaigns; 3 may come at any time."""
    place = item.path.relative_to(ROOT / "tests").as_posix()
    if place.startswith("end_to_end/"):
        return int(place.endswith(("_in_browser.py", "_forms.py", "_under_fab.py")))
    return 2 if place.startswith("proof/") or place in LONG else 3


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones come first in what a worker is given, each kind in another's share, so that none is left for the end,
    what waits is beside what computes, and what a kind needs is started once.
    """
    kinds: list[list[pytest.Item]] = [[], [], [], []]
    for item in items:
        kinds[_kind(item)].append(item)
    kinds[1].sort(
        key=lambda item: "refusals" not in item.path.name
    )  # a story in order: begun first, none is taken away
    others = iter(kinds.pop())
    workers, left, ordered = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")), len(items), list[pytest.Item]()
    for worker in range(workers):
        share = left // (workers - worker)  # as pytest-xdist gives them out
        mine = [item for kind in kinds[worker::workers] for item in kind]
        mine += itertools.islice(others, max(0, share - len(mine)))
        ordered += mine
        left -= len(mine)
    items[:] = [*ordered, *others]


@pytest.fixture(scope="session", autouse=True)
def _made_once() -> Iterator[None]:
    """What compiles and marks sheets is started once; the tables of our database, keys and certificates are found out once."""
    with children_kept(), databases_copied(), read_once():
        yield


@pytest.fixture(scope="session")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    """SmartHR, EMC, a mail server and the chat services, as programs of their own."""
    folder = tmp_path_factory.mktemp("neighbours")
    limits = ("--per-second", "1000", "--per-hour", "100000")
    with Neighbours(folder, ["acme:1:30"], ["acme"], limits, chat=True) as running:
        yield running


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """A running object store that speaks S3; a bucket for every test keeps them apart."""
    with ObjectStore.start() as server:
        yield server.url


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of this machine that refuses connections: it is taken, by nobody who listens."""
    with socket.socket() as kept:
        kept.bind(("127.0.0.1", 0))
        yield kept.getsockname()[1]


@pytest.fixture(scope="session")
def airflow_database() -> Path:
    """Airflow's metadata database."""
    from airflow.utils.db import initdb

    initdb()
    with closing(sqlite3.connect(HOME / "airflow.db")) as made, closing(sqlite3.connect(HOME / "new.db")) as copy:
        made.backup(copy)
    return HOME / "airflow.db"


@pytest.fixture(scope="session")
def new_database(airflow_database: Path) -> Path:
    """The same as it was made: for an Airflow of its own, which takes five seconds to make one."""
    return HOME / "new.db"


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled sheets, each once for all tests: the same bytes compile to the same."""
    return tmp_path_factory.mktemp("index")


@pytest.fixture
def mappings(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for the link's sheets, where Renkei looks for them."""
    folder = tmp_path / "mappings" / "smarthr_emc"
    folder.mkdir(parents=True)
    monkeypatch.setenv("RENKEI_MAPPINGS", str(folder.parent))
    monkeypatch.setenv("RENKEI_INDEX", str(index))
    monkeypatch.setenv("RENKEI_EMC_FORMAT", str(ROOT / "include/contracts/emc_format.yaml"))
    return folder
