"""N1, L7: the worksheet 通知 is read as customers fill it in, and a workbook without it is as before."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.styles import Font

from renkei.channel import EVERY_EVENT, Channel, Event, Service
from renkei.links.smarthr_emc.sheet.excel.reader import TITLES, raw_from_workbook
from renkei.links.smarthr_emc.sheet.excel.template import write_template
from renkei.links.smarthr_emc.sheet.excel.writer import write_workbook
from renkei.links.smarthr_emc.sheet.parse import CheckedSheet, check_sheet
from renkei.notifications.form.lines import KEYS
from renkei.notifications.form.worksheet import SPARE_LINES
from renkei.notifications.services import SPECS
from renkei.sheets.workbook.marked import COLOURS, ERROR, mark
from tests.builders import mapping
from tests.unit.links.smarthr_emc.sheet.excel import books, test_habits

Book = Any
HEADER = (
    ("名前", "サービス", "接続", "送信先", "通知を行わない"),
    ("成功", "失敗", "保留", "変化なし", "通知無効化", "期限切れ予告"),
)
LINES = (
    ("総務のチャット", "Slack(Webhook)", None, None, None, None, "○", "○"),  # 2
    ("総務のルーム", "チャットワーク", "chat", 123456789),
    ("本人", "LINE WORKS", None, "社員:1001", "○", "○"),  # 4
)
SECRET = "aB3dE5gH7jK9mN1pQ3sT5vW7"
SOUND = (
    Channel("総務のチャット", Service.SLACK_WEBHOOK, "slack_webhook__acme", "", False, frozenset({Event.FAILURE, Event.HOLD})),
    Channel("総務のルーム", Service.CHATWORK, "chat", "123456789"),
    Channel("本人", Service.LINEWORKS, "lineworks__acme", "社員:1001", True, frozenset({Event.SUCCESS})),
)  # fmt: skip


def book() -> Book:
    made = test_habits.book()
    sheet = made.create_sheet("通知")
    for row in ((*HEADER[0], *HEADER[1]), *LINES):
        sheet.append(row)
    return made


def read(made: Book) -> CheckedSheet:
    return check_sheet(raw_from_workbook(books.content(made), "acme.xlsx"), "acme")


def channels(found: CheckedSheet) -> tuple[Channel, ...]:
    assert [str(problem) for problem in found.problems] == []
    assert found.mapping is not None
    return found.mapping.channels


def cells(**values: Any) -> Callable[[Book], None]:
    def change(made: Book) -> None:
        for name, value in values.items():
            made["通知"][name] = value

    return change


def _two_rows_of_headers(made: Book) -> None:
    sheet = made["通知"]
    sheet.insert_rows(1)
    for column, text in enumerate((*HEADER[0], "通知管理"), 1):
        sheet.cell(1, column, text)
        sheet.cell(2, column).value = None if column < 6 else sheet.cell(2, column).value
    sheet.merge_cells("F1:K1")


def _other_columns(made: Book) -> None:
    sheet = made["通知"]
    sheet.insert_rows(1, 2)
    sheet["A1"] = "通知先の一覧"
    sheet.insert_cols(1)
    sheet.insert_cols(4)
    sheet["D3"] = "備考"
    sheet["D4"] = "部長も見ます"


def _reversed_columns(made: Book) -> None:
    for row in made["通知"].iter_rows(max_col=11):
        values = [cell.value for cell in row]
        for cell, value in zip(row, reversed(values), strict=True):
            cell.value = value


UNDERSTOOD: list[tuple[str, Callable[[Book], None]]] = [
    ("as it is", lambda made: None),
    ("two rows of headers", _two_rows_of_headers),
    ("a title, and columns of the customer's own", _other_columns),
    ("columns the other way round", _reversed_columns),
    ("other names of the worksheet", lambda made: setattr(made["通知"], "title", "通知 設定")),
    ("other names of headers", cells(A1="名称", B1="サービス 名", C1="Connection", D1="宛先", E1="通知しない", F1="正常", I1="変更なし")),
    ("full width and spaces", cells(B2="Ｓｌａｃｋ （Ｗｅｂｈｏｏｋ）", A3="総務のルーム\u3000", D3="１２３４５６７８９", C3="ｃｈａｔ")),
    ("half-width kana, another name", cells(B3="ﾁｬｯﾄﾜｰｸ", B2="Slack", B4="LINEWORKS")),
    ("all kinds of marks", cells(G2="〇", H2="✓", E4="はい", F4="ｏ", G4="×", H4="-", K4="なし")),
    ("blank lines between", lambda made: made["通知"].insert_rows(3, 4)),
    ("○ copied down below the lines", cells(F5="○", F6="○", G6="○", E6="×")),
    ("a note below", cells(A7="※Slackは総務部が管理しています")),
]  # fmt: skip


@pytest.mark.parametrize("change", [change for _, change in UNDERSTOOD], ids=[name for name, _ in UNDERSTOOD])
def test_n1_a_habit_is_understood(change: Callable[[Book], None]) -> None:
    """N1: the channels are those of the plain worksheet, and nobody is bothered with a warning."""
    made = book()
    change(made)
    found = read(made)
    assert channels(found) == SOUND
    assert [str(warning) for warning in found.warnings] == []


@pytest.mark.parametrize(
    ("marks", "events"),
    [
        (("", "", "", "", "", ""), EVERY_EVENT),
        (("○", "", "", "", "", ""), {Event.SUCCESS}),
        (("○", "×", "×", "", "", ""), {Event.SUCCESS}),
        (("", "", "", "×", "", ""), EVERY_EVENT - {Event.UNCHANGED}),
        (("×",) * 6, frozenset()),
    ],
)
def test_n1_blank_cells_mean_all_events(marks: tuple[str, ...], events: frozenset[Event]) -> None:
    """N1: as long as no cell has a ○; a × alone takes its event away."""
    made = book()
    cells(**{f"{column}3": mark for column, mark in zip("FGHIJK", marks, strict=True)})(made)
    assert channels(read(made))[1].events == events


def test_n1_without_the_worksheet_or_its_columns_all_is_as_before() -> None:
    """N1: no worksheet, no channel; no columns of 通知管理, all events."""
    assert channels(read(test_habits.book())) == ()
    made = book()
    made["通知"].delete_cols(5, 7)
    assert [channel.events for channel in channels(read(made))] == [EVERY_EVENT] * 3
    assert [channel.muted for channel in channels(read(made))] == [False] * 3


def test_n1_a_name_may_begin_like_a_note() -> None:
    """N1: 注文係 with a service is a line, though 注 begins a note elsewhere."""
    made = book()
    cells(A2="注文係", A3="#総務")(made)
    assert [channel.name for channel in channels(read(made))] == ["注文係", "#総務", "本人"]


def _hidden_row(made: Book) -> None:
    made["通知"].row_dimensions[3].hidden = True


def _copied(made: Book) -> None:
    made.copy_worksheet(made["通知"]).title = "通知 (2)"


SEEN: list[tuple[str, Callable[[Book], None], list[str], str]] = [
    ("a hidden line", _hidden_row, ["通知!A3"], "その内容で通知します"),
    ("a hidden column", lambda made: setattr(made["通知"].column_dimensions["C"], "hidden", True), ["通知!C1"], "C列は非表示"),
    ("a hidden worksheet", lambda made: setattr(made["通知"], "sheet_state", "hidden"), ["acme.xlsx"], "「通知」は非表示"),
    ("a struck name", lambda made: setattr(made["通知"]["A3"], "font", Font(strike=True)), ["通知!A3"], "取り消し線"),
    ("a heading", cells(A6="【本社】"), ["通知!A6"], "名前だけの行"),
    ("a line marked as a note", cells(A6="※旧ルーム", D6="123"), ["通知!A6"], "読み飛ばします"),
    ("a copied worksheet", _copied, ["acme.xlsx"], "「通知 (2)」は読みません"),
    ("a destination that is not used", cells(D2="#general"), ["通知!D2"], "この記入は使いません"),
    ("two that share a Connection", cells(A6="支店", B6="Slack"), ["通知!C6"], "「総務のチャット」"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "where", "message"), [case[1:] for case in SEEN], ids=[case[0] for case in SEEN])
def test_n1_a_doubtful_habit_is_read_and_named(change: Callable[[Book], None], where: list[str], message: str) -> None:
    """N1, L8: read as it stands, with a warning at the cell to look at."""
    made = book()
    change(made)
    found = read(made)
    assert channels(found)[:3] == SOUND
    assert test_habits.places(found.warnings) == where, [str(warning) for warning in found.warnings]
    assert message in f"{found.warnings[0].found} {found.warnings[0].remedy}"


def test_n1_a_service_merged_over_lines_is_that_of_each() -> None:
    """N1, E15: as everywhere in the sheet, one cell may stand for several lines."""
    made = book()
    cells(A5="支店", A6="工場", C5="a", B5="Slack(Webhook)")(made)
    made["通知"].merge_cells("B5:B6")
    assert [channel.service for channel in channels(read(made))[3:]] == [Service.SLACK_WEBHOOK] * 2


def test_n1_a_worksheet_of_the_same_name_only_is_not_read() -> None:
    """N1: a customer's own 通知 breaks no sheet that was sound before."""
    made = test_habits.book()
    made.create_sheet("通知").append(("4月から担当が変わります。",))
    found = read(made)
    assert channels(found) == ()
    assert test_habits.places(found.warnings) == ["通知"]


