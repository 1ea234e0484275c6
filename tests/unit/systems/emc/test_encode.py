"""A plan's rows as bytes: what EMC reads back is what was meant, cell by cell (E18, E37)."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from renkei.systems.emc import encode as module
from renkei.systems.emc.encode import ImportFile, encode
from renkei.systems.emc.file_format import EmcFormat, Flags, load_format

FORMAT = load_format(Path(__file__).resolve().parents[4] / "include/contracts/emc_format.yaml")
COLUMNS = {"operation": "処理フラグ", "user_id": "ユーザID", "full_name": "氏名", "search_word_1": "検索ワード1"}


def plan(*rows: tuple[str, str, str | None, str | None]) -> pd.DataFrame:
    """operation, user_id, full_name, search_word_1; None is a missing cell."""
    return pd.DataFrame(list(rows), columns=list(COLUMNS), dtype="str")


def written(rows: pd.DataFrame, emc_format: EmcFormat = FORMAT) -> tuple[list[str], list[list[str]]]:
    """Header and rows, as a CSV reader of the other side finds them."""
    text = encode(rows, COLUMNS, emc_format).content.decode(emc_format.encoding)
    header, *body = csv.reader(io.StringIO(text, newline=""), strict=True)
    return header, body


def test_e37_the_file_s_bytes() -> None:
    """Header, flags, quotes, CRLF and CP932, byte for byte."""
    found = encode(plan(("CREATE", "u1", "髙橋 ①", None), ("DELETE", "u2", None, None)), COLUMNS, FORMAT)

    expected = '"処理フラグ","ユーザID","氏名","検索ワード1"\r\n"A","u1","髙橋 ①",""\r\n"D","u2","",""\r\n'
    assert found.content == expected.encode("cp932")
    assert found.rows == 2
    assert found.sha256 == hashlib.sha256(found.content).hexdigest()


def test_e18_missing_leaves_and_blank_clears_only_in_an_update() -> None:
    """An empty cell leaves what EMC has; the marker clears, and stands in updates alone."""
    _, rows = written(
        plan(
            ("UPDATE", "u1", None, "東京"),
            ("UPDATE", "u2", "", ""),
            ("CREATE", "u3", "", None),
            ("DELETE", "u4", None, ""),
        )
    )

    assert rows == [
        ["U", "u1", "", "東京"],
        ["U", "u2", "#CLEAR#", "#CLEAR#"],
        ["A", "u3", "", ""],
        ["D", "u4", "", ""],
    ]


def test_columns_that_the_plan_lacks_are_empty_and_in_their_place() -> None:
    """A sheet that links few items still writes a file with all columns."""
    rows = plan(("UPDATE", "u1", "山田", None)).drop(columns=["full_name"]).assign(line=[7], crew_id=["c1"])

    assert written(rows) == (list(COLUMNS.values()), [["U", "u1", "", ""]])


def test_a_plan_without_rows_is_a_header() -> None:
    """0 rows: the file is valid and says so."""
    assert written(plan()) == (list(COLUMNS.values()), [])
    assert encode(plan(), COLUMNS, FORMAT).rows == 0


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 7])
def test_batches_leave_no_seam(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """More rows than fit one batch give the same bytes as one batch."""
    frame = plan(*(("UPDATE", f"u{n}", "" if n % 2 else f"名{n}", None) for n in range(rows)))
    frame.index = range(100, 100 + rows)  # a plan that was filtered does not count from 0
    whole = encode(frame, COLUMNS, FORMAT)
    monkeypatch.setattr(module, "BATCH_ROWS", 2)

    assert encode(frame, COLUMNS, FORMAT) == whole
    assert whole.rows == rows


CELLS = st.text(st.sampled_from("aZ0 ,\"';#\t\\=+-@|山田髙①ｱ　～―ー"), min_size=1, max_size=12)


@given(names=st.lists(CELLS, min_size=1, max_size=8), quote_all=st.booleans())
def test_values_with_quotes_and_commas_come_back_unchanged(names: list[str], quote_all: bool) -> None:
    """Whatever the name, a CSV reader finds it whole, with or without quotes around everything."""
    frame = plan(*(("CREATE", f"u{n}", name, None) for n, name in enumerate(names)))

    _, rows = written(frame, FORMAT.model_copy(update={"quote_all": quote_all}))
    assert [row[2] for row in rows] == names


def test_e37_flags_line_ends_encoding_and_marker_are_the_format_s() -> None:
    """Nothing of the file's look is anywhere but in the format object."""
    other = FORMAT.model_copy(
        update={
            "encoding": "utf-8",
            "line_end": "\n",
            "quote_all": False,
            "clear_marker": "-",
            "flags": Flags(create="1", update="2", delete="9"),
        }
    )
    found = encode(plan(("CREATE", "u1", "吉田𠮷", None), ("UPDATE", "u2", "", None)), COLUMNS, other)

    assert found.content.decode("utf-8").splitlines()[1:] == ["1,u1,吉田𠮷,", "2,u2,-,"]
    assert b"\r" not in found.content


def test_a_header_with_a_quote_or_a_comma_is_written_like_any_cell() -> None:
    """A format may name its columns as it likes."""
    columns = COLUMNS | {"full_name": '氏名 "全角", 姓名'}
    text = encode(plan(("CREATE", "u1", "山田", None)), columns, FORMAT).content.decode("cp932")

    assert next(csv.reader(io.StringIO(text, newline=""))) == list(columns.values())


def test_an_encoding_with_a_byte_order_mark_has_one_at_the_beginning_alone() -> None:
    """`utf-8-sig` is what Excel wants; a mark before every batch would be part of a value."""
    text = encode(
        plan(("CREATE", "u1", "山田", None)), COLUMNS, FORMAT.model_copy(update={"encoding": "utf-8-sig"})
    ).content

    assert text.count(b"\xef\xbb\xbf") == 1
    assert text.startswith(b"\xef\xbb\xbf")


def test_l6_an_import_file_does_not_show_its_people() -> None:
    """Neither `repr` nor a traceback's locals hold a name."""
    found = encode(plan(("CREATE", "u1", "山田", None)), COLUMNS, FORMAT)

    assert "山田" not in repr(found)
    assert isinstance(found, ImportFile)
