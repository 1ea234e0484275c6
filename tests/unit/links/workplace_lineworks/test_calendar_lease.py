"""Who writes a tenant's calendars, and when the next one may (C8)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from renkei.errors import BusyAccountError
from renkei.inbox import lease
from renkei.inbox.lease import LeaseLostError
from renkei.links.workplace_lineworks.calendar_lease import LANDS_S, leased_calendars
from renkei.storage.database.database import Database, open_database

AT = dt.datetime(2026, 4, 1, 0, 0, tzinfo=dt.UTC)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return open_database(f"sqlite:///{tmp_path}/renkei.db")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds since AT; nothing is renewed, and nothing runs out by itself."""
    seconds = [0.0]
    monkeypatch.setattr(lease, "RENEWED_EVERY_S", 1e6)
    monkeypatch.setattr(lease, "LASTS_S", 1000.0)
    monkeypatch.setattr(lease, "utcnow", lambda: AT + dt.timedelta(seconds=seconds[0]))
    return seconds


def is_free(database: Database, tenant: str = "acme") -> bool:
    try:
        with leased_calendars(database, tenant):
            return True
    except BusyAccountError:
        return False


def test_c8_one_writes_and_the_next_one_at_once_when_every_answer_came(database: Database, clock: list[float]) -> None:
    with leased_calendars(database, "acme") as lease:
        lease.check()
        assert (is_free(database), is_free(database, "other")) == (False, True)
    assert is_free(database)


def test_c8_after_a_lost_answer_the_next_one_waits_until_its_request_has_landed(
    database: Database, clock: list[float]
) -> None:
    with leased_calendars(database, "acme") as lease:
        lease.doubt()
        lease.check()  # who lost it goes on with the rest
    found = []
    for seconds in (0, 999, 1000 + LANDS_S - 1, 1000 + LANDS_S):
        clock[0] = seconds
        found.append(is_free(database))
    assert found == [False, False, False, True]


def test_c8_who_was_interrupted_or_killed_keeps_the_next_one_waiting_too(
    database: Database, clock: list[float]
) -> None:
    with pytest.raises(KeyboardInterrupt), leased_calendars(database, "acme"):
        raise KeyboardInterrupt
    clock[0] = 1000 + LANDS_S - 1
    assert not is_free(database)
    clock[0] += 1
    lease.Leases(database).acquire("workplace_lineworks__acme calendars", LANDS_S)  # and is never heard of again
    clock[0] += 1000 + LANDS_S - 1
    assert not is_free(database)
    clock[0] += 1
    assert is_free(database)


def test_c8_who_was_not_heard_of_for_too_long_sends_nothing_more(database: Database, clock: list[float]) -> None:
    with leased_calendars(database, "acme") as lease:
        clock[0] = 1000 + LANDS_S
        assert is_free(database)
        lease.leases._renew([lease.name])  # as its thread does
        with pytest.raises(LeaseLostError):
            lease.check()
