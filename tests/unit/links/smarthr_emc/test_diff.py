"""Who is new, kept and gone, by id alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renkei.links.smarthr_emc import diff
from renkei.links.smarthr_emc.disaster import keep_users
from renkei.links.smarthr_emc.model import Mode, RecordSet
from renkei.links.smarthr_emc.plan import id_changes
from renkei.links.smarthr_emc.records import SetSummary
from tests.builders import Day, crew, departments, freeze, mapping, plan_day

SHEET = mapping()


def day(*people: dict[str, str], after: Day | None = None, **more: Any) -> Day:
    return plan_day(SHEET, people, after, **more)


def test_e6_first_run_is_all_new() -> None:
    """Without a baseline everybody is created and nobody lost anything."""
    first = day(crew("c1", "001"), crew("c2", "002"))
    assert first.operations() == {"001": "CREATE", "002": "CREATE"}
    assert first.lost == frozenset()


def test_e6_new_kept_and_gone() -> None:
    """Today only is new, both days is kept, baseline only is deleted."""
    first = day(crew("c1", "001"), crew("c2", "002"))
    second = day(crew("c2", "002"), crew("c3", "003"), after=first)
    assert second.operations() == {"002": "UPDATE", "003": "CREATE", "001": "DELETE"}
    assert second.reasons() == {"002": "", "003": "", "001": "gone"}


def test_e5_values_do_not_decide() -> None:
    """Another name, another crew behind the id: still kept."""
    first = day(crew("c1", "001", 姓="山田"))
    second = day(crew("c9", "001", 姓="佐藤"), after=first)
    assert second.operations() == {"001": "UPDATE"}


def test_e5_id_may_be_the_first_item_that_has_a_value() -> None:
    """`社員番号 or メールアドレス`: a person whose number is filled in later gets another id."""
    sheet = mapping({"ユーザID": "社員番号 or メールアドレス"})
    first = plan_day(sheet, [crew("c1", "", メールアドレス="a@example.jp"), crew("c2", "002")])
    assert list(first.operations()) == ["a@example.jp", "002"]
    second = plan_day(sheet, [crew("c1", "001", メールアドレス="a@example.jp"), crew("c2", "002")], first)
    assert second.operations() == {"001": "CREATE", "002": "UPDATE", "a@example.jp": "DELETE"}


def test_e5_id_may_be_a_custom_item() -> None:
    """Any mapped item can be the key."""
    sheet = mapping({"ユーザID": "カスタム項目:EMC番号"})
    assert plan_day(sheet, [crew("c1", "", **{"カスタム項目:EMC番号": "Z9"})]).operations() == {"Z9": "CREATE"}


def test_e7_retired_is_deleted_and_absent_stays() -> None:
    """退職済 leaves, 休職中 does not."""
    first = day(crew("c1", "001"), crew("c2", "002"))
    second = day(crew("c1", "001", "retired"), crew("c2", "002", "absent"), after=first)
    assert second.operations() == {"002": "UPDATE", "001": "DELETE"}
    assert second.reasons()["001"] == "retired"


def test_e7_a_retired_crew_is_nobody_whatever_id_stands_in_its_row() -> None:
    """On either day: a snapshot blanks the ids of the retired, and the diff does not rely on it."""
    both, one = freeze(SHEET, [crew("c1", "001"), crew("c2", "002")]).users, freeze(SHEET, [crew("c2", "002")]).users
    retired = both.assign(valid=both["crew_id"] != "c1")
    left, _ = diff.diff_users(both, retired, frozenset())
    assert dict(zip(left["id"], left["operation"], strict=True)) == {"002": "UPDATE", "001": "DELETE"}
    never, _ = diff.diff_users(retired, one, frozenset())
    assert dict(zip(never["id"], never["operation"], strict=True)) == {"002": "UPDATE"}


def test_e7_resignation_date_has_no_effect() -> None:
    """A date of leaving, past or coming, deletes nobody."""
    sheet = mapping({"検索ワード1": "退職年月日"})
    first = plan_day(sheet, [crew("c1", "001")])
    second = plan_day(sheet, [crew("c1", "001", 退職年月日="2001-01-31")], first)
    assert second.operations() == {"001": "UPDATE"}


def test_e7_retired_crews_are_never_new() -> None:
    """Somebody who left before the first link is received, but not valid."""
    first = day(crew("c1", "001", "retired"), crew("c2", "002"))
    counts = first.counts[RecordSet.USERS]
    assert (counts.received_total, counts.received_valid, counts.created) == (2, 1, 1)


def test_e8_lost_id_is_deleted_with_its_reason() -> None:
    """A crew that is still there but without an id is deleted, warned of, and remembered."""
    first = day(crew("c1", "001"), crew("c2", "002"))
    second = day(crew("c1", " \u200b"), crew("c2", "002"), after=first)
    assert second.operations() == {"002": "UPDATE", "001": "DELETE"}
    assert second.reasons()["001"] == "lost_id"
    assert second.lost == {"c1"}
    assert second.warnings("lost_id") == [("001", "c1")]
    assert second.problems() == []


def test_e8_lost_id_is_no_error_on_the_next_days() -> None:
    """The crew had an id once, so E9 does not stop the runs that follow; nothing is deleted twice."""
    second = day(crew("c1"), crew("c2", "002"), after=day(crew("c1", "001"), crew("c2", "002")))
    third = day(crew("c1"), crew("c2", "002"), after=second)
    fourth = day(crew("c1"), crew("c2", "002"), after=third)
    for later in (third, fourth):
        assert later.operations() == {"002": "UPDATE"}
        assert later.problems() == []
        assert later.warnings("lost_id") == []
        assert later.warnings("still_no_id") == [("", "c1")]
        assert later.counts[RecordSet.USERS].broken_law() is None


def test_e8_lost_id_that_comes_back_is_new_and_forgotten() -> None:
    """With an id again the crew is an ordinary joiner, and would be warned of anew."""
    second = day(crew("c1"), crew("c2", "002"), after=day(crew("c1", "001"), crew("c2", "002")))
    third = day(crew("c1", "001"), crew("c2", "002"), after=second)
    assert third.operations() == {"001": "CREATE", "002": "UPDATE"}
    assert third.lost == frozenset()


def test_e8_crew_without_id_that_retires_is_forgotten() -> None:
    """退職済 ends the silence, and deletes nothing that is not there."""
    second = day(crew("c1"), crew("c2", "002"), after=day(crew("c1", "001"), crew("c2", "002")))
    third = day(crew("c1", "", "retired"), crew("c2", "002"), after=second)
    assert (third.operations(), third.lost) == ({"002": "UPDATE"}, frozenset())


def test_e8_a_lost_id_that_somebody_else_took_deletes_nobody() -> None:
    """The id is in both reads, so it is kept, whoever has it."""
    first = day(crew("c1", "001"), crew("c2", "002"))
    second = day(crew("c1"), crew("c2", "001"), after=first)
    assert second.operations() == {"001": "UPDATE", "002": "DELETE"}
    assert second.lost == {"c1"}
    assert second.problems() == []


def test_e9_never_had_id_is_an_error_by_default() -> None:
    """新規×値が無い = エラー: the run fails and names the crew."""
    first = day(crew("c1", "001"), crew("c2", "", "absent"))
    assert first.problems() == [("", "user_id", "no_id")]
    assert first.users.problems.iloc[0][["line", "crew_id"]].tolist() == [2, "c2"]


def test_e9_never_had_id_may_be_left_out_with_a_warning() -> None:
    """新規×値が無い = 登録しない: no error, nothing written, listed."""
    sheet = mapping({"ユーザID": ("社員番号", "登録", "登録しない", "更新しない", "エラー")})
    first = plan_day(sheet, [crew("c1", "001"), crew("c2", "")])
    assert first.problems() == []
    assert first.warnings("no_id") == [("", "c2")]
    assert first.users.rows["crew_id"].tolist() == ["c1"]


def test_e9_retired_crew_without_id_is_no_error() -> None:
    """A crew that is not valid needs no id."""
    assert day(crew("c1", "001"), crew("c2", "", "retired")).problems() == []


def test_e10_two_crews_with_one_id_are_one_operation_and_two_problems() -> None:
    """Both are named, each with the other."""
    first = day(crew("c1", "001"), crew("c2", "002"), crew("c3", "001"))
    assert first.problems() == [("001", "user_id", "duplicate_id")] * 2
    assert first.users.problems["crew_id"].tolist() == ["c1", "c3"]
    assert first.users.problems["line"].tolist() == [1, 3]
    assert all("c1" in detail and "c3" in detail for detail in first.users.problems["detail"])
    assert len(first.diff) == 2


def test_e10_a_retired_crew_duplicates_nobody() -> None:
    """The number of somebody who left may be given again."""
    assert day(crew("c1", "001", "retired"), crew("c2", "001")).problems() == []


@pytest.mark.parametrize(("old", "new"), [("a@x.jp", "A@x.jp"), ("001", "1"), ("001", "００１"), ("ア", "ｱ")])
def test_e10_ids_compare_exactly(old: str, new: str) -> None:
    """Case, leading zeros and width make another id."""
    both = day(crew("c1", old), crew("c2", new))
    assert both.problems() == []
    assert day(crew("c1", new), after=day(crew("c1", old))).operations() == {new: "CREATE", old: "DELETE"}


def test_e12_another_id_of_the_same_crew_is_listed_apart() -> None:
    """Delete and add, recognised by crew id, and no leaver, joiner or anybody who stays as he was."""
    first = day(crew("c1", "001"), crew("c2", "002"), crew("c4", "004"))
    second = day(crew("c1", "101"), crew("c3", "003"), crew("c4", "004"), after=first)
    assert second.operations() == {
        "101": "CREATE",
        "003": "CREATE",
        "004": "UPDATE",
        "001": "DELETE",
        "002": "DELETE",
    }
    assert second.reasons() == {"101": "id_change", "003": "", "004": "", "001": "id_change", "002": "gone"}
    assert id_changes(second.diff) == [("c1", "001", "101")]
    assert second.counts[RecordSet.USERS].broken_law() is None


def test_e12_ids_swapped_between_two_crews_are_kept() -> None:
    """Both ids are there on both days: nobody is deleted."""
    first = day(crew("c1", "001"), crew("c2", "002"))
    second = day(crew("c1", "002"), crew("c2", "001"), after=first)
    assert second.operations() == {"001": "UPDATE", "002": "UPDATE"}
    assert second.reasons() == {"001": "taken_over", "002": "taken_over"}
    assert second.row("002")["crew_id"] == "c1"


def test_e12_id_change_onto_the_id_of_somebody_else_is_listed() -> None:
    """c1 takes the id of c2, who gets a new one: the deleted id belongs to a crew that is still here."""
    first = day(crew("c1", "001"), crew("c2", "002"))
    second = day(crew("c1", "002"), crew("c2", "003"), after=first)
    assert second.operations() == {"002": "UPDATE", "003": "CREATE", "001": "DELETE"}
    assert sorted(id_changes(second.diff)) == [("c1", "001", "002"), ("c2", "002", "003")]


IDS = st.sampled_from(["", *"abcdefgh"])
CREWS = st.dictionaries(
    st.sampled_from([f"c{n}" for n in range(8)]),
    st.tuples(st.sampled_from(["employed", "absent", "retired"]), IDS),
    max_size=8,
).filter(lambda people: _distinct([i for status, i in people.values() if i and status != "retired"]))


def _distinct(ids: list[str]) -> bool:
    return len(set(ids)) == len(ids)


@settings(max_examples=50)
@given(CREWS, CREWS)
def test_e11_both_equations_hold_for_any_two_days(before: dict[str, Any], today: dict[str, Any]) -> None:
    """受信有効 = 新規 + 更新, 前回有効 − 削除 + 新規 = 受信有効, and every id is in exactly one operation."""
    old, new = (
        freeze(SHEET, [crew(c, emp_code, status) for c, (status, emp_code) in people.items()])
        for people in (before, today)
    )
    table, lost = diff.diff_users(old.users, new.users, frozenset())
    counts = diff.count(table, old.summary[RecordSet.USERS], new.summary[RecordSet.USERS])
    assert counts.received_valid == counts.created + counts.updated
    assert counts.previous_valid - counts.deleted + counts.created == counts.received_valid
    assert counts.broken_law() is None
    had, has = ({i for status, i in people.values() if i and status != "retired"} for people in (before, today))
    operations = list(zip(table["id"], table["operation"], strict=True))
    assert sorted(operations) == sorted(
        [(i, "CREATE") for i in has - had] + [(i, "UPDATE") for i in has & had] + [(i, "DELETE") for i in had - has]
    )
    nameless = {c for c, (status, i) in today.items() if not i and status != "retired"}
    assert lost == {c for c in nameless if c in before and before[c][1] and before[c][0] != "retired"}


def test_e11_broken_counts_are_told() -> None:
    """Either equation that does not hold is named."""
    sound = day(crew("c1", "001")).counts[RecordSet.USERS]
    assert sound.broken_law() is None
    assert dataclasses.replace(sound, received_valid=2).broken_law() is not None
    assert dataclasses.replace(sound, deleted=1).broken_law() is not None


def test_e11_counts_of_both_sides() -> None:
    """全件 are the crews received, 有効 those with a status and an id; 前回 are the baseline's."""
    first = day(crew("c1", "001"), crew("c2", "002"), crew("c3", "003", "retired"))
    second = day(crew("c1", "001"), crew("c4", "004"), after=first)
    counts = second.counts[RecordSet.USERS]
    assert (counts.previous_total, counts.previous_valid) == (3, 2)
    assert (counts.received_total, counts.received_valid) == (2, 2)
    assert (counts.created, counts.updated, counts.deleted) == (1, 1, 1)


