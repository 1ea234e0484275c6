"""An app's form as fields.json gives it, and numbers that are the same however they are written."""

from __future__ import annotations

from decimal import Decimal

import pytest

from renkei.storage import records
from renkei.systems.kintone.form import Field, Form, read_form, same_number

BODY = {
    "revision": "12",
    "properties": {
        "code": {"type": "SINGLE_LINE_TEXT", "code": "code", "label": "会社ID", "unique": True, "required": True,
                 "defaultValue": "", "minLength": "", "maxLength": "64", "expression": ""},
        "price": {"type": "NUMBER", "code": "price", "label": "金額", "minValue": "0", "maxValue": "99.5"},
        "kind": {"type": "DROP_DOWN", "code": "kind", "label": "区分", "defaultValue": "A",
                 "options": {"A": {"label": "A", "index": "0"}, "B": {"label": "B", "index": "1"}}},
        "parent": {"type": "SINGLE_LINE_TEXT", "code": "parent", "label": "親会社", "lookup": {
            "relatedApp": {"app": "3", "code": ""}, "relatedKeyField": "code",
            "fieldMappings": [{"field": "pref", "relatedField": "pref"}]}},
        "pref": {"type": "SINGLE_LINE_TEXT", "code": "pref", "label": "都道府県"},
        "on": {"type": "DATE", "code": "on", "label": "登録日", "defaultNowValue": True},
        "rows": {"type": "SUBTABLE", "code": "rows", "label": "部署", "fields": {
            "row": {"type": "SINGLE_LINE_TEXT", "code": "row", "label": "部署名"}}},
        "box": {"type": "GROUP", "code": "box", "label": "枠"},
    },
}  # fmt: skip


def test_k8_a_form_is_read_as_kintone_gives_it() -> None:
    form = read_form("5", BODY)

    assert (form.app, form.revision) == ("5", "12")
    code = form.fields["code"]
    assert (code.unique, code.required, code.longest, code.shortest, code.has_default) == (True, True, 64, None, False)
    assert (form.fields["price"].least, form.fields["price"].most) == (Decimal(0), Decimal("99.5"))
    assert form.fields["kind"].options == ("A", "B")
    assert form.fields["kind"].has_default
    assert form.fields["on"].has_default
    assert (form.fields["parent"].is_lookup, form.fields["parent"].lookup_app) == (True, "3")
    assert form.fields["parent"].lookup_key == "code"
    assert form.filled_by() == {"pref": "parent"}
    assert form.fields["rows"].cell("row") == Field("row", "SINGLE_LINE_TEXT", "部署名")
    assert form.names()["部署名"] == "row"


def test_a_form_can_be_kept_in_a_run_s_record() -> None:
    form = read_form("5", BODY)
    assert records.from_plain(Form, records.to_plain(form)) == form


@pytest.mark.parametrize("body", [{}, {"properties": []}, {"properties": {"a": {}}, "revision": "1"}])
def test_l1_what_is_no_form_is_none(body: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, AttributeError, ValueError)):
        read_form("5", body)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("1", "1"), ("01", "1"), ("1.0", "1"), (" 1.50 ", "1.5"), ("1e3", "1000"), ("-0.0", "0"), ("+7", "7"),
        ("12345678901234567890123456789012345", "12345678901234567890123456789012345"),
        ("0.1", "0.10"), ("A1", "A1"), ("", ""), ("NaN", "NaN"), ("1e999999", "1e999999"),
    ],
)  # fmt: skip
def test_k7_numbers_are_the_same_however_they_are_written(text: str, same: str) -> None:
    assert same_number(text) == same_number(same)
