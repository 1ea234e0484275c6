"""From a diff to the rows of the files, what EMC has afterwards, and the plan's name."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fsspec.implementations.local import LocalFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st

from renkei.links.smarthr_emc.model import Mode, RecordSet
from renkei.links.smarthr_emc.plan import plan_digest
from renkei.storage.store import Store
from renkei.systems.emc.encode import encode
from tests.builders import CONTACT, EMC_FORMAT, Day, crew, departments, mapping, plan_day

SHEET = mapping(CONTACT)
CLEARING = mapping({**CONTACT, "緊急連絡1 アドレス": ("メールアドレス", "登録", "登録しない", "更新", "更新")})


def mail(crew_id: str, emp_code: str, address: str = "a@example.jp", **values: str) -> dict[str, str]:
    return crew(crew_id, emp_code, メールアドレス=address, **values)


def names(day: Day) -> list[tuple[str, str]]:
    """(id, operation) of the department rows in file order."""
    rows = day.departments.rows
    return list(zip(rows["department_id"], rows["operation"], strict=True))


def test_e13_parents_come_before_their_children() -> None:
    """Whatever the order in SmartHR."""
    day = plan_day(SHEET, [], tree=departments(("C", "B"), ("B", "A"), ("X", None), ("A", None)))
    order = [i for i, _ in names(day)]
    assert order.index("A") < order.index("B") < order.index("C")
    assert sorted(order) == ["A", "B", "C", "X"]


def test_e13_deletes_come_last_and_children_first() -> None:
    """The tree of the baseline orders them."""
    first = plan_day(SHEET, [], tree=departments(("C", "B"), ("A", None), ("B", "A"), ("K", None)))
    second = plan_day(SHEET, [], first, tree=departments(("N", "K"), ("K", None)))
    assert names(second) == [
        ("K", "UPDATE"),
        ("N", "CREATE"),
        ("C", "DELETE"),
        ("B", "DELETE"),
        ("A", "DELETE"),
    ]


def test_e13_a_child_of_a_deleted_department_moves_before_the_delete() -> None:
    """Its new parent is written first."""
    first = plan_day(SHEET, [], tree=departments(("A", None), ("B", "A")))
    second = plan_day(SHEET, [], first, tree=departments(("B", "N"), ("N", None)))
    assert names(second) == [("N", "CREATE"), ("B", "UPDATE"), ("A", "DELETE")]


def test_e26_root_department_that_comes_later_is_new_and_first() -> None:
    """The others become its children by update."""
    first = plan_day(SHEET, [], tree=departments(("A", None)))
    root = {"最上位部署ID": "TOP", "最上位部署名": "本社", "最上位部署名(ヨミ)": "ホンシャ"}
    second = plan_day(mapping(CONTACT, root), [], first, tree=departments(("A", None)))
    assert names(second) == [("TOP", "CREATE"), ("A", "UPDATE")]
    assert second.departments.rows["parent_id"].tolist() == ["", "TOP"]


@settings(max_examples=10)
@given(st.lists(st.integers(min_value=0, max_value=9), min_size=1, max_size=10), st.randoms(use_true_random=False))
def test_e13_any_tree_is_written_top_down_and_deleted_bottom_up(parents: list[int], rng: random.Random) -> None:
    """Department n hangs on one with a smaller number, or on none; rows come in any order."""
    parent = {str(n): str(p) if p < n else None for n, p in enumerate(parents)}
    rows = list(parent.items())
    rng.shuffle(rows)
    first = plan_day(SHEET, [], tree=departments(*rows))
    order = [i for i, _ in names(first)]
    assert len(order) == len(set(order)) == len(rows)
    assert all(p is None or order.index(p) < order.index(c) for c, p in rows)
    removed = [i for i, _ in names(plan_day(SHEET, [], first))]
    assert len(removed) == len(rows)
    assert all(p is None or removed.index(p) > removed.index(c) for c, p in rows)


@pytest.mark.parametrize("before", [(), (("A", None),)])
@pytest.mark.parametrize("today", [(), (("A", None),), (("B", None),)])
def test_e13_department_rows_have_their_columns_without_rows_too(before: Any, today: Any, tmp_path: Path) -> None:
    """No departments, no deletes, all deletes: the table can be kept, read back and encoded."""
    first = plan_day(SHEET, [], tree=departments(*before))
    rows = plan_day(SHEET, [], first, tree=departments(*today)).departments.rows
    store = Store(LocalFileSystem(), str(tmp_path))
    store.write_table("rows", rows)
    kept = store.read_table("rows")
    pd.testing.assert_frame_equal(kept, rows)
    assert encode(kept, EMC_FORMAT.department_columns, EMC_FORMAT).rows == len(rows)


PEOPLE = [mail("c1", "1"), mail("c2", "2")]


@pytest.mark.parametrize("before", [None, [], PEOPLE[:1], PEOPLE])
@pytest.mark.parametrize("today", [[], PEOPLE[:1], PEOPLE[1:], [crew("c1", "1", "retired")]])
def test_e6_user_rows_have_their_columns_without_rows_too(before: Any, today: Any, tmp_path: Path) -> None:
    """First run, nobody, all new, all gone: every table keeps its types in the store."""
    first = plan_day(SHEET, before) if before is not None else None
    day = plan_day(SHEET, today, first)
    store = Store(LocalFileSystem(), str(tmp_path))
    for name, table in (
        ("rows", day.users.rows),
        ("target", day.users.target),
        ("diff", day.diff),
        ("users", day.snapshot.users),
        ("problems", day.users.problems),
    ):
        store.write_table(name, table)
        kept = store.read_table(name)
        pd.testing.assert_frame_equal(kept, table)
        assert not [c for c in kept if c not in ("line", "valid") and kept[c].dtype != "str"], name
    assert encode(store.read_table("rows"), EMC_FORMAT.user_columns, EMC_FORMAT).rows == len(day.diff)
    assert day.counts[RecordSet.USERS].broken_law() is None


def test_e14_all_rows_are_written_when_the_set_changed() -> None:
    """No difference of single fields: unchanged people are updated with all their values."""
    first = plan_day(SHEET, PEOPLE)
    second = plan_day(SHEET, [PEOPLE[0], mail("c2", "2", "new@example.jp")], first)
    assert second.row("1")["contact_1_address"] == "a@example.jp"
    assert second.row("1")["operation"] == "UPDATE"


def test_e28_a_delete_has_nothing_but_its_id() -> None:
    """No value of somebody who left is sent."""
    second = plan_day(SHEET, PEOPLE[:1], plan_day(SHEET, PEOPLE))
    row = second.row("2")
    assert row.pop("operation") == "DELETE"
    assert {k for k, v in row.items() if v is not None} == {"line", "user_id", "crew_id"}


def test_e19_no_password_is_in_rows_or_target() -> None:
    """It is made while loading and kept nowhere."""
    first = plan_day(SHEET, PEOPLE)
    assert "password" not in first.users.rows
    assert "password" not in first.users.target


def test_e18_target_is_what_emc_has_after_each_day() -> None:
    """更新しない keeps the old value from plan to plan, 更新 clears."""
    keep = mapping({"検索ワード1": ("役職1", "登録", "登録しない", "更新しない", "更新しない"), **CONTACT})
    first = plan_day(keep, [mail("c1", "1", 役職1="課長")])
    second = plan_day(keep, [mail("c1", "1", "", 役職1="部長")], first)
    third = plan_day(CLEARING, [mail("c1", "1", "", 役職1="社長")], second)
    for day, address in ((first, "a@example.jp"), (second, "a@example.jp"), (third, "")):
        target = day.users.target.set_index("user_id").loc["1"]
        assert target["search_word_1"] == "課長"
        assert target["contact_1_address"] == address


def test_e18_target_of_a_new_person_has_no_unknown_items() -> None:
    """What a create leaves out, EMC has not: "" rather than missing."""
    first = plan_day(SHEET, [mail("c1", "1", "")])
    assert not first.users.target.isna().to_numpy().any()


def test_e12_an_id_that_was_deleted_and_comes_back_starts_from_nothing() -> None:
    """EMC forgot the values of the deleted user."""
    keep = mapping({"検索ワード1": ("役職1", "登録", "登録しない", "更新しない", "更新しない")})
    first = plan_day(keep, [crew("c1", "1", 役職1="課長"), crew("c2", "2")])
    second = plan_day(keep, [crew("c2", "2")], first)
    third = plan_day(keep, [crew("c3", "1"), crew("c2", "2")], second)
    assert third.users.target.set_index("user_id").loc["1", "search_word_1"] == ""


def test_l4_a_person_that_emc_lost_starts_from_nothing() -> None:
    """Created again with the policy of 新規: what is not written now is not there any more."""
    sheet = mapping({"検索ワード1": ("役職1", "登録", "登録しない", "更新", "更新しない")})
    first = plan_day(sheet, [crew("c1", "1", 役職1="課長"), crew("c2", "2", 役職1="部長")])
    today = [crew("c1", "1"), crew("c2", "2")]
    second = plan_day(sheet, today, first, gone_from_emc=frozenset({"1"}))
    assert second.users.target["search_word_1"].tolist() == ["", "部長"]
    assert second.users.rows["operation"].tolist() == ["CREATE", "UPDATE"]
    assert second.row("1")["password_reset"] == "T"
    assert second.operations() == {"1": "UPDATE", "2": "UPDATE"}
    assert second.warnings("recreated") == [("1", "c1")]


def test_e31_target_of_an_adopted_person_begins_with_what_emc_says() -> None:
    """Values that the policy leaves are EMC's own."""
    keep = mapping({"検索ワード1": ("役職1", "登録", "登録しない", "更新しない", "更新しない")})
    first = plan_day(keep, [crew("c1", "1", 役職1="課長")], in_emc={"1": {"search_word_1": "旧", "full_name": "旧姓"}})
    target = first.users.target.set_index("user_id").loc["1"]
    assert (target["search_word_1"], target["full_name"]) == ("旧", "山田")
    assert first.row("1")["operation"] == "UPDATE"
    assert first.row("1")["password_reset"] is None


