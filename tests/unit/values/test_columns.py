"""Trimming, blanks, look-ups and digests of text columns."""

from __future__ import annotations

import random

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from renkei.texts import BLANKS
from renkei.texts import trim as trim_text
from renkei.values.columns import digest, is_in, look_up, positions, trim

INVISIBLE = {
    "space": " ",
    "tab": "\t",
    "line feed": "\n",
    "carriage return": "\r",
    "no-break space": "\u00a0",
    "full-width space": "\u3000",
    "en quad": "\u2000",
    "hair space": "\u200a",
    "line separator": "\u2028",
    "narrow no-break space": "\u202f",
    "next line": "\u0085",
    "zero-width space": "\u200b",
    "zero-width non-joiner": "\u200c",
    "zero-width joiner": "\u200d",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
}


def texts(*values: str | None) -> pd.Series:
    return pd.Series(list(values), dtype="str")


def table(**columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(columns, dtype="str")


@pytest.mark.parametrize("character", INVISIBLE.values(), ids=INVISIBLE.keys())
def test_e22_a_text_of_invisible_characters_is_blank(character: str) -> None:
    """White space and zero-width characters alone are no value."""
    assert trim(texts(character, character * 3, character + " \u3000")).tolist() == ["", "", ""]


@given(st.text(st.sampled_from([*BLANKS, "山", "a", "\u3164", "\ufe00", "\u202e"]), max_size=8))
def test_e22_a_blank_is_the_same_in_a_sheet_and_in_a_value(text: str) -> None:
    """One definition: what a sheet's cell and a member's file trim is what a value of SmartHR loses, and no more."""
    assert trim(texts(text)).tolist() == [trim_text(text)]


@pytest.mark.parametrize("character", INVISIBLE.values(), ids=INVISIBLE.keys())
def test_e22_only_surrounding_blanks_are_removed(character: str) -> None:
    """What stands inside a value stays as it is."""
    assert trim(texts(f"{character}山{character}田{character}")).tolist() == [f"山{character}田"]


def test_e22_values_are_not_changed_otherwise() -> None:
    """Width, case, variants and leading zeros are the customer's."""
    kept = ["ＡＢＣ１２３", "髙﨑", "ｶﾅ", "00012", "O'Brien", "が", "か\u3099"]
    assert trim(texts(*kept)).tolist() == kept


def test_e22_missing_is_blank_and_the_index_stays() -> None:
    """A missing cell is the same as an empty one, and rows keep their labels."""
    trimmed = trim(pd.Series([" a ", None], index=[7, 3], dtype="str"))
    assert trimmed.to_dict() == {7: "a", 3: ""}


def test_e22_a_column_in_several_chunks_is_trimmed_whole() -> None:
    """Concatenated tables hold their texts in pieces."""
    assert trim(pd.concat([texts(" a"), texts(), texts("b\u3000")])).tolist() == ["a", "b"]


def test_e22_an_empty_column_stays_text() -> None:
    """No rows at all is no special case."""
    trimmed = trim(texts())
    assert trimmed.dtype == "str"
    assert len(trimmed) == 0


def test_e14_digest_is_the_same_in_another_order_of_rows() -> None:
    """SmartHR's order of people is no difference."""
    rows = [(f"{n:03}", f"名{n}") for n in range(50)]
    shuffled = random.Random(1).sample(rows, 50)
    assert digest(pd.DataFrame(rows, columns=["id", "v"], dtype="str"), "id") == digest(
        pd.DataFrame(shuffled, columns=["id", "v"], dtype="str"), "id"
    )


def test_e14_digest_is_the_same_for_a_part_of_a_larger_table() -> None:
    """A table cut out of another one, or glued together, has the digest of its rows alone."""
    rows = table(id=["0", "1", "2", "3"], v=["x", "長い値", "", "y"])
    wanted = digest(table(id=["1", "2"], v=["長い値", ""]), "id")
    assert digest(rows.iloc[1:3], "id") == wanted
    assert digest(rows[rows["id"].isin(["1", "2"])], "id") == wanted
    assert digest(pd.concat([rows.iloc[2:3], rows.iloc[1:2]]), "id") == wanted


def test_e14_digest_tells_tables_apart() -> None:
    """A value that moves to a neighbour, another column, another name or a missing cell is a difference."""
    variants = [
        table(id=["1", "2"], a=["x", ""]),
        table(id=["1", "2"], a=["", "x"]),
        table(id=["1", "2"], b=["x", ""]),
        table(id=["1"], a=["x"]),
        table(id=["1", "2"], a=["x", " "]),
        table(id=["12", ""], a=["x", ""]),
        table(id=["1", "2"], a=["x", ""], b=["", ""]),
        pd.DataFrame({"id": ["1", "2"], "a": ["x", None]}, dtype="str"),
    ]
    assert len({digest(t, "id") for t in variants}) == len(variants)


def test_positions_count_from_the_first_of_equal_ids() -> None:
    """-1 is nowhere; neither side's index matters."""
    among = texts("b", "a", "a").set_axis([7, 8, 9])
    assert positions(texts("a", "x", "b", "a"), among).tolist() == [1, -1, 0, 1]
    assert positions(texts(), among).tolist() == []
    assert positions(texts("a"), texts()).tolist() == [-1]


@given(st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=6), st.randoms(use_true_random=False))
def test_e14_digest_depends_on_nothing_but_the_rows(rows: dict[str, str], rng: random.Random) -> None:
    """Any order of the same rows has one digest; one changed value has another."""
    items = list(rows.items())
    shuffled = rng.sample(items, len(items))
    one, other = (pd.DataFrame(r, columns=["id", "v"], dtype="str") for r in (items, shuffled))
    assert digest(one, "id") == digest(other, "id")
    if items:
        changed = other.assign(v=other["v"].where(other.index != 0, other["v"] + "+"))
        assert digest(changed, "id") != digest(one, "id")


def test_e6_a_blank_is_nobody_s_key() -> None:
    """What has no id is never found by it, nor by somebody else's missing id."""
    ids, among = texts("", "a", None, "b"), texts(None, "", "b", "b")
    assert positions(ids, among).tolist() == [-1, -1, -1, 2]
    assert is_in(ids, among).tolist() == [False, False, False, True]
    assert is_in(ids, ["", "a"]).tolist() == [False, True, False, False]
    assert look_up(ids, among, texts("v", "w", "x", "y")).tolist() == ["", "", "", "x"]
    assert look_up(ids, among.head(0), among.head(0)).tolist() == [""] * 4
