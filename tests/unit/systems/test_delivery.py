"""Texts that are cut to what a service takes (N1)."""

from __future__ import annotations

import unicodedata

import pytest

from renkei.systems.delivery import CUT, clean, fit

URL = "https://airflow.example.jp/renkei/console/dag/smarthr_emc__acme/sheets/1"


def test_n1_no_address_is_cut() -> None:
    """Half an address leads nowhere, or elsewhere: it goes as a whole, however little else there is."""
    text = f"シート: {URL} を確認してください。" + "説明。" * 20
    for most in range(len(CUT) + 1, len(text)):
        kept = fit(text, most).removesuffix(CUT)
        assert URL in kept or "http" not in kept, most
        assert text.startswith(kept)


@pytest.mark.parametrize(
    ("text", "most", "kept"),
    [
        ("acme の設定は EMC_HOLD です", 13 + len(CUT), "acme の設定は "),
        ("acme の設定は EMC_HOLD です", 18 + len(CUT), "acme の設定は EMC_HOLD です"),
        ("a" * 100, 50, "a" * (50 - len(CUT))),  # one word alone: its beginning says more than nothing
    ],
)
def test_n1_a_word_is_cut_only_where_nothing_else_would_be_left(text: str, most: int, kept: str) -> None:
    assert fit(text, most) == (text if kept == text else kept + CUT)


def test_n1_what_no_service_can_take_is_left_out() -> None:
    """Of every character there is, by its category in Unicode: controls but line ends and tabs; half a character is a sign."""
    every = [chr(number) for number in range(0x110000) if chr(number) != "\r"]
    categories = {"Cc": "", "Cs": "\ufffd"}
    kept = [c if c in "\n\t" else categories.get(unicodedata.category(c), c) for c in every]
    assert clean("".join(every)) == "".join(kept)
    assert clean("一\r\n二\r三") == "一\n二\n三"
