"""E15: a cell is read as Excel shows it, and only the worksheets of a sheet are read, as far as a sheet can go."""

from __future__ import annotations

import io
import zipfile

import pytest

from renkei.links.smarthr_emc.sheet.excel.reader import raw_from_workbook
from renkei.links.smarthr_emc.sheet.mapping import Constant, Source
from renkei.links.smarthr_emc.sheet.parse import parse
from tests.unit.links.smarthr_emc.sheet.excel.books import FIRST, book, content, read, refused, zipped


@pytest.mark.parametrize(
    ("value", "shown_as", "text"),
    [(12345.0, "General", "12345"), (27, "00000", "00027"), (1.5, "General", "1.5"), (True, "General", "TRUE")],
)
def test_e15_a_number_is_read_as_it_is_shown(value: float, shown_as: str, text: str) -> None:
    """A numeric 固定値 has no ".0", and leading zeros stay."""
    made = book()
    made["ユーザデータ"]["C8"], made["ユーザデータ"]["D8"] = "固定値", value
    made["ユーザデータ"]["D8"].number_format = shown_as

    rule = read(made).rule("search_word_1")

    assert rule is not None
    assert rule.source == Source(((Constant(text),),))


def test_l8_an_endless_worksheet_is_refused_quickly() -> None:
    """A last row or column far out is named instead of being walked to."""
    made = book()
    made["部署データ"]["A1048576"] = "x"
    assert "5,000行" in refused(made)[0]

    made = book()
    made["部署データ"].cell(1, 201, "x")
    assert "200列" in refused(made)[0]


def test_l5_a_text_repeated_over_a_worksheet_is_refused() -> None:
    """One shared text costs its length in every cell that shows it."""
    made = book()
    for _ in range(50):
        made["部署データ"].append([None, "あ" * 30_000])
    assert "文字が多すぎます" in refused(made)[0]


@pytest.mark.parametrize(("number", "shown_as"), [(b"1e999", "General"), (b"-1E999", "0%"), (b"9" * 4_000, "0%")])
def test_l8_a_number_that_is_none_is_named_by_its_cell(number: bytes, shown_as: str) -> None:
    """The cell is refused, not the workbook."""
    made = book()
    made["連携情報"]["B5"] = 77777
    made["連携情報"]["B5"].number_format = shown_as
    with zipfile.ZipFile(io.BytesIO(content(made))) as archive:
        parts = {each: archive.read(each) for each in archive.namelist()}
    parts[FIRST] = parts[FIRST].replace(b"<v>77777</v>", b"<v>" + number + b"</v>")

    raw = raw_from_workbook(zipped(parts), "acme.xlsx")

    assert any(problem.where.endswith("連携情報!B5") and "数値" in problem.found for problem in raw.problems)


def test_l5_other_worksheets_and_links_are_not_opened() -> None:
    """A customer's own worksheet may hold what it likes, and a link may lead nowhere."""
    made = book()
    made.create_sheet("社員名簿")["A1"] = "x"
    with zipfile.ZipFile(io.BytesIO(content(made))) as archive:
        parts = {each: archive.read(each) for each in archive.namelist()}
    parts["xl/worksheets/sheet4.xml"] = b"<nothing/>"
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(
        b"</sheets>",
        b'</sheets><externalReferences><externalReference xmlns:r="http://schemas.openxmlformats.org/'
        b'officeDocument/2006/relationships" r:id="none"/></externalReferences>',
    )
    assert parse(raw_from_workbook(zipped(parts), "acme.xlsx"), "acme")[0] == read(book())
