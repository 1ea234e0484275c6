"""The simulated KING OF TIME, and a client of its API that keeps to the wire."""

from __future__ import annotations

from typing import Any, Self

import requests

from tests.harness.program import Program

COMPANY: dict[str, Any] = {
    "divisions": [
        {"code": "1000", "name": "本社", "dayBorderTime": "00:00"},
        {"code": "2000", "name": "大阪センター", "dayBorderTime": "05:00"},
    ],
    "types": [{"code": "1", "name": "正社員"}, {"code": "2", "name": "アルバイト", "breaks": False}],
    "employees": [
        {
            **{"code": "1001", "lastName": "佐藤", "firstName": "花子", "divisionCode": "1000", "typeCode": "1"},
            "emailAddresses": ["sato@acme.example"],
        },
        {"code": "1003", "lastName": "田中", "firstName": "美咲", "divisionCode": "2000", "typeCode": "2"},
    ],
    "tokens": {
        "kot_sim_token": {
            "rights": [
                *("employees:read", "divisions:read", "working-types:read", "timerecord:read", "timerecord:write"),
            ],
            "addresses": ["127.0.0.1"],
        }
    },
}


class KingOfTime(Program):
    """A company of two, 1001 of 本社 and 1003 of 大阪センター whose 雇用区分 allows no breaks, after `clear`."""

    module = "simulators.kingoftime"

    @classmethod
    def start(cls, *arguments: str) -> Self:
        return super().start("--port", "0", *arguments)

    def clear(self, at: str = "2026-11-30T12:00:00+09:00") -> None:
        """The two employees, no punch, no fault, no limit; the clock stands at `at`."""
        self.sim("POST", "reset")
        self.sim("DELETE", "faults")
        self.sim("POST", "definition", COMPANY)
        self.clock(at)

    def clock(self, at: str) -> None:
        self.sim("POST", "clock", {"at": at, "stands": True})

    def call(self, method: str, path: str, token: str = "kot_sim_token", **more: Any) -> requests.Response:
        """A request to the API: `json` for a body, `params` for a query."""
        headers = {"Authorization": f"Bearer {token}"}
        return requests.request(method, f"{self.url}/v1.0/{path}", headers=headers, timeout=30, **more)

    def key(self, code: str) -> str:
        return next(one["key"] for one in self.sim("GET", "employees") if one["code"] == code)

    def punch(self, code: str, time: str, kind: str | None = "1", **more: Any) -> requests.Response:
        """POST of a punch, at `time` as 2026-11-30T09:00:00; for its own date unless `date` says otherwise."""
        body = {"date": time[:10], "time": f"{time}+09:00", "code": kind, **more}
        sent = {name: value for name, value in body.items() if value is not None}
        return self.call("POST", f"daily-workings/timerecord/{self.key(code)}", json=sent)

    def punches(self) -> list[tuple[str, str, str, str]]:
        """Employee code, working day, time and kind of every punch, in the order of arrival."""
        return [(one["employee"], one["date"], one["time"], one["kind"]) for one in self.sim("GET", "punches")]

    def errors(self, day: str) -> dict[str, list[str]]:
        """Who has an エラー勤務 on that day, and why."""
        return self.sim("GET", f"errors?day={day}")

    def fault(self, kind: str, **more: Any) -> None:
        """Put one fault in force: `simulators.faults.Fault`, or a state of `simulators.kingoftime.app.STATES`."""
        self.sim("POST", "faults", [{"kind": kind, "path": "/v1.0/*", **more}])
