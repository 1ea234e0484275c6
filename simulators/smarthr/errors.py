"""SmartHR's documented error answers: code, type and HTTP status. Messages other than 1 and 2 are invented."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ApiError:
    """One row of the documented table."""

    status: int
    code: int
    type: str
    message: str

    def body(self) -> dict[str, object]:
        """The documented JSON body."""
        return {"code": self.code, "type": self.type, "message": self.message, "errors": None}


BAD_REQUEST = ApiError(400, 1, "bad_request", "不正なリクエストパラメータです")
UNAUTHORIZED = ApiError(401, 2, "unauthorized_token", "無効なアクセストークンです")
FORBIDDEN = ApiError(403, 3, "forbidden", "このリソースへのアクセスは許可されていません")
NOT_FOUND = ApiError(404, 4, "not_found", "リソースが見つかりません")
INTERNAL = ApiError(500, 5, "internal_server_error", "予期しないエラーが発生しました")
TOO_MANY = ApiError(429, 6, "too_many_requests", "リクエスト数の上限を超えました")
MAINTENANCE = ApiError(503, 9, "service_maintenance", "メンテナンス中です")
IP_NOT_PERMITTED = ApiError(403, 15, "ip_not_permitted", "許可されていないIPアドレスです")
