"""What differs between two sheets of this link, in their own words."""

from __future__ import annotations

from dataclasses import replace

from renkei.links.hotprofile_kintone.sheet.form import CONFLICT_WORDS
from renkei.links.hotprofile_kintone.sheet.mapping import DATA_SETS, Item, Mapping
from renkei.links.hotprofile_kintone.sheet.settings import INFORMATION
from renkei.sheets.difference import SheetLine, labels_of
from renkei.sheets.difference import differences as by_labels

_LABELS = labels_of(
    INFORMATION,
    **DATA_SETS,  # a data set's name is what its lines stand under
    company="会社名",
    interval_minutes="連携間隔（分）",
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
    conflict="競合",
    users="対応表",
)


def differences(old: Mapping, new: Mapping) -> tuple[SheetLine, ...]:
    """Every value that is not the same in both."""
    return by_labels(_worded(old), _worded(new), _LABELS)


def _worded(mapping: Mapping) -> Mapping:
    def word(item: Item) -> Item:
        return replace(item, conflict=CONFLICT_WORDS[item.conflict])

    return replace(
        mapping, data_sets=tuple(replace(one, items=tuple(map(word, one.items))) for one in mapping.data_sets)
    )
