"""A 災害時凍結 that lasts is told to the operator (S4)."""

from __future__ import annotations

import pytest

from renkei.errors import NotificationError, StoreError
from tests.dags.monitor.looks import World


def test_s4_a_freeze_that_lasts_is_told_to_the_operator_once(acme: World) -> None:
    """S4: three days after a look first saw it; another one alone; one that ended begins anew."""
    frozen = {"acme"}

    def told(now: str) -> list[str]:
        acme.ear.said.clear()
        acme.look(now, frozen=lambda: set(frozen))
        return [line for _, _, one, _ in acme.ear.said if "災害時凍結" in one.title for line in one.lines[:-1]]

    assert told("22 5:00") == []
    frozen.add("all")
    assert told("23 5:00") == []
    assert told("25 4:59") == []
    assert told("25 5:00") == ["acme: 2026/11/22 5:00 から"]
    assert told("25 5:15") == []
    assert told("26 5:00") == ["全社: 2026/11/23 5:00 から"]
    frozen.clear()
    assert told("26 6:00") == []
    frozen.add("acme")
    assert told("26 7:00") == []
    assert told("29 7:00") == ["acme: 2026/11/26 7:00 から"]


def test_s4_who_is_frozen_is_not_guessed(acme: World) -> None:
    """L1: Airflow does not answer; the others are told of all the same, and the look fails."""

    def away() -> set[str]:
        raise StoreError("Airflowの変数を読み取れません。")

    with pytest.raises(NotificationError, match="Airflowの変数を読み取れません"):
        acme.look("22 9:00", frozen=away)
    assert acme.ear.titles
