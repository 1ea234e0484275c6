"""The simulated chat services in their own process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[2]


class Chat:
    """A running simulator of all six services, spoken to through its control routes."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "simulators.chat", "--port", "0", *arguments],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        ready, self.url = self.process.stdout.readline().split()
        assert ready == "READY"
        self.session = requests.Session()
        self.registrations: dict[str, dict[str, Any]] = self.call("GET", "/_sim/registrations")

    def call(self, method: str, path: str, json: Any = None) -> Any:
        """A request that must succeed; its JSON, or None where the answer is empty."""
        response = self.session.request(method, self.url + path, json=json, timeout=20)
        assert response.ok, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    def messages(self, service: str | None = None) -> list[dict[str, Any]]:
        """What arrived at slack, chatwork, teams, lineworks, googlechat or line, oldest first."""
        return self.call("GET", "/_sim/messages" + (f"?service={service}" if service else ""))

    def lost(self, service: str | None = None) -> list[dict[str, Any]]:
        """What was accepted and is shown to nobody, oldest first."""
        return self.call("GET", "/_sim/lost" + (f"?service={service}" if service else ""))

    def fault(self, **fault: Any) -> None:
        """Put one fault in force: service, kind and what else `simulators.chat.faults.Fault` takes."""
        self.call("POST", "/_sim/faults", [fault])

    def clear(self) -> None:
        """No message, no fault, every service as at the start."""
        self.call("POST", "/_sim/reset")

    def stop(self) -> None:
        self.session.close()
        self.process.terminate()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
