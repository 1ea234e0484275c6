"""The cell of one crew: every item of the catalogue against whatever SmartHR's JSON may hold at its place (E17, E33)."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from renkei.errors import IncompleteReadError
from renkei.links.smarthr_emc.crew_columns import crew_columns, refuse_absent
from renkei.links.smarthr_emc.sheet.catalogue import CATALOGUE, CatalogueItem
from renkei.links.smarthr_emc.sheet.mapping import CustomField, SourceField

LEAST = {"id": "c1", "emp_status": "employed"}


def column(source: str, *crews: dict[str, Any], masters: dict[str, Any] | None = None) -> str:
    """The cell that the first crew gets."""
    custom = source.removeprefix("カスタム項目:")
    columns = {source: SourceField(source) if custom == source else CustomField(custom)}
    refuse_absent(crews, columns)
    return crew_columns(crews, columns, masters or {})[source][0]


def custom(kind: str) -> dict[str, Any]:
    """The masters of a sheet with カスタム項目:N of this type."""
    labels = {"e1": "甲種"} if kind == "enum" else {}
    return {"custom_fields": {"N": {"id": "t1", "type": kind, "labels": labels}}}


def holding(*fields: Any) -> dict[str, Any]:
    return {**LEAST, "custom_fields": list(fields)}


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("string", "00 12", "00 12"),
        ("text", "a\nb", "a\nb"),
        ("decimal", 12, "12"),
        ("decimal", 12.5, "12.5"),
        ("decimal", "12.50", "12.50"),
        ("date", "2026-04-01", "2026-04-01"),
        ("enum", "e1", "甲種"),
        ("file", "https://acme.smarthr.jp/f", "https://acme.smarthr.jp/f"),
    ],
)
def test_e17_custom_values_are_taken_as_they_are(kind: str, value: Any, expected: str) -> None:
    """Numbers become their digits, texts stay; null, an empty text and no field, where another has it, are blank."""
    one = holding({"value": value, "template": {"id": "t1"}})
    assert column("カスタム項目:N", one, masters=custom(kind)) == expected
    for blank in ([{"value": None, "template": {"id": "t1"}}], [{"value": "", "template": {"id": "t1"}}], []):
        assert column("カスタム項目:N", holding(*blank), one, masters=custom(kind)) == ""


ODD = [True, False, 7, 1.5, "text", [], ["x"], {}, {"id": "x"}]
RIGHT: dict[str, tuple[type, ...]] = {"decimal": (str, int, float)}


@pytest.mark.parametrize("kind", ["string", "text", "decimal", "date", "enum", "file"])
def test_e33_custom_value_of_another_type_than_its_template_s_stops_the_read(kind: str) -> None:
    """Never taken for blank, nor written as Python would spell it; an element that is not there any more likewise."""
    for odd in ODD:
        if type(odd) in RIGHT.get(kind, (str,)) and kind != "enum":
            continue
        with pytest.raises(IncompleteReadError, match=r"（c1）.*カスタム項目:N"):
            column("カスタム項目:N", holding({"value": odd, "template": {"id": "t1"}}), masters=custom(kind))


@pytest.mark.parametrize(
    "field",
    [
        {"template": {"id": "t1"}},
        {"value": "x"},
        {"value": "x", "template": None},
        {"value": "x", "template": {}},
        {"value": "x", "template": {"id": 1}},
        {"value": "x", "template": []},
        None,
        "x",
    ],
)
def test_e33_custom_field_without_its_parts_stops_the_read(field: Any) -> None:
    """A field that cannot be told may be the one that is mapped."""
    with pytest.raises(IncompleteReadError, match="custom_fields"):
        column("カスタム項目:N", holding(field), masters=custom("string"))
    twice = {"value": "x", "template": {"id": "t1"}}
    with pytest.raises(IncompleteReadError, match="custom_fields"):
        column("カスタム項目:N", holding(twice, twice), masters=custom("string"))


@pytest.mark.parametrize(
    "others", [[], [{"value": None, "template": {"id": "t2"}}], [{"value": "x", "template": {"id": "t2"}}]]
)
def test_e33_custom_field_that_nobody_has_is_not_taken_for_blank(others: list[Any]) -> None:
    """Whatever of other fields is there: not permitted, or not filled in yet, and the remedy of either is told."""
    with pytest.raises(IncompleteReadError, match=r"カスタム項目:N.*アクセス許可.*1人以上に値を入力"):
        column("カスタム項目:N", holding(*others), holding(), masters=custom("string"))


def test_e34_where_nobody_is_left_no_custom_field_is_missing() -> None:
    """Everybody 退職済 is for the guard on deletions."""
    columns = {"カスタム項目:N": CustomField("N")}
    assert crew_columns([], columns, custom("string")) == {"カスタム項目:N": []}


PLACE = "biz_establishment"


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({f"{PLACE}_id": "b1"}, "東京本社"),
        ({PLACE: {"id": "b1", "name": "東京本社"}}, "東京本社"),
        ({f"{PLACE}_id": None, PLACE: {"id": "b9", "name": "大阪支社"}}, "大阪支社"),
        ({f"{PLACE}_id": "b1", PLACE: None}, "東京本社"),
        ({f"{PLACE}_id": None}, ""),
        ({PLACE: None}, ""),
    ],
)
def test_e17_establishment_is_its_name(held: dict[str, Any], expected: str) -> None:
    """Whether SmartHR writes the establishment's id or the establishment itself."""
    assert column("事業所", {**LEAST, **held}, masters={"biz_establishments": {"b1": "東京本社"}}) == expected


