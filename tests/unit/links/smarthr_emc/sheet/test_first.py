"""What text 1's form of SmartHR連携設定 takes, and the sheet that it makes (S3, E24, E26)."""

from __future__ import annotations

import pytest

from renkei.links.smarthr_emc.sheet.first import FIELDS, faults, first_sheet, samples

GIVEN = {
    "tenant": "gamma",
    "company_name": "ガンマ株式会社",
    "smarthr_url": "https://gamma.smarthr.jp/",
    "result_addresses": "soumu@gamma.example.jp",
    "link_start_on": "2027-04-01",
    "user_id": "社員番号",
    "password": "secret",
    "department_yomi": "ブショ",
}


def test_s3_the_least_that_is_filled_in_is_enough() -> None:
    """S3: ID付与コード and 親部署 may stay blank."""
    assert faults(GIVEN) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("smarthr_url", "https://gamma.example.com"), ("id_prefix", "あ"), ("id_prefix", "x" * 21), ("company_name", ""),
        ("company_name", "x" * 41), ("result_addresses", ""), ("result_addresses", "x"), ("link_start_on", "soon"),
        ("result_addresses", "\n".join(f"a{n}@example.jp" for n in range(6))), ("user_id", "氏名"), ("user_id", ""),
        ("password", "abc"), ("department_yomi", "」&氏名"), ("department_yomi", "x" * 41), ("emc_account", "A B"),
    ],
)  # fmt: skip
def test_s3_a_fault_is_its_fields(name: str, value: str) -> None:
    """S3, L8."""
    assert list(faults(GIVEN | {name: value})) == [name]


def test_e26_a_root_department_is_all_three_or_none() -> None:
    """E26: and its id fits with the code, to the last character."""
    assert set(faults(GIVEN | {"root_department.id": "top"})) == {"root_department.name", "root_department.yomi"}
    whole = {"root_department.name": "会社", "root_department.yomi": "カイシャ", "id_prefix": "abc"}
    assert faults(GIVEN | whole | {"root_department.id": "d" * 27}) == {}
    assert set(faults(GIVEN | whole | {"root_department.id": "d" * 28})) == {"root_department.id"}


def test_e24_ids_are_shown_as_they_will_be() -> None:
    """E24: 40 characters for a user, 30 for a department; text 1's sample."""
    first, *others = samples({"id_prefix": "abc"})
    assert (first.shown, first.length, first.most) == ("abc123456789", 12, 40)
    assert [(one.shown, one.most) for one in others] == [("abc001", 30)]


def test_s2_the_same_answers_are_the_same_bytes() -> None:
    """S2: so that a form that is sent twice is one version; what was filled in is what is read."""
    one, two = first_sheet(GIVEN), first_sheet(dict(reversed(GIVEN.items())))
    assert one == two
    assert first_sheet(GIVEN | {"company_name": "別"}) != one
    assert set(GIVEN) - {"tenant"} <= set(FIELDS)