def test_e20_person_who_loses_the_last_contact_is_listed() -> None:
    """Cleared in every slot: listed by user id and crew; a kept address is none."""
    first = plan_day(CLEARING, [mail("c1", "1"), mail("c2", "2"), mail("c3", "3", "")])
    second = plan_day(CLEARING, [mail("c1", "1", ""), mail("c2", "2"), mail("c3", "3", "")], first)
    assert second.warnings("lost_contact") == [("1", "c1")]
    assert second.warnings("no_contact") == [("3", "c3")]  # each person once, by what happened
    kept = plan_day(SHEET, [mail("c1", "1", ""), mail("c2", "2")], first)
    assert kept.warnings("lost_contact") == []


def test_e9_who_has_retired_needs_no_id() -> None:
    """Neither an error nor a warning: nobody waits for it to be filled in."""
    day = plan_day(mapping(), [crew("c1", "1"), crew("c2", "", "retired")])
    assert day.problems() == []
    assert day.warnings("no_id") == day.warnings("still_no_id") == []


def test_e10_duplicates_do_not_break_the_plan() -> None:
    """All problems are still found when two crews share an id and one of them is known."""
    first = plan_day(SHEET, [mail("c1", "1"), mail("c2", "2")])
    second = plan_day(SHEET, [mail("c1", "1"), mail("c2", "1", "bad")], first)
    assert sorted(second.problems()) == [
        ("1", "contact_1_address", "mail"),
        ("1", "user_id", "duplicate_id"),
        ("1", "user_id", "duplicate_id"),
    ]
    assert second.row("1")["crew_id"] == "c1"  # one row of the file: of two, EMC would have whichever comes last


