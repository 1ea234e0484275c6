"""What looks wrong in the values that a run writes: warnings for the mail, never errors; nothing is changed (E22).

Characters and ids: `values/character_warnings.py`. Beside them:

    unused_phone      a telephone number that the numbering plan does not have
    odd_mail          a mail address outside the standard, or of a domain that is no domain of the internet
    shared_contact    one contact of many people
    no_date           a value that 変換 日付 could not read

What EMC's encoding cannot carry is an error (validate.py) and not told again here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from renkei.links.smarthr_emc.model import Operation
from renkei.links.smarthr_emc.records import ValueWarnings
from renkei.links.smarthr_emc.sheet.items import CONTACTS, DEPARTMENT_REFERENCES, USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Action, FieldRule, Mapping
from renkei.links.smarthr_emc.text_checks import PHONE
from renkei.links.smarthr_emc.wording import SHARED_BY, VALUE_WARNINGS
from renkei.systems.emc.file_format import EmcFormat
from renkei.values.character_warnings import character_warnings, double_blanks, id_warnings, kinds_of
from renkei.values.columns import flat, is_in, rows_where, shown
from renkei.values.contacts import shared, sound_mails, sound_phones
from renkei.values.conversion import Convert
from renkei.values.convert import date_pattern

HYGIENE_COLUMNS = ("line", "id", "crew_id", "item", "kind", "detail")
Finding = tuple[Any, str, str, Any]  # row numbers, item, kind, details (a text or an array)

# Codes of fixed lists, and what is looked at elsewhere.
_NOT_TEXT = (
    "operation",
    "password_reset",
    *DEPARTMENT_REFERENCES,
    *(f"contact_{n}_medium" for n in range(1, CONTACTS + 1)),
)
_LATIN = ("user_id", *(f"contact_{n}_address" for n in range(1, CONTACTS + 1)))
_NAMES = ("full_name", "full_name_yomi")


def doubtful(rows: pd.DataFrame, target: pd.DataFrame, mapping: Mapping, emc_format: EmcFormat) -> pd.DataFrame:
    """Every doubtful value, one row per person, item and kind: a table of HYGIENE_COLUMNS, by line.

    `rows` are the plan's, `target` begins with what EMC has of those that are not deletes, in their order (災害時凍結
    keeps others behind them). `detail` names at most the doubtful characters, or another user id, never a value else.
    """
    deleted = int((rows["operation"] == Operation.DELETE.value).sum())
    written, ids = rows.iloc[deleted:], flat(rows["user_id"])  # deletes come first in a plan
    found = list(_found(written, target.head(len(written)), mapping, emc_format))
    ids = pa.concat_arrays([ids.slice(deleted), ids.slice(0, deleted)])
    found += [(at, "user_id", kind, detail) for at, kind, detail in id_warnings(ids, len(written))]
    found = [one for one in found if len(one[0])]
    if not found:
        return pd.DataFrame({name: pd.Series(dtype="int64" if name == "line" else "str") for name in HYGIENE_COLUMNS})
    tables = []
    for at, item, kind, detail in found:
        people = written[["line", "user_id", "crew_id"]].take(at).reset_index(drop=True)
        tables.append(people.rename(columns={"user_id": "id"}).assign(item=item, kind=kind, detail=detail))
    table = pd.concat(tables, ignore_index=True)
    return table.sort_values("line", kind="stable", ignore_index=True).astype({"line": "int64"})[list(HYGIENE_COLUMNS)]


def substituted(departments: pd.DataFrame, emc_format: EmcFormat) -> list[tuple[str, str]]:
    """Departments (id, characters) of whose names EMC gets another sign than was received."""
    found: dict[str, list[str]] = {}
    names = departments["name"] + departments["name_yomi"]
    odd = {c for c in set("".join(names.tolist())) if "substituted" in kinds_of(c, emc_format.encoding)}
    for department_id, name in zip(departments["department_id"], names, strict=True) if odd else ():
        if characters := [shown(c) for c in dict.fromkeys(name) if c in odd]:
            found[department_id] = characters
    return [(department_id, "".join(characters)) for department_id, characters in found.items()]


def summary(found: pd.DataFrame, most: int) -> ValueWarnings:
    """How many people there are of each kind, and `most` of them per kind with their items: 氏名「髙」(U+9AD9)."""
    counts: dict[str, int] = {}
    listed: list[tuple[str, str, str, str]] = []
    kinds = set(found["kind"])
    for kind in (kind for kind in VALUE_WARNINGS if kind in kinds):
        rows = found[found["kind"] == kind]
        people = rows["id"].drop_duplicates()
        counts[kind] = len(people)
        for user_id, of in rows[is_in(rows["id"], people.head(most))].groupby("id", sort=False):
            what = "、".join(
                f"{USER_ITEM[item].name}{': ' if detail else ''}{detail}"
                for item, detail in zip(of["item"], of["detail"], strict=True)
            )
            listed.append((kind, str(user_id), str(of["crew_id"].iloc[0]), what))
    return ValueWarnings(counts, listed)


def _found(written: pd.DataFrame, target: pd.DataFrame, mapping: Mapping, emc_format: EmcFormat) -> Iterator[Finding]:
    texts = {item: flat(written[item]) for item in written.columns if item in USER_ITEM and item not in _NOT_TEXT}
    for item, array in texts.items():
        kinds = character_warnings(
            array, emc_format.encoding, is_reading=item == "full_name_yomi", is_latin=item in _LATIN
        )
        yield from ((rows, item, kind, details) for rows, kind, details in kinds)
        if item in _NAMES:
            yield double_blanks(array), item, "double_blank", ""
        rule = mapping.rule(item) if item != "user_id" else None  # whose values have ID付与コード in front
        if rule is not None and rule.conversions and rule.conversions[-1].convert is Convert.DATE:
            yield _no_dates(array, rule), item, "no_date", ""
    yield from _contact_warnings(texts, target, mapping, emc_format)


def _contact_warnings(
    texts: dict[str, Any], target: pd.DataFrame, mapping: Mapping, emc_format: EmcFormat
) -> Iterator[Finding]:
    """Numbers and addresses that hardly reach anybody, and those that are many people's.

    `texts` has one flat Arrow array per written item, `target` what EMC has of the same people in the same order.
    """
    mails, phones = _addresses(texts, target, mapping, emc_format)
    for of, kind, sound in ((mails, "odd_mail", sound_mails), (phones, "unused_phone", sound_phones)):
        for item, rows in of.items():
            yield rows[~sound(texts[item].take(pa.array(rows))).to_numpy(zero_copy_only=False)], item, kind, ""
    same = (
        (mails, pc.utf8_lower),
        (phones, lambda array: pc.replace_substring(array, "-", "")),
    )
    parts = [
        (item, rows, alike(texts[item].take(pa.array(rows))))
        for of, alike in same
        for item, rows in of.items()
        if item.endswith("_address") and len(rows)
    ]
    for item, people, count in shared(parts, SHARED_BY):
        yield people, item, "shared_contact", (pd.Series(count).astype("str") + "名で共有").to_numpy()


def _addresses(
    texts: dict[str, Any], target: pd.DataFrame, mapping: Mapping, emc_format: EmcFormat
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Per item the rows that hold a mail address, and those that hold a telephone number.

    A contact's medium says which; where EMC's is not known, the address itself does. Of other items, 変換 says it.
    """
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


def _no_dates(array: Any, rule: FieldRule) -> Any:
    """The rows of values that 日付 left as they were; デフォルト:X is no value of SmartHR's."""
    ours = pa.array(
        ["", *(cell.default for cell in rule.cells if cell.action is Action.DEFAULT)], type=pa.large_string()
    )
    read = pc.match_substring_regex(array, date_pattern(rule.conversions[-1].form))
    return rows_where(pc.invert(pc.or_(read, pc.is_in(array, value_set=ours))))