def test_e13_departments_follow_the_same_rule() -> None:
    """New, kept and gone by department id; the source's id goes along."""
    old = freeze(SHEET, [], departments(("A", None), ("B", "A")))
    new = freeze(SHEET, [], departments(("C", None), ("A", None)))
    table = diff.diff_departments(old.departments, new.departments)
    assert dict(zip(table["id"], table["operation"], strict=True)) == {"C": "CREATE", "A": "UPDATE", "B": "DELETE"}
    assert table["crew_id"].tolist() == ["d1", "d2", "d2"]
    assert table["line"].tolist() == [1, 2, 0]  # a line is one of today's read


@pytest.mark.parametrize("old", [(), (("A", None),)])
@pytest.mark.parametrize("new", [(), (("A", None),), (("B", None),)])
def test_e13_no_departments_at_all_is_no_special_case(old: Any, new: Any) -> None:
    """Empty tables on either side give counts that add up."""
    first = plan_day(SHEET, [], tree=departments(*old))
    second = plan_day(SHEET, [], first, tree=departments(*new))
    counts = second.counts[RecordSet.DEPARTMENTS]
    assert (counts.previous_valid, counts.received_valid) == (len(old), len(new))
    assert counts.broken_law() is None


def test_e14_unchanged_and_changed_sets() -> None:
    """The same records and sheet are 変化なし, whatever their order; the other set does not matter."""
    people, tree = [crew("c1", "001"), crew("c2", "002")], departments(("A", None))
    first = day(*people, tree=tree)
    assert first.changed == {RecordSet.DEPARTMENTS: True, RecordSet.USERS: True}
    same = day(*reversed(people), after=first, tree=tree)
    assert same.changed == {RecordSet.DEPARTMENTS: False, RecordSet.USERS: False}
    renamed = day(crew("c1", "001", 姓="佐藤"), crew("c2", "002"), after=first, tree=tree)
    assert renamed.changed == {RecordSet.DEPARTMENTS: False, RecordSet.USERS: True}
    moved = day(*people, after=first, tree=departments(("A", None, "新部署")))
    assert moved.changed == {RecordSet.DEPARTMENTS: True, RecordSet.USERS: False}


