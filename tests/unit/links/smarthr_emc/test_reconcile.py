"""What EMC has against what it confirmed last: which differences are told, and which are not ours to tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.links.smarthr_emc.model import RecordSet
from renkei.links.smarthr_emc.reconcile import COLUMNS, compare_departments, compare_users, fields, lines, tally
from renkei.links.smarthr_emc.records import Tally
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.storage.store import Store
from tests.builders import CONTACT, EMC_FORMAT, Day, Line, crew, departments, mapping, plan_day

SHEET = mapping({**CONTACT, "検索ワード1": "事業所"})
FRONT = {"ID付与コード": "ac"}


def users_in_emc(*rows: dict[str, str]) -> pd.DataFrame:
    """The export of users, by EMC's item names; a row gives its id and what is not blank."""
    items = ["ユーザID", "氏名", "氏名(ヨミ)", "緊急連絡1 媒体", "緊急連絡1 アドレス", "検索ワード1"]
    usual = {"氏名": "山田", "氏名(ヨミ)": "ヤマダ"}
    return pd.DataFrame([{**dict.fromkeys(items, ""), **usual, **row} for row in rows], columns=items, dtype="str")


def users(
    day: Day, exported: pd.DataFrame, sheet: Mapping = SHEET, others: frozenset[str] = frozenset()
) -> list[tuple[Any, ...]]:
    """(kind, id, crew id, item, expected, found) of every difference in the users."""
    table = compare_users(day.snapshot.users, day.users.target, exported, sheet, others, EMC_FORMAT)
    assert tuple(table.columns) == COLUMNS
    assert set(table["record_set"]) <= {"users"}
    return list(table.drop(columns="record_set").itertuples(index=False, name=None))


def test_an_emc_that_has_what_was_written_differs_in_nothing() -> None:
    """The people of the baseline, with their contacts and blanks."""
    day = plan_day(SHEET, [crew("c1", "1", メールアドレス="a@example.jp"), crew("c2", "2", 事業所="東京")])
    contact = {"緊急連絡1 媒体": "メールアドレス", "緊急連絡1 アドレス": "a@example.jp"}

    assert users(day, users_in_emc({"ユーザID": "1", **contact}, {"ユーザID": "2", "検索ワード1": "東京"})) == []


def test_l8_missing_differing_and_extra_people_are_told_apart() -> None:
    """By id; a differing item with what was written and what is there now. Missing people come first."""
    day = plan_day(SHEET, [crew("c3", "3", 事業所="東京"), crew("c1", "1"), crew("c2", "2")])
    exported = users_in_emc(
        {"ユーザID": "1", "氏名(ヨミ)": ""},
        {"ユーザID": "3", "氏名": "山本", "検索ワード1": "大阪"},
        {"ユーザID": "9", "氏名": "手入力"},
    )

    assert users(day, exported) == [
        ("missing", "2", "c2", "", "", ""),
        ("differs", "1", "c1", "full_name_yomi", "ヤマダ", ""),
        ("differs", "3", "c3", "full_name", "山田", "山本"),
        ("differs", "3", "c3", "search_word_1", "東京", "大阪"),
        ("extra", "9", "", "", "", ""),
    ]


# The update policy of 検索ワード1, 事業所 in SmartHR at the baseline, what EMC has now, and what is told.
POLICIES = [
    ("更新", "更新しない", "東京", "大阪", ("東京", "大阪")),
    ("更新", "更新しない", "東京", "", ("東京", "")),
    ("更新", "更新しない", "", "手入力", None),
    ("更新", "更新", "", "手入力", ("", "手入力")),
    ("更新", "デフォルト:本社", "", "手入力", ("本社", "手入力")),
    ("更新", "エラー", "東京", "大阪", ("東京", "大阪")),
    ("更新しない", "更新しない", "東京", "大阪", None),
    ("更新しない", "更新しない", "", "手入力", None),
    ("更新しない", "更新", "東京", "大阪", None),
    ("更新しない", "更新", "", "手入力", ("", "手入力")),
    ("更新しない", "デフォルト:本社", "東京", "大阪", None),
    ("更新しない", "デフォルト:本社", "", "手入力", ("本社", "手入力")),
]


