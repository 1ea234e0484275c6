"""kintone's errors: status, code and message, in Japanese or English."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

Text = tuple[str, str]  # Japanese, English

REQUIRED: Text = ("必須です。", "Required.")
REQUIRED_PARAMETER: Text = ("必須です。", "Required field.")
DUPLICATE: Text = ("値がほかのレコードと重複しています。", "This value already exists in another record.")
NO_NUMBER: Text = ("数字でなければなりません。", "Only numbers are allowed.")
BAD_FORMAT: Text = ("形式が正しくありません。", "Invalid format.")  # (guess)
SYNTAX: Text = ("クエリ記法が間違っています。", "The query syntax is incorrect.")

# code: (status, Japanese, English)
ERRORS: dict[str, tuple[int, str, str]] = {
    "CB_VA01": (400, "入力内容が正しくありません。", "Missing or invalid input."),
    "CB_IJ01": (400, "不正なJSON文字列です。", "Invalid JSON string."),
    "CB_IL02": (400, "不正なリクエストです。", "Illegal request."),
    "CB_AU01": (401, "ログインしてください。", "Please log in."),
    "CB_WA01": (401, "ログイン名またはパスワードが正しくありません。", "Invalid login name or password."),
    "CB_NO02": (403, "権限がありません。", "No privilege to proceed."),
    "GAIA_IA02": (
        400,
        "指定したAPIトークンは、アプリの設定画面で生成されたAPIトークンと一致しません。",
        "The specified API token does not match the API token generated via an app.",
    ),
    "GAIA_NO01": (
        403,
        "APIトークンに、APIを実行する権限がありません。",
        "Using this API token, you cannot run the specified API.",
    ),
    "GAIA_AP01": (
        404,
        "指定したアプリ（id: {}）が見つかりません。削除されている可能性があります。",
        "The app (ID: {}) not found. The app may have been deleted.",
    ),
    "GAIA_RE01": (
        404,
        "指定したレコード（id: {}）が見つかりません。",
        "The specified record (ID: {}) is not found.",
    ),
    "GAIA_RE20": (
        404,
        "指定した更新キー（{}）のレコードが見つかりません。",
        "The record with the specified update key ({}) is not found.",
    ),
    "GAIA_BL01": (
        404,
        "指定したファイル（id: {}）が見つかりません。",
        "The specified file (id: {}) not found.",
    ),
    "GAIA_LO04": (
        400,
        "フィールド「{}」の値「{}」が、ルックアップの参照先のフィールドにないか、またはアプリやフィールドの閲覧権限がありません。",
        'A value for the field "{}" ("{}") does not exist in the datasource for the lookup, or you do not have permission to view the app or the field.',
    ),
    "GAIA_LO03": (
        400,
        "フィールド「{}」は、ルックアップの参照先のフィールドで値の重複が禁止されていません。",
        'The key field of the lookup "{}" does not prohibit duplicate values.',
    ),
    "GAIA_FC01": (400, "指定されたフィールド（{}）が見つかりません。", "The field ({}) is not found."),
    "GAIA_IL23": (
        400,
        "ゲストスペース内のアプリにはゲストスペース用のパスを指定してください。",
        "Use the path of the guest space for an app in a guest space.",
    ),
    "GAIA_IL26": (400, "指定したユーザー（code: {}）が見つかりません。", "The user (code: {}) is not found."),
    "GAIA_IL28": (400, "指定した組織（code: {}）が見つかりません。", "The organization (code: {}) is not found."),
    "GAIA_IL29": (
        400,
        "指定したグループ（code: {}）が見つかりません。",
        "The group (code: {}) is not found.",
    ),  # (guess)
    "GAIA_CO02": (
        409,
        "指定したrevisionは最新ではありません。ほかのユーザーがレコードを更新した可能性があります。",
        "The revision is not the latest. Someone may update a record.",
    ),
    "GAIA_DA02": (
        400,
        "データベースのロックに失敗したため、変更を保存できませんでした。時間をおいて再度お試しください。",
        "Failed to lock the database, and the changes could not be saved. Please try again later.",
    ),
    "GAIA_TO04": (
        429,
        "同時に実行できるAPIリクエストの上限に達しました。",
        "The maximum number of concurrent API requests has been reached.",
    ),
    "GAIA_TM12": (400, "作成できるカーソルの上限に達しているため、カーソルを作成できません。", "Too many cursors."),
    "GAIA_CN01": (404, "指定したカーソルが見つかりません。", "The cursor is not found."),  # (guess: code)
    "GAIA_QU01": (
        400,
        "limit には 500 以下の値を指定してください。",
        "A value set to limit must be less than or equal to 500.",
    ),
    "GAIA_QU02": (
        400,
        "offset には 10,000 以下の値を指定してください。",
        "A value set to offset must be less than or equal to 10,000.",
    ),
    "GAIA_IQ11": (400, "指定されたフィールド（{}）が見つかりません。", "Specified field ({}) not found."),
    "GAIA_IQ03": (
        400,
        "{}フィールドのフィールドタイプには演算子{}を使用できません。",
        "The field type of {} cannot be used with the operator {}.",
    ),
    "GAIA_IQ07": (
        400,
        "テーブルに配置した{}フィールドには演算子{}を使用できません。inまたはnot inを使用してください。",
        "The field {} in a table cannot be used with the operator {}; use in or not in.",
    ),
}


class KintoneError(Exception):
    """A refusal; `errors` are the paths of CB_VA01, `results` what a bulkRequest answers instead."""

    def __init__(
        self, code: str, *values: object, status: int | None = None, errors: Mapping[str, list[Text]] | None = None
    ) -> None:
        super().__init__(code)
        self.code, self.values, self.errors = code, values, errors
        self.status = status or ERRORS[code][0]

    def body(self, language: int = 0) -> dict[str, Any]:
        """What the client reads; `language` 0 is Japanese."""
        text = ERRORS[self.code][1:][language].format(*self.values)
        found: dict[str, Any] = {"code": self.code, "id": secrets.token_urlsafe(15), "message": text}
        if self.errors is not None:
            found["errors"] = {
                path: {"messages": [message[language] for message in messages]}
                for path, messages in self.errors.items()
            }
        return found


def parameter(name: str, *texts: Text) -> KintoneError:
    """A parameter that is missing, or says what the texts say."""
    return KintoneError("CB_VA01", errors={name: list(texts) or [REQUIRED_PARAMETER]})


def number_of_records(name: str, most: int) -> KintoneError:
    return parameter(name, (f"一度に{most}件まで指定できます。", f"Up to {most} can be specified."))
