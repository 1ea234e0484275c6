"""Writes a `Mapping` as the Excel workbook that a customer fills in (E15)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from renkei.links.smarthr_emc.sheet.form import to_raw
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.settings import SETTINGS

if TYPE_CHECKING:
    from renkei.links.smarthr_emc.sheet.excel.drawing import Value


def write_workbook(mapping: Mapping, path: Path) -> None:
    """Writes the mapping so that `read_workbook` and `parse` give it back exactly.

    It is the template, filled in: every item of EMC has a line; the ones that are not linked have a blank 連携有無.
    """
    from renkei.links.smarthr_emc.sheet.excel.template import draw  # a run only ever reads sheets

    raw = to_raw(mapping)
    texts = [setting.value.text for setting in raw.settings or ()]
    draw(path, raw, values=[_typed(mapping, setting.key, text) for setting, text in zip(SETTINGS, texts, strict=True)])


def _typed(mapping: Mapping, key: str, text: str) -> Value:
    """Dates, times and numbers as Excel's own, so that they can be edited as such."""
    if key.startswith("guards."):
        return float(text) if "." in text else int(text)
    match key:
        case "link_start_on":
            return mapping.link_start_on
        case "run_at":
            return mapping.run_at
        case "requests_per_second":
            return mapping.requests_per_second
    return text
