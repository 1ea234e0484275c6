"""Grants are won by one writer alone, on a disk and in an object store (S3)."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest

from renkei.storage.source_grants import Grant, GrantEvent, PlainStoreError, SourceGrants, void_tenants
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder

NOW = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)


@pytest.fixture
def grants(shared_store: Store) -> SourceGrants:
    return SourceGrants(TenantFolder(shared_store, "smarthr_emc", "acme"))


def test_s3_of_many_at_once_one_follows_and_one_renews(grants: SourceGrants) -> None:
    """S3: whoever loses hears so, and sees the winner's."""
    with ThreadPoolExecutor(8) as pool:
        ends = [Grant(GrantEvent.ENDED, NOW, f"user-{number}", "結城") for number in range(8)]
        followed = list(pool.map(lambda end: grants.follow(0, end), ends))
        begun = list(pool.map(lambda _: grants.begin_renewal(1, NOW), range(8)))
    assert (followed.count(True), begun.count(True)) == (1, 1)
    assert grants.newest() == (1, ends[followed.index(True)])
    note = grants.renewal(1)
    assert note is not None
    assert note.at == NOW


def test_the_void_ones_of_a_link_are_one_question(grants: SourceGrants, shared_store: Store) -> None:
    assert void_tenants(shared_store, "smarthr_emc") == frozenset()
    grants.note_void()
    grants.note_void()
    assert void_tenants(shared_store, "smarthr_emc") == {"acme"}
    grants.forget_void()
    grants.forget_void()
    assert void_tenants(shared_store, "smarthr_emc") == frozenset()


def test_l7_tokens_are_not_kept_in_the_open(grants: SourceGrants) -> None:
    with pytest.raises(PlainStoreError):
        grants.follow(0, Grant(GrantEvent.ALLOWED, NOW, "yuki", "結城", NOW, "access-1"))
    assert grants.newest() == (0, None)
