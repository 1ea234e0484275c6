"""Each error that the EMC simulator finds in a file, as a table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulators.emc.findings import MESSAGES
from simulators.emc.problems import PROBLEMS
from tests.harness.emc import (
    CONTRACT,
    USER_HEADER,
    Emc,
    codes,
    contact,
    departments,
    encoded,
    user,
    users,
)

DEPARTMENT = ["A", "d2", "部", "ブ", ""]
MEDIUM, ADDRESS = "緊急連絡1 媒体", "緊急連絡1 アドレス"
# Case, file, its body, and what must be found (line, item, code); on top of the fixture `filled`.
ERRORS: list[tuple[str, str, bytes, list[tuple[int, str | None, str]]]] = [
    ("unquoted", "users", users(user("A", "u2")).replace(b'"u2"', b"u2"), [(1, None, "BAD_CSV")]),
    ("bare line feed", "users", users(user("A", "u2")).replace(b"\r\n", b"\n"), [(0, None, "BAD_CSV")]),
    ("last line end missing", "users", users(user("A", "u2"))[:-2], [(1, None, "BAD_CSV")]),
    ("empty file", "users", b"", [(0, None, "WRONG_HEADER")]),
    ("encoding", "users", users(user("A", "u2", 氏名="X-")).replace(b"X-", b"\x81 "), [(1, "氏名", "BAD_ENCODING")]),
    ("utf-8", "departments", departments(DEPARTMENT).decode("cp932").encode(), [(0, None, "WRONG_HEADER")]),
    ("header", "departments", encoded(USER_HEADER, ()), [(0, None, "WRONG_HEADER")]),
    ("columns", "departments", departments(["A", "d2", "部", "ブ"]), [(1, None, "WRONG_COLUMN_COUNT")]),
    ("flag", "users", users(user("X", "u2")), [(1, "処理フラグ", "BAD_FLAG")]),
    ("no id", "users", users(user("A", "")), [(1, "ユーザID", "MISSING_REQUIRED")]),
    ("no password", "users", users(user("A", "u2", パスワード="")), [(1, "パスワード", "MISSING_REQUIRED")]),
    ("blank name", "users", users(user("U", "u1", 氏名="　 ")), [(1, "氏名", "MISSING_REQUIRED")]),
    ("no reading", "departments", departments(["A", "d2", "部", "", ""]), [(1, "部署名(ヨミ)", "MISSING_REQUIRED")]),
    ("long user id", "users", users(user("A", "u" * 41)), [(1, "ユーザID", "TOO_LONG")]),
    ("long dep. id", "departments", departments(["A", "d" * 31, "部", "ブ", ""]), [(1, "部署ID", "TOO_LONG")]),
    ("long name", "users", users(user("A", "u2", 氏名="山" * 61)), [(1, "氏名", "TOO_LONG")]),
    ("long password", "users", users(user("A", "u2", パスワード="p" * 65)), [(1, "パスワード", "TOO_LONG")]),
    ("line end in cell", "users", users(user("A", "u2", 検索ワード1="a\r\nb")), [(1, "検索ワード1", "BAD_CHARACTER")]),
    ("tab in cell", "users", users(user("A", "u2", 検索ワード1="a\tb")), [(1, "検索ワード1", "BAD_CHARACTER")]),
    ("choice", "users", users(user("A", "u2", パスワード強制変更="Y")), [(1, "パスワード強制変更", "BAD_CHOICE")]),
    ("password signs", "users", users(user("A", "u2", パスワード="あいう")), [(1, "パスワード", "BAD_PASSWORD")]),
    ("password on U", "users", users(user("U", "u1", パスワード="x")), [(1, "パスワード", "PASSWORD_NOT_ALLOWED")]),
    ("clear on A", "users", users(user("A", "u2", 検索ワード1="#CLEAR#")), [(1, "検索ワード1", "CLEAR_NOT_ALLOWED")]),
    ("clear required", "users", users(user("U", "u1", 氏名="#CLEAR#")), [(1, "氏名", "CLEAR_NOT_ALLOWED")]),
    ("value on D", "users", users(user("D", "u1", 氏名="山田")), [(1, "氏名", "NOT_EMPTY_ON_DELETE")]),
    ("twice", "users", users(user("U", "u1"), user("D", "u1")), [(2, "ユーザID", "REPEATED_ID")]),
    ("exists", "users", users(user("A", "u1")), [(1, "ユーザID", "DUPLICATE_ID")]),
    ("department exists", "departments", departments(["A", "d1", "部", "ブ", ""]), [(1, "部署ID", "DUPLICATE_ID")]),
    ("unknown", "users", users(user("U", "u9")), [(1, "ユーザID", "UNKNOWN_ID")]),
    ("unknown department id", "departments", departments(["U", "d9", "", "", ""]), [(1, "部署ID", "UNKNOWN_ID")]),
    ("parent", "departments", departments(["A", "d2", "部", "ブ", "d9"]), [(1, "親部署ID", "UNKNOWN_PARENT")]),
    ("loop", "departments", departments(["U", "d0", "", "", "d1"]), [(1, "親部署ID", "DEPARTMENT_LOOP")]),
    ("own parent", "departments", departments(["A", "d2", "部", "ブ", "d2"]), [(1, "親部署ID", "DEPARTMENT_LOOP")]),
    ("department", "users", users(user("A", "u2", 兼務管理部署3="d9")), [(1, "兼務管理部署3", "UNKNOWN_DEPARTMENT")]),
    ("used by user", "departments", departments(["D", "d1", "", "", ""]), [(1, "部署ID", "DEPARTMENT_IN_USE")]),
    ("used by child", "departments", departments(["D", "d0", "", "", ""]), [(1, "部署ID", "DEPARTMENT_IN_USE")]),
    ("medium", "users", users(user("A", "u2", **contact("FAX", "1"))), [(1, MEDIUM, "BAD_MEDIUM")]),
    ("address only", "users", users(user("A", "u2", **contact("", "1"))), [(1, MEDIUM, "ADDRESS_WITHOUT_MEDIUM")]),
    ("medium cleared", "users", users(user("U", "u1", **{MEDIUM: "#CLEAR#"})), [(1, MEDIUM, "ADDRESS_WITHOUT_MEDIUM")]),
    ("medium only", "users", users(user("A", "u2", **contact("アプリ", ""))), [(1, ADDRESS, "MEDIUM_WITHOUT_ADDRESS")]),
    ("mail", "users", users(user("A", "u2", **contact("メールアドレス", "a@b"))), [(1, ADDRESS, "BAD_MAIL_ADDRESS")]),
    ("phone", "users", users(user("A", "u2", **contact("電話番号", "03(12)"))), [(1, ADDRESS, "BAD_PHONE_NUMBER")]),
    ("medium changed", "users", users(user("U", "u1", **contact("電話番号", ""))), [(1, ADDRESS, "BAD_PHONE_NUMBER")]),
]  # fmt: skip


@pytest.fixture(scope="module")
def filled() -> Iterator[Emc]:
    """Departments d0 > d1, user u1 in d1 with a mail address; none of the cases changes them."""
    with Emc.start() as emc:
        emc.load(
            departments(["A", "d0", "会社", "カイシャ", ""], ["A", "d1", "営業部", "エイギョウブ", "d0"]),
            users(user("A", "u1", 所属部署コード="d1", **contact("メールアドレス", "u1@example.com"))),
        )
        yield emc


@pytest.mark.parametrize(("file", "body", "expected"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS])
def test_e37_each_error_is_found_at_its_place(
    filled: Emc, file: str, body: bytes, expected: list[tuple[int, str | None, str]]
) -> None:
    """A file with one error is rejected with that error alone, and the account stays as it was."""
    before = (filled.export("departments"), filled.export("users"), filled.call("GET", "/account").json()["version"])

    done = filled.load(*((body, None) if file == "departments" else (None, body)))

    assert (done["state"], done["counts"], done["version"]) == ("rejected", None, None)
    assert codes(done) == [(file, *one) for one in expected]
    after = (filled.export("departments"), filled.export("users"), filled.call("GET", "/account").json()["version"])
    assert after == before


def test_every_error_code_has_a_case() -> None:
    """The table above covers all codes but the notice, and the contract lists the same codes."""
    covered = {code for case in ERRORS for _, _, code in case[3]}
    assert covered == set(MESSAGES) - {"ALREADY_ABSENT"}
    schemas = CONTRACT["components"]["schemas"]
    assert set(schemas["Finding"]["properties"]["code"]["enum"]) == set(MESSAGES)
    assert set(schemas["Error"]["properties"]["code"]["enum"]) == set(PROBLEMS)
