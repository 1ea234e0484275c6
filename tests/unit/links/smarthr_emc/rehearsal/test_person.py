"""One person in full: from SmartHR's value to EMC's, and why they are or are not there."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.errors import RecordError
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.rehearsal import rehearse
from renkei.links.smarthr_emc.rehearsal.person import ItemTrace, Trace, trace
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.storage.store import Store
from renkei.values.conversion import Conversion, Convert
from tests.builders import EMC_FORMAT, crew, mapping
from tests.unit.links.smarthr_emc.rehearsal.test_rehearsal import LINK, NOW, SHEET, person, run


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(LocalFileSystem(), str(tmp_path))


def told(store: Store, sheet: Mapping, who: str, **more: Any) -> Trace:
    return trace(store, LINK, sheet, EMC_FORMAT, NOW, who, **more)


def item(found: Trace, key: str) -> ItemTrace:
    (one,) = found.people
    return next(item for item in one.items if item.key == key)


def tomorrow(store: Store, sheet: Mapping, people: list[dict[str, str]]) -> None:
    """A second day's read, of which nothing was loaded."""
    run(store, sheet, people, name="second", at=NOW.replace(hour=5), read_only=True)


def test_e17_e18_from_source_to_cell_to_value(store: Store) -> None:
    """E17, E18: terms, the alternative that was used, the cell by the sheet's own name, what is sent, what EMC has."""
    sheet = mapping(
        {
            **SHEET,
            "氏名": '姓&"　"&名',
            "検索ワード1:勤務地": ("事業所 or 部署1", "登録", "デフォルト:未定", "更新", "更新しない"),
            "検索ワード2:等級": ("等級", "登録", "エラー", "更新", "更新しない"),
        }
    )
    run(store, sheet, [person(1, 名="太郎", 等級="M1")])
    tomorrow(
        store,
        sheet,
        [person(1, 名="次郎", 事業所="", 部署1="営業部"), person(2, 名="花", 事業所="", 等級="S"), person(3)],
    )
    old, new = told(store, sheet, "1"), told(store, sheet, "2")

    name = item(old, "full_name")
    assert [(term.term, term.value) for term in name.terms] == [("姓", "山田"), ("固定値", "　"), ("名", "次郎")]
    assert (name.source, name.value, name.sent, name.emc) == ('姓&"　"&名', "山田　次郎", "山田　次郎", "山田　太郎")
    place = item(old, "search_word_1")
    assert (place.item, place.used, place.cell, place.word) == (
        "検索ワード1:勤務地",
        "部署1",
        "更新処理: 値がある場合",
        "更新",
    )
    assert (place.sent, place.emc) == ("営業部", "本社")
    left = item(old, "search_word_2")
    assert (left.value, left.used, left.word, left.sent, left.emc) == ("", "", "更新しない", None, "M1")
    default = item(new, "search_word_1")
    assert (default.cell, default.word, default.sent, default.emc) == (
        "新規登録処理: 値が無い場合",
        "デフォルト:未定",
        "未定",
        None,
    )
    assert (old.people[0].operation, new.people[0].operation) == ("更新", "新規")
    assert (old.people[0].in_baseline, new.people[0].in_baseline) == (True, False)


def test_e22_conversions_step_by_step(store: Store) -> None:
    """E22: each word of the 変換 column with the value after it; the value of the source stays visible."""
    plain = mapping(SHEET)
    run(store, plain, [person(1)])
    tomorrow(store, plain, [person(1, メールアドレス="Ｐ1@Acme.example.jp")])
    words = (Conversion(Convert.HALF_WIDTH), Conversion(Convert.LOWER))
    users = tuple(
        dataclasses.replace(rule, conversions=words) if rule.item == "contact_1_address" else rule
        for rule in plain.users
    )
    one = item(told(store, dataclasses.replace(plain, users=users), "c1"), "contact_1_address")
    assert one.value == "Ｐ1@Acme.example.jp"
    assert [(step.word, step.value) for step in one.conversions] == [
        ("半角", "P1@Acme.example.jp"),
        ("小文字", "p1@acme.example.jp"),
    ]
    assert one.sent == "p1@acme.example.jp"


