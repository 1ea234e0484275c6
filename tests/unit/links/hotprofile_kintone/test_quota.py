"""The ledger of requests: of one app over all tenants, by Japan's day."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Executable

from renkei.links.hotprofile_kintone.model import host_of
from renkei.links.hotprofile_kintone.quota import Quota, day
from renkei.links.hotprofile_kintone.tables import QUOTA
from renkei.storage.database.database import open_database
from renkei.systems.kintone.errors import QuotaSpentError
from tests.harness.hotprofile_kintone import MAPPING, NINE


@pytest.fixture
def quota(tmp_path: Path) -> Quota:
    return Quota(open_database(f"sqlite:///{tmp_path}/renkei.db"), "acme.cybozu.com", "1", 100)


def test_k15_many_at_once_never_take_one_request_too_many(quota: Quota) -> None:
    """Whatever they ask for, in the same moment: what is taken is at most what a day has."""

    def take(count: int) -> int:
        try:
            quota.reserve(count, NINE)
        except QuotaSpentError:
            return 0
        return count

    with ThreadPoolExecutor(8) as pool:
        taken = sum(pool.map(take, [1, 7, 3] * 30))
    assert taken == quota.used(NINE) == 100


def test_k15_one_domain_has_one_ledger_however_it_is_written() -> None:
    written = ("acme.cybozu.com", "acme.cybozu.com:443", "acme.s.cybozu.com", "127.0.0.1:8080")
    hosts = {host_of(replace(MAPPING, domain=f"https://{one}")) for one in written}
    assert hosts == {"acme.cybozu.com", "127.0.0.1:8080"}


def test_k15_a_day_begins_at_midnight_in_japan(quota: Quota) -> None:
    before = dt.datetime(2026, 4, 1, 14, 59, 59, tzinfo=dt.UTC)
    quota.reserve(100, before)
    with pytest.raises(QuotaSpentError):
        quota.reserve(1, before)
    quota.reserve(1, before + dt.timedelta(seconds=1))
    assert quota.left(before + dt.timedelta(seconds=1)) == 99


def test_k15_apps_have_days_of_their_own_and_one_that_asks_too_much_takes_nothing(quota: Quota) -> None:
    with pytest.raises(QuotaSpentError):
        quota.reserve(101, NINE)
    Quota(quota.database, quota.host, "2", 100).reserve(100, NINE)
    assert quota.left(NINE) == 100


def test_k15_what_goes_with_a_request_is_noted_exactly_if_it_is_taken(quota: Quota) -> None:
    def note(app: str) -> Executable:
        return QUOTA.insert().values(host=quota.host, app=app, day=day(NINE), used=1)

    quota.reserve(100, NINE, note("taken"))
    with pytest.raises(QuotaSpentError):
        quota.reserve(1, NINE, note("spent"))
    assert [replace(quota, app=app).used(NINE) for app in ("taken", "spent")] == [1, 0]
