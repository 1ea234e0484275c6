"""What else one would write instead: hinata's sheet as a few statements of DuckDB. Measured against Renkei, not used.

python -m scripts.bench.duck DEPARTMENTS.csv TODAY.csv RESULT.csv [YESTERDAY.csv]
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import time
from pathlib import Path

import duckdb

from scripts.bench.plain import CLEAR, ITEMS, MAIL, PHONE

CREWS = """
    SELECT *, coalesce(nullif("社員番号", ''), "メールアドレス") AS id
    FROM (SELECT trim(COLUMNS(*)) FROM read_csv(?, header = true, all_varchar = true, nullstr = '\\0'))
    WHERE emp_status <> 'retired'
"""
# By item: what a joiner gets, and who stays; an item that is not named here is blank for both.
VALUES = {
    "処理フラグ": "if(new, 'A', 'U')",
    "ユーザID": "id",
    "パスワード強制変更": "if(new, 'T', '')",
    "パスワード": "if(new, id, '')",
    "氏名": """trim("姓" || '　' || "名")""",
    "氏名(ヨミ)": """trim("姓(ヨミガナ)" || '　' || "名(ヨミガナ)")""",
    "所属部署コード": '"部署1(コード)"',
    "兼務管理部署1": """coalesce(nullif("部署2(コード)", ''), clear)""",
    "緊急連絡1 媒体": """if("メールアドレス" <> '', 'メールアドレス', clear)""",
    "緊急連絡1 アドレス": """coalesce(nullif("メールアドレス", ''), clear)""",
    "緊急連絡2 媒体": """if("電話番号" <> '', '電話番号', clear)""",
    "緊急連絡2 アドレス": """coalesce(nullif("電話番号", ''), clear)""",
    "検索ワード1": '"事業所"',
    "検索ワード2": '"住所(都道府県)"',
    "検索ワード3": """coalesce(nullif("役職1", ''), clear)""",
}
PROBLEMS = f"""
    SELECT
        (SELECT count(*) FROM today WHERE id = '' OR length(id) > 40)
        + (SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM today GROUP BY id))
        + (SELECT count(*) FROM today WHERE trim("姓" || "名") = '' OR trim("姓(ヨミガナ)" || "名(ヨミガナ)") = '')
        + (SELECT count(*) FROM today WHERE "部署1(コード)" NOT IN (FROM codes)
            OR ("部署2(コード)" <> '' AND "部署2(コード)" NOT IN (FROM codes)))
        + (SELECT count(*) FROM today WHERE "メールアドレス" <> ''
            AND NOT regexp_full_match("メールアドレス", '{MAIL.pattern.replace("'", "''")}'))
        + (SELECT count(*) FROM today WHERE "電話番号" <> '' AND NOT regexp_full_match("電話番号", '{PHONE.pattern}'))
"""


def main(departments: str, today: str, result: str, yesterday: str = "") -> None:
    started, cpu = time.perf_counter(), time.process_time()
    database = duckdb.connect()
    database.execute("CREATE TABLE codes AS SELECT code FROM read_csv(?, all_varchar = true)", [departments])
    database.execute(f"CREATE TABLE today AS {CREWS}", [today])
    if yesterday:
        database.execute(f"CREATE TABLE before AS SELECT id FROM ({CREWS})", [yesterday])
    else:
        database.execute("CREATE TABLE before (id VARCHAR)")
    (problems,) = database.execute(PROBLEMS).fetchone() or (0,)
    listed = ", ".join(f"""{VALUES.get(item, "''")} AS "{item}" """ for item in ITEMS)
    gone = ", ".join({"処理フラグ": "'D'", "ユーザID": "id"}.get(item, "''") for item in ITEMS)
    database.execute(f"""
        COPY (
            SELECT {gone} FROM before WHERE id NOT IN (SELECT id FROM today)
            UNION ALL
            SELECT {listed} FROM (
                SELECT today.*, before.id IS NULL AS new, if(before.id IS NULL, '', '{CLEAR}') AS clear
                FROM today LEFT JOIN before ON before.id = today.id
            )
        ) TO '{result}.utf8' (HEADER false, FORCE_QUOTE *)
    """)
    with open(f"{result}.utf8", encoding="utf-8", newline="\n") as text, open(result, "wb") as out:
        out.write(",".join(f'"{item}"' for item in ITEMS).encode("cp932") + b"\r\n")
        while lines := text.readlines(1 << 24):
            out.write("".join(lines).replace("\n", "\r\n").encode("cp932"))
    Path(f"{result}.utf8").unlink()
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    with open(result, "rb") as written:
        digest = hashlib.sha256(b"".join(sorted(written))).hexdigest()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mb": peak, "lines": digest, "problems": int(problems)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
