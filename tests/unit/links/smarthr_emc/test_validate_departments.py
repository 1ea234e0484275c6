"""Errors of departments, and of the codes by which people name them."""

from __future__ import annotations

from typing import Any

import pytest

from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.validate import check_departments
from tests.builders import EMC_FORMAT, Day, crew, departments, found, freeze, mapping, plan_day
from tests.unit.links.smarthr_emc.problems import PLAIN, kinds, tree

MEMBER = mapping({"所属部署コード": "部署1", "兼務管理部署2": "部署2"})


@pytest.mark.parametrize("prefix", ["", "abc"])
@pytest.mark.parametrize(("over", "expected"), [(0, []), (1, ["department_id"])], ids=["at the limit", "past it"])
def test_e23_department_id_has_thirty_characters_with_prefix(prefix: str, over: int, expected: list[str]) -> None:
    """部署ID ≤ 30 including ID付与コード."""
    sheet = mapping(settings={"ID付与コード": prefix})
    code = "D" * (30 - len(prefix) + over)
    assert [item for _, item, kind in tree((code, None), sheet=sheet) if kind == "too_long"] == expected


def test_e23_department_names_have_a_limit() -> None:
    """部署名 by the format object."""
    limit = EMC_FORMAT.lengths["name"]
    assert tree(("A", None, "部" * limit)) == []
    assert tree(("A", None, "部" * (limit + 1))) == [("A", "name", "too_long")]


def test_e29_unknown_department_codes_are_errors() -> None:
    """Of the primary and of the concurrent departments; the code is in the detail."""
    day = plan_day(
        MEMBER,
        [
            crew("c1", "1", **{"部署1(コード)": "A", "部署2(コード)": "B"}),
            crew("c2", "2", **{"部署1(コード)": "X", "部署2(コード)": "a"}),
            crew("c3", "3"),
        ],
        tree=departments(("A", None), ("B", "A")),
    )
    assert day.problems() == [
        ("2", "primary_department_id", "unknown_department"),
        ("2", "secondary_department_2", "unknown_department"),
    ]
    assert "X" in day.users.problems["detail"][0]


def test_e24_department_codes_are_looked_up_with_prefix() -> None:
    """Users and departments carry the same ID付与コード."""
    sheet = mapping({"所属部署コード": "部署1"}, {"ID付与コード": "abc"})
    assert kinds(sheet, crew("c1", "1", **{"部署1(コード)": "A"}), tree=departments(("A", None))) == []


def test_e29_a_company_without_departments_knows_no_code() -> None:
    """No departments at all: every code is unknown, a blank one is fine."""
    assert kinds(MEMBER, crew("c1", "1"), crew("c2", "2", **{"部署1(コード)": "A"})) == [
        ("2", "primary_department_id", "unknown_department")
    ]


KEEPING = ("部署1", "登録", "登録しない", "更新しない", "更新しない")


def leaving(sheet: Mapping, after: Mapping | None = None) -> Day:
    """A person moves from B to A while B is deleted."""
    first = plan_day(sheet, [crew("c1", "1", **{"部署1(コード)": "B"})], tree=departments(("A", None), ("B", None)))
    moved = crew("c1", "1", **{"部署1(コード)": "A"})
    return plan_day(after or sheet, [moved], first, tree=departments(("A", None)))


def test_e13_department_that_everybody_left_can_be_deleted() -> None:
    """The update moves the person away first."""
    assert leaving(mapping({"所属部署コード": "部署1"})).problems() == []


def test_e13_deleted_department_that_a_kept_user_has_by_smarthr_is_an_error() -> None:
    """SmartHR itself still says so: an unknown code."""
    sheet = mapping({"所属部署コード": "部署1"})
    people = [crew("c1", "1", **{"部署1(コード)": "B"})]
    first = plan_day(sheet, people, tree=departments(("A", None), ("B", None)))
    assert plan_day(sheet, people, first, tree=departments(("A", None))).problems() == [
        ("1", "primary_department_id", "unknown_department")
    ]


def test_e13_deleted_department_that_emc_keeps_by_policy_is_an_error() -> None:
    """更新しない: EMC still has the old department, although SmartHR moved the person."""
    assert leaving(mapping({"所属部署コード": KEEPING})).problems() == [
        ("1", "primary_department_id", "department_in_use")
    ]


def test_e13_deleted_department_that_a_blank_leaves_in_emc_is_an_error() -> None:
    """更新×値が無い = 更新しない keeps the old one, too."""
    sheet = mapping({"兼務管理部署1": ("部署2", "登録", "登録しない", "更新", "更新しない")})
    first = plan_day(sheet, [crew("c1", "1", **{"部署2(コード)": "B"})], tree=departments(("A", None), ("B", None)))
    assert plan_day(sheet, [crew("c1", "1")], first, tree=departments(("A", None))).problems() == [
        ("1", "secondary_department_1", "department_in_use")
    ]


