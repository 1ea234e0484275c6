"""What a run may be asked to do; all that a Dag's form needs to know of it."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """実行方法."""

    NORMAL = "NORMAL"  # 通常
    CHECK_ONLY = "CHECK_ONLY"  # 確認のみ
    FIRST_MESSAGE = "FIRST_MESSAGE"  # 初回メッセージ送信
    RECONCILE = "RECONCILE"  # 照合

    @property
    def refreshes(self) -> bool:
        return self is Mode.NORMAL

    @property
    def compares(self) -> bool:
        return self in (Mode.NORMAL, Mode.RECONCILE)
