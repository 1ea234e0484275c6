"""Hold a plan that would remove or silence unusually many people (E34, E35)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from renkei.clock import time_in_japan
from renkei.links.smarthr_emc.model import Operation, Reason
from renkei.links.smarthr_emc.sheet.items import CONTACTS, USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Guards, Mapping
from renkei.runs.hold import Hold
from renkei.values.columns import arrow, count, has_text, is_in, look_up

_MEDIA = {f"contact_{slot}_medium" for slot in range(1, CONTACTS + 1)}  # gone with its address (E20)
_NOT_SHOWN = (Reason.GONE.value, Reason.LOST_ID.value)
DEPARTMENTS_NAMED = 20  # by id, in the reason of a hold


def hold_deletions(
    users_deleted: int, users_before: int, departments_deleted: int, departments_before: int, guards: Guards
) -> list[Hold]:
    """E34. `users_deleted` counts every delete: leavers, lost ids and the old ids of ID変更."""
    holds = []
    too_many = _too_many(users_deleted, users_before, guards)
    if 0 < users_before <= users_deleted:
        holds.append(
            Hold(
                "delete_users",
                f"前回登録した社員{users_before}人が全員EMCから削除されます（全員が退職済か、SmartHRにいないか、別のユーザIDになりました）。"
                "SmartHRの在籍状況とユーザIDにしている項目を確認し、全員を削除してよい場合だけ承認してください。",
                users_deleted,
                users_before,
            )
        )
    elif too_many:
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


def hold_unseen(then: str | None, now: str | None, users: pd.DataFrame, departments: pd.DataFrame) -> list[Hold]:
    """E34, E8. After a new log-in at SmartHR the first deletions wait, however few: whom it does not see seem to leave.

    Of those alone that SmartHR does not show itself, as it shows who is 退職済. `then` and `now` are the log-ins of the
    baseline and of this read (`SmartHRClient.log_in`); where one is not known nothing is held. Diffs as in diff.py.
    """
    if then is None or now is None or then == now:
        return []
    gone = [_unseen(diff) for diff in (users, departments)]
    if not any(gone):
        return []
    return [
        Hold(
            "unseen",
            f"SmartHRの許可（ログインした管理者、またはアクセストークン）が前回の登録の後に変わり、社員{gone[0]}件・部署{gone[1]}件が"
            "SmartHRから届かなくなったか、ユーザIDの値が無くなりました。新しい許可では見えないだけで、在籍しているおそれがあります。"
            "SmartHRで確認し、EMCから削除してよい場合だけ承認してください。在籍している社員がいれば承認せず、全従業員を参照できる管理者が"
            "「SmartHRの接続」の画面で許可し直してから、もう一度実行してください。",
            sum(gone),
            sum(int((diff["operation"] != Operation.CREATE.value).sum()) for diff in (users, departments)),
        )
    ]


def _unseen(diff: pd.DataFrame) -> int:
    """How many go that were not read; of a department with another code only the old id goes."""
    goes = diff["operation"] == Operation.DELETE.value
    gone = diff.loc[goes & is_in(diff["reason"], _NOT_SHOWN), "crew_id"]
    return int((~is_in(gone, diff.loc[~goes, "crew_id"])).sum())


def hold_tree(before: pd.DataFrame, after: pd.DataFrame, guards: Guards) -> list[Hold]:
    """E34, E35 of departments tables: a list without any department, and parents lost by the departments that stay."""
    first, now = ({"", *tree.loc[tree["source_id"] == "", "department_id"]} for tree in (before, after))  # 最上位部署
    had = before[(before["source_id"] != "") & (before["department_id"] != "")]
    if len(had) and not (after["source_id"] != "").any():
        text = f"SmartHRから部署が1件も届かず、前回の部署{len(had)}件がすべて削除されます。SmartHRの部署を確認してください。"
        return [Hold("no_departments", text, len(had), len(had))]
    below = had[~had["parent_id"].isin(first) & is_in(had["department_id"], after["department_id"])]
    lifted = below[look_up(below["department_id"], after["department_id"], after["parent_id"]).isin(now)]
    lost, of = len(lifted), len(below)
    if not _above(lost, of, guards.clear_percent, min(guards.clear_least, max(of, 2))):
        return []
    text = (
        f"親部署が無くなり第1階層になる部署が{lost}件（親部署があった{of}件の{_percent(lost, of)}）あります"
        f"（{_named(lifted['department_id'].tolist())}）。"
        f"上限は{guards.clear_percent:g}%かつ{guards.clear_least}件、または2件以上の全部です。SmartHRの部署の階層を確認してください。"
    )
    return [Hold("lost_parents", text, lost, of)]


def losing_last_contact(before: pd.DataFrame, after: pd.DataFrame) -> Any:
    """Which people had a contact address and will have none (aligned rows; an Arrow array of yes and no)."""
    return pc.and_not(_reached(before), _reached(after))


def without_contact(target: pd.DataFrame) -> Any:
    """Who has no contact address at all; nobody where that is not known, or not the sheet's business."""
    addresses = _addresses(target)
    if not addresses:
        return _nobody(target)
    return functools.reduce(pc.and_, (pc.fill_null(pc.equal(address, ""), False) for address in addresses))


def _reached(target: pd.DataFrame) -> Any:
    return functools.reduce(pc.or_, map(has_text, _addresses(target)), _nobody(target))