def test_e13_deleted_department_of_an_item_that_the_sheet_no_longer_links_is_an_error() -> None:
    """The line is gone from the sheet, so nothing is written, and EMC keeps the old department."""
    assert leaving(mapping({"所属部署コード": "部署1"}), after=mapping()).problems() == [
        ("1", "primary_department_id", "department_in_use")
    ]


def test_e13_deleted_department_stays_remembered_over_quiet_days() -> None:
    """What EMC has is carried from plan to plan, not guessed from yesterday's read."""
    sheet, both = mapping({"所属部署コード": KEEPING}), departments(("A", None), ("B", None))
    first = plan_day(sheet, [crew("c1", "1", **{"部署1(コード)": "B"})], tree=both)
    second = plan_day(sheet, [crew("c1", "1", **{"部署1(コード)": "A"})], first, tree=both)
    assert second.problems() == []
    third = plan_day(sheet, [crew("c1", "1", **{"部署1(コード)": "A"})], second, tree=departments(("A", None)))
    assert third.problems() == [("1", "primary_department_id", "department_in_use")]


def test_e13_user_that_is_deleted_with_its_department_is_no_error() -> None:
    """Only those who stay use a department."""
    sheet = mapping({"所属部署コード": KEEPING})
    first = plan_day(sheet, [crew("c1", "1", **{"部署1(コード)": "B"}), crew("c2", "2")], tree=departments(("B", None)))
    assert plan_day(sheet, [crew("c2", "2")], first).problems() == []


def test_e13_trees_in_any_order_are_fine() -> None:
    """A child may be listed before its parent."""
    assert tree(("C", "B"), ("A", None), ("B", "A")) == []


def test_e13_unknown_parents_are_errors() -> None:
    """Only the department itself is told, not everything below it."""
    assert tree(("A", None), ("B", "X"), ("C", "B")) == [("B", "parent_id", "unknown_parent")]


@pytest.mark.parametrize(
    ("rows", "in_loop"),
    [
        ((("A", "A"),), {"A"}),
        ((("A", "B"), ("B", "A")), {"A", "B"}),
        ((("A", None), ("B", "D"), ("C", "B"), ("D", "C")), {"B", "C", "D"}),
    ],
)
def test_e13_loops_are_errors(rows: Any, in_loop: set[str]) -> None:
    """Every member of the loop is told."""
    assert set(tree(*rows)) == {(i, "parent_id", "loop") for i in in_loop}


def test_e13_departments_without_code_are_errors_with_their_source() -> None:
    """SmartHR's own id of the department stands in for the missing one."""
    problems = check_departments(
        freeze(PLAIN, [], departments(("", None, "営業部"), ("B", ""))).departments, EMC_FORMAT
    )
    assert sorted(found(problems)) == [("", "department_id", "no_code"), ("B", "parent_id", "orphan")]
    assert problems.set_index("kind").loc["no_code", "crew_id"] == "d1"


def test_e13_two_departments_without_code_are_no_duplicates() -> None:
    """They are told once each, for what they lack."""
    assert tree(("", None), ("", None)) == [("", "department_id", "no_code")] * 2


def test_e10_duplicate_department_ids_name_both() -> None:
    """Each tells the other's source."""
    problems = check_departments(freeze(PLAIN, [], departments(("A", None), ("A", None))).departments, EMC_FORMAT)
    assert found(problems) == [("A", "department_id", "duplicate_id")] * 2
    assert all("d1" in detail and "d2" in detail for detail in problems["detail"])


def test_e10_a_code_that_stands_twice_is_told_before_any_loop_that_it_makes() -> None:
    """Which of the two is meant as the parent is not known yet."""
    assert tree(("A", "A"), ("A", "A")) == [("A", "department_id", "duplicate_id")] * 2


def test_e26_root_department_that_a_real_one_has_the_id_of_is_an_error() -> None:
    """Ids are unique with the one the sheet adds."""
    sheet = mapping(settings={"最上位部署ID": "A", "最上位部署名": "本社", "最上位部署名(ヨミ)": "ホンシャ"})
    assert ("A", "department_id", "duplicate_id") in tree(("A", None), sheet=sheet)


def test_e29_department_needs_a_name() -> None:
    """部署名 is required."""
    assert tree(("A", None, "　")) == [("A", "name", "required")]


def test_e13_no_departments_have_no_problems() -> None:
    """An empty table is fine."""
    assert tree() == []
