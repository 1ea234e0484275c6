"""Validity, ids, the department tree, digests of a read, and lost permissions."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from renkei.errors import IncompleteReadError
from renkei.links.smarthr_emc.model import Mode, RecordSet
from renkei.links.smarthr_emc.sheet.mapping import Guards, Mapping
from renkei.links.smarthr_emc.snapshot import Snapshot, blank_for_all, refuse_lost_permission, refuse_nobody
from tests.builders import CONTACT, crew, departments, freeze, mapping
from tests.unit.values.test_convert import converting

PEOPLE = [crew("c1", "001", メールアドレス="a@example.jp"), crew("c2", "002", "absent", メールアドレス="b@example.jp")]
TREE = departments(("A", None), ("B", "A"))
WORD: dict[str, Any] = {"検索ワード1:勤務地": "メールアドレス"}
ROOT = {"最上位部署ID": "TOP", "最上位部署名": "本社", "最上位部署名(ヨミ)": "ホンシャ"}


def digests(sheet: Mapping, record_set: RecordSet, people: Any = PEOPLE, tree: Any = TREE) -> tuple[str, str]:
    summary = freeze(sheet, people, tree).summary[record_set]
    return summary.digest, summary.sheet_digest


def test_e7_valid_is_not_retired_with_an_id() -> None:
    """全件 are all crews received; 有効 those that are not 退職済 and have an id."""
    frozen = freeze(mapping(), [*PEOPLE, crew("c3", "003", "retired"), crew("c4", "")])
    assert frozen.users["valid"].tolist() == [True, True, False, True]
    assert frozen.users["user_id"].tolist() == ["001", "002", "", ""]
    summary = frozen.summary[RecordSet.USERS]
    assert (summary.total, summary.valid) == (4, 2)


def test_e24_prefix_stands_before_every_id_without_separator() -> None:
    """User ids, department ids and parents get it; blanks stay blank."""
    sheet = mapping(settings={"ID付与コード": "abc"})
    frozen = freeze(sheet, [crew("c1", "123456789"), crew("c2", "")], TREE)
    assert frozen.users["user_id"].tolist() == ["abc123456789", ""]
    assert frozen.departments["department_id"].tolist() == ["abcA", "abcB"]
    assert frozen.departments["parent_id"].tolist() == ["", "abcA"]


def test_e22_ids_and_codes_are_trimmed() -> None:
    """Surrounding blanks never make another id."""
    frozen = freeze(mapping(), [crew("c1", "　001\u200b")], departments((" A ", None, " 営業部　"), ("B", "A ")))
    assert frozen.users["user_id"].tolist() == ["001"]
    assert frozen.departments[["department_id", "parent_id", "name"]].to_numpy().tolist() == [
        ["A", "", "営業部"],
        ["B", "A", "B部"],
    ]


def test_e22_an_id_is_converted_before_its_prefix() -> None:
    """E22, E24: ID付与コード is the sheet's own text; a person whose id becomes the same as another's is found so."""
    sheet = converting(mapping(settings={"ID付与コード": "Abc-"}), user_id="半角、小文字")
    frozen = freeze(sheet, [crew("c1", "ＥＭＰ００１"), crew("c2", "\u202e"), crew("c3", "EMP001"), crew("c4", "")])
    assert frozen.users["user_id"].tolist() == ["Abc-emp001", "Abc-\u202e", "Abc-emp001", ""]
    assert frozen.users["社員番号"].tolist()[0] == "ＥＭＰ００１"
    visible = converting(sheet, user_id="不可視文字除去")
    assert freeze(visible, [crew("c2", "\u202e")]).users["user_id"].tolist() == [""]


def test_e14_a_changed_conversion_is_a_change_of_users_alone() -> None:
    """E14: 変換 is part of the sheet, its order and its form too; a sheet without any keeps its digest."""
    plain = mapping(CONTACT)
    texts = ["", "半角", "半角、小文字", "小文字、半角", "日付:YYYY/MM/DD", "日付:YYYY-MM-DD"]
    found = [converting(plain, full_name=text) for text in texts]
    assert len({digests(sheet, RecordSet.USERS)[1] for sheet in found}) == len(texts)
    assert len({digests(sheet, RecordSet.DEPARTMENTS) for sheet in found}) == 1
    assert digests(found[0], RecordSet.USERS) == digests(plain, RecordSet.USERS)


def test_e13_department_name_may_be_the_whole_path() -> None:
    """部署名(階層) takes SmartHR's full name; the kana is the sheet's constant."""
    frozen = freeze(mapping(department_name="部署名(階層)", yomi="ブ"), [], TREE)
    assert frozen.departments["name"].tolist() == ["本社/A部", "本社/B部"]
    assert frozen.departments["name_yomi"].tolist() == ["ブ", "ブ"]


def test_e26_root_department_stands_above_the_first_level() -> None:
    """It comes first, with prefix, name and kana of the sheet; only the first level hangs on it."""
    frozen = freeze(mapping(settings={**ROOT, "ID付与コード": "x"}), [], TREE).departments
    assert frozen[["department_id", "parent_id", "name", "name_yomi"]].to_numpy().tolist() == [
        ["xTOP", "", "本社", "ホンシャ"],
        ["xA", "xTOP", "A部", "ブショ"],
        ["xB", "xA", "B部", "ブショ"],
    ]
    assert frozen["line"].tolist() == [0, 1, 2]


def test_e26_root_department_stands_alone_when_there_are_no_others() -> None:
    """A company without departments still gets its 最上位部署."""
    frozen = freeze(mapping(settings=ROOT), [])
    assert frozen.departments["department_id"].tolist() == ["TOP"]
    assert frozen.summary[RecordSet.DEPARTMENTS].valid == 1


def test_e13_department_below_one_without_code_is_an_orphan() -> None:
    """It is not lifted to the first level, with or without 最上位部署."""
    tree = departments(("", None), ("B", ""))
    for sheet in (mapping(), mapping(settings=ROOT)):
        found = freeze(sheet, [], tree).departments.set_index("department_id").loc["B"]
        assert bool(found["orphan"])
        assert found["parent_id"] == ""


def test_e14_digests_do_not_depend_on_order() -> None:
    """SmartHR may list the same records in another order."""
    sheet = mapping(CONTACT)
    assert digests(sheet, RecordSet.USERS) == digests(sheet, RecordSet.USERS, PEOPLE[::-1])
    other = departments(("B", "A"), ("A", None))
    assert digests(sheet, RecordSet.DEPARTMENTS) == digests(sheet, RecordSet.DEPARTMENTS, tree=other)


@pytest.mark.parametrize(
    "people",
    [
        PEOPLE[:1],
        [*PEOPLE, crew("c3", "003")],
        [PEOPLE[0], {**PEOPLE[1], "メールアドレス": ""}],
        [PEOPLE[0], {**PEOPLE[1], "社員番号": "0002"}],
        [{**PEOPLE[0], "メールアドレス": "b@example.jp"}, {**PEOPLE[1], "メールアドレス": "a@example.jp"}],
        [PEOPLE[0], {**PEOPLE[1], "emp_status": "retired"}],
    ],
    ids=["gone", "new", "blank", "id", "swapped", "retired"],
)
def test_e14_one_difference_among_users_is_a_change(people: list[dict[str, str]]) -> None:
    """Any mapped value of any valid person counts."""
    sheet = mapping(CONTACT)
    assert digests(sheet, RecordSet.USERS, people)[0] != digests(sheet, RecordSet.USERS)[0]


@pytest.mark.parametrize(
    "people",
    [
        [PEOPLE[0], {**PEOPLE[1], "emp_status": "employed"}],
        [*PEOPLE, crew("c3", "003", "retired")],
        [PEOPLE[0], {**PEOPLE[1], "役職1": "課長"}],
        [PEOPLE[0], {**PEOPLE[1], "メールアドレス": " b@example.jp　"}],
    ],
    ids=["back from leave", "retired crew", "unmapped item", "surrounding blanks"],
)
def test_e14_what_is_not_mapped_or_not_valid_is_no_change(people: list[dict[str, str]]) -> None:
    """Only the mapped attributes of the valid records are compared."""
    sheet = mapping(CONTACT)
    assert digests(sheet, RecordSet.USERS, people) == digests(sheet, RecordSet.USERS)


@pytest.mark.parametrize(
    "tree",
    [
        departments(("A", None)),
        departments(("A", None), ("B", None)),
        departments(("A", None), ("B", "A", "改名")),
        departments(("A", None), ("b", "A", "B部")),
    ],
    ids=["gone", "moved", "renamed", "code"],
)
def test_e14_one_difference_among_departments_is_a_change(tree: Any) -> None:
    """Code, name and parent count."""
    sheet = mapping()
    assert digests(sheet, RecordSet.DEPARTMENTS, tree=tree)[0] != digests(sheet, RecordSet.DEPARTMENTS)[0]


def test_e14_a_change_of_a_user_rule_is_a_change_of_users_alone() -> None:
    """Source, policy and the set of lines count for the users' sheet digest."""
    plain = mapping(CONTACT)
    others = [
        mapping({**CONTACT, **WORD}),
        mapping({**CONTACT, "氏名": "名"}),
        mapping({**CONTACT, "緊急連絡1 アドレス": ("メールアドレス", "登録", "登録しない", "更新", "更新")}),
    ]
    for other in others:
        assert digests(other, RecordSet.USERS)[1] != digests(plain, RecordSet.USERS)[1]
        assert digests(other, RecordSet.DEPARTMENTS) == digests(plain, RecordSet.DEPARTMENTS)


