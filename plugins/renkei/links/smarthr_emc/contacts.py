"""Doubts about telephone numbers and mail addresses, for `hygiene.py`: by the libraries that know the plans and standards.

The libraries take 30 µs for each value. So what is certainly sound is told first, for a column at once, by patterns
that accept less than the libraries do; the rest is asked of them, once per distinct value.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from renkei.links.smarthr_emc.columns import flat, rows_where
from renkei.links.smarthr_emc.convert import domain_of
from renkei.links.smarthr_emc.sheet.items import CONTACTS
from renkei.links.smarthr_emc.sheet.mapping import Convert, Mapping
from renkei.links.smarthr_emc.validate import PHONE
from renkei.systems.emc.file_format import EmcFormat

if TYPE_CHECKING:
    import pandas as pd

SHARED_BY = 5  # people with one contact

Finding = tuple[Any, str, str, Any]  # row numbers, item, kind, details (a text or an array)

_PLAIN = r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9.-]+$"
_MAIL_MAX = 254  # RFC 5321, 4.5.3.1.3


def contact_doubts(
    texts: dict[str, Any], target: pd.DataFrame, mapping: Mapping, emc_format: EmcFormat
) -> Iterator[Finding]:
    """Numbers and addresses that hardly reach anybody, and those that are many people's.

    `texts` has one flat Arrow array per written item, `target` what EMC has of the same people in the same order.
    """
    mails, phones = _addresses(texts, target, mapping, emc_format)
    for item, rows in mails.items():
        yield from _doubted(texts[item], rows, item, "odd_mail", sound_mails)
    for item, rows in phones.items():
        yield from _doubted(texts[item], rows, item, "unused_phone", sound_phones)
    yield from _shared(texts, mails, phones)


def _addresses(
    texts: dict[str, Any], target: pd.DataFrame, mapping: Mapping, emc_format: EmcFormat
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Per item the rows that hold a mail address, and those that hold a telephone number.

    A contact's medium says which; where EMC's is not known, the address itself does. Of other items, 変換 says it.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    mails: dict[str, Any] = {}
    phones: dict[str, Any] = {}
    media = {
        kind: pa.array([name for name, of in emc_format.media.items() if of == kind], type=pa.large_string())
        for kind in ("mail", "phone")
    }
    for slot in range(1, CONTACTS + 1):
        item, medium = f"contact_{slot}_address", f"contact_{slot}_medium"
        if item not in texts:
            continue
        some = pc.not_equal(texts[item], "")
        known = flat(target[medium]) if medium in target else pa.nulls(len(some), pa.large_string()).fill_null("")
        unknown = pc.and_(some, pc.equal(known, ""))
        for kind, found, pattern in (("mail", mails, "@"), ("phone", phones, f"^(?:{PHONE})$")):
            told = pc.and_(some, pc.is_in(known, value_set=media[kind]))
            if pc.any(unknown).as_py():
                told = pc.or_(told, pc.and_(unknown, pc.match_substring_regex(texts[item], pattern)))
            found[item] = rows_where(told)
    for rule in mapping.users:
        for convert, found in ((Convert.MAIL, mails), (Convert.PHONE, phones)):
            asked = any(conversion.convert is convert for conversion in rule.conversions)
            if asked and rule.item in texts and rule.item not in found:
                found[rule.item] = rows_where(pc.not_equal(texts[rule.item], ""))
    return mails, phones


def _doubted(array: Any, rows: Any, item: str, kind: str, sound: Any) -> Iterator[Finding]:
    import pyarrow as pa

    if len(rows):
        doubted = rows[~sound(array.take(pa.array(rows))).to_numpy(zero_copy_only=False)]
        if len(doubted):
            yield doubted, item, kind, ""


def sound_mails(addresses: Any) -> Any:
    """Where an Arrow array has an address that email-validator accepts; no server is asked."""
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = pc.match_substring_regex(addresses, _PLAIN)
    plain = pc.and_(plain, pc.less_equal(pc.binary_length(addresses), _MAIL_MAX))
    domains = pc.replace_substring_regex(pc.if_else(plain, addresses, "@"), "^.*@", "").dictionary_encode()
    reached = pa.array([bool(domain_of(domain)) for domain in domains.dictionary.to_pylist()], type=pa.bool_())
    return pc.or_(pc.and_(plain, reached.take(domains.indices)), _ask(addresses, pc.invert(plain), _is_mail))


def _is_mail(address: str) -> bool:
    from email_validator import EmailNotValidError, validate_email

    try:
        validate_email(address, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return False
    return True


def sound_phones(numbers: Any) -> Any:
    """Where an Arrow array has a number that the numbering plan of Japan (or, after +, of its country) has."""
    import pyarrow.compute as pc

    plain = pc.match_substring_regex(pc.replace_substring(numbers, "-", ""), _numbers_in_use())
    return pc.or_(plain, _ask(numbers, pc.invert(plain), _is_phone))


@functools.cache
def _numbers_in_use() -> str:
    """The library's own patterns of Japan's ordinary numbers, as people dial them."""
    from phonenumbers import PhoneMetadata

    plan = PhoneMetadata.metadata_for_region("JP")
    kinds = (plan.fixed_line, plan.mobile, plan.voip) if plan else ()
    return "^0(?:" + "|".join(str(kind.national_number_pattern) for kind in kinds if kind) + ")$"


def _is_phone(number: str) -> bool:
    import phonenumbers

    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(number, "JP")))
    except phonenumbers.NumberParseException:
        return False


def _ask(values: Any, where: Any, question: Any) -> Any:
    """The library's answer at `where`, False elsewhere: asked once per distinct value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    asked = pc.if_else(where, values, "").dictionary_encode()
    answers = pa.array([bool(text) and question(text) for text in asked.dictionary.to_pylist()], type=pa.bool_())
    return answers.take(asked.indices)


def _shared(texts: dict[str, Any], mails: dict[str, Any], phones: dict[str, Any]) -> Iterator[Finding]:
    """Contacts of at least SHARED_BY people, in whichever of their items."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = []
    for of, same in ((mails, pc.utf8_lower), (phones, lambda array: pc.replace_substring(array, "-", ""))):
        for item, rows in of.items():
            if item.endswith("_address") and len(rows):
                parts.append((item, rows, same(texts[item].take(pa.array(rows)))))
    if not parts:
        return
    values = pa.concat_arrays([array for _, _, array in parts]).dictionary_encode()
    value, person = values.indices.to_numpy(), np.concatenate([rows for _, rows, _ in parts])
    part = np.repeat(np.arange(len(parts)), [len(rows) for _, rows, _ in parts])
    often = np.bincount(value)[value] >= SHARED_BY
    table = pd.DataFrame({"value": value[often], "person": person[often], "part": part[often]})
    people = table.drop_duplicates(["value", "person"])["value"].value_counts()  # one person may have it twice
    table["people"] = table["value"].map(people)
    for number, (item, _, _) in enumerate(parts):
        found = table[(table["part"] == number) & (table["people"] >= SHARED_BY)]
        if len(found):
            details = found["people"].astype("str") + "名で共有"
            yield found["person"].to_numpy(), item, "shared_contact", details.to_numpy()
