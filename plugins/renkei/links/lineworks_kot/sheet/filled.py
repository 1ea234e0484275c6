"""From a `Mapping` back to the words of a sheet (E15)."""

from __future__ import annotations

from renkei.links.lineworks_kot.sheet.mapping import Mapping
from renkei.links.lineworks_kot.sheet.parse import DIVISIONS, TYPES
from renkei.links.lineworks_kot.sheet.settings import ALLOWED, FORBIDDEN, INFORMATION
from renkei.notifications.form.filled import Filled, Table, setting_words, text_of

TABLES = (
    Table(DIVISIONS, "divisions", {"code": "所属コード", "day_border": "日付変更時間"}, dated={"day_border": "time"}),
    Table(
        *(TYPES, "types", {"code": "雇用区分コード", "breaks": "休憩打刻"}),
        words={"breaks": ("", ALLOWED, FORBIDDEN)},
    ),
)


def filled(mapping: Mapping) -> Filled:
    """What the sheet says; a 雇用区分 that 休憩打刻 is allowed to needs no line."""
    tables = {
        DIVISIONS: [(code, text_of(at)) for code, at in mapping.boundaries.items()],
        TYPES: [(code, FORBIDDEN) for code in sorted(mapping.no_break_types)],
    }
    return Filled(setting_words(INFORMATION, mapping), tables)
