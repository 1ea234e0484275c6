"""What a run was asked to do, however it was started: form, REST API, command line, another Dag (E3).

What is asked comes from the run's conf, which is where all of them leave it; `params` is a copy that an installation
may switch off (`[core] dag_run_conf_overrides_params`). What cannot be understood as a whole is refused as a whole: a
misspelt 実行方法 must not become a load (L1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow.sdk import Param
from airflow.sdk.definitions.param import ParamsDict

from renkei.errors import SettingError
from renkei.orchestration.starting import AHEAD
from renkei.sheets.side_run import mark_of

TEST = "notify_test"  # 通知テスト of the trigger form; no mode of a link, for it is no run of it


@dataclass(frozen=True, slots=True)
class RunMode:
    """One 実行方法."""

    value: str
    label: str
    note: str = ""
    writes: bool = True  # else a good end of it does not put right what an earlier run left undone
    on_console: bool = False  # the console offers it by a button


@dataclass(frozen=True, slots=True)
class Setting:
    """A field of the trigger form that belongs to one 実行方法."""

    label: str
    mode: str
    schema: Mapping[str, Any]
    note: str
    read: Callable[[Any], Any]  # a value of the conf; raises SettingError


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One run's 実行方法 and its settings."""

    mode: RunMode
    settings: Mapping[str, Any] = field(default_factory=dict)
    is_side_run: bool = False

    @property
    def is_test(self) -> bool:
        return self.mode.value == TEST


_TEST = RunMode(TEST, "通知テスト", "通知先に試しの通知を送る。連携の処理はしない", writes=False)
_CHANNEL = Setting(
    "通知先の名前",
    TEST,
    {"type": ["null", "string"], "maxLength": 100},
    "空欄ならすべて",
    lambda value: str(value).strip(),
)


class Form:
    """The trigger form of a link's Dags: its modes, the first of which is the daily run's, and their settings.

    `side_runs` are the modes of the runs beside the daily one, by their marks. They are no part of the form.
    """

    def __init__(self, *modes: RunMode, side_runs: Mapping[str, RunMode] | None = None, **settings: Setting) -> None:
        self._side_runs = side_runs or {}
        self.modes = {mode.value: mode for mode in (*modes, _TEST)}
        self.settings = {**settings, "channel": _CHANNEL}
        self.daily = modes[0]
        self.looking = next((mode for mode in modes if not mode.writes), self.daily)

    def params(self) -> ParamsDict:
        """As Airflow shows it. Made anew for each Dag: Airflow writes what a run was triggered with into it."""
        shown = {mode.value: mode.label + (f"（{mode.note}）" if mode.note else "") for mode in self.modes.values()}
        first = Param(self.daily.value, type="string", enum=[*shown], values_display=shown, title="実行方法")
        rest = {
            name: Param(None, **one.schema, title=f"{one.label}（{self.modes[one.mode].label}のときだけ。{one.note}）")
            for name, one in self.settings.items()
        }
        return ParamsDict({"mode": first, **rest})

    def run_request(self, context: Any) -> RunRequest:
        """What this run was asked to do; the daily run is what it is, whatever its conf says.

        Raises:
            SettingError: the conf holds what the form does not have, or a setting of another 実行方法.
        """
        run = context["dag_run"]
        if run.run_type == "scheduled":
            return RunRequest(self.scheduled(context["run_id"]), is_side_run=bool(mark_of(context["run_id"])))
        conf: dict[str, Any] = dict(run.conf or {})
        if AHEAD in conf:
            raise SettingError(
                f"論理日付または開始日時に未来の日時（{conf[AHEAD]}）が指定されたため、実行しません。日時を指定した実行の予約は"
                "できません。論理日付を空欄にするか現在の日時にして、もう一度実行（Trigger）してください。"
            )
        known = ("mode", *self.settings)
        if unknown := sorted(key for key in conf if key not in known and not key.startswith("airflow/")):
            raise SettingError(
                f"実行時の設定(conf)に、実行フォームに無い項目があります: {'、'.join(unknown)[:200]}。"
                f"指定できるのは {'、'.join(known)} です。直してから、もう一度実行（Trigger）してください。"
            )
        mode = self._mode(conf.get("mode"))
        given = {
            name: value
            for name, one in self.settings.items()
            if conf.get(name) not in (None, "") and (value := one.read(conf[name])) not in (None, "")
        }
        for name in given:
            if (one := self.settings[name]).mode != mode.value:
                raise SettingError(
                    f"「{one.label}」は、実行方法が「{self.modes[one.mode].label}」のときだけ指定できます。"
                    "実行方法を確認し、もう一度実行（Trigger）してください。"
                )
        return RunRequest(mode, given)

    def scheduled(self, run_id: str) -> RunMode:
        """What a run does that begins by itself. A side run that is not known here looks, and does not load."""
        mark = mark_of(run_id)
        return self._side_runs.get(mark, self.looking) if mark else self.daily

    def is_test(self, context: Any) -> bool:
        """Whether this run was started as 通知テスト: it does none of the link's work."""
        try:
            return self.run_request(context).is_test
        except SettingError:
            return False

    def _mode(self, value: Any) -> RunMode:
        if value is None:
            return self.daily
        if isinstance(value, str) and value in self.modes:
            return self.modes[value]
        raise SettingError(f"実行方法(mode)の値が正しくありません。指定できるのは {'、'.join(self.modes)} です。")