@pytest.mark.parametrize("key", [f"{PLACE}_id", PLACE])
def test_e33_establishment_that_is_not_received_or_of_another_type_stops_the_read(key: str) -> None:
    """An id that no establishment has is a fault of the read, not a blank."""
    for odd in [*ODD, {"name": 5}]:
        with pytest.raises(IncompleteReadError, match=r"（c1）.*事業所"):
            column("事業所", {**LEAST, key: odd}, masters={"biz_establishments": {"b1": "東京本社"}})
    with pytest.raises(IncompleteReadError, match="「事業所」"):
        column("事業所", LEAST, masters={"biz_establishments": {"b1": "東京本社"}})


PLAIN_ITEMS = [item for item in CATALOGUE.values() if not item.join and item.name not in ("社員ID", "在籍状況")]


def whole(item: CatalogueItem, leaf: Any) -> dict[str, Any]:
    """A crew whose JSON has `leaf` at the item's place."""
    value = leaf
    for step in reversed(item.column[1:]):
        value = [*[None] * step, value] if isinstance(step, int) else {step: value}
    return {**LEAST, str(item.column[0]): value}


@pytest.mark.parametrize("item", PLAIN_ITEMS, ids=lambda item: item.name)
def test_e33_absent_is_not_blank_and_no_type_but_the_schema_s_is_taken(item: CatalogueItem) -> None:
    """Every item: a text is its value; null, wherever it stands, is blank; whatever else stops the read and is named."""
    value = next(iter(item.labels), "値")
    assert column(item.name, whole(item, value)) == item.labels.get(value, value)
    assert column(item.name, whole(item, None)) == column(item.name, whole(item, "")) == ""
    for depth in range(1, len(item.column)):
        # A slot or a part: null instead of what holds it, a list that is too short; then something else in its place.
        holder = dataclasses.replace(item, column=item.column[:depth])
        assert column(item.name, whole(holder, None)) == ""
        right = list if isinstance(item.column[depth], int) else dict
        if right is list:
            assert column(item.name, whole(holder, [])) == ""
        for odd in ODD:
            if type(odd) is list and right is list:
                continue
            with pytest.raises(IncompleteReadError, match=f"（c1）.*「{re.escape(item.name)}」"):
                column(item.name, whole(holder, odd))
    for odd in ODD:
        if type(odd) is not str:
            with pytest.raises(IncompleteReadError, match=f"（c1）.*「{re.escape(item.name)}」"):
                column(item.name, whole(item, odd))
    with pytest.raises(IncompleteReadError, match=f"「{re.escape(item.name)}」.*アクセス許可"):
        column(item.name, LEAST)
    if item.labels:
        with pytest.raises(IncompleteReadError, match=f"「{re.escape(item.name)}」が、Renkeiの知らない値「new_kind」"):
            column(item.name, whole(item, "new_kind"))


@pytest.mark.parametrize(
    ("source", "crew"),
    [
        ("社員番号", {"emp_code": "1"}),
        ("部署1", {"departments": []}),
        ("カスタム項目:N", {"custom_fields": []}),
        ("事業所", {"biz_establishment_id": None}),
        ("住所(都道府県)", {"address": None}),
    ],
)
def test_e33_attribute_that_one_of_two_lacks_is_a_torn_read(source: str, crew: dict[str, Any]) -> None:
    """Named with the crew; the token is not to blame."""
    masters = {**custom("string"), "biz_establishments": {}}
    with pytest.raises(IncompleteReadError, match=rf"従業員1人（c2など）.*{re.escape(source)}.*{next(iter(crew))}"):
        column(source, {**LEAST, **crew}, {**LEAST, "id": "c2"}, masters=masters)


@pytest.mark.parametrize("source", ["部署2(コード)", "部署2"])
def test_e33_blank_of_a_department_that_was_not_received_stops_the_read(source: str) -> None:
    """Discontinued, or made while we read: not a blank. One that was received is told by its missing code (E29)."""
    crew = {**LEAST, "departments": [None, {"id": "d9", "code": None, "name": ""}]}
    assert column(source, crew, masters={"departments": ["d9"]}) == ""
    with pytest.raises(
        IncompleteReadError, match=rf"（c1）の「{re.escape(source)}」が、受信した部署の一覧にありません"
    ):
        column(source, crew, masters={"departments": ["d1"]})
    for blank in (None, [], [None], [None, None]):
        assert column(source, {**LEAST, "departments": blank}, masters={"departments": []}) == ""
