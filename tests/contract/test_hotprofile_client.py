"""HotProfileClient before the Hot Profile simulator: every change of a window, proven, whatever happens meanwhile (K5, K6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from renkei.clock import TOKYO
from renkei.errors import RetriableFetchError
from renkei.systems.hotprofile import client as module
from renkei.systems.hotprofile.client import HotProfileClient
from renkei.systems.hotprofile.payloads import TornReadError, UserGoneError
from tests.harness.clock import no_waits
from tests.harness.hotprofile import KEY, HotProfile

NOON = dt.datetime(2026, 11, 29, 12, 0, tzinfo=TOKYO)
BEFORE = NOON - dt.timedelta(days=1)


@pytest.fixture(scope="module")
def process() -> Iterator[HotProfile]:
    with HotProfile.start() as hotprofile:
        yield hotprofile


@pytest.fixture
def hotprofile(process: HotProfile) -> Iterator[HotProfile]:
    """No record, a clock that stands at noon; waiting costs nothing."""
    process.clear()
    process.sim("POST", "clock", {"at": NOON.isoformat(), "stands": True})
    with no_waits(module):
        yield process


def client_of(hotprofile: HotProfile, key: str = KEY) -> HotProfileClient:
    return HotProfileClient(requests.Session(), hotprofile.url, key)


def changed(hotprofile: HotProfile, data_set: str = "companies") -> list[dict[str, Any]]:
    return [one for entries in client_of(hotprofile).changed(data_set, BEFORE, NOON) for one in entries]


def seed(hotprofile: HotProfile, **counts: int) -> None:
    day = {"updated_from": BEFORE.isoformat(), "updated_to": NOON.isoformat()}
    hotprofile.sim("POST", "seed", {**counts, **day})


def calls(hotprofile: HotProfile) -> int:
    return sum(hotprofile.sim("GET", "requests")["counts"].values())


@pytest.mark.parametrize("order", ["newest", "oldest", "thrown"])
def test_k6_every_record_is_read_once_in_whatever_order_they_come(hotprofile: HotProfile, order: str) -> None:
    hotprofile.sim("POST", "settings", {"order": order})
    seed(hotprofile, clients=5_500, first_id=40_000)

    assert sorted(one["id"] for one in changed(hotprofile)) == list(range(40_000, 45_500))
    assert calls(hotprofile) < 50


def test_k5_records_of_one_second_are_all_read_and_a_late_one_by_the_next_window(hotprofile: HotProfile) -> None:
    """Three at the same second, one of them visible three seconds later: the overlap brings it."""
    at = (NOON - dt.timedelta(seconds=6)).isoformat()
    hotprofile.add("clients", {"name": "A"}, {"name": "B"}, at=at)
    hotprofile.add("clients", {"name": "C"}, at=at, visible_after_s=3)
    assert {one["name"] for one in changed(hotprofile)} == {"A", "B"}

    hotprofile.sim("POST", "clock", {"at": (NOON + dt.timedelta(seconds=10)).isoformat(), "stands": True})
    assert {one["name"] for one in changed(hotprofile)} == {"A", "B", "C"}


def test_k6_a_change_between_pages_is_read_again_and_loses_nobody(hotprofile: HotProfile) -> None:
    """A record leaves the window while it is read: its new version is the next window's, the others are all there."""
    seed(hotprofile, clients=3_000)
    later = (NOON + dt.timedelta(seconds=1)).isoformat()
    call = {"method": "PATCH", "path": "/_sim/clients/1500", "body": {"values": {"name": "x"}, "at": later}}
    hotprofile.fault("calls", after=3, calls=[call])
    assert {one["id"] for one in changed(hotprofile)} | {1500} == set(range(1, 3_001))


def test_k6_a_page_that_lacks_records_is_read_again_and_then_fails(hotprofile: HotProfile) -> None:
    seed(hotprofile, clients=10)
    hotprofile.sim("POST", "settings", {"bend_next": 1, "bend_drop": 3})
    assert len(changed(hotprofile)) == 10
    hotprofile.sim("POST", "settings", {"bend_next": 100, "bend_total": 2})
    with pytest.raises(TornReadError):
        changed(hotprofile)


@pytest.mark.parametrize("fault", ["drop", "drop_after", "truncated"])
def test_k6_a_connection_that_breaks_is_no_empty_list(hotprofile: HotProfile, fault: str) -> None:
    seed(hotprofile, clients=10)
    hotprofile.fault(fault)
    assert len(changed(hotprofile)) == 10
    hotprofile.fault(fault, times=None)
    with pytest.raises(RetriableFetchError):
        changed(hotprofile)


def test_k4_leads_are_those_that_the_keys_user_may_see_and_end_with_them(hotprofile: HotProfile) -> None:
    hotprofile.add("leads", {"family_name": "山田"})
    client = client_of(hotprofile)
    assert client.user_exists("tantou")
    assert len(changed(hotprofile, "leads")) == 1
    hotprofile.sim("DELETE", "users/tantou")
    assert not client.user_exists("tantou")
    with pytest.raises(UserGoneError):
        changed(hotprofile, "leads")


def test_k1_departments_are_those_that_leads_name(hotprofile: HotProfile) -> None:
    seed(hotprofile, clients=20, leads=300)
    leads = changed(hotprofile, "leads")
    named = {lead["organization_id"]: lead["organization_name"] for lead in leads if lead["organization_id"]}
    departments = changed(hotprofile, "departments")
    assert named
    assert {one["id"]: one["organization_name"] for one in departments} == named


def test_k5_the_clock_is_hot_profiles_own(hotprofile: HotProfile) -> None:
    assert NOON <= client_of(hotprofile).now() < NOON + dt.timedelta(seconds=60)