@pytest.mark.parametrize(("present", "blank", "place", "now", "told"), POLICIES)
def test_e18_what_the_sheet_leaves_alone_is_emc_s_own(
    present: str, blank: str, place: str, now: str, told: tuple[str, str] | None
) -> None:
    """A cell is compared only if an update of this very person would write it."""
    on_create = blank if blank.startswith("デフォルト") else "登録しない"
    sheet = mapping({"検索ワード1": ("事業所", "登録", on_create, present, blank)})
    day = plan_day(sheet, [crew("c1", "1", 事業所=place)])
    found = users(day, users_in_emc({"ユーザID": "1", "検索ワード1": now}), sheet)

    assert found == ([("differs", "1", "c1", "search_word_1", *told)] if told else [])


def test_e20_a_medium_without_an_address_of_ours_is_emc_s_own() -> None:
    """SmartHR has no address and the sheet leaves it: whoever typed one in may keep its medium too."""
    day = plan_day(SHEET, [crew("c1", "1")])
    typed = {"緊急連絡1 媒体": "アプリ", "緊急連絡1 アドレス": "x"}

    assert users(day, users_in_emc({"ユーザID": "1", **typed})) == []


def test_a_cell_that_is_not_known_is_not_compared() -> None:
    """EMC never told what it has there."""
    day = plan_day(SHEET, [crew("c1", "1", 事業所="東京")])
    day.users.target["search_word_1"] = pd.Series([None], dtype="str")

    assert users(day, users_in_emc({"ユーザID": "1", "検索ワード1": "大阪"})) == []


def test_a_person_whom_the_read_does_not_have_is_looked_for_but_not_compared() -> None:
    """Nothing says which of the cells an update would write."""
    day = plan_day(SHEET, [crew("c1", "1"), crew("c2", "2")])
    read, target = day.snapshot.users.head(0), day.users.target
    table = compare_users(read, target, users_in_emc({"ユーザID": "1", "氏名": "別人"}), SHEET, frozenset(), EMC_FORMAT)

    assert table[["kind", "id"]].values.tolist() == [["missing", "2"]]


@pytest.mark.parametrize("written", ["山〜田", "山−田", "¢"])
def test_e37_what_the_file_s_encoding_makes_of_a_value_is_no_difference(written: str) -> None:
    """CP932 has no 〜 (U+301C): EMC was given its twin, and keeps that."""
    arrived = written.encode(EMC_FORMAT.encoding).decode(EMC_FORMAT.encoding)
    assert arrived != written
    day = plan_day(SHEET, [crew("c1", "1", 姓=written)])

    assert users(day, users_in_emc({"ユーザID": "1", "氏名": arrived})) == []
    assert [row[3] for row in users(day, users_in_emc({"ユーザID": "1", "氏名": "別人"}))] == ["full_name"]


def test_e10_ids_are_compared_exactly() -> None:
    """Case and leading zeros make another person."""
    day = plan_day(SHEET, [crew("c1", "01"), crew("c2", "ab")])
    found = users(day, users_in_emc({"ユーザID": "1"}, {"ユーザID": "AB"}))

    assert [row[:2] for row in found] == [("missing", "01"), ("missing", "ab"), ("extra", "1"), ("extra", "AB")]


def test_e28_another_tenant_s_people_are_never_extra() -> None:
    """With ID付与コード only ids that begin with it can be ours; without, all that are in nobody's baseline."""
    exported = users_in_emc(*({"ユーザID": user_id} for user_id in ("ac1", "ac7", "ac8", "b1", "b2")))
    others = frozenset({"ac8", "b1"})
    front = mapping({"検索ワード1": "事業所"}, FRONT)
    with_prefix, without = plan_day(front, [crew("c1", "1")]), plan_day(SHEET, [crew("c1", "ac1")])

    assert [row[:2] for row in users(with_prefix, exported, front, others)] == [("extra", "ac7")]
    assert [row[:2] for row in users(without, exported, others=others)] == [("extra", "ac7"), ("extra", "b2")]


