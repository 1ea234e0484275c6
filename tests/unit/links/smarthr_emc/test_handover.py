"""E40: an id that passes to another person keeps nothing of the earlier one."""

from __future__ import annotations

import random
from typing import Any

import pytest

from renkei.links.smarthr_emc import disaster
from renkei.links.smarthr_emc.guards import hold_handovers
from renkei.links.smarthr_emc.model import RecordSet
from renkei.links.smarthr_emc.sheet.mapping import Guards
from tests.builders import CONTACT, Day, crew, mapping, plan_day

KEEP = ("登録", "登録しない", "更新", "更新しない")
SHEET = mapping(
    {
        **CONTACT,
        "検索ワード1": ("役職1", *KEEP),
        "検索ワード2": ("役職2", "登録", "登録しない", "更新しない", "更新しない"),
    }
)


def named(number: int, user_id: str, surname: str, **values: str) -> dict[str, str]:
    return crew(f"c{number}", user_id, 姓=surname, **values)


def written(day: Day, user_id: str) -> list[tuple[str, str]]:
    """Operation and crew of the rows of one id, in the order of the file."""
    rows = day.users.rows[day.users.rows["user_id"] == user_id]
    return list(rows[["operation", "crew_id"]].itertuples(index=False, name=None))


def handed(day: Day) -> list[tuple[str, str, str]]:
    return sorted(day.users.handovers)


def test_e40_a_leavers_number_given_to_a_joiner_keeps_nothing() -> None:
    """更新 for the counts; in the file the old record goes and the new one comes, with password and 強制変更."""
    leaver = named(1, "001", "山田", 役職1="課長", 役職2="主任", メールアドレス="a@example.jp")
    first = plan_day(SHEET, [leaver])
    second = plan_day(SHEET, [named(9, "001", "鈴木", 役職2="部長")], first)

    assert second.operations() == {"001": "UPDATE"}
    assert second.counts[RecordSet.USERS].updated == 1
    assert written(second, "001") == [("DELETE", "c1"), ("CREATE", "c9")]
    after = second.users.target.iloc[0]
    assert after["password_reset"] == "T"
    assert (after["search_word_1"], after["search_word_2"], after["contact_1_address"]) == ("", "部長", "")
    assert handed(second) == [("001", "c1", "c9")]
    assert second.warnings("no_contact") == [("001", "c9")]


@pytest.mark.parametrize("flag", ["固定値「F」", "無し(空白)"])
def test_e40_the_password_has_to_be_changed_whatever_the_sheet_says_of_joiners(flag: str) -> None:
    """パスワード強制変更 is T on a handover."""
    sheet = mapping({"パスワード強制変更": (flag, "登録", "登録しない", "更新しない", "更新しない")})
    first = plan_day(sheet, [named(1, "001", "山田")])
    assert plan_day(sheet, [named(9, "001", "鈴木")], first).users.target["password_reset"].tolist() == ["T"]


MOVES: dict[str, tuple[dict[int, str], list[tuple[str, str, str]]]] = {
    "swapped": ({1: "002", 2: "001", 3: "003"}, [("001", "c1", "c2"), ("002", "c2", "c1")]),
    "round": ({1: "002", 2: "003", 3: "001"}, [("001", "c1", "c3"), ("002", "c2", "c1"), ("003", "c3", "c2")]),
    "chain behind a leaver": ({1: "002", 2: "003"}, [("002", "c2", "c1"), ("003", "c3", "c2")]),
    "a leaver's, the own dropped": ({1: "003", 2: "002"}, [("003", "c3", "c1")]),
    "nobody": ({1: "001", 2: "002", 3: "003"}, []),
    "a new number": ({1: "004", 2: "002", 3: "003"}, []),
    "a leaver's for a joiner": ({1: "001", 2: "002", 9: "003"}, [("003", "c3", "c9")]),
}


@pytest.mark.parametrize(("after", "expected"), MOVES.values(), ids=MOVES.keys())
def test_e40_every_id_that_passed_is_found_and_the_counts_hold(
    after: dict[int, str], expected: list[tuple[str, str, str]]
) -> None:
    """Whoever moved where: by id and crew, and 前回有効 − 削除 + 新規 = 受信有効."""
    names = {1: "山田", 2: "佐藤", 3: "田中", 9: "鈴木"}
    first = plan_day(SHEET, [named(n, f"00{n}", names[n]) for n in (1, 2, 3)])
    second = plan_day(SHEET, [named(n, user_id, names[n]) for n, user_id in after.items()], first)

    assert handed(second) == expected
    assert second.counts[RecordSet.USERS].broken_law() is None
    assert not second.problems()
    assert sorted(second.users.target["user_id"]) == sorted(after.values())


