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

    def say(self, *events: dict[str, Any], user: str = "sato@acme.example", at_once: int = 1) -> list[dict[str, Any]]:
        """What members tell LINE WORKS' bot (`simulators.chat.lineworks.talk.Said`), and how each callback was answered."""
        return self.sim("POST", f"lineworks/said?at_once={at_once}", [{"user": user, **one} for one in events])

    def clear(self) -> None:
        """No message, no fault, every service as at the start."""
        self.sim("POST", "reset")
