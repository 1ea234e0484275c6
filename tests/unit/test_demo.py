"""`make run` in a clone where it is up already."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.demo import _alone


def test_a_second_one_is_told_so_and_touches_nothing_of_the_first(tmp_path: Path) -> None:
    """It would empty the folder of one that is being shown, or fail at its ports."""
    folder = tmp_path / ".run/demo"
    with _alone(folder):
        with pytest.raises(RuntimeError, match=r"make run is up already.*Ctrl-C"), _alone(folder):
            pass
        with _alone(folder.with_name("once")):
            pass
    with _alone(folder):
        pass
