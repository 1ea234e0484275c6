"""What differs between two sheets of any link (S2)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import Any

import pytest

from renkei.channel import Channel, Service
from renkei.links.smarthr_emc.sheet.difference import differences as of_smarthr_emc
from renkei.orchestration.link import LINKS
from renkei.sheets.difference import SheetLine, differences
from tests.builders import mapping
from tests.conftest import ROOT


@dataclass(frozen=True)
class Item:
    item: str
    code: str


@dataclass(frozen=True)
class Sheet:
    company: str = "アクメ"
    at: dt.time = dt.time(4, 30)
    replies: bool = True
    border: dict[str, dt.time] = field(default_factory=dict)
    items: tuple[Item, ...] = ()
    addresses: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset()


LABELS = {"company": "会社名", "replies": "返信", "border": "所属", "items": "項目", "code": "フィールドコード"}


def test_s2_nothing_differs_between_a_sheet_and_itself() -> None:
    """S2: whatever it has."""
    sheet = Sheet(border={"001": dt.time(5)}, items=(Item("会社名", "name"),), kinds=frozenset(map(str, range(50))))
    same = dataclasses.replace(sheet, kinds=frozenset(map(str, reversed(range(50)))))
    assert differences(sheet, same, LABELS) == ()


def test_s2_each_value_is_a_line_in_the_sheets_words() -> None:
    """S2: settings by their labels, entries of a list by what they are called."""
    old = Sheet(items=(Item("会社名", "name"), Item("住所", "address")), border={"001": dt.time(5)})
    new = Sheet(
        "アクメ商事", replies=False, items=(Item("住所", "addr"), Item("会社名", "name")), addresses=("a@x.jp",)
    )
    assert differences(old, new, LABELS) == (
        SheetLine("連携情報", "会社名", "", "アクメ", "アクメ商事"),
        SheetLine("連携情報", "返信", "", "する", "しない"),
        SheetLine("項目", "住所", "フィールドコード", "address", "addr"),
        SheetLine("連携情報", "addresses", "", "", "a@x.jp"),
        SheetLine("所属", "001", "", "05:00", ""),
    )


def test_s2_a_channel_that_is_muted_is_a_line_of_smarthr_emc() -> None:
    """S2, N1: 通知 counts, too."""
    old = dataclasses.replace(mapping(), channels=(Channel("総務", Service.SLACK_WEBHOOK, "slack__acme"),))
    new = dataclasses.replace(old, channels=(dataclasses.replace(old.channels[0], muted=True),))
    (line,) = of_smarthr_emc(old, new)
    assert (line.part, line.line, "通知を行わない" in line.new, "通知を行わない" in line.old) == (
        "通知",
        "総務",
        True,
        False,
    )


@pytest.mark.parametrize("link", sorted(LINKS))
def test_s2_the_sample_of_each_link_is_compared_in_its_words(link: str) -> None:
    """S2: whatever a link's sheets hold, it can be compared, and nothing of it differs from itself."""
    name, differ = next((ROOT / "include/mappings" / link).glob("*.yaml")), LINKS[link].differences
    compiles: Any = resolve_name(LINKS[link].sheets().compiles)
    compiled, _ = compiles(name.name, name.read_bytes(), name.stem, ("127.0.0.1:8181",))
    assert compiled.mapping is not None
    assert differ is not None
    assert differ()(compiled.mapping, compiled.mapping) == ()
    other = dataclasses.replace(compiled.mapping, result_addresses=("other@example.jp",))
    (line,) = [one for one in differ()(compiled.mapping, other) if one.new == "other@example.jp"]
    assert "メールアドレス" in line.line
