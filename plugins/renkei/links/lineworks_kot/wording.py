"""What people read of this link's runs: subjects of mails, and what became of a reply; nothing names anybody (L6)."""

from __future__ import annotations

from renkei.outbox.tables import State as Outboxed
from renkei.runs.outcome import Outcome
from renkei.runs.steps import StepResult

SUBJECTS = {
    Outcome.OK: "KOT-OK(確認完了)",
    Outcome.CHECKED: "KOT-CHECK(確認のみ)",
    Outcome.COMPARED: "KOT-COMPARE(照合)",
    Outcome.DIFFERS: "KOT-WARN(照合で差異あり)",
    Outcome.DATA: "KOT-ERROR-D(データエラー)",
    Outcome.RECEIVE: "KOT-ERROR-R(受信エラー)",
    Outcome.LOAD: "KOT-ERROR-L(KING OF TIME接続エラー)",
    Outcome.SETTING: "KOT-ERROR-S(設定エラー)",
    Outcome.BASELINE: "KOT-ERROR-B(記録エラー)",
    Outcome.REFUSED: "KOT-ERROR-G(中止)",
    Outcome.SYSTEM: "KOT-ERROR-X(システムエラー)",
    Outcome.HOLD: "KOT-HOLD(承認待ち)",
    Outcome.CONFIRM: "KOT-CONFIRM(確認待ち)",
}
NEEDS_SOMEBODY = "KOT-WARN(確認が必要です)"
OVER = "KOT-OK(復旧)"
REPLY_STATES = {
    Outboxed.WAITING: "送信待ち",
    Outboxed.SENDING: "送信中",
    Outboxed.SENT: "返信済み",
    Outboxed.REFUSED: "不達",
    Outboxed.UNKNOWN: "不明",
    Outboxed.DROPPED: "期限切れ",
}
REPLY_STEPS = {
    Outboxed.WAITING: (StepResult.NOT, "送信を待っています。"),
    Outboxed.SENDING: (StepResult.NOT, "送信中です。"),
    Outboxed.SENT: (StepResult.YES, "返信しました。"),
    Outboxed.REFUSED: (StepResult.NO, "LINE WORKSが受け付けませんでした。"),
    Outboxed.UNKNOWN: (StepResult.NOT, "届いたかどうか分かりません（二重に送らないよう再送しません）。"),
    Outboxed.DROPPED: (StepResult.NOT, "期限を過ぎたため送りませんでした。"),
}
