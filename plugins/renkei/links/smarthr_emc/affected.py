"""The people and departments that a plan removes, adds or silences, for those who have to judge it (E12, E36)."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import pandas as pd

from renkei.links.smarthr_emc.compared import compared_with
from renkei.links.smarthr_emc.model import Operation, Reason
from renkei.links.smarthr_emc.records import PlanWarnings
from renkei.links.smarthr_emc.sheet.items import USER_ITEM
from renkei.links.smarthr_emc.wording import ADMINISTRATORS, REASONS, TAKEN
from renkei.runs.hold import HeldPlan
from renkei.storage.runs import RunRecord
from renkei.storage.store import MissingKeyError
from renkei.values.columns import is_in, look_up

APART = (
    Reason.ID_CHANGE.value,
    Reason.REPLACED.value,
)  # neither joiner nor leaver: listed as ID変更, or told as 再連携
CLEARED = "clear:"  # in front of an item: the kind of the guard's hold about it (guards.hold_blanks)


@dataclass(frozen=True, slots=True)
class Person:
    """One of them; `department` is EMC's, as `code name`, or empty."""

    user_id: str
    crew_id: str
    department: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """People with what happens to them; `people` may be only the first of `count`."""

    title: str
    count: int
    people: tuple[Person, ...]
    unit: str = "名"


def joiners(record: RunRecord, title: str, most: int) -> Group:
    """Who is added, ID変更 and 再連携 apart."""
    return _of(record, Operation.CREATE, title, most)


def leavers(record: RunRecord, title: str, most: int) -> Group:
    """Who is deleted, ID変更 and 再連携 apart."""
    return _of(record, Operation.DELETE, title, most)


def _of(record: RunRecord, operation: Operation, title: str, most: int) -> Group:
    diff = _diff(record)
    diff = diff[(diff["operation"] == operation.value) & ~is_in(diff["reason"], APART)]
    return Group(title, len(diff), _people(diff.head(most), lambda user_id: ""))


def held(record: RunRecord, most: int) -> list[Group]:
    """Whom a held plan would delete, silence or change, in the order in which they matter."""
    before, after = compared_with(record).table("users_target"), _or_none(record, "users_target")
    names = _department_names(record)
    diff = _diff(record)
    gone = diff[diff["operation"] == Operation.DELETE.value]
    was, will = _departments(before, names), _departments(after, names)
    warnings = record.read(PlanWarnings)
    people, handed = warnings.people, warnings.handovers

    def warned(kind: str, title: str) -> Group:
        found = [(user_id, crew_id) for of, user_id, crew_id in people if of == kind]
        shown = (Person(user_id, crew_id, will(user_id) or was(user_id)) for user_id, crew_id in found[:most])
        return Group(title, len(found), tuple(shown))

    groups = [
        *(warned(kind, title) for kind, title in ADMINISTRATORS.items()),
        Group("EMCから削除される社員", len(gone), _people(gone.head(most), was)),
        warned("lost_contact", "緊急連絡先が1件も無くなる社員（安否確認の連絡が届かなくなります）"),
        *(warned(kind, title) for kind, title in TAKEN.items()),
        Group(
            "ユーザIDが別の人に移る社員（前の人の登録は残りません）",
            len(handed),
            tuple(Person(user_id, now, will(user_id)) for user_id, _, now in handed[:most]),
        ),
    ]
    kinds = [hold.kind for hold in record.read(HeldPlan).holds]
    for item in (kind.removeprefix(CLEARED) for kind in kinds if kind.startswith(CLEARED)):
        cleared = _cleared(before, after, item, {user_id for user_id, _, _ in handed})
        title = f"「{USER_ITEM[item].name}」が空白になる社員"
        groups.append(Group(title, len(cleared), _people(cleared.head(most), will)))
    return [group for group in groups if group.count]


def departments_gone(record: RunRecord, most: int) -> list[Group]:
    """The departments that a plan deletes, as `code name` in place of a user id; no group where there are none."""
    diff = record.table("departments_diff", ["id", "operation"])
    gone = diff.loc[diff["operation"] == Operation.DELETE.value, "id"]
    names = _department_names(record)
    shown = tuple(Person(names.get(department, department), "") for department in gone.head(most))
    return [Group("EMCから削除される部署", len(gone), shown, "件")] if len(gone) else []


def _cleared(
    before: pd.DataFrame | None, after: pd.DataFrame | None, item: str, handed: AbstractSet[str]
) -> pd.DataFrame:
    """Rows of `after` (id, crew_id, reason) of people who have the item no more, whatever their id was.

    Who has another crew id now is known by the user id, unless that passed to another person.
    """
    if before is None or after is None or item not in before or item not in after:
        return _nobody()
    own = look_up(after["user_id"], before["user_id"], before[item]).mask(is_in(after["user_id"], handed), "")
    had = look_up(after["crew_id"], before["crew_id"], before[item]).where(
        is_in(after["crew_id"], before["crew_id"]), own
    )
    lost = (had != "") & (after[item].fillna("") == "")
    return after.loc[lost, ["user_id", "crew_id"]].rename(columns={"user_id": "id"}).assign(reason="")


def _people(rows: pd.DataFrame, department: Callable[[str], str]) -> tuple[Person, ...]:
    return tuple(
        Person(user_id, crew_id, department(user_id), REASONS.get(reason, ""))
        for user_id, crew_id, reason in zip(rows["id"], rows["crew_id"], rows["reason"], strict=True)
    )


def _departments(target: pd.DataFrame | None, names: dict[str, str]) -> Callable[[str], str]:
    """The department of a user id in a users_target, as `code name`."""
    if target is None or "primary_department_id" not in target:
        return lambda user_id: ""
    of = target.drop_duplicates("user_id").set_index("user_id")["primary_department_id"].fillna("")

    def find(user_id: str) -> str:
        code = str(of.get(user_id, ""))
        return names.get(code, code)

    return find


def _department_names(record: RunRecord) -> dict[str, str]:
    tables = (compared_with(record).table("departments"), _or_none(record, "departments"))
    return {
        code: f"{code} {name}"
        for table in tables
        if table is not None
        for code, name in zip(table["department_id"], table["name"], strict=True)
    }


def _diff(record: RunRecord) -> pd.DataFrame:
    return record.table("users_diff", ["id", "crew_id", "operation", "reason"])


def _nobody() -> pd.DataFrame:
    return pd.DataFrame({"id": [], "crew_id": [], "reason": []}, dtype="str")


def _or_none(record: RunRecord, name: str) -> pd.DataFrame | None:
    try:
        return record.table(name)
    except MissingKeyError:
        return None