def test_e9_e7_people_without_an_id_and_retired_ones_are_nobody_s_loss() -> None:
    """They were never written."""
    sheet = mapping({"ユーザID": ("社員番号", "登録", "登録しない", "更新しない", "エラー")})
    day = plan_day(sheet, [crew("c1", "1"), crew("c2", ""), crew("c3", "3", "retired")])

    assert users(day, users_in_emc({"ユーザID": "1"}), sheet) == []


@pytest.mark.parametrize("people", [[], [crew("c1", "1")]])
def test_an_empty_side_is_compared_too(people: list[dict[str, str]]) -> None:
    """EMC has nobody, or the baseline has."""
    found = users(plan_day(SHEET, people), users_in_emc(*[] if people else [{"ユーザID": "1"}]))

    assert [row[:2] for row in found] == [("missing" if people else "extra", "1")]


def test_l6_only_items_that_an_update_may_write_are_asked_for() -> None:
    """No password, no flag, nothing that the sheet leaves to EMC; the id first, and once."""
    lines_: dict[str, Line] = {
        **CONTACT,
        "ユーザID": ("社員番号", "登録", "エラー", "更新", "エラー"),
        "パスワード強制変更": ("固定値「T」", "登録", "デフォルト:T", "更新しない", "更新しない"),
        "保有権限1": ("役職1", "登録", "登録しない", "更新しない", "更新しない"),
        "検索ワード1": ("事業所", "登録", "登録しない", "更新しない", "更新"),
        "検索ワード2": ("雇用形態", "登録", "登録しない", "更新しない", "デフォルト:なし"),
    }
    assert fields(RecordSet.USERS, mapping(lines_)) == [
        *("ユーザID", "氏名", "氏名(ヨミ)", "緊急連絡1 媒体", "緊急連絡1 アドレス", "検索ワード1", "検索ワード2")
    ]
    assert fields(RecordSet.DEPARTMENTS, mapping()) == ["部署ID", "部署名", "部署名(ヨミ)", "親部署ID"]


def departments_in_emc(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["部署ID", "部署名", "部署名(ヨミ)", "親部署ID"], dtype="str")


def department_differences() -> pd.DataFrame:
    """One of each kind: B is gone, C has another name and parent, X nobody knows, N1 is a neighbour's."""
    day = plan_day(SHEET, [], tree=departments(("A", None), ("B", "A"), ("C", "A")))
    exported = departments_in_emc(
        ("A", "A部", "ブショ", ""), ("C", "新C部", "ブショ", "X"), ("N1", "隣", "ブショ", ""), ("X", "謎", "ブショ", "")
    )
    return compare_departments(day.snapshot.departments, exported, SHEET, frozenset({"N1"}), EMC_FORMAT)


def test_e13_departments_are_compared_by_name_kana_and_parent() -> None:
    """SmartHR's own id of the department stands where a person's crew id does."""
    assert list(department_differences().itertuples(index=False, name=None)) == [
        ("departments", "missing", "B", "d2", "", "", ""),
        ("departments", "differs", "C", "d3", "name", "C部", "新C部"),
        ("departments", "differs", "C", "d3", "parent_id", "A", "X"),
        ("departments", "extra", "X", "", "", "", ""),
    ]


def test_e26_the_root_department_is_compared_like_the_others() -> None:
    """It is in the baseline, with the prefix; the neighbours' departments are not ours to judge."""
    sheet = mapping(None, {**FRONT, "最上位部署ID": "0", "最上位部署名": "本社", "最上位部署名(ヨミ)": "ホンシャ"})
    day = plan_day(sheet, [], tree=departments(("A", None)))
    exported = departments_in_emc(("ac0", "支社", "ホンシャ", ""), ("acA", "A部", "ブショ", "ac0"), ("b1", "", "", ""))
    found = compare_departments(day.snapshot.departments, exported, sheet, frozenset(), EMC_FORMAT)

    assert found[["kind", "id", "item"]].values.tolist() == [["differs", "ac0", "name"]]


