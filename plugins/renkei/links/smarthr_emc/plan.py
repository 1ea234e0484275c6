"""From a snapshot and a diff to everything the load needs: rows, problems, holds, warnings. No files, no clock."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from renkei.links.smarthr_emc import disaster, guards, validate
from renkei.links.smarthr_emc.model import Mode, Operation, Reason
from renkei.links.smarthr_emc.rows import UserRows, after, restored_rows, user_rows
from renkei.links.smarthr_emc.sheet.items import USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Action, Constant, FieldRule, Loader, Mapping, Secret, Source
from renkei.links.smarthr_emc.sources import value_of
from renkei.runs.hold import Hold
from renkei.systems.emc.file_format import EmcFormat
from renkei.values.columns import (
    arrow,
    arrows,
    digest,
    first_of_each,
    frame,
    has_text,
    is_in,
    look_up,
    mask,
    places,
    series,
    some,
    text,
)

Warnings = list[tuple[str, str, str]]  # kind, user id, crew id


@dataclass(frozen=True, slots=True)
class DepartmentPlan:
    rows: pd.DataFrame  # operation + EMC items, in file order
    problems: pd.DataFrame


@dataclass(frozen=True, slots=True)
class UserPlan:
    rows: pd.DataFrame  # line, crew_id, operation, user_id + EMC items, in file order
    target: pd.DataFrame  # user_id, crew_id + EMC items: what EMC has afterwards
    handovers: list[tuple[str, str, str]]  # user id, the crew that had it, the crew that has it now (E40)
    alters: bool  # whether an update would leave somebody otherwise than EMC is known to have them (E14)
    problems: pd.DataFrame
    holds: list[Hold]
    warnings: Warnings = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class People:
    """Today's valid people, by what a plan does with them: rows of the users table."""

    named: pd.DataFrame  # with a user id
    kept: pd.DataFrame  # with one, and not received: 災害時凍結 keeps them
    nameless: pd.DataFrame

    @classmethod
    def of(cls, users: pd.DataFrame) -> People:
        named, received = users["valid"] & (users["user_id"] != ""), disaster.received(users)
        return cls(
            users[named & received].reset_index(drop=True), users[named & ~received], users[users["valid"] & ~named]
        )


def plan_departments(
    departments: pd.DataFrame,
    diff: pd.DataFrame,
    emc_format: EmcFormat,
    old: pd.DataFrame | None,
    loader: Loader = Loader.HTTP,
) -> DepartmentPlan:
    """Department rows: parents before children, then deletes, children first (E13).

    `old` is the baseline's departments; deletes are ordered by its tree.
    """
    problems = validate.check_departments(departments, emc_format, loader)
    ordered = departments.iloc[validate.reachable(departments)].drop_duplicates("department_id")
    written = diff[diff["operation"] != Operation.DELETE.value].set_index("id")["write_as"]
    rows = ordered[["department_id", "name", "name_yomi", "parent_id"]].assign(
        operation=ordered["department_id"].map(written)
    )
    gone = diff.loc[diff["operation"] == Operation.DELETE.value, "id"]
    if old is not None and len(gone):
        depth_first = old["department_id"].iloc[validate.reachable(old)][::-1]
        gone = depth_first[is_in(depth_first, gone)]
    deletes = pd.DataFrame({"department_id": gone, "operation": Operation.DELETE.value})
    return DepartmentPlan(pd.concat([rows, deletes], ignore_index=True), problems)


