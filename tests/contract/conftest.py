"""Running simulators for the contract tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.contract.chat_services import Chat
from tests.contract.emc_client import Emc
from tests.harness.hostile import Hostile

if TYPE_CHECKING:
    from tests.contract.stage import FirstLink, Stage

ROOT = Path(__file__).parents[2]


class Simulator:
    """A running simulator, spoken to as a client of company `acme` and through its control routes."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url

    @classmethod
    def start(cls, *arguments: str) -> Simulator:
        """Run the command line on a free port and wait until it is ready."""
        command = [sys.executable, "-m", "simulators.smarthr", "--port", "0", *arguments]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("READY http://127.0.0.1:"), line
        return cls(process, line.split()[1])

    def stop(self) -> int:
        """Ask the process to end; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(5)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def get(self, path: str, token: str | None = "shr_sim_acme", **params: Any) -> requests.Response:
        """GET below /api/v1."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.get(f"{self.url}/api/v1/{path}", params=params, headers=headers, timeout=10)

    def sim(self, method: str, path: str, body: Any = None) -> Any:
        """A control call that must succeed; returns its JSON, if any."""
        response = requests.request(method, f"{self.url}/_sim/{path}", json=body, timeout=10)
        assert response.ok, response.text
        return response.json() if response.content else None

    def fault(self, **fault: Any) -> None:
        """Put one fault in force, on crews unless told otherwise."""
        self.sim("POST", "faults", [{"path": "/crews", **fault}])

    def read_all(self, **params: Any) -> list[dict[str, Any]]:
        """Every page of crews, following rel=next."""
        crews, page = [], 1
        while True:
            response = self.get("crews", page=page, per_page=100, **params)
            crews += response.json()
            if "next" not in response.links:
                return crews
            page += 1


@pytest.fixture(scope="session")
def smarthr_sim_process() -> Iterator[Simulator]:
    """One process for all tests of the simulator."""
    simulator = Simulator.start("--company", "other:7:20")
    yield simulator
    simulator.stop()


@pytest.fixture
def smarthr_bare(smarthr_sim_process: Simulator) -> Simulator:
    """The process with high limits, no faults and counters at zero; a test makes the companies that it wants."""
    smarthr_sim_process.sim("POST", "limits", {"per_second": 10_000, "per_hour": 1_000_000})
    smarthr_sim_process.sim("DELETE", "faults")
    smarthr_sim_process.sim("DELETE", "requests")
    return smarthr_sim_process


@pytest.fixture
def smarthr_sim(smarthr_bare: Simulator) -> Simulator:
    """The bare process with a fresh company acme."""
    smarthr_bare.sim("POST", "companies", {"name": "acme", "seed": 1, "size": 300})
    return smarthr_bare


def in_memory() -> tempfile.TemporaryDirectory[str]:
    """A folder where flushing costs nothing, if the machine has one: these tests write thousands of small files."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="renkei-", dir=memory if os.access(memory, os.W_OK) else None)


@pytest.fixture
def memory_path() -> Iterator[Path]:
    """A fresh folder for a store."""
    with in_memory() as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def emc_sim_process() -> Iterator[Emc]:
    """One process for all tests that load into EMC."""
    with in_memory() as folder:
        emc = Emc("--database", f"{folder}/emc.sqlite")
        yield emc
        emc.stop()


@pytest.fixture
def emc_sim(emc_sim_process: Emc) -> Emc:
    """The process with an empty account acme, no faults and counters at zero."""
    for path in ("/faults", "/accounts/acme", "/accounts/beta", "/requests"):
        emc_sim_process.sim("DELETE", path)
    return emc_sim_process


# Imported late below: the stage's module needs this one.
@pytest.fixture
def stage(emc_sim: Emc, smarthr_bare: Simulator, memory_path: Path) -> Iterator[Stage]:
    """Company and account with nothing between them yet."""
    from tests.contract.stage import Stage

    found = Stage(emc_sim, smarthr_bare, memory_path)
    yield found
    for tenant in found.tenants:
        tenant.close()


@pytest.fixture(scope="module")
def first_link(emc_sim_process: Emc, smarthr_sim_process: Simulator) -> Iterator[FirstLink]:
    """What a first link leaves behind, made once for each file of tests."""
    from tests.contract.stage import FirstLink, Stage

    smarthr_sim_process.sim("POST", "limits", {"per_second": 10_000, "per_hour": 1_000_000})
    smarthr_sim_process.sim("DELETE", "faults")
    for path in ("/faults", "/accounts/acme"):
        emc_sim_process.sim("DELETE", path)
    with in_memory() as folder:
        stage = Stage(emc_sim_process, smarthr_sim_process, Path(folder))
        assert stage.tenant.run(run_id="first") == "loaded"
        stage.tenant.close()
        export = {name: emc_sim_process.call("GET", f"/{name}").json()["items"] for name in ("departments", "users")}
        yield FirstLink(Path(stage.store.root), export)


@pytest.fixture
def linked(first_link: FirstLink, stage: Stage) -> Stage:
    """After a first link."""
    shutil.copytree(first_link.store, stage.store.root, dirs_exist_ok=True)
    for name, rows in first_link.export.items():
        stage.emc.sim("POST", f"/accounts/acme/{name}", json=[{k: v for k, v in row.items() if v} for row in rows])
    return stage


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    with closing(Hostile()) as server:
        yield server


@pytest.fixture(scope="session")
def chat_process() -> Iterator[Chat]:
    """One process for all tests that send chat messages."""
    chat = Chat()
    yield chat
    chat.stop()


@pytest.fixture
def chat(chat_process: Chat) -> Chat:
    """The process with nothing received, no faults and every service as at the start."""
    chat_process.clear()
    return chat_process
