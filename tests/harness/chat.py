"""The simulated chat services."""

from __future__ import annotations

import subprocess
from typing import Any

from tests.harness.program import Program


class Chat(Program):
    """All six services."""

    module = "simulators.chat"

    def __init__(self, *ready: str, process: subprocess.Popen[str] | None = None) -> None:
        super().__init__(*ready, process=process)
        self.registrations: dict[str, dict[str, Any]] = self.sim("GET", "registrations")

    def messages(self, service: str | None = None) -> list[dict[str, Any]]:
        """What arrived at slack, chatwork, teams, lineworks, googlechat or line, oldest first."""
        return self.sim("GET", "messages" + (f"?service={service}" if service else ""))

    def lost(self, service: str | None = None) -> list[dict[str, Any]]:
        """What was accepted and is shown to nobody, oldest first."""
        return self.sim("GET", "lost" + (f"?service={service}" if service else ""))

    def fault(self, **fault: Any) -> None:
        """Put one fault in force: service, kind and what else `simulators.chat.faults.Fault` takes."""
        self.sim("POST", "faults", [fault])

    def clear(self) -> None:
        """No message, no fault, every service as at the start."""
        self.sim("POST", "reset")
