"""Telephone numbers and mail addresses, judged by the libraries that know the plans and standards.

The libraries take 30 µs for each value. So what is certainly sound is told first, for a column at once, by patterns
that accept less than the libraries do; the rest is asked of them, once per distinct value.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
from email_validator import EmailNotValidError, validate_email

from renkei.values.convert import domain_of

_PLAIN = r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9.-]+$"
_MAIL_MAX = 254  # RFC 5321, 4.5.3.1.3


def sound_mails(addresses: Any) -> Any:
    """Where an Arrow array has an address that email-validator accepts; no server is asked."""
    plain = pc.match_substring_regex(addresses, _PLAIN)
    plain = pc.and_(plain, pc.less_equal(pc.binary_length(addresses), _MAIL_MAX))
    domains = pc.replace_substring_regex(pc.if_else(plain, addresses, "@"), "^.*@", "").dictionary_encode()
    reached = pa.array([bool(domain_of(domain)) for domain in domains.dictionary.to_pylist()], type=pa.bool_())
    return pc.or_(pc.and_(plain, reached.take(domains.indices)), _ask(addresses, pc.invert(plain), _is_mail))


def _is_mail(address: str) -> bool:
    try:
        validate_email(address, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return False
    return True


def sound_phones(numbers: Any) -> Any:
    """Where an Arrow array has a number that the numbering plan of Japan (or, after +, of its country) has."""
    plain = pc.match_substring_regex(pc.replace_substring(numbers, "-", ""), _numbers_in_use())
    return pc.or_(plain, _ask(numbers, pc.invert(plain), _is_phone))


@functools.cache
def _numbers_in_use() -> str:
    """The library's own patterns of Japan's ordinary numbers, as people dial them."""
    plan = phonenumbers.PhoneMetadata.metadata_for_region("JP")
    kinds = (plan.fixed_line, plan.mobile, plan.voip) if plan else ()
    return "^0(?:" + "|".join(str(kind.national_number_pattern) for kind in kinds if kind) + ")$"


def _is_phone(number: str) -> bool:
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(number, "JP")))
    except phonenumbers.NumberParseException:
        return False


def _ask(values: Any, where: Any, question: Callable[[str], bool]) -> Any:
    """The library's answer at `where`, False elsewhere: asked once per distinct value."""
    asked = pc.if_else(where, values, "").dictionary_encode()
    answers = pa.array([bool(text) and question(text) for text in asked.dictionary.to_pylist()], type=pa.bool_())
    return answers.take(asked.indices)


def shared(parts: Sequence[tuple[str, Any, Any]], least: int) -> Iterator[tuple[str, Any, Any]]:
    """Values of at least `least` people, in whichever of their items: the item, whose they are, of how many people.

    A part is an item, the row numbers of the people who have it, and their values (an Arrow array) in the same order.
    """
    if not parts:
        return
    values = pa.concat_arrays([array for _, _, array in parts]).dictionary_encode()
    value, person = values.indices.to_numpy(), np.concatenate([rows for _, rows, _ in parts])
    part = np.repeat(np.arange(len(parts)), [len(rows) for _, rows, _ in parts])
    often = np.bincount(value)[value] >= least
    table = pd.DataFrame({"value": value[often], "person": person[often], "part": part[often]})
    people = table.drop_duplicates(["value", "person"])["value"].value_counts()  # one person may have it twice
    table["people"] = table["value"].map(people)
    for number, (item, _, _) in enumerate(parts):
        found = table[(table["part"] == number) & (table["people"] >= least)]
        if len(found):
            yield item, found["person"].to_numpy(), found["people"].to_numpy()