def plan_users(
    people: People,
    diff: pd.DataFrame,
    before: pd.DataFrame | None,
    adopted: pd.DataFrame,
    department_ids: pd.Series[str],
    deleted_department_ids: pd.Series[str],
    lost: frozenset[str],
    mapping: Mapping,
    emc_format: EmcFormat,
    *,
    frozen: bool = False,
    restored: pd.DataFrame | None = None,
) -> UserPlan:
    """User rows by policy, with all that is wrong or remarkable about them.

    `before` is the baseline's users_target; `adopted` what EMC said it has for ids that are new to us.
    `frozen` is 災害時凍結: nothing is cleared. `restored` is the users_target that 復元 goes back to.
    """
    named = people.named
    kept = diff[diff["operation"] != Operation.DELETE.value]
    place = places(arrow(named["user_id"]), arrow(kept["id"]))
    write_as, reason = (series(arrow(kept[name]).take(place), named.index) for name in ("write_as", "reason"))
    handed = reason == Reason.HANDED_OVER.value
    rows = _cells(named, write_as, handed, mapping, restored)
    creates, updates = (pc.equal(arrow(write_as), kind.value) for kind in (Operation.CREATE, Operation.UPDATE))
    known = _known(before, adopted, list(rows.cells.columns))
    place = places(arrow(named["user_id"]), known["user_id"])
    # A created row starts from nothing, whatever an id of that name had before.
    kept_place = pc.if_else(creates, None, place)
    had = _at(known, kept_place, named.index)
    silenced = None
    if frozen:
        cells, silenced = disaster.keep_values(rows.cells, had, write_as == Operation.UPDATE.value)
        rows = UserRows(cells, rows.rejected)
    target = after(rows.cells, had, pc.if_else(creates, text(""), text(None)))  # what a create leaves out, EMC has not
    passwords = _passwords(named, creates, mapping)
    ids = (department_ids, deleted_department_ids)
    problems = [
        validate.check_users(named, rows, target, creates, *ids, passwords, mapping, emc_format),
        validate.check_nameless(people.nameless, lost, mapping),
    ]
    theirs = _places_of_the_person(named, before, pc.if_else(mask(handed), None, place))
    stay_before = had if theirs.equals(kept_place) else _at(known, theirs, named.index)  # the same, on most days
    passed = _holders(named[handed], before)
    target = target.assign(user_id=named["user_id"], crew_id=named["crew_id"])
    warnings = _warnings(named, people.nameless, diff, reason, stay_before, target, lost)
    holds = guards.hold_blanks(stay_before, target, mapping)
    if frozen and before is not None:
        target = pd.concat([target, before[is_in(before["user_id"], people.kept["user_id"])]], ignore_index=True)
        for kind, rows_kept in (("kept", people.kept), ("kept_values", named[silenced])):
            warnings += [(kind, *row) for row in zip(rows_kept["user_id"], rows_kept["crew_id"], strict=True)]
    return UserPlan(
        rows=_rows(named, rows.cells, write_as, diff, passed),
        target=target,
        handovers=list(passed[["user_id", "crew_id", "now"]].itertuples(index=False, name=None)),
        alters=_alters(rows.cells, had, updates),
        problems=validate.together(problems),
        holds=holds,
        warnings=warnings,
    )


def _cells(
    named: pd.DataFrame,
    write_as: pd.Series[str],
    handed: pd.Series[bool],
    mapping: Mapping,
    restored: pd.DataFrame | None,
) -> UserRows:
    """What the sheet, or 復元, writes of everybody."""
    if restored is not None:
        rows = restored_rows(named, write_as, mapping, restored)
    else:
        rows = user_rows(named, write_as, mapping)
    if handed.any():  # whatever the sheet says of new people: it is another person's id
        rows.cells.loc[handed, "password_reset"] = "T"
    return rows


def _rows(
    named: pd.DataFrame, cells: pd.DataFrame, write_as: pd.Series[str], diff: pd.DataFrame, passed: pd.DataFrame
) -> pd.DataFrame:
    """The rows of the file. Deletes first: 再連携 and 引き継ぎ delete and add the same id in one file."""
    body = first_of_each(
        cells.assign(line=named["line"], crew_id=named["crew_id"], user_id=named["user_id"], operation=write_as),
        "user_id",
    )
    gone = diff.loc[diff["operation"] == Operation.DELETE.value, ["crew_id", "id"]].rename(columns={"id": "user_id"})
    deletes = pd.concat([gone, passed[["crew_id", "user_id"]]], ignore_index=True)
    return pd.concat([deletes.assign(line=0, operation=Operation.DELETE.value), body], ignore_index=True)


def _known(before: pd.DataFrame | None, adopted: pd.DataFrame, items: list[str]) -> dict[str, Any]:
    """What EMC is known to have of anybody, as Arrow arrays: user_id, `items`, and what else there is.

    Of two rows of one id the first counts.
    """
    tables = [table for table in (before, adopted) if table is not None and len(table)] or [pd.DataFrame()]
    names = dict.fromkeys(["user_id", *items, *(name for table in tables for name in table if name in USER_ITEM)])

    def column(name: str) -> Any:
        parts = [arrow(t[name]) if name in t else pa.nulls(len(t), pa.large_string()) for t in tables]
        return pa.concat_arrays(parts) if len(parts) > 1 else parts[0]

    return {name: column(name) for name in names}


def _at(known: dict[str, Any], rows: Any, index: pd.Index) -> pd.DataFrame:
    """The rows of `known` of these numbers, without their user ids; missing where there is none."""
    return frame({name: texts.take(rows) for name, texts in known.items() if name != "user_id"}, index)


