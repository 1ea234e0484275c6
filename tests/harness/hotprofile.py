"""The simulated Hot Profile, and a client of its reading API that keeps to the wire."""

from __future__ import annotations

from typing import Any, Self

import requests

from tests.harness.program import Program

KEY = "hp_sim_key"


class HotProfile(Program):
    """Empty, with one user `tantou` whose key is `hp_sim_key`."""

    module = "simulators.hotprofile"

    @classmethod
    def start(cls, *arguments: str) -> Self:
        return super().start("--port", "0", *arguments)

    def clear(self) -> None:
        """No record, one user, no fault, the machine's time, all counters at zero."""
        self.sim("POST", "reset")
        self.sim("DELETE", "requests")
        self.sim("DELETE", "faults")

    def call(self, kind: str, key: str = KEY, **body: Any) -> requests.Response:
        """POST to the list of `clients` or `leads`: search, page, order."""
        address = f"{self.url}/rest_api/v1/{kind}/get_entry_list"
        return requests.post(address, json={"api_key": key, **body}, timeout=30)

    def ids(self, kind: str, key: str = KEY, **search: Any) -> list[int]:
        """Ids that a search finds, ascending; at most a page."""
        answer = self.call(kind, key, search=search, page={"number": 1, "display_number": 1000})
        assert answer.status_code == 200, answer.text
        return sorted(record["id"] for record in answer.json()[kind])

    def add(self, kind: str, *records: dict[str, Any], **when: Any) -> list[int]:
        """New records; `at`: when they were updated, `visible_after_s`: how much later they are seen."""
        return self.sim("POST", kind, {"records": list(records), **when})

    def change(self, kind: str, number: int, /, values: dict[str, Any], **when: Any) -> None:
        self.sim("PATCH", f"{kind}/{number}", {"values": values, **when})

    def fault(self, kind: str, **more: Any) -> None:
        """Put one fault in force: `simulators.faults.Fault`, or a state of `simulators.hotprofile.app.STATES`."""
        self.sim("POST", "faults", [{"kind": kind, "path": "/rest_api/*", **more}])
