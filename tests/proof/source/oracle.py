"""What SPEC.md says a day must end in, as a plain model of its own: dictionaries in, no line of the product used.

A crew is the record that SmartHR shows; EMC is its users by id. The sheet is the one of `world.py`: the user id is
社員番号 (登録しない when a new crew has none), every other item is written on each run, blank or not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Crews = Mapping[str, Mapping[str, Any]]  # by crew id
Users = Mapping[str, Mapping[str, str]]  # EMC: by user id, blank items left out

CLEARED = ("所属部署コード", "緊急連絡1 アドレス", "緊急連絡2 アドレス")


@dataclass(frozen=True, slots=True)
class Right:
    """How an undisturbed day ends: refused for this reason (an error's name), or with these users in EMC."""

    refusal: str
    users: Users


def quiet_day(emc: Users, crews: Crews) -> Right:
    """The one right end of a day on which nothing moves while it is read and nothing is broken (E5–E10, E33–E35)."""
    valid = [crew for crew in crews.values() if crew["emp_status"] != "retired"]
    named = [crew for crew in valid if crew["emp_code"]]
    after = {crew["emp_code"]: items(crew) for crew in named}
    gone, stay = emc.keys() - after.keys(), emc.keys() & after.keys()
    if not crews:
        return Right("IncompleteReadError", emc)
    if len(after) < len(named) or any(not crew["last_name"] for crew in named):
        return Right("RecordError", emc)
    if (len(gone) >= 5 and len(gone) * 10 > len(emc)) or (emc and len(gone) == len(emc)):
        return Right("HoldError", emc)
    # E35: in companies this small five people are always more than a tenth.
    cleared = Counter(item for user in stay for item in CLEARED if item in emc[user] and item not in after[user])
    silent = [user for user in stay if reachable(emc[user]) and not reachable(after[user])]
    if len(silent) >= 5 or any(number >= 5 for number in cleared.values()):
        return Right("HoldError", emc)
    return Right("", after)


def items(crew: Mapping[str, Any]) -> dict[str, str]:
    """What EMC has of a crew, without its id."""
    slots = crew["departments"] or [None]
    values = {  # surrounding blanks are trimmed (E22)
        "氏名": f"{crew['last_name']}　{crew['first_name']}".strip(),
        "氏名(ヨミ)": f"{crew['last_name_yomi']}　{crew['first_name_yomi']}".strip(),
        "所属部署コード": (slots[0] or {}).get("code") or "",
        "緊急連絡1 媒体": "メールアドレス" if crew["email"] else "",
        "緊急連絡1 アドレス": crew["email"] or "",
        "緊急連絡2 媒体": "電話番号" if crew["tel_number"] else "",
        "緊急連絡2 アドレス": crew["tel_number"] or "",
    }
    return {item: value for item, value in values.items() if value}


def departments(found: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """EMC's departments by code, for departments as SmartHR shows them."""
    return {
        department["code"]: {
            "部署名": department["name"],
            "部署名(ヨミ)": "ブショ",
            **({"親部署ID": department["parent"]["code"]} if department["parent"] else {}),
        }
        for department in found
    }


def reachable(user: Mapping[str, str]) -> bool:
    return "緊急連絡1 アドレス" in user or "緊急連絡2 アドレス" in user


def faults_of_a_moving_day(emc: Users, start: Crews, end: Crews) -> list[str]:
    """What is wrong with EMC after a run during which SmartHR went from `start` to `end`, each crew in one step.

    Of a crew that changed, either state will do. Whoever was valid in both must be there (nobody deleted falsely, no
    joiner lost), whoever was valid in neither must not, and nobody may be a mixture of two states.
    """
    wrong = []
    states = {crew_id: [_row(start.get(crew_id)), _row(end.get(crew_id))] for crew_id in {**start, **end}}
    for crew_id, rows in states.items():
        if None not in rows and not any(row and emc.get(row[0]) == row[1] for row in rows):
            wrong.append(f"crew {crew_id} was valid throughout and is not in EMC as it was (expected one of {rows})")
    allowed = [row for rows in states.values() for row in rows if row]
    for user_id, user in emc.items():
        if (user_id, user) not in allowed:
            wrong.append(f"EMC has user {user_id} as {dict(user)}, which no valid crew was")
    return wrong


def _row(crew: Mapping[str, Any] | None) -> tuple[str, dict[str, str]] | None:
    if crew is None or crew["emp_status"] == "retired" or not crew["emp_code"]:
        return None
    return crew["emp_code"], items(crew)
