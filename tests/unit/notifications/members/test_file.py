"""CSV and Excel files of members: what is read from them, and every mistake by its row and column."""

from __future__ import annotations

import csv
import io
from typing import Any

import pandas as pd
import pytest
from openpyxl import Workbook, load_workbook

from renkei.notifications.members.file import MembersFile, read_members, written
from renkei.notifications.members.table import COLUMNS

NOBODY = pd.DataFrame({name: pd.Series(dtype="str") for name in COLUMNS})
LINE, LINE2 = "U" + "a" * 32, "U" + "b" * 32
WEBHOOK = "https://chat.googleapis.com/v1/spaces/AAAAx/messages?key=AIzaKEY&token=TOKENTOKEN"
HEAD = "ユーザID,LINE WORKS ID,SlackメンバーID,Google Chat Webhook,LINEユーザーID"


def read(text: str, encoding: str = "utf-8", **known: Any) -> MembersFile:
    return read_members(text.encode(encoding), "m.csv", known.pop("current", NOBODY), **known)


def excel(rows: list[list[Any]], number_format: str = "") -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    if number_format:
        sheet["A2"].number_format = number_format
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def found(file: MembersFile) -> list[str]:
    return [f"{p.where.removeprefix('m.csv').removeprefix('m.xlsx').strip()}: {p.found}" for p in file.problems]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_line_ends(encoding: str, end: str) -> None:
    """N4: as Excel and others save a CSV."""
    file = read(end.join([HEAD, f'001,tanaka@example,U012AB,"{WEBHOOK}",{LINE}', "", '"002",,,,']), encoding)
    assert found(file) == []
    assert file.frame.to_dict("records") == [
        dict(zip(COLUMNS, ["001", "tanaka@example", "U012AB", WEBHOOK, LINE], strict=True)),
        dict(zip(COLUMNS, ["002", "", "", "", ""], strict=True)),
    ]


def test_a_worksheet_that_nobody_sees_is_not_read() -> None:
    """N4: the table is what the person who saved the workbook looked at."""
    book = load_workbook(io.BytesIO(excel([["ユーザID"], ["old"]])))
    for row in (["ユーザID"], ["new"]):
        book["Sheet"].sheet_state = "hidden"
        (book["社員"] if "社員" in book else book.create_sheet("社員")).append(row)
    book.active = 1
    file = io.BytesIO()
    book.save(file)
    assert read_members(file.getvalue(), "m.xlsx", NOBODY).frame["user_id"].tolist() == ["new"]


def test_a_tab_in_a_title_is_no_separator() -> None:
    """N4"""
    file = read("ユーザID\t,Slack ID\n001,U012AB")
    assert file.frame.to_dict("records") == [{"user_id": "001", "slack_member_id": "U012AB"}]


def test_columns_in_any_order_by_other_names_and_with_others_among_them() -> None:
    """N4: what is not used is said so, by its name."""
    file = read("氏名,Slack ID,ﾕｰｻﾞｰid ,LINE連携\n山田,U012AB, 001　,ログインで連携")
    assert file.frame.to_dict("records") == [{"slack_member_id": "U012AB", "user_id": "001"}]
    assert [warning.found for warning in file.warnings] == ["列「氏名」は使いません"]


def test_a_workbook_is_read_as_it_is_shown() -> None:
    """N4: numbers without decimals, leading zeros by format, empty rows left out but counted."""
    rows = [["ユーザID", "SlackメンバーID"], [42, "U012AB"], [], [1001.0, None], ["x", "bad id"]]
    file = read_members(excel(rows, "00000"), "m.xlsx", NOBODY)
    assert found(file) == ["5行目 SlackメンバーID: 4文字目に空白(U+0020)があります"]
    sound = read_members(excel(rows[:4], "00000"), "m.xlsx", NOBODY)
    assert sound.frame["user_id"].tolist() == ["00042", "1001"]


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (7, '"K"000', "K007"),
        (123, r"00\-00", "01-23"),
        (46113, "yyyy/m/d", "2026/4/1"),
        ("skr_x005F_x000D_", "@", "skr_x000D_"),
        ("skr_x000D_", "@", "skr"),
        ("001", '@"番"', "001番"),
    ],
)
def test_a_cell_is_read_as_excel_shows_it(value: Any, number_format: str, shown: str) -> None:
    """N4: whatever the file holds."""
    file = read_members(excel([["ユーザID"], [value]], number_format), "m.xlsx", NOBODY)
    assert found(file) == []
    assert file.frame["user_id"].tolist() == [shown]


