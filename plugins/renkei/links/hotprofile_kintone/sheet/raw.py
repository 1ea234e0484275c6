"""What a reader found in a sheet, word for word, before anything is judged: `yaml_form` and `workbook` make it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from renkei.errors import Problem
from renkei.notifications.form.lines import ChannelLine
from renkei.sheets.information import RawSetting
from renkei.texts import RawCell


@dataclass(frozen=True, slots=True)
class RawItem:
    """One line of a data set's items."""

    item: RawCell
    field: RawCell
    key: RawCell  # 更新キー: ○
    blank: RawCell  # 空のとき
    conversion: RawCell  # 変換
    table: RawCell  # テーブル
    conflict: RawCell  # 競合
    remarks: tuple[Problem, ...] = dataclasses.field(
        default=(), kw_only=True
    )  # what is doubtful about it, should it be used


@dataclass(frozen=True, slots=True)
class RawSheet:
    """The parts of a sheet in reading order."""

    name: str  # the file's name
    settings: tuple[RawSetting, ...]
    items: Mapping[str, tuple[RawItem, ...]]  # by data set
    users: tuple[tuple[RawCell, RawCell], ...] = ()  # 対応表
    channels: tuple[ChannelLine, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
