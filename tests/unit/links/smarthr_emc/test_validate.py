"""Every error of every row, told with its line, its id and its crew."""

from __future__ import annotations

import pandas as pd
import pytest

from renkei.links.smarthr_emc.model import RecordSet
from renkei.links.smarthr_emc.validate import PROBLEM_COLUMNS, no_problems, other_tenants_ids
from tests.builders import CONTACT, crew, departments, found, mapping, plan_day
from tests.unit.links.smarthr_emc.problems import PLAIN, kinds

MEMBER = mapping({"所属部署コード": "部署1", "兼務管理部署2": "部署2"})

MAIL = mapping(CONTACT)


def test_e29_sound_records_have_no_problems() -> None:
    """The table of problems is empty, and keeps its columns."""
    first = plan_day(MEMBER, [crew("c1", "1", **{"部署1(コード)": "A"})], tree=departments(("A", None)))
    assert first.problems() == []
    assert list(first.users.problems.columns) == list(PROBLEM_COLUMNS)
    assert list(first.departments.problems.columns) == list(PROBLEM_COLUMNS)


def test_e29_every_error_of_every_row_is_found() -> None:
    """Three rows, one without any error, four errors, in the order of the lines."""
    day = plan_day(
        MAIL,
        [
            crew("c1", "1", 姓="", メールアドレス="bad"),
            crew("c2", "2", メールアドレス="good@example.jp"),
            crew("c3", "x" * 41, **{"姓(ヨミガナ)": ""}),
        ],
    )
    assert day.users.problems["line"].tolist() == [1, 1, 3, 3]
    assert sorted(day.problems()) == [
        ("1", "contact_1_address", "mail"),
        ("1", "full_name", "required"),
        ("x" * 41, "full_name_yomi", "required"),
        ("x" * 41, "user_id", "too_long"),
    ]


def test_e29_line_is_the_row_of_the_received_data() -> None:
    """Crews that are left out of the plan are still counted as lines."""
    sheet = mapping({"ユーザID": ("社員番号", "登録", "登録しない", "更新しない", "エラー")})
    day = plan_day(sheet, [crew("c1", "1", "retired"), crew("c2", ""), crew("c3", "3", 姓="")])
    assert day.users.problems[["line", "crew_id"]].to_numpy().tolist() == [[3, "c3"]]


@pytest.mark.parametrize("blank", ["", "　", "\u200b"])
@pytest.mark.parametrize("status", ["new", "known"])
def test_e29_required_items_need_a_value(blank: str, status: str) -> None:
    """氏名 and 氏名(ヨミ) are needed by new and known people."""
    yesterday = plan_day(PLAIN, [crew("c1", "1")]) if status == "known" else None
    people = [crew("c1", "1", **{"姓": blank, "姓(ヨミガナ)": blank})]
    assert plan_day(PLAIN, people, yesterday).problems() == [
        ("1", "full_name", "required"),
        ("1", "full_name_yomi", "required"),
    ]


def test_e29_a_required_item_with_a_default_is_no_error() -> None:
    """デフォルト:X is a value."""
    sheet = mapping({"氏名": ("姓", "登録", "デフォルト:氏名未登録", "更新", "デフォルト:氏名未登録")})
    day = plan_day(sheet, [crew("c1", "1", 姓="")])
    assert day.problems() == []
    assert day.row("1")["full_name"] == "氏名未登録"


def test_e18_error_cells_of_optional_items_are_problems_of_their_rows() -> None:
    """エラー for a value that is not there, on add and on update."""
    sheet = mapping({"検索ワード2": ("役職1", "登録", "エラー", "更新", "エラー")})
    first = plan_day(sheet, [crew("c1", "1"), crew("c2", "2", 役職1="課長")])
    assert first.problems() == [("1", "search_word_2", "required")]
    second = plan_day(sheet, [crew("c1", "1", 役職1="課長"), crew("c2", "2")], first)
    assert second.problems() == [("2", "search_word_2", "required")]


def test_e19_new_person_without_a_password_is_an_error() -> None:
    """パスワード×値が無い = エラー; people who are known need none."""
    sheet = mapping({"パスワード": "電話番号"})
    first = plan_day(sheet, [crew("c1", "1"), crew("c2", "2", 電話番号="090-0000-0000")])
    assert first.problems() == [("1", "password", "required")]
    assert plan_day(sheet, [crew("c2", "2")], first).problems() == []


@pytest.mark.parametrize(("word", "fine"), [("T", True), ("F", True), ("Y", False), ("t", False)])
def test_e19_forced_change_is_t_or_f(word: str, fine: bool) -> None:
    """EMC's flag knows two values."""
    sheet = mapping({"パスワード強制変更": "役職1"})
    assert kinds(sheet, crew("c1", "1", 役職1=word)) == ([] if fine else [("1", "password_reset", "flag")])


def test_e27_ids_of_another_tenant_are_errors() -> None:
    """New and kept ids are compared; a delete of the own id is not."""
    table = pd.DataFrame(
        {
            "id": ["1", "2", "3"],
            "crew_id": ["c1", "c2", "c3"],
            "line": [1, 2, 0],
            "operation": ["CREATE", "UPDATE", "DELETE"],
        }
    )
    problems = other_tenants_ids(table, {"other": frozenset({"2", "3"}), "third": frozenset()}, RecordSet.USERS)
    assert found(problems) == [("2", "user_id", "other_tenant")]
    assert "other" in problems["detail"][0]
    assert len(other_tenants_ids(table, {}, RecordSet.USERS)) == 0


def test_e29_empty_problem_tables_can_be_joined_to_full_ones() -> None:
    """Types do not change when one side has no rows."""
    full = plan_day(PLAIN, [crew("c1", "1", 姓="")]).users.problems
    joined = pd.concat([no_problems(), full, no_problems()], ignore_index=True)
    assert joined["line"].dtype == "int64"
    assert found(joined) == [("1", "full_name", "required")]
