"""Every refusal of kintone's, sorted by what the caller does next (K17, K18, K21); nothing of its sentences goes on (L6)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from renkei.errors import RenkeiError
from renkei.systems.kintone.errors import (
    CrowdedError,
    KintoneAwayError,
    KintoneSettingError,
    RecordChangedError,
    RecordGoneError,
    RecordRefusedError,
    failure,
)

PERSON = "山田 太郎"
MAINTENANCE = "<html><body>メンテナンス中 山田 太郎</body></html>"


def sort(status: int, body: Any, **more: Any) -> RenkeiError:
    content = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    found = failure(status, content.encode(), more.pop("headers", {}), **more)
    assert PERSON not in str(found)
    return found


def said(code: str) -> dict[str, Any]:
    return {"code": code, "id": "abc", "message": f"フィールド「氏名」の値「{PERSON}」が不正です。"}


def invalid(*paths: str, message: str = "必須です。") -> dict[str, Any]:
    errors = {path: {"messages": [message]} for path in paths}
    return {"code": "CB_VA01", "id": "abc", "message": "入力内容が正しくありません。", "errors": errors}


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "GAIA_LO04", RecordRefusedError),
        (520, "GAIA_LO04", RecordRefusedError),
        (400, "GAIA_IL26", RecordRefusedError),
        (400, "GAIA_IL28", RecordRefusedError),
        (401, "CB_AU01", KintoneSettingError),
        (401, "CB_WA01", KintoneSettingError),
        (403, "CB_NO02", KintoneSettingError),
        (400, "GAIA_IA02", KintoneSettingError),
        (520, "GAIA_IA02", KintoneSettingError),
        (403, "GAIA_NO01", KintoneSettingError),
        (404, "GAIA_AP01", KintoneSettingError),
        (400, "GAIA_FC01", KintoneSettingError),
        (400, "GAIA_FU01", KintoneSettingError),
        (400, "GAIA_IL23", KintoneSettingError),
        (400, "GAIA_LO03", KintoneSettingError),
        (400, "GAIA_IQ11", KintoneSettingError),
        (400, "GAIA_XX99", KintoneSettingError),
        (404, "GAIA_RE01", RecordGoneError),
        (404, "GAIA_RE20", RecordGoneError),
        (400, "GAIA_DA02", KintoneAwayError),
        (520, "GAIA_LT01", KintoneAwayError),
        (400, "GAIA_RE18", KintoneAwayError),
        (409, "GAIA_CO02", RecordChangedError),
        (400, "GAIA_UN03", KintoneAwayError),
        (400, "GAIA_TM12", KintoneAwayError),
        (429, "GAIA_TO04", CrowdedError),
        (500, "CB_XX01", KintoneAwayError),
    ],
)
def test_k17_every_code_is_sorted_whatever_its_status(status: int, code: str, kind: type[RenkeiError]) -> None:
    """By the code; older tenants answer 520 where others answer 400."""
    found = sort(status, said(code))
    assert type(found) is kind
    if isinstance(found, KintoneAwayError):
        assert not found.unknown  # it answered, so nothing was written


@pytest.mark.parametrize(("status", "unknown"), [(503, True), (520, True), (502, True), (408, True)])
def test_k17_html_of_an_outage_leaves_open_what_was_written(status: int, unknown: bool) -> None:
    found = sort(status, MAINTENANCE)
    assert isinstance(found, KintoneAwayError)
    assert found.unknown is unknown


def test_k17_the_header_names_the_code_where_the_body_does_not() -> None:
    found = sort(400, MAINTENANCE, headers={"X-Cybozu-Error": "GAIA_AP01"})
    assert isinstance(found, KintoneSettingError)
    assert found.code == "GAIA_AP01"


@pytest.mark.parametrize(
    ("path", "index", "field"),
    [
        ("records[1].name.value", 1, "name"),
        ("records[1][name].value", 1, "name"),
        ("records[12][会社名].value", 12, "会社名"),
        ("records[0].tags.value[2].value.tag.value", 0, "tag"),
        ("records[0][tags].value[2].value[tag].value", 0, "tag"),
        ("records[3].who.values.value", 3, "who"),
        ("records[3].kind.values[0].value", 3, "kind"),
        ("record[price].value", None, "price"),
        ("record.price.value", None, "price"),
        ("records[4].updateKey.value", 4, "updateKey"),
    ],
)
def test_k19_a_refusal_names_record_and_field_in_both_forms_of_its_path(path: str, index: int, field: str) -> None:
    """`records[1].name.value` and `records[1][name].value` were both seen."""
    found = sort(400, invalid(path))
    assert isinstance(found, RecordRefusedError)
    assert (found.first.index, found.first.field) == (index, field)


def test_k19_every_record_that_is_named_is_known_the_first_first() -> None:
    found = sort(400, invalid("records[37].b.value", "records[4].a.value"))
    assert isinstance(found, RecordRefusedError)
    assert [(one.index, one.field) for one in found.refusals] == [(4, "a"), (37, "b")]


@pytest.mark.parametrize("path", ["app", "records", "query", "records[0].updateKey.field"])
def test_k11_a_refusal_of_the_request_itself_is_no_records_fault(path: str) -> None:
    assert isinstance(sort(400, invalid(path)), KintoneSettingError)


@pytest.mark.parametrize(
    ("message", "word"),
    [
        ("必須です。", "必須"),
        ("値がほかのレコードと重複しています。", "重複"),
        ("101文字より短くなければなりません。", "長すぎ"),
        ("数字でなければなりません。", "数値ではありません"),
        (f'"{PERSON}"は選択肢にありません。', "選択肢"),
        (f"{PERSON}", "受け付けませんでした"),
    ],
)
def test_l8_a_refusal_says_what_is_wrong_and_what_to_do(message: str, word: str) -> None:
    found = sort(400, invalid("records[0].name.value", message=message))
    assert word in str(found)
    assert "フィールド「name」" in str(found)
    assert isinstance(found, RecordRefusedError)
    assert found.first.remedy


def test_k21_a_lookup_that_is_refused_names_both_causes_and_its_field() -> None:
    """The value may be missing, or the other app's token; kintone says the same of both."""
    found = sort(400, said("GAIA_LO04"), names={"氏名": "name", "name": "name"})
    assert "コピー元のアプリにその値を登録" in str(found)
    assert "APIトークン" in str(found)
    assert isinstance(found, RecordRefusedError)
    assert (found.first.index, found.first.field) == (None, "name")


