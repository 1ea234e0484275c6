"""一括インポート: accounts from a CSV or Excel file, every bad row of it found before any is used (P5, L2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from renkei.errors import Problem
from renkei.links.lineworks_kot.credentials import ACCOUNT_LABEL, account_fault
from renkei.sheets.findings import Findings
from renkei.sheets.rows import Rows, UnreadableError, read_rows
from renkei.texts import fold, trim

CODE, NAME = "従業員コード", "氏名"
_TITLES = {
    **{fold(title): "code" for title in (CODE, "社員コード", "社員番号")},
    **{fold(title): "entered" for title in (ACCOUNT_LABEL, "LINE WORKS ID", "アカウントID", "LINE WORKSアカウント")},
}
_DIGITS_LOST = re.compile(r"[0-9](?:\.[0-9]+)?[Ee]\+[0-9]+")  # what Excel makes of a long number in a CSV
MAX_LINES = 20_000


@dataclass(frozen=True, slots=True)
class AccountFile:
    """What was read: by employee key the account, empty where there is a problem."""

    accounts: Mapping[str, str]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...] = ()


def read_accounts(content: bytes, name: str, keys: Mapping[str, str], registered: Mapping[str, str]) -> AccountFile:
    """The accounts in a file called `name`, and everything wrong with it by the row that a spreadsheet shows.

    `keys` are the employees by 従業員コード; `registered` says whose each account is now (casefolded, 従業員コード).
    """
    findings = Findings()
    try:
        lines = list(_lines(read_rows(content, name), name, findings))
    except UnreadableError as error:
        where = f"{name} {error.row}行目" if error.row else name
        return AccountFile({}, (Problem(where, error.found, error.remedy),))
    _check(lines, name, keys, registered, findings)
    findings.problems.sort(key=lambda one: int(found[1]) if (found := re.search(r" (\d+)行目", one.where)) else 0)
    found = {} if findings.problems else {keys[code]: entered for _, code, entered in lines}
    return AccountFile(found, tuple(findings.problems), tuple(findings.warnings))


def _lines(read: Rows, name: str, findings: Findings) -> Iterable[tuple[int, str, str]]:
    """Number, code and account of each line below the titles; blank lines are left out. May raise UnreadableError."""
    filled = [(number, row) for number, row in enumerate(read.rows, 1) if any(trim(cell) for cell in row)]
    if len(filled) < 2:
        raise UnreadableError("従業員の行がありません", "1行目に見出し、2行目から従業員を入力してください")
    if len(filled) > MAX_LINES + 1:
        raise UnreadableError(f"従業員が{MAX_LINES:,}行を超えています", "ファイルを分けてください")
    places: dict[str, int] = {}
    for column, title in enumerate(filled[0][1]):
        if key := _TITLES.get(fold(title)):
            if key in places:
                raise UnreadableError(f"「{trim(title)}」の列が2つあります", "1つにしてください", filled[0][0])
            places[key] = column
    for key, label in (("code", CODE), ("entered", ACCOUNT_LABEL)):
        if key not in places:
            raise UnreadableError(f"見出し「{label}」の列がありません", f"1行目に「{label}」の見出しを加えてください")
    faults = {(number, column): fault for number, column, fault in read.faults}
    for number, row in filled[1:]:
        cells = {}
        for key, column in places.items():
            cells[key] = row[column] if column < len(row) else ""
            if fault := faults.get((number, column)):
                findings.problem(_at(name, number, key), fault.found, fault.remedy)
        yield number, trim(cells["code"]), cells["entered"]


def _check(
    lines: list[tuple[int, str, str]],
    name: str,
    keys: Mapping[str, str],
    registered: Mapping[str, str],
    findings: Findings,
) -> None:
    by_code: dict[str, tuple[int, str]] = {}
    by_account: dict[str, int] = {}
    changing = {code for _, code, _ in lines}
    told = {problem.where for problem in findings.problems}
    for number, code, entered in lines:
        where_code, where_account = _at(name, number, "code"), _at(name, number, "entered")
        if where_code in told or where_account in told:
            continue
        if fault := account_fault(entered):
            findings.problem(where_account, fault.found, fault.remedy)
        elif first := by_account.setdefault(entered.casefold(), number) - number:
            findings.problem(
                *(where_account, f"{number + first}行目と同じアカウントIDです"),
                "従業員ごとに異なるアカウントIDにしてください",
            )
        elif (holder := registered.get(entered.casefold(), code)) != code and holder not in changing:
            findings.problem(
                *(where_account, f"従業員コード {holder} に登録済みのアカウントIDです"),
                "どちらの登録が正しいか確認してください。入れ替える場合は、その従業員の行も加えてください",
            )
        if not code:
            findings.problem(where_code, f"{CODE}がありません", f"KING OF TIMEの{CODE}を入力してください")
        elif _DIGITS_LOST.fullmatch(code):
            findings.problem(
                *(where_code, f"「{code}」は桁が失われた数値です"),
                "Excelで列の表示形式を「文字列」にしてから入力し直してください",
            )
        elif code in by_code:
            line, other = by_code[code]
            same = "同じ行が" if other == entered else "別のアカウントIDが"
            findings.problem(where_code, f"この従業員には{line}行目にも{same}あります", "どちらか1行を削除してください")
        elif code not in keys:
            findings.problem(
                *(where_code, f"従業員コード「{code[:20]}」の従業員がKING OF TIMEにいません"),
                "コードを直すか、KING OF TIMEに登録してから「従業員を読み込む」を行ってください（先頭の0も数えます）",
            )
        by_code.setdefault(code, (number, entered))


def _at(name: str, number: int, key: str) -> str:
    return f"{name} {number}行目 {CODE if key == 'code' else ACCOUNT_LABEL}"
