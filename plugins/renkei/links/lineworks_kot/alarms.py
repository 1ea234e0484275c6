"""What an administrator is told while messages are worked off: once when it begins, once when it is over (P15)."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

from renkei.links.lineworks_kot import LINK
from renkei.runs.troubles import Troubles
from renkei.storage.database.database import Database

STOPPED, UNREADABLE, AWAY = LASTING = ("stopped", "unreadable", "away")  # they last, and end
FUTURE, NO_BOUNDARY, UNSURE, NO_TIME = "future", "no_boundary", "unsure", "no_time"  # they happen
SUBJECTS = {
    STOPPED: "KING OF TIMEに打刻できません",
    UNREADABLE: "KING OF TIMEの打刻を確認できません",
    AWAY: "KING OF TIMEが応答しません",
    FUTURE: "未来の時刻の打刻メッセージ",
    NO_BOUNDARY: "日付変更時間がない所属の打刻",
    NO_TIME: "時刻を読み取れない打刻メッセージ",
    UNSURE: "記録されたかどうか分からない打刻",
}
OVER = "KING OF TIMEとの連携が復旧しました"
AWAY_AFTER = dt.timedelta(minutes=10)  # a shorter absence is told to nobody

Tell = Callable[[str, str, bool], bool]  # kind, text, whether it is over; whether somebody heard it


class Alarms:
    """The troubles of one tenant; noticed from any thread, told by `tell_new`. Kinds are those above, or such a word and more."""

    def __init__(self, database: Database, tenant: str, tell: Tell) -> None:
        self._troubles = Troubles(database, f"{LINK} pump", tenant)
        self._tell, self._lock = tell, threading.Lock()
        self._now: dict[str, tuple[dt.datetime, str]] = {}  # since when, and what is said of it
        self._ended: set[str] = set()

    def notice(self, kind: str, text: str, now: dt.datetime) -> None:
        with self._lock:
            since, _ = self._now.get(kind, (now, ""))
            self._now[kind] = (since, text)
            self._ended.discard(kind)

    def over(self, *kinds: str) -> None:
        """It has been seen that these are none, or none any more."""
        with self._lock:
            for kind in kinds:
                self._now.pop(kind, None)
                self._ended.add(kind)

    def tell_new(self, now: dt.datetime) -> None:
        """Tell what nobody has heard of yet, and of what is over. Raises StoreError."""
        with self._lock:
            due = {kind: text for kind, (since, text) in self._now.items() if kind != AWAY or now - since >= AWAY_AFTER}
            ended = set(self._ended)
        if not due and not ended:
            return
        known = self._troubles.over(())
        new, over = self._troubles.untold(due, now), ended & known
        heard = {kind for kind in new if self._tell(kind, due[kind], False)}
        gone = {kind for kind in over if self._tell(kind, "", True)}
        if heard or gone:
            self._troubles.note_told((known - gone) | heard, now)
        with self._lock:
            self._ended -= ended - (over - gone)
            for kind in heard | (set(due) - new):
                if kind not in LASTING:
                    self._now.pop(kind, None)


def no_boundary(division: str) -> tuple[str, str]:
    """Kind and text of a 所属 without 日付変更時間."""
    said = f"所属コード「{division}」の日付変更時間が連携設定シートに無いため、打刻できません。シートに加えてください。"
    return f"{NO_BOUNDARY} {division}"[:60], said
