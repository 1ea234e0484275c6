"""The people and departments that a plan removes, adds or silences, for those who have to judge it (E12, E36)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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
LOST = "lost_contact"
DIFF_COLUMNS = ["id", "crew_id", "operation", "reason"]
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
    """Whom a held plan would delete, silence or change, in the order in which they matter.

    Of a million people only those concerned are read; where an item becomes blank, that item of everybody.
    """
    gone = record.rows("users_diff", {"operation": [Operation.DELETE.value]}, DIFF_COLUMNS)
    warnings, kinds = record.read(PlanWarnings), [hold.kind for hold in record.read(HeldPlan).holds]
    handed = warnings.handovers
    cleared = {
        item: _cleared(record, item, {user_id for user_id, _, _ in handed})
        for item in (kind.removeprefix(CLEARED) for kind in kinds if kind.startswith(CLEARED))
    }
    warned_of = {kind: [one for one in warnings.people if one[0] == kind] for kind in (*ADMINISTRATORS, LOST, *TAKEN)}
    shown = {
        *(user_id for found in warned_of.values() for _, user_id, _ in found[:most]),
        *(user_id for user_id, _, _ in handed[:most]),
        *(user_id for rows in (gone, *cleared.values()) for user_id in rows["id"].head(most)),
    }
    was, will = _departments(record, shown)

    def warned(kind: str, title: str) -> Group:
        found = warned_of[kind]
        people = (Person(user_id, crew_id, will(user_id) or was(user_id)) for _, user_id, crew_id in found[:most])
        return Group(title, len(found), tuple(people))

    groups = [
        *(warned(kind, title) for kind, title in ADMINISTRATORS.items()),
        Group("EMCから削除される社員", len(gone), _people(gone.head(most), was)),
        warned(LOST, "緊急連絡先が1件も無くなる社員（安否確認の連絡が届かなくなります）"),
        *(warned(kind, title) for kind, title in TAKEN.items()),
        Group(
            "ユーザIDが別の人に移る社員（前の人の登録は残りません）",
            len(handed),
            tuple(Person(user_id, now, will(user_id)) for user_id, _, now in handed[:most]),
        ),
    ]
    for item, rows in cleared.items():
        title = f"「{USER_ITEM[item].name}」が空白になる社員"
        groups.append(Group(title, len(rows), _people(rows.head(most), will)))
    return [group for group in groups if group.count]


def departments_gone(record: RunRecord, most: int) -> list[Group]:
    """The departments that a plan deletes, as `code name` in place of a user id; no group where there are none."""
    diff = record.table("departments_diff", ["id", "operation"])
    gone = diff.loc[diff["operation"] == Operation.DELETE.value, "id"]
    names = _department_names(record)
    shown = tuple(Person(names.get(department, department), "") for department in gone.head(most))
    return [Group("EMCから削除される部署", len(gone), shown, "件")] if len(gone) else []


def _cleared(record: RunRecord, item: str, handed: AbstractSet[str]) -> pd.DataFrame:
    """Rows (id, crew_id, reason) of people of the plan who have the item no more, whatever their id was.

    Who has another crew id now is known by the user id, unless that passed to another person.
    """
    columns = ["user_id", "crew_id", item]
    before, after = compared_with(record).table("users_target", columns), _or_none(record, "users_target", columns)
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


def _departments(record: RunRecord, user_ids: Iterable[str]) -> tuple[Callable[[str], str], Callable[[str], str]]:
    """The departments of these people, as `code name`: at the baseline, and as the plan has them."""
    wanted, columns = {"user_id": user_ids}, ["user_id", "primary_department_id"]
    names = _department_names(record)
    try:
        planned = record.rows("users_target", wanted, columns)
    except MissingKeyError:
        planned = None

    def finder(target: pd.DataFrame | None) -> Callable[[str], str]:
        if target is None or "primary_department_id" not in target:
            return lambda user_id: ""
        of = target.drop_duplicates("user_id").set_index("user_id")["primary_department_id"].fillna("").to_dict()
        return lambda user_id: names.get(of.get(user_id, ""), of.get(user_id, ""))

    return finder(compared_with(record).rows("users_target", wanted, columns)), finder(planned)


def _department_names(record: RunRecord) -> dict[str, str]:
    columns = ["department_id", "name"]
    tables = (compared_with(record).table("departments", columns), _or_none(record, "departments", columns))
    return {
        code: f"{code} {name}"
        for table in tables
        if table is not None
        for code, name in zip(table["department_id"], table["name"], strict=True)
    }


def _diff(record: RunRecord) -> pd.DataFrame:
    return record.table("users_diff", DIFF_COLUMNS)


def _nobody() -> pd.DataFrame:
    return pd.DataFrame({"id": [], "crew_id": [], "reason": []}, dtype="str")


def _or_none(record: RunRecord, name: str, columns: Sequence[str]) -> pd.DataFrame | None:
    try:
        return record.table(name, columns)
    except MissingKeyError:
        return None
