"""Why nothing was connected, and what whoever was on the way is told (S3)."""

from __future__ import annotations

from enum import StrEnum

from renkei.errors import RenkeiError


class ConnectFailure(StrEnum):
    """Why nothing was connected."""

    STATE = "STATE"  # unknown, used, or too long ago
    BROWSER = "BROWSER"  # another browser or another person began it
    CANCELLED = "CANCELLED"
    REFUSED = "REFUSED"
    SETTING = "SETTING"
    AWAY = "AWAY"
    LOST = "LOST"
    OTHER_COMPANY = "OTHER_COMPANY"
    NO_RIGHT = "NO_RIGHT"
    MEANWHILE = "MEANWHILE"
    PLAIN_STORE = "PLAIN_STORE"


AGAIN = "もう一度「連携する」を押してください。"
SAID = {
    ConnectFailure.STATE: f"ログインの有効期限（10分）が切れたか、すでに使われています。連携済みでなければ、{AGAIN}",
    ConnectFailure.BROWSER: f"「連携する」を押した人と、同じブラウザで操作してください。{AGAIN}",
    ConnectFailure.CANCELLED: f"キャンセルされました。連携は変わっていません。連携する場合は、{AGAIN}",
    ConnectFailure.REFUSED: f"SmartHRの許可を受け取れませんでした（期限切れ、または使用済みです）。{AGAIN}",
    ConnectFailure.SETTING: "SmartHRがこの連携サーバの登録を受け付けません。運用担当者に連絡してください。",
    ConnectFailure.AWAY: "SmartHRに接続できないか、メンテナンス中です。時間をおいて、もう一度「連携する」を押してください。",
    ConnectFailure.LOST: f"SmartHRの応答を受け取れず、連携できたか分かりません。{AGAIN}",
    ConnectFailure.OTHER_COMPANY: "ログインした会社が、シートのSmartHR URLと違います。この会社の管理者でログインし直して、"
    "もう一度「連携する」を押してください。シートのURLが違う場合は、シートを直してください。",
    ConnectFailure.NO_RIGHT: "ログインした人またはこの連携に、SmartHRの従業員を参照する権限がありません。SmartHRの管理者権限でログインし直すか、"
    "SmartHRのアクセス制限を確認して、もう一度「連携する」を押してください。",
    ConnectFailure.MEANWHILE: "ほかの人が先に操作しました。状態を確認し、必要ならもう一度「連携する」を押してください。",
    ConnectFailure.PLAIN_STORE: "保存先が暗号化されていないため、SmartHRの許可を保存できません。運用担当者に、保存先の暗号化"
    "（RENKEI_STORE_KEY_CONN_ID）の設定を依頼してください。",
}


class ConnectingError(RenkeiError):
    """Nothing was connected; `str()` says why and what to do, and is fit for whoever was on the way."""

    def __init__(self, trouble: ConnectFailure, reason: str = "") -> None:
        self.trouble, self.reason = trouble, reason
        super().__init__(SAID[trouble])
