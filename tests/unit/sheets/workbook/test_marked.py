"""L8: the customer gets the own workbook back, with every bad cell to be seen and said what to do about."""

from __future__ import annotations

import html
import io
import re
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.hyperlink import Hyperlink

from renkei.errors import MappingError, Problem
from renkei.links.smarthr_emc.sheet.excel.reader import TITLES, raw_from_workbook
from renkei.links.smarthr_emc.sheet.excel.template import write_template
from renkei.links.smarthr_emc.sheet.grants import RequiredGrants, ungranted
from renkei.links.smarthr_emc.sheet.parse import parse
from renkei.sheets.grants import NOTHING
from renkei.sheets.workbook import marked
from renkei.sheets.workbook.marked import COLOURS, ERROR, MAX_REACHED, RESULT, WARNING

RED, YELLOW = COLOURS[ERROR], COLOURS[WARNING]
Book = Any


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("template") / "acme.xlsx"
    write_template(path)
    return path.read_bytes()


mark = partial(marked.mark, titles=TITLES)


def plain() -> Book:
    """A small workbook of the customer's own making."""
    book = openpyxl.Workbook()
    book.active.title = "ユーザーデータ"
    for row in (("エマージェンシーコール項目", "SmartHR項目"), ("ユーザID", "社員番号"), ("氏名", "氏名")):
        book["ユーザーデータ"].append(row)
    return book


def content(book: Book) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def opened(data: bytes) -> Book:
    return openpyxl.load_workbook(io.BytesIO(data))


def problem(place: str, found: str = "誤った値です", remedy: str = "直してください") -> Problem:
    return Problem(f"acme.xlsx{place}", found, remedy)


def problems(data: bytes, name: str = "acme.xlsx") -> list[Problem]:
    with pytest.raises(MappingError) as caught:
        parse(raw_from_workbook(data, name), "acme")
    return list(caught.value.problems)


def colour(cell: Any) -> str | None:
    return cell.fill.fgColor.value if cell.fill.fill_type else None


def listed(book: Book) -> list[list[str]]:
    rows = book[RESULT].iter_rows(min_row=6, max_col=5, values_only=True)
    return [[str(text or "") for text in row] for row in rows]


def test_l8_bad_cells_are_coloured_and_say_what_to_do() -> None:
    """Errors red, warnings yellow, each with what was found and the remedy."""
    book = opened(
        mark(content(plain()), [problem(" ユーザデータ!B2", "X", "Y")], [problem(" ユーザデータ!B3", "V", "W")])
    )
    sheet = book["ユーザーデータ"]
    assert (colour(sheet["B2"]), colour(sheet["B3"]), colour(sheet["A2"])) == (RED, YELLOW, None)
    assert "誤り: X\n直し方: Y" in sheet["B2"].comment.text
    assert "注意: V\n直し方: W" in sheet["B3"].comment.text


def test_l8_the_first_worksheet_lists_everything() -> None:
    """Kind, worksheet by its real title, cell with a link that jumps there, text and remedy; also what has no cell."""
    book = opened(
        mark(
            content(plain()),
            [problem(" ユーザデータ!B2", "X", "Y"), problem("", "ワークシートがありません", "=1+1")],
            [problem(" ユーザデータ", "V", "W")],
        )
    )
    assert book.sheetnames[0] == RESULT
    assert book.active.title == RESULT
    assert [sheet.sheet_view.tabSelected for sheet in book] == [True, False]
    assert listed(book) == [
        ["誤り", "ユーザーデータ", "B2", "X", "Y"],
        ["誤り", "", "", "ワークシートがありません", "=1+1"],
        ["注意", "ユーザーデータ", "", "V", "W"],
    ]
    assert book[RESULT]["C6"].hyperlink.location == "'ユーザーデータ'!B2"
    assert book[RESULT]["E7"].data_type == "s"
    assert "誤り 2件、注意 1件" in book[RESULT]["A2"].value


