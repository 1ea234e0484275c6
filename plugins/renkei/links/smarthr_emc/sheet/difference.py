"""What differs between two 連携設定シート, in their own words."""

from __future__ import annotations

from collections.abc import Sequence

from renkei.links.smarthr_emc.sheet.codec import without_password
from renkei.links.smarthr_emc.sheet.form import to_raw
from renkei.links.smarthr_emc.sheet.items import USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.policy import Place
from renkei.links.smarthr_emc.sheet.raw import RawRow
from renkei.notifications.form.lines import ChannelLine
from renkei.sheets.difference import INFORMATION, SheetLine

HIDDEN = "非表示"  # in place of a literal password (L7)
SOURCE, CONVERT = "SmartHR項目", "変換"


def differences(old: Mapping, new: Mapping) -> tuple[SheetLine, ...]:
    """Every line that was added, removed or changed, column by column, in the new sheet's order.

    That a literal password is another one is not seen: the sheet in force is kept without it (L6).
    """
    before, after = to_raw(without_password(old, HIDDEN)), to_raw(without_password(new, HIDDEN))
    found = []
    values = {one.label.text: one.value.text for one in before.settings or ()}
    for one in after.settings or ():
        label = one.label.text
        if values.get(label, "") != one.value.text:
            found.append(SheetLine(INFORMATION, label, "", values.get(label, ""), one.value.text))
    sources = {row.item.text: row.source.text for row in before.departments or ()}
    for row in after.departments or ():
        name = row.item.text
        if sources.get(name, "") != row.source.text:
            found.append(SheetLine("部署データ", name, SOURCE, sources.get(name, ""), row.source.text))
    was = dict(zip((rule.item for rule in old.users), before.users or (), strict=True))
    now = dict(zip((rule.item for rule in new.users), after.users or (), strict=True))
    for item in USER_ITEM:
        found += _item_lines(was.get(item), now.get(item))
    return tuple(found + _channel_lines(before.channels, after.channels))


def _channel_lines(old: Sequence[ChannelLine], new: Sequence[ChannelLine]) -> list[SheetLine]:
    """通知: each channel by its name, its cells as one text."""
    was, now = ({line.name.text: _shown(line) for line in lines} for lines in (old, new))
    changed = [name for name in {**now, **was} if was.get(name) != now.get(name)]
    return [SheetLine("通知", name, "", was.get(name, ""), now.get(name, "")) for name in changed]


def _shown(line: ChannelLine) -> str:
    events = [title.text for title, mark in line.marks or () if mark.text == "○"]
    muted = "通知を行わない" if line.muted.text else ""
    return " / ".join(filter(None, (line.service.text, line.connection.text, line.to.text, muted, "・".join(events))))


def _item_lines(old: RawRow | None, new: RawRow | None) -> list[SheetLine]:
    if old is None or new is None:
        row = new or old
        if row is None:
            return []
        words = " / ".join(text for _, text in _columns(row) if text)
        return [
            SheetLine("ユーザデータ", row.item.text, "", "" if old is None else words, "" if new is None else words)
        ]
    name = new.item.text
    renamed = [] if old.item.text == name else [SheetLine("ユーザデータ", name, "項目名", old.item.text, name)]
    return renamed + [
        SheetLine("ユーザデータ", name, column, before, after)
        for (column, before), (_, after) in zip(_columns(old), _columns(new), strict=True)
        if before != after
    ]


def _columns(row: RawRow) -> list[tuple[str, str]]:
    policy = [(place.value, cell.text) for place, cell in zip(Place, row.policies, strict=True)]
    return [(SOURCE, row.source.text), *policy, (CONVERT, row.convert.text)]