def both() -> pd.DataFrame:
    day = plan_day(SHEET, [crew("c1", "1"), crew("c2", "2", 事業所="東京")])
    exported = users_in_emc({"ユーザID": "2", "氏名": "佐藤"}, {"ユーザID": "9"})
    people = compare_users(day.snapshot.users, day.users.target, exported, SHEET, frozenset(), EMC_FORMAT)
    return pd.concat([department_differences(), people], ignore_index=True)


def test_the_figures_count_records_by_kind_and_items_by_record() -> None:
    """Somebody with two differing items is one record that differs."""
    assert tally(both()) == {
        RecordSet.DEPARTMENTS: Tally(missing=1, differs=1, extra=1, items={"name": 1, "parent_id": 1}),
        RecordSet.USERS: Tally(missing=1, differs=1, extra=1, items={"full_name": 1, "search_word_1": 1}),
    }


def test_l8_the_lines_say_which_record_which_item_and_what_to_do() -> None:
    """Figures first, then who is missing, then what differs, then what nobody knows."""
    assert lines(both()) == [
        "照合結果: EMCと前回データに6件の差異があります。EMCには何も書き込んでいません。",
        "- 部署: EMCに無い 1件、値が異なる 1件（部署名 1件、親部署ID 1件）、余分 1件",
        "- 社員: EMCに無い 1件、値が異なる 1件（氏名 1件、検索ワード1 1件）、余分 1件",
        "- 部署 部署ID: B／EMCにありません／次回の処理で再登録されます",
        "- 社員 ユーザID: 1／EMCにありません／次回の処理で再登録されます",
        "- 部署 部署ID: C／部署名、親部署IDが連携した値と異なります／「全件書き込み」を実行すると連携設定シートどおりに戻ります",
        "- 社員 ユーザID: 2／氏名、検索ワード1が連携した値と異なります／「全件書き込み」を実行すると連携設定シートどおりに戻ります",
        "- 部署 部署ID: X／余分です（手で登録された可能性があります）／EMCの画面で確認し、不要であれば削除してください",
        "- 社員 ユーザID: 9／余分です（手で登録された可能性があります）／EMCの画面で確認し、不要であれば削除してください",
    ]


def test_l6_the_lines_hold_no_value_of_a_person() -> None:
    """Neither what was written nor what is there now."""
    text = "\n".join(lines(both()))

    assert not [value for value in ("山田", "佐藤", "東京", "新C部") if value in text]


def test_l8_past_fifty_records_the_rest_is_counted() -> None:
    """Fifty records, not fifty cells; the figures are of all."""
    day = plan_day(SHEET, [crew(f"c{n}", f"{n:03}", 事業所="東京") for n in range(120)])
    exported = users_in_emc(*({"ユーザID": f"{n:03}", "氏名": "別人"} for n in range(30, 120)))
    found = lines(compare_users(day.snapshot.users, day.users.target, exported, SHEET, frozenset(), EMC_FORMAT))

    assert found[2] == "- 社員: EMCに無い 30件、値が異なる 90件（氏名 90件、検索ワード1 90件）、余分 0件"
    assert len(found) == 3 + 50 + 1
    assert found[3].startswith("- 社員 ユーザID: 000／")
    assert found[52].startswith("- 社員 ユーザID: 049／氏名、検索ワード1が")
    assert found[53] == "- ほか70件（全件は処理記録にあります）"


def test_no_difference_is_said_in_one_line(tmp_path: Path) -> None:
    """An empty table has its columns and survives the store."""
    day = plan_day(SHEET, [])
    table = compare_users(day.snapshot.users, day.users.target, users_in_emc(), SHEET, frozenset(), EMC_FORMAT)
    store = Store(LocalFileSystem(), str(tmp_path))
    store.write_table("differences", table)

    pd.testing.assert_frame_equal(store.read_table("differences"), table)
    assert lines(table) == ["照合結果: EMCと前回データに差異はありません。"]


def test_differences_survive_the_store(tmp_path: Path) -> None:
    """Types and values."""
    store = Store(LocalFileSystem(), str(tmp_path))
    store.write_table("differences", both())

    pd.testing.assert_frame_equal(store.read_table("differences"), both())
