"""E15: a workbook is read as customers fill it in, and what is no workbook is refused with a remedy."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from renkei.errors import MappingError
from renkei.links.smarthr_emc.sheet.mapping import Constant, Mapping, Source
from renkei.links.smarthr_emc.sheet.parse import parse
from renkei.links.smarthr_emc.sheet.policy import format_code
from renkei.links.smarthr_emc.sheet.workbook import raw_from_workbook, read_workbook
from renkei.links.smarthr_emc.sheet.workbook_writer import write_workbook

GUIDE_HEADER = (
    ("エマージェンシーコール\n項目", "", "連携有無", "SmartHR 項目", "新規登録処理", None, "更新処理", None),
    (None, None, None, None, *("連携データの項目\nに値がある場合", "連携データの項目\nに値が無い場合") * 2),
)
USERS = (
    ("ユーザID", "必須", "○", "社員番号", "登録", "エラー", "更新しない", "エラー"),
    ("パスワード", "必須", "〇", "秘密:first"),
    ("氏名", "必須", "◯", "姓&名"),
    ("氏名（ヨミ）", "必須", "○", "姓（ヨミガナ）&名（ヨミガナ）"),
    ("保有権限", "任意", "", "", "登録", "登録しない", "更新", "更新しない"),
    ("検索ワード1：勤務地", "任意", "○", "事業所", "登録", "登録しない", "更新", "更新"),
)
Book = Any


def book() -> Book:
    """A workbook as a customer would send it."""
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = "連携情報"
    for row in (
        ("項目", "値", "備考"),
        ("SmartHR URL", "https://acme.smarthr.jp/", "必須"),
        ("結果通知先メールアドレス1", "soumu@acme.example.jp"),
        ("連携開始日", dt.datetime(2026, 4, 1)),
        ("処理時刻", dt.time(5, 30)),
    ):
        sheet.append(row)
    sheet = made.create_sheet("部署データ")
    for row in (
        ("エマージェンシーコール項目", None, "連携有無", "SmartHR項目"),
        ("部署ID", "必須", "○", "部署コード"),
        ("部署名", "必須", "○", "部署名"),
        ("部署名(ヨミ)", "必須", "連携しない(固定値)", "ブショ"),
        ("親部署ID", "必須", "○", "親部署コード"),
    ):
        sheet.append(row)
    sheet = made.create_sheet("ユーザデータ")
    for row in (*GUIDE_HEADER, *USERS):
        sheet.append(row)
    for cells in ("A1:A2", "D1:D2", "E1:F1", "G1:H1"):
        sheet.merge_cells(cells)
    return made


def content(made: Book) -> bytes:
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def read(made: Book) -> Mapping:
    return parse(raw_from_workbook(content(made), "acme.xlsx"), "acme")[0]


def refused(made: Book) -> list[str]:
    """The problems of a workbook, as text."""
    with pytest.raises(MappingError) as caught:
        read(made)
    return [str(problem) for problem in caught.value.problems]


def policies(mapping: Mapping, item: str) -> str:
    rule = mapping.rule(item)
    assert rule is not None
    cells = (rule.on_create.when_present, rule.on_create.when_blank)
    return " ".join(map(format_code, (*cells, rule.on_update.when_present, rule.on_update.when_blank)))


def test_e15_the_guides_form_is_read() -> None:
    """Merged header, Excel's own dates and times, all three circles, blank policies."""
    mapping = read(book())

    assert (mapping.link_start_on, mapping.run_at) == (dt.date(2026, 4, 1), dt.time(5, 30))
    assert mapping.departments.yomi == "ブショ"
    assert [rule.item for rule in mapping.users] == [
        "user_id",
        "password",
        "full_name",
        "full_name_yomi",
        "search_word_1",
    ]
    assert policies(mapping, "password") == "SET REJECT SKIP SKIP"
    assert policies(mapping, "search_word_1") == "SET SKIP SET SET"


def _moved_down(made: Book) -> None:
    for sheet in made:
        sheet.insert_rows(1, 3)
        sheet["A1"] = "エマージェンシーコール SmartHR連携"


def _moved_right(made: Book) -> None:
    for sheet in made:
        sheet.insert_cols(1, 2)


def _columns_swapped(made: Book) -> None:
    sheet = made["ユーザデータ"]
    sheet.unmerge_cells("D1:D2")
    for row in range(1, sheet.max_row + 1):
        sheet.cell(row, 12, sheet.cell(row, 4).value)
        sheet.cell(row, 4).value = None


