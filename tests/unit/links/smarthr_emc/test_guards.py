"""Each guard just below, at and just above its limits."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from renkei.links.smarthr_emc.guards import (
    hold_administrators,
    hold_adoption,
    hold_blanks,
    hold_deletions,
    hold_relink,
    hold_restore,
    hold_tree,
    hold_unseen,
    losing_last_contact,
    without_contact,
)
from renkei.links.smarthr_emc.model import RecordSet
from renkei.links.smarthr_emc.sheet.mapping import Guards, Mapping
from tests.builders import CONTACT, crew, mapping, plan_day


def held(deleted: int, of: int, guards: Guards | None = None) -> bool:
    return [hold.kind for hold in hold_deletions(deleted, of, 0, 0, guards or Guards())] == ["delete_users"]


@pytest.mark.parametrize(
    ("deleted", "of", "expected"),
    [
        (0, 0, False),
        (0, 100, False),
        (10, 100, False),  # exactly 10 %
        (11, 100, True),
        (4, 30, False),  # 13 %, but fewer than 5
        (5, 49, True),  # 10.2 %
        (5, 50, False),  # exactly 10 %
        (500, 100_000, False),  # exactly 500
        (501, 100_000, True),
        (1, 1, True),  # everybody
        (4, 4, True),
        (3, 4, False),
        (70, 11_357, False),  # text 1's own sample
    ],
)
def test_e34_deleted_people_are_held_past_the_limits(deleted: int, of: int, expected: bool) -> None:
    """More than 10 % and at least 5, or more than 500, or everybody."""
    assert held(deleted, of) is expected


@pytest.mark.parametrize(
    ("deleted", "of", "expected"),
    [(0, 0, False), (2, 3, False), (3, 15, False), (3, 14, True), (20, 100, False), (21, 100, True), (2, 2, False)],
)
def test_e34_deleted_departments_are_held_past_their_limits(deleted: int, of: int, expected: bool) -> None:
    """More than 20 % and at least 3."""
    holds = hold_deletions(0, 0, deleted, of, Guards())
    assert [hold.kind for hold in holds] == ["delete_departments"] * expected


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        ("a", "a", []),
        ("a", "b", [(3, 6)]),
        ("a", "", [(3, 6)]),
        ("", "a", [(3, 6)]),
        ("", "", []),
        (None, "a", []),
        ("a", None, []),
    ],
)
def test_e34_after_a_new_log_in_deletions_that_nobody_saw_are_held(
    then: str | None, now: str | None, expected: list[tuple[int, int]]
) -> None:
    """Gone and without an id, not 退職済, ID変更 or another department code; nothing where a log-in is not known."""
    users = [
        ("DELETE", "gone", ""),
        ("DELETE", "lost_id", "b"),
        ("DELETE", "retired", "c"),
        ("DELETE", "id_change", "d"),
    ]
    departments = [("DELETE", "gone", "e"), ("DELETE", "gone", "f"), ("CREATE", "", "f")]
    diffs = [
        pd.DataFrame(rows, columns=["operation", "reason", "crew_id"])
        for rows in ([*users, ("CREATE", "", "d")], departments)
    ]
    assert [(hold.count, hold.of) for hold in hold_unseen(then, now, *diffs)] == expected
    assert hold_unseen("a", "b", *(diff.iloc[2:] for diff in (diffs[0], diffs[1].iloc[:0]))) == []


def test_e34_both_holds_are_told_with_their_figures() -> None:
    """A person sees how many of how many, and the limits."""
    users, tree = hold_deletions(120, 1000, 5, 10, Guards())
    assert (users.count, users.of, tree.count, tree.of) == (120, 1000, 5, 10)
    for figure in ("120", "1000", "12.0%", "10%", "500"):
        assert figure in users.text
    for figure in ("5件", "10件", "50.0%", "20%"):
        assert figure in tree.text


@pytest.mark.parametrize(
    ("guards", "deleted", "expected"),
    [
        (Guards(delete_users_percent=50.0), 50, False),
        (Guards(delete_users_percent=50.0), 51, True),
        (Guards(delete_users_percent=0.0), 5, True),
        (Guards(delete_users_percent=0.0), 4, False),
        (Guards(delete_users_least=20), 19, False),
        (Guards(delete_users_least=20), 20, True),
        (Guards(delete_users_percent=90.0, delete_users_most=30), 30, False),
        (Guards(delete_users_percent=90.0, delete_users_most=30), 31, True),
        (Guards(delete_users_percent=0.0, delete_users_least=0), 0, False),
        (Guards(delete_users_percent=0.0, delete_users_least=0), 1, True),
        (Guards(delete_users_percent=100.0, delete_users_least=0, delete_users_most=1000), 100, True),
    ],
)
def test_e34_limits_are_the_tenants_own(guards: Guards, deleted: int, expected: bool) -> None:
    """Settings of the sheet, over 100 people; everybody is held whatever they say."""
    assert held(deleted, 100, guards) is expected


@pytest.mark.parametrize(("percent", "of", "at"), [(2.3, 3000, 69), (4.6, 1500, 69), (8.2, 1500, 123), (0.1, 7000, 7)])
def test_e34_a_fraction_of_a_percent_is_met_exactly(percent: float, of: int, at: int) -> None:
    """Exactly the percentage is not more than it, in decimal figures as the sheet has them."""
    guards = Guards(delete_users_percent=percent)
    assert held(at, of, guards) is False
    assert held(at + 1, of, guards) is True


def test_e34_every_kind_of_delete_counts() -> None:
    """Leavers, retired, lost ids and the old ids of ID変更 together."""
    sheet = mapping()
    first = plan_day(sheet, [crew(f"c{n}", f"{n}") for n in range(40)])
    today = [crew(f"c{n}", f"{n}") for n in range(5, 40)]
    today += [crew("c1", "1", "retired"), crew("c2", ""), crew("c3", "103"), crew("c4", "104")]
    counts = plan_day(sheet, today, first).counts[RecordSet.USERS]
    assert counts.deleted == 5  # c0 gone, c1 retired, c2 lost its id, c3 and c4 renamed
    assert held(counts.deleted, counts.previous_valid)


CLEAR = ("登録", "登録しない", "更新", "更新")
CLEARING = mapping({**CONTACT, "緊急連絡1 アドレス": ("メールアドレス", *CLEAR)})
LOOSE = {"空白化保留(割合%)": "100"}


def blanks(sheet: Mapping, without: int, of: int, before: int | None = None, **values: str) -> list[Any]:
    """The holds of a day on which `without` of `of` people, who all had `values`, have them no more."""
    had = {"メールアドレス": "a@example.jp"} | values
    people = [crew(f"c{n}", f"{n}", **had) for n in range(of)]
    if before is not None:
        people = [{**p, **dict.fromkeys(had, "")} if n >= before else p for n, p in enumerate(people)]
    first = plan_day(sheet, people)
    today = [{**p, **dict.fromkeys(had, "")} if n < without else p for n, p in enumerate(people)]
    return plan_day(sheet, today, first).users.holds


@pytest.mark.parametrize(("lost", "of", "expected"), [(4, 100, 0), (5, 500, 0), (5, 499, 1), (6, 500, 1), (0, 10, 0)])
def test_e35_lost_last_contacts_are_held_past_the_limits(lost: int, of: int, expected: int) -> None:
    """More than 1 % of those who stay, and at least 5."""
    sheet = mapping({**CONTACT, "緊急連絡1 アドレス": ("メールアドレス", *CLEAR)}, LOOSE)
    assert [hold.kind for hold in blanks(sheet, lost, of)] == ["lost_contact"] * expected


def test_e35_leavers_are_not_counted_as_silenced() -> None:
    """Only the people who stay can lose a contact."""
    people = [crew(f"c{n}", f"{n}", メールアドレス="a@example.jp") for n in range(20)]
    day = plan_day(CLEARING, people[10:], plan_day(CLEARING, people))
    assert day.users.holds == []


def test_e35_one_contact_left_is_reachable() -> None:
    """Losing one of two addresses is no lost contact."""
    two = {"緊急連絡2 媒体": "固定値「電話番号」", "緊急連絡2 アドレス": ("電話番号", *CLEAR)}
    sheet = mapping({**CONTACT, "緊急連絡1 アドレス": ("メールアドレス", *CLEAR), **two}, LOOSE)
    people = [crew(f"c{n}", f"{n}", メールアドレス="a@x.jp", 電話番号="090-0000-0000") for n in range(20)]
    today = [{**p, "メールアドレス": ""} for p in people]
    assert plan_day(sheet, today, plan_day(sheet, people)).users.holds == []


def test_e35_a_sheet_that_keeps_addresses_silences_nobody() -> None:
    """更新×値が無い = 更新しない leaves what EMC has."""
    assert blanks(mapping(CONTACT), 20, 20) == []


WORD = mapping({"検索ワード1": ("役職1", *CLEAR)})


@pytest.mark.parametrize(
    ("cleared", "of", "expected"), [(4, 20, 0), (5, 50, 0), (5, 49, 1), (10, 100, 0), (11, 100, 1)]
)
def test_e35_cleared_values_are_held_past_the_limits(cleared: int, of: int, expected: int) -> None:
    """More than 10 % of the values that EMC has, and at least 5."""
    holds = blanks(WORD, cleared, of, 役職1="課長")
    assert [hold.kind for hold in holds] == ["clear:search_word_1"] * expected
    assert all((hold.count, hold.of) == (cleared, of) for hold in holds)


def test_e35_the_share_is_of_the_values_that_emc_has() -> None:
    """Five of ten values are half, however many people there are."""
    (hold,) = blanks(WORD, 5, 200, before=10, 役職1="課長")
    assert (hold.count, hold.of) == (5, 10)
    assert "検索ワード1" in hold.text


def test_e35_values_that_were_blank_already_are_not_cleared_again() -> None:
    """Nobody had a value, so nobody loses one."""
    first = plan_day(WORD, [crew(f"c{n}", f"{n}") for n in range(50)])
    assert plan_day(WORD, [crew(f"c{n}", f"{n}") for n in range(50)], first).users.holds == []


def test_e35_limits_are_the_tenants_own() -> None:
    """Settings of the sheet."""
    strict = {"空白化保留(割合%)": "1", "空白化保留(最少件数)": "1"}
    assert len(blanks(mapping({"検索ワード1": ("役職1", *CLEAR)}, strict), 1, 50, 役職1="課長")) == 1
    strict = {**LOOSE, "連絡先喪失保留(割合%)": "0", "連絡先喪失保留(最少人数)": "1"}
    sheet = mapping({**CONTACT, "緊急連絡1 アドレス": ("メールアドレス", *CLEAR)}, strict)
    assert [hold.kind for hold in blanks(sheet, 1, 500)] == ["lost_contact"]


def test_e35_nobody_who_stays_is_no_special_case() -> None:
    """A day on which all are new has nothing to hold."""
    assert plan_day(CLEARING, [crew("c1", "1")]).users.holds == []
    empty = pd.DataFrame({"contact_1_address": pd.Series([], dtype="str")})
    assert hold_blanks(empty, empty, CLEARING) == []
    assert losing_last_contact(empty, empty).tolist() == []


def test_e35_what_is_not_known_is_neither_lost_nor_missing() -> None:
    """Of an item that the sheet leaves to EMC nobody can say that it is blank."""
    had = pd.DataFrame({"search_word_1": ["課長"] * 10}, dtype="str")
    assert hold_blanks(had, had.mask(had == "課長"), WORD) == []
    addresses = {"contact_1_address": ["", "", None, "a@x.jp"], "contact_2_address": ["", None, None, None]}
    assert without_contact(pd.DataFrame(addresses, dtype="str")).tolist() == [True, False, False, False]


def test_e35_adopted_people_are_among_those_who_stay() -> None:
    """They are in EMC already: clearing their contacts in one run is held like on any other day."""
    had = {f"{n}": {"contact_1_medium": "メールアドレス", "contact_1_address": "a@example.jp"} for n in range(20)}
    day = plan_day(CLEARING, [crew(f"c{n}", f"{n}") for n in range(20)], in_emc=had)
    assert sorted(hold.kind for hold in day.users.holds) == ["clear:contact_1_address", "lost_contact"]


def test_e32_relink_is_always_held() -> None:
    """A person sees first what would be deleted, and how many come back."""
    (hold,) = hold_relink(120, 8, 117)
    assert all(figure in hold.text for figure in ("社員120件", "部署8件", "社員117件"))


def test_e36_a_restore_is_dated_as_a_clock_in_japan_shows_it() -> None:
    """What was confirmed at half past seven in the evening by UTC was the next morning's run."""
    (hold,) = hold_restore(3, "2026-04-01T19:30:00+00:00", 2)
    assert "第3世代（2026/04/02 4:30に登録した内容）" in hold.text


