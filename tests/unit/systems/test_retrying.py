"""What may pass is asked again, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from renkei.errors import RetriableFetchError
from renkei.systems import retrying
from renkei.systems.retrying import LONGEST_S, PassingError, ask_until_passed


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(retrying.time, "sleep", found.append)
    return found


def failing(times: int) -> tuple[list[int], Callable[[], str]]:
    asked: list[int] = []

    def once() -> str:
        asked.append(len(asked))
        if len(asked) <= times:
            raise PassingError(RetriableFetchError(f"try {len(asked)}"))
        return "answer"

    return asked, once


def test_l4_what_passes_is_asked_again_after_a_longer_pause_each_time(pauses: list[float]) -> None:
    """L4: about one, two, four seconds, and so on up to the longest."""
    asked, once = failing(6)
    assert ask_until_passed(once, 7) == "answer"
    assert len(asked) == 7
    assert all(
        most / 2 <= pause <= most for pause, most in zip(pauses, (1, 2, 4, 8, LONGEST_S, LONGEST_S), strict=True)
    )


def test_l8_what_does_not_pass_is_told_as_its_last_failure(pauses: list[float]) -> None:
    """L6, L8: and the failure carries nothing of what was asked along."""
    asked, once = failing(9)
    with pytest.raises(RetriableFetchError, match="try 3") as caught:
        ask_until_passed(once, 3)
    assert len(asked) == 3
    assert len(pauses) == 2
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_what_is_no_passing_fault_is_raised_at_once(pauses: list[float]) -> None:
    """A refusal is asked for once."""

    def once() -> None:
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        ask_until_passed(once, 5)
    assert pauses == []