def _one_header_row(made: Book) -> None:
    sheet = made["ユーザデータ"]
    for cells in [str(merged) for merged in sheet.merged_cells.ranges]:
        sheet.unmerge_cells(cells)
    for column in "EFGH":
        group = "新規登録処理" if column in "EF" else "更新処理"
        sheet[f"{column}1"] = f"{group}: {sheet[f'{column}2'].value}"
    sheet.delete_rows(2)


def _no_link_column(made: Book) -> None:
    made["ユーザデータ"].delete_cols(3)


def _blank_rows(made: Book) -> None:
    for sheet in made:
        sheet.cell(sheet.max_row + 200, 1, "　")
        sheet.cell(sheet.max_row + 1, 1, "※ 項目はお客様ごとに異なります")


def _odd_names(made: Book) -> None:
    made["連携情報"].title = "連携情報 "
    made["部署データ"].title = "部署ﾃﾞｰﾀ"
    made["ユーザデータ"].title = "ユーザ データ"
    made.create_sheet("メモ").append(("=1+1",))


def _headless_settings(made: Book) -> None:
    made["連携情報"].delete_rows(1)
    made["連携情報"].insert_rows(1)
    made["連携情報"]["A1"] = "<連携情報>"


def _excel_text(made: Book) -> None:
    made["連携情報"]["B4"] = "2026/4/1"
    made["連携情報"]["B5"] = dt.timedelta(hours=5, minutes=30)


@pytest.mark.parametrize(
    "change",
    [
        _moved_down,
        _columns_swapped,
        _one_header_row,
        _no_link_column,
        _blank_rows,
        _odd_names,
        _headless_settings,
        _excel_text,
    ],
)
def test_e15_a_rearranged_workbook_says_the_same(change: Callable[[Book], None]) -> None:
    """Rows, columns, headers, names and types may differ; the mapping does not."""
    expected, made = read(book()), book()

    change(made)

    assert read(made) == expected


def test_e15_moved_columns_are_found_by_their_headers() -> None:
    """Columns to the left of the table do not matter (merged ranges do not move with inserted columns)."""
    made = book()
    for cells in ("A1:A2", "D1:D2", "E1:F1", "G1:H1"):
        made["ユーザデータ"].unmerge_cells(cells)
    _moved_right(made)
    assert read(made) == read(book())


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


def test_e34_a_percentage_may_be_a_percent_cell() -> None:
    """12.5 % is 12.5, whether typed as a number, a text or a percent cell."""
    for value, shown_as in ((0.125, "0.0%"), (12.5, "General"), ("12.5%", "@")):
        made = book()
        made["連携情報"].append(("削除保留(人数割合%)", value))
        made["連携情報"].cell(made["連携情報"].max_row, 2).number_format = shown_as
        assert read(made).guards.delete_users_percent == 12.5


def test_a_formula_is_refused_where_it_stands() -> None:
    """A formula's stored value may be stale, so the cell is named instead; a note may hold one."""
    made = book()
    made["連携情報"]["C2"] = "=A2"
    made["ユーザデータ"]["D3"] = '="社員"&"番号"'
    made["ユーザデータ"]["H3"] = "=E3"

    found = refused(made)

    assert [text.partition(":")[0] for text in found] == ["acme.xlsx ユーザデータ!D3", "acme.xlsx ユーザデータ!H3"]
    assert "数式" in found[0]


def test_l8_a_problem_names_its_cell() -> None:
    """Worksheet and cell, as Excel shows them."""
    made = book()
    made["連携情報"]["B5"] = "朝"
    made["ユーザデータ"]["E3"] = "とうろく"
    made["ユーザデータ"].append((None, None, "○", "社員番号"))

    found = refused(made)

    assert [text.partition(":")[0] for text in found] == [
        "acme.xlsx ユーザデータ!A9",
        "acme.xlsx 連携情報!B5",
        "acme.xlsx ユーザデータ!E3",
    ]


def test_l8_missing_worksheets_and_headers_are_named() -> None:
    """What is not there is said once, without faults that only follow from it."""
    made = book()
    del made["部署データ"]
    assert refused(made) == [
        "acme.xlsx: ワークシート「部署データ」がありません → 「部署データ」という名前のワークシートを用意してください"
    ]

    made = book()
    made["ユーザデータ"]["D1"] = "項目"
    found = refused(made)
    assert len(found) == 1
    assert "見出しの行が見つかりません" in found[0]


