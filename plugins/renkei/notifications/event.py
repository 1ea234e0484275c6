"""What can be told, as 通知管理 lists it (N1)."""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    """An event of 通知管理; the label is the column's name in the sheet."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    HOLD = "HOLD"
    UNCHANGED = "UNCHANGED"
    DISABLED = "DISABLED"
    EXPIRY = "EXPIRY"

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS = {
    Event.SUCCESS: "成功",
    Event.FAILURE: "失敗",
    Event.HOLD: "保留",
    Event.UNCHANGED: "変化なし",
    Event.DISABLED: "通知無効化",
    Event.EXPIRY: "期限切れ予告",
}
EVERY_EVENT = frozenset(Event)
