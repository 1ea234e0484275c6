"""What is wrong with an import: codes, their Japanese messages, and the capped list of an import's findings."""

from __future__ import annotations

from typing import Any

CAP = 10_000

MESSAGES = {
    "BAD_CSV": "引用符・区切り文字・改行コードがファイル形式と異なります。以降の行は確認していません。",
    "BAD_ENCODING": "ファイル形式の文字コードとして読めない文字があります。",
    "WRONG_HEADER": "見出し行がファイル形式と異なります。データ行は確認していません。",
    "WRONG_COLUMN_COUNT": "列の数が見出し行と異なります。",
    "BAD_FLAG": "処理フラグの値が正しくありません。",
    "MISSING_REQUIRED": "必須項目に値がありません。",
    "TOO_LONG": "文字数が上限を超えています。",
    "BAD_CHARACTER": "改行・タブなどの制御文字は使用できません。",
    "BAD_CHOICE": "指定できない値です。",
    "BAD_PASSWORD": "パスワードに使用できない文字があります。半角の英数字・記号で指定してください。",
    "PASSWORD_NOT_ALLOWED": "パスワードは追加の行でのみ指定できます。",
    "CLEAR_NOT_ALLOWED": "この項目の値は消去できません。消去は更新の行の任意項目でのみ指定できます。",
    "NOT_EMPTY_ON_DELETE": "削除の行ではID以外の項目を空にしてください。",
    "REPEATED_ID": "同じIDの行がファイル内に複数あります。",
    "DUPLICATE_ID": "追加しようとしたIDは既に登録されています。",
    "UNKNOWN_ID": "更新しようとしたIDは登録されていません。",
    "UNKNOWN_PARENT": "親部署が登録されていません。",
    "DEPARTMENT_LOOP": "親部署をたどると自部署に戻ります。",
    "UNKNOWN_DEPARTMENT": "指定された部署が登録されていません。",
    "DEPARTMENT_IN_USE": "所属するユーザまたは下位の部署があるため削除できません。",
    "BAD_MEDIUM": "媒体の値が正しくありません。",
    "ADDRESS_WITHOUT_MEDIUM": "アドレスに対する媒体がありません。",
    "MEDIUM_WITHOUT_ADDRESS": "媒体に対するアドレスがありません。",
    "BAD_MAIL_ADDRESS": "メールアドレスの形式が正しくありません。",
    "BAD_PHONE_NUMBER": "電話番号の形式が正しくありません。",
    "ALREADY_ABSENT": "削除しようとしたIDは登録されていません。処理は不要でした。",
}


class Findings:
    """Findings in the order found; the first `CAP` are kept, all are counted."""

    def __init__(self) -> None:
        self.count = 0
        self._kept: list[tuple[str, int, str | None, str]] = []

    def add(self, file: str, line: int, item: str | None, code: str) -> None:
        """Note `code` at a data row (1-based; 0 = the header or the file as a whole)."""
        self.count += 1
        if len(self._kept) < CAP:
            self._kept.append((file, line, item, code))

    def listed(self) -> list[dict[str, Any]]:
        """The kept findings: departments before users, then by line."""
        ordered = sorted(self._kept, key=lambda finding: (finding[0], finding[1]))
        return [
            {"file": file, "line": line, "item": item, "code": code, "message": MESSAGES[code]}
            for file, line, item, code in ordered
        ]
