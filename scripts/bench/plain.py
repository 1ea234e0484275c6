"""What one would write instead: hinata's sheet as a plain loop over dict rows. Measured against Renkei, not used.

python -m scripts.bench.plain DEPARTMENTS.csv TODAY.csv RESULT.csv [YESTERDAY.csv]
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import resource
import sys
import time
from collections.abc import Iterator

MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
PHONE = re.compile(r"\+?[0-9](-?[0-9]){9,14}")
CLEAR = "#CLEAR#"
ITEMS = (
    ["処理フラグ", "ユーザID", "パスワード強制変更", "パスワード", "氏名", "氏名(ヨミ)", "所属部署コード"]
    + [f"兼務管理部署{n}" for n in range(1, 11)]
    + [f"保有権限{n}" for n in range(1, 6)]
    + [f"緊急連絡{n} {what}" for n in range(1, 11) for what in ("媒体", "アドレス")]
    + [f"検索ワード{n}" for n in range(1, 6)]
)


def crews(path: str) -> Iterator[dict[str, str]]:
    """Valid crews, each with its user id."""
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["emp_status"] == "retired":
                continue
            crew = {name: value.strip() for name, value in row.items()}
            crew["id"] = crew["社員番号"] or crew["メールアドレス"]
            yield crew


def row_of(crew: dict[str, str], new: bool) -> dict[str, str]:
    clear = "" if new else CLEAR
    mail, phone = crew["メールアドレス"], crew["電話番号"]
    return {
        "処理フラグ": "A" if new else "U",
        "ユーザID": crew["id"],
        "パスワード強制変更": "T" if new else "",
        "パスワード": crew["id"] if new else "",
        "氏名": f"{crew['姓']}　{crew['名']}".strip(),
        "氏名(ヨミ)": f"{crew['姓(ヨミガナ)']}　{crew['名(ヨミガナ)']}".strip(),
        "所属部署コード": crew["部署1(コード)"],
        "兼務管理部署1": crew["部署2(コード)"] or clear,
        "緊急連絡1 媒体": "メールアドレス" if mail else clear,
        "緊急連絡1 アドレス": mail or clear,
        "緊急連絡2 媒体": "電話番号" if phone else clear,
        "緊急連絡2 アドレス": phone or clear,
        "検索ワード1": crew["事業所"],
        "検索ワード2": crew["住所(都道府県)"],
        "検索ワード3": crew["役職1"] or clear,
    }


def problems_of(crew: dict[str, str], row: dict[str, str], codes: set[str], seen: set[str]) -> Iterator[str]:
    if not crew["id"] or crew["id"] in seen or len(crew["id"]) > 40:
        yield "ユーザID"
    if not row["氏名"] or not row["氏名(ヨミ)"]:
        yield "氏名"
    if crew["部署1(コード)"] not in codes or (crew["部署2(コード)"] and crew["部署2(コード)"] not in codes):
        yield "部署"
    if crew["メールアドレス"] and not MAIL.fullmatch(crew["メールアドレス"]):
        yield "メールアドレス"
    if crew["電話番号"] and not PHONE.fullmatch(crew["電話番号"]):
        yield "電話番号"


def main(departments: str, today: str, result: str, yesterday: str = "") -> None:
    started, cpu = time.perf_counter(), time.process_time()
    with open(departments, encoding="utf-8", newline="") as file:
        codes = {row["code"] for row in csv.DictReader(file)}
    before = {crew["id"] for crew in crews(yesterday)} if yesterday else set()
    rows: list[dict[str, str]] = []
    problems: list[str] = []
    seen: set[str] = set()
    for crew in crews(today):
        row = row_of(crew, crew["id"] not in before)
        problems += problems_of(crew, row, codes, seen)
        seen.add(crew["id"])
        rows.append(row)
    gone = [{"処理フラグ": "D", "ユーザID": user_id} for user_id in before - seen]
    with open(result, "w", encoding="cp932", newline="") as out:
        writer = csv.DictWriter(out, ITEMS, restval="", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(sorted(gone, key=lambda row: row["ユーザID"]) + rows)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    with open(result, "rb") as written:
        lines = hashlib.sha256(b"".join(sorted(written))).hexdigest()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mb": peak, "lines": lines, "problems": len(problems)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