@pytest.mark.parametrize(
    ("value", "number_format", "fault"),
    [
        (123456789012, "General", "指数"),
        (7, ";;;", "隠されています"),
        ("=1+1", "General", "数式"),
        (0.5, "# ?/?", "分数"),
    ],
)
def test_a_cell_that_shows_something_else_is_refused(value: Any, number_format: str, fault: str) -> None:
    """N4, L1: at its place, once; a column that is not used may hold anything."""
    file = read_members(excel([["ユーザID", "SlackメンバーID"], [value, "U012AB"]], number_format), "m.xlsx", NOBODY)
    (told,) = found(file)
    assert told.startswith("2行目 ユーザID: ")
    assert fault in told
    assert found(read_members(excel([["給与", "ユーザID"], [value, "1"]], number_format), "m.xlsx", NOBODY)) == []


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param(",,U012AB,,", "ユーザID: ユーザIDがありません", id="no user id"),
        pytest.param("x" * 41 + ",,,,", "ユーザID: 41文字あります", id="too long"),
        pytest.param("００２,,,,", "ユーザID: 「００２」に全角", id="full width"),
        pytest.param("a b,,,,", "ユーザID: 2文字目に空白(U+0020)", id="blank inside"),
        pytest.param("a\u200bb,,,,", "ユーザID: 2文字目にゼロ幅スペース(U+200B)", id="zero width inside"),
        pytest.param("=1+1,,,,", "ユーザID: 数式です", id="formula"),
        pytest.param("'=1+1,,,,", "ユーザID: 数式です", id="formula kept from running"),
        pytest.param("\t=1+1,,,,", "ユーザID: 数式です", id="formula behind a tab"),
        pytest.param("@SUM(A1:A9),,,,", "ユーザID: 「@SUM(A1:A9)」は、表計算ソフトが", id="function"),
        pytest.param("-2+3+cmd|'/C calc'!A0,,,,", "ユーザID: 「-2+3+cmd|", id="command"),
        pytest.param("a\xa0b,,,,", "ユーザID: 2文字目に改行しない空白(U+00A0)", id="no-break blank inside"),
        pytest.param("ab\u202ec,,,,", "ユーザID: 3文字目に見えない文字(U+202E)", id="turned around"),
        pytest.param("#N/A,,,,", "ユーザID: Excelのエラー値", id="error value"),
        pytest.param("1.23457E+11,,,,", "ユーザID: 「1.23457E+11」は桁が失われた", id="digits lost"),
        pytest.param("001,,,,", "ユーザID: 2行目と同じです", id="twice"),
        pytest.param("002,田中,,,", "LINE WORKS ID: 「田中」は正しい形ではありません", id="lineworks"),
        pytest.param("002,channel:abc,,,", "LINE WORKS ID: 「channel:abc」は", id="a channel is no person"),
        pytest.param("002,,@taro,,", "SlackメンバーID: 「@taro」は", id="slack name"),
        pytest.param("002,,C012AB,,", "SlackメンバーID: 「C012AB」は", id="slack channel"),
        pytest.param("002,,Ｕ012AB,,", "SlackメンバーID: 「Ｕ012AB」は全角の文字があり", id="slack full width"),
        pytest.param("002,,U012AA,,", "SlackメンバーID: 2行目と同じです", id="slack twice"),
        pytest.param("002,,,,taro_line", "LINEユーザーID: 「taro_line」は", id="line name"),
        pytest.param(f"002,,,,C{'a' * 32}", "LINEユーザーID: 「C", id="line group"),
        pytest.param(f"002,,,,{LINE}", "LINEユーザーID: 2行目と同じです", id="line twice"),
        pytest.param(
            "002,,,http://chat.googleapis.com/v1/spaces/A/messages?key=SEC&token=RET,",
            "Google Chat Webhook: ",
            id="http",
        ),
        pytest.param("002,,,https://hooks.slack.com/services/T0/B0/SECRET,", "Google Chat Webhook: ", id="slack's url"),
        pytest.param("002,,,そのうち,", "Google Chat Webhook: ", id="no url"),
        pytest.param(f"002,,{WEBHOOK},,", "SlackメンバーID: 「(URL)」は", id="url in the wrong column"),
    ],
)
def test_a_mistake_is_named_by_row_and_column(line: str, problem: str) -> None:
    """N4, L2, L7, L8: and nothing of the file is used."""
    file = read(f"{HEAD}\n001,,U012AA,,{LINE}\n{line}\n003,,,,")
    assert [text for text in found(file) if text.startswith(f"3行目 {problem}")], found(file)
    assert len(file.problems) == 1
    assert file.problems[0].remedy
    assert file.frame.empty
    assert not any(secret in str(file.problems) for secret in ("SEC", "RET", "TOKEN", "KEY"))