def test_e20_e24_what_else_decides(store: Store) -> None:
    """E20, E24: a medium that follows its address, and the prefix, are said in a note."""
    sheet = mapping(SHEET, {"ID付与コード": "x-"})
    run(store, sheet, [person(1)])
    tomorrow(store, sheet, [person(1, メールアドレス=""), person(2)])
    found = told(store, sheet, "x-1")
    medium = item(found, "contact_1_medium")
    assert (medium.word, medium.sent, medium.emc) == ("更新", "", "メールアドレス")
    assert "アドレスに合わせ" in medium.note
    assert item(found, "user_id").sent == "x-1"
    assert "x-" in item(found, "user_id").note
    assert item(found, "primary_department_id").sent == "x-d1"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("固定値「Geheim77」", "固定値「非表示」"),
        ('業務内容&"Geheim77"', '業務内容&"非表示"'),
        ("秘密:erstes", "秘密:erstes"),
        (("業務内容", "登録", "デフォルト:Geheim77", "", ""), "業務内容"),
    ],
)
def test_l7_a_password_is_never_shown(store: Store, source: Any, shown: str) -> None:
    """L7: of a password only its kind of source, whether literal, default, secret or an item of SmartHR's."""
    sheet = mapping({**SHEET, "パスワード": source})
    run(store, sheet, [person(1, 業務内容="Nur-f0r-mich")])
    tomorrow(store, sheet, [person(1), person(2, 業務内容="Nur-f0r-mich"), person(3)])
    for who in ("1", "2", "3"):
        found = told(store, sheet, who)
        text = json.dumps(found.as_json(), ensure_ascii=False)
        assert "Geheim77" not in text
        assert "Nur-f0r-mich" not in text
        assert item(found, "password").source == shown
        assert item(found, "password").sent is None


ANSWERS = [
    ("1", "EMCで更新します"),
    ("2", "EMCに新規登録します"),
    ("c3", "在籍状況が退職済のため、EMCから削除します"),
    ("3", "在籍状況が退職済のため、EMCから削除します"),
    ("c4", "ユーザIDの元になる値が無くなったため、EMCから削除します"),
    ("c5", "SmartHRの受信データにいなくなったため、EMCから削除します"),
    ("5", "SmartHRの受信データにいなくなったため、EMCから削除します"),
    ("c6", "「社員番号」に値が無いため、EMCに登録しません"),
    ("c7", "在籍状況が退職済のため、EMCに登録しません"),
    ("8", "新しいユーザIDで新規登録し、前のユーザIDは削除します"),
    ("88", "新しいユーザIDで新規登録し、前のユーザIDは削除します"),
    ("p2@acme.example.jp", "EMCに新規登録します"),
    ("山田", "一致する人がいません"),
    ("", "一致する人がいません"),
]


OPTIONAL_ID = mapping({**SHEET, "ユーザID": ("社員番号", "登録", "登録しない", "", "")})


