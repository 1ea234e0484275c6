"""E15, E16: what customers do to a workbook is understood or named, never silently misread.

Each case says which: `UNDERSTOOD` gives the plain book's mapping without a word, `SEEN` gives it with a warning at a
place, `NAMED` is refused at a place.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font, PatternFill

from renkei.errors import Problem
from renkei.links.smarthr_emc.sheet.excel.reader import raw_from_workbook
from renkei.links.smarthr_emc.sheet.parse import CheckedSheet, check_sheet
from tests.unit.links.smarthr_emc.sheet.excel.books import GUIDE_HEADER

Book = Any
SETTINGS = (
    ("項目", "値", "備考"),
    ("SmartHR URL", "https://acme.smarthr.jp/", "必須"),
    ("結果通知先メールアドレス1", "soumu@acme.example.jp"),
    ("連携開始日", dt.datetime(2026, 4, 1)),
    ("処理時刻", dt.time(5, 30)),
)
DEPARTMENTS = (
    ("エマージェンシーコール項目", None, "連携有無", "SmartHR項目"),
    ("部署ID", "必須", "○", "部署コード"),
    ("部署名", "必須", "○", "部署名"),
    ("部署名(ヨミ)", "必須", "連携しない(固定値)", "ブショ"),
    ("親部署ID", "必須", "○", "親部署コード"),
)
USERS = (
    *GUIDE_HEADER,
    ("ユーザID", "必須", "○", "社員番号", "登録", "エラー", "更新しない", "エラー"),  # 3
    ("パスワード", "必須", "○", "秘密:first", "登録", "エラー", "更新しない", "更新しない"),
    ("氏名", "必須", "○", "姓&名", "登録", "エラー", "更新", "エラー"),
    ("氏名(ヨミ)", "必須", "○", "氏名(ヨミガナ)", "登録", "エラー", "更新", "エラー"),  # 6
    ("緊急連絡1 媒体", "任意", "○", "固定値「メールアドレス」", "登録", "登録しない", "更新", "更新しない"),
    ("緊急連絡1 アドレス", "任意", "○", "メールアドレス", "登録", "登録しない", "更新", "更新しない"),  # 8
    ("検索ワード1:勤務地", "任意", "○", "事業所", "登録", "登録しない", "更新", "更新"),
    ("検索ワード2:役職", "任意", None, None, None, None, None, None),  # 10
)


def book() -> Book:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, table in (("連携情報", SETTINGS), ("部署データ", DEPARTMENTS), ("ユーザデータ", USERS)):
        sheet = made.create_sheet(title)
        for row in table:
            sheet.append(row)
    return made


def read(made: Book) -> CheckedSheet:
    file = io.BytesIO()
    made.save(file)
    return check_sheet(raw_from_workbook(file.getvalue(), "acme.xlsx"), "acme")


def places(problems: tuple[Problem, ...]) -> list[str]:
    return [problem.where.removeprefix("acme.xlsx ") for problem in problems]


def users(**cells: Any) -> Callable[[Book], None]:
    """Puts values into cells of ユーザデータ."""

    def change(made: Book) -> None:
        for name, value in cells.items():
            made["ユーザデータ"][name] = value

    return change


def settings(**cells: Any) -> Callable[[Book], None]:
    def change(made: Book) -> None:
        for name, value in cells.items():
            made["連携情報"][name] = value

    return change


def merged(part: str, cells: str) -> Callable[[Book], None]:
    return lambda made: made[part].merge_cells(cells)


def _title_rows(made: Book) -> None:
    for sheet in made:
        sheet.insert_rows(1, 3)
        sheet["A1"] = "エマージェンシーコール項目とSmartHR項目の対応表"
        sheet.merge_cells("A1:H2")
        sheet["A3"] = "連携有無に○を記入してください"


def _inserted_columns(made: Book) -> None:
    made["ユーザデータ"].insert_cols(2)
    made["ユーザデータ"].insert_cols(6)
    made["ユーザデータ"]["F1"] = "社内メモ"
    made["部署データ"].insert_cols(1, 2)
    made["連携情報"].insert_cols(2)


def _update_first(made: Book) -> None:
    sheet = made["ユーザデータ"]
    for row in sheet.iter_rows(min_col=5, max_col=8):
        values = [cell.value for cell in row]
        for cell, value in zip(row, (*values[2:], *values[:2]), strict=True):
            cell.value = value


def _more_worksheets(made: Book) -> None:
    for title in ("はじめに", "記入例", "SmartHR項目一覧", "確認結果", "表紙"):
        made.create_sheet(title).append(("エマージェンシーコール項目", "連携有無", "SmartHR項目"))


def _full_width(made: Book) -> None:
    for sheet in made:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str) and ":" not in cell.value and "@" not in cell.value:
                    wide = {ord(c): ord(c) + 0xFEE0 for c in "()&1ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"}
                    cell.value = cell.value.translate(wide)


def _japanese_date(made: Book) -> None:
    """Format 31 of Japanese Excel, which its stylesheet does not spell out."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_REVERSE

    made["連携情報"]["B4"] = 46113
    made["連携情報"]["B4"].number_format = "General"
    made["連携情報"]["B4"]._style.numFmtId = 31
    assert 31 not in BUILTIN_FORMATS
    assert 31 not in BUILTIN_FORMATS_REVERSE.values()


