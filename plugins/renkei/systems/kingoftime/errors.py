"""What an answer of KING OF TIME's that is no success means to the caller.

    PunchRefusedError    it does not take this punch: the others go on
    StoppedError         token, address or right: it takes nothing until a person acts (P15)
    KingOfTimeAwayError  not now: forbidden hours, too many requests, nobody there; `unknown`: it may have punched

Nothing of its messages is passed on, which may quote what was sent (L6): they are decided about by status and code.
"""

from __future__ import annotations

from renkei.errors import RecordError, RetriableLoadError, SettingError
from renkei.systems.transport import json_of

UNAUTHENTICATED, HOURS, TOO_MANY = "100", "104", "303"
HOURS_S = 60.0  # until it is asked again where it says that the hour is forbidden, and our clock does not
CROWDED_S = 10.0
AWAY_S = 20.0


class PunchRefusedError(RecordError):
    """KING OF TIME refused one punch (400); it did not register it."""


class StoppedError(SettingError):
    """KING OF TIME refuses the token, our address or a right: 403 with code 100 does not say which (P15)."""


class KingOfTimeAwayError(RetriableLoadError):
    """It cannot answer now. `unknown`: what was sent may have been registered all the same."""

    def __init__(self, message: str, *, unknown: bool = False, pause_s: float = AWAY_S) -> None:
        super().__init__(message)
        self.unknown, self.pause_s = unknown, pause_s


class OtherPunchError(KingOfTimeAwayError):
    """It has registered a punch, and not the one that was sent: sent again, it would be one more."""

    def __init__(self) -> None:
        super().__init__(
            "KING OF TIMEが、送ったものと異なる日時または種別で打刻を登録したと応答しました。", unknown=True
        )


def refusal(status: int, content: bytes, address: str, pause_s: float | None) -> Exception:
    """The error that an answer stands for. `address` is ours, to be allowed; `pause_s` its Retry-After."""
    code, message = _said(content)
    if status == 429 or code == TOO_MANY:
        said = "KING OF TIMEのリクエスト数の上限に達しました。しばらく待って続けます。"
        return KingOfTimeAwayError(said, pause_s=pause_s or CROWDED_S)
    if status == 403 and code == HOURS:
        return KingOfTimeAwayError("KING OF TIMEがAPIの利用を禁止している時間帯です。", pause_s=HOURS_S)
    if status == 400 or (status == 404 and "employee" in message):
        return PunchRefusedError(_cause(message, code))
    if 400 < status < 500 and status != 408:  # a 404 is of the URL: whom it does not know it answers with 400
        return StoppedError(stopped(address, f"HTTP {status}{f' コード{code}' if code else ''}"))
    said = f"KING OF TIMEが応答できません（HTTP {status}{f' コード{code}' if code else ''}）。"
    return KingOfTimeAwayError(said, unknown=True, pause_s=pause_s or AWAY_S)


def stopped(address: str, found: str) -> str:
    """All three causes, and what to do about each."""
    allow = address or "運用担当者に確認したアドレス"
    return (
        f"KING OF TIMEが要求を拒否しています（{found}）。次の3つを確認してください。"
        "(1) アクセストークン: KING OF TIMEの 設定 > その他 > オプション > 外部サービス連携 のトークンと、Airflowの接続(kingoftime)の"
        f"トークンが同じか。(2) 許可IPアドレス: {allow} を許可しているか。"
        "(3) 権限: 打刻の登録(Write)と閲覧(Read)、従業員・所属・雇用区分の閲覧(Read)を許可しているか。"
        "直るまで打刻は送らず、すべて保管しています。直ると自動で続きを送ります。"
    )


def _cause(message: str, code: str) -> str:
    """Why a punch was refused, as far as its words are known (docs/assumptions.md): only the wording hangs on them."""
    number = f"（コード{code}）" if code else ""
    if "break" in message or "休憩" in message:
        return f"この雇用区分では休憩打刻が許可されていません{number}。KING OF TIMEの雇用区分設定を確認してください。"
    if "resign" in message or "退職" in message:
        return f"退職した従業員です{number}。KING OF TIMEの従業員設定を確認してください。"
    if "employee not found" in message:
        return f"KING OF TIMEに従業員が見つかりません{number}。アカウント設定を確認してください。"
    return f"KING OF TIMEが打刻を受け付けませんでした{number}。KING OF TIMEで打刻してください。"


def _said(content: bytes) -> tuple[str, str]:
    """Code and message of the error, in either of its two forms; empty where it is something else."""
    try:
        body = json_of(content)
    except ValueError:
        return "", ""
    if isinstance(body, dict) and isinstance(body.get("errors"), list) and body["errors"]:
        body = body["errors"][0]
    if not isinstance(body, dict):
        return "", ""
    code, message = body.get("code"), body.get("message")
    return str(code)[:10] if type(code) in (int, str) else "", message.lower() if isinstance(message, str) else ""
