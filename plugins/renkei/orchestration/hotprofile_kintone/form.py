"""The 実行方法 of the trigger form."""

from __future__ import annotations

import datetime as dt
from typing import Any

from renkei.errors import SettingError
from renkei.links.hotprofile_kintone.model import Mode
from renkei.links.hotprofile_kintone.sheet.mapping import DATA_SETS
from renkei.orchestration.form import Form, RunMode, Setting

_DAY = {"type": ["null", "string"], "format": "date"}
_BY_LABEL = {label: name for name, label in DATA_SETS.items()}


def _day(value: Any) -> dt.date:
    try:
        return dt.date.fromisoformat(str(value).strip())
    except ValueError:
        raise SettingError("日付は「2026-04-01」の形で指定してください。") from None


def _data_set(value: Any) -> str:
    name = _BY_LABEL.get(str(value).strip(), str(value).strip())
    if name not in DATA_SETS:
        raise SettingError(f"データは {'、'.join(_BY_LABEL)} のいずれかを指定してください。")
    return name


def _text(value: Any) -> str:
    return str(value).strip()[:64]


FORM = Form(
    RunMode(Mode.NORMAL, "通常", on_console=True),
    RunMode(
        Mode.CHECK_ONLY,
        "確認のみ",
        "件数と、かかるAPIリクエスト数を調べる。書き込まない",
        writes=False,
        on_console=True,
    ),
    RunMode(Mode.TEST_ONE, "1件テスト", "連携テスト。1件だけ書き込んで確認する", writes=False),
    RunMode(Mode.RETRY_FAILED, "失敗分の再連携", "失敗レコードをもう一度連携する", on_console=True),
    RunMode(Mode.ESTIMATE, "初期連携の見積もり", "件数、APIリクエスト数、日数を調べる。書き込まない", writes=False),
    RunMode(Mode.INITIAL, "初期連携", "指定日以降に更新された既存のデータも連携する"),
    RunMode(Mode.FROM_NOW, "今から", "停止していた間の変更は連携せず、今からの変更だけを連携する"),
    RunMode(
        Mode.RECONCILE, "照合", "連携したデータがkintoneとHot Profileに今あるかを調べる。書き込まない", writes=False
    ),
    data_set=Setting(
        "データ", Mode.TEST_ONE, {"type": ["null", "string"], "enum": [None, *_BY_LABEL]}, "テストするデータ", _data_set
    ),
    source_id=Setting("ID", Mode.TEST_ONE, {"type": ["null", "string"], "maxLength": 64}, "Hot ProfileのID", _text),
    estimate_since=Setting("更新日", Mode.ESTIMATE, _DAY, "この日以降に更新されたデータ", _day),
    since=Setting("更新日", Mode.INITIAL, _DAY, "この日以降に更新されたデータ", _day),
)
