"""災害時凍結: nobody and nothing disappears while it lasts."""

from __future__ import annotations

import pandas as pd
import pytest

from renkei.links.smarthr_emc.diff import diff_users
from renkei.links.smarthr_emc.disaster import keep_departments, keep_users, keep_values, received, removes_something
from renkei.links.smarthr_emc.plan import People, plan_users
from tests.builders import EMC_FORMAT, NO_IDS, crew, departments, freeze, mapping, plan_day

SHEET = mapping({"検索ワード1": "役職1"})


def test_l1_people_whom_the_read_lacks_are_kept_as_the_baseline_has_them() -> None:
    """Gone, 退職済, without an id or with another: the old id stays, not received; of a crew that is there, without it."""
    before = freeze(SHEET, [crew(f"c{n}", f"00{n}", 役職1=f"職{n}") for n in range(1, 6)]).users
    today = [crew("c2", "002", "retired"), crew("c3", ""), crew("c4", "104"), crew("c5", "005", 役職1="新職")]
    kept = keep_users(freeze(SHEET, today).users, before)
    rows = kept[kept["user_id"] != ""].set_index("user_id")
    assert rows["crew_id"].to_dict() == {"104": "c4", "005": "c5", "001": "c1", "002": "c2", "003": "", "004": ""}
    assert sorted(rows.index[received(rows)]) == ["005", "104"]
    assert rows["役職1"].to_dict() == {"104": "", "005": "新職", **{f"00{n}": f"職{n}" for n in range(1, 5)}}
    assert sorted(kept.loc[kept["user_id"] == "", "crew_id"]) == ["c3"]  # c2 stands for itself no more
    assert rows["valid"].all()


def test_l1_people_who_are_kept_are_not_written_and_stay_known() -> None:
    """Their values are what EMC has already; the next baseline has them, and the mail names them."""
    first = plan_day(SHEET, [crew("c1", "001", 役職1="課長"), crew("c2", "002")])
    users = keep_users(freeze(SHEET, [crew("c2", "002")]).users, first.snapshot.users)
    table, lost = diff_users(first.snapshot.users, users, frozenset())
    nobody = pd.DataFrame({"user_id": []}, dtype="str")
    people, had = People.of(users), first.users.target
    plan = plan_users(people, table, had, nobody, NO_IDS, NO_IDS, lost, SHEET, EMC_FORMAT, frozen=True)
    assert plan.rows[["user_id", "operation"]].to_numpy().tolist() == [["002", "UPDATE"]]
    assert plan.target.set_index("user_id")["search_word_1"].to_dict() == {"002": "", "001": "課長"}
    assert plan.warnings == [("kept", "001", "c1")]


def test_e13_departments_that_the_read_lacks_are_kept() -> None:
    """Not received, below those that were; one without a code never was in EMC."""
    before = freeze(SHEET, [], departments(("A", None), ("B", "A"), ("", None))).departments
    kept = keep_departments(freeze(SHEET, [], departments(("A", None, "新名"))).departments, before)
    assert kept[["department_id", "name", "line"]].to_numpy().tolist() == [["A", "新名", 1], ["B", "B部", 0]]


def test_e35_what_would_be_cleared_is_left_and_told_unless_it_is_known_to_be_blank() -> None:
    """A person added has nothing to lose."""
    cells = pd.DataFrame({"a": ["", "", "", "1", ""], "b": ["2"] * 5}, dtype="str")
    had = pd.DataFrame({"a": ["1", "", None, "1", None]}, dtype="str")
    left, told = keep_values(cells, had, pd.Series([True, True, True, True, False]))
    assert left["a"].isna().tolist() == [True, True, True, False, False]
    assert left["b"].tolist() == ["2"] * 5
    assert told.tolist() == [True, False, True, False, False]


ROW = {"line": 1, "crew_id": "c1", "operation": "UPDATE", "user_id": "001", "a": "1"}
DELETE = {**ROW, "operation": "DELETE", "a": None}
BEFORE = pd.DataFrame({"user_id": ["001"], "a": ["1"], "b": [""]}, dtype="str")


@pytest.mark.parametrize(
    ("rows", "before", "removes"),
    [
        ([ROW], BEFORE, False),
        ([DELETE], BEFORE, True),
        ([DELETE, {**ROW, "operation": "CREATE"}], BEFORE, False),
        ([DELETE, {**ROW, "operation": "CREATE", "user_id": "002"}], BEFORE, True),
        ([{**ROW, "a": ""}], BEFORE, True),
        ([{**ROW, "b": ""}], BEFORE, False),
        ([{**ROW, "c": ""}], BEFORE, True),
        ([{**ROW, "b": ""}], None, True),
        ([{**ROW, "operation": "CREATE", "a": ""}], BEFORE, False),
    ],
    ids=["value", "gone", "passed on", "renumbered", "cleared", "blank already", "unknown", "no baseline", "joiner"],
)
def test_l1_a_plan_that_removes_something_is_known(
    rows: list[dict[str, object]], before: pd.DataFrame | None, removes: bool
) -> None:
    """A record that goes, or a value that EMC may have; an id that passes on stays."""
    assert removes_something(None, pd.DataFrame(rows), before) is removes


def test_l1_a_department_that_goes_is_a_removal() -> None:
    """With or without people."""
    rows = pd.DataFrame({"department_id": ["A", "B"], "operation": ["UPDATE", "DELETE"]}, dtype="str")
    assert removes_something(rows, None, None)
    assert not removes_something(rows.head(1), None, None)
    assert not removes_something(None, None, None)