@pytest.mark.parametrize(
    "message",
    [
        'A value for the field "name" ("x") does not exist in the datasource for the lookup',
        "A value 129 in the field name does not exist in the datasource app for lookup",
    ],
)
def test_k21_a_lookup_is_named_in_english_too(message: str) -> None:
    found = sort(400, {"code": "GAIA_LO04", "message": message}, names={"name": "name"})
    assert isinstance(found, RecordRefusedError)
    assert found.first.field == "name"


def test_l6_a_name_that_no_field_has_is_not_passed_on() -> None:
    """What stands in the field's place may be a value."""
    found = sort(400, {"code": "GAIA_LO04", "message": f"フィールド「{PERSON}」の値「x」が"}, names={"a": "a"})
    assert isinstance(found, RecordRefusedError)
    assert found.first.field == ""


@pytest.mark.parametrize(("status", "body"), [(403, MAINTENANCE), (401, said("CB_AU01"))])
def test_k21_a_refusal_by_address_names_the_address_to_allow(status: int, body: Any) -> None:
    assert "IPアドレス 203.0.113.7 を許可" in str(sort(status, body, address="203.0.113.7"))
    assert "運用担当者にお尋ねください" in str(sort(status, body))


def test_a_redirect_and_an_unknown_page_are_a_wrong_address() -> None:
    for status in (301, 404):
        found = sort(status, MAINTENANCE)
        assert isinstance(found, KintoneSettingError)
        assert "サブドメイン" in str(found)


@pytest.mark.parametrize("body", ["[]", '"x"', "{}", '{"code": 5}', '{"code": "山田 太郎"}'])
def test_l1_what_is_no_error_of_kintones_is_not_taken_for_a_records_fault(body: str) -> None:
    assert isinstance(sort(400, body), KintoneSettingError)
    assert isinstance(sort(503, body), KintoneAwayError)