def zipped(entries: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return file.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "ファイルが空"),
        (b"SmartHR URL,https://acme.smarthr.jp\n", "Excelブックではありません"),
        (OLE + bytes(500), "古い形式"),
        (OLE + bytes(100) + "EncryptedPackage".encode("utf-16-le"), "暗号化"),
        (zipped({"a.txt": b"x"}), "Excelブックではありません"),
        (zipped({"[Content_Types].xml": b"x"}), "壊れています"),
        (zipped({"[Content_Types].xml": bytes(51_000_000)}), "51,000,000バイト"),
    ],
    ids=["empty", "csv", "xls", "encrypted", "zip", "hollow", "bomb"],
)
def test_l8_what_is_no_workbook_is_refused(data: bytes, message: str) -> None:
    """One problem, saying what the file is and what to do."""
    with pytest.raises(MappingError, match=message) as caught:
        raw_from_workbook(data, "acme.xlsx")
    assert [problem.where for problem in caught.value.problems] == ["acme.xlsx"]


def test_l8_a_damaged_workbook_is_refused() -> None:
    """A workbook cut in the middle, or with a broken part, is a problem and no crash."""
    whole = content(book())
    with pytest.raises(MappingError, match="壊れて"):
        raw_from_workbook(whole[: len(whole) // 2], "acme.xlsx")

    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/sheet3.xml"] = parts["xl/worksheets/sheet3.xml"][:300]
    with pytest.raises(MappingError, match="壊れて"):
        raw_from_workbook(zipped(parts), "acme.xlsx")


def test_l8_an_endless_worksheet_is_refused_quickly() -> None:
    """A last row or column far out is named instead of being walked to."""
    made = book()
    made["部署データ"]["A1048576"] = "x"
    assert "5,000行" in refused(made)[0]

    made = book()
    made["部署データ"].cell(1, 201, "x")
    assert "200列" in refused(made)[0]


def test_a_missing_file_is_an_error_of_the_caller(tmp_path: Path) -> None:
    """`read_workbook` reads the path it is given."""
    with pytest.raises(FileNotFoundError):
        read_workbook(tmp_path / "acme.xlsx")


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", '=HYPERLINK("http://x")'])
def test_e15_a_written_workbook_holds_texts_and_no_formulas(text: str, tmp_path: Path) -> None:
    """What a customer opens runs nothing: cells that begin like a formula are texts, also when they are edited."""
    sheet = read(book())
    users = tuple(
        dataclasses.replace(rule, source=Source(((Constant(text),),))) if rule.item == "password" else rule
        for rule in sheet.users
    )
    write_workbook(dataclasses.replace(sheet, users=users, id_prefix="=1"), tmp_path / "acme.xlsx")

    cells = [
        cell
        for part in openpyxl.load_workbook(tmp_path / "acme.xlsx").worksheets
        for row in part.iter_rows()
        for cell in row
        if isinstance(cell.value, str)
    ]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.number_format for cell in cells} == {"@"}
    assert "=1" in {cell.value for cell in cells}
    assert any(text in cell.value for cell in cells)
    with zipfile.ZipFile(tmp_path / "acme.xlsx") as archive:
        parts = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
    assert len(parts) >= 3
    assert not any(b"<f>" in part or b"<f " in part for part in parts)


def with_part(name: str, change: Callable[[bytes], bytes]) -> bytes:
    """The workbook with one part changed."""
    with zipfile.ZipFile(io.BytesIO(content(book()))) as archive:
        parts = {each: archive.read(each) for each in archive.namelist()}
    return zipped(parts | {name: change(parts[name])})


FIRST = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize("part", [FIRST, "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_l5_a_workbook_with_a_dtd_is_refused(part: str, encoding: str) -> None:
    """No workbook has one, and its entities can multiply a few bytes into gigabytes."""
    doctype = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY a "{"a" * 99}">]>'

    def bend(xml: bytes) -> bytes:
        text = xml.decode()
        return (doctype + text[text.find("?>") + 2 if text.startswith("<?xml") else 0 :]).encode(encoding)

    with pytest.raises(MappingError, match="DTD"):
        raw_from_workbook(with_part(part, bend), "acme.xlsx")


@pytest.mark.parametrize("nodes", [b"<c/>", b"<a><b/></a>", b"<!-- x -->", b"<?x y?>"])
def test_l5_a_workbook_of_too_many_nodes_is_refused(nodes: bytes) -> None:
    """Before anything is built of them: 50 kB can unpack to ten million."""
    filled = with_part(FIRST, lambda xml: xml.replace(b"</sheetData>", nodes * 200_001 + b"</sheetData>"))
    with pytest.raises(MappingError, match="多すぎます"):
        raw_from_workbook(filled, "acme.xlsx")


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
