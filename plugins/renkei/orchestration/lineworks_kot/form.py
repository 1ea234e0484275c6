"""The 実行方法 of the trigger form."""

from __future__ import annotations

from typing import Any

from renkei.links.lineworks_kot.mode import Mode
from renkei.links.lineworks_kot.sheet.mapping import MAX_CODE
from renkei.orchestration.form import Form, RunMode, Setting

_CODE = {"type": ["null", "string"], "maxLength": MAX_CODE}


def _text(value: Any) -> str:
    return str(value).strip()[:MAX_CODE]


FORM = Form(
    RunMode(Mode.NORMAL, "通常", "従業員とアカウントを確かめ、打刻をKING OF TIMEと照合する", on_console=True),
    RunMode(Mode.CHECK_ONLY, "確認のみ", "接続と権限を確かめる。何も変えない", writes=False, on_console=True),
    RunMode(
        Mode.FIRST_MESSAGE, "初回メッセージ送信", "登録済みの全従業員に送る。送信済みの人には送らない", writes=False
    ),
    RunMode(Mode.RECONCILE, "照合", "打刻をKING OF TIMEと照合する。何も変えない", writes=False, on_console=True),
    division=Setting("所属コード", Mode.FIRST_MESSAGE, _CODE, "空欄ならすべて", _text),
    type=Setting("雇用区分コード", Mode.FIRST_MESSAGE, _CODE, "空欄ならすべて", _text),
)
