"""The systems around Renkei, as programs of their own: SmartHR, EMC, a mail server, chat services and those of a link."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

from scripts.local_airflow import PROJECT


def sim(method: str, url: str, path: str, body: Any = None) -> Any:
    """What a simulator's control answers."""
    answer = requests.request(method, f"{url.rstrip('/')}/_sim/{path}", json=body, timeout=300)
    answer.raise_for_status()
    return answer.json() if answer.content else None


class Neighbours:
    """Starts the simulators on free ports; use as a context manager.

    `sales` starts a Hot Profile with that many companies and twice as many leads, and a kintone domain with the sample
    apps, `punching` a KING OF TIME with the sample company, `absent` a WORKPLACE; in the same folder they have what they had.
    """

    def __init__(
        self,
        folder: Path,
        companies: list[str],
        accounts: list[str],
        limits: tuple[str, ...] = (),
        *,
        chat: bool = False,
        sales: int = 0,
        punching: bool = False,
        absent: bool = False,
        ports: Mapping[str, int] | None = None,
    ) -> None:
        self.folder = folder
        self.companies = companies
        self._processes: list[subprocess.Popen[str]] = []
        ports = ports or {}  # of an earlier start, to be found at the same addresses
        self._commands = {
            "smarthr": [
                "--port",
                str(ports.get("smarthr", 0)),
                *(part for company in companies for part in ("--company", company)),
                *limits,
            ],
            "emc": [
                "--port",
                str(ports.get("emc", 0)),
                "--database",
                str(folder / "emc.sqlite"),
                *(part for account in accounts for part in ("--account", account)),
            ],
            "mail": [
                "--smtp-port",
                str(ports.get("smtp", 0)),
                "--http-port",
                str(ports.get("mail", 0)),
                "--folder",
                str(folder / "mails"),
            ],
            **({"chat": ["--port", str(ports.get("chat", 0))]} if chat else {}),
        }
        samples: dict[str, list[str]] = {}
        if sales:
            samples["hotprofile"] = ["--clients", str(sales), "--leads", str(2 * sales)]
            samples["kintone"] = ["--apps", str(PROJECT / "simulators" / "kintone" / "sample.yaml")]
        if punching:
            samples["kingoftime"] = ["--company", str(PROJECT / "simulators" / "kingoftime" / "sample.yaml")]
        if absent:
            samples["workplace"] = []
        for name, arguments in samples.items():
            kept = ["--port", str(ports.get(name, 0)), "--keep", str(folder / f"{name}.pickle")]
            self._commands[name] = [*kept, *arguments]
        self.smtp_port = 0  # known once it has started
        self.urls: dict[str, str] = {}

    def __enter__(self) -> Neighbours:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            for name, process in [(name, self._start(name)) for name in self._commands]:  # beside one another
                self.urls[name] = self._ready(name, process)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:  # none is left behind, whatever the others do
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()

    def _start(self, name: str) -> subprocess.Popen[str]:
        log = (self.folder / f"{name}.log").open("w")
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"simulators.{name}", *self._commands[name]],
                cwd=PROJECT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._processes.append(process)
        return process

    def _ready(self, name: str, process: subprocess.Popen[str]) -> str:
        """Where it listens, once it does."""
        assert process.stdout is not None
        ready = process.stdout.readline()
        found = re.findall(r"http://\S+", ready)
        if not found:
            raise RuntimeError(f"the {name} simulator did not start; see {self.folder / name}.log")
        if mail := re.search(r"smtp://\S+:(\d+)", ready):
            self.smtp_port = int(mail[1])
        return found[-1]

    @property
    def ports(self) -> dict[str, int]:
        """Where everything listens, as `ports` takes it."""
        found = {name: int(url.rpartition(":")[2].rstrip("/")) for name, url in self.urls.items()}
        return {**found, "smtp": self.smtp_port}

    def play_day(self, company: str, **changes: int) -> dict[str, list[str]]:
        """Let a day pass at a company; the crew ids touched, by kind."""
        touched: dict[str, list[str]] = sim("POST", self.urls["smarthr"], f"companies/{company}/day", changes)
        return touched

    def valid_crews(self, company: str) -> int:
        """How many people EMC should know: everybody but 退職済."""
        crews = sim("GET", self.urls["smarthr"], f"companies/{company}/crews?fields=id,emp_status")
        return sum(crew["emp_status"] != "retired" for crew in crews)

    def emc_head_count(self, account: str) -> dict[str, int]:
        counts: dict[str, int] = sim("GET", self.urls["emc"], f"accounts/{account}")
        return counts

    def mails(self) -> list[dict[str, str]]:
        """Every mail so far, oldest first."""
        found: list[dict[str, str]] = sim("GET", self.urls["mail"], "messages")
        return found[::-1]

    def chat_registrations(self) -> dict[str, dict[str, Any]]:
        """Secrets and addresses of the simulated chat services, as their administrators would hand them out."""
        found: dict[str, dict[str, Any]] = sim("GET", self.urls["chat"], "registrations")
        return found

    def chat_messages(self) -> list[dict[str, Any]]:
        """Every message that arrived in a chat service so far, oldest first."""
        found: list[dict[str, Any]] = sim("GET", self.urls["chat"], "messages")
        return found
