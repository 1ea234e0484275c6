"""The chain of confirmed snapshots."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from renkei.errors import BaselineError
from renkei.storage.baselines import Baseline, Baselines, generation_of
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder

FIRST = Baseline(1, "r1", "digest1", "acme.key1", "2026-04-01T04:31:00+09:00", 100, 10)
SECOND = dataclasses.replace(FIRST, generation=2, run="r2", import_key="acme.key2")


@pytest.fixture
def baselines(shared_store: Store) -> Baselines:
    return Baselines(TenantFolder(shared_store, "smarthr_emc", "acme"))


def test_e31_before_the_first_link_there_is_none(baselines: Baselines) -> None:
    """None, and generation 0."""
    assert baselines.current() is None
    assert baselines.generations() == []
    assert generation_of(None) == 0


def test_l3_the_newest_generation_is_current(baselines: Baselines) -> None:
    """Older ones stay readable."""
    baselines.promote(FIRST)
    baselines.promote(SECOND)
    assert baselines.current() == SECOND
    assert generation_of(baselines.current()) == 2
    assert baselines.read(1) == FIRST


def test_l3_generations_are_numbers_not_texts(baselines: Baselines) -> None:
    """The tenth follows the ninth."""
    for generation in range(1, 12):
        baselines.promote(dataclasses.replace(FIRST, generation=generation, import_key=f"k{generation}"))
    assert baselines.generations() == list(range(1, 12))
    current = baselines.current()
    assert current is not None
    assert current.generation == 11


def test_l4_promoting_twice_with_one_key_is_promoting_once(baselines: Baselines) -> None:
    """A repeated confirmation of the same import changes nothing, not even the first's time."""
    baselines.promote(FIRST)
    baselines.promote(dataclasses.replace(FIRST, confirmed_at="2026-04-01T09:00:00+09:00"))
    assert baselines.current() == FIRST


@pytest.mark.parametrize("run", ["r2", "r3"])
def test_l3_a_generation_that_another_import_took_is_refused(baselines: Baselines, run: str) -> None:
    """Two imports compared against the same baseline: the second one must not move it, of the same run or another."""
    baselines.promote(FIRST)
    baselines.promote(SECOND)
    with pytest.raises(BaselineError, match="r2"):
        baselines.promote(dataclasses.replace(SECOND, run=run, import_key="acme.key3"))
    assert baselines.current() == SECOND


def test_l3_an_older_generation_is_refused(baselines: Baselines) -> None:
    """A run that slept through others does not bring the past back."""
    baselines.promote(FIRST)
    baselines.promote(SECOND)
    with pytest.raises(BaselineError):
        baselines.promote(dataclasses.replace(FIRST, run="r0", import_key="acme.key0"))
    assert baselines.current() == SECOND


def test_l3_of_many_at_once_one_moves_the_baseline(baselines: Baselines) -> None:
    """Twenty runs, one next generation."""
    barrier = Barrier(20)

    def attempt(number: int) -> str | None:
        barrier.wait(60)
        try:
            baselines.promote(dataclasses.replace(FIRST, run=f"r{number}", import_key=f"k{number}"))
        except BaselineError:
            return None
        return f"r{number}"

    with ThreadPoolExecutor(20) as pool:
        won = [run for run in pool.map(attempt, range(20)) if run]
    current = baselines.current()
    assert current is not None
    assert won == [current.run]


def test_l1_a_broken_baseline_stops_the_run(shared_store: Store, baselines: Baselines) -> None:
    """Neither garbage nor a record of another form is taken for none."""
    for content in (b"", b"{", b'{"generation": 2}', b"[]", b'{"generation": 2, "odd": 1}'):
        shared_store.write("smarthr_emc/tenants/acme/baselines/00000002.json", content)
        with pytest.raises(BaselineError, match="第2世代"):
            baselines.current()


def test_l5_tenants_and_links_have_their_own_chain(shared_store: Store, baselines: Baselines) -> None:
    """Nobody's baseline is another's."""
    baselines.promote(FIRST)
    assert Baselines(TenantFolder(shared_store, "smarthr_emc", "acme2")).current() is None
    assert Baselines(TenantFolder(shared_store, "other", "acme")).current() is None
