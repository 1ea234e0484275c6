"""Small files of the store as dataclasses."""

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.storage import records
from renkei.storage.records import Moment
from renkei.storage.store import MissingKeyError, Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(LocalFileSystem(), str(tmp_path))


class Kind(StrEnum):
    ONE = "one"


@dataclass(frozen=True, slots=True)
class Inner:
    rows: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Note:
    name: str
    at: Moment
    sets: dict[Kind, Inner]
    later: dict[str, int] = field(default_factory=dict)


NOTE = Note("山田", dt.datetime(2026, 4, 1, 4, 30, tzinfo=dt.UTC), {Kind.ONE: Inner([("a", "b")])}, {"n": 1})


def test_a_record_is_plain_json_and_comes_back_equal(store: Store) -> None:
    """Moments as Python writes them, enums by their values."""
    records.write(store, "a/note.json", NOTE)
    assert store.read_json("a/note.json") == {
        "name": "山田",
        "at": "2026-04-01T04:30:00+00:00",
        "sets": {"one": {"rows": [["a", "b"]]}},
        "later": {"n": 1},
    }
    assert records.read(store, "a/note.json", Note) == NOTE


def test_another_version_may_know_more_or_less(store: Store) -> None:
    """A field with a default may be missing, and one that nobody knows is passed over."""
    kept = {"name": "x", "at": "2026-04-01T04:30:00+00:00", "sets": {}, "of the future": 1}
    store.write_json("a/note.json", kept)
    assert records.read(store, "a/note.json", Note) == Note("x", NOTE.at, {})


def test_a_record_is_created_once(store: Store) -> None:
    """Of two writers one wins."""
    assert [records.create(store, "a/note.json", NOTE) for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    "broken",
    [None, [], {}, {"name": "x", "at": "山田太郎", "sets": {}}, {"name": "x", "at": "2026-04-01T04:30", "sets": {}}],
    ids=str,
)
def test_l6_what_is_no_such_record_is_an_error_that_quotes_nothing(broken: Any, store: Store) -> None:
    """L6: where it is wrong, not what stands there."""
    with pytest.raises(ValueError, match="Note is damaged: ") as caught:
        records.from_plain(Note, broken)
    assert "山田" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_l6_a_field_of_another_type_is_not_written(store: Store) -> None:
    """L6: pydantic would warn of it with the value, and write what nobody can read."""
    with pytest.raises(ValueError, match="Note is not what it says"):
        records.write(store, "a/note.json", Note(1, NOTE.at, {}))  # type: ignore[arg-type]
    assert not store.exists("a/note.json")


def test_a_torn_record_is_an_error_and_a_missing_one_another(store: Store) -> None:
    """Nothing is not the same as something broken."""
    store.write("a/note.json", b"{")
    with pytest.raises(ValueError, match="JSONではありません"):
        records.read(store, "a/note.json", Note)
    with pytest.raises(MissingKeyError):
        records.read(store, "a/none.json", Note)
