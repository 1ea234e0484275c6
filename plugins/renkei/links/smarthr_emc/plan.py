"""From a snapshot and a diff to everything the load needs: rows, problems, holds, warnings. No files, no clock."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pandas as pd

from renkei.links.smarthr_emc import disaster, guards, validate
from renkei.links.smarthr_emc.model import Mode, Operation, Reason
from renkei.links.smarthr_emc.rows import UserRows, after, restored_rows, user_rows
from renkei.links.smarthr_emc.sheet.items import USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Action, Constant, FieldRule, Loader, Mapping, Secret, Source
from renkei.links.smarthr_emc.sources import value_of
from renkei.runs.hold import Hold
from renkei.systems.emc.file_format import EmcFormat
from renkei.values.columns import constant, digest, is_in, look_up

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
    order = validate.reachable(departments)
    ordered = departments.loc[order].drop_duplicates("department_id")
    written = diff[diff["operation"] != Operation.DELETE.value].set_index("id")["write_as"]
    rows = ordered[["department_id", "name", "name_yomi", "parent_id"]].assign(
        operation=ordered["department_id"].map(written)
    )
    gone = diff.loc[diff["operation"] == Operation.DELETE.value, "id"]
    if old is not None and len(gone):
        depth_first = old.loc[validate.reachable(old), "department_id"][::-1]
        gone = depth_first[is_in(depth_first, gone)]
    deletes = pd.DataFrame({"department_id": gone, "operation": Operation.DELETE.value})
    return DepartmentPlan(pd.concat([rows, deletes], ignore_index=True), problems)


def plan_users(
    users: pd.DataFrame,
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
    listed = users[users["valid"] & (users["user_id"] != "")]
    named = listed[disaster.received(listed)].reset_index(drop=True)
    kept_people = listed[~disaster.received(listed)]
    kept = diff[diff["operation"] != Operation.DELETE.value].drop_duplicates("id").set_index("id")
    write_as = named["user_id"].map(kept["write_as"])
    reason = named["user_id"].map(kept["reason"])
    rows = (
        user_rows(named, write_as, mapping) if restored is None else restored_rows(named, write_as, mapping, restored)
    )
    handed = reason == Reason.HANDED_OVER.value
    if handed.any():
        rows.cells.loc[handed, "password_reset"] = (
            "T"  # whatever the sheet says of new people: it is another person's id
        )
    known = _before(named["user_id"], before, adopted, list(rows.cells.columns))
    # A created row starts from nothing, whatever an id of that name had before.
    had = known.mask(write_as == Operation.CREATE.value)
    updates = write_as == Operation.UPDATE.value
    silenced = updates & False
    if frozen:
        cells, silenced = disaster.keep_values(rows.cells, had, updates)
        rows = UserRows(cells, rows.rejected)
    target = after(rows.cells, had)
    alters = bool((rows.cells.notna() & (rows.cells != had[rows.cells.columns])).mul(updates, axis=0).any(axis=None))
    created = (write_as == Operation.CREATE.value).to_numpy()[:, None]
    target = target.mask(target.isna() & created, "")  # what a create leaves out, EMC has not
    problems = pd.concat(
        [
            validate.check_users(
                named,
                rows,
                target,
                write_as,
                department_ids,
                deleted_department_ids,
                _passwords(named, mapping),
                mapping,
                emc_format,
            ),
            validate.check_nameless(users, lost, mapping),
        ],
        ignore_index=True,
    ).sort_values("line", kind="stable", ignore_index=True)
    stay_before = _of_the_person(named, before, known.mask(handed))
    stay_after = target.loc[stay_before.index]
    holds = guards.hold_blanks(stay_before, stay_after, mapping)
    body = rows.cells.assign(
        line=named["line"], crew_id=named["crew_id"], user_id=named["user_id"], operation=write_as
    ).drop_duplicates("user_id")
    gone = diff.loc[diff["operation"] == Operation.DELETE.value, ["crew_id", "id"]]
    passed = _holders(named[handed], before)
    deletes = pd.concat([gone.rename(columns={"id": "user_id"}), passed[["crew_id", "user_id"]]], ignore_index=True)
    deletes = deletes.assign(line=0, operation=Operation.DELETE.value)
    # Deletes first: 再連携 and 引き継ぎ delete and add the same id in one file.
    target = target.assign(user_id=named["user_id"], crew_id=named["crew_id"])
    warnings = _warnings(named, users, diff, reason, stay_before, stay_after, target, lost)
    if frozen and before is not None:
        target = pd.concat([target, before[is_in(before["user_id"], kept_people["user_id"])]], ignore_index=True)
        for kind, people in (("kept", kept_people), ("kept_values", named[silenced])):
            warnings += [(kind, *row) for row in zip(people["user_id"], people["crew_id"], strict=True)]
    return UserPlan(
        rows=pd.concat([deletes, body], ignore_index=True),
        target=target,
        handovers=list(passed[["user_id", "crew_id", "now"]].itertuples(index=False, name=None)),
        alters=alters,
        problems=problems,
        holds=holds,
        warnings=warnings,
    )


def _before(
    user_ids: pd.Series[str], before: pd.DataFrame | None, adopted: pd.DataFrame, items: list[str]
) -> pd.DataFrame:
    """What EMC has for each user id, aligned with `user_ids`; missing where not known."""
    known = [frame.set_index("user_id") for frame in (before, adopted) if frame is not None and len(frame)]
    if not known:
        return pd.DataFrame(index=user_ids.index, columns=items, dtype="str")
    joined = pd.concat(known)
    joined = joined[~joined.index.duplicated()]
    columns = list(dict.fromkeys([*items, *(c for c in joined.columns if c in USER_ITEM)]))
    aligned = joined.reindex(columns=columns).reindex(user_ids)
    aligned.index = user_ids.index
    return aligned.astype("str")


def _of_the_person(named: pd.DataFrame, before: pd.DataFrame | None, known: pd.DataFrame) -> pd.DataFrame:
    """What EMC has of everybody who stays, as rows of `named`: by crew, whatever the id; else by an id that is theirs.

    `known` is what EMC has of each id, missing where it is another person's.
    """
    if before is not None:
        was = look_up(named["crew_id"], before["crew_id"], before["user_id"])
        moved = (was != "") & (was != named["user_id"])
        if moved.any():
            rows = before.drop_duplicates("user_id").set_index("user_id").reindex(was[moved], columns=known.columns)
            known = pd.concat([known[~moved], rows.astype("str").set_axis(was.index[moved])]).sort_index()
    return known[known.notna().any(axis=1)]


def _holders(handed: pd.DataFrame, before: pd.DataFrame | None) -> pd.DataFrame:
    """user_id, crew_id (of the earlier holder) and now (the crew) of each id that passes to another person."""
    rows = handed[["user_id", "crew_id"]].drop_duplicates("user_id").rename(columns={"crew_id": "now"})
    found = "" if before is None else look_up(rows["user_id"], before["user_id"], before["crew_id"])
    return rows.assign(crew_id=found)


def _warnings(
    named: pd.DataFrame,
    users: pd.DataFrame,
    diff: pd.DataFrame,
    reason: pd.Series[str],
    stay_before: pd.DataFrame,
    stay_after: pd.DataFrame,
    target: pd.DataFrame,
    lost: frozenset[str],
) -> Warnings:
    found: Warnings = []

    def add(kind: str, rows: pd.DataFrame, id_column: str = "user_id") -> None:
        found.extend(
            (kind, user_id, crew_id) for user_id, crew_id in zip(rows[id_column], rows["crew_id"], strict=True)
        )

    add("lost_id", diff[diff["reason"] == Reason.LOST_ID.value], "id")
    nameless = users[users["valid"] & (users["user_id"] == "")]
    add("no_id", nameless[~is_in(nameless["crew_id"], lost)])
    add("still_no_id", nameless[is_in(nameless["crew_id"], lost) & ~is_in(nameless["crew_id"], diff["crew_id"])])
    add("taken_over", named[reason == Reason.TAKEN_OVER.value])
    add("adopted", named[reason == Reason.ADOPTED.value])
    add("recreated", named[reason == Reason.RECREATED.value])
    silenced = guards.losing_last_contact(stay_before, stay_after)
    add("lost_contact", named.loc[silenced[silenced].index])
    add("no_contact", named[guards.without_contact(target) & ~silenced.reindex(named.index, fill_value=False)])
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


def _passwords(users: pd.DataFrame, mapping: Mapping) -> pd.Series[str]:
    """The first passwords, to be checked and then forgotten; "*" stands for a secret, which the load looks up."""
    rule = mapping.rule("password")
    return constant("", users) if rule is None else password_column(users, rule, lambda name: "*")
