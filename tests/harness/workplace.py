"""The simulated WORKPLACE."""

from __future__ import annotations

from typing import Any, Self

import requests

from tests.harness.program import Program

TOKEN = "workplace_sim_token"


class Workplace(Program):
    """Four members and no absence; its token is `workplace_sim_token`."""

    module = "simulators.workplace"

    @classmethod
    def start(cls, *arguments: str) -> Self:
        return super().start("--port", "0", *arguments)

    def clear(self) -> None:
        self.sim("POST", "reset")
        self.sim("DELETE", "faults")

    def ask(self, path: str, token: str = TOKEN, **params: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(f"{self.url}/api/v1/{path}", params=params, headers=headers, timeout=30)

    def apply(self, *periods: dict[str, str], **said: Any) -> str:
        """A new absence; its id."""
        user = {"user_id": "sato@acme.example"}
        return str(self.sim("POST", "absences", [{**user, "status": "APPROVED", **said, "periods": [*periods]}])[0])

    def change(self, number: str, **values: Any) -> None:
        self.sim("PATCH", f"absences/{number}", values)

    def aim(self, url: str, secret: str) -> None:
        """Push events there, signed with this secret; forget those so far."""
        self.sim("PUT", "events/target", {"url": url, "secret": secret})
        self.sim("DELETE", "events")

    def happen(self, *events: dict[str, Any], at_once: int = 1) -> list[list[int | None]]:
        """Workflow events (`simulators.workplace.workflow.Happened`); the statuses by which each was answered."""
        return [one["answers"] for one in self.sim("POST", f"events?at_once={at_once}", [*events])]

    def fault(self, kind: str, **more: Any) -> None:
        """Put one fault in force: `simulators.faults.Fault`, or a state of `simulators.workplace.app.STATES`."""
        self.sim("POST", "faults", [{"kind": kind, "path": "/api/v1/*", **more}])


def days(start: str, end: str = "") -> dict[str, str]:
    return {"unit": "ALL_DAY", "start_on": start, "end_on": end or start}
