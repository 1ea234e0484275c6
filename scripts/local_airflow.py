"""Airflow standalone on embedded defaults in a folder of its own, and a small client of its REST API."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import requests

PROJECT = Path(__file__).resolve().parents[1]
USER, PASSWORD = "admin", "admin"  # a throw-away Airflow that only this machine reaches
ENDED = ("success", "failed")  # of a run

# What may be started, each with what is then to be healthy.
ALL_AT_ONCE = {"standalone": ("metadatabase", "scheduler", "dag_processor", "triggerer")}
PAGES = {"api-server": ("metadatabase",)}
PARTS = {**PAGES, "scheduler": ("scheduler",), "dag-processor": ("dag_processor",)}

# Where much else runs on the machine: the scheduler, which mostly finds nothing to do, looks less often.
UNHURRIED = {"AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3"}

# What docker-compose.yaml sets otherwise: as many tasks at once as a worker of it has; Dag files are read again only
# after all of them were read once; no huge pages for Arrow.
COMPOSE = {
    **UNHURRIED,
    "AIRFLOW__CORE__PARALLELISM": "8",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
    "MIMALLOC_ALLOW_THP": "0",
}

# Below what systems hand out by themselves (Linux 32768, others 49152): between this look and its use, a port stays free
# of every connection and of every server that asks for "any port".
PORTS = range(15_000, 32_000)


def free_port() -> int:
    """A port of this machine that nobody listens to."""
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class LocalAirflow:
    """`airflow standalone` with its home below `folder`; use as a context manager.

    With `database`, a copy of that one, and without `standalone` itself and the triggerer, in which nothing of ours waits:
    it is up in half the time.
    With `pages_only`, nothing but what answers requests, over a copy of that database: no scheduler, no Dag is read.
    `prefix` (/af) is the path below which it answers.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        dags: Path = PROJECT / "dags",
        port: int = 0,
        *,
        database: Path | None = None,
        pages_only: Path | None = None,
        prefix: str = "",
    ) -> None:
        self._database = pages_only or database
        self._parts: Mapping[str, tuple[str, ...]] = PAGES if pages_only else PARTS if database else ALL_AT_ONCE
        self.port = port or free_port()
        self.url = f"http://localhost:{self.port}{prefix}"
        self.home = folder / "airflow"
        self.home.mkdir(parents=True, exist_ok=True)
        passwords = self.home / "passwords.json"
        passwords.write_text(json.dumps({USER: PASSWORD}))
        self.log = folder / "airflow.log"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW__", "RENKEI_"))},
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",  # standalone starts `airflow` by name
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Asia/Tokyo",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
            "AIRFLOW__LOGGING__UVICORN_LOGGING_LEVEL": "WARNING",
            "AIRFLOW__SCHEDULER__ALLOWED_RUN_ID_PATTERN": r"^[A-Za-z0-9_.~:+-]{1,200}\Z",  # as in Compose
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
            # Each task is a fork: what its parent has imported, it need not import again.
            "AIRFLOW__SCHEDULER__MP_START_METHOD": "forkserver",
            "AIRFLOW__SCHEDULER__MP_FORKSERVER_PRELOAD": "renkei.orchestration.preload",
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
            "AIRFLOW__DAG_PROCESSOR__PRINT_STATS_INTERVAL": "0",
            "PYTHONWARNINGS": "ignore",
            **environment,
        }
        self._processes: list[subprocess.Popen[bytes]] = []
        self._session = requests.Session()

    def __enter__(self) -> LocalAirflow:
        airflow = str(Path(sys.executable).with_name("airflow"))
        with self.log.open("wb") as log:
            if self._database:
                shutil.copyfile(self._database, self.home / "airflow.db")
            self._processes = [
                subprocess.Popen(
                    [airflow, part],
                    env=self.environment,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                for part in self._parts
            ]
        try:
            self._wait_until_healthy()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """SIGINT stops all of standalone's children cleanly; SIGTERM would leave them running."""
        below: list[psutil.Process] = []  # a task under way is in a process group of its own
        for process in self._processes:
            if process.poll() is None:
                with contextlib.suppress(psutil.NoSuchProcess):
                    below += psutil.Process(process.pid).children(recursive=True)
                process.send_signal(signal.SIGINT)
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=30)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=30)
        for child in below:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()

    def processor_s(self) -> float:
        """Seconds of the processor that all of its processes have used, those that have ended among them."""
        return sum(self.processor_by_part().values())

    def processor_by_part(self) -> dict[str, float]:
        """The same by what they are; a task's supervisor is the scheduler's worker that waits for it."""
        parents = [psutil.Process(process.pid) for process in self._processes]
        used = dict.fromkeys(("scheduler", "supervisors", "tasks", "api-server", "dag-processor", "triggerer"), 0.0)
        for process in [one for parent in parents for one in (parent, *parent.children(recursive=True))]:
            with contextlib.suppress(psutil.NoSuchProcess):
                own, words = process.cpu_times(), " ".join(process.cmdline()).replace("api_server", "api-server")
                part = next((name for name in used if f"airflow {name}" in words), "tasks")
                if "worker -- LocalExecutor" in words:
                    part = "supervisors"
                used[part] += own.user + own.system
                ended = "tasks" if part in ("scheduler", "supervisors") else part
                used[ended] += own.children_user + own.children_system
        return used

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + 400
        while time.monotonic() < deadline:
            if any(process.poll() is not None for process in self._processes):
                raise RuntimeError(f"Airflow ended at once; see {self.log}")
            try:
                health = requests.get(f"{self.url}/api/v2/monitor/health", timeout=5).json()
                if all(health[name]["status"] == "healthy" for names in self._parts.values() for name in names):
                    self._log_in()
                    return
            except requests.RequestException:
                pass
            time.sleep(0.5)
        raise RuntimeError(f"Airflow did not become healthy in 400 s; see {self.log}")

    def _log_in(self) -> None:
        answer = requests.post(f"{self.url}/auth/token", json={"username": USER, "password": PASSWORD}, timeout=10)
        answer.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def api(self, method: str, path: str, **kwargs: Any) -> Any:
        """A call of the REST API; the decoded answer."""
        for attempt in range(5):
            answer = self._session.request(method, f"{self.url}/api/v2{path}", timeout=180, **kwargs)
            if answer.status_code < 500 or attempt == 4:  # SQLite: "database is locked" passes
                break
            time.sleep(1)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def wait_for_dags(self, dag_ids: list[str], timeout_s: float = 300) -> None:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            known: set[str] = set()  # a page has at most a hundred, whatever is asked for
            while page := self.api("GET", f"/dags?limit=100&offset={len(known)}&order_by=dag_id")["dags"]:
                known |= {dag["dag_id"] for dag in page}
            if set(dag_ids) <= known:
                return
            errors = self.api("GET", "/importErrors")["import_errors"]
            if errors:
                raise RuntimeError(f"a Dag file cannot be read: {errors}")
            time.sleep(0.5)
        raise RuntimeError(f"Airflow does not know {set(dag_ids) - known}")

    def unpause(self, dag_id: str) -> None:
        self.api("PATCH", f"/dags/{dag_id}", json={"is_paused": False})

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None) -> str:
        body = {"logical_date": None, "conf": conf or {}}
        return str(self.api("POST", f"/dags/{dag_id}/dagRuns", json=body)["dag_run_id"])

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        run: dict[str, Any] = self.api("GET", f"/dags/{dag_id}/dagRuns/{run_id}")
        return run

    def run_through(self, dag_id: str, say: Callable[[str], None], what: str, **conf: str) -> str:
        """How a run ends that somebody triggers; `say` hears how long `what` took."""
        began, run_id = time.monotonic(), self.trigger(dag_id, {"mode": "NORMAL", **conf})
        while (state := str(self.run(dag_id, run_id)["state"])) not in ENDED and time.monotonic() - began < 300:
            time.sleep(0.3)
        say(f"{time.monotonic() - began:5.1f} s  {what}: {state}")
        return state

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        tasks: list[dict[str, Any]] = self.api("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances")[
            "task_instances"
        ]
        return tasks

    def failure(self, dag_id: str, run_id: str) -> str:
        """Of a run that failed: the first task that said why, and what it said."""
        failed = [task["task_id"] for task in self.tasks(dag_id, run_id) if task["state"] == "failed"]
        for task_id in failed:
            kept = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/failure"
            with contextlib.suppress(requests.HTTPError):  # it has none: what stopped it was not foreseen
                return f"{task_id}: {self.api('GET', kept)['value']['message']}"
        return f"{', '.join(failed) or 'no task'} failed without a word; see {self.home / 'logs'}"

    def answer(self, dag_id: str, run_id: str, task_id: str, option: str, reason: str) -> None:
        """Answer an approval as a person does on the page 要対応項目."""
        self.api(
            "PATCH",
            f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/-1/hitlDetails",
            json={"chosen_options": [option], "params_input": {"reason": reason}},
        )
