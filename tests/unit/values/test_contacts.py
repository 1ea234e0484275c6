"""Telephone numbers and mail addresses: what the libraries that know them say, found faster."""

from __future__ import annotations

import random

import phonenumbers
import pyarrow as pa

from renkei.values.contacts import sound_mails, sound_phones
from tests.unit.links.smarthr_emc.test_validate_contacts import GOOD_MAILS


def is_in_use(number: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, "JP"))
    except phonenumbers.NumberParseException:
        return False


def test_e22_the_short_ways_accept_what_the_libraries_accept() -> None:
    """E22: ordinary numbers and addresses are told by patterns; they say no more than the libraries."""
    made = random.Random(3)
    numbers = [
        f"0{made.randrange(10**9, 10**10) if made.random() < 0.5 else made.randrange(10**8, 10**9)}"
        for _ in range(4000)
    ]
    expected = [is_in_use(number) for number in numbers]
    assert sound_phones(pa.array(numbers, type=pa.large_string())).to_pylist() == expected
    assert 100 < sum(expected) < 3900
    found = sound_mails(pa.array([*GOOD_MAILS, "a@b", "a@b.test"], type=pa.large_string())).to_pylist()
    assert found == [not mail.startswith("taro..") for mail in GOOD_MAILS] + [False, False]
