"""Find everything that is wrong with today's departments and users, not just the first (E29, E30).

Each check returns rows of one `problems` table: record_set, line, id, crew_id, item, kind, detail, source.
`line` is the 1-based row in what SmartHR returned, `source` where the value is mended (origins.py).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Iterator
from typing import ParamSpec, Protocol

import pandas as pd

from renkei.links.smarthr_emc.model import Operation, RecordSet
from renkei.links.smarthr_emc.origins import SHEET, department_origin, user_origin
from renkei.links.smarthr_emc.rows import UserRows
from renkei.links.smarthr_emc.sheet.conversion import UNCONVERTED
from renkei.links.smarthr_emc.sheet.items import CONTACTS, DEPARTMENT_REFERENCES, PASSWORD, USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Action, Loader, Mapping
from renkei.links.smarthr_emc.wording import CONVERSIONS, REMEDIES
from renkei.systems.emc.file_format import EmcFormat
from renkei.values.columns import is_in, shown
from renkei.values.convert import INVISIBLE_CHARACTER
from renkei.values.variants import standard_forms

_P = ParamSpec("_P")

PROBLEM_COLUMNS = ("record_set", "line", "id", "crew_id", "item", "kind", "detail", "source")

MAIL = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+"
PHONE = r"\+?[0-9](-?[0-9]){9,14}"
CONTROL = "[\x00-\x1f\x7f-\x9f\u2028\u2029]"
# What a spreadsheet would run when a person opens a file for upload (E38). Telephone numbers are none; a tab or a
# line break in front is a control character, which no cell may have.
FORMULA = r"[=@]|[+-](?![0-9 ().-]*$)"

# Items by which EMC finds a record again: what comes back must be what was sent.
IDS = ("user_id", "department_id", *DEPARTMENT_REFERENCES)

_MISSING = ("required", "no_id")


def remedy_of(kind: str, item: str, source: str = "") -> str:
    """What is to be done about a problem: where, by the place that its value came from, and what."""
    said = REMEDIES[kind].format(item=item, source=source or f"SmartHRで「{item}」の元になる項目")
    if kind not in CONVERSIONS or source.startswith(SHEET):
        return said
    return f"{said}（書き方だけが原因なら、連携設定シートの{item}の変換に「{CONVERSIONS[kind]}」を指定しても直ります）"


class Found(Protocol):
    """Makes problem rows of one record set: where, which item, what kind."""

    def __call__(
        self, where: pd.Series[bool], item: str, kind: str, detail: str | pd.Series[str] = ""
    ) -> pd.DataFrame: ...


def _collected(check: Callable[_P, Iterator[pd.DataFrame]]) -> Callable[_P, pd.DataFrame]:
    """Lets a check yield what it finds; gives all of it as one table, by line."""

    @functools.wraps(check)
    def collect(*args: _P.args, **kwargs: _P.kwargs) -> pd.DataFrame:
        found = [frame for frame in check(*args, **kwargs) if len(frame)]
        if not found:
            return no_problems()
        return pd.concat(found, ignore_index=True).sort_values("line", kind="stable", ignore_index=True)

    return collect


@_collected
def check_departments(
    rows: pd.DataFrame, emc_format: EmcFormat, loader: Loader = Loader.HTTP
) -> Iterator[pd.DataFrame]:
    """Problems of the departments table (E10, E13, E21, E23, E29, E38)."""

    def found(where: pd.Series[bool], item: str, kind: str, detail: str | pd.Series[str] = "") -> pd.DataFrame:
        if not where.any():
            return no_problems()
        source = department_origin(rows.loc[where], item)
        return _problems(RecordSet.DEPARTMENTS, rows, where, "department_id", "source_id", item, kind, detail, source)

    named_as = "部署名「" + rows["name"] + "」"
    yield found(rows["department_id"] == "", "department_id", "no_code", named_as)
    yield found(rows["name"] == "", "name", "required")
    yield found(rows["orphan"], "parent_id", "orphan", named_as)
    named = rows["department_id"] != ""
    repeated = named & rows["department_id"].duplicated(keep=False)
    yield found(repeated, "department_id", "duplicate_id", _others(rows, repeated, "department_id", "source_id"))
    known = is_in(rows["parent_id"], rows.loc[named, "department_id"])
    has_parent = rows["parent_id"] != ""
    yield found(has_parent & ~known, "parent_id", "unknown_parent", named_as)
    yield found(has_parent & known & ~rows.index.isin(reachable(rows)) & ~repeated, "parent_id", "loop", named_as)
    for key in ("department_id", "name", "name_yomi"):
        yield from _text_checks(found, rows[key], key, emc_format, loader)


def reachable(departments: pd.DataFrame) -> pd.Index:
    """Index labels of the departments that hang on the tree, parents before children (E13)."""
    level = departments[departments["parent_id"] == ""]
    reached = level.index
    left = departments.drop(index=level.index)
    while len(level) and len(left):
        level = left[is_in(left["parent_id"], level.loc[level["department_id"] != "", "department_id"])]
        reached = reached.append(level.index)
        left = left.drop(index=level.index)
    # Below an unknown parent there is a tree too; only loops are never reached.
    unknown = left[~is_in(left["parent_id"], departments["department_id"])]
    while len(unknown):
        reached = reached.append(unknown.index)
        left = left.drop(index=unknown.index)
        unknown = left[is_in(left["parent_id"], unknown["department_id"])]
    return reached


@_collected
def check_users(
    users: pd.DataFrame,
    rows: UserRows,
    target: pd.DataFrame,
    write_as: pd.Series[str],
    department_ids: pd.Series[str],
    deleted_department_ids: pd.Series[str],
    passwords: pd.Series[str],
    mapping: Mapping,
    emc_format: EmcFormat,
) -> Iterator[pd.DataFrame]:
    """Problems of the valid users that have an id; every argument is aligned with `users`.

    `target` is what EMC will have (rows.after), `passwords` what each would get as a new user
    (a secret shows as "*": only the load knows it).
    """

    def found(where: pd.Series[bool], item: str, kind: str, detail: str | pd.Series[str] = "") -> pd.DataFrame:
        if not where.any():  # as a rule: most checks find nothing, and making a table costs more than looking
            return no_problems()
        source = user_origin(mapping.rule(item), item, users.loc[where], missing=kind in _MISSING)
        return _problems(RecordSet.USERS, users, where, "user_id", "crew_id", item, kind, detail, source)

    cells = rows.cells
    repeated = users["user_id"].duplicated(keep=False)
    yield found(repeated, "user_id", "duplicate_id", _others(users, repeated, "user_id", "crew_id"))
    yield from _text_checks(found, users["user_id"], "user_id", emc_format, mapping.loader)
    for item, where in rows.rejected.items():
        yield found(where, item, "required")
    creates = write_as == Operation.CREATE.value
    rule = mapping.rule("password")
    if rule is not None and rule.on_create.when_blank.action is Action.REJECT:
        yield found(creates & (passwords == ""), "password", "required")
    yield from _text_checks(found, passwords.where(creates), "password", emc_format, mapping.loader)
    for item in ("full_name", "full_name_yomi"):
        if item in cells:
            lacking = (creates & (cells[item].fillna("") == "")) | (cells[item] == "")
            yield found(lacking & ~rows.rejected[item], item, "required")
    for item in cells.columns:
        yield from _text_checks(found, cells[item], item, emc_format, mapping.loader)
    if "password_reset" in cells:
        yield found(
            _written(cells["password_reset"]) & ~is_in(cells["password_reset"], ["T", "F"]), "password_reset", "flag"
        )
    for item in DEPARTMENT_REFERENCES:
        if item in cells:
            unknown = _written(cells[item]) & ~is_in(cells[item], department_ids)
            yield found(unknown, item, "unknown_department", cells[item])
        if item in target:
            left = cells[item].isna() if item in cells else target[item].notna()
            yield found(left & is_in(target[item], deleted_department_ids), item, "department_in_use", target[item])
    for slot in range(1, CONTACTS + 1):
        yield from _contact_checks(found, cells, target, slot, emc_format)


def _contact_checks(
    found: Found, cells: pd.DataFrame, target: pd.DataFrame, slot: int, emc_format: EmcFormat
) -> Iterator[pd.DataFrame]:
    medium, address = f"contact_{slot}_medium", f"contact_{slot}_address"
    if address not in cells or medium not in cells:
        return
    unknown = _written(cells[medium]) & ~is_in(cells[medium], emc_format.media)
    yield found(unknown, medium, "medium", f"EMCで使えるのは {'、'.join(emc_format.media)} です")
    has_address = _written(cells[address])
    kinds = target[medium].map(emc_format.media)
    yield found(has_address & (target[medium] == ""), medium, "no_medium")
    for kind, pattern in (("mail", MAIL), ("phone", PHONE)):
        bad = has_address & (kinds == kind) & ~cells[address].str.fullmatch(pattern, na=False)
        if bad.any():
            what = cells[address][bad].map(_MALFORMED[kind]).reindex(cells.index)
            yield found(bad, address, kind, what)


def refused_passwords(passwords: pd.Series[str], emc_format: EmcFormat) -> pd.Series[bool]:
    """Where EMC would refuse the whole load for a first password: blank, too long, other than visible ASCII."""
    limit = emc_format.length_of("password")
    refused = ~passwords.str.fullmatch(PASSWORD, na=False)
    return refused if limit is None else refused | (passwords.str.len() > limit)


def check_nameless(users: pd.DataFrame, lost: frozenset[str], mapping: Mapping) -> pd.DataFrame:
    """Valid crews that never had a user id, where the sheet says エラー (E9)."""
    rule = mapping.rule("user_id")
    assert rule is not None
    nameless = users["valid"] & (users["user_id"] == "") & ~is_in(users["crew_id"], lost)
    if rule.on_create.when_blank.action is not Action.REJECT:
        nameless = nameless & False
    source = user_origin(rule, "user_id", users.loc[nameless], missing=True)
    return _problems(RecordSet.USERS, users, nameless, "user_id", "crew_id", "user_id", "no_id", "", source)


def other_tenants_ids(table: pd.DataFrame, owned: dict[str, frozenset[str]], record_set: RecordSet) -> pd.DataFrame:
    """Ids of this plan that another tenant of the same EMC account has (E27)."""
    frames = []
    for tenant, ids in owned.items():
        where = is_in(table["id"], ids) & (table["operation"] != Operation.DELETE.value)
        frames.append(
            _problems(
                record_set,
                table,
                where,
                "id",
                "crew_id",
                record_set.id_column,
                "other_tenant",
                f"テナント {tenant} のID",
            )
        )
    return pd.concat(frames, ignore_index=True) if frames else no_problems()


@functools.cache
def no_problems() -> pd.DataFrame:
    """An empty problems table, the same one for all who ask: never changed in place."""
    return pd.DataFrame({name: pd.Series(dtype="int64" if name == "line" else "str") for name in PROBLEM_COLUMNS})


def _text_checks(
    found: Found, values: pd.Series[str], item: str, emc_format: EmcFormat, loader: Loader
) -> Iterator[pd.DataFrame]:
    """Length, encoding, control characters and formulas of one column; missing cells are not written.

    Of a password no character is told: it may be most of it (L6).
    """
    limit = emc_format.length_of(item)
    if limit is not None:
        length = values.str.len()
        long = length > limit
        if long.any():
            detail = "最大" + str(limit) + "文字、現在" + length[long].astype(int).astype("str") + "文字"
            yield found(long, item, "too_long", detail.reindex(values.index))
    if item == "password":
        yield found(_written(values) & ~values.str.fullmatch(PASSWORD, na=False), item, "password")
    else:
        yield from _character_checks(found, values, item, emc_format)
    yield found(
        values == emc_format.clear_marker,
        item,
        "reserved",
        "" if item == "password" else f"「{emc_format.clear_marker}」",
    )
    if loader is Loader.FILE_DROP:
        yield found(values.str.match(FORMULA, na=False), item, "formula")


def _character_checks(found: Found, values: pd.Series[str], item: str, emc_format: EmcFormat) -> Iterator[pd.DataFrame]:
    """Characters that the encoding lacks, named by what can be done about them, and control characters."""
    for kind, bad in _by_remedy(_unencodable(values, emc_format.encoding, item in IDS), item, emc_format).items():
        where = values.str.contains("[" + "".join(f"\\x{{{ord(c):x}}}" for c in bad) + "]", regex=True, na=False)
        named = values[where].map(lambda text, bad=bad: placed(text, bad))
        yield found(where, item, kind, named.reindex(values.index))
    broken = values.str.contains(CONTROL, regex=True, na=False)
    if broken.any():
        yield found(broken, item, "control", values[broken].map(_controls).reindex(values.index))


def placed(text: str, characters: Collection[str]) -> str:
    """Those of `characters` that stand in the text, once each; what nobody sees with its place."""
    found = []
    for character in dict.fromkeys(text):
        if character in characters:
            name = shown(character)
            found.append(name if "「" in name else f"{text.index(character) + 1}文字目の{name}")
    return "、".join(found)


def _controls(text: str) -> str:
    return placed(text, re.findall(CONTROL, text))


def _malformed_mail(text: str) -> str:
    """What is wrong with an address, without a word of it."""
    odd = [c for c in text if not ("!" <= c <= "~") or c in '()<>,;:"[]\\']
    if odd:
        return f"使えない文字 {placed(text, odd)}"
    return "「@」がありません" if "@" not in text else "「@」が2つ以上あります" if text.count("@") > 1 else ""


def _malformed_phone(text: str) -> str:
    odd = [c for c in text if c not in "0123456789-" and not (c == "+" and text.startswith(c))]
    if odd:
        return f"使えない文字 {placed(text, odd)}"
    digits = sum(map(str.isdigit, text))
    return f"{digits}桁です" if not 10 <= digits <= 15 else "ハイフンの位置が正しくありません"


_MALFORMED = {"mail": _malformed_mail, "phone": _malformed_phone}


def _by_remedy(characters: set[str], item: str, emc_format: EmcFormat) -> dict[str, set[str]]:
    """Characters that the encoding lacks, by what can be done about them; only users' items have a 変換."""
    kinds: dict[str, set[str]] = {}
    convertible = item in USER_ITEM and item not in UNCONVERTED
    for character in sorted(characters):
        kind = "encoding"
        if INVISIBLE_CHARACTER.fullmatch(character):
            kind = "encoding_invisible" if convertible else "unseen"
        elif convertible and _encodes(standard_forms().get(character, character), emc_format.encoding, item in IDS):
            kind = "encoding_variant"
        kinds.setdefault(kind, set()).add(character)
    return kinds