@pytest.mark.parametrize("mode", [Mode.WRITE_ALL, Mode.RELINK, Mode.RELINK_CHECK])
def test_e3_some_modes_write_unchanged_sets(mode: Mode) -> None:
    """全件書き込み and 再連携 write everything."""
    people = [crew("c1", "001")]
    assert day(*people, after=day(*people), mode=mode).changed[RecordSet.USERS]


@pytest.mark.parametrize(
    ("received", "mode", "changed"),
    [
        (SetSummary(2, 2, "values", "rules"), Mode.NORMAL, False),
        (SetSummary(2, 2, "others", "rules"), Mode.NORMAL, True),
        (SetSummary(2, 2, "values", "other rules"), Mode.NORMAL, True),
        (SetSummary(2, 2, "values", "rules"), Mode.RESTORE, True),
    ],
)
def test_e14_another_sheet_and_a_restore_are_changes_of_the_same_values(
    received: SetSummary, mode: Mode, changed: bool
) -> None:
    """The same people by other rules are other rows in EMC; 復元 brings back what EMC had."""
    assert diff.is_changed(SetSummary(2, 2, "values", "rules"), received, mode) is changed


def test_e31_ids_that_emc_has_are_adopted_as_updates() -> None:
    """The operation stays 新規 for the counts, but is written as an update and said so."""
    first = day(crew("c1", "001"), crew("c2", "002"), in_emc={"001": {"full_name": "旧"}})
    assert first.operations() == {"001": "CREATE", "002": "CREATE"}
    assert first.users.rows.set_index("user_id")["operation"].to_dict() == {"001": "UPDATE", "002": "CREATE"}
    assert first.warnings("adopted") == [("001", "c1")]