def test_e14_what_an_update_writes_otherwise_is_found_and_nothing_else() -> None:
    """An item that 新規 left out and 更新 writes; neither a joiner, nor what the sheet leaves to EMC."""
    late = ("役職1", "登録しない", "登録しない", "更新", "更新")
    sheet = mapping({"検索ワード1": late, "検索ワード2": ("役職2", "登録", "登録しない", "更新しない", "更新しない")})
    people = [crew("c1", "1", 役職1="課長", 役職2="主任")]
    first = plan_day(sheet, people)
    second = plan_day(sheet, people, first)
    third = plan_day(sheet, [*people, crew("c2", "2", 役職1="課長")], second)
    assert [day.users.alters for day in (first, second, third)] == [False, True, False]


@pytest.mark.parametrize("title", ["課長", ""])
def test_e14_an_item_that_the_sheet_takes_up_later_is_written_to_everybody(title: str) -> None:
    """What EMC has of it is not known: not even that it is blank."""
    people = [crew("c1", "1", 役職1=title)]
    first = plan_day(mapping(), people)
    later = mapping({"検索ワード1": ("役職1", "登録", "登録しない", "更新", "更新")})
    assert plan_day(later, people, first).users.alters


def test_e18_what_emc_has_of_an_item_that_the_sheet_takes_up_later_is_not_known() -> None:
    """更新しない leaves it, whatever it is; a new person starts from nothing."""
    first = plan_day(mapping(), [crew("c1", "1")])
    later = mapping({"検索ワード1": ("役職1", "登録", "登録しない", "更新しない", "更新しない")})
    second = plan_day(later, [crew("c1", "1", 役職1="課長"), crew("c2", "2")], first)
    words = second.users.target.set_index("user_id")["search_word_1"]
    assert words.isna().to_dict() == {"1": True, "2": False}


def digest(day: Day, generation: int = 1, mode: Mode = Mode.NORMAL, **tables: Any) -> str:
    users = tables.get("users", day.users.rows)
    people = tables.get("people", "digest of the people received")
    return plan_digest(tables.get("departments", day.departments.rows), users, generation, mode, people)


def test_e36_plan_digest_names_exactly_one_plan() -> None:
    """Order of people does not matter; values, operations, sets, mode, baseline and who was received do."""
    tree = departments(("A", None))
    first = plan_day(SHEET, PEOPLE, tree=tree)
    assert digest(plan_day(SHEET, PEOPLE[::-1], tree=tree)) == digest(first)
    others = [
        digest(plan_day(SHEET, PEOPLE[:1], tree=tree)),
        digest(plan_day(SHEET, [PEOPLE[0], mail("c2", "2", "b@example.jp")], tree=tree)),
        digest(plan_day(SHEET, PEOPLE, first, tree=tree)),
        digest(plan_day(SHEET, PEOPLE)),
        digest(first, generation=2),
        digest(first, mode=Mode.RELINK),
        digest(first, users=None),
        digest(first, departments=None),
        digest(first, people="digest of others"),
    ]
    assert len({digest(first), *others}) == 1 + len(others)


def test_e36_plan_digest_tells_clear_from_leave() -> None:
    """An empty text and a missing cell write different things."""
    first = plan_day(CLEARING, PEOPLE)
    today = [mail("c1", "1", ""), PEOPLE[1]]
    assert digest(plan_day(CLEARING, today, first)) != digest(plan_day(SHEET, today, first))
