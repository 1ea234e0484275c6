"""読み込み: which of サブドメイン, アプリID and ログイン情報 keeps an app from being read (K12, text 5)."""

from __future__ import annotations

from renkei.errors import ConnectionError_, RenkeiError
from renkei.systems.kintone.errors import KintoneSettingError, KintoneUnreachedError

SUCCEEDED, FAILED = "読み込みに成功しました", "読み込みに失敗しました"
SUBDOMAIN, APP, LOGIN = "サブドメイン", "アプリID", "ログイン情報"
_APP = {"GAIA_AP01"}
_PLACE = {"GAIA_IL23"}  # a guest space's app has another address
_BOTH = {"GAIA_IA02", "GAIA_NO01"}  # the token is another app's, or the app another than the token's


def at_fault(error: RenkeiError) -> tuple[str, ...]:
    """What to look at; none where kintone cannot answer now, or the day's requests are used up."""
    if isinstance(error, KintoneUnreachedError):
        return (SUBDOMAIN,)
    if isinstance(error, ConnectionError_):
        return (LOGIN,)
    if isinstance(error, KintoneSettingError):
        if error.code in _APP:
            return (APP,)
        if error.code in _BOTH:
            return (LOGIN, APP)
        if error.code in _PLACE:
            return (SUBDOMAIN,)
        return (LOGIN,) if error.code else (SUBDOMAIN, LOGIN)  # somebody else answers, or nobody is let in
    return ()
