"""What differs between two sheets of this link, in their own words."""

from __future__ import annotations

from renkei.links.lineworks_kot.sheet.mapping import Mapping
from renkei.links.lineworks_kot.sheet.settings import INFORMATION
from renkei.sheets.difference import SheetLine, labels_of
from renkei.sheets.difference import differences as by_labels

_LABELS = labels_of(
    INFORMATION, company="会社名", boundaries="所属の日付変更時間", no_break_types="休憩打刻を許可しない雇用区分"
)


def differences(old: Mapping, new: Mapping) -> tuple[SheetLine, ...]:
    """Every value that is not the same in both."""
    return by_labels(old, new, _LABELS)
