"""Forms that are good once: sent, sent again, sent too late; and their marks go (S6)."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.storage import once
from renkei.storage.store import Store

NOW = dt.datetime(2026, 11, 30, 23, 59, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(LocalFileSystem(), str(tmp_path))


def test_of_many_at_once_one_is_the_first(store: Store) -> None:
    form = once.new(NOW)
    with ThreadPoolExecutor(4) as people:
        assert sorted(people.map(lambda _: once.take(store, form, NOW), range(8))) == [*[False] * 7, True]
    assert once.take(store, once.new(NOW), NOW)


def test_it_is_known_beyond_midnight_and_not_good_the_day_after(store: Store) -> None:
    form, other = once.new(NOW), once.new(NOW)
    assert once.take(store, form, NOW)
    later = NOW + dt.timedelta(minutes=2)
    assert once.tidy(store, later) == 0
    assert not once.take(store, form, later)
    assert once.take(store, other, later)
    assert once.tidy(store, NOW + 2 * DAY) == 2
    assert store.names(once.FOLDER) == []
    assert not once.take(store, once.new(NOW), NOW + 2 * DAY)


@pytest.mark.parametrize(
    "form", ["", "x", "2026-11-30." + "g" * 32, "2026-11-30." + "0" * 32 + "/..", "../" + "0" * 40]
)
def test_what_is_no_form_of_ours_is_not_good(store: Store, form: str) -> None:
    assert not once.take(store, form, NOW)
    assert store.names(once.FOLDER) == []
