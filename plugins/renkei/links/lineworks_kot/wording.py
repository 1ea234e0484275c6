"""What people read of this link's runs: subjects of mails; nothing names anybody (L6)."""

from __future__ import annotations

from renkei.runs.outcome import Outcome

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