@pytest.fixture(scope="module")
def eventful(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A linked company, and a day on which everything happened that can happen to a person."""
    store = Store(LocalFileSystem(), str(tmp_path_factory.mktemp("eventful")))
    run(store, OPTIONAL_ID, [person(1), person(3), person(4), person(5), person(8)])
    tomorrow(
        store,
        OPTIONAL_ID,
        [
            person(1),
            person(2),
            crew("c3", "3", "retired"),
            person(4, 社員番号=""),
            person(6, 社員番号=""),
            crew("c7", "7", "retired"),
            person(8, 社員番号="88"),
        ],
    )
    return store


@pytest.mark.parametrize(("who", "answer"), ANSWERS)
def test_e6_e9_why_somebody_is_or_is_not_in_emc(eventful: Store, who: str, answer: str) -> None:
    """E6, E7, E8, E9, E12: one sentence for every way to be there, to come, to go and to be left out."""
    found = told(eventful, OPTIONAL_ID, who)
    assert answer in found.answer
    assert len(found.people) == (0 if "一致" in answer else 1)


def test_e9_the_sheet_says_error_for_people_without_an_id(store: Store) -> None:
    """E9, L2: the person without an id stops everybody; the others are told so."""
    sheet = mapping(SHEET)
    run(store, sheet, [person(1)])
    tomorrow(store, sheet, [person(1), person(2), person(3, 社員番号="")])
    assert "全員の登録が止まります" in told(store, sheet, "c3").answer
    assert "ほかの社員または部署に誤りが1件あるため" in told(store, sheet, "2").answer


def test_e10_two_people_with_one_id(store: Store) -> None:
    """E10: both are shown; each with the problem, the second as the one who cannot be there."""
    sheet = mapping(SHEET)
    with pytest.raises(RecordError):
        run(store, sheet, [person(1), person(2, 社員番号="1")])
    found = told(store, sheet, "1")
    assert [one.crew_id for one in found.people] == ["c1", "c2"]
    assert "2人" in found.answer
    assert "同じユーザIDの社員がほかにもいる" in found.people[1].answer
    assert any("同じID" in text for text in found.people[1].problems)


def test_l1_under_the_disaster_freeze_no_value_is_said_to_be_cleared(store: Store) -> None:
    """What a person and the samples are told is what the run writes: EMC keeps its value, and why."""
    sheet = mapping(SHEET)
    run(store, sheet, [person(1), person(2)])
    tomorrow(store, sheet, [person(1, 事業所=""), person(2)])

    place = item(told(store, sheet, "1", disaster=True), "search_word_1")
    assert (place.value, place.word, place.sent, place.emc) == ("", "更新", None, "本社")
    assert place.note == "災害時凍結中のため、EMCの値を消しません。"
    free = item(told(store, sheet, "1"), "search_word_1")
    assert (free.sent, free.emc, free.note) == ("", "本社", "")

    for frozen, sent in ((True, None), (False, "")):
        found = rehearse(store, LINK, sheet, EMC_FORMAT, NOW, disaster=frozen)
        (sample,) = [one for one in found.samples if one.user_id == "1"]
        assert [one.value for one in sample.items if one.item == "検索ワード1:勤務地"] == [sent]
        (figures,) = [one for one in found.users if one.key == "search_word_1"]
        assert figures.cleared == (0 if frozen else 1)


def test_e14_nothing_is_written_on_a_quiet_day(store: Store) -> None:
    """E14: 変化なし is said, and no item is sent."""
    sheet = mapping(SHEET)
    run(store, sheet, [person(1)])
    found = told(store, sheet, "1")
    assert "今回は何も書き込みません" in found.answer
    assert item(found, "full_name").sent is None
    assert item(found, "full_name").emc == "山田"


def test_e25_a_run_that_is_refused_answers_nothing_else(store: Store) -> None:
    """E25: a changed prefix is the answer; 再連携 answers for the person, leavers too."""
    run(store, mapping(SHEET), [person(1), person(2)])
    tomorrow(store, mapping(SHEET), [person(1)])
    changed = mapping(SHEET, {"ID付与コード": "x-"})
    refused = told(store, changed, "1")
    assert "再連携" in refused.answer
    assert refused.people == ()
    assert told(store, changed, "1", mode=Mode.RELINK).people[0].user_id == "x-1"
    assert "削除します" in told(store, changed, "2", mode=Mode.RELINK).answer


def test_e18_a_doubtful_value_is_said_beside_its_item(store: Store) -> None:
    """E22: 異体字 are no error; the item tells of them and of what to do."""
    sheet = mapping(SHEET)
    run(store, sheet, [person(1)])
    tomorrow(store, sheet, [person(1, 姓="髙田")])
    found = told(store, sheet, "1")
    assert any("異体字" in text for text in item(found, "full_name").doubts)
    assert item(found, "full_name_yomi").doubts == ()