def tree(*rows: tuple[str, str], top: bool = False) -> pd.DataFrame:
    """A departments table of (id, parent); with 最上位部署 the first level stands below it."""
    found = pd.DataFrame(
        {
            "source_id": [f"s{code}" for code, _ in rows],
            "department_id": [code for code, _ in rows],
            "parent_id": [parent or ("TOP" if top else "") for _, parent in rows],
        },
        dtype="str",
    )
    root = pd.DataFrame({"source_id": [""], "department_id": ["TOP"], "parent_id": [""]}, dtype="str")
    return pd.concat([root, found], ignore_index=True) if top else found


SUB = [("B", "A"), ("C", "A")]


@pytest.mark.parametrize("top", [False, True])
@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([("A", ""), *SUB], [("A", ""), ("B", ""), ("C", "")], ["lost_parents"]),
        ([("A", ""), *SUB], [("A", ""), ("B", ""), ("C", "A")], []),
        ([("A", ""), ("B", "A")], [("A", ""), ("B", "")], []),
        ([("A", ""), *SUB], [("A", ""), ("B", "C"), ("C", "A"), ("D", "")], []),
        ([("A", ""), ("B", "")], [("A", ""), ("B", "")], []),
        (
            [("A", ""), *((f"B{n}", "A") for n in range(49))],
            [("A", ""), *((f"B{n}", "A" if n > 4 else "") for n in range(49))],
            ["lost_parents"],
        ),
        ([("A", "")], [], ["no_departments"]),
        ([("A", ""), *SUB], [], ["no_departments"]),
        ([("A", ""), *SUB], [("A", "")], []),
        ([], [], []),
    ],
    ids=["all", "one-of-two", "the-only-one", "moved", "flat", "many", "one-gone", "three-gone", "below", "never-any"],
)
def test_e35_a_tree_that_falls_apart_is_held(
    top: bool, before: list[tuple[str, str]], after: list[tuple[str, str]], expected: list[str]
) -> None:
    """A list without departments, or without parents, is told before EMC's tree goes; a move or two is not."""
    holds = hold_tree(tree(*before, top=top), tree(*after, top=top), Guards())
    assert [hold.kind for hold in holds] == expected


@pytest.mark.parametrize(("deleted", "adopted", "held"), [(0, 0, False), (1, 0, True), (0, 1, True), (1, 1, True)])
def test_e41_who_may_administer_emc_is_neither_deleted_nor_taken_over_unseen(
    deleted: int, adopted: int, held: bool
) -> None:
    """One of them is enough, whatever the limits."""
    holds = hold_administrators(deleted, adopted)
    assert [(hold.kind, hold.count) for hold in holds] == [("administrators", deleted + adopted)] * held


@pytest.mark.parametrize(("users", "tree", "held"), [(0, [], 0), (1, [], 1), (0, ["A1"], 1), (2, ["A1"], 3)])
def test_e31_a_first_link_takes_over_nothing_unseen(users: int, tree: list[str], held: int) -> None:
    """People or departments: one of them is enough, and departments are named."""
    holds = hold_adoption(users, tree)
    assert [(hold.kind, hold.count) for hold in holds] == [("adopt", held)] * bool(held)
    assert all(code in hold.text for hold in holds for code in tree)