def test_l4_ids_that_emc_lost_are_created_again() -> None:
    """Ours, but gone from EMC: an update would write nothing."""
    first = day(crew("c1", "001"), crew("c2", "002"))
    table, _ = diff.diff_users(first.snapshot.users, first.snapshot.users, frozenset())
    table = diff.reconcile(table, {"002"})
    assert table.set_index("id")["write_as"].to_dict() == {"001": "CREATE", "002": "UPDATE"}
    assert table.set_index("id")["operation"].to_dict() == {"001": "UPDATE", "002": "UPDATE"}
    assert table.set_index("id")["reason"].to_dict() == {"001": "recreated", "002": ""}


def test_e8_a_leaver_whom_emc_has_no_more_is_a_leaver_all_the_same() -> None:
    """Nobody adds who is to go: the delete is done already."""
    first = day(crew("c1", "001"), crew("c2", "002"))
    table, _ = diff.diff_users(first.snapshot.users, freeze(SHEET, [crew("c2", "002")]).users, frozenset())
    found = diff.reconcile(table, {"002"}).set_index("id").loc["001"]
    assert (found["operation"], found["write_as"], found["reason"]) == ("DELETE", "DELETE", "gone")


def test_e32_relink_deletes_every_old_id_and_adds_every_new_one() -> None:
    """An id on both days is deleted and added; the counts hold."""
    first = day(crew("c1", "001"), crew("c2", "002"))
    second = freeze(SHEET, [crew("c2", "002"), crew("c3", "003")])
    table, _ = diff.diff_users(first.snapshot.users, second.users, frozenset())
    table = diff.relink(table, first.snapshot.users["user_id"])
    assert sorted(zip(table["id"], table["operation"], table["reason"], strict=True)) == [
        ("001", "DELETE", "gone"),
        ("002", "CREATE", "replaced"),
        ("002", "DELETE", "replaced"),
        ("003", "CREATE", ""),
    ]
    counts = diff.count(table, first.snapshot.summary[RecordSet.USERS], second.summary[RecordSet.USERS])
    assert counts.broken_law() is None


