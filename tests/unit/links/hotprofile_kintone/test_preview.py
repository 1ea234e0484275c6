"""Values of both systems as people read them."""

from __future__ import annotations

from typing import Any

import pytest

from renkei.links.hotprofile_kintone.preview import as_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("", ""),
        ("山田", "山田"),
        (0, "0"),
        (["甲", "", "乙"], "甲、乙"),
        ([{"id": 1, "name": "展示会"}], "展示会"),
        ([{"code": "yamada", "name": "山田 太郎"}, {"code": "sato"}], "山田 太郎、sato"),
        ([{"id": "9", "value": {"name": {"value": "自宅"}, "電話": {"value": "03"}}}], "自宅、03"),
    ],
)
def test_k12_a_value_is_read_as_text(value: Any, text: str) -> None:
    """K12: lists joined, people and tags by their names, a table's row by its cells."""
    assert as_text(value) == text