def test_e14_a_change_of_a_department_rule_is_a_change_of_departments_alone() -> None:
    """Kana, name and 最上位部署 count for the departments' sheet digest."""
    plain = mapping()
    for other in (mapping(yomi="ブ"), mapping(department_name="部署名(階層)"), mapping(settings=ROOT)):
        assert digests(other, RecordSet.DEPARTMENTS)[1] != digests(plain, RecordSet.DEPARTMENTS)[1]
        assert digests(other, RecordSet.USERS) == digests(plain, RecordSet.USERS)


def test_e14_a_change_of_the_prefix_is_a_change_of_both() -> None:
    """ID付与コード stands in every id."""
    plain, other = mapping(), mapping(settings={"ID付与コード": "x"})
    for record_set in RecordSet:
        assert digests(other, record_set)[0] != digests(plain, record_set)[0]
        assert digests(other, record_set)[1] != digests(plain, record_set)[1]


def test_e14_labels_guards_addresses_and_times_are_no_change() -> None:
    """What decides no value stays out of the comparison."""
    plain = mapping(WORD)
    others = [
        mapping({"検索ワード1:居住地": "メールアドレス"}),
        mapping(WORD, {"結果通知先メールアドレス1": "jinji@acme.example.jp"}),
        mapping(WORD, {"処理時刻": "05:15"}),
        mapping(WORD, {"連携開始日": "2027-01-01"}),
        dataclasses.replace(plain, guards=Guards(delete_users_percent=50.0)),
    ]
    for other in others:
        for record_set in RecordSet:
            assert digests(other, record_set) == digests(plain, record_set)