def test_e5_an_id_that_another_crew_takes_over_is_an_update_and_is_told() -> None:
    """Only the id decides, but items that are not updated keep the former person's values: somebody must look."""
    first = day(crew("c1", "001"), crew("c2", "002"))
    second = day(crew("c9", "001"), crew("c2", "002"), after=first)
    assert second.operations() == {"001": "UPDATE", "002": "UPDATE"}
    assert second.reasons()["001"] == "taken_over"


def test_e5_an_id_that_a_freeze_keeps_is_taken_over_by_nobody() -> None:
    """災害時凍結: whose crew has another id now, the id stays without a crew; nobody has to look at it."""
    before = freeze(SHEET, [crew("c1", "001"), crew("c2", "002")]).users
    now = keep_users(freeze(SHEET, [crew("c1", "003"), crew("c2", "002")]).users, before)
    table, _ = diff.diff_users(before, now, frozenset())
    found = table.set_index("id")
    assert found["operation"].to_dict() == {"001": "UPDATE", "002": "UPDATE", "003": "CREATE"}
    assert (found.loc["001", "crew_id"], found.loc["001", "reason"]) == ("", "")


def test_e6_whoever_is_gone_has_no_line() -> None:
    """Their line was in another read: a mail that named it would point at somebody else."""
    before = freeze(SHEET, [crew("c1", "001"), crew("c2", "002")]).users
    table, _ = diff.diff_users(before, freeze(SHEET, [crew("c1", "001")]).users, frozenset())
    assert table.set_index("id")["line"].to_dict() == {"001": 1, "002": 0}


