"""一括インポート: a file is taken as a whole, or every bad row of it is told."""

from __future__ import annotations

import io

import openpyxl
import pytest

from renkei.links.lineworks_kot.account_file import AccountFile, read_accounts
from renkei.links.lineworks_kot.credentials import blank_fault

KEYS = {f"{number:04d}": f"key{number}" for number in range(1, 10_001)}
HEAD = "従業員コード,氏名,LINE WORKSアカウントID\n"


def read(lines: str, registered: dict[str, str] | None = None) -> AccountFile:
    return read_accounts((HEAD + lines).encode("cp932"), "accounts.csv", KEYS, registered or {})


def told(lines: str, registered: dict[str, str] | None = None) -> list[str]:
    found = read(lines, registered)
    assert not found.accounts
    return [str(problem) for problem in found.problems]


def test_p5_a_file_says_whose_account_is_whose() -> None:
    found = read("0001,佐藤,sato@acme\n\n0002,田中,tanaka@acme\n")
    assert found == AccountFile({"key1": "sato@acme", "key2": "tanaka@acme"}, ())


def test_p5_a_workbook_says_the_same() -> None:
    book = openpyxl.Workbook()
    assert book.active
    for row in (["LINE WORKSアカウントID", "社員番号"], ["sato@acme", "0001"], ["tanaka@acme", "0002"]):
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    found = read_accounts(content.getvalue(), "accounts.xlsx", KEYS, {})
    assert found == AccountFile({"key1": "sato@acme", "key2": "tanaka@acme"}, ())


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (",佐藤,sato@acme", "2行目 従業員コード: 従業員コードがありません"),
        ("1,佐藤,sato@acme", "従業員コード「1」の従業員がKING OF TIMEにいません"),
        ("1.23E+10,佐藤,sato@acme", "「1.23E+10」は桁が失われた数値です"),
        ("0001,佐藤,", "2行目 LINE WORKSアカウントID: LINE WORKSアカウントIDが空白です"),
        ("0001,佐藤,sato @acme", "5文字目に半角スペース(U+0020)が入っています"),  # P4
        ("0001,佐藤,sato\u3000@acme", "5文字目に全角スペース(U+3000)が入っています"),
        ("0001,佐藤,sato@acme ", "10文字目に半角スペース"),
        ("0001,佐藤,ｓato@acme", "全角の文字があります"),
        ("0001,佐藤,sato@@acme", "LINE WORKSアカウントIDの形ではありません"),
        ("0001,佐藤,a@acme\n0002,田中,A@acme", "3行目 LINE WORKSアカウントID: 2行目と同じアカウントIDです"),
        ("0001,佐藤,a@acme\n0001,佐藤,b@acme", "3行目 従業員コード: この従業員には2行目にも別のアカウントIDがあります"),
        ("0001,佐藤,a@acme\n0001,佐藤,a@acme", "3行目 従業員コード: この従業員には2行目にも同じ行があります"),
    ],
)
def test_p4_p5_every_kind_of_bad_row_is_told_with_its_place(lines: str, said: str) -> None:
    found = [one.replace(" → ", ": ") for one in told(lines)]
    assert any(said in one.replace("accounts.csv ", "").replace(" LINE", " LINE") for one in found), found


def test_p5_an_account_of_somebody_who_is_not_in_the_file_is_not_taken_away() -> None:
    assert any("従業員コード 0003 に登録済み" in one for one in told("0001,佐藤,a@acme", {"a@acme": "0003"}))
    assert read("0001,佐藤,a@acme", {"a@acme": "0001"}).accounts
    swapped = read("0001,佐藤,a@acme\n0003,鈴木,b@acme", {"a@acme": "0003", "b@acme": "0001"})
    assert swapped.accounts == {"key1": "a@acme", "key3": "b@acme"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "従業員の行がありません"),
        ("従業員コード,氏名\n0001,佐藤\n".encode(), "見出し「LINE WORKSアカウントID」の列がありません"),
        (b"\xff\xff\x00", "CSVではありません"),
        (b"PK\x03\x04rubbish", "CSVですが"),
        ("従業員コード,社員番号,アカウントID\n1,1,a\n".encode(), "の列が2つあります"),
    ],
)
def test_p5_a_file_that_is_no_such_table_is_told_as_a_whole(content: bytes, said: str) -> None:
    (problem,) = read_accounts(content, "accounts.csv", KEYS, {}).problems
    assert said in str(problem)


BAD = (  # what is wrong in a row of employee `n`, and what is said of it
    (",,u{n}@acme", "従業員コードがありません"),
    ("x{n},,u{n}@acme", "の従業員がKING OF TIMEにいません"),
    ("1.2E+{n},,u{n}@acme", "桁が失われた数値です"),
    ("{n:04},,", "LINE WORKSアカウントIDが空白です"),
    ("{n:04},,u {n}@acme", "半角スペース(U+0020)"),
    ("{n:04},,u\u3000{n}@acme", "全角スペース(U+3000)"),
    ("{n:04},,ｕ{n}@acme", "全角の文字があります"),
    ("{n:04},,u{n}@@acme", "アカウントIDの形ではありません"),
    ("{n:04},,same@acme", "行目と同じアカウントIDです"),
    ("0001,,u{n}@acme", "この従業員には2行目にも別のアカウントIDがあります"),
    ("{n:04},,held{n}@acme", "従業員コード 9999 に登録済み"),
)


def test_p4_p5_ten_thousand_rows_with_every_kind_of_fault_are_all_told_by_row() -> None:
    rows = [BAD[number % len(BAD)] for number in range(2, 10_001)]
    lines = [row.format(n=number) for number, (row, _) in enumerate(rows, 2)]
    registered = {f"held{number}@acme": "9999" for number in range(10_001)}
    first = "0001,,same@acme\n"  # the one good row, with which two kinds collide
    found = read(first + "\n".join(line for line in lines if "9999,," not in line), registered)
    told = {int(one.where.split()[1].removesuffix("行目")): one.found for one in found.problems}
    kept = [
        (number, said) for number, (line, (_, said)) in enumerate(zip(lines, rows, strict=True)) if "9999,," not in line
    ]
    assert not found.accounts
    assert len(found.problems) == len(told) == len(kept)
    for row, (_, said) in enumerate(kept, 3):
        assert said in told[row], (row, told[row])


def test_p4_a_newline_at_the_end_of_what_was_pasted_is_named() -> None:
    assert str(blank_fault("Client ID", "abc\n")).startswith("Client IDの4文字目に改行(U+000A)が入っています")
    assert blank_fault("Client ID", "abc") is None