def _hidden_worksheet_of_notes(made: Book) -> None:
    made.create_sheet("旧メモ").sheet_state = "hidden"


UNDERSTOOD: list[tuple[str, Callable[[Book], None]]] = [
    ("white letters on blue", lambda made: _white_on_blue(made)),
    ("full-width letters, digits and brackets everywhere", _full_width),
    ("half-width kana", users(A5="氏名 ", A6="氏名(ﾖﾐ)", A7="緊急連絡1 媒体", A8="緊急連絡1 ｱﾄﾞﾚｽ", D8="ﾒｰﾙｱﾄﾞﾚｽ", D6="氏名(ﾖﾐｶﾞﾅ)")),
    ("half-width kana in headers", users(A1="ｴﾏｰｼﾞｪﾝｼｰｺｰﾙ項目", D1="ｽﾏｰﾄHR項目")),
    ("a dash for the long vowel", users(D8="メ－ルアドレス", A3="ユ-ザID")),
    ("spaces of all kinds", users(A5="\u3000氏\xa0名 ", A3="ユーザ\u200bID", D3=" 社員\u3000番号\ufeff", C3="\xa0○\u3000")),
    ("line breaks in cells", users(A7="緊急連絡1\n媒体", D3="社員番号\n", E3="登録\n", A1="エマージェンシー\nコール\n項目")),
    ("all circles", users(C3="〇", C4="◯", C5="●", C6="◎", C7="⭕", C8="O", C9="ｏ")),
    ("check marks and words", users(C3="✓", C4="レ", C5="有", C6="あり", C7="連携する", C8="TRUE", C9=True)),
    ("crosses", users(C10="×", D10="-")),
    ("marks beside names", users(A3="ユーザID(必須)", A5="氏名【必須】", A6="★氏名(ヨミ)", A7="緊急連絡1 媒体（任意）", A8="緊急連絡1 アドレス*")),
    ("other names", users(A3="ユーザーID", A4="初期パスワード", A6="氏名フリガナ", A7="連絡先1-媒体", A8="緊急連絡先１の アドレス")),
    ("a number in a circle", users(A7="緊急連絡① 媒体", A8="緊急連絡①アドレス", A9="検索ワード①:勤務地")),
    ("a label in brackets", users(A9="検索ワード1（勤務地）")),
    ("a label after a blank", users(A9="検索ワード1　勤務地")),
    ("a label after a blank and a colon", users(A9="検索ワード 1 ： 勤務地")),
    ("title rows above the header", _title_rows),
    ("inserted columns", _inserted_columns),
    ("更新処理 before 新規登録処理", _update_first),
    ("○ merged over lines", merged("ユーザデータ", "C3:C9")),
    ("a policy merged over lines", merged("ユーザデータ", "F7:F9")),
    ("a source merged over lines of one text", merged("部署データ", "B2:B5")),
    ("the template's other worksheets", _more_worksheets),
    ("a hidden worksheet of the customer's own", _hidden_worksheet_of_notes),
    ("a hidden line that is not linked", lambda made: setattr(made["ユーザデータ"].row_dimensions[10], "hidden", True)),
    ("a struck line that is not linked", lambda made: setattr(made["ユーザデータ"]["A10"], "font", Font(strike=True))),
    ("a hidden column of notes", lambda made: setattr(made["ユーザデータ"].column_dimensions["B"], "hidden", True)),
    ("dates as texts", settings(B4="2026/4/1")),
    ("dates in Japanese", settings(B4="２０２６年４月１日(水)")),
    ("a date in Japanese Excel's own format", _japanese_date),
    ("dates by era", settings(B4="令和8年4月1日")),
    ("times as texts", settings(B5="午前5時30分")),
    ("times with letters", settings(B5="AM 5:30")),
    ("a time as a number of Excel's", settings(B5=dt.timedelta(hours=5, minutes=30))),
    ("labels as people write them", settings(A2="ＳｍａｒｔＨＲ　ＵＲＬ", A3="結果通知先 メールアドレス（１）", A5="処理\n時刻")),
    ("a value merged over two columns", merged("連携情報", "B2:C2")),
    ("blank lines", lambda made: made["ユーザデータ"].insert_rows(6, 3)),
]  # fmt: skip