def _second_table(made: Book) -> None:
    made["通知"].append((*HEADER[0], *HEADER[1]))


def _table_beside(made: Book) -> None:
    for column, text in enumerate(HEADER[0], 13):
        made["通知"].cell(1, column, text)


NAMED: list[tuple[str, Callable[[Book], None], list[str], str]] = [
    ("no service", cells(B3=None), ["通知!B3"], "サービスが空白"),
    ("no name", cells(A3=None), ["通知!A3"], "名前が空白"),
    ("no destination", cells(D3=None), ["通知!D3"], "ルームID"),
    ("ditto marks", cells(B3="〃"), ["通知!B3"], "「同上」"),
    ("a triangle", cells(G3="△"), ["通知!G3"], "「△」は使えない言葉"),
    ("a formula", cells(D3="=C3"), ["通知!D3"], "数式"),
    ("a name twice", cells(A3="総務のﾁｬｯﾄ"), ["通知!A3"], "同じ名前"),
    ("a name merged over two lines", lambda made: made["通知"].merge_cells("A2:A3"), ["通知!A3"], "同じ名前"),
    ("no column of services", cells(B1="種類"), ["通知"], "「サービス」の見出し"),
    ("a second table below", _second_table, ["通知!A5"], "見出しの行がもう1つ"),
    ("a second table beside", _table_beside, ["通知!M1"], "右にもう1つ"),
    ("a URL for a destination", cells(D2=f"https://hooks.slack.com/services/T0/B0/{SECRET}"), ["通知!D2"], "Airflowの接続"),
    ("a token for a Connection", cells(C3=SECRET), ["通知!C3"], "Airflowの接続"),
    ("a token for a mark", cells(K3=SECRET), ["通知!K3"], "Airflowの接続"),
    ("a URL beside the table", cells(M3=f"https://example.jp/{SECRET}"), ["通知!M3"], "Airflowの接続"),
    ("a URL in a note", cells(A7=f"※ https://example.jp/{SECRET}"), ["通知!A7"], "Airflowの接続"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "where", "message"), [case[1:] for case in NAMED], ids=[case[0] for case in NAMED])
