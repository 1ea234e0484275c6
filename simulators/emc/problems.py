"""Answers of the interface that are not the wanted one: code, status and Japanese message."""

from __future__ import annotations

PROBLEMS = {
    "BAD_REQUEST": (400, "リクエストの内容が正しくありません。"),
    "UNAUTHORIZED": (401, "アクセストークンが無効、または期限切れです。"),
    "NOT_FOUND": (404, "指定されたデータが見つかりません。"),
    "METHOD_NOT_ALLOWED": (405, "このパスでは使用できないメソッドです。"),
    "KEY_REUSED": (409, "同じIdempotency-Keyが別の内容の取り込みで使用されています。"),
    "IMPORT_IN_PROGRESS": (409, "このアカウントの別の取り込みが終わっていません。"),
    "NOT_OPEN": (409, "この取り込みは受付中ではありません。"),
    "NOT_DECLARED": (409, "この取り込みの開始時に宣言されていないファイルです。"),
    "FILES_MISSING": (409, "宣言されたファイルがまだ送信されていません。"),
    "DIGEST_MISMATCH": (422, "ファイルの内容が宣言されたSHA-256または行数と一致しません。"),
    "TOO_MANY_REQUESTS": (429, "リクエストが多すぎます。時間をおいて再度実行してください。"),
    "SERVER_ERROR": (500, "サーバ内部でエラーが発生しました。"),
}


class Problem(Exception):
    """A refusal: one of `PROBLEMS`, with an optional addition to its message and extra headers."""

    def __init__(self, code: str, detail: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.status, message = PROBLEMS[code]
        self.message = message + detail
        self.headers = headers or {}

    def body(self) -> dict[str, str]:
        return {"code": self.code, "message": self.message}