@pytest.mark.parametrize("change", [change for _, change in UNDERSTOOD], ids=[name for name, _ in UNDERSTOOD])
def test_e16_a_habit_is_understood(change: Callable[[Book], None]) -> None:
    """E15, E16: the mapping is that of the plain book, and nobody is bothered with a warning."""
    plain, made = read(book()), book()
    assert plain.mapping is not None
    assert plain.warnings == ()

    change(made)
    found = read(made)

    assert [str(problem) for problem in found.problems] == []
    assert found.mapping == plain.mapping
    assert [str(warning) for warning in found.warnings] == []


def _hidden_row(made: Book) -> None:
    made["ユーザデータ"].row_dimensions[9].hidden = True


def _filtered(made: Book) -> None:
    made["ユーザデータ"].auto_filter.ref = "A2:H10"
    _hidden_row(made)
    made["ユーザデータ"].row_dimensions[10].hidden = True


def _hidden_column(made: Book) -> None:
    made["ユーザデータ"].column_dimensions["G"].hidden = True
    made["ユーザデータ"].column_dimensions["B"].hidden = True


def _hidden_worksheet(made: Book) -> None:
    made["ユーザデータ"].sheet_state = "hidden"


def _struck(cell: str) -> Callable[[Book], None]:
    return lambda made: setattr(made["ユーザデータ"][cell], "font", Font(strike=True))


def _white(cell: str) -> Callable[[Book], None]:
    return lambda made: setattr(made["ユーザデータ"][cell], "font", Font(color="FFFFFF"))


def _white_on_blue(made: Book) -> None:
    made["ユーザデータ"]["A9"].font = Font(color="FFFFFF")
    made["ユーザデータ"]["A9"].fill = PatternFill("solid", fgColor="1F4E78")


def _very_hidden_worksheet(made: Book) -> None:
    made["ユーザデータ"].sheet_state = "veryHidden"


def _partly_struck(made: Book) -> None:
    struck = TextBlock(InlineFont(strike=True), "検索ワード1:")
    made["ユーザデータ"]["A9"] = CellRichText(struck, "勤務地")


def _copied(title: str) -> Callable[[Book], None]:
    def change(made: Book) -> None:
        made.copy_worksheet(made["ユーザデータ"]).title = title

    return change


def _covered(made: Book) -> None:
    """LibreOffice keeps what a merged cell covers."""
    sheet = made["ユーザデータ"]
    sheet.merge_cells("C3:C9")
    sheet._cells[(9, 3)] = openpyxl.cell.Cell(sheet, 9, 3, "する")


def _hidden_setting(made: Book) -> None:
    made["連携情報"].row_dimensions[5].hidden = True