@pytest.mark.parametrize(
    ("where", "title", "cell"),
    [
        ("acme.xlsx ユーザデータ!B2", "ユーザーデータ", "B2"),
        ("my own! file.xlsx ユーザデータ!B2", "ユーザーデータ", "B2"),
        ("ユーザデータ!B2", "ユーザーデータ", "B2"),
        ("acme.xlsx ユーザデータ!B2:C3", "ユーザーデータ", "B2"),
        ("acme.xlsx メモ 2!B2", "メモ 2", "B2"),
        ("acme.xlsx ユーザデータ", "ユーザーデータ", ""),
        ("acme.xlsx 部署データ!B2", "", ""),
        ("acme.xlsx", "", ""),
        ("ユーザデータ.xlsx", "", ""),
        ("acme.yaml users[3].source", "", ""),
    ],
)
def test_l8_a_place_is_found_in_the_customers_own_worksheets(where: str, title: str, cell: str) -> None:
    """By its proper name or an alias, whatever the file is called; what is not there is listed without a place."""
    made = plain()
    made.create_sheet("メモ 2")
    (line,) = listed(opened(mark(content(made), [Problem(where, "X", "Y")], [])))
    assert line[1:3] == [title, cell]


def test_l8_several_problems_of_one_cell_are_one_comment() -> None:
    """The error's colour wins; the customer's own comment stays below."""
    made = plain()
    made["ユーザーデータ"]["B2"].comment = Comment("総務の覚え書き", "総務")
    found = [problem(" ユーザデータ!B2", text) for text in ("一つ目", "二つ目")]

    book = opened(mark(content(made), found, [problem(" ユーザデータ!B2", "三つ目")]))

    cell = book["ユーザーデータ"]["B2"]
    places = [cell.comment.text.index(text) for text in ("一つ目", "二つ目", "三つ目", "総務の覚え書き")]
    assert places == sorted(places)
    assert colour(cell) == RED


def test_l8_a_merged_cell_is_marked_at_its_top_left() -> None:
    """The other cells of a merged one cannot be seen."""
    made = plain()
    made["ユーザーデータ"].merge_cells("B2:C3")
    book = opened(mark(content(made), [problem(" ユーザデータ!C3")], []))
    assert colour(book["ユーザーデータ"]["B2"]) == RED
    assert [str(area) for area in book["ユーザーデータ"].merged_cells.ranges] == ["B2:C3"]
    assert listed(book)[0][2] == "C3"


def test_l8_everything_else_is_as_it_was(template: bytes) -> None:
    """Values, formats, drop-downs, names, notes, paper and other worksheets."""
    made = opened(template)
    made.create_sheet("メモ")["A1"] = "=1+1"
    made["メモ"]["A1"].font = Font(bold=True)
    made["メモ"].sheet_state = "hidden"
    before = content(made)

    after = opened(mark(before, [problem(" ユーザデータ!D6")], []))

    made = opened(before)
    assert after.sheetnames == [RESULT, *made.sheetnames]
    assert after["メモ"].sheet_state == "hidden"
    assert list(after.defined_names) == list(made.defined_names)
    for sheet in made.worksheets:
        copy = after[sheet.title]
        assert copy.freeze_panes == sheet.freeze_panes
        assert copy.print_title_rows == sheet.print_title_rows
        assert len(copy.data_validations.dataValidation) == len(sheet.data_validations.dataValidation)
        assert {str(area) for area in copy.merged_cells.ranges} == {str(area) for area in sheet.merged_cells.ranges}
        for row in sheet.iter_rows():
            for cell in row:
                other = copy[cell.coordinate]
                assert (other.value, other.number_format) == (cell.value, cell.number_format)
                assert repr(other.font) == repr(cell.font)
                if (sheet.title, cell.coordinate) == ("ユーザデータ", "D6"):
                    continue
                assert repr(other.fill) == repr(cell.fill)
                assert (other.comment and other.comment.text) == (cell.comment and cell.comment.text)


def test_l8_a_marked_copy_checked_again_has_the_same_problems(template: bytes) -> None:
    """The list in front is no part of the sheet, and marking alters nothing that is read."""
    found = problems(template)
    marked = mark(template, found, [problem(" ユーザデータ!H12")])
    assert problems(marked) == found
    assert len(found) > 5
    twice = mark(marked, found, [])
    assert problems(twice) == found
    assert opened(twice).sheetnames.count(RESULT) == 1


