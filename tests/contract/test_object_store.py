"""Whole runs whose store is at s3://: what they leave there is what the next one goes on with."""

from __future__ import annotations

import pytest

from renkei.errors import RetriableLoadError
from tests.harness.s3 import s3_store
from tests.harness.world import World, ids


def test_l3_l4_a_first_link_a_lost_answer_and_a_quiet_day_over_an_object_store(
    world: World, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody arrives; a load whose answer was lost is found done; the day after writes nothing."""
    tenant = world.tenant
    tenant.store = world.store = s3_store(s3_url, monkeypatch)
    assert tenant.run() == "loaded"
    assert sorted(world.users()) == ids(world.active())

    world.day(joiners=2, leavers=1)
    job = tenant.plan(manual=False)
    world.emc.fault("drop_after", path="/api/v1/imports/*/commit", method="POST")
    try:
        answer = tenant.load(job)
    except RetriableLoadError:
        assert tenant.note()
        answer = tenant.load(job)
    assert answer in ("loaded", "already")
    assert sorted(world.users()) == ids(world.active())
    assert (tenant.generation(), tenant.note()) == (2, False)

    assert tenant.run(manual=False) == "unchanged"
    assert tenant.generation() == 2
