"""Texts as people type them: blanks at their edges, and the names in them (E16, E22)."""

from __future__ import annotations

import sys

from renkei.links.smarthr_emc.sheet.names import user_item
from renkei.texts import nearest, trim


def test_e22_every_kind_of_blank_is_trimmed() -> None:
    """Unicode white space and zero-width characters, at both ends, and nothing else."""
    blanks = [chr(n) for n in range(sys.maxunicode + 1) if chr(n).isspace()] + ["\u200b", "\u200d", "\u2060", "\ufeff"]

    assert [hex(ord(blank)) for blank in blanks if trim(f"{blank}a{blank}b{blank}") != f"a{blank}b"] == []
    assert trim("「a」") == "「a」"


def test_l5_a_long_run_of_blanks_costs_no_time() -> None:
    """Twenty million steps for a text of 4 MB; by the square of its length it would never end."""
    blanks = " " * 4_000_000

    assert trim(f" a{blanks}b ") == f"a{blanks}b"
    assert user_item(f"{blanks}x{blanks}y") is None


def test_e16_the_label_of_a_search_word_stands_behind_the_first_colon() -> None:
    """Blanks around both parts do not matter."""
    named = user_item(" 検索ワード1 ： 勤務地:東 ")
    assert named is not None
    assert (named.item.key, named.label) == ("search_word_1", "勤務地:東")


def test_l8_a_text_that_is_no_name_gets_no_hint() -> None:
    """Nothing is guessed about a text longer than any name."""
    assert nearest("ユーザIDD", ["ユーザID"]) == "「ユーザID」と記入してください"
    assert nearest("ユーザID" * 50, ["ユーザID"]) == ""