def test_l8_marks_go_when_the_cell_is_right_again() -> None:
    """Who works on in the copy sees only what is still wrong; the cell's own colour and comment come back."""
    made = plain()
    sheet = made["ユーザーデータ"]
    sheet["B2"].fill = PatternFill("solid", fgColor="FFDDEBF7")
    sheet["B2"].comment = Comment("覚え書き", "総務")
    first = mark(content(made), [problem(" ユーザデータ!B2"), problem(" ユーザデータ!B3")], [])

    second = opened(mark(first, [problem(" ユーザデータ!A3")], []))

    sheet = second["ユーザーデータ"]
    assert colour(sheet["B2"]) == "FFDDEBF7"
    assert sheet["B2"].comment.text == "覚え書き"
    assert (colour(sheet["B3"]), sheet["B3"].comment) == (None, None)
    assert colour(sheet["A3"]) == RED
    assert len(listed(second)) == 1


def test_l8_a_customers_own_worksheet_of_that_name_stays() -> None:
    """Only a list that we made is replaced."""
    made = plain()
    made.create_sheet(RESULT)["A1"] = "当社の確認結果"
    book = opened(mark(content(made), [problem("")], []))
    assert book[RESULT]["A1"].value == "当社の確認結果"
    assert len(book.sheetnames) == 3


def test_l8_nothing_wrong_is_said_too() -> None:
    """An empty list says that there is nothing to mend."""
    book = opened(mark(content(plain()), [], []))
    assert "直すところはありません" in book[RESULT]["A2"].value


def with_part(data: bytes, name: str, part: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {each: archive.read(each) for each in archive.namelist()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, body in (parts | {name: part}).items():
            archive.writestr(each, body)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "part", "what"),
    [
        ("xl/vbaProject.bin", b"\xd0\xcf", "マクロ"),
        ("xl/media/image1.png", b"\x89PNG", "画像"),
        ("xl/drawings/drawing9.xml", b'<a xmlns:xdr="x"><xdr:sp macro=""/></a>', "図形"),
        ("xl/activeX/activeX1.xml", b"<a/>", "ボタン"),
        ("xl/charts/chart1.xml", b"<a/>", "グラフ"),
    ],
)
def test_l8_what_cannot_be_copied_is_said(name: str, part: bytes, what: str) -> None:
    """Nobody should miss a macro in the copy without having been told."""
    book = opened(mark(with_part(content(plain()), name, part), [problem(" ユーザデータ!B2")], []))
    assert what in book[RESULT]["A3"].value
    assert colour(book["ユーザーデータ"]["B2"]) == RED


def test_l8_a_protected_worksheet_is_marked_and_stays_protected() -> None:
    """The list says how to unlock it."""
    made = plain()
    made["ユーザーデータ"].protection.sheet = True
    book = opened(mark(content(made), [problem(" ユーザデータ!B2")], []))
    assert book["ユーザーデータ"].protection.sheet
    assert not book[RESULT].protection.sheet
    assert colour(book["ユーザーデータ"]["B2"]) == RED
    assert "シート保護の解除" in book[RESULT]["A3"].value


@pytest.mark.parametrize("data", [b"", b"a,b,c", b"PK\x03\x04broken", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99)])
def test_l8_what_is_no_workbook_still_gives_the_list(data: bytes) -> None:
    """The problems that made the reader refuse it are in the copy."""
    book = opened(mark(data, [problem("", "ファイルが空です", "保存し直してください")], []))
    assert book.sheetnames == [RESULT]
    assert listed(book) == [["誤り", "", "", "ファイルが空です", "保存し直してください"]]
    assert "写せない" in book[RESULT]["A3"].value


