"""即応証明: whom EMC can reach, and by what."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from renkei.links.smarthr_emc.reach import OTHER, reach
from renkei.links.smarthr_emc.records import Reach

MEDIA = ("メール", "電話")


def target(**columns: list[Any]) -> pd.DataFrame:
    return pd.DataFrame({"user_id": ["1", "2", "3", "4"], **columns}, dtype="str")


@pytest.mark.parametrize(
    ("columns", "reached", "unknown", "media"),
    [
        pytest.param(
            {
                "contact_1_medium": ["メール", "メール", "", "メール"],
                "contact_1_address": ["a@x", "", "", "b@x"],
                "contact_2_medium": ["電話", "電話", "", "メール"],
                "contact_2_address": ["03", "04", "", "c@x"],
            },
            3, 0, {"メール": 2, "電話": 2}, id="somebody counts once for each medium",
        ),
        pytest.param(
            {"contact_1_medium": ["メール", None, "", "?"], "contact_1_address": ["a@x", None, "", "b"]},
            2, 1, {"メール": 1, "電話": 0, OTHER: 1}, id="what EMC has alone is unknown, not unreachable",
        ),
        pytest.param(
            {"contact_1_address": ["a@x", "", "", ""]},
            1, 0, {"メール": 0, "電話": 0, OTHER: 1}, id="a medium that is not written",
        ),
        pytest.param({}, 0, 4, {"メール": 0, "電話": 0}, id="a sheet without contacts"),
    ],
)  # fmt: skip
def test_people_are_counted_by_how_they_are_reached(
    columns: dict[str, list[Any]], reached: int, unknown: int, media: dict[str, int]
) -> None:
    valid = pd.Series([True, True, True, True, True, False])
    assert reach(valid, target(**columns), 1, MEDIA) == Reach(5, 1, reached, unknown, media)
