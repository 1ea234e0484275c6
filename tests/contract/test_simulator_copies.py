"""A simulator puts back what it held: worlds that begin alike are made once."""

from __future__ import annotations

from tests.harness.hotprofile import HotProfile
from tests.harness.kintone import Kintone

NINE = "2026-04-01T09:00:00+09:00"


def test_what_was_copied_is_held_again_with_its_clock_and_what_is_not_seen_yet() -> None:
    with HotProfile.start() as source:
        source.sim("POST", "clock", {"at": NINE, "stands": True})
        source.add("clients", {"id": 1, "name": "会社"})
        source.change("clients", 1, {"name": "遅れて"}, visible_after_s=60.0)
        source.copy("begun")
        invented = []
        for _ in range(2):
            assert [one["name"] for one in source.sim("GET", "clients")] == ["会社"]
            source.sim("POST", "clock", {"advance_s": 61.0})
            assert [one["name"] for one in source.sim("GET", "clients")] == ["遅れて"]
            source.sim("POST", "seed", {"clients": 1, "seed": 5})  # invented by its own seed, not by the copy's
            invented.append(source.sim("GET", "clients")[0]["name"])
            source.put_back("begun")
        source.sim("POST", "seed", {"clients": 1, "seed": 1})
        assert invented == [invented[0]] * 2 != [source.sim("GET", "clients")[0]["name"]] * 2


def test_kintone_counts_numbers_and_finds_as_it_did() -> None:
    with Kintone.start() as app:
        key = {"type": "SINGLE_LINE_TEXT", "unique": True}
        app.app(1, {"id": key})
        app.upsert(1, "id", {"id": "a"})
        app.copy("one")
        for _ in range(2):
            answer = app.upsert(1, "id", {"id": "a"}, {"id": "b"})
            assert [one["id"] for one in answer.json()["records"]] == ["1", "2"]
            assert app.requests(1) == 2
            app.put_back("one")
        assert [one["id"] for one in app.records(1)] == ["a"]