def _unencodable(values: pd.Series[str], encoding: str, exactly: bool) -> set[str]:
    """The characters of a column that the file's encoding cannot carry; usually none, and then cheap.

    `exactly`: nor those that would come back as another one (CP932 makes 〜 U+301C a full-width ～).
    """
    text = "".join(values.dropna().drop_duplicates().tolist())
    if _encodes(text, encoding, exactly):
        return set()
    return {character for character in set(text) if not _encodes(character, encoding, exactly)}


def _encodes(text: str, encoding: str, exactly: bool) -> bool:
    try:
        encoded = text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return not exactly or encoded.decode(encoding) == text


def _written(cells: pd.Series[str]) -> pd.Series[bool]:
    return cells.notna() & (cells != "")


def _others(rows: pd.DataFrame, repeated: pd.Series[bool], id_column: str, crew_column: str) -> pd.Series[str]:
    """For each repeated id, all the crews that have it ("同じID: a, b")."""
    groups = rows[repeated].groupby(id_column)[crew_column].agg(", ".join)
    return (
        "同じID: " + rows[id_column].map(groups).fillna("")
        if len(groups)
        else pd.Series("", index=rows.index, dtype="str")
    )


def _problems(
    record_set: RecordSet,
    rows: pd.DataFrame,
    where: pd.Series[bool],
    id_column: str,
    crew_column: str,
    item: str,
    kind: str,
    detail: str | pd.Series[str] = "",
    source: str | pd.Series[str] = "",
) -> pd.DataFrame:
    if not where.any():
        return no_problems()
    hit = rows.loc[where, ["line", id_column, crew_column]]
    return pd.DataFrame(
        {
            "record_set": record_set.value,
            "line": hit["line"],
            "id": hit[id_column],
            "crew_id": hit[crew_column],
            "item": item,
            "kind": kind,
            "detail": detail if isinstance(detail, str) else detail[where],
            "source": source,
        }
    )
