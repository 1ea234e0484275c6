"""What a refusal of kintone's means to the caller, decided by its code and never by its sentence.

    RecordRefusedError   one record of the request is at fault: leave it out, send the others (L2, K18)
    RecordGoneError      the record that was to be changed is not there any more
    KintoneSettingError  a token, a right, the app, a field or the address: nothing of this app can be written (K11, K21)
    KintoneAwayError     not now: maintenance, a lock, too many at once, no answer (K17)
    QuotaSpentError      the day's requests are used up (K15)

Nothing of a message of kintone's is passed on: it quotes values, and so people (L6).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from renkei.errors import RecordError, RenkeiError, RetriableLoadError, SettingError
from renkei.systems.transport import json_of


@dataclass(frozen=True, slots=True)
class Refusal:
    """What kintone has against one record of a request; what it does not say is None or empty."""

    index: int | None  # of the record in the request
    field: str  # code of the field; of a table's cell, that of the cell
    code: str  # of kintone's error: CB_VA01
    detail: str  # in Japanese: what is wrong
    remedy: str

    def __str__(self) -> str:
        where = f"フィールド「{self.field}」: " if self.field else ""
        return f"{where}{self.detail}（{self.code}） → {self.remedy}"


class RecordRefusedError(RecordError):
    """At least one record is at fault, and so none of the request was written.

    `refusals` are those that kintone named. Where the first one's index is None, nothing tells which record it is.
    """

    def __init__(self, refusals: Collection[Refusal]) -> None:
        self.refusals = tuple(refusals)
        super().__init__("\n".join(map(str, self.refusals)))

    @property
    def first(self) -> Refusal:
        return self.refusals[0]


class RecordGoneError(RecordRefusedError):
    """A record that was to be changed has been deleted; which one, it does not say. None of the request was written."""


class KintoneSettingError(SettingError):
    """Nothing of the app can be read or written until a person mends what the message names."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class KintoneAwayError(RetriableLoadError):
    """kintone cannot answer now. `unknown`: what was sent may have been written all the same."""

    def __init__(self, message: str, *, unknown: bool) -> None:
        super().__init__(message)
        self.unknown = unknown


class KintoneUnreachedError(KintoneAwayError):
    """No connection to its address came about: nothing was sent."""


class CrowdedError(KintoneAwayError):
    """Too many requests at once on the domain (K16): what was sent was not looked at."""


class RecordChangedError(KintoneAwayError):
    """Somebody changed a record since the revision that was told, or in the same moment; none of the request was written."""


class QuotaSpentError(RenkeiError):
    """The day's requests of the app are used up; what is left waits for the next day's 0:00 (K15)."""


