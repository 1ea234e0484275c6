"""The values of a sheet's sources."""

from __future__ import annotations

import pandas as pd
import pytest

from renkei.links.smarthr_emc.sheet.expression import parse_source
from renkei.links.smarthr_emc.sources import evaluate


def table(**columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(columns, dtype="str")


def value(source: str, **columns: str) -> str:
    """What `source` gives for one person."""
    return evaluate(parse_source(source), table(**{name: [text] for name, text in columns.items()}))[0]


@pytest.mark.parametrize(
    ("source", "columns", "expected"),
    [
        ("姓&名", {"姓": "山田", "名": "太郎"}, "山田太郎"),
        ('姓&"　"&名', {"姓": "山田", "名": "太郎"}, "山田　太郎"),
        ('姓&"　"&名', {"姓": "山田", "名": ""}, "山田"),
        ('姓&"　"&名', {"姓": "", "名": "太郎"}, "太郎"),
        ('姓&"　"&名', {"姓": "", "名": ""}, ""),
        ('姓&"様"', {"姓": ""}, ""),
        ("固定値「本社」", {"姓": ""}, "本社"),
        ("無し(空白)", {"姓": "山田"}, ""),
        ("社員番号 or メールアドレス", {"社員番号": "001", "メールアドレス": "a@example.jp"}, "001"),
        ("社員番号 or メールアドレス", {"社員番号": "", "メールアドレス": "a@example.jp"}, "a@example.jp"),
        ("社員番号 or メールアドレス", {"社員番号": "", "メールアドレス": ""}, ""),
        ("社員番号 or 固定値「なし」", {"社員番号": ""}, "なし"),
        ('"A"&社員番号 or メールアドレス', {"社員番号": "", "メールアドレス": "a@example.jp"}, "a@example.jp"),
        ("カスタム項目:血液型", {"カスタム項目:血液型": "A型"}, "A型"),
    ],
)
def test_e17_sources_give_a_value(source: str, columns: dict[str, str], expected: str) -> None:
    """Joining, first-that-has-a-value, constants and no source at all."""
    assert value(source, **columns) == expected


def test_e17_each_row_takes_its_own_first_alternative() -> None:
    """First-that-has-a-value is decided per person, and rows keep their order."""
    people = table(社員番号=["1", "", "3"], メールアドレス=["a@x.jp", "b@x.jp", ""])
    assert evaluate(parse_source("社員番号 or メールアドレス"), people).tolist() == ["1", "b@x.jp", "3"]


def test_e17_a_source_over_nobody_is_empty_text() -> None:
    """A table without rows gives a text column without rows."""
    result = evaluate(parse_source("姓&名 or 固定値「x」"), table(姓=[], 名=[]))
    assert (result.dtype, len(result)) == ("str", 0)