def test_n1_what_cannot_be_used_is_named(change: Callable[[Book], None], where: list[str], message: str) -> None:
    """N1, L7, L8: refused with its cell and a remedy, and without the secret that may stand there."""
    made = book()
    change(made)
    found = read(made)
    assert found.mapping is None
    assert test_habits.places(found.problems) == where, [str(problem) for problem in found.problems]
    assert message in f"{found.problems[0].found} {found.problems[0].remedy}"
    assert SECRET not in str((found.problems, found.warnings))


def test_l8_the_marked_copy_colours_the_cell_and_quotes_no_secret() -> None:
    """L8, L7: the bad cell is red, and neither its comment nor the list repeats a token."""
    made = book()
    cells(C3=SECRET)(made)
    content = books.content(made)
    found = check_sheet(raw_from_workbook(content, "acme.xlsx"), "acme")
    copy_ = openpyxl.load_workbook(io.BytesIO(mark(content, found.problems, found.warnings, TITLES)))
    assert copy_["通知"]["C3"].fill.fgColor.value == COLOURS[ERROR]
    assert SECRET not in copy_["通知"]["C3"].comment.text
    assert SECRET not in str([[cell.value for cell in row] for row in copy_["確認結果"]])


# -- the form -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Book:
    path = tmp_path_factory.mktemp("template") / "acme.xlsx"
    write_template(path)
    return openpyxl.load_workbook(path)


