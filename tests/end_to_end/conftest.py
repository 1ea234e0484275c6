"""One tenant, `acme`, run by Airflow itself over the simulators."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from scripts.neighbours import Neighbours
from tests.conftest import HOME, ROOT
from tests.end_to_end.airflow_world import AirflowWorld
from tests.end_to_end.browser import browser_address as browser_address
from tests.end_to_end.browser import chromium as chromium
from tests.end_to_end.console_site import login as login
from tests.end_to_end.console_site import page as page
from tests.end_to_end.console_site import site as site
from tests.end_to_end.console_site import smarthr as smarthr
from tests.end_to_end.console_site import tab as tab
from tests.harness.patience import patient_parsing as patient_parsing


@pytest.fixture(scope="session")
def airflow_database(airflow_database: Path) -> Path:
    """Airflow's metadata database, and the Dag folder with our one Dag file."""
    shutil.copyfile(ROOT / "dags/smarthr_emc.py", HOME / "dags/smarthr_emc.py")
    return airflow_database


@pytest.fixture
def no_runs(airflow_database: Path) -> None:
    """Nothing of what other tests ran: dag.test begins by clearing, one by one, every task of every run there has been."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        session.execute(delete(DagRun))


@pytest.fixture
def world(
    no_runs: None, neighbours: Neighbours, mappings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[AirflowWorld]:
    """Thirty people in SmartHR, an empty EMC, an empty mailbox, a sheet and all Connections."""
    with closing(AirflowWorld(neighbours, tmp_path, mappings, monkeypatch)) as world:
        monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
        hosts = ",".join(urlsplit(program.url).netloc for program in (world.smarthr, world.chat))
        monkeypatch.setenv("RENKEI_ALLOWED_HOSTS", hosts)
        monkeypatch.setenv("RENKEI_RETRY_DELAY_S", "0")
        world.write_sheet()
        world.connect_all()
        yield world
