"""What a reader found in a 連携設定シート, word for word, before anything is judged (E15).

`excel/` and `yaml_form.py` make it, `parse.py` judges it, `form.py` makes it from a `Mapping` again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from renkei.errors import Problem


class Fault(Exception):
    """One thing wrong with one cell: `found` and `remedy` of the `Problem` that the caller places."""

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(f"{found} → {remedy}")
        self.found = found
        self.remedy = remedy

    def at(self, where: str) -> Problem:
        return Problem(where, self.found, self.remedy)


@dataclass(frozen=True, slots=True)
class RawCell:
    """A cell's text and its place as its reader sees it (`acme.xlsx 連携情報!B3`)."""

    text: str
    where: str


NO_CELL = RawCell("", "")  # where a form has no such cell


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


@dataclass(frozen=True, slots=True)
class RawSheet:
    """The three parts of a sheet in reading order; a part is None when `problems` says that it is missing."""

    name: str  # the file's name
    settings: tuple[RawSetting, ...] | None
    departments: tuple[RawRow, ...] | None
    users: tuple[RawRow, ...] | None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()  # doubtful whatever the lines say: two worksheets of one name …
