"""What differs between two sheets of this link, in their own words."""

from __future__ import annotations

from renkei.links.workplace_lineworks.sheet.mapping import Mapping
from renkei.links.workplace_lineworks.sheet.settings import INFORMATION
from renkei.sheets.difference import SheetLine, labels_of
from renkei.sheets.difference import differences as by_labels

_LABELS = labels_of(INFORMATION, company="会社名", messengers="メッセンジャー", table="通知管理")


def differences(old: Mapping, new: Mapping) -> tuple[SheetLine, ...]:
    """Every value that is not the same in both."""
    return by_labels(old, new, _LABELS)
