"""CSV and Excel files of members: what is read from them, and every mistake by its row and column."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
import pytest
from openpyxl import Workbook

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


def test_columns_in_any_order_by_other_names_and_with_others_among_them() -> None:
    """N4: what is not used is said so, by its name."""
    file = read("氏名,Slack ID,ﾕｰｻﾞｰid ,LINE連携\n山田,U012AB, 001　,ログインで連携")
    assert file.frame.to_dict("records") == [{"slack_member_id": "U012AB", "user_id": "001"}]
    assert [warning.found for warning in file.warnings] == ["列「氏名」は使いません"]


def test_a_workbook_is_read_as_it_is_shown() -> None:
    """N4: numbers without decimals, leading zeros by format, empty rows left out but counted."""
    rows = [["ユーザID", "SlackメンバーID"], [42, "U012AB"], [], [1001.0, None], ["x", "bad id"]]
    file = read_members(excel(rows, "00000"), "m.xlsx", NOBODY)
    assert found(file) == ["5行目 SlackメンバーID: 途中に空白、改行、または見えない文字があります"]
    sound = read_members(excel(rows[:4], "00000"), "m.xlsx", NOBODY)
    assert sound.frame["user_id"].tolist() == ["00042", "1001"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param(",,U012AB,,", "ユーザID: ユーザIDがありません", id="no user id"),
        pytest.param("x" * 41 + ",,,,", "ユーザID: 41文字あります", id="too long"),
        pytest.param("００２,,,,", "ユーザID: 「００２」に全角", id="full width"),
        pytest.param("a b,,,,", "ユーザID: 途中に空白", id="blank inside"),
        pytest.param("a\u200bb,,,,", "ユーザID: 途中に空白", id="zero width inside"),
        pytest.param("=1+1,,,,", "ユーザID: 数式です", id="formula"),
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
        pytest.param(b"\x81\xff\xfe\x00", "m.csv", "文字コード", id="no text"),
        pytest.param(b"user\0id", "m.csv", "CSVではありません", id="binary"),
        pytest.param(b"PK\x03\x04....", "m.csv", "中身はExcel", id="workbook called csv"),
        pytest.param(b"PK\x03\x04....", "m.xlsx", "壊れています", id="damaged workbook"),
        pytest.param("ユーザID".encode(), "m.xlsx", "壊れています", id="csv called workbook"),
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


def test_a_large_company_is_read_in_seconds() -> None:
    """N4"""
    lines = [f"{n:06},u{n}@example,U{n:06}A,,U{n:032x}" for n in range(50_000)]
    file = read("\n".join([HEAD, *lines]))
    assert len(file.frame) == 50_000