def test_e12_a_new_id_that_emc_has_already_is_an_update_and_still_an_id_change() -> None:
    """Adopting it does not hide whose id changed."""
    first = day(crew("c1", "001"), crew("c2", "002"))
    now = freeze(SHEET, [crew("c1", "003"), crew("c2", "002")]).users
    table, _ = diff.diff_users(first.snapshot.users, now, frozenset())
    found = diff.reconcile(table, {"002", "003"}).set_index("id").loc["003"]
    assert (found["operation"], found["write_as"], found["reason"]) == ("CREATE", "UPDATE", "id_change")


def test_l4_what_emc_lost_is_written_again_on_a_quiet_day() -> None:
    """Nothing else would bring back who was deleted on EMC's screen."""
    first = day(crew("c1", "001"), crew("c2", "002"))
    table, _ = diff.diff_users(first.snapshot.users, first.snapshot.users, frozenset())
    assert not diff.has_drifted(diff.reconcile(table, {"001", "002"}))
    assert diff.has_drifted(diff.reconcile(table, {"002"}))


def test_e13_a_department_without_a_code_is_nobodys_to_delete() -> None:
    """It never was in EMC; a delete without an id would be refused, and with it the whole import."""
    before = freeze(SHEET, [], departments(("", None), ("d1", None), ("d2", None))).departments
    table = diff.diff_departments(before, freeze(SHEET, [], departments(("d1", None))).departments)
    assert dict(zip(table["id"], table["operation"], strict=True)) == {"d1": "UPDATE", "d2": "DELETE"}


def test_e8_who_lost_an_id_is_told_as_that_and_not_as_one_who_never_had_any() -> None:
    """Each person once, by the reason that says what to do."""
    first = day(crew("c1", "001"), crew("c2", "002"))
    second = day(crew("c1", ""), crew("c2", "002"), crew("c3", ""), after=first)
    third = day(crew("c1", ""), crew("c2", "002"), crew("c3", ""), after=second)
    kinds = ("lost_id", "still_no_id", "no_id")
    assert [second.warnings(kind) for kind in kinds] == [[("001", "c1")], [], [("", "c3")]]
    assert [third.warnings(kind) for kind in kinds] == [[], [("", "c1")], [("", "c3")]]