@pytest.mark.parametrize(
    ("before", "now"),
    [("山田", "山田"), ("山田", " 山田　"), ("ﾔﾏﾀﾞ", "ヤマダ"), ("Ｙａｍａｄａ", "yamada")],
)
def test_e40_another_crew_of_the_same_name_is_the_same_person(before: str, now: str) -> None:
    """Registered anew in SmartHR: an update like any other, and told."""
    first = plan_day(SHEET, [named(1, "001", before, 役職1="課長")])
    second = plan_day(SHEET, [named(9, "001", now)], first)

    assert handed(second) == []
    assert written(second, "001") == [("UPDATE", "c9")]
    assert second.users.target["search_word_1"].tolist() == ["課長"]
    assert second.warnings("taken_over") == [("001", "c9")]


def test_e40_two_people_without_a_name_are_not_the_same_person() -> None:
    """What is not known cannot be the same: nothing of the one may stay with the other."""
    nameless = {"姓": "", "名": ""}
    first = plan_day(SHEET, [crew("c1", "001", **nameless)])
    assert handed(plan_day(SHEET, [crew("c9", "001", **nameless)], first)) == [("001", "c1", "c9")]


def test_e40_another_name_of_the_same_crew_is_the_same_person() -> None:
    """Somebody married: nothing is taken away."""
    first = plan_day(SHEET, [named(1, "001", "山田", 役職1="課長")])
    second = plan_day(SHEET, [named(1, "001", "佐藤")], first)
    assert handed(second) == []
    assert second.users.target["search_word_1"].tolist() == ["課長"]


def test_e40_a_name_by_another_column_than_at_the_baseline_proves_nothing() -> None:
    """The sheet's name changed with the crew: whose name it was cannot be said, so nothing stays."""
    first = plan_day(SHEET, [named(1, "001", "山田")])
    other = mapping({"氏名": "名"})
    assert handed(plan_day(other, [crew("c9", "001", 名="山田")], first)) == [("001", "c1", "c9")]


def test_e40_an_id_adopted_or_lost_in_emc_is_no_trouble() -> None:
    """A first link hands nothing over; a record that EMC lost meanwhile is added like the others."""
    assert handed(plan_day(SHEET, [named(1, "001", "山田")], in_emc={"001": {"full_name": "旧"}})) == []
    first = plan_day(SHEET, [named(1, "001", "山田")])
    second = plan_day(SHEET, [named(9, "001", "鈴木")], first, gone_from_emc=frozenset({"001"}))
    assert handed(second) == [("001", "c1", "c9")]


def test_e40_a_freeze_that_begins_before_the_load_lets_handovers_through() -> None:
    """The id stays: nobody is removed. A leaver beside it is."""
    people = [named(1, "001", "山田", 役職1="課長"), named(2, "002", "佐藤")]
    first = plan_day(SHEET, people)
    passed = plan_day(SHEET, [named(9, "001", "鈴木"), people[1]], first)
    assert not disaster.removes_something(None, passed.users.rows, first.users.target)
    left = plan_day(SHEET, [named(9, "001", "鈴木")], first)
    assert disaster.removes_something(None, left.users.rows, first.users.target)


def silenced(people: list[dict[str, str]], today: list[dict[str, str]], **emc: Any) -> list[str]:
    """The holds of a day on which `today` lost their mail address."""
    sheet = mapping(
        {**CONTACT, "緊急連絡1 アドレス": ("メールアドレス", "登録", "登録しない", "更新", "更新")},
        {"空白化保留(割合%)": "100"},
    )
    return [hold.kind for hold in plan_day(sheet, today, plan_day(sheet, people), **emc).users.holds]


WITH = {"メールアドレス": "a@example.jp"}
PEOPLE = [named(n, f"{n:03}", f"姓{n}", **WITH) for n in range(300)]


def lost(n: int, user_id: str) -> dict[str, str]:
    return named(n, user_id, f"姓{n}")


def test_e35_renumbered_people_who_lose_their_contacts_are_counted() -> None:
    """25 of 300 have a new number and no address: below the limit of deletions, and held."""
    assert silenced(PEOPLE, [*(lost(n, f"n{n}") for n in range(25)), *PEOPLE[25:]]) == ["lost_contact"]
    assert silenced(PEOPLE, [*(lost(n, f"n{n}") | WITH for n in range(25)), *PEOPLE[25:]]) == []


def test_e35_people_written_again_are_counted() -> None:
    """EMC lost 25 records, SmartHR their addresses."""
    gone = frozenset(f"{n:03}" for n in range(25))
    assert silenced(PEOPLE, [*(lost(n, f"{n:03}") for n in range(25)), *PEOPLE[25:]], gone_from_emc=gone) == [
        "lost_contact"
    ]


