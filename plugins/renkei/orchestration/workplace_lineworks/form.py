"""The 実行方法 of the trigger form."""

from __future__ import annotations

from renkei.links.workplace_lineworks.model import Mode
from renkei.links.workplace_lineworks.sheet import side_runs
from renkei.orchestration.form import Form, RunMode

RECONCILE = RunMode(Mode.RECONCILE, "照合", "カレンダーの予定が手で変更・削除されていないかを調べる")
FORM = Form(
    RunMode(Mode.NORMAL, "通常", on_console=True),
    RunMode(Mode.CHECK_ONLY, "確認のみ", "件数を調べる。カレンダーに書き込まない", writes=False, on_console=True),
    RunMode(Mode.RETRY_FAILED, "失敗分の再連携", "登録できない不在をもう一度連携する", on_console=True),
    RunMode(Mode.RELEASE, "保留中の取消の承認", "保留した大量の取消を確認し、承認すると反映する"),
    RECONCILE,
    side_runs={side_runs.RECONCILE: RECONCILE},
)
