"""E15: a corpus of small workbooks, each with one property. What Excel shows is what is read, or the cell has a fault.

They are written by hand, as any program might write them, and read whole.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest

from renkei.sheets.workbook.book import Book, Layout
from renkei.sheets.workbook.package import PackageError
from renkei.sheets.workbook.xml_text import decoded, encoded

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"


def parts(
    rows: str, *, shared: str = "", formats: str = "", book: str = "", title: str = "s", sheet: str = ""
) -> dict[str, str]:
    """The parts of a workbook; style 1 is `formats`' only format, style 2 is struck through."""

    def related(*targets: tuple[str, str]) -> str:
        lines = (
            f'<Relationship Id="r{n}" Type="{RELATIONS}/{kind}" Target="{target}"/>'
            for n, (kind, target) in enumerate(targets)
        )
        return f'<Relationships xmlns="{PACKAGE}/relationships">{"".join(lines)}</Relationships>'

    return {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="{SHEET}"/></Types>',
        "_rels/.rels": related(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">{book}<sheets>'
        f'<sheet name="{title}" sheetId="1" r:id="r0"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": related(
            ("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml"), ("styles", "styles.xml")
        ),
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{shared}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="{formats}"/>'
        '</numFmts><fonts count="2"><font/><font><strike/></font></fonts><cellXfs count="3"><xf numFmtId="0" fontId="0"/>'
        '<xf numFmtId="164" fontId="0"/><xf numFmtId="0" fontId="1"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}">{sheet}<sheetData>{rows}</sheetData></worksheet>',
    }