def _addresses(target: pd.DataFrame) -> list[Any]:
    slots = [f"contact_{slot}_address" for slot in range(1, CONTACTS + 1)]
    return [arrow(target[slot]) for slot in slots if slot in target]


def _nobody(target: pd.DataFrame) -> Any:
    return pa.repeat(False, len(target))


def hold_blanks(before: pd.DataFrame, after: pd.DataFrame, mapping: Mapping) -> list[Hold]:
    """E35, over the people who stay: last contacts lost, and values that would be cleared, per item.

    One row per person, whatever ids and rows the person had and gets: what EMC has of them, and what it will have. Who
    is new has nothing before, not even blanks: all missing.
    """
    guards, holds = mapping.guards, []
    lost = count(losing_last_contact(before, after))
    known = (pc.is_valid(arrow(column)) for _, column in before.items())
    stay = count(functools.reduce(pc.or_, known, _nobody(before)))
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
    # Whatever the sheet says of a blank on an update: who is written anew, with another id or lost by EMC, keeps nothing.
    for item in USER_ITEM:
        if item not in after or item not in before or item in _MEDIA:
            continue
        had = has_text(arrow(before[item]))
        cleared, of = count(pc.and_(had, pc.equal(arrow(after[item]), ""))), count(had)
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


def hold_handovers(users: int, users_deleted: int, users_before: int, guards: Guards) -> list[Hold]:
    """E40, E34: many ids that pass to other people are more likely a column that slipped, or another company's people.

    With `users_deleted` they are those of whom EMC keeps nothing, however few people a company has.
    """
    gone = users + users_deleted
    if not users or not (_too_many(gone, users_before, guards) or gone >= users_before):
        return []
    return [
        Hold(
            "handed_over",
            f"別の従業員に引き継がれるユーザIDが{users}件あります（削除{users_deleted}件と合わせて、前回{users_before}件の"
            f"{_percent(gone, users_before)}）。前の人の登録は消え、初期パスワードからの登録になります。上限は合わせて"
            f"{guards.delete_users_percent:g}%かつ{guards.delete_users_least}件、{guards.delete_users_most}件、または全員です。"
            "SmartHRのユーザIDにしている項目と、SmartHR URL・アクセストークンの会社が正しいか確認してください。",
            users,
            users_before,
        )
    ]


def hold_adoption(users: int, departments: Sequence[str]) -> list[Hold]:
    """A first link that makes what EMC has already this tenant's own waits for a person (E31)."""
    if not users and not departments:
        return []
    named = f"（{_named(departments)}）" if departments else ""
    return [
        Hold(
            "adopt",
            f"初回連携で、EMCに既にある社員{users}件・部署{len(departments)}件{named}を、この会社のものとして取り込みます。"
            "取り込んだものは、以後SmartHRに合わせて更新・削除します。別の会社のものなど、取り込んではいけないものがあれば"
            "承認せず、連携設定シートのID付与コードかユーザIDの項目を直してから、もう一度実行してください。",
            users + len(departments),
            users + len(departments),
        )
    ]


def _named(departments: Sequence[str]) -> str:
    return "、".join(departments[:DEPARTMENTS_NAMED]) + ("など" if len(departments) > DEPARTMENTS_NAMED else "")


def hold_administrators(deleted: int, adopted: int) -> list[Hold]:
    """Who may administer EMC is never deleted, nor taken over, without a person's word, in any run."""
    if not deleted and not adopted:
        return []
    what = "、".join(f"{verb}{count}件" for verb, count in (("削除", deleted), ("取り込み（更新）", adopted)) if count)
    return [
        Hold(
            "administrators",
            f"EMCで保有権限を持つ（管理者などの）ユーザの{what}があります。"
            "EMCの管理に使っているユーザなら承認せず、EMCの画面で保有権限を別のユーザに移すか、"
            "SmartHRでユーザIDの値を直してから、もう一度実行してください。",
            deleted + adopted,
            deleted + adopted,
        )
    ]


def hold_relink(users_deleted: int, departments_deleted: int, users_created: int) -> list[Hold]:
    """再連携 always waits for a person, who sees first what would be deleted (E32), and whether fewer come back."""
    return [
        Hold(
            Operation.DELETE.value.lower() + "_relink",
            f"再連携により、現在連携中の社員{users_deleted}件・部署{departments_deleted}件が削除され、"
            f"SmartHRから届いた社員{users_created}件が新規登録されます。",
            users_deleted,
            users_deleted,
        )
    ]


def hold_restore(generation: int, confirmed_at: str, deleted: int) -> list[Hold]:
    """復元 always waits for a person, who sees first what it would do."""
    return [
        Hold(
            "restore",
            f"復元により、EMCを第{generation}世代（{time_in_japan(confirmed_at)}に登録した内容）に戻します。"
            f"その後に登録された社員{deleted}件は削除されます。",
            deleted,
            deleted,
        )
    ]


def _too_many(users: int, users_before: int, guards: Guards) -> bool:
    above = _above(users, users_before, guards.delete_users_percent, guards.delete_users_least)
    return above or users > guards.delete_users_most


def _above(count: int, of: int, percent: float, least: int) -> bool:
    """More than `percent` of `of`, and at least `least`."""
    # As written in the sheet: 2.3 % of 3,000 is 69, which floating point calls 68.99….
    return count > 0 and count >= least and count * 100 > Fraction(str(percent)) * of


def _percent(count: int, of: int) -> str:
    return f"{count * 100 / of:.1f}%" if of else "100%"
