"""Several SmartHR tenants in one EMC account."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.errors import BaselineError
from renkei.links.smarthr_emc import ownership
from renkei.links.smarthr_emc.model import RecordSet
from renkei.links.smarthr_emc.ownership import Neighbour
from renkei.storage.baselines import Baseline, Baselines
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from tests.builders import crew, departments, freeze, mapping

LINK = "smarthr_emc"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(LocalFileSystem(), str(tmp_path))


def sheet(account: str = "group", prefix: str = ""):
    return mapping(settings={"EMCアカウント": account, "ID付与コード": prefix})


def load(store: Store, tenant: str, prefix: str = "", account: str = "group", run: str = "r1") -> RunRecord:
    """A tenant with one confirmed baseline of two valid people, one 退職済 and one department."""
    record = RunRecord(TenantFolder(store, LINK, tenant), run)
    own = sheet(account, prefix)
    ownership.register(record, own)
    frozen = freeze(own, [crew("c1", "1"), crew("c2", "2"), crew("c3", "3", "retired")], departments(("A", None)))
    record.write_table("users", frozen.users)
    record.write_table("departments", frozen.departments)
    generation = len(Baselines(record.tenant_folder).generations()) + 1
    Baselines(record.tenant_folder).promote(
        Baseline(generation, run, "digest", f"{tenant}.{run}", "2026-04-01T04:31:00+09:00", 2, 1)
    )
    return record


def test_e27_neighbours_are_the_other_tenants_of_the_same_account(store: Store) -> None:
    """Not the tenant itself, and nobody of another account."""
    mine = load(store, "acme", "a")
    load(store, "beta", "b")
    load(store, "gamma", "g", account="elsewhere")
    assert ownership.neighbours(mine, sheet()) == [Neighbour("beta", "b")]


def test_e27_a_tenant_alone_has_no_neighbours(store: Store) -> None:
    """Before anybody has loaded there is nobody to ask."""
    assert ownership.neighbours(RunRecord(TenantFolder(store, LINK, "acme"), "r1"), sheet()) == []


def test_e27_owned_ids_are_those_of_the_baseline_with_prefix(store: Store) -> None:
    """Valid people and departments; blank ids are nobody's."""
    load(store, "beta", "b")
    mine = RunRecord(TenantFolder(store, LINK, "acme"), "r1")
    others = ownership.neighbours(mine, sheet())
    assert ownership.owned_ids(mine, others, RecordSet.USERS) == {"beta": frozenset({"b1", "b2"})}
    assert ownership.owned_ids(mine, others, RecordSet.DEPARTMENTS) == {"beta": frozenset({"bA"})}


def test_e27_a_neighbour_that_never_loaded_owns_nothing(store: Store) -> None:
    """It is known, but has no baseline."""
    ownership.register(RunRecord(TenantFolder(store, LINK, "beta"), "r1"), sheet(prefix="b"))
    mine = RunRecord(TenantFolder(store, LINK, "acme"), "r1")
    assert ownership.owned_ids(mine, [Neighbour("beta", "b")], RecordSet.USERS) == {}


def test_e27_the_newest_baseline_counts(store: Store) -> None:
    """Ids that a neighbour gave up are free."""
    load(store, "beta", "b")
    record = RunRecord(TenantFolder(store, LINK, "beta"), "r2")
    record.write_table("users", pd.DataFrame({"user_id": ["b9"]}, dtype="str"))
    Baselines(record.tenant_folder).promote(Baseline(2, "r2", "d", "beta.r2", "2026-04-02T04:31:00+09:00", 1, 1))
    mine = RunRecord(TenantFolder(store, LINK, "acme"), "r1")
    assert ownership.owned_ids(mine, [Neighbour("beta", "b")], RecordSet.USERS) == {"beta": frozenset({"b9"})}


def test_e27_a_neighbours_lost_baseline_stops_the_run(store: Store) -> None:
    """Without its tables nobody can tell what it owns."""
    load(store, "beta", "b").delete_table("users")
    mine = RunRecord(TenantFolder(store, LINK, "acme"), "r1")
    with pytest.raises(BaselineError):
        ownership.owned_ids(mine, [Neighbour("beta", "b")], RecordSet.USERS)


@pytest.mark.parametrize(
    ("mine", "theirs", "clashes"),
    [
        ("ab", "abc", True),
        ("abc", "ab", True),
        ("a", "a", True),
        ("", "b", True),
        ("b", "", True),
        ("", "", True),
        ("a", "b", False),
        ("ab", "ba", False),
        ("a", "A", False),
    ],
)
def test_e27_prefixes_where_one_begins_another_are_warned_of(mine: str, theirs: str, clashes: bool) -> None:
    """`a` + `b1` and `ab` + `1` are one id."""
    found = ownership.clashing_prefixes([Neighbour("beta", theirs)], sheet(prefix=mine))
    assert found == ["beta"] * clashes


def test_e27_registering_again_keeps_the_newest_prefix(store: Store) -> None:
    """再連携 may change it."""
    record = RunRecord(TenantFolder(store, LINK, "beta"), "r1")
    ownership.register(record, sheet(prefix="b"))
    ownership.register(record, sheet(prefix="bb"))
    assert ownership.neighbours(RunRecord(TenantFolder(store, LINK, "acme"), "r1"), sheet()) == [
        Neighbour("beta", "bb")
    ]