SEEN: list[tuple[str, Callable[[Book], None], list[str], str]] = [
    ("a hidden line that is linked", _hidden_row, ["ユーザデータ!A9"], "非表示の行"),
    ("a filtered line that is linked", _filtered, ["ユーザデータ!A9"], "非表示の行"),
    ("a hidden line of 連携情報", _hidden_setting, ["連携情報!A5"], "非表示の行"),
    ("a hidden column that is needed", _hidden_column, ["ユーザデータ!G2"], "G列は非表示"),
    ("a hidden worksheet", _hidden_worksheet, ["acme.xlsx"], "「ユーザデータ」は非表示"),
    ("a struck name", _struck("A9"), ["ユーザデータ!A9"], "取り消し線"),
    ("a struck circle", _struck("C9"), ["ユーザデータ!C9"], "取り消し線"),
    ("a struck policy", _struck("H9"), ["ユーザデータ!H9"], "取り消し線"),
    ("a white circle", _white("C9"), ["ユーザデータ!C9"], "白い文字"),
    ("a worksheet that cannot be shown again", _very_hidden_worksheet, ["acme.xlsx"], "「ユーザデータ」は非表示"),
    ("a text struck in part", _partly_struck, ["ユーザデータ!A9"], "取り消し線"),
    ("a copied worksheet", _copied("ユーザデータ (2)"), ["acme.xlsx"], "「ユーザデータ (2)」は読みません"),
    ("a copied worksheet, named by hand", _copied("ユーザデータのコピー"), ["acme.xlsx"], "は読みません"),
    ("an old worksheet", _copied("ユーザデータ_旧"), ["acme.xlsx"], "は読みません"),
    ("a worksheet by another of our names", _copied("社員データ"), ["acme.xlsx"], "「社員データ」は読みません"),
    ("a merged cell that covers a text", _covered, ["ユーザデータ!C9"], "見えないセル"),
    ("値がある and 値が無い merged", merged("ユーザデータ", "G9:H9"), ["ユーザデータ!H9"], "G9と結合"),
    ("a heading between the lines", users(A11="【任意項目】"), ["ユーザデータ!A11"], "この行は読みません"),
    ("an example line that asks for nothing", users(A11="(例)検索ワード3:等級"), ["ユーザデータ!A11"], "この行は読みません"),
    ("a note that looks like a line", users(A11="※検索ワード3:等級", C11="○", D11="等級"), ["ユーザデータ!A11"], "読み飛ばします"),
    ("a setting marked as a note", settings(A6="※処理時刻", B6="6:00"), ["連携情報!A6"], "読み飛ばします"),
    ("a source without ○", users(D10="役職1"), ["ユーザデータ!D10"], "連携有無が○ではない"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "where", "message"), [case[1:] for case in SEEN], ids=[case[0] for case in SEEN])
def test_e16_a_doubtful_habit_is_read_and_named(change: Callable[[Book], None], where: list[str], message: str) -> None:
    """E15, E16: the mapping is that of the plain book, and a warning says at which cell to look."""
    made = book()
    change(made)
    found = read(made)

    assert [str(problem) for problem in found.problems] == []
    assert found.mapping == read(book()).mapping
    assert places(found.warnings) == where, [str(warning) for warning in found.warnings]
    assert message in found.warnings[0].found


def _second_table(made: Book) -> None:
    for row in (("▼旧",), USERS[0], ("ユーザID", "", "○", "メールアドレス")):
        made["ユーザデータ"].append(row)


def _table_beside(made: Book) -> None:
    sheet = made["ユーザデータ"]
    for column, text in enumerate(("エマージェンシーコール\n項目", "", "連携有無", "SmartHR 項目"), 10):
        sheet.cell(1, column, text)


def _serial_date(made: Book) -> None:
    made["連携情報"]["B4"] = 46113
    made["連携情報"]["B4"].number_format = "General"