def packed(made: Mapping[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in made.items():
            archive.writestr(name, text)
    return file.getvalue()


def read(made: Mapping[str, str | bytes]) -> dict[str, str]:
    """The texts by place (`A1`); a fault begins with `!`."""
    with zipfile.ZipFile(io.BytesIO(packed(made))) as archive:
        book = Book(archive, archive.namelist())
        return {
            f"{chr(65 + column)}{number}": f"!{found.fault}" if found.fault else found.text
            for number, cells in book.rows(book.worksheets[0], Layout())
            for column, found in cells
        }


def cells(*written: str, **more: Any) -> dict[str, str]:
    return parts(f'<row r="1">{"".join(written)}</row>', **more)


def shared(text: str) -> dict[str, str]:
    """A cell with a shared text."""
    return cells('<c r="A1" t="s"><v>0</v></c>', shared=f"<si>{text}</si>")


def number(value: str, code: str) -> dict[str, str]:
    """A number under a format."""
    return cells(f'<c r="A1" s="1"><v>{value}</v></c>', formats=code)


def strict(made: dict[str, str]) -> dict[str, str]:
    """The same in the dialect of ISO 29500 Strict."""
    return {
        name: text.replace(MAIN, "http://purl.oclc.org/ooxml/spreadsheetml/main").replace(
            RELATIONS, "http://purl.oclc.org/ooxml/officeDocument/relationships"
        )
        for name, text in made.items()
    }


def changed(made: dict[str, str], *pairs: tuple[str, str], names: bool = False) -> dict[str, str]:
    """The texts of the parts, or their names, with replacements."""
    for old, new in pairs:
        made = {
            name.replace(old, new) if names else name: text if names else text.replace(old, new)
            for name, text in made.items()
        }
    return made


PLAIN = shared("<t>総務</t>")
SHOWN: dict[str, tuple[Mapping[str, str | bytes], str]] = {
    # texts
    "a shared text": (PLAIN, "総務"),
    "a line end escaped": (shared("<t>skr_x000D_</t>"), "skr\r"),
    "an escape in small letters": (shared("<t>a_x000d_b</t>"), "a\rb"),
    "an escape that is protected": (shared("<t>skr_x005F_x000D_</t>"), "skr_x000D_"),
    "what only looks like an escape": (shared("<t>a_x00_b_X000D_</t>"), "a_x00_b_X000D_"),
    "a pair of escapes": (shared("<t>_xD842__xDFB7_</t>"), "\U00020bb7"),
    "an escape in the cell's own text": (cells('<c r="A1" t="inlineStr"><is><t>skr_x000D_</t></is></c>'), "skr\r"),
    "an escape in a computed text": (cells('<c r="A1" t="str"><v>skr_x000D_</v></c>'), "skr\r"),
    "parts with different formats": (shared("<r><t>総</t></r><r><rPr><b/></rPr><t>務</t></r>"), "総務"),
    "readings (ふりがな)": (shared('<t>総務</t><rPh sb="0" eb="2"><t>ソウム</t></rPh><phoneticPr fontId="1"/>'), "総務"),
    "an escape cut by a format": (shared("<r><t>a_x00</t></r><r><t>0D_</t></r>"), "a_x000D_"),
    "a blank alone in a part": (shared("<r><t>姓</t></r><r><t> </t></r><r><t>名</t></r>"), "姓 名"),
    "line ends": (shared('<t xml:space="preserve">a\nb</t>'), "a\nb"),
    "a text with a format of its own": (cells('<c r="A1" t="inlineStr" s="1"><is><t>総務</t></is></c>', formats="@&quot;課&quot;"), "総務課"),
    # numbers
    "a number": (cells('<c r="A1"><v>12345</v></c>'), "12345"),
    "a number with too many digits of its fraction": (cells('<c r="A1"><v>0.30000000000000004</v></c>'), "0.3"),
    "zeros by format": (number("7", "000_ "), "007"),
    "letters by format": (number("7", "&quot;K&quot;000"), "K007"),
    "a dash by format": (number("123", "00\\-00"), "01-23"),
    "an escape in a format": (number("7", "&quot;_x004B_&quot;000"), "K007"),
    "a truth": (cells('<c r="A1" t="b"><v>1</v></c>'), "TRUE"),
    "a date": (number("46113", "yyyy/m/d"), "2026/4/1"),
    "a date since 1904": (cells('<c r="A1" s="1"><v>44651</v></c>', formats="yyyy/m/d", book='<workbookPr date1904="1"/>'), "2026/4/1"),
    "a date written out with a zone": (cells('<c r="A1" s="1" t="d"><v>2026-04-01T00:00:00+09:00</v></c>', formats="yyyy/m/d"), "2026/4/1"),
    "a date written out": (cells('<c r="A1" s="1" t="d"><v>2026-04-01</v></c>', formats="yyyy/m/d"), "2026/4/1"),
    "a value of nothing": (cells('<c r="A1"><v>7</v></c><c r="B1"><v/></c><c r="C1" t="s"><v></v></c>'), "7"),
    # places
    "cells without places": (parts("<row><c t='inlineStr'><is><t>総務</t></is></c></row>"), "総務"),
    "a size that lies": (cells('<c r="A1" t="s"><v>0</v></c>', shared="<si><t>総務</t></si>", sheet='<dimension ref="C9"/>'), "総務"),
    # packages
    "Strict": (strict(PLAIN), "総務"),
    "parts in another case": (changed(PLAIN, ("xl/", "XL/"), ("sheet1", "Sheet1"), names=True), "総務"),
    "everything in capitals": ({name.upper(): text for name, text in PLAIN.items()}, "総務"),
    "targets from the root": (changed(PLAIN, ('Target="worksheets', 'Target="/xl/worksheets')), "総務"),
    "targets with backslashes": (changed(PLAIN, ('Target="worksheets/', 'Target="worksheets\\')), "総務"),
    "targets with a dot": (changed(PLAIN, ('Target="worksheets/', 'Target="./worksheets/')), "総務"),
    "names with percent signs": (changed(PLAIN, ('Target="worksheets/sheet1', 'Target="worksheets/%73heet1')), "総務"),
    "members with backslashes": ({name.replace("/", "\\") if name.startswith("xl") else name: text for name, text in PLAIN.items()}, "総務"),
    "UTF-16": ({name: f'<?xml version="1.0" encoding="UTF-16"?>{text}'.encode("utf-16") for name, text in PLAIN.items()}, "総務"),
    "a byte order mark": ({name: b"\xef\xbb\xbf" + text.encode() for name, text in PLAIN.items()}, "総務"),
    "a prefix on every element": (PLAIN | {"xl/sharedStrings.xml": f'<x:sst xmlns:x="{MAIN}"><x:si><x:t>総務</x:t></x:si></x:sst>'}, "総務"),
}  # fmt: skip


@pytest.mark.parametrize(("made", "text"), SHOWN.values(), ids=SHOWN)
def test_e15_a_cell_is_read_as_excel_shows_it(made: Mapping[str, str | bytes], text: str) -> None:
    """One property each."""
    assert read(made) == {"A1": text}


TEXT_O = '<c r="A1" t="inlineStr"><is><t>o</t></is></c>'


def styled(cell: str, font: str = "", more: str = "") -> dict[str, str]:
    """A cell whose style has a font, and more."""
    written = f'<fonts><font>{font}</font></fonts><cellXfs><xf numFmtId="0" fontId="0">{more}</xf></cellXfs>'
    return cells(cell) | {"xl/styles.xml": f'<styleSheet xmlns="{MAIN}">{written}</styleSheet>'}


FAULTY: dict[str, tuple[dict[str, str], str]] = {
    "a formula": (cells('<c r="A1"><f>1+1</f><v>2</v></c>'), "数式"),
    "a formula of a text": (cells('<c r="A1" t="str"><f>B1</f><v>総務</v></c>'), "数式"),
    "a shared formula": (cells('<c r="A1"><f t="shared" si="0"/><v>2</v></c>'), "数式"),
    "an error": (cells('<c r="A1" t="e"><v>#N/A</v></c>'), "#N/A"),
    "a picture in the cell": (cells('<c r="A1" t="e" vm="1"><v>#VALUE!</v></c>'), "画像"),
    "a long number": (cells('<c r="A1"><v>123456789012</v></c>'), "指数"),
    "a hidden number": (number("7", ";;;"), "隠されています"),
    "a fraction": (number("0.5", "# ?/?"), "分数"),
    "a date written out, shown as a number": (cells('<c r="A1" t="d"><v>2026-04-01</v></c>'), "日付の表示形式"),
    "a date with the machine's own words": (number("46113", "[$-F800]dddd"), "表示形式"),
    "zeros that are not shown": (cells('<c r="A1"><v>0</v></c>', sheet='<sheetViews><sheetView showZeros="0"/></sheetViews>'), "0を表示しない"),
    "no number": (cells('<c r="A1"><v>1_000</v></c>'), "数値ではありません"),
    "a date shown as it is kept": (cells('<c r="A1" s="1"><v>46113</v></c>', formats="yyyy/m/d", sheet='<sheetViews><sheetView showFormulas="1"/></sheetViews>'), "数式の表示"),
    "an o that Wingdings shows as an empty box": (styled(TEXT_O, '<name val="Wingdings"/>'), "記号として表示"),
    "a number in a font of signs": (styled('<c r="A1"><v>3</v></c>', '<name val="Webdings"/>'), "記号として表示"),
    "a P that is a mark, in a part of a text": (shared('<r><t>済</t></r><r><rPr><rFont val="Wingdings 2"/></rPr><t>P</t></r>'), "記号として表示"),
    "the same in the cell's own text": (cells('<c r="A1" t="inlineStr"><is><r><rPr><rFont val="Symbol"/></rPr><t>P</t></r></is></c>'), "記号として表示"),
    "a text that fills its column": (styled(TEXT_O, more='<alignment horizontal="fill"/>'), "繰り返し"),
}  # fmt: skip


@pytest.mark.parametrize(("made", "fault"), FAULTY.values(), ids=FAULTY)
def test_e15_a_cell_that_shows_something_else_has_a_fault(made: dict[str, str], fault: str) -> None:
    """L1: never taken bare."""
    found = read(made)["A1"]
    assert found.startswith("!")
    assert fault in found


@pytest.mark.parametrize("name", ["Segoe UI Symbol", "ＭＳ Ｐゴシック"])
def test_e15_fonts_with_letters_show_letters(name: str) -> None:
    """Only a name like that of a font of signs is none."""
    assert read(styled(TEXT_O, f'<name val="{name}"/>')) == {"A1": "o"}


def test_e15_a_font_of_signs_leaves_kanji_alone() -> None:
    """Excel shows them in another font."""
    assert read(styled(TEXT_O.replace("o<", "総務<"), '<name val="Wingdings"/>')) == {"A1": "総務"}


def test_e15_what_a_formula_spills_into_other_cells_is_a_formula_too() -> None:
    """=FILTER(…) stands in one cell; the others hold values only."""
    first = '<row r="1"><c r="A1"><f t="array" ref="A1:A2">X</f><v>1</v></c></row>'
    found = read(parts(f'{first}<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>5</v></c></row>'))
    assert found == {"A1": "!数式が入力されています", "A2": "!数式が入力されています", "B2": "5"}


def test_e15_what_a_conditional_format_shows_otherwise_has_a_fault() -> None:
    """Another number format, or no value at all beside a bar; a colour changes nothing."""
    made = parts("".join(f'<row r="{n}"><c r="A{n}"><v>7</v></c></row>' for n in range(1, 5)))
    dxfs = (
        '<dxfs><dxf><font/></dxf><dxf><numFmt numFmtId="170" formatCode="&quot;K&quot;000"/></dxf></dxfs></styleSheet>'
    )
    rules = (
        '<conditionalFormatting sqref="A1"><cfRule type="expression" dxfId="0"/></conditionalFormatting>'
        '<conditionalFormatting sqref="A2 C1:C9"><cfRule type="expression" dxfId="1"/></conditionalFormatting>'
        '<conditionalFormatting sqref="A3:A3"><cfRule type="dataBar"><dataBar showValue="0"/></cfRule></conditionalFormatting>'
    )
    x14, xm = (
        "http://schemas.microsoft.com/office/spreadsheetml/2009/9/main",
        "http://schemas.microsoft.com/office/excel/2006/main",
    )
    newer = (
        f'<extLst><ext xmlns:x14="{x14}" xmlns:xm="{xm}"><x14:conditionalFormattings><x14:conditionalFormatting>'
        '<x14:cfRule><x14:dxf><numFmt numFmtId="171" formatCode="0.0"/></x14:dxf></x14:cfRule><xm:sqref>A4 D1</xm:sqref>'
        "</x14:conditionalFormatting></x14:conditionalFormattings></ext></extLst>"
    )
    made = changed(made, ("</styleSheet>", dxfs), ("</worksheet>", f"{rules}{newer}</worksheet>"))
    found = read(made)
    assert found["A1"] == "7"
    assert "条件付き書式" in found["A4"]
    assert "条件付き書式" in found["A2"]
    assert "条件付き書式" in found["A3"]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param('<row r="1"/><row r="1"/>', id="a row twice"),
        pytest.param('<row r="2"/><row r="1"/>', id="rows out of order"),
        pytest.param('<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>', id="a cell twice"),
        pytest.param('<row r="1"><c r="A1" t="s"><v>-1</v></c></row>', id="a text that there is not"),
    ],
)
def test_l1_what_excel_would_not_open_is_not_read(rows: str) -> None:
    """Excel offers to mend it; which of the two it keeps is not for us to guess."""
    with pytest.raises(PackageError):
        read(parts(rows))


