"""Writes a `Mapping` as the Excel workbook that a customer fills in (E15)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from renkei.links.smarthr_emc.sheet.excel.template import draw
from renkei.links.smarthr_emc.sheet.form import setting_values, to_raw, value_text
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.sheets.workbook.drawing import Value


def write_workbook(mapping: Mapping, path: Path) -> None:
    """Writes the mapping so that `raw_from_workbook` and `parse` give it back exactly.

    It is the template, filled in: every item of EMC has a line; the ones that are not linked have a blank 連携有無.
    """
    values = [_typed(value) for _, value in setting_values(mapping)]
    draw(path, to_raw(mapping), values=values)


def _typed(value: Any) -> Value:
    """Dates, times and numbers as Excel's own, so that they can be edited as such."""
    return value if isinstance(value, dt.date | dt.time | int | float) else value_text(value)