NAMED: list[tuple[str, Callable[[Book], None], list[str], str]] = [
    ("〃 for a source", users(D9="〃"), ["ユーザデータ!D9"], "同じ内容をそのまま"),
    ("同上 for a policy", users(H9="同上"), ["ユーザデータ!H9"], "同じ内容をそのまま"),
    ("↑ for 連携有無", users(C9="↑"), ["ユーザデータ!C9"], "同じ内容をそのまま"),
    ("同上 for a name", users(A9="同上"), ["ユーザデータ!A9"], "同じ内容をそのまま"),
    ("同上 in 連携情報", settings(B3="同上"), ["連携情報!B3"], "「同上」などは使えません"),
    ("同上 for a department", lambda made: setattr(made["部署データ"]["D3"], "value", "同上"), ["部署データ!D3"], "同上"),
    ("a note behind a word", users(E9="登録(任意)"), ["ユーザデータ!E9"], "「登録(任意)」は"),
    ("a note behind a circle", users(C9="○(要確認)"), ["ユーザデータ!C9"], "「○(要確認)」"),
    ("a triangle", users(C9="△"), ["ユーザデータ!C9"], "「△」"),
    ("a zero that may be a circle", users(C9=0), ["ユーザデータ!C9"], "「0」"),
    ("two items in one cell", users(D9="事業所・役職1"), ["ユーザデータ!D9"], "事業所・役職1"),
    ("a line break between two items", users(D9="事業所\n役職1"), ["ユーザデータ!D9"], "改行"),
    ("a name struck out, another written", users(A9=CellRichText(TextBlock(InlineFont(strike=True), "氏名"), "本名")), ["ユーザデータ!A9"], "項目はありません"),
    ("a name merged over two lines", merged("ユーザデータ", "A8:A9"), ["ユーザデータ!A9"], "2回"),
    ("a circle merged over the source", merged("ユーザデータ", "C9:D9"), ["ユーザデータ!D9"], "空白です"),
    ("a second table below", _second_table, ["ユーザデータ!A12"], "見出しの行がもう1つ"),
    ("a second table beside", _table_beside, ["ユーザデータ!J1"], "右にもう1つ"),
    ("a date without a year", settings(B4="4月1日"), ["連携情報!B4"], "日付ではありません"),
    ("a date as Excel's number", _serial_date, ["連携情報!B4"], "2026-04-01 です"),
    ("a time without minutes", settings(B5="5時半"), ["連携情報!B5"], "時刻ではありません"),
    ("a formula", users(C9="=C8"), ["ユーザデータ!C9"], "数式"),
    ("an example line", users(A11="(例)検索ワード3:等級", C11="○", D11="等級"), ["ユーザデータ!A11"], "項目はありません"),
    ("a blank value that is required", settings(B3=None), ["連携情報!B3"], "記入されていません"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "where", "message"), [case[1:] for case in NAMED], ids=[case[0] for case in NAMED])
def test_e16_a_habit_that_cannot_be_understood_is_named(
    change: Callable[[Book], None], where: list[str], message: str
) -> None:
    """E15, E16, L8: refused, with the cell, what was found and what to do."""
    made = book()
    change(made)
    found = read(made)

    assert found.mapping is None
    assert places(found.problems) == where, [str(problem) for problem in found.problems]
    assert message in f"{found.problems[0].found} {found.problems[0].remedy}"


def test_e18_zeros_of_a_default_stay() -> None:
    """E18: デフォルト:0012 keeps its zeros, as does a number that is shown with them."""
    made = book()
    users(F9="デフォルト：0012", C10="固定値", D10=12)(made)
    made["ユーザデータ"]["D10"].number_format = "0000"

    found = read(made)

    assert found.rules["search_word_1"].on_create.when_blank.default == "0012"
    assert [term.text for term in found.rules["search_word_2"].source.terms] == ["0012"]


def test_l7_a_struck_or_merged_password_is_not_quoted() -> None:
    """L7: what is doubtful about the line of the password is said without its text."""
    made = book()
    users(D4="固定値「Sesame」")(made)
    _struck("D4")(made)
    made["ユーザデータ"].row_dimensions[4].hidden = True
    found = read(made)
    assert len(found.warnings) >= 2
    assert "Sesame" not in str((found.problems, found.warnings))