# A lock, or another's change in the same moment: written by nobody, and free again soon. GAIA_TM12: too many cursors.
CHANGED = "GAIA_CO02"
_LATER = {"GAIA_DA02", "GAIA_LT01", "GAIA_RE18", CHANGED, "GAIA_UN03", "GAIA_TM12"}
GONE = frozenset({"GAIA_RE01", "GAIA_RE20"})
_RECORDS: dict[str, tuple[str, str]] = {
    "GAIA_LO04": (
        "ルックアップの値がコピー元のアプリに無いか、コピー元のアプリを閲覧できません",
        "コピー元のアプリにその値を登録するか、Airflowの接続(kintone)にコピー元のアプリのAPIトークン(閲覧)を加えてください",
    ),
    "GAIA_IL26": (
        "kintoneに居ないユーザーが指定されています",
        "ユーザーの対応表でkintoneのログイン名を確認してください",
    ),
    "GAIA_IL27": (
        "kintoneに無いグループが指定されています",
        "項目の値とkintoneのグループのコードを確認してください",
    ),
    "GAIA_IL28": (
        "kintoneに無い組織が指定されています",
        "項目の値とkintoneの組織のコードを確認してください",
    ),
}
_TOKEN = "kintoneのアプリの設定 > APIトークン で、レコードの閲覧・追加・編集を許可したトークンを作り、アプリを更新してから、Airflowの接続(kintone)に登録してください。"
_READ_AGAIN = "kintoneでフィールドコードを確認し、連携設定シートの項目定義を直して、もう一度読み込みを行ってください。"
_SETTINGS: dict[str, str] = {
    "CB_WA01": "kintoneのログイン名またはパスワードが正しくありません。Airflowの接続(kintone)を確認してください。",
    "CB_TW02": f"kintoneのユーザーに2要素認証が設定されているため、パスワードでは接続できません。{_TOKEN}",
    "CB_NO02": "kintoneのアプリ、レコードまたはフィールドの権限がありません。アプリのアクセス権で、閲覧・追加・編集を許可してください。",
    "GAIA_NO01": f"kintoneのAPIトークンに、この操作の権限がありません。{_TOKEN}",
    "GAIA_IA02": f"kintoneのAPIトークンが無効か、このアプリのものではありません。{_TOKEN}",
    "GAIA_AP01": "kintoneのアプリがありません（削除されたか、アプリIDが違います）。連携設定シートのアプリIDを確認してください。",
    "GAIA_IL23": "kintoneのアプリはゲストスペースの中にあります。連携設定シートのゲストスペースIDを記入してください。",
    "GAIA_FC01": f"連携設定シートにあるフィールドコードが、kintoneのアプリにありません。{_READ_AGAIN}",
    "GAIA_IQ11": f"連携設定シートにあるフィールドコードが、kintoneのアプリにありません。{_READ_AGAIN}",
    "GAIA_FU01": "kintoneのフィールドの編集権限がありません。フィールドのアクセス権で、編集を許可してください。",
    "GAIA_LO03": "ルックアップのコピー元のフィールドに、同じ値のレコードが複数あります。kintoneのコピー元のアプリで「値の重複を禁止する」を設定してください。",
}
_NAME = re.compile("[A-Z]{2,10}_[A-Z0-9]{2,10}")  # of an error; anything else may quote what was sent
# `records[1].name.value`, `records[1][name].value`, `record.table.value[2].value.name.value`
_RECORD_PATH = re.compile(r"records?(?:\[(?P<index>[0-9]{1,3})\])?(?P<rest>[.\[].+)")
_FIELD = re.compile(r"[.\[]([^.\[\]]+)")
_PATH_WORDS = ("record", "value", "values")  # what stands between the names of fields
# What CB_VA01 says, as far as it holds no value. Only the wording hangs on it, never what is done.
_DETAILS: tuple[tuple[str, str, str], ...] = (
    (
        "必須です|Required",
        "必須の項目が空です",
        "Hot Profileで値を入力するか、kintoneのフィールドを必須でなくしてください",
    ),
    (
        "重複|already exists|[Dd]uplicate",
        "値が他のレコードと重複しています",
        "同じ値のレコードをkintoneで確認し、どちらかを直してください",
    ),
    (
        "文字より短く|shorter",
        "値が長すぎます",
        "Hot Profileの値を短くするか、kintoneのフィールドの最大文字数を広げてください",
    ),
    (
        "文字より長く|longer",
        "値が短すぎます",
        "Hot Profileの値を直すか、kintoneのフィールドの最小文字数を下げてください",
    ),
    (
        "以下である|以上である|less than|greater than",
        "数値が範囲の外です",
        "Hot Profileの値を直すか、kintoneのフィールドの最小値・最大値を広げてください",
    ),
    ("数字で|number", "数値ではありません", "Hot Profileの値を数字だけにしてください"),
    (
        "選択肢|option",
        "kintoneのフィールドにその選択肢がありません",
        "kintoneのフィールドに選択肢を加えるか、Hot Profileの値を直してください",
    ),
)
_CHECK = ("kintoneが値を受け付けませんでした", "kintoneのフィールドの設定とHot Profileの値を確認してください")


