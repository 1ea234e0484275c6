"""What differs between two sheets of this link, in their own words."""

from __future__ import annotations

from renkei.links.hotprofile_kintone.sheet.mapping import DATA_SETS, Mapping
from renkei.links.hotprofile_kintone.sheet.settings import INFORMATION
from renkei.sheets.difference import SheetLine, labels_of
from renkei.sheets.difference import differences as by_labels

_LABELS = labels_of(
    INFORMATION,
    **DATA_SETS,  # a data set's name is what its lines stand under
    company="会社名",
    data_sets="項目定義",
    enabled="連携を行う",
    app="アプリID",
    key="更新キー",
    old_key_item="旧キー",
    items="項目",
    field="kintoneフィールドコード",
    skip_blank="空なら書かない",
    conversion="変換",
    table="テーブル",
    users="対応表",
)


def differences(old: Mapping, new: Mapping) -> tuple[SheetLine, ...]:
    """Every value that is not the same in both."""
    return by_labels(old, new, _LABELS)
