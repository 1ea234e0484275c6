"""Secrets: read seldom, kept while Airflow is away, the former one for ten minutes."""

from __future__ import annotations

import asyncio

import pytest

from renkei.errors import ConnectionError_, RenkeiError
from renkei.public import secrets
from renkei.public.secrets import AGAIN_S, FRESH_S, OVERLAP_S, Secrets


class Airflow:
    """Where the secrets lie, and the time."""

    def __init__(self) -> None:
        self.says: str | RenkeiError | None = "first"
        self.asked = 0
        self.now = 1000.0
        self.secrets = Secrets(self._read, lambda: self.now)

    def _read(self, tenant: str) -> str | None:
        self.asked += 1
        if isinstance(self.says, RenkeiError):
            raise self.says
        return self.says if tenant == "acme" else None

    def of(self, tenant: str = "acme") -> tuple[str, ...]:
        return asyncio.run(self.secrets.of(tenant))


def test_a_secret_is_read_once_a_minute() -> None:
    airflow = Airflow()
    assert [airflow.of() for _ in range(3)] == [("first",)] * 3
    assert airflow.asked == 1
    airflow.now += FRESH_S
    airflow.of()
    assert airflow.asked == 2


def test_p11_a_changed_secret_overlaps_ten_minutes() -> None:
    airflow = Airflow()
    airflow.of()
    airflow.says = "second"
    airflow.now += FRESH_S
    assert airflow.of() == ("second", "first")
    airflow.now += OVERLAP_S - 1
    assert airflow.of() == ("second", "first")
    airflow.now += 1
    assert airflow.of() == ("second",)


def test_while_it_cannot_be_read_the_last_one_counts() -> None:
    airflow = Airflow()
    airflow.of()
    airflow.says = ConnectionError_("")
    airflow.now += 10 * FRESH_S
    assert airflow.of() == ("first",)
    airflow.says = "second"
    airflow.now += AGAIN_S
    assert airflow.of() == ("second", "first")


def test_one_that_never_could_be_read_is_asked_for_again_soon_and_not_at_once() -> None:
    airflow = Airflow()
    airflow.says = ConnectionError_("")
    for _ in range(3):
        with pytest.raises(ConnectionError_):
            airflow.of()
    assert airflow.asked == 1
    airflow.says = "first"
    airflow.now += AGAIN_S
    assert airflow.of() == ("first",)


def test_a_tenant_that_is_gone_has_none_and_takes_no_memory() -> None:
    airflow = Airflow()
    airflow.of()
    airflow.says = None
    airflow.now += FRESH_S
    assert (airflow.of(), airflow.of("nobody")) == ((), ())
    assert airflow.secrets._known == {}


def test_names_that_nobody_can_judge_take_no_memory_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "FAILURES", 3)
    airflow = Airflow()
    airflow.says = ConnectionError_("")
    for number in range(10):
        with pytest.raises(ConnectionError_):
            airflow.of(str(number))
    assert len(airflow.secrets._known) == 3
    airflow.says = "first"
    assert airflow.of() == ("first",)
