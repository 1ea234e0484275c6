"""The 実行方法 of the trigger form (E3)."""

from __future__ import annotations

from typing import Any

from renkei.errors import SettingError
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.wording import MODES, SIDE_RUNS
from renkei.orchestration.form import Form, RunMode, Setting

ON_CONSOLE = (Mode.NORMAL, Mode.CHECK_ONLY, Mode.RECONCILE)


def _whole_number(value: Any) -> int:
    if isinstance(value, int | float) and not isinstance(value, bool) and value == int(value) and value > 0:
        return int(value)
    raise SettingError("「復元する世代」は1以上の整数で指定してください。")


FORM = Form(
    *(RunMode(mode.value, *words, writes=mode.writes, on_console=mode in ON_CONSOLE) for mode, words in MODES.items()),
    side_runs={mark: RunMode(mode.value, label, writes=mode.writes) for mark, (mode, label) in SIDE_RUNS.items()},
    generation=Setting(
        "復元する世代", Mode.RESTORE, {"type": ["null", "integer"], "minimum": 1}, "空欄なら1つ前", _whole_number
    ),
)
