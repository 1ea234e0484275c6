"""Freeze what was read: who is valid, under which id, in which department tree (E7, E13, E22, E24, E26)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from renkei.errors import IncompleteReadError
from renkei.links.smarthr_emc.columns import digest, evaluate, trim
from renkei.links.smarthr_emc.fetch import RETIRED, source_columns
from renkei.links.smarthr_emc.model import RecordSet
from renkei.links.smarthr_emc.sheet.index import section_digest
from renkei.links.smarthr_emc.sheet.mapping import Mapping, SourceField

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class SetSummary:
    """What E14 compares and the mail counts, of one record set."""

    total: int  # 全件: received
    valid: int  # 有効
    digest: str  # of the valid records' mapped values, by id
    sheet_digest: str  # of the rules that turn them into EMC's values


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One frozen read; tables as in model.py."""

    departments: pd.DataFrame
    users: pd.DataFrame
    summary: dict[RecordSet, SetSummary]

    def summary_json(self) -> dict[str, Any]:
        return {record_set.value: asdict(summary) for record_set, summary in self.summary.items()}


def freeze(departments: pd.DataFrame, users: pd.DataFrame, mapping: Mapping) -> Snapshot:
    """The snapshot of one read. Rows keep SmartHR's order; `line` is the row's number in it."""
    frozen_departments = _departments(departments, mapping)
    frozen_users = _users(users, mapping)
    valid = frozen_users[frozen_users["valid"]]
    named = valid[valid["user_id"] != ""]
    values = named.drop(columns=["line", "valid", "emp_status"])
    return Snapshot(
        frozen_departments,
        frozen_users,
        {
            RecordSet.DEPARTMENTS: SetSummary(
                total=len(frozen_departments),
                valid=len(frozen_departments),
                digest=digest(frozen_departments[["department_id", "name", "name_yomi", "parent_id"]], "department_id"),
                sheet_digest=section_digest(mapping, "departments"),
            ),
            RecordSet.USERS: SetSummary(
                total=len(frozen_users),
                valid=len(named),
                digest=digest(values, "user_id"),
                sheet_digest=section_digest(mapping, "users"),
            ),
        },
    )


def _users(users: pd.DataFrame, mapping: Mapping) -> pd.DataFrame:
    frozen = users.copy()
    for column in source_columns(mapping):
        frozen[column] = trim(frozen[column])
    frozen["valid"] = frozen["emp_status"] != RETIRED  # 休職中 stays, 退職日 has no effect (E7)
    rule = mapping.rule("user_id")
    assert rule is not None  # the sheet cannot be read without it
    plain = evaluate(rule.source, frozen)
    frozen["user_id"] = (mapping.id_prefix + plain).where((plain != "") & frozen["valid"], "")
    return frozen


def _departments(departments: pd.DataFrame, mapping: Mapping) -> pd.DataFrame:
    """Department rows ready for EMC: ids with prefix, first level below 最上位部署 where there is one.

    `orphan` marks a department whose parent has no code in SmartHR: reported, never invented.
    """
    import pandas as pd

    prefix, root = mapping.id_prefix, mapping.root_department
    code, parent_code = trim(departments["code"]), trim(departments["parent_code"])
    by_level = any(
        isinstance(term, SourceField) and term.name == "部署名(階層)" for term in mapping.departments.name.terms
    )
    frozen = pd.DataFrame(
        {
            "line": departments["line"],
            "source_id": departments["source_id"],
            "department_id": (prefix + code).where(code != "", ""),
            "parent_id": (prefix + parent_code).where(parent_code != "", ""),
            "name": trim(departments["full_name" if by_level else "name"]),
            "name_yomi": pd.Series(mapping.departments.yomi, index=departments.index, dtype="str"),
            "orphan": departments["has_parent"] & (parent_code == ""),
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
    """Stop when an attribute that had values is now empty for everybody (E33).

    SmartHR does not say that a token may not see an attribute: it leaves it out.

    Raises:
        IncompleteReadError: names the attributes.
    """
    valid = snapshot.users[snapshot.users["valid"]]
    lost = [
        column
        for column in source_columns(mapping)
        if column in baseline_users.columns and not (valid[column] != "").any() and (baseline_users[column] != "").any()
    ]
    if lost:
        raise IncompleteReadError(
            f"SmartHRの項目（{'、'.join(lost)}）が全員空白になりました。前回は値がありました。"
            "アクセストークンの従業員項目の参照権限を確認してください。何も書き込んでいません。"
        )
