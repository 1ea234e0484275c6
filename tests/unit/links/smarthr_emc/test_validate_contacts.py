"""Errors of addresses and media: what could not arrive on the day it matters."""

from __future__ import annotations

import pytest

from tests.builders import CONTACT, crew, mapping, plan_day
from tests.unit.links.smarthr_emc.problems import each

MAIL = mapping(CONTACT)

PHONE = mapping({"緊急連絡1 媒体": "固定値「電話番号」", "緊急連絡1 アドレス": "電話番号"})

GOOD_MAILS = [
    "taro@example.jp",
    "taro.yamada+emc@sub.example.co.jp",
    "a@b.co",
    "x_y-z@example-mail.jp",
    "taro..y.@docomo.ne.jp",  # carriers gave such addresses out
    "1@1.jp",
]

BAD_MAILS = [
    "taro",
    "@example.jp",
    "taro@",
    "taro@example",
    "taro@@example.jp",
    "taro@example..jp",
    "taro@example.jp.",
    "taro@.example.jp",
    "taro@-example.jp",
    "taro@example-.jp",
    "ta ro@example.jp",
    "taro@exam ple.jp",
    "taro@example.jp,jiro@example.jp",
    "taro@example.jp;",
    "<taro@example.jp>",
    "taro＠example.jp",
    "ｔａｒｏ@example.jp",
    "たろう@example.jp",
    "090-1234-5678",
]

BAD_NUMBERS = [
    "０９０１２３４５６７８",
    "０９０-1234-5678",
    "090－1234－5678",
    "090ー1234ー5678",
    "090--1234-5678",
    "-09012345678",
    "09012345678-",
    "090 1234 5678",
    "090.1234.5678",
    "1234",
    "090-1234-5678 (自宅)",
    "9" * 16,
    "٠٩٠١٢٣٤٥٦٧٨"[:11],
    "taro@example.jp",
]


def test_e29_mail_addresses_that_are_fine() -> None:
    """What carriers and companies use."""
    assert each(MAIL, "メールアドレス", GOOD_MAILS) == {}


def test_e29_mail_addresses_that_are_malformed() -> None:
    """A mail that cannot arrive on the day it matters."""
    assert each(MAIL, "メールアドレス", BAD_MAILS) == {
        address: [("contact_1_address", "mail")] for address in BAD_MAILS
    }


def test_e29_phone_numbers_that_are_fine() -> None:
    """Digits with or without hyphens, and the international form."""
    numbers = ["09012345678", "090-1234-5678", "03-1234-5678", "+81-90-1234-5678", "0120-444-444"]
    assert each(PHONE, "電話番号", numbers) == {}


def test_e29_phone_numbers_that_are_malformed() -> None:
    """Full-width digits, letters, other separators, too few or too many digits."""
    told = each(PHONE, "電話番号", BAD_NUMBERS)
    assert [number for number in BAD_NUMBERS if ("contact_1_address", "phone") not in told.get(number, [])] == []


@pytest.mark.parametrize("slot", range(1, 11))
def test_e29_e20_each_of_ten_contacts_is_looked_at_and_kept_with_its_medium(slot: int) -> None:
    """A malformed address is named in its slot; without one, its medium is not written."""
    sheet = mapping({f"緊急連絡{slot} 媒体": "固定値「メールアドレス」", f"緊急連絡{slot} アドレス": "メールアドレス"})
    day = plan_day(sheet, [crew("c1", "1", メールアドレス="taro@"), crew("c2", "2")])
    assert day.problems() == [("1", f"contact_{slot}_address", "mail")]
    assert day.row("2")[f"contact_{slot}_medium"] is None


def test_e29_a_kept_medium_decides_how_a_new_address_is_read() -> None:
    """更新しない for the medium: the new address must fit the medium that EMC has."""
    sheet = mapping(
        {
            "緊急連絡1 媒体": ("固定値「メールアドレス」", "登録", "登録しない", "更新しない", "更新しない"),
            "緊急連絡1 アドレス": "メールアドレス",
        }
    )
    first = plan_day(sheet, [crew("c1", "1", メールアドレス="a@example.jp")])
    assert plan_day(sheet, [crew("c1", "1", メールアドレス="bad")], first).problems() == [
        ("1", "contact_1_address", "mail")
    ]


def test_e29_media_come_from_a_fixed_list() -> None:
    """A medium taken from SmartHR may be anything; without an address it is not written, nor an error."""
    sheet = mapping({"緊急連絡1 媒体": "カスタム項目:媒体", "緊急連絡1 アドレス": "メールアドレス"})
    day = plan_day(
        sheet,
        [
            crew("c1", "1", メールアドレス="a@example.jp", **{"カスタム項目:媒体": "メールアドレス"}),
            crew("c2", "2", メールアドレス="b@example.jp", **{"カスタム項目:媒体": "伝書鳩"}),
            crew("c3", "3", **{"カスタム項目:媒体": "伝書鳩"}),
        ],
    )
    assert day.problems() == [("2", "contact_1_medium", "medium")]


@pytest.mark.parametrize("known", [False, True])
def test_e20_an_address_without_medium_is_an_error(known: bool) -> None:
    """EMC would not know what to do with it, on add or when an update clears the medium."""
    sheet = mapping(
        {
            "緊急連絡1 媒体": ("カスタム項目:媒体", "登録", "登録しない", "更新", "更新"),
            "緊急連絡1 アドレス": "メールアドレス",
        }
    )
    whole = crew("c1", "1", メールアドレス="a@example.jp", **{"カスタム項目:媒体": "メールアドレス"})
    first = plan_day(sheet, [whole]) if known else None
    today = plan_day(sheet, [{**whole, "カスタム項目:媒体": ""}], first)
    assert today.problems() == [("1", "contact_1_medium", "no_medium")]