def test_e14_the_first_run_is_always_a_change() -> None:
    """Without a baseline there is nothing to be equal to."""
    from renkei.links.smarthr_emc.diff import is_changed

    assert is_changed(None, freeze(mapping(), PEOPLE).summary[RecordSet.USERS], Mode.NORMAL)


@pytest.mark.parametrize("mode", Mode)
def test_e3_e14_what_is_asked_for_is_a_change_although_nothing_is(mode: Mode) -> None:
    """全件書き込み, 再連携 and 復元 write a day that equals the baseline; all else leaves it alone, unless the sheet changed."""
    from renkei.links.smarthr_emc.diff import is_changed

    same = freeze(mapping(), PEOPLE).summary[RecordSet.USERS]
    assert is_changed(same, same, mode) is (mode in (Mode.WRITE_ALL, Mode.RESTORE) or mode.relinks)
    assert is_changed(same, dataclasses.replace(same, sheet_digest="another sheet"), mode)
    assert is_changed(same, dataclasses.replace(same, digest="another value"), mode)


def lost(before: list[dict[str, str]], today: list[dict[str, str]], sheet: Mapping) -> Snapshot:
    frozen = freeze(sheet, today)
    refuse_lost_permission(frozen, freeze(sheet, before).users, sheet)
    return frozen


