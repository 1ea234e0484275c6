"""One load at a time into an account."""

from __future__ import annotations

import dataclasses
import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.storage.gate import Gate, Intent
from renkei.storage.store import Store

NOW = dt.datetime(2026, 4, 1, 4, 31, tzinfo=dt.timezone(dt.timedelta(hours=9)))
MINE = Intent("acme", "r1", "acme.key1", "digest", 3, NOW.isoformat())
OTHER = Intent("beta", "r1", "beta.key1", "digest", 3, NOW.isoformat())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(LocalFileSystem(), str(tmp_path))


@pytest.fixture
def gate(store: Store) -> Gate:
    return Gate(store, "smarthr_emc", "group")


def test_e27_an_empty_gate_lets_one_in(gate: Gate) -> None:
    """The intent that entered can be read by whoever comes next."""
    assert gate.pending() is None
    assert gate.enter(MINE) is True
    assert gate.pending() == MINE


def test_e27_nobody_enters_while_another_is_inside(gate: Gate) -> None:
    """Neither another tenant nor the same one again."""
    gate.enter(MINE)
    assert gate.enter(OTHER) is False
    assert gate.enter(MINE) is False
    assert gate.pending() == MINE


def test_l4_leaving_opens_the_gate_and_can_be_repeated(gate: Gate) -> None:
    """Done twice is done once."""
    gate.enter(MINE)
    gate.leave(MINE)
    gate.leave(MINE)
    assert gate.pending() is None
    assert gate.enter(OTHER) is True


@pytest.mark.parametrize("stranger", [OTHER, dataclasses.replace(MINE, import_key="acme.key2")])
def test_e27_nobody_removes_the_intent_of_another(gate: Gate, stranger: Intent) -> None:
    """Not another tenant's, and not another load of the same one."""
    gate.enter(MINE)
    gate.leave(stranger)
    assert gate.pending() == MINE


def test_e27_accounts_have_their_own_gate(store: Store, gate: Gate) -> None:
    """Loads into different accounts may overlap."""
    gate.enter(MINE)
    assert Gate(store, "smarthr_emc", "elsewhere").enter(OTHER) is True


def test_e27_of_many_at_once_one_enters(gate: Gate) -> None:
    """Twenty loads, one gate."""
    barrier = Barrier(20)

    def attempt(number: int) -> bool:
        barrier.wait(10)
        return gate.enter(dataclasses.replace(MINE, import_key=f"k{number}"))

    with ThreadPoolExecutor(20) as pool:
        won = list(pool.map(attempt, range(20)))
    standing = gate.pending()
    assert won.count(True) == 1
    assert standing is not None
    assert standing.import_key == f"k{won.index(True)}"


@pytest.mark.parametrize(("later", "expired"), [(0, False), (119, False), (120, False), (121, True)])
def test_l4_an_intent_outlives_its_writer_for_the_lease(later: int, expired: bool) -> None:
    """Minutes since it was written, against a lease of two hours; the zone of the clock does not matter."""
    now = (NOW + dt.timedelta(minutes=later)).astimezone(dt.UTC)
    assert MINE.expired(now, dt.timedelta(hours=2)) is expired