def _places_of_the_person(named: pd.DataFrame, before: pd.DataFrame | None, own: Any) -> Any:
    """Where EMC's row of everybody who stays is: by crew, whatever the id; else where the id's is (`own`).

    `own` is missing where the id was another person's.
    """
    if before is None:
        return own
    was = arrow(before["user_id"]).take(places(arrow(named["crew_id"]), arrow(before["crew_id"])))
    moved = pc.and_(has_text(was), pc.fill_null(pc.not_equal(was, arrow(named["user_id"])), False))
    return pc.if_else(moved, places(was, arrow(before["user_id"])), own) if some(moved) else own


def _alters(cells: pd.DataFrame, had: pd.DataFrame, updates: Any) -> bool:
    """Whether an update writes something that EMC is not known to have."""
    for name, written in arrows(cells).items():
        other = pc.coalesce(pc.not_equal(written, arrow(had[name])), pc.is_valid(written))
        if some(pc.and_(updates, other)):
            return True
    return False


def _holders(handed: pd.DataFrame, before: pd.DataFrame | None) -> pd.DataFrame:
    """user_id, crew_id (of the earlier holder) and now (the crew) of each id that passes to another person."""
    rows = handed[["user_id", "crew_id"]].drop_duplicates("user_id").rename(columns={"crew_id": "now"})
    found = "" if before is None else look_up(rows["user_id"], before["user_id"], before["crew_id"])
    return rows.assign(crew_id=found)


def _warnings(
    named: pd.DataFrame,
    nameless: pd.DataFrame,
    diff: pd.DataFrame,
    reason: pd.Series[str],
    stay_before: pd.DataFrame,
    target: pd.DataFrame,
    lost: frozenset[str],
) -> Warnings:
    found: Warnings = []

    def add(kind: str, rows: pd.DataFrame, where: Any, id_column: str = "user_id") -> None:
        user_ids, crew_ids = (arrow(rows[name]).filter(where).to_pylist() for name in (id_column, "crew_id"))
        found.extend((kind, *one) for one in zip(user_ids, crew_ids, strict=True))

    add("lost_id", diff, pc.equal(arrow(diff["reason"]), Reason.LOST_ID.value), "id")
    known = is_in(nameless["crew_id"], lost)
    add("no_id", nameless, mask(~known))
    add("still_no_id", nameless, mask(known & ~is_in(nameless["crew_id"], diff["crew_id"])))
    for kind in (Reason.TAKEN_OVER, Reason.ADOPTED, Reason.RECREATED):
        add(kind.value, named, pc.equal(arrow(reason), kind.value))
    silenced = guards.losing_last_contact(stay_before, target)
    add("lost_contact", named, silenced)
    add("no_contact", named, pc.and_not(guards.without_contact(target), silenced))
    return found


def id_changes(diff: pd.DataFrame) -> list[tuple[str, str, str]]:
    """(crew id, old user id, new user id) of every crew whose user id changed, whoever had the new one (E12)."""
    changed = diff[(diff["operation"] != Operation.DELETE.value) & (diff["was"] != "") & (diff["was"] != diff["id"])]
    return list(changed[["crew_id", "was", "id"]].itertuples(index=False, name=None))


def plan_digest(
    departments: pd.DataFrame | None, users: pd.DataFrame | None, generation: int, mode: Mode, users_valid: str
) -> str:
    """Names exactly what would be written, and against which baseline (E36)."""
    sha = hashlib.sha256(f"{generation} {mode} {users_valid}".encode())
    for table, key in ((departments, "department_id"), (users, "user_id")):
        if table is not None:
            texts = table.drop(columns=["line"], errors="ignore")
            sha.update(digest(texts, key).encode())
    return sha.hexdigest()


def password_column(users: pd.DataFrame, rule: FieldRule, secret: Callable[[str], str]) -> pd.Series[str]:
    """The first password of each new user; made while loading and kept nowhere (E19, L6, L7)."""
    alternatives = tuple(
        tuple(Constant(secret(term.name)) if isinstance(term, Secret) else term for term in alternative)
        for alternative in rule.source.alternatives
    )
    value = value_of(replace(rule, source=Source(alternatives)), users)
    blank = rule.on_create.when_blank
    return value.mask(value == "", blank.default) if blank.action is Action.DEFAULT else value


def _passwords(users: pd.DataFrame, creates: Any, mapping: Mapping) -> Any:
    """The first passwords, to be checked and then forgotten; "*" stands for a secret, which the load looks up.

    An Arrow array, missing where nobody is created.
    """
    rule, nobody = mapping.rule("password"), pa.nulls(len(users), pa.large_string())
    if rule is None:
        return pc.if_else(creates, text(""), nobody)
    made = password_column(users[creates.to_numpy(zero_copy_only=False)], rule, lambda name: "*")
    return pc.replace_with_mask(nobody, creates, arrow(made))