def test_l5_a_workbook_that_would_fill_the_memory_is_not_opened() -> None:
    """A DTD, or one merged cell over the whole worksheet, costs a copy and no more."""
    data = content(plain())
    part = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        xml = archive.read(part)
    merged = xml.replace(
        b"</sheetData>", b'</sheetData><mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    )
    assert MAX_REACHED < 1_048_576
    for bad in (merged, b'<!DOCTYPE x [<!ENTITY a "a">]>' + xml):
        assert opened(mark(with_part(data, part, bad), [problem("")], [])).sheetnames == [RESULT]


@pytest.mark.parametrize("wide", [b"A1:A1048576", b"A:A", b"1:20"])
def test_l5_a_wide_link_or_comment_costs_nothing_either(wide: bytes) -> None:
    """A link or a comment over a column is as far-reaching as a merged cell."""
    made = plain()
    sheet = made["ユーザーデータ"]
    sheet["A1"].hyperlink = Hyperlink(ref="A1", location="'x'!A1")
    sheet["A1"].comment = Comment("x", "x")
    data = content(made)
    for part in ("xl/worksheets/sheet1.xml", "xl/comments/comment1.xml"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            xml = archive.read(part)
        bad = re.sub(rb'(<(?:hyperlink|comment) ref=)"A1"', rb'\1"' + wide + b'"', xml)
        assert bad != xml
        assert opened(mark(with_part(data, part, bad), [problem("")], [])).sheetnames == [RESULT]


def test_l8_letters_with_two_formats_stay_so() -> None:
    """A text that is struck through in part is doubtful: the copy must not smooth it."""
    from openpyxl.cell.rich_text import CellRichText, TextBlock
    from openpyxl.cell.text import InlineFont

    made = plain()
    made["ユーザーデータ"]["B2"] = CellRichText("社員", TextBlock(InlineFont(strike=True), "番号"))
    book = openpyxl.load_workbook(io.BytesIO(mark(content(made), [problem(" ユーザデータ!B2")], [])), rich_text=True)
    text = book["ユーザーデータ"]["B2"].value
    assert isinstance(text, CellRichText)
    assert [block.font.strike for block in text if isinstance(block, TextBlock)] == [True]


def test_l7_a_literal_password_is_not_repeated(tmp_path: Path) -> None:
    """It stays in the customer's cell, and comes neither into the list nor into a comment."""
    path = tmp_path / "acme.xlsx"
    write_template(path)
    made = openpyxl.load_workbook(path)
    users = made["ユーザデータ"]
    line = next(cell.row for cell in users["A"] if cell.value == "パスワード")
    users.cell(line, 4).value = "固定値「Geheim-77」"
    users.cell(line, 5).value = "Geheim-77"
    data = content(made)

    book = opened(mark(data, problems(data), []))

    told = [cell.value for row in book[RESULT].iter_rows() for cell in row]
    told += [cell.comment.text for sheet in book for row in sheet.iter_rows() for cell in row if cell.comment]
    assert any("パスワード" in str(text) for text in told)
    assert not any("Geheim" in str(text) for text in told)


_MISTAKES = (
    ("連携情報", "SmartHR URL", 2, "https://smarthr.jp/login"),
    ("連携情報", "結果通知先メールアドレス1", 2, "総務部"),
    ("連携情報", "連携開始日", 2, "来月"),
    ("ユーザデータ", "ユーザID", 4, "=A1"),
    ("ユーザデータ", "氏名", 4, "名前"),
    ("ユーザデータ", "氏名(ヨミ)", 4, "氏名(ヨミガナ)"),
    ("ユーザデータ", "氏名(ヨミ)", 8, "更新"),
    ("ユーザデータ", "緊急連絡1 媒体", 3, "○"),
    ("ユーザデータ", "緊急連絡1 媒体", 4, "固定値「メールアドレス」"),
    ("ユーザデータ", "検索ワード1", 3, "○"),
    *(("通知", "総務", column, text) for column, text in ((2, "チャットワーク"), (3, "https://x.jp"), (4, "総務"))),
)
_DOUBTS = (
    ("連携情報", "SmartHR URL", 2, "https://acme.smarthr.jp"),
    ("連携情報", "結果通知先メールアドレス1", 2, "soumu@acme.example.jp"),
    ("連携情報", "連携開始日", 2, "2026-04-01"),
    ("部署データ", "部署名(ヨミ)", 4, "ブショ"),
    ("ユーザデータ", "ユーザID", 4, "社員番号"),
    ("ユーザデータ", "パスワード", 4, "固定値「first」"),
    ("ユーザデータ", "氏名", 4, "氏名"),
    ("ユーザデータ", "氏名(ヨミ)", 4, "氏名(ヨミガナ)"),
    ("ユーザデータ", "所属部署コード", 4, "部署1"),
    ("ユーザデータ", "緊急連絡1 媒体", 3, "○"),
    ("ユーザデータ", "緊急連絡1 媒体", 4, "固定値「メールアドレス」"),
    ("ユーザデータ", "緊急連絡1 アドレス", 3, "○"),
    ("ユーザデータ", "緊急連絡1 アドレス", 4, "メールアドレス"),
    ("ユーザデータ", "緊急連絡1 アドレス", 8, "更新"),
)


def with_texts(template: bytes, texts: tuple[tuple[str, str, int, str], ...]) -> bytes:
    made = opened(template)
    for title, item, column, text in texts:
        sheet = made[title]
        if title == "通知":  # whose lines have no names yet
            sheet["A5"] = item
        sheet.cell(next(cell.row for cell in sheet["A"] if cell.value == item), column).value = text
    return content(made)


def documented(heading: str) -> list[tuple[str, str]]:
    """The table below a heading of docs/sheet.ja.md: message and remedy."""
    text = (Path(__file__).parents[4] / "docs" / "sheet.ja.md").read_text(encoding="utf-8")
    lines = text.partition(f"### {heading}\n")[2].partition("\n#")[0].splitlines()
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines if line.startswith("|")]
    return [(row[0], row[1]) for row in rows[2:]]


def test_l8_the_mistakes_in_the_guide_are_told_in_these_words(template: bytes) -> None:
    """よくある誤り quotes what the reader really says."""
    told = {(p.found, p.remedy) for p in problems(with_texts(template, _MISTAKES))}
    told |= {(p.found, p.remedy) for p in ungranted(RequiredGrants("acme", "group", (), False, ()), NOTHING, str)}
    assert len(documented("よくある誤り")) > 5
    assert [line for line in documented("よくある誤り") if line not in told] == []


def test_l8_the_doubts_in_the_guide_are_told_in_these_words(template: bytes) -> None:
    """よくある注意 too, of a sheet that can be used."""
    raw = raw_from_workbook(with_texts(template, _DOUBTS), "acme.xlsx")
    told = {(p.found, p.remedy) for p in parse(raw, "acme")[1]}
    assert len(documented("よくある注意")) > 2
    assert [line for line in documented("よくある注意") if line not in told] == []


def bent(data: bytes, kind: str) -> bytes:
    """The same workbook in the dialect of ISO 29500 Strict, or with its parts under names in another case."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(file, "w") as copy:
        for name in archive.namelist():
            body = archive.read(name)
            if kind == "Strict":
                body = body.replace(
                    b"http://schemas.openxmlformats.org/spreadsheetml/2006/",
                    b"http://purl.oclc.org/ooxml/spreadsheetml/",
                ).replace(
                    b"http://schemas.openxmlformats.org/officeDocument/2006/",
                    b"http://purl.oclc.org/ooxml/officeDocument/",
                )
            copy.writestr(name.replace("xl/worksheets/sheet", "XL/Worksheets/Sheet") if kind == "case" else name, body)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["Strict", "case"])
def test_l8_a_copy_is_made_of_whatever_can_be_read(kind: str) -> None:
    """What the reader reads is marked too, and loses none of its worksheets."""
    made = plain()
    made["ユーザーデータ"]["B2"].comment = Comment("覚え書き", "x")
    data = bent(content(made), kind)

    book = opened(mark(data, [problem(" ユーザデータ!B2")], []))

    assert book.sheetnames == [RESULT, "ユーザーデータ"]
    assert book["ユーザーデータ"]["B2"].value == "社員番号"
    assert colour(book["ユーザーデータ"]["B2"]) == RED
    assert "覚え書き" in book["ユーザーデータ"]["B2"].comment.text


def test_l8_texts_that_look_like_escapes_survive_the_copy() -> None:
    """`_x005F_x000D_` is shown as `_x000D_`, in cells and comments, before and after; so are texts of ours."""
    made = plain()
    sheet = made["ユーザーデータ"]
    sheet["A2"], sheet["A3"] = "skr_x005F_x000D_", "a_x000D_b"
    sheet["B2"].comment = Comment("memo _x005F_x000D_", "x")

    first = mark(content(made), [problem(" ユーザデータ!B2", "「_x000D_」は使えません")], [])
    book = opened(mark(first, [problem(" ユーザデータ!A3")], []))

    assert book["ユーザーデータ"]["B2"].comment.text == "memo _x005F_x000D_"
    assert {"skr_x005F_x000D_", "a_x000D_b", "「_x005F_x000D_」は使えません"} <= written(first)
    assert {"skr_x005F_x000D_", "a_x000D_b"} <= written(mark(first, [], []))


def written(data: bytes) -> set[str]:
    """The texts in a workbook's XML, escapes and all."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        xml = b"".join(archive.read(name) for name in archive.namelist() if name.endswith(".xml")).decode()
    return set(map(html.unescape, re.findall("<t[^>]*>([^<]*)</t>", xml)))