@pytest.mark.parametrize("how", ["renumbered", "lost by EMC"])
def test_e35_values_that_the_sheet_leaves_are_counted_where_people_are_written_anew(how: str) -> None:
    """更新しない on a blank keeps a value in a record that stays; in a new one it is gone, and told like any other."""
    sheet = mapping({"検索ワード1": "役職1", "緊急連絡1 媒体": "固定値「電話番号」", "緊急連絡1 アドレス": "電話番号"})
    had = {"役職1": "課長", "電話番号": "090-1111-1111"}
    first = plan_day(sheet, [named(n, f"{n:03}", f"姓{n}", **had) for n in range(100)])
    ids = [f"n{n}" if how == "renumbered" else f"{n:03}" for n in range(11)]
    today = [*(lost(n, user_id) for n, user_id in enumerate(ids)), *(PEOPLE[n] | had for n in range(11, 100))]
    gone = frozenset(ids) if how == "lost by EMC" else frozenset()
    holds = plan_day(sheet, today, first, gone_from_emc=gone).users.holds
    words = ["lost_contact", "clear:contact_1_address", "clear:search_word_1"]
    assert [(hold.kind, hold.count) for hold in holds] == [(kind, 11) for kind in words]
    kept = [*(lost(n, f"{n:03}") for n in range(11)), *(PEOPLE[n] | had for n in range(11, 100))]
    assert plan_day(sheet, kept, first).users.holds == []


def test_e35_people_who_swapped_their_numbers_are_counted_by_crew() -> None:
    """20 people swap in pairs; those who keep their address do not hide those who lose it."""
    today = [lost(n, f"{n ^ 1:03}") if n % 2 else named(n, f"{n ^ 1:03}", f"姓{n}", **WITH) for n in range(20)]
    assert silenced(PEOPLE, [*today, *PEOPLE[20:]]) == ["lost_contact"]
    swapped = [named(n, f"{n ^ 1:03}", f"姓{n}", **WITH) for n in range(20)]
    assert silenced(PEOPLE, [*swapped, *PEOPLE[20:]]) == []


def test_e35_people_registered_anew_are_counted_by_their_id() -> None:
    """Another crew of the same name is the same person."""
    today = [crew(f"new{n}", f"{n:03}", 姓=f"姓{n}") for n in range(25)]
    assert silenced(PEOPLE, [*today, *PEOPLE[25:]]) == ["lost_contact"]


def test_e35_those_who_had_none_and_joiners_are_no_loss() -> None:
    """A joiner on a leaver's number who has no address loses none; both are named as without contact."""
    assert silenced(PEOPLE, [*(crew(f"j{n}", f"{n:03}", 姓="新") for n in range(25)), *PEOPLE[25:]]) == []
    without = [lost(n, f"{n:03}") for n in range(25)]
    assert silenced([*without, *PEOPLE[25:]], [*without, *PEOPLE[25:]]) == []


def test_e35_people_without_any_contact_are_named_joiners_among_them() -> None:
    """Once each, and not those of whom it is not known."""
    sheet = mapping(CONTACT)
    first = plan_day(sheet, [lost(1, "001"), named(2, "002", "佐藤", **WITH)])
    assert first.warnings("no_contact") == [("001", "c1")]
    second = plan_day(sheet, [lost(1, "001"), lost(2, "002"), lost(3, "003")], first)
    assert second.warnings("no_contact") == [("001", "c1"), ("003", "c3")]  # 更新しない keeps the address of 002
    assert plan_day(mapping(), [lost(1, "001")]).warnings("no_contact") == []  # EMC's own business
    adopted = plan_day(sheet, [lost(1, "001")], in_emc={"001": {"contact_1_address": "x@example.jp"}})
    assert adopted.warnings("no_contact") == []


def test_e34_many_ids_that_pass_to_others_are_held() -> None:
    """A column that slipped by one row in SmartHR would renew everybody's password."""
    assert [hold.kind for hold in hold_handovers(31, 0, 300, Guards())] == ["handed_over"]
    assert hold_handovers(30, 0, 300, Guards()) == []
    assert hold_handovers(4, 0, 10, Guards()) == []
    assert hold_handovers(0, 10, 10, Guards()) == []  # the guard on deletions asks


@pytest.mark.parametrize(
    ("handed", "deleted", "before"), [(4, 0, 4), (1, 0, 1), (1, 3, 4), (16, 15, 300), (400, 101, 20_000)]
)
def test_e34_records_that_pass_on_and_records_that_go_are_counted_together(
    handed: int, deleted: int, before: int
) -> None:
    """Of nobody of a small company anything would stay: as with the token of another company numbered alike."""
    (hold,) = hold_handovers(handed, deleted, before, Guards())
    assert f"{handed}件あります（削除{deleted}件と合わせて、前回{before}件の" in hold.text


def test_e40_however_ids_move_about_nobody_has_a_value_of_somebody_else() -> None:
    """25 days on which up to six people join, leave and swap numbers; what 更新しない keeps is the holder's own."""
    chance = random.Random(40)
    day = None
    for turn in range(25):
        there = chance.sample([f"c{n}" for n in range(6)], chance.randint(1, 6))
        ids = dict(zip(there, chance.sample([f"00{n}" for n in range(7)], len(there)), strict=True))
        jobs = {one: f"{one} of day {turn}" if chance.random() < 0.5 else "" for one in there}
        day = plan_day(SHEET, [crew(one, ids[one], 姓=f"姓{one}", 役職1=jobs[one]) for one in there], day)
        words = day.users.target.set_index("user_id")["search_word_1"]
        for one in there:
            assert words[ids[one]] == jobs[one] or (not jobs[one] and words[ids[one]].startswith(one))
