"""Freeze what was read: who is valid, under which id, in which department tree (E7, E13, E22, E24, E26)."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pyarrow.compute as pc

from renkei.errors import IncompleteReadError
from renkei.links.smarthr_emc.fetch import RETIRED, source_columns
from renkei.links.smarthr_emc.model import RecordSet
from renkei.links.smarthr_emc.records import SetSummary
from renkei.links.smarthr_emc.sheet.catalogue import CATALOGUE
from renkei.links.smarthr_emc.sheet.codec import section_digest
from renkei.links.smarthr_emc.sheet.expression import format_source
from renkei.links.smarthr_emc.sheet.mapping import Mapping, SourceField
from renkei.links.smarthr_emc.sources import value_of
from renkei.values.columns import arrow, constant, digest, has_text, is_in, mask, prefixed, series, some, text, trim


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One frozen read; tables as in model.py."""

    departments: pd.DataFrame
    users: pd.DataFrame
    summary: dict[RecordSet, SetSummary]


def freeze(departments: pd.DataFrame, users: pd.DataFrame, mapping: Mapping) -> Snapshot:
    """The snapshot of one read. Rows keep SmartHR's order; `line` is the row's number in it."""
    return summarise(_departments(departments, mapping), _users(users, mapping), mapping)


def summarise(departments: pd.DataFrame, users: pd.DataFrame, mapping: Mapping, rules: str = "") -> Snapshot:
    """The snapshot of tables that are frozen already. `rules` names what else than the sheet decided over them."""
    named = users["valid"] & (users["user_id"] != "")
    values = users.drop(columns=["line", "valid", "emp_status"])
    return Snapshot(
        departments,
        users,
        {
            RecordSet.DEPARTMENTS: SetSummary(
                total=len(departments),
                valid=len(departments),
                digest=digest(departments[["department_id", "name", "name_yomi", "parent_id"]], "department_id"),
                sheet_digest=section_digest(mapping, "departments") + rules,
            ),
            RecordSet.USERS: SetSummary(
                total=len(users),
                valid=int(named.sum()),
                digest=digest(values, "user_id", named),
                sheet_digest=section_digest(mapping, "users") + rules,
            ),
        },
    )


def _users(users: pd.DataFrame, mapping: Mapping) -> pd.DataFrame:
    trimmed = {column: trim(users[column]) for column in source_columns(mapping)}
    valid = users["emp_status"] != RETIRED  # 休職中 stays, 退職日 has no effect (E7)
    frozen = users.assign(**trimmed, valid=valid)
    rule = mapping.rule("user_id")
    assert rule is not None  # the sheet cannot be read without it
    ids = prefixed(mapping.id_prefix, arrow(value_of(rule, frozen)))
    frozen["user_id"] = series(pc.if_else(mask(valid), ids, text("")), frozen.index)
    return frozen


def _departments(departments: pd.DataFrame, mapping: Mapping) -> pd.DataFrame:
    """Department rows ready for EMC: ids with prefix, first level below 最上位部署 where there is one.

    `orphan` marks a department whose parent has no code in SmartHR: reported, never invented.
    """
    prefix, root = mapping.id_prefix, mapping.root_department
    code, parent_code = (arrow(trim(departments[name])) for name in ("code", "parent_code"))
    orphan = pc.and_(mask(departments["has_parent"]), pc.equal(parent_code, ""))
    by_level = any(
        isinstance(term, SourceField) and term.name == "部署名(階層)" for term in mapping.departments.name.terms
    )
    frozen = pd.DataFrame(
        {
            "line": departments["line"],
            "source_id": departments["source_id"],
            "department_id": series(prefixed(prefix, code), departments.index),
            "parent_id": series(prefixed(prefix, parent_code), departments.index),
            "name": trim(departments["full_name" if by_level else "name"]),
            "name_yomi": constant(mapping.departments.yomi, departments),
            "orphan": orphan.to_numpy(zero_copy_only=False),
        }
    )
    if root is None:
        return frozen
    frozen["parent_id"] = frozen["parent_id"].mask(~departments["has_parent"], prefix + root.id)
    top = pd.DataFrame(
        {
            "line": [0],
            "source_id": [""],
            "department_id": [prefix + root.id],
            "parent_id": [""],
            "name": [root.name],
            "name_yomi": [root.yomi],
            "orphan": [False],
        }
    ).astype(frozen.dtypes.to_dict())
    return pd.concat([top, frozen], ignore_index=True)


def refuse_lost_permission(snapshot: Snapshot, baseline_users: pd.DataFrame, mapping: Mapping) -> None:
    """Stop when an attribute that people who stay had values of is now empty for everybody (E33).

    A token that may not see an attribute any more may get null for it. Those who left prove nothing: where nobody
    stays, as where everybody is 退職済, the guard on deletions asks (E34).

    Raises:
        IncompleteReadError: names the attributes.
    """
    stay = baseline_users[is_in(baseline_users["crew_id"], snapshot.users.loc[snapshot.users["valid"], "crew_id"])]
    blank = blank_for_all(snapshot.users, mapping)
    lost = [column for column in blank if column in stay.columns and (stay[column] != "").any()]
    if lost:
        raise IncompleteReadError(
            f"SmartHRの項目（{'、'.join(lost)}）が全員空白になりました。前回は値がありました。"
            "アクセストークンの従業員項目の参照権限を確認してください。項目が不要になった場合は、連携設定シートから外してください。"
            "何も書き込んでいません。"
        )


def blank_for_all(users: pd.DataFrame, mapping: Mapping) -> list[str]:
    """The columns that the sheet reads of attributes of which no valid person has a value; `users` as in a snapshot."""
    valid = mask(users["valid"])
    attributes: dict[str, list[str]] = {}  # by what SmartHR permits: 部署1 and 部署2 are slots of one attribute
    for column, term in source_columns(mapping).items():
        wire = CATALOGUE[term.name].column[0] if isinstance(term, SourceField) else column
        attributes.setdefault(str(wire), []).append(column)

    def has_a_value(column: str) -> bool:
        return some(pc.and_(valid, has_text(arrow(users[column]))))

    return [column for columns in attributes.values() if not any(map(has_a_value, columns)) for column in columns]


def refuse_nobody(snapshot: Snapshot, mapping: Mapping) -> None:
    """Stop a first link of nobody: a later one would be no first link any more, and go by itself (E31, E33).

    Raises:
        IncompleteReadError: it says how many were received.
    """
    if not snapshot.summary[RecordSet.USERS].valid:
        rule = mapping.rule("user_id")
        assert rule is not None
        raise IncompleteReadError(
            f"初回連携ですが、登録する社員が1人もいません（受信した従業員{len(snapshot.users)}人は、退職済か、"
            f"ユーザIDにする「{format_source(rule.source)}」の値がありません）。SmartHRの在籍状況と値、アクセストークンの"
            "従業員項目のアクセス許可、SmartHR URLの会社を確認してください。何も書き込んでいません。"
        )
