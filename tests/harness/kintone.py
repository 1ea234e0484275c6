"""The simulated kintone domain, and a client of its API that keeps to the wire."""

from __future__ import annotations

from typing import Any, Self

import requests

from tests.harness.program import Program


class Kintone(Program):
    """An empty domain; a test defines the apps that it wants."""

    module = "simulators.kintone"

    @classmethod
    def start(cls, *arguments: str) -> Self:
        return super().start("--port", "0", *arguments)

    def clear(self) -> None:
        """No app, no user, no fault, the machine's time, all counters at zero."""
        self.sim("POST", "reset")
        self.sim("DELETE", "faults")

    def app(self, app_id: int, fields: dict[str, dict[str, Any]], **more: Any) -> None:
        """An app without records; its token `app<id>` may view, add and edit unless `tokens` says otherwise."""
        tokens = {f"app{app_id}": ["view", "add", "edit"]}
        self.sim("POST", "apps", {"id": app_id, "name": f"app {app_id}", "fields": fields, "tokens": tokens, **more})

    def call(
        self, method: str, api: str, token: str = "app1", space: int | None = None, **more: Any
    ) -> requests.Response:
        """A request to the API: `json` for a body, `params` for a query."""
        path = f"/k/guest/{space}/v1" if space else "/k/v1"
        headers = {"X-Cybozu-API-Token": token, **more.pop("headers", {})}
        return requests.request(method, f"{self.url}{path}/{api}.json", headers=headers, timeout=30, **more)

    def upsert(self, app: int, key: str, *records: dict[str, Any], token: str = "app1") -> requests.Response:
        """PUT with `upsert`; each record as code to value, its key among them."""
        entries = [
            {
                "updateKey": {"field": key, "value": record[key]},
                "record": {code: {"value": value} for code, value in record.items() if code != key},
            }
            for record in records
        ]
        return self.call("PUT", "records", token, json={"app": app, "upsert": True, "records": entries})

    def records(self, app: int) -> list[dict[str, Any]]:
        """Every record by ascending id as code to value, whatever the tokens may see."""
        return self.sim("GET", f"apps/{app}/records")

    def fault(self, kind: str, **more: Any) -> None:
        """Put one fault in force: `simulators.faults.Fault`, or a state of `simulators.kintone.app.STATES`."""
        self.sim("POST", "faults", [{"kind": kind, "path": "/k/*", **more}])

    def requests(self, app: int, day: str = "") -> int:
        """How many requests an app was asked, on a day of Japan as 2026-11-29 or in all."""
        hours = self.sim("GET", "requests")["hours"].get(str(app), {})
        return sum(count for hour, count in hours.items() if hour.startswith(day))