def test_e16_what_has_no_height_or_width_is_hidden() -> None:
    """E16: whichever way a program hides it."""
    cols = (
        '<cols><col min="1" max="1" width="0"/><col min="2" max="3" hidden="1"/><col min="4" max="4" width="9"/></cols>'
    )
    made = parts('<row r="1" ht="0"/><row r="2" hidden="true"/><row r="3" ht="15"/>', sheet=cols)
    with zipfile.ZipFile(io.BytesIO(packed(made))) as archive:
        book, layout = Book(archive, archive.namelist()), Layout()
        assert len(list(book.rows(book.worksheets[0], layout))) == 3
    assert layout.hidden_rows == {0, 1}
    assert layout.hidden_columns == [range(1), range(1, 3)]


@pytest.mark.parametrize(
    "part", ["_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/sharedStrings.xml"]
)
def test_l1_a_workbook_without_a_part_is_not_read(part: str) -> None:
    """Excel would not open it either; without styles it would."""
    with pytest.raises((PackageError, KeyError)):
        read({name: text for name, text in PLAIN.items() if name != part})
    assert read({name: text for name, text in PLAIN.items() if name != "xl/styles.xml"}) == {"A1": "総務"}


def test_l1_two_parts_of_one_name_are_not_read() -> None:
    """Names are the same whatever their case."""
    with pytest.raises(PackageError, match="two parts"):
        read(PLAIN | {"XL/Workbook.xml": PLAIN["xl/workbook.xml"]})


def test_e15_titles_are_unescaped_too() -> None:
    """A worksheet's title is a text like any other."""
    with zipfile.ZipFile(io.BytesIO(packed(parts("", title="通知_x0031_")))) as archive:
        assert [sheet.title for sheet in Book(archive, archive.namelist()).worksheets] == ["通知1"]


@pytest.mark.parametrize("text", ["総務", "_x000D_", "_x005F_x000D_", "a_x0041_x0042_b", "_x_x0041_", "__x0041__"])
def test_e15_a_text_that_looks_like_an_escape_survives(text: str) -> None:
    """Written by us, it is shown as it is."""
    assert decoded(encoded(text)) == text
