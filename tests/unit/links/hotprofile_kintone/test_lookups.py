"""What a lookup cannot take is asked of the app that it copies from (K19, K21)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from renkei.links.hotprofile_kintone.lookups import missing_in_lookups
from renkei.systems.kintone.errors import KintoneSettingError, QuotaSpentError
from renkei.systems.kintone.form import Field
from renkei.systems.kintone.payloads import Record
from tests.unit.links.hotprofile_kintone.forms import form


class Parent:
    """An app with some values in its key."""

    def __init__(self, *values: str, kind: str = "SINGLE_LINE_TEXT", error: Exception | None = None) -> None:
        self.values, self.kind, self.error = values, kind, error
        self.asked: list[tuple[str, str, list[str]]] = []

    def find(self, app: str, field: str, values: Sequence[str], fields: Sequence[str] = ()) -> list[Record]:
        self.asked.append((app, field, list(values)))
        if self.error:
            raise self.error
        return [{field: {"type": self.kind, "value": value}} for value in self.values]


def records(*values: str) -> list[Record]:
    return [{"parent": {"value": value}} for value in values]


def test_k21_a_value_that_the_other_app_lacks_is_told_as_that() -> None:
    """Each value is asked for once; a blank one copies nothing, and is none."""
    parent = Parent("A", "C")
    found = missing_in_lookups([*records("A", "B", "", "B", "C"), {}], form(), lambda app: parent)
    assert sorted(found) == [1, 3]
    assert (found[1].field, found[1].code) == ("parent", "GAIA_LO04")
    assert "アプリID 3" in found[1].detail
    assert "トークン" not in str(found[1])
    assert parent.asked == [("3", "key", ["A", "B", "C"])]


def test_k21_an_app_that_cannot_be_seen_is_no_records_fault() -> None:
    parent = Parent(error=KintoneSettingError("x", "GAIA_IA02"))
    with pytest.raises(KintoneSettingError, match=r"アプリID 3.*APIトークン") as raised:
        missing_in_lookups(records("A"), form(), lambda app: parent)
    assert raised.value.code == "GAIA_IA02"


def test_k15_an_app_whose_requests_are_used_up_is_not_asked() -> None:
    assert missing_in_lookups(records("A"), form(), lambda app: Parent(error=QuotaSpentError())) == {}


def test_k18_a_value_that_may_not_be_asked_for_stops_no_data_set() -> None:
    parent = Parent(error=KintoneSettingError("x", "CB_VA01"))
    assert missing_in_lookups(records("A"), form(), lambda app: parent) == {}


def test_nothing_is_asked_where_nothing_is_looked_up() -> None:
    parent = Parent()
    assert missing_in_lookups(records(""), form(), lambda app: parent) == {}
    assert parent.asked == []


def test_k7_numbers_are_looked_up_as_numbers_and_record_numbers_are_kintones_to_judge() -> None:
    numbers = form(Field("other", "NUMBER", "", lookup_app="4", lookup_key="n"))
    rows: list[Record] = [{"other": {"value": value}} for value in ("1", "02.0", "3")]
    assert sorted(missing_in_lookups(rows, numbers, lambda app: Parent("1.0", "2", kind="NUMBER"))) == [2]
    assert missing_in_lookups(rows, numbers, lambda app: Parent("APP-1", kind="RECORD_NUMBER")) == {}
