"""Marked people, neighbours that quote what they know, and the Airflow that runs the Dags between them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from aiosmtpd.controller import Controller

from scripts.chat_connections import chat_connections, destinations
from scripts.local_airflow import PROJECT, LocalAirflow, free_port
from scripts.neighbours import Neighbours
from tests.harness.hostile import Port
from tests.harness.sheet import compile_all
from tests.proof.case import Say
from tests.proof.leaks.fronts import Front, Reply, Sink
from tests.proof.leaks.marks import QUOTE
from tests.proof.leaks.scenarios import BAD_ROWS, DAG_FILE, PEOPLE, Scenario, person, sheet_of

CHAT_PATHS = {  # whose registration it is that is used there
    "slack/services": "slack_webhook",
    "slack/api": "slack_bot",
    "chatwork/v2": "chatwork",
    "teams/workflows": "teams",
    "googlechat/v1": "google_chat",
    "lineworks/oauth2": "lineworks",
    "line/v2": "line",
}
THINKING_S = 5.0  # a person's: Airflow fails a task that is answered before its scheduler has noted the question


class LeakWorld:
    """Everything around the Dags; use as a context manager."""

    def __init__(self, folder: Path, scenarios: list[Scenario]) -> None:
        self.folder, self.scenarios = folder, scenarios
        self.tenants = [scenario.tenant for scenario in scenarios]
        self._stack = ExitStack()
        for name in ("dags", "mappings/smarthr_emc", "tmp"):
            (folder / name).mkdir(parents=True)
        (folder / "quote.txt").write_text(QUOTE)

    def __enter__(self) -> LeakWorld:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start(self) -> None:
        self.airflow = LocalAirflow(self.folder, self._environment(), self.folder / "dags")
        self._start_inside()  # first, for Airflow takes long to import
        accounts = [f"{tenant}:{_token('emc', tenant)}" for tenant in self.tenants]
        limits = ("--per-second", "10000", "--per-hour", "1000000")
        self.neighbours = self._stack.enter_context(
            Neighbours(self.folder / "neighbours", [], accounts, limits, chat=True)
        )
        self.silent = self._stack.enter_context(closing(Port()))
        self.smarthr = self._stack.enter_context(closing(Front(self.neighbours.urls["smarthr"])))
        self.emc = self._stack.enter_context(closing(Front(self.neighbours.urls["emc"])))
        self.chat = self._stack.enter_context(closing(Front(self.neighbours.urls["chat"])))
        self.secrets = self.neighbours.chat_registrations()
        self.sink = Sink()
        self.mail = Controller(
            self.sink,
            hostname="127.0.0.1",
            port=0,
            authenticator=self.sink.authenticate,
            auth_require_tls=False,
            server_hostname="mail.example.jp",
        )
        # Its own start() calls the port it was given, which must be known: a free one is taken by hand.
        self.mail.port = free_port()
        self.mail.start()
        self._stack.callback(self.mail.stop)
        for scenario in self.scenarios:
            self._people(scenario.tenant)
            sheet = self.folder / "mappings/smarthr_emc" / f"{scenario.tenant}.yaml"
            sheet.write_text(sheet_of(scenario.tenant, self.smarthr.url, destinations(self.secrets)))
        (self.folder / "dags/smarthr_emc.py").write_text(DAG_FILE)
        if "gone" in self.tenants:  # a file where a folder should be: nothing below it can be reached
            (self.folder / "store/smarthr_emc/tenants").mkdir(parents=True, mode=0o700)
            (self.folder / "store/smarthr_emc/tenants/gone").touch(mode=0o600)
            for path in (self.folder / "store", self.folder / "store/smarthr_emc"):
                path.chmod(0o700)
        self._give_orders()
        fronts = (self.smarthr.url, self.chat.url)
        hosts = self.airflow.environment["RENKEI_ALLOWED_HOSTS"] = ",".join(urlsplit(url).netloc for url in fronts)
        compile_all(self.folder / "mappings/smarthr_emc", self.folder / "index", hosts)

    def _people(self, tenant: str) -> None:
        sim = f"{self.neighbours.urls['smarthr']}/_sim/companies"
        token = _token("shr", tenant)
        new = {"name": tenant, "seed": 1, "size": PEOPLE, "token": token}
        with requests.Session() as session:
            session.post(sim, json=new, timeout=30).raise_for_status()
            crews = session.get(f"{sim}/{tenant}/crews?fields=id", timeout=30).json()
            for number, crew in enumerate(crews, 1):
                values = person(number) | (BAD_ROWS.get(number, {}) if tenant == "rows" else {})
                session.patch(f"{sim}/{tenant}/crews/{crew['id']}", json=values, timeout=30).raise_for_status()

    def _give_orders(self) -> None:
        quoted = json.dumps([{"code": 1, "message": f"{QUOTE} %TOKEN%"}], ensure_ascii=False).encode()
        silent = f"http://127.0.0.1:{self.silent.port}/"
        away = {"Location": silent, "Link": f'<{silent}>; rel="next"', "Refresh": f"0; url={silent}"}
        named = {"X-Person": quote(QUOTE), "Content-Type": "application/json"}
        finding = {"file": "users", "line": 1, "item": "氏名", "code": "TOO_LONG", "message": QUOTE}
        rejected = {"id": "imp_1", "key": "k", "state": "rejected", "errors": [finding], "error_count": 1}
        named_code = {"code": QUOTE, "message": QUOTE}
        self.smarthr.link = self.emc.link = f'<{silent}>; rel="next"'
        self.smarthr.orders = {
            _token("shr", "token"): Reply("/api/", 401, quoted, named),
            _token("shr", "echo"): Reply("/crews", 500, quoted, named),
            _token("shr", "elsewhere"): Reply("/crews", 302, quoted, away),
        }
        self.emc.orders = {
            _token("emc", "reject"): Reply("/commit", 200, json.dumps(rejected).encode(), named),
            _token("emc", "refuse"): Reply("POST /api/v1/imports", 422, json.dumps(named_code).encode(), named),
            _token("emc", "away"): Reply("POST /api/v1/imports", 307, quoted, away),
        }

        for place, name in CHAT_PATHS.items():  # a service knows its own secrets, and whom they were to reach
            words = " ".join(map(str, self.secrets[name].values()))
            said = {"message": words, "error": {"code": words, "status": words, "message": words}, "errors": [words]}
            refusal = json.dumps(said | {"error_description": words, "description": words}).encode()
            answers = {"Content-Type": "application/json", "X-Echo": quote(words), "Location": silent}
            self.chat.orders |= {
                f"chat/{place}": Reply("", 401, refusal, answers),
                f"chat_busy/{place}": Reply("", 500, refusal, answers),
            }

    def _environment(self) -> dict[str, str]:
        return {
            "PYTHONPATH": str(PROJECT),
            "TMPDIR": str(self.folder / "tmp"),
            "PROOF_QUOTE": str(self.folder / "quote.txt"),
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",  # a busy machine is no case of this campaign
            "RENKEI_STORE": (self.folder / "store").as_uri(),
            "RENKEI_INDEX": str(self.folder / "index"),
            "RENKEI_MAPPINGS": str(self.folder / "mappings"),
            "RENKEI_EMC_FORMAT": str(PROJECT / "include/contracts/emc_format.yaml"),
            "RENKEI_RETRY_DELAY_S": "0",
        }

    def connections(self, tenants: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Airflow's Connections, by id; chat services' for these tenants alone, for they are many."""
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "renkei@example.jp", "retry_limit": 1}
        found: dict[str, dict[str, Any]] = {
            "smtp_default": {
                "conn_type": "smtp",
                "host": "127.0.0.1",
                "port": self.mail.port,
                "login": "renkei",
                "password": "SMTPZQ-secret",
                "extra": json.dumps(extra),
            },
            "chat": {"conn_type": "generic", "password": "https://hooks.example.jp/services/HOOKZQ"},
            "first_password__secret": {"conn_type": "generic", "password": "SecZQ9y"},
            "emc_drop__drop": {"conn_type": "fs", "extra": json.dumps({"path": str(self.folder / "drop")})},
        }
        for tenant in self.tenants:
            found[f"smarthr__{tenant}"] = {"conn_type": "smarthr", "password": _token("shr", tenant)}
            password = _token("emc", tenant)
            found[f"emc__{tenant}"] = {"conn_type": "emc", "host": self.emc.url, "password": password}
        for tenant in tenants:
            front = json.dumps(self.secrets).replace(self.neighbours.urls["chat"], f"{self.chat.url}/t/{tenant}")
            for name, connection in chat_connections(json.loads(front), tenant).items():
                found[name] = connection | {"extra": json.dumps(connection.get("extra", {}))}
        return found

    # --- runs

    def _start_inside(self) -> None:
        """The process for what needs Airflow's modules here: the tries of hosts, and runs by `dag.test`."""
        with (self.folder / "inside.log").open("wb") as log:
            self._inside = subprocess.Popen(
                [sys.executable, "-m", "tests.proof.leaks.inside", str(self.folder / "inside.json")],
                cwd=PROJECT,
                env=self.airflow.environment | {"AIRFLOW_HOME": str(self.folder / "inside")},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._stack.callback(self._inside.wait)
        self._stack.callback(self._inside.kill)  # nothing happens when it has ended

    def begin_inside(self, scenarios: list[Scenario]) -> None:
        silent = f"http://127.0.0.1:{self.silent.port}"
        netrc = self.folder / "netrc"
        netrc.write_text("machine 127.0.0.1 login someone password else\n")
        netrc.chmod(0o600)
        connections = self.connections(scenario.tenant for scenario in scenarios)
        environment = {
            "RENKEI_ALLOWED_HOSTS": self.airflow.environment["RENKEI_ALLOWED_HOSTS"],
            "NETRC": str(netrc),
            **{name: silent for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY")},
            **{f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()},
        }
        task = {
            "environment": environment,
            "dags": [scenario.dag_id for scenario in scenarios],
            "smarthr": self.smarthr.url,
            "emc": self.emc.url,
            "silent": self.silent.port,
        }
        assert self._inside.stdin is not None
        with self._inside.stdin as stdin:
            stdin.write(json.dumps(task).encode())

    def finish_inside(self) -> dict[str, Any]:
        if self._inside.wait(timeout=1_800):
            raise RuntimeError(f"the runs by dag.test broke off; see {self.folder / 'inside.log'}")
        told: dict[str, Any] = json.loads((self.folder / "inside.json").read_text())
        strangers = {token for front in (self.smarthr, self.emc) for token in front.tokens if "TOKZQ" not in token}
        told["wrong"] += [f"a request without its own token came: {len(strangers)} kinds"] if strangers else []
        return told

    def run_in_standalone(self, scenarios: list[Scenario], pages: dict[str, str], say: Say) -> dict[str, list[str]]:
        """Every run's state by tenant, in order; `pages` gets what Airflow's REST interface says of it all."""
        endings: dict[str, list[str]] = {}
        with self.airflow as airflow:
            for name, connection in self.connections(scenario.tenant for scenario in scenarios).items():
                airflow.api("POST", "/connections", json={"connection_id": name, **connection})
            airflow.wait_for_dags([scenario.dag_id for scenario in scenarios])
            for scenario in scenarios:
                airflow.unpause(scenario.dag_id)
                endings[scenario.tenant] = [self._run(scenario)]
            say("leaks: a held plan, a refused login to the mail server")
            fine, smtp = (next(s for s in scenarios if s.tenant == name) for name in ("fine", "smtp"))
            self._lose_people("fine")
            endings["fine"].append(self._run(fine))
            self.sink.refuses_login = True
            endings["smtp"].append(self._run(smtp))
            self.sink.refuses_login = False
            pages |= self._pages(scenarios)
        return endings

    def _lose_people(self, tenant: str) -> None:
        """Enough leavers for a hold, an ID変更, and somebody without an address."""
        sim = f"{self.neighbours.urls['smarthr']}/_sim/companies/{tenant}/crews"
        ids = [crew["id"] for crew in requests.get(f"{sim}?fields=id", timeout=30).json()]
        for crew_id in ids[:6]:
            requests.delete(f"{sim}/{crew_id}", timeout=30).raise_for_status()
        requests.patch(f"{sim}/{ids[6]}", json={"emp_code": "EIDZQX9999"}, timeout=30).raise_for_status()
        requests.patch(f"{sim}/{ids[7]}", json={"email": None}, timeout=30).raise_for_status()

    def _run(self, scenario: Scenario) -> str:
        """One run to its end; answers the questions that tasks ask, and uploads what is to be uploaded."""
        run_id = self.airflow.trigger(scenario.dag_id)
        deadline, answered = time.monotonic() + 240, False
        while time.monotonic() < deadline:
            state = str(self.airflow.run(scenario.dag_id, run_id)["state"])
            if state in ("success", "failed"):
                return state
            waiting = [] if answered else self.airflow.tasks(scenario.dag_id, run_id)
            for task in waiting:
                if task["state"] == "awaiting_input":
                    time.sleep(THINKING_S)
                    self._answer(scenario.dag_id, run_id, task["task_id"])
                    answered = True
            time.sleep(0.5)
        raise TimeoutError(f"{scenario.tenant} does not end; see {self.airflow.log}")

    def _answer(self, dag_id: str, run_id: str, task_id: str) -> None:
        if task_id == "confirm":
            key = next((self.folder / "drop").glob("*.ready")).name.removesuffix(".ready")
            finding = {"file": "users", "line": 1, "item": "氏名", "code": QUOTE, "message": QUOTE}
            result = {"id": key, "key": key, "state": "rejected", "errors": [finding], "error_count": 1}
            descriptor = os.open(self.folder / "drop" / f"{key}.result.json", os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(result, file, ensure_ascii=False)
        option = {"confirm": "取込失敗", "approve": "承認して登録する"}[task_id]
        self.airflow.answer(dag_id, run_id, task_id, option, "確認済み")

    def _pages(self, scenarios: list[Scenario]) -> dict[str, str]:
        """What Airflow shows: Dags with their documentation, tasks with rendered templates, XCom, logs, questions."""
        everywhere = "/dags/~/dagRuns/~"
        paths = [
            "/dags?limit=1000",
            "/connections?limit=1000",
            "/variables?limit=1000",
            "/eventLogs?limit=1000",
            "/importErrors?limit=1000",
            f"{everywhere}/taskInstances?limit=1000",
            f"{everywhere}/hitlDetails?limit=1000",
        ]
        for scenario in scenarios:
            paths += [f"/dags/{scenario.dag_id}/details", f"/dags/{scenario.dag_id}/tasks"]
            for run in self.airflow.api("GET", f"/dags/{scenario.dag_id}/dagRuns")["dag_runs"]:
                here = f"/dags/{scenario.dag_id}/dagRuns/{run['dag_run_id']}"
                for task in self.airflow.tasks(scenario.dag_id, run["dag_run_id"]):
                    if task["state"] in ("success", "failed") and (task["try_number"] or 0) > 0:
                        one = f"{here}/taskInstances/{task['task_id']}"
                        paths += [f"{one}/logs/{task['try_number']}", f"{one}/xcomEntries"]
        return {path: json.dumps(self.airflow.api("GET", path), ensure_ascii=False) for path in paths}


def _token(system: str, tenant: str) -> str:
    return f"TOKZQ-{system}-{tenant}"
