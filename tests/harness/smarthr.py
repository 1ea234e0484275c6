"""The simulated SmartHR, and a client of the company `acme`."""

from __future__ import annotations

from typing import Any, Self

import requests

from tests.harness.program import Program


class SmartHR(Program):
    module = "simulators.smarthr"

    @classmethod
    def start(cls, *arguments: str) -> Self:
        return super().start("--port", "0", *arguments)

    def clear(self) -> None:
        """High limits, no faults, counters at zero."""
        self.sim("POST", "limits", {"per_second": 10_000, "per_hour": 10_000_000})
        self.sim("DELETE", "faults")
        self.sim("DELETE", "requests")

    def get(self, path: str, token: str | None = "shr_sim_acme", **params: Any) -> requests.Response:
        """GET below /api/v1."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.get(f"{self.url}/api/v1/{path}", params=params, headers=headers, timeout=10)

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