def validation(sheet: Any, cell: str) -> Any:
    (found,) = [rule for rule in sheet.data_validations.dataValidation if cell in rule.sqref]
    return found


def test_n1_the_form_offers_what_is_read(template: Book) -> None:
    """N1: ten blank lines; services and marks from closed lists; names and Connections of a length."""
    sheet = template["通知"]
    assert [cell.value for cell in sheet[3]][:6] == [*HEADER[0], "通知管理"]
    assert [cell.value for cell in sheet[4]][5:] == [*HEADER[1]]
    assert not any(cell.value for row in sheet.iter_rows(min_row=5) for cell in row)
    assert sheet.max_row == 14
    for row in (5, 14):
        offered = validation(sheet, f"B{row}").formula1.strip('"').split(",")
        assert offered == [spec.label for spec in SPECS]
        for column in "EFGHIJK":
            rule = validation(sheet, f"{column}{row}")
            assert (rule.formula1, rule.errorStyle) == ('"○,×"', "stop")
        assert (validation(sheet, f"A{row}").type, validation(sheet, f"A{row}").formula2) == ("textLength", "40")
        assert validation(sheet, f"C{row}").type == "textLength"


def test_l7_the_form_says_where_secrets_go(template: Book) -> None:
    """L7: on the worksheet, in the note of 接続, and for each service in front."""
    sheet = template["通知"]
    assert "URLやトークンは書かず" in str(sheet["A2"].value)
    assert "運用担当者がAirflowの接続に登録します" in sheet["C3"].comment.text
    told = {row[1].value: row[2].value for row in template["はじめに"].iter_rows()}
    for spec in SPECS:
        assert all(field.label in told[spec.label] for field in spec.fields if field.required)
        assert ("社員:ID" in told[spec.label]) == bool(
            spec.member_field or (spec.destination and spec.destination.member_field)
        )


def test_n1_the_example_can_be_copied(template: Book) -> None:
    """N1: the lines of 記入例, copied over those of 通知, are sound."""
    made = test_habits.book()
    made.create_sheet("通知").append((*HEADER[0], *HEADER[1]))
    rows = list(template["記入例"].iter_rows(values_only=True))
    start = next(n for n, row in enumerate(rows) if row[0] == "通知の例") + 3
    assert len(rows) - start == 3
    for row in rows[start:]:
        made["通知"].append(row)
    found = read(made)
    assert [channel.service for channel in channels(found)] == ["SLACK_WEBHOOK", "CHATWORK", "LINEWORKS"]
    assert found.warnings == ()


def test_n1_a_long_list_is_written_with_room_below(tmp_path: Any) -> None:
    """N1: all of it, and a few lines to add more."""
    many = tuple(Channel(f"通知先{n}", Service.CHATWORK, f"c{n}", str(n + 1)) for n in range(30))
    path = tmp_path / "acme.xlsx"
    write_workbook(dataclasses.replace(mapping(), channels=many), path)
    found = check_sheet(raw_from_workbook(path.read_bytes(), "acme.xlsx"), "acme")
    assert channels(found) == many
    assert openpyxl.load_workbook(path)["通知"].max_row == 4 + 30 + SPARE_LINES


def test_n1_the_guide_has_every_service_and_event() -> None:
    """N1: docs/sheet.ja.md names each with its code, the default Connection and the secret; and every column."""
    text = (Path(__file__).parents[4] / "docs" / "sheet.ja.md").read_text(encoding="utf-8")
    rows = {row[0]: row for row in (line.strip("| ").split(" | ") for line in text.splitlines() if line[:1] == "|")}
    for spec in SPECS:
        row = rows[f"{spec.label}（`{spec.service}`）"]
        assert (f"`{spec.connection_type}__会社名`" in row[2]) == bool(spec.connection_type)
        assert all(field.label in row[3] for field in spec.fields if field.required)
        assert ("`社員:ID`" in row[1]) == bool(
            spec.member_field or (spec.destination and spec.destination.member_field)
        )
    for event in Event:
        assert f"{event.label}（`{event}`）" in rows
    for title, key in zip((*HEADER[0], "通知管理"), KEYS, strict=True):
        assert rows[title][1].startswith(f"`{key}`")
