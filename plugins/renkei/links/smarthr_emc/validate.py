"""Find everything that is wrong with today's departments and users, not just the first (E29, E30).

Each check returns rows of one `problems` table: record_set, line, id, crew_id, item, kind, detail, source.
`line` is the 1-based row in what SmartHR returned, `source` where the value is mended (origins.py).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ParamSpec

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from renkei.links.smarthr_emc.model import Operation, RecordSet
from renkei.links.smarthr_emc.origins import SHEET, department_origin, user_origin
from renkei.links.smarthr_emc.rows import UserRows
from renkei.links.smarthr_emc.sheet.items import CONTACTS, DEPARTMENT_REFERENCES, PASSWORD
from renkei.links.smarthr_emc.sheet.mapping import Action, Loader, Mapping
from renkei.links.smarthr_emc.text_checks import (
    MAIL,
    PHONE,
    ProblemMaker,
    each,
    malformed_mail,
    malformed_phone,
    text_checks,
)
from renkei.links.smarthr_emc.wording import CONVERSIONS, REMEDIES
from renkei.systems.emc.file_format import EmcFormat
from renkei.values.columns import arrow, arrows, has_text, is_in, mask, series, some, text

_P = ParamSpec("_P")

PROBLEM_COLUMNS = ("record_set", "line", "id", "crew_id", "item", "kind", "detail", "source")


_MISSING = ("required", "no_id")


def remedy_of(kind: str, item: str, source: str = "") -> str:
    """What is to be done about a problem: where, by the place that its value came from, and what."""
    said = REMEDIES[kind].format(item=item, source=source or f"SmartHRで「{item}」の元になる項目")
    if kind not in CONVERSIONS or source.startswith(SHEET):
        return said
    return f"{said}（書き方だけが原因なら、連携設定シートの{item}の変換に「{CONVERSIONS[kind]}」を指定しても直ります）"


def _collected(check: Callable[_P, Iterator[pd.DataFrame]]) -> Callable[_P, pd.DataFrame]:
    """Lets a check yield what it finds; gives all of it as one table, by line."""

    @functools.wraps(check)
    def collect(*args: _P.args, **kwargs: _P.kwargs) -> pd.DataFrame:
        return together(check(*args, **kwargs))

    return collect


def together(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """All problems as one table, by line."""
    found = [table for table in tables if len(table)]
    if not found:
        return no_problems()
    return pd.concat(found, ignore_index=True).sort_values("line", kind="stable", ignore_index=True)


@_collected
def check_departments(
    rows: pd.DataFrame, emc_format: EmcFormat, loader: Loader = Loader.HTTP
) -> Iterator[pd.DataFrame]:
    """Problems of the departments table (E10, E13, E21, E23, E29, E38)."""

    def problems(where: Any, item: str, kind: str, detail: Any = "") -> pd.DataFrame:
        if not some(where):
            return no_problems()
        return _problems(
            RecordSet.DEPARTMENTS,
            rows,
            where,
            "department_id",
            "source_id",
            item,
            kind,
            detail,
            lambda hit: department_origin(hit, item),
        )

    ids, names, parents = (arrow(rows[key]) for key in ("department_id", "name", "parent_id"))

    def named_as(where: Any) -> Any:
        return pc.binary_join_element_wise(text("部署名「"), names.filter(where), text("」"), text(""))

    no_code, orphan = pc.equal(ids, ""), mask(rows["orphan"])
    yield problems(no_code, "department_id", "no_code", named_as(no_code))
    yield problems(pc.equal(names, ""), "name", "required")
    yield problems(orphan, "parent_id", "orphan", named_as(orphan))
    repeated = pc.and_(pc.invert(no_code), mask(rows["department_id"].duplicated(keep=False)))
    yield problems(repeated, "department_id", "duplicate_id", _others(rows, repeated, "department_id", "source_id"))
    known = pc.is_in(parents, value_set=ids)
    below = has_text(parents)
    unknown = pc.and_not(below, known)
    yield problems(unknown, "parent_id", "unknown_parent", named_as(unknown))
    unreached = np.ones(len(rows), dtype=bool)
    unreached[reachable(rows)] = False
    loop = pc.and_not(pc.and_(pc.and_(below, known), pa.array(unreached)), repeated)
    yield problems(loop, "parent_id", "loop", named_as(loop))
    for key in ("department_id", "name", "name_yomi"):
        yield from text_checks(problems, arrow(rows[key]), key, emc_format, loader)


def reachable(departments: pd.DataFrame) -> list[int]:
    """Row numbers of the departments that hang on the tree, parents before children (E13)."""
    ids, parents = departments["department_id"].tolist(), departments["parent_id"].tolist()
    below: dict[str, list[int]] = {}
    for row, parent in enumerate(parents):
        below.setdefault(parent, []).append(row)
    # Below an unknown parent there is a tree too; only loops are never reached.
    known = {"", *ids}
    astray = [row for row, parent in enumerate(parents) if parent not in known]
    reached: list[int] = []
    for level in (below.pop("", []), astray):
        while level:
            reached += level
            level = sorted(child for row in level for child in below.pop(ids[row], []))
    return reached


@_collected
def check_users(
    users: pd.DataFrame,
    rows: UserRows,
    target: pd.DataFrame,
    creates: Any,
    department_ids: pd.Series[str],
    deleted_department_ids: pd.Series[str],
    passwords: Any,
    mapping: Mapping,
    emc_format: EmcFormat,
) -> Iterator[pd.DataFrame]:
    """Problems of the valid users that have an id; every argument is aligned with `users`.

    `target` is what EMC will have (rows.after). `creates` says who is new, and `passwords` (Arrow arrays both) what
    each of those gets (a secret shows as "*": only the load knows it).
    """

    def problems(where: Any, item: str, kind: str, detail: Any = "") -> pd.DataFrame:
        if not some(where):  # as a rule: most checks find nothing, and making a table costs more than looking
            return no_problems()
        return _problems(
            RecordSet.USERS,
            users,
            where,
            "user_id",
            "crew_id",
            item,
            kind,
            detail,
            lambda hit: user_origin(mapping.rule(item), item, hit, missing=kind in _MISSING),
        )

    cells = arrows(rows.cells)
    repeated = mask(users["user_id"].duplicated(keep=False))
    yield problems(repeated, "user_id", "duplicate_id", _others(users, repeated, "user_id", "crew_id"))
    yield from text_checks(problems, arrow(users["user_id"]), "user_id", emc_format, mapping.loader)
    rejected = {item: mask(where) for item, where in rows.rejected.items()}
    for item, where in rejected.items():
        yield problems(where, item, "required")
    rule = mapping.rule("password")
    if rule is not None and rule.on_create.when_blank.action is Action.REJECT:
        yield problems(pc.equal(passwords, ""), "password", "required")
    yield from text_checks(problems, passwords, "password", emc_format, mapping.loader)
    for item in (name for name in ("full_name", "full_name_yomi") if name in cells):
        lacking = pc.if_else(creates, pc.invert(has_text(cells[item])), pc.equal(cells[item], ""))
        yield problems(pc.and_not(lacking, rejected[item]) if item in rejected else lacking, item, "required")
    for item, texts in cells.items():
        yield from text_checks(problems, texts, item, emc_format, mapping.loader)
    if "password_reset" in cells:
        yield problems(_other_than(["T", "F"], cells["password_reset"]), "password_reset", "flag")
    yield from _reference_checks(problems, cells, target, department_ids, deleted_department_ids)
    for slot in range(1, CONTACTS + 1):
        yield from _contact_checks(problems, cells, target, slot, emc_format)


def _other_than(allowed: Iterable[str], texts: Any) -> Any:
    """Where something else than one of `allowed` is written."""
    return pc.and_not(has_text(texts), pc.is_in(texts, value_set=pa.array(allowed, type=pa.large_string())))


def _reference_checks(
    problems: ProblemMaker,
    cells: dict[str, Any],
    target: pd.DataFrame,
    department_ids: pd.Series[str],
    deleted_department_ids: pd.Series[str],
) -> Iterator[pd.DataFrame]:
    """Departments that are written and are not there, and those that are kept and go (E23)."""
    for item in DEPARTMENT_REFERENCES:
        if item in cells:
            unknown = _other_than(department_ids, cells[item])
            yield problems(unknown, item, "unknown_department", cells[item].filter(unknown))
        if item in target and len(deleted_department_ids):
            had = arrow(target[item])
            left = pc.is_null(cells[item]) if item in cells else pc.is_valid(had)
            in_use = pc.and_(left, pc.is_in(had, value_set=arrow(deleted_department_ids)))
            yield problems(in_use, item, "department_in_use", had.filter(in_use))


def _contact_checks(
    problems: ProblemMaker, cells: dict[str, Any], target: pd.DataFrame, slot: int, emc_format: EmcFormat
) -> Iterator[pd.DataFrame]:
    medium, address = f"contact_{slot}_medium", f"contact_{slot}_address"
    if address not in cells or medium not in cells:
        return
    media = f"EMCで使えるのは {'、'.join(emc_format.media)} です"
    yield problems(_other_than(list(emc_format.media), cells[medium]), medium, "medium", media)
    has_address, of = has_text(cells[address]), arrow(target[medium])
    yield problems(pc.and_(has_address, pc.equal(of, "")), medium, "no_medium")
    for kind, pattern, what in (("mail", MAIL, malformed_mail), ("phone", PHONE, malformed_phone)):
        names = [name for name, one in emc_format.media.items() if one == kind]
        told = pc.and_(has_address, pc.is_in(of, value_set=pa.array(names, type=pa.large_string())))
        if some(told):
            bad = pc.and_not(told, pc.match_substring_regex(cells[address], f"^(?:{pattern})$"))
            yield problems(bad, address, kind, each(what, cells[address], bad))


def refused_passwords(passwords: pd.Series[str], emc_format: EmcFormat) -> pd.Series[bool]:
    """Where EMC would refuse the whole load for a first password: blank, too long, other than visible ASCII."""
    limit = emc_format.length_of("password")
    refused = ~passwords.str.fullmatch(PASSWORD, na=False)
    return refused if limit is None else refused | (passwords.str.len() > limit)


def check_nameless(users: pd.DataFrame, lost: frozenset[str], mapping: Mapping) -> pd.DataFrame:
    """Valid crews that never had a user id, where the sheet says エラー (E9)."""
    rule = mapping.rule("user_id")
    assert rule is not None
    if rule.on_create.when_blank.action is not Action.REJECT:
        return no_problems()
    nameless = mask(users["valid"] & (users["user_id"] == "") & ~is_in(users["crew_id"], lost))
    return _problems(
        RecordSet.USERS,
        users,
        nameless,
        "user_id",
        "crew_id",
        "user_id",
        "no_id",
        "",
        lambda hit: user_origin(rule, "user_id", hit, missing=True),
    )


def other_tenants_ids(table: pd.DataFrame, owned: dict[str, frozenset[str]], record_set: RecordSet) -> pd.DataFrame:
    """Ids of this plan that another tenant of the same EMC account has (E27)."""
    frames = []
    for tenant, ids in owned.items():
        where = mask(is_in(table["id"], ids) & (table["operation"] != Operation.DELETE.value))
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


def _others(rows: pd.DataFrame, repeated: Any, id_column: str, crew_column: str) -> Any:
    """For each row with a repeated id, all the crews that have it ("同じID: a, b")."""
    alike = rows[repeated.to_numpy(zero_copy_only=False)]
    groups = alike.groupby(id_column)[crew_column].agg(", ".join)
    return pc.binary_join_element_wise(text("同じID: "), arrow(alike[id_column].map(groups)), text(""))


def _problems(
    record_set: RecordSet,
    rows: pd.DataFrame,
    where: Any,
    id_column: str,
    crew_column: str,
    item: str,
    kind: str,
    detail: Any = "",
    source: Callable[[pd.DataFrame], pd.Series[str]] | None = None,
) -> pd.DataFrame:
    """The rows at `where` (an Arrow array of yes and no) with what is wrong; `source` tells where each is mended."""
    if not some(where):
        return no_problems()
    hit = rows[where.fill_null(False).to_numpy(zero_copy_only=False)]
    return pd.DataFrame(
        {
            "record_set": record_set.value,
            "line": hit["line"],
            "id": hit[id_column],
            "crew_id": hit[crew_column],
            "item": item,
            "kind": kind,
            "detail": detail if isinstance(detail, str) else series(detail, hit.index),
            "source": source(hit) if source else "",
        }
    )
