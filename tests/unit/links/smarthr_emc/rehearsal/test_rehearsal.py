"""Rehearsals over a store in a folder, without SmartHR and EMC: what is read back, compared, counted and chosen."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fsspec.implementations.local import LocalFileSystem
from pandas.testing import assert_frame_equal

from renkei.errors import LinkStateError, LoadError, RecordError, RetriableLoadError
from renkei.links.smarthr_emc import snapshot, stages
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.records import RunStart
from renkei.links.smarthr_emc.rehearsal import Rehearsal, rehearse
from renkei.links.smarthr_emc.rehearsal.people import same_in_emc
from renkei.links.smarthr_emc.rehearsal.result import ItemFigures
from renkei.links.smarthr_emc.rehearsal.stored import as_read_for, newest_read, wider_mapping, without
from renkei.links.smarthr_emc.rehearsal.targets import OfflineTarget, ReadOnlyTarget
from renkei.links.smarthr_emc.sheet.difference import differences
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.emc.payloads import Import
from renkei.values.conversion import Conversion, Convert
from tests.builders import EMC_FORMAT, crew, crews, departments, mapping

LINK = "smarthr_emc"
NOW = dt.datetime(2026, 4, 2, 4, 30, tzinfo=dt.UTC)
SHEET = {
    "緊急連絡1 媒体": "固定値「メールアドレス」",
    "緊急連絡1 アドレス": ("メールアドレス", "登録", "登録しない", "更新", "更新"),
    "所属部署コード": ("部署1(コード)", "登録", "登録しない", "更新", "更新"),
    "検索ワード1:勤務地": ("事業所", "登録", "デフォルト:未定", "更新", "更新"),
}
TREE = departments(("d1", None), ("d2", "d1"))


class Taker(OfflineTarget):
    """EMC that commits whatever it is given, for the runs before the rehearsal."""

    def submit(self, key: str, source: str, plan_digest: str, departments: Any, users: Any) -> Import:
        return Import("1", key, "committed")

    def find_import(self, key: str) -> None:
        return None


def person(number: int, **values: str) -> dict[str, str]:
    given = {"部署1(コード)": "d1", "メールアドレス": f"p{number}@acme.example.jp", "事業所": "本社"}
    return crew(f"c{number}", str(number), **{**given, **values})


def run(
    store: Store,
    sheet: Mapping,
    people: Iterable[dict[str, str]],
    tree: pd.DataFrame = TREE,
    *,
    name: str = "first",
    at: dt.datetime = NOW,
    disaster: bool = False,
    read_only: bool = False,
) -> None:
    """One run as the tasks take it, from the read to the load, or only to the frozen read."""
    record = RunRecord(TenantFolder(store, LINK, sheet.tenant), name)
    start = RunStart(name, Mode.NORMAL, True, at.isoformat(), "", disaster)
    job, target = stages.open_run.open_run(record, sheet, start, Taker(), at), Taker()
    record.write_table("fetched_departments", tree)
    record.write_table("fetched_users", crews(sheet, people))
    record.write_json("fetched", {"read_id": name, "baseline": "", "masters": {}})
    record.write_json("fetched_users", {"read_id": name})
    stages.snapshot.take_snapshot(job)
    if read_only:
        return
    stages.diff.make_diff(job, target, at)
    stages.validate.validate(job, target, EMC_FORMAT, at)
    stages.load.apply(job, target, EMC_FORMAT, lambda name: "secret", at)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(LocalFileSystem(), str(tmp_path))


def told(store: Store, sheet: Mapping, **more: Any) -> Rehearsal:
    return rehearse(store, LINK, sheet, EMC_FORMAT, NOW + dt.timedelta(days=1), **more)


def figures(found: Rehearsal, key: str) -> ItemFigures:
    return next(one for one in found.users if one.key == key)


ROOTED = {"ID付与コード": "x-", "最上位部署ID": "top", "最上位部署名": "全社", "最上位部署名(ヨミ)": "ゼンシャ"}


@pytest.mark.parametrize("settings", [{}, {"ID付与コード": "x-"}, ROOTED], ids=["plain", "prefix", "root"])
def test_e3_a_stored_read_is_the_read_again(store: Store, settings: dict[str, str]) -> None:
    """E3: frozen, stored, read back and frozen again by the same sheet, it is the same snapshot; root and prefix go."""
    sheet = mapping(SHEET, settings)
    tree = departments(("d1", None), ("d2", "d1"))
    people = [person(1), person(2, **{"部署1(コード)": "d2"}), crew("c3", "", "retired"), crew("c4")]
    run(store, mapping({**SHEET, "ユーザID": ("社員番号", "", "登録しない", "", "")}, settings), people, tree)
    read = newest_read(RunRecord(TenantFolder(store, LINK, "acme"), "mine"))

    assert_frame_equal(read.departments[list(tree.columns)].drop(columns="full_name"), tree.drop(columns="full_name"))
    again = snapshot.freeze(read.departments, as_read_for(read.users, sheet), sheet)
    once = snapshot.freeze(tree, crews(sheet, people), sheet)
    assert again.summary == once.summary
    assert_frame_equal(again.users, once.users)


def test_e13_a_department_whose_parent_has_no_code_is_still_one(store: Store) -> None:
    """E13: the orphan of a failed run is an orphan in its rehearsal."""
    tree = departments(("d1", None), ("d2", ""))
    with pytest.raises(RecordError):
        run(store, mapping(SHEET), [person(1)], tree)
    found = told(store, mapping(SHEET))
    assert [(group.item, group.kind) for group in found.problems] == [("親部署ID", "orphan")]
    assert found.problems[0].people[0].id == "d2"


def test_e3_who_is_kept_by_a_disaster_freeze_is_no_part_of_the_read(store: Store) -> None:
    """E3: the person whom 災害時凍結 keeps is deleted by the next run, and so by the rehearsal."""
    sheet = mapping(SHEET)
    run(store, sheet, [person(1), person(2)], departments(("d1", None), ("d2", None)))
    later = NOW + dt.timedelta(hours=1)
    run(store, sheet, [person(1)], departments(("d1", None)), name="second", at=later, disaster=True)
    found = told(store, sheet)
    assert found.counts["users"]["deleted"] == 1
    assert found.counts["departments"]["deleted"] == 1
    kept = told(store, sheet, disaster=True)
    assert kept.counts["users"]["deleted"] == 0


def test_e3_the_newest_read_counts_by_time_and_not_by_name(store: Store) -> None:
    """E3: runs are ordered by their start; one that never froze a read is passed over."""
    sheet = mapping(SHEET)
    run(store, sheet, [person(1)], name="z")
    run(store, sheet, [person(1), person(2)], name="a", at=NOW + dt.timedelta(hours=1))
    broken = RunRecord(TenantFolder(store, LINK, "acme"), "zz")
    start = RunStart("zz", Mode.NORMAL, True, (NOW + dt.timedelta(hours=2)).isoformat(), "")
    stages.open_run.open_run(broken, sheet, start, Taker(), NOW)
    assert newest_read(RunRecord(TenantFolder(store, LINK, "acme"), "mine")).run == "a"


def test_e22_present_blank_default_changed_cleared(store: Store) -> None:
    """E18, E22: the figures of an item add up over everybody who would be there."""
    run(store, mapping(SHEET), [person(n) for n in range(1, 6)])
    people = [
        person(1),
        person(2, 事業所="大阪"),
        person(3, 事業所=" 　"),
        person(4, メールアドレス=""),
        person(5, 事業所="本" * 101),
        person(6, 事業所=""),
    ]
    with pytest.raises(RecordError):
        run(store, mapping(SHEET), people, name="second", at=NOW + dt.timedelta(hours=1))
    found = told(store, mapping(SHEET))

    place = figures(found, "search_word_1")
    assert (place.present, place.blank, place.defaulted, place.created) == (4, 2, 1, 1)
    assert (place.changed, place.cleared, place.same, place.left) == (2, 1, 2, 0)
    assert (place.refused, place.too_long) == (1, 1)
    address, medium = figures(found, "contact_1_address"), figures(found, "contact_1_medium")
    assert (address.cleared, medium.cleared) == (1, 1)
    for one in found.users:
        if one.key not in ("user_id", "password"):
            assert one.created + one.changed + one.cleared + one.same + one.left + one.unsure == 6, one.item
            assert one.present + one.blank == 6
    assert [group.kind for group in found.warnings] == ["lost_contact"]


@pytest.mark.parametrize(
    ("lines", "values", "doubts"),
    [
        ({}, {}, []),
        ({"所属部署コード": "部署9(コード)"}, {"部署9(コード)": ""}, [("所属部署コード", "blank", 20, 20)]),
        ({"所属部署コード": "部署1(コード) or 部署2(コード)"}, {"部署2(コード)": ""}, []),
        ({"兼務管理部署1": "部署2(コード)"}, {"部署2(コード)": ""}, [("兼務管理部署1", "blank", 20, 20)]),
        ({"兼務管理部署1": "部署2(コード)"}, {"部署2(コード)": "one"}, []),
        ({"検索ワード2:等級": "等級"}, {"等級": "one"}, [("検索ワード2:等級", "blank", 19, 20)]),
        ({"検索ワード2:等級": "等級"}, {"等級": "M1"}, [("検索ワード2:等級", "same", 20, 20)]),
        (
            {"検索ワード2:等級": ("等級", "", "デフォルト:S", "", "")},
            {"等級": ""},
            [("検索ワード2:等級", "blank", 20, 20)],
        ),
        ({"検索ワード2:国": "固定値「日本」"}, {}, []),
        ({"検索ワード2:国": "固定値「日本」 or 等級"}, {}, []),
        ({"保有権限1": "無し(空白)"}, {}, []),
        ({"パスワード": "業務内容"}, {"業務内容": "Abcd1234"}, [("パスワード", "same", 20, 20)]),
    ],
)
def test_l8_an_item_that_is_blank_or_the_same_for_nearly_all_is_doubted(
    store: Store, lines: dict[str, Any], values: dict[str, str], doubts: list[tuple[str, str, int, int]]
) -> None:
    """L8: a wrong SmartHR item fills a whole column with nothing, or with one value; what may be alike is not told."""
    places = {"事業所": ["本社", "大阪"], "部署1(コード)": ["d1", "d2"]}
    one = {key: "M1" if key == "等級" else "d1" for key, value in values.items() if value == "one"}
    given = {key: "" if value == "one" else value for key, value in values.items()}
    people = [
        person(n, **{key: two[n % 2] for key, two in places.items()}, **(given | (one if n == 0 else {})))
        for n in range(20)
    ]
    sheet = mapping({**SHEET, **lines})
    run(store, sheet, people, read_only=True)

    found = told(store, sheet)
    names = [(one.item, one.kind, one.count, one.of) for one in found.item_doubts if one.item != "氏名"]
    assert [name for name in names if not name[0].startswith("氏名")] == doubts
    assert all(str(one.count) in one.text and one.remedy for one in found.item_doubts)


def test_l8_few_people_may_well_be_alike(store: Store) -> None:
    """A company of nine in one office is no mistake."""
    run(store, mapping(SHEET), [person(n) for n in range(9)])
    assert told(store, mapping(SHEET)).item_doubts == ()


def test_e18_a_quiet_day_sends_nothing(store: Store) -> None:
    """E14: unchanged people are left alone, whatever the sheet would write."""
    run(store, mapping(SHEET), [person(1), person(2)])
    found = told(store, mapping(SHEET))
    assert found.verdict == "unchanged"
    assert {one.left for one in found.users if one.key not in ("user_id", "password")} == {2}
    assert all(item.value is None for sample in found.samples for item in sample.items[1:])


def test_e26_a_new_root_department_is_the_sheets_doing(store: Store) -> None:
    """E26: the first level gets a parent, one department is added; told apart from what SmartHR changed."""
    run(store, mapping(SHEET), [person(1)])
    root = {key: value for key, value in ROOTED.items() if key != "ID付与コード"}
    found = told(store, mapping(SHEET, root))
    assert found.effect is not None
    assert found.effect.department_items == {"部署ID": 1, "親部署ID": 1}
    assert found.effect.departments == 2
    parent = next(one for one in found.departments if one.key == "parent_id")
    assert (parent.created, parent.changed, parent.same) == (0, 1, 1)


def test_e5_another_user_id_is_the_sheets_doing(store: Store) -> None:
    """E5: who gets another id, who loses it, who gets one at last, under another line for ユーザID."""
    old = {**SHEET, "ユーザID": ("社員番号", "", "登録しない", "", "")}
    new = {**SHEET, "ユーザID": ("メールアドレス", "", "登録しない", "", "")}
    people = [
        person(1),
        person(2, メールアドレス=""),
        crew("c3", メールアドレス="c@acme.example.jp", **{"部署1(コード)": "d1"}),
    ]
    run(store, mapping(old), people)
    found = told(store, mapping(new))
    assert found.effect is not None
    assert (found.effect.renamed, found.effect.unlisted, found.effect.listed) == (1, 1, 1)
    assert found.effect.people == 3


def test_e13_another_kind_of_department_name_needs_a_live_read(store: Store) -> None:
    """E13: 部署名(階層) is in no read that was made for 部署名; said so, and nothing is made up."""
    run(store, mapping(SHEET), [person(1)])
    found = told(store, mapping(SHEET, department_name="部署名(階層)"))
    assert [(one.source, one.items) for one in found.missing] == [("部署名(階層)", ("部署名",))]
    name = next(one for one in found.departments if one.key == "name")
    assert name.unknown
    assert name.changed == 0


def test_e20_a_lacking_address_takes_its_medium_along() -> None:
    """E20: neither is rehearsed alone."""
    sheet = mapping(SHEET)
    left = {rule.item for rule in without(sheet, {"メールアドレス"}).users}
    assert left.isdisjoint({"contact_1_medium", "contact_1_address"})
    assert {"user_id", "full_name", "search_word_1"} <= left


def test_e17_a_live_read_asks_for_both_sheets_but_not_for_old_custom_fields() -> None:
    """E17: SmartHR refuses a custom field that it has no more, and the new sheet does not need it."""
    old = mapping({**SHEET, "検索ワード2:形態": "カスタム項目:勤務形態", "検索ワード3:等級": "等級"})
    wider = wider_mapping(mapping(), old)
    sources = {term.name for rule in wider.users for term in rule.source.terms if hasattr(term, "name")}
    assert {"等級", "事業所", "社員番号"} <= sources
    assert "勤務形態" not in sources
    assert wider_mapping(mapping(), None) == mapping()


LINES = [
    ({}, {"ID付与コード": "x-"}, ["連携情報 ID付与コード: (なし) → x-"]),
    ({}, {"処理時刻": "5:00"}, ["連携情報 処理時刻: 04:30 → 05:00"]),
    (
        {"検索ワード2:等級": "等級"},
        {},
        ["ユーザデータ 検索ワード2:等級: (なし) → 等級 / 登録 / 登録しない / 更新 / 更新しない"],
    ),
    (
        {"検索ワード1:拠点": ("住所(都道府県)", "登録", "エラー", "更新", "更新")},
        {},
        [
            "ユーザデータ 検索ワード1:拠点(項目名): 検索ワード1:勤務地 → 検索ワード1:拠点",
            "ユーザデータ 検索ワード1:拠点(SmartHR項目): 事業所 → 住所(都道府県)",
            "ユーザデータ 検索ワード1:拠点(新規登録処理: 値が無い場合): デフォルト:未定 → エラー",
        ],
    ),
    ({"パスワード": "固定値「Another1」"}, {}, []),
    ({"パスワード": "社員番号"}, {}, ["ユーザデータ パスワード(SmartHR項目): 固定値「非表示」 → 社員番号"]),
    (
        {"パスワード": ("社員番号", "登録", "デフォルト:Geheim77", "", "")},
        {},
        [
            "ユーザデータ パスワード(SmartHR項目): 固定値「非表示」 → 社員番号",
            "ユーザデータ パスワード(新規登録処理: 値が無い場合): エラー → デフォルト:非表示",
        ],
    ),
]


@pytest.mark.parametrize(("users", "settings", "expected"), LINES)
def test_e15_l7_the_difference_of_two_sheets_in_their_own_words(
    users: dict[str, Any], settings: dict[str, str], expected: list[str]
) -> None:
    """E15, L7: lines added, removed and changed, cell by cell; a literal password is in none of them."""
    lines = dict(SHEET) | users
    if "検索ワード1:拠点" in lines:
        del lines["検索ワード1:勤務地"]
    found = [str(line) for line in differences(mapping(SHEET), mapping(lines, settings))]
    assert found == expected
    back = differences(mapping(lines, settings), mapping(SHEET))
    assert len(back) == len(found)
    assert not any(word in line for line in [*found, *map(str, back)] for word in ("Passw0rd", "Another1", "Geheim77"))


def test_e22_a_conversion_is_a_difference() -> None:
    """E22: the 変換 column is compared like the others."""
    sheet = mapping(SHEET)
    users = tuple(
        dataclasses.replace(rule, conversions=(Conversion(Convert.KATAKANA),))
        if rule.item == "full_name_yomi"
        else rule
        for rule in sheet.users
    )
    (line,) = differences(sheet, dataclasses.replace(sheet, users=users))
    assert str(line) == "ユーザデータ 氏名(ヨミ)(変換): (なし) → 全角カナ"


def test_l7_no_password_anywhere(store: Store) -> None:
    """L7: neither a literal nor one that comes from SmartHR is in what a rehearsal says."""
    run(store, mapping({**SHEET, "パスワード": "業務内容"}), [person(1, 業務内容="Nur-f0r-mich")])
    with_default = ("業務内容", "登録", "デフォルト:Geheim77", "", "")
    found = told(store, mapping({**SHEET, "パスワード": with_default}), mode=Mode.WRITE_ALL)
    text = json.dumps(found.as_json(), ensure_ascii=False)
    assert "Nur-f0r-mich" not in text
    assert "Geheim77" not in text
    assert figures(found, "password").present == 1


def test_samples_are_odd_different_and_always_the_same(store: Store) -> None:
    """Ten people, each for a reason of their own, the ordinary one last; a second rehearsal chooses the same ones."""
    sheet = mapping(SHEET)
    run(store, sheet, [person(n) for n in range(1, 31)])
    people = [person(n) for n in range(1, 29)]
    people[4]["事業所"] = ""
    people[7]["部署1(コード)"] = ""
    people[9]["部署1(コード)"] = "d2"
    people[11]["姓"] = "勅使河原"
    people[13]["姓"] = "髙田"
    people[15]["メールアドレス"] = ""
    people[17].update(事業所="大阪", 姓="佐藤")
    people[19]["社員番号"] = "1020"
    run(store, sheet, people, name="second", at=NOW + dt.timedelta(hours=1), read_only=True)
    changed = mapping({**SHEET, "検索ワード2:住所": "事業所"})
    found = told(store, changed)
    assert [(one.kind, one.crew_id) for one in found.samples] == [
        ("gone", "c29"),
        ("lost_contact", "c16"),
        ("id_change", "c20"),
        ("most_changes", "c18"),
        ("rare_blank", "c5"),
        ("no_department", "c8"),
        ("rare_department", "c10"),
        ("variants", "c14"),
        ("longest_name", "c12"),
        ("ordinary", "c1"),
    ]
    assert len({one.crew_id for one in found.samples}) == len(found.samples) == 10
    assert told(store, changed).samples == found.samples


def test_e29_all_people_of_a_group_on_request(store: Store) -> None:
    """E29: the first 20 unless all are asked for; the number is of all."""
    with pytest.raises(RecordError):
        run(store, mapping(SHEET), [person(n, 姓="") for n in range(1, 31)])
    (short,), (whole,) = told(store, mapping(SHEET)).problems, told(store, mapping(SHEET), shown=None).problems
    assert (short.count, len(short.people), whole.count, len(whole.people)) == (30, 20, 30, 30)


def test_e37_what_the_encoding_makes_of_a_value_is_no_change() -> None:
    """E37: CP932 brings 〜 (U+301C) back as ～ (U+FF5E); any other difference is one, and the unknown is not the same."""
    sent = pd.Series(["1〜2", "1〜2", "a", "b", None, "c"], dtype="str")
    found = pd.Series(["1～2", "1-2", "a", "c", "x", None], dtype="str")
    assert same_in_emc(sent, found, "cp932").tolist() == [True, False, True, False, False, False]


def test_l1_what_writes_is_refused() -> None:
    """L1: no rehearsal can submit; what removes traces is not passed on; what only asks is."""
    calls = []

    class Spy(OfflineTarget):
        def __getattribute__(self, name: str) -> Any:
            calls.append(name)
            return super().__getattribute__(name)

    target = ReadOnlyTarget(Spy())
    with pytest.raises(LoadError):
        target.submit("k", "acme", "d", None, None)
    target.withdraw(Import("1", "k", "open"))
    target.forget("k")
    assert calls == []
    assert target.forgotten() == []
    assert target.find("users", ["1"], ["ユーザID"]) is None
    with pytest.raises(RetriableLoadError):
        target.find_import("k")
    assert calls == ["forgotten", "find", "find_import"]


@pytest.mark.parametrize("mode", [Mode.RECONCILE, Mode.RESTORE])
def test_e3_what_reads_nothing_is_not_rehearsed(store: Store, mode: Mode) -> None:
    """E3: 照合 and 復元 do not depend on the sheet."""
    with pytest.raises(ValueError, match="not rehearsed"):
        told(store, mapping(SHEET), mode=mode)


def test_e31_nothing_to_rehearse_with(store: Store) -> None:
    """E31: no read in the store: it says how to get one."""
    with pytest.raises(LinkStateError, match="SmartHRから受信してリハーサルしてください（--live）"):
        told(store, mapping(SHEET))


def test_progress_is_told(store: Store) -> None:
    """The caller hears of every stage."""
    run(store, mapping(SHEET), [person(1)])
    heard: list[str] = []
    told(store, mapping(SHEET), progress=lambda what, done, total: heard.append(what))
    assert heard[0] == "前回の受信データを読み込んでいます"
    assert heard[-1] == "結果をまとめています"
    assert len(heard) == 6