def failure(
    status: int,
    content: bytes,
    headers: Mapping[str, str],
    *,
    names: Mapping[str, str] | None = None,
    address: str = "",
) -> RenkeiError:
    """The error that an answer means.

    `names` are the fields that the request may be about: code by code and by label. `address` is the one that this
    machine is seen with from outside, where the operator has told it.
    """
    body = _body_of(content)
    code = body.get("code")
    if not isinstance(code, str) or not _NAME.fullmatch(code):
        code = headers.get("X-Cybozu-Error", "")
        code = code if _NAME.fullmatch(code) else ""
    if code == "GAIA_TO04" or status == 429:
        return CrowdedError("kintoneへの同時アクセス数が上限に達しました。時間をおいて再実行します。", unknown=False)
    if code in _LATER:
        kind = RecordChangedError if code == CHANGED else KintoneAwayError
        return kind(f"kintoneのアプリが更新中です（{code}）。時間をおいて再実行します。", unknown=False)
    if code in GONE:
        remedy = "kintoneにレコードがないので、次回の連携で追加します"
        return RecordGoneError([Refusal(None, "", code, "更新するレコードがkintoneで削除されています", remedy)])
    if code == "CB_VA01":
        return _invalid(body)
    if code in _RECORDS:
        detail, remedy = _RECORDS[code]
        return RecordRefusedError([Refusal(None, _named(body.get("message"), names or {}), code, detail, remedy)])
    if code in _SETTINGS:
        return KintoneSettingError(_SETTINGS[code], code)
    if status in (401, 403) or code.startswith("CB_AU"):
        return KintoneSettingError(_refused_by_address(address, status, code), code)
    if status in (408, 503) or status >= 500:
        return KintoneAwayError(
            "kintoneがメンテナンス中か、一時的に応答できません"
            f"（HTTP {status}{'、' + code if code else ''}）。正常に接続できるようになれば、自動で再開します。",
            unknown=not code,
        )
    if 300 <= status < 400 or (status == 404 and not code):
        return KintoneSettingError(
            f"kintoneのURLが正しくありません（HTTP {status}）。サブドメイン、アプリID、ゲストスペースIDを確認してください。"
        )
    return KintoneSettingError(
        f"kintoneが要求を受け付けませんでした（HTTP {status}、{code or '理由不明'}）。"
        "連携設定シートとkintoneのアプリの設定を確認してください。",
        code,
    )


def _body_of(content: bytes) -> dict[str, Any]:
    """The error as kintone writes it; empty where it is no JSON: maintenance and proxies answer in HTML."""
    try:
        body = json_of(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _refused_by_address(address: str, status: int, code: str) -> str:
    """kintone's answer does not tell an address that is not allowed from credentials that it does not take (K21)."""
    allow = f"IPアドレス {address} を" if address else "この連携サーバのIPアドレス（運用担当者にお尋ねください）を"
    return (
        f"kintoneに接続を拒否されました（HTTP {status}{'、' + code if code else ''}）。"
        f"kintoneでIPアドレス制限を設定している場合は、cybozu.com共通管理 > IPアドレス制限 で{allow}許可してください。"
        "制限していない場合は、Airflowの接続(kintone)のログイン情報を確認してください。"
    )


def _invalid(body: Mapping[str, Any]) -> RenkeiError:
    """CB_VA01: of records where its paths say so, else of the request itself."""
    errors = body.get("errors")
    refusals = []
    for path, said in errors.items() if isinstance(errors, dict) else ():
        found = _RECORD_PATH.fullmatch(path)
        if found is None or found["rest"].startswith(".updateKey.field"):
            continue
        index = None if found["index"] is None else int(found["index"])
        names = [name for name in _FIELD.findall(found["rest"]) if name not in _PATH_WORDS and not name.isdigit()]
        refusals.append(Refusal(index, names[-1] if names else "", "CB_VA01", *_detail(said)))
    if refusals:
        return RecordRefusedError(sorted(refusals, key=lambda one: -1 if one.index is None else one.index))
    return KintoneSettingError(
        "kintoneが要求の形を受け付けませんでした（CB_VA01）。連携設定シートのアプリIDと更新キーを確認してください。",
        "CB_VA01",
    )


def _detail(said: Any) -> tuple[str, str]:
    messages = said.get("messages") if isinstance(said, dict) else None
    text = " ".join(one for one in messages if isinstance(one, str)) if isinstance(messages, list) else ""
    return next(((detail, remedy) for pattern, detail, remedy in _DETAILS if re.search(pattern, text)), _CHECK)


def _named(message: Any, names: Mapping[str, str]) -> str:
    """The field that a message names, if it is one of `names`; a text that is none may be a value (L6)."""
    if not isinstance(message, str):
        return ""
    found = re.search(r"フィールド「(.+?)」の値|(?:in|for) the field \"?(.+?)\"? (?:does not|\()", message)
    return names.get(found[1] or found[2], "") if found else ""
