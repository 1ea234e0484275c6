"""The states of a 連携 and how they look: a word, a sign and a tone, never a colour alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from renkei.jobs.records import JobState


@dataclass(frozen=True, slots=True)
class Badge:
    """How a state is shown."""

    key: str  # in addresses and class names
    label: str
    sign: str
    tone: str  # bad | wait | cold | none | quiet | good


class CompanyState(Enum):
    """One for each company; the order is the urgency."""

    STOPPED = Badge("stopped", "停止（エラー）", "✕", "bad")
    HELD = Badge("held", "要対応（保留）", "！", "wait")
    SILENT = Badge("silent", "結果なし", "✕", "bad")
    BROKEN = Badge("broken", "設定エラー", "✕", "bad")
    VOID_GRANT = Badge("void_grant", "再認可が必要", "✕", "bad")
    FROZEN = Badge("frozen", "災害時凍結中", "❄", "cold")
    UNLINKED_YET = Badge("new", "未連携", "○", "none")
    BEFORE = Badge("before", "開始前", "○", "none")
    PAUSED = Badge("paused", "一時停止", "‖", "quiet")
    UNLINKED = Badge("unlinked", "連携解除", "–", "quiet")
    WELL = Badge("well", "正常", "●", "good")

    @property
    def urgency(self) -> int:
        return list(CompanyState).index(self)


BY_KEY = {state.value.key: state for state in CompanyState}
RUN_STATES = {"queued": "待機中", "running": "実行中", "success": "成功", "failed": "失敗"}
VERDICTS = {
    "ACCEPTED": ("受領", "good"),
    "REFUSED": ("拒否", "bad"),
    "LATER": ("再送待ち", "wait"),
    "UNKNOWN": ("不明", "wait"),
}
JOB_STATES = {
    JobState.WAITING: ("待機中", "cold"),
    JobState.RUNNING: ("実行中", "cold"),
    JobState.DONE: ("完了", "good"),
    JobState.FAILED: ("失敗", "bad"),
    JobState.LOST: ("中断", "bad"),
}
