"""Hold a plan that would remove or silence unusually many people (E34, E35)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from renkei.links.smarthr_emc.model import Operation
from renkei.links.smarthr_emc.sheet.items import CONTACTS, USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Action, Guards, Mapping

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Hold:
    """One reason to hold a plan: how many of how many, and the limit that was passed."""

    kind: str
    text: str  # Japanese, with the figures
    count: int
    of: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def hold_deletions(
    users_deleted: int, users_before: int, departments_deleted: int, departments_before: int, guards: Guards
) -> list[Hold]:
    """E34. `users_deleted` counts every delete: leavers, lost ids and the old ids of ID変更."""
    holds = []
    too_many = (
        _above(users_deleted, users_before, guards.delete_users_percent, guards.delete_users_least)
        or users_deleted > guards.delete_users_most
        or 0 < users_before <= users_deleted
    )
    if too_many:
        holds.append(
            Hold(
                "delete_users",
                f"社員の削除が{users_deleted}件（前回{users_before}件の{_percent(users_deleted, users_before)}）あります。"
                f"上限は{guards.delete_users_percent:g}%かつ{guards.delete_users_least}件、または{guards.delete_users_most}件です。",
                users_deleted,
                users_before,
            )
        )
    if _above(
        departments_deleted, departments_before, guards.delete_departments_percent, guards.delete_departments_least
    ):
        holds.append(
            Hold(
                "delete_departments",
                f"部署の削除が{departments_deleted}件（前回{departments_before}件の"
                f"{_percent(departments_deleted, departments_before)}）あります。"
                f"上限は{guards.delete_departments_percent:g}%かつ{guards.delete_departments_least}件です。",
                departments_deleted,
                departments_before,
            )
        )
    return holds


def losing_last_contact(before: pd.DataFrame, after: pd.DataFrame) -> pd.Series[bool]:
    """Which of the people who stay had a contact address and will have none (aligned rows)."""
    return _has_contact(before) & ~_has_contact(after)


def _has_contact(target: pd.DataFrame) -> pd.Series[bool]:
    import pandas as pd

    reachable = pd.Series(False, index=target.index)
    for slot in range(1, CONTACTS + 1):
        address = f"contact_{slot}_address"
        if address in target:
            reachable |= target[address].fillna("") != ""
    return reachable


def hold_blanks(before: pd.DataFrame, after: pd.DataFrame, cells: pd.DataFrame, mapping: Mapping) -> list[Hold]:
    """E35, over the people who stay: last contacts lost, and values that would be cleared, per item."""
    guards, holds = mapping.guards, []
    lost, stay = int(losing_last_contact(before, after).sum()), len(before)
    if _above(lost, stay, guards.lost_contact_percent, guards.lost_contact_least):
        holds.append(
            Hold(
                "lost_contact",
                f"最後の緊急連絡先が無くなる社員が{lost}人（継続する{stay}人の{_percent(lost, stay)}）います。"
                f"上限は{guards.lost_contact_percent:g}%かつ{guards.lost_contact_least}人です。",
                lost,
                stay,
            )
        )
    for rule in mapping.users:
        item = rule.item
        if item not in cells or item not in before or rule.on_update.when_blank.action is not Action.SET:
            continue
        had = before[item].fillna("") != ""
        cleared, of = int((had & (cells[item] == "")).sum()), int(had.sum())
        if _above(cleared, of, guards.clear_percent, guards.clear_least):
            holds.append(
                Hold(
                    f"clear:{item}",
                    f"「{USER_ITEM[item].name}」が空白になる社員が{cleared}人（値がある{of}人の{_percent(cleared, of)}）います。"
                    f"上限は{guards.clear_percent:g}%かつ{guards.clear_least}人です。",
                    cleared,
                    of,
                )
            )
    return holds


def hold_relink(users_deleted: int, departments_deleted: int) -> list[Hold]:
    """再連携 always waits for a person, who sees first what would be deleted (E32)."""
    return [
        Hold(
            Operation.DELETE.value.lower() + "_relink",
            f"再連携により、現在連携中の社員{users_deleted}件・部署{departments_deleted}件が削除され、全件が新規登録されます。",
            users_deleted,
            users_deleted,
        )
    ]


def hold_restore(generation: int, confirmed_at: str, deleted: int) -> list[Hold]:
    """復元 always waits for a person, who sees first what it would do."""
    return [
        Hold(
            "restore",
            f"復元により、EMCを第{generation}世代（{confirmed_at[:10]}に登録した内容）に戻します。"
            f"その後に登録された社員{deleted}件は削除されます。",
            deleted,
            deleted,
        )
    ]


def _above(count: int, of: int, percent: float, least: int) -> bool:
    """More than `percent` of `of`, and at least `least`."""
    # As written in the sheet: 2.3 % of 3,000 is 69, which floating point calls 68.99….
    return count > 0 and count >= least and count * 100 > Fraction(str(percent)) * of


def _percent(count: int, of: int) -> str:
    return f"{count * 100 / of:.1f}%" if of else "100%"
