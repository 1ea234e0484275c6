"""A list of records that answers as SmartHR does, and what may be wrong with an answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from renkei.systems.smarthr.client import SmartHRClient
from tests.harness.clock import SkipClock
from tests.unit.systems.transport import Answer, Seen, Wire, session_over

URL = "https://acme.smarthr.jp"
Reply = Callable[[Seen], Answer | Exception]


class SmartHR:
    """A list of records behind a client; `twists` may answer a request in place of the list."""

    def __init__(self, total: int, clock: SkipClock) -> None:
        self.records: list[dict[str, Any]] = [{"id": f"c{number:05d}"} for number in range(total)]
        self.twists: list[Callable[[Seen], Answer | Exception | None]] = []
        self.wire = Wire(self._reply)
        self.client = SmartHRClient(session_over(self.wire), URL + "/")
        self._lock = threading.Lock()

    def page(self, seen: Seen) -> Answer:
        """What a sound SmartHR answers."""
        number, size = int(seen.query["page"]), int(seen.query["per_page"])
        records = self.records
        if "id" in seen.query:
            wanted = seen.query["id"].split(",")
            records = [record for record in records if record["id"] in wanted]
        return Answer(
            records[(number - 1) * size : number * size],
            headers={"x-total-count": str(len(records)), "x-page": str(number), "x-per-page": str(size)},
        )

    def once(self, page: int, *replies: Answer | Exception) -> None:
        """Answer the next requests for `page` with `replies`, then soundly."""
        left = list(replies)
        self.twists.append(lambda seen: left.pop(0) if left and seen.query["page"] == str(page) else None)

    def always(self, page: int, bend: Callable[[Answer], Answer | Exception]) -> None:
        """Bend every answer for `page`."""
        self.twists.append(lambda seen: bend(self.page(seen)) if seen.query["page"] == str(page) else None)

    def _reply(self, seen: Seen) -> Answer | Exception:
        with self._lock:
            for twist in self.twists:
                found = twist(seen)
                if found is not None:
                    return found
            return self.page(seen)

    @property
    def asked(self) -> list[int]:
        return [int(seen.query["page"]) for seen in self.wire.seen]


def error(status: int, code: int | None = None, headers: dict[str, str] | None = None) -> Answer:
    return Answer({"code": code, "type": "x", "message": "山田 太郎"}, status, headers or {})


def headed(answer: Answer, **headers: str) -> Answer:
    return Answer(
        answer.body, answer.status, {**answer.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
    )


BENDS: dict[str, Callable[[Answer], Answer]] = {
    "html": lambda a: Answer("<html>SmartHR</html>", 200, a.headers),
    "object": lambda a: Answer({"crews": a.body}, 200, a.headers),
    "not records": lambda a: Answer(["c1"], 200, a.headers),
    "no total": lambda a: Answer(a.body, 200, {}),
    "total is no number": lambda a: headed(a, x_total_count="many"),
    "negative total": lambda a: headed(a, x_total_count="-1"),
    "per-page 0": lambda a: headed(a, x_per_page="0"),
    "another page": lambda a: headed(a, x_page="9"),
    "id missing": lambda a: Answer([{"name": "x"}, *a.body[1:]], 200, a.headers),
    "id null": lambda a: Answer([{"id": None}, *a.body[1:]], 200, a.headers),
    "id empty": lambda a: Answer([{"id": ""}, *a.body[1:]], 200, a.headers),
    "a record short": lambda a: Answer(a.body[:-1], 200, a.headers),
    "a record twice": lambda a: Answer([a.body[0], *a.body[:-1]], 200, a.headers),
    "a record over": lambda a: Answer([*a.body, {"id": "new"}], 200, a.headers),
    "empty page": lambda a: Answer([], 200, a.headers),
    "short total": lambda a: headed(a, x_total_count="249"),
    "long total": lambda a: headed(a, x_total_count="251"),
    "emptied": lambda a: headed(Answer([], 200, a.headers), x_total_count="0"),
}