def test_every_mistake_is_found_in_the_order_of_the_rows() -> None:
    """N4, L8: not the first alone."""
    file = read(f"{HEAD}\n,,,,\n001,,bad,,bad\n001,,,,\n,,U012AB,,")
    assert [text.partition(":")[0] for text in found(file)] == [
        "3行目 SlackメンバーID",
        "3行目 LINEユーザーID",
        "4行目 ユーザID",
        "5行目 ユーザID",
    ]


@pytest.mark.parametrize(
    ("content", "name", "problem"),
    [
        pytest.param(b"", "m.csv", "社員の行がありません", id="empty"),
        pytest.param(HEAD.encode(), "m.csv", "社員の行がありません", id="heading only"),
        pytest.param("氏名\n山田".encode(), "m.csv", "「ユーザID」の列がありません", id="no user id column"),
        pytest.param("ユーザID,userid\n1,2".encode(), "m.csv", "「ユーザID」の列が2つあります", id="column twice"),
        pytest.param("ユーザID\n\"001\n002\n".encode(), "m.csv", "引用符", id="open quote"),
        pytest.param(b"a\n" * 200_002, "m.csv", "200,000行を超えています", id="rows without end"),
        pytest.param(b"\n" * 10_000_000, "m.csv", "200,000行を超えています", id="blank rows without end"),
        pytest.param(HEAD.encode() + b"," * 300 + b"x\n", "m.csv", "200列を超えています", id="columns without end"),
        pytest.param(b"\x81\xff\xfe\x00", "m.csv", "文字コード", id="no text"),
        pytest.param(b"user\0id", "m.csv", "CSVではありません", id="binary"),
        pytest.param(b"PK\x03\x04....", "m.csv", "中身は", id="workbook called csv"),
        pytest.param(b"PK\x03\x04....", "m.xlsx", "壊れています", id="damaged workbook"),
        pytest.param("ユーザID".encode(), "m.xlsx", "文字だけのファイル", id="csv called workbook"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "Workbook".encode("utf-16-le"), "m.xlsx", "古い形式", id="xls called xlsx"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_why(content: bytes, name: str, problem: str) -> None:
    """N4, L8"""
    file = read_members(content, name, NOBODY)
    assert [p for p in file.problems if problem in p.found], file.problems
    assert file.frame.empty


def test_a_line_account_that_another_linked_by_login_is_refused() -> None:
    """N4: and the login counts for who has both."""
    assert found(read(f"ユーザID,LINEユーザーID\n001,\n002,{LINE}", linked={"001": LINE})) == [
        "3行目 LINEユーザーID: 2行目の社員とLINEアカウントが同じです"
    ]
    assert found(read(f"ユーザID,LINEユーザーID\n001,{LINE}\n002,{LINE2}", linked={"001": LINE2})) != []
    assert found(read(f"ユーザID,LINEユーザーID\n001,{LINE2}\n002,", linked={"001": LINE, "009": LINE2})) == []


def test_a_conflict_with_what_the_table_keeps_is_found() -> None:
    """N4: a column that the file lacks is taken from the table."""
    current = pd.DataFrame({name: [""] for name in COLUMNS}).assign(user_id=["002"], line_user_id=[LINE])
    assert found(read("ユーザID\n001\n002", current=current, linked={"001": LINE})) != []


def test_one_webhook_for_two_people_is_a_warning() -> None:
    """N4: without its text (L7)."""
    file = read(f"ユーザID,Google Chat Webhook\n001,{WEBHOOK}\n002,{WEBHOOK}")
    assert len(file.warnings) == 1
    assert "TOKEN" not in str(file.warnings)
    assert len(file.frame) == 2


@pytest.mark.parametrize("name", ["m.csv", "m.xlsx"])
def test_an_export_is_read_back(name: str) -> None:
    """N4"""
    table = pd.DataFrame([["001", "a@b", "U012AB", WEBHOOK, LINE], ["002", "", "", "", ""]], columns=list(COLUMNS))
    content = written(table.assign(linked_at=["2026", ""]), COLUMNS, excel=name.endswith("xlsx"))
    file = read_members(content, name, NOBODY)
    assert (file.problems, file.warnings) == ((), ())
    assert file.frame.to_dict("records") == table.to_dict("records")


@pytest.mark.parametrize("name", ["m.csv", "m.xlsx"])
def test_no_spreadsheet_runs_what_an_export_holds(name: str) -> None:
    """N4, L6: an id that begins as a formula does is a text in the file, and the same id when it is read back."""
    ids = ["+81901234", "-12", "@taro", "'@taro", "'a", "''b", "12-3", "a_x0041_b", "_x000D_", "007", "TRUE"]
    table = pd.DataFrame([[one, "", "", "", ""] for one in ids], columns=list(COLUMNS))
    content = written(table, COLUMNS, excel=name.endswith("xlsx"))

    assert read_members(content, name, NOBODY).frame["user_id"].tolist() == ids
    if name.endswith("csv"):
        cells = content.decode("utf-8-sig").splitlines()[1:]
        assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []
    else:
        sheet = load_workbook(io.BytesIO(content)).worksheets[0]
        assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}
        assert [c.number_format for (c,) in sheet.iter_rows(2, 4, max_col=1)] == ["@"] * 3


@pytest.mark.parametrize("name", ["m.csv", "m.xlsx"])
def test_l5_a_long_run_of_blanks_in_a_cell_costs_no_time(name: str) -> None:
    """A hundred cells of 30,000 blanks each; by the square of them it would take minutes."""
    cells = [f"a{' ' * 30_000}{n}" for n in range(100)]
    content = (
        "\n".join(["ユーザID", *cells]).encode()
        if name.endswith("csv")
        else excel([["ユーザID"], *([c] for c in cells)])
    )
    assert len(read_members(content, name, NOBODY).problems) == 100


@pytest.mark.parametrize("process_limit", [1000, 131_072, 16_000_000])
@pytest.mark.parametrize("length", [32_768, 200_000])
def test_l8_a_cell_longer_than_any_is_told_as_one(length: int, process_limit: int) -> None:
    """Not as a lacking quotation mark, and whatever another part of the process did to csv's limit."""
    before = csv.field_size_limit(process_limit)
    try:
        assert found(read(f"ユーザID\n{'a' * length}")) == ["2行目: 長すぎるセルがあります"]
    finally:
        csv.field_size_limit(before)


def test_l5_one_value_in_every_row_costs_no_time() -> None:
    """A formula filled down by mistake: each row is told, by the square of them it would take minutes."""
    file = read("ユーザID\n" + "u1\n" * 50_000)
    assert (len(file.problems), found(file)[-1]) == (49_999, "50001行目 ユーザID: 2行目と同じです")


def test_a_large_company_is_read_in_seconds() -> None:
    """N4"""
    lines = [f"{n:06},u{n}@example,U{n:06}A,,U{n:032x}" for n in range(50_000)]
    file = read("\n".join([HEAD, *lines]))
    assert len(file.frame) == 50_000
