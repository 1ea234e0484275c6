"""Running simulators for the contract tests, and a world between them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url

from renkei.systems.smarthr import client as smarthr_client
from tests.harness.chat import Chat
from tests.harness.clock import SkipClock, no_waits
from tests.harness.emc import Emc
from tests.harness.folders import in_memory
from tests.harness.hostile import Hostile
from tests.harness.postgresql import postgresql
from tests.harness.smarthr import SmartHR
from tests.harness.world import Kept, World


@pytest.fixture(scope="session")
def smarthr_sim_process() -> Iterator[SmartHR]:
    """One process for all tests of the simulator."""
    with SmartHR.start("--company", "other:7:20") as smarthr:
        yield smarthr


@pytest.fixture
def smarthr_bare(smarthr_sim_process: SmartHR) -> SmartHR:
    """The process with high limits, no faults and counters at zero; a test makes the companies that it wants."""
    smarthr_sim_process.clear()
    return smarthr_sim_process


@pytest.fixture
def smarthr_sim(smarthr_bare: SmartHR) -> SmartHR:
    """The bare process with a fresh company acme."""
    smarthr_bare.sim("POST", "companies", {"name": "acme", "seed": 1, "size": 300})
    return smarthr_bare


@pytest.fixture
def skipped() -> Iterator[SkipClock]:
    """SmartHR's client waits for nothing."""
    with no_waits(smarthr_client) as clock:
        yield clock


@pytest.fixture
def memory_path() -> Iterator[Path]:
    """A fresh folder for a store."""
    with in_memory() as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def emc_sim_process() -> Iterator[Emc]:
    """One process for all tests that load into EMC."""
    with in_memory() as folder, Emc.start("--database", f"{folder}/emc.sqlite") as emc:
        yield emc


@pytest.fixture
def emc_sim(emc_sim_process: Emc) -> Emc:
    """The process with empty accounts, no faults and counters at zero."""
    emc_sim_process.clear()
    return emc_sim_process


@pytest.fixture
def world(emc_sim: Emc, smarthr_bare: SmartHR, memory_path: Path) -> Iterator[World]:
    """Company and account with nothing between them yet."""
    with closing(World(smarthr_bare, emc_sim, memory_path)) as found:
        yield found


@pytest.fixture(scope="module")
def first_link(emc_sim_process: Emc, smarthr_sim_process: SmartHR) -> Iterator[Kept]:
    """What a first link leaves behind, made once for each file of tests: most begin after it."""
    smarthr_sim_process.clear()
    emc_sim_process.clear()
    with in_memory() as folder, closing(World(smarthr_sim_process, emc_sim_process, Path(folder))) as world:
        assert world.tenant.run(run_id="first") == "loaded"
        yield world.keep("linked")


@pytest.fixture
def linked(first_link: Kept, world: World) -> World:
    """After a first link."""
    world.back_to(first_link)
    return world


@pytest.fixture(scope="session")
def postgresql_process() -> Iterator[str]:
    """One process for all tests over PostgreSQL; where it is not installed, they do not ask for it."""
    with postgresql() as url:
        yield url


@pytest.fixture(scope="module")
def postgresql_url(postgresql_process: str) -> str:
    """An empty database for each file of tests."""
    name = f"tests_{secrets.token_hex(4)}"
    engine = create_engine(postgresql_process, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return make_url(postgresql_process).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    with closing(Hostile()) as server:
        yield server


@pytest.fixture(scope="session")
def chat_process() -> Iterator[Chat]:
    """One process for all tests that send chat messages."""
    with Chat.start() as chat:
        yield chat


@pytest.fixture
def chat(chat_process: Chat) -> Chat:
    """The process with nothing received, no faults and every service as at the start."""
    chat_process.clear()
    return chat_process
