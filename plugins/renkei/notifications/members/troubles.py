"""Why the linking of a LINE account does not go on, as the member is told (N4)."""

from __future__ import annotations

from enum import StrEnum

from renkei.errors import RenkeiError


class LinkingFailure(StrEnum):
    """Why it does not go on."""

    UNKNOWN = "UNKNOWN"  # no such invitation
    EXPIRED = "EXPIRED"
    SPENT = "SPENT"  # linked by it once, and something has changed since
    OFTEN = "OFTEN"  # begun with as often as an invitation may be
    STATE = "STATE"  # not an attempt that we began, or too old, or made already
    ELSEWHERE = "ELSEWHERE"  # the button of a page that is not ours
    BROWSER = "BROWSER"  # another browser began it
    CANCELLED = "CANCELLED"  # by the member
    TAKEN = "TAKEN"  # the LINE account is somebody else's
    LINE = "LINE"  # LINE refused, or does not answer


class LinkingError(RenkeiError):
    """The linking does not go on; the message is for the member."""

    def __init__(self, trouble: LinkingFailure, message: str) -> None:
        super().__init__(message)
        self.trouble = trouble


_MESSAGES = {
    LinkingFailure.UNKNOWN: "この招待のURLは使えません。メールなどで届いたURLの全体を開いているか確かめ、それでも開けない場合は、"
    "総務・人事の担当者に新しいURLを依頼してください。",
    LinkingFailure.EXPIRED: "この招待のURLは有効期限が切れています。総務・人事の担当者に新しいURLを依頼してください。",
    LinkingFailure.SPENT: "この招待のURLは使用済みです。変更したい場合は、総務・人事の担当者に新しいURLを依頼してください。",
    LinkingFailure.OFTEN: "この招待のURLで操作を始めた回数が多すぎるため、使えなくなりました。総務・人事の担当者に新しいURLを依頼してください。",
    LinkingFailure.STATE: "時間がたちすぎたか、既に使われた画面です。招待のURLをもう一度開いて、最初からやり直してください。",
    LinkingFailure.ELSEWHERE: "この操作は登録の画面から始まっていないため、安全のため中止しました。届いた招待のURLをブラウザで開き、画面のボタンを押してください。",
    LinkingFailure.BROWSER: "最初に開いたものとは別のブラウザで戻ってきたため、安全のため中止しました。招待のURLを、SafariやChromeなど"
    "いつものブラウザで開き、同じブラウザのまま最後まで操作してください。",
    LinkingFailure.CANCELLED: "LINEの画面で「キャンセル」が選ばれたため、登録していません。登録する場合は、招待のURLをもう一度開いてください。",
    LinkingFailure.LINE: "LINEから確認が得られなかったため、登録していません。少し待ってから、招待のURLをもう一度開いてください。"
    "繰り返す場合は総務・人事の担当者に連絡してください。",
}


def linking_error(kind: LinkingFailure) -> LinkingError:
    """To be raised."""
    return LinkingError(kind, _MESSAGES[kind])
