"""The simulated mail server."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

from tests.harness.program import Program


class Mail(Program):
    module = "simulators.mail"

    @property
    def smtp_port(self) -> int:
        return urlsplit(self.ready[0]).port or 0

    def clear(self) -> None:
        """No message, no fault."""
        self.sim("DELETE", "messages")
        self.sim("DELETE", "faults")

    def send(self, message: EmailMessage, to: list[str]) -> dict[str, tuple[int, bytes]]:
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=10) as client:
            return client.send_message(message, "from@example.com", to)

    def messages(self) -> list[dict[str, Any]]:
        """What arrived, newest first."""
        return self.sim("GET", "messages")

    def fault(self, **fault: Any) -> None:
        """Put one fault in force."""
        self.sim("POST", "faults", [fault])
