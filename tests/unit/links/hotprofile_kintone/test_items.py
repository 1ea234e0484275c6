"""Hot Profile's items by the names of a sheet (K8)."""

from __future__ import annotations

from renkei.links.hotprofile_kintone.items import ID_ITEMS, ITEMS, has_item, values_of


def test_k8_items_and_the_customers_own_ones_have_their_values() -> None:
    """A カスタム項目 is found by its label whatever its width; what a record does not have is None."""
    entry = {"id": 7, "name": "A社", "items": [{"label": "ランク Ａ", "value": "1"}]}
    names = ["会社ID", "会社名", "備考", "カスタム項目:ランク A", "カスタム項目:無い"]
    assert list(values_of(entry, "companies", names).values()) == [7, "A社", None, "1", None]
    assert values_of({"id": 7}, "companies", ["カスタム項目:x"]) == {"カスタム項目:x": None}


def test_k8_a_data_set_has_its_own_items() -> None:
    assert has_item("companies", "会社名略称")
    assert not has_item("departments", "会社名略称")
    assert has_item("departments", "カスタム項目:x")
    assert not has_item("leads", "カスタム項目:")
    assert all(ITEMS[name][item] == "id" for name, item in ID_ITEMS.items())
