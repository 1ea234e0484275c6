"""What a reader found in a 連携設定シート, word for word, before anything is judged (E15).

`excel/` and `yaml_form.py` make it, `parse.py` judges it, `form.py` makes it from a `Mapping` again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from renkei.errors import Problem
from renkei.notifications.form.lines import ChannelLine
from renkei.texts import NO_CELL, RawCell


@dataclass(frozen=True, slots=True)
class RawSetting:
    """One line of 連携情報."""

    label: RawCell
    value: RawCell
    remarks: tuple[Problem, ...] = ()  # what is doubtful about the line, should it be used


@dataclass(frozen=True, slots=True)
class RawRow:
    """One line of 部署データ or ユーザデータ; department lines have blank policy cells.

    `linked` is the 連携有無 cell, None where the form has no such column.
    """

    item: RawCell
    linked: RawCell | None
    source: RawCell
    create_present: RawCell
    create_blank: RawCell
    update_present: RawCell
    update_blank: RawCell
    convert: RawCell = NO_CELL
    remarks: tuple[Problem, ...] = field(default=(), kw_only=True)  # what is doubtful about it, should it be linked

    @property
    def policies(self) -> tuple[RawCell, RawCell, RawCell, RawCell]:
        """In the order of `Place`."""
        return self.create_present, self.create_blank, self.update_present, self.update_blank


def placeless(text: str) -> RawCell:
    """A cell of a sheet that stands nowhere yet."""
    return RawCell(text, "")


def row_of(item: str, linked: str, source: str, policies: Sequence[str] = ("",) * 4, convert: str = "") -> RawRow:
    """A line of such cells."""
    one, two, three, four = map(placeless, policies)
    return RawRow(
        placeless(item), placeless(linked), placeless(source), one, two, three, four, convert=placeless(convert)
    )


@dataclass(frozen=True, slots=True)
class RawSheet:
    """The parts of a sheet in reading order; a part is None when `problems` says that it is missing.

    通知 (`channels`) is no part that every sheet has: without it there are no lines of it.
    """

    name: str  # the file's name
    settings: tuple[RawSetting, ...] | None
    departments: tuple[RawRow, ...] | None
    users: tuple[RawRow, ...] | None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()  # doubtful whatever the lines say: two worksheets of one name …
    channels: tuple[ChannelLine, ...] = ()