def test_e33_an_attribute_that_is_empty_for_everybody_stops_the_run() -> None:
    """It had values at the baseline: the token lost its permission. The attribute is named, nobody is."""
    today = [{**person, "メールアドレス": " "} for person in PEOPLE]
    with pytest.raises(IncompleteReadError, match="メールアドレス") as caught:
        lost(PEOPLE, today, mapping(CONTACT))
    assert "001" not in str(caught.value)


def test_e33_a_custom_item_can_be_lost_too() -> None:
    """Custom fields have permissions of their own."""
    sheet = mapping({"検索ワード1": "カスタム項目:血液型"})
    with pytest.raises(IncompleteReadError, match="カスタム項目:血液型"):
        lost([crew("c1", "001", **{"カスタム項目:血液型": "A"})], [crew("c1", "001")], sheet)


def test_e33_values_of_retired_crews_do_not_hide_a_loss() -> None:
    """Only the valid ones tell what the token may see."""
    sheet = mapping(CONTACT)
    today = [{**PEOPLE[0], "メールアドレス": ""}, {**PEOPLE[1], "emp_status": "retired"}]
    with pytest.raises(IncompleteReadError):
        lost(PEOPLE, today, sheet)


def test_e33_one_value_left_is_permission_enough() -> None:
    """People may lose values; that is for the guards to judge."""
    assert lost(PEOPLE, [PEOPLE[0], {**PEOPLE[1], "メールアドレス": ""}], mapping(CONTACT))


def test_e33_an_attribute_that_was_empty_before_is_not_lost() -> None:
    """Nor is one that the sheet did not map at the baseline."""
    assert lost([crew("c1", "001")], [crew("c1", "001")], mapping(CONTACT))
    frozen = freeze(mapping(CONTACT), [crew("c1", "001")])
    refuse_lost_permission(frozen, freeze(mapping(), PEOPLE).users, mapping(CONTACT))


def test_e33_the_only_one_who_had_a_value_may_leave() -> None:
    """Those who stay never had one: nothing is lost, and the run is not blocked for good."""
    before = [PEOPLE[0], {**PEOPLE[1], "メールアドレス": ""}]
    assert lost(before, [{**PEOPLE[0], "emp_status": "retired"}, before[1]], mapping(CONTACT))


def test_e34_everybody_retired_is_no_lost_permission() -> None:
    """Nobody is left who could have a value: whether all are to be deleted is for the guard to ask."""
    assert lost(PEOPLE, [{**person, "emp_status": "retired"} for person in PEOPLE], mapping(CONTACT))


def test_e33_a_slot_that_nobody_has_any_more_is_no_lost_attribute() -> None:
    """The last one with a second department gave it up: SmartHR still shows departments, so the run goes on."""
    sheet = mapping({"所属部署コード": "部署1(コード)", "兼務管理部署1": "部署2(コード)"})
    before = [crew("c1", "001", **{"部署1(コード)": "A", "部署2(コード)": "B"})]
    assert lost(before, [crew("c1", "001", **{"部署1(コード)": "A"})], sheet)
    with pytest.raises(IncompleteReadError, match=r"部署1\(コード\)、部署2\(コード\)"):
        lost(before, [crew("c1", "001")], sheet)


@pytest.mark.parametrize(
    "today",
    [[{**person, "emp_status": "retired"} for person in PEOPLE], [{**person, "社員番号": ""} for person in PEOPLE]],
    ids=["all-retired", "no-ids"],
)
def test_e31_a_first_link_of_nobody_stops(today: list[dict[str, str]]) -> None:
    """The token may not see the id, or it is another company's: the next run would go by itself."""
    with pytest.raises(IncompleteReadError, match=f"受信した従業員{len(today)}人は.*「社員番号」"):
        refuse_nobody(freeze(mapping(), today), mapping())
    refuse_nobody(freeze(mapping(), [*today, PEOPLE[0]]), mapping())


def test_e33_what_nobody_has_is_known_by_attribute() -> None:
    """部署1 and 部署2 are one; whoever is 退職済 has nothing."""
    sheet = mapping(CONTACT | {"所属部署コード": "部署1(コード)", "兼務管理部署1": "部署2(コード)"})
    today = [crew("c1", "001", **{"部署1(コード)": "A"}), crew("c2", "002", "retired", **{"メールアドレス": "a@x.jp"})]
    assert blank_for_all(freeze(sheet, today).users, sheet) == ["メールアドレス"]
