"""Whole runs over a source and an app in memory: each record of Hot Profile stays one record of kintone (K7, K22, L4)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from renkei.errors import LoadError
from renkei.links.hotprofile_kintone import history
from renkei.links.hotprofile_kintone.model import Mode
from renkei.links.hotprofile_kintone.sheet.mapping import Item
from renkei.links.hotprofile_kintone.stages import plan
from renkei.links.hotprofile_kintone.stages.work_list import WorkList
from renkei.links.hotprofile_kintone.tables import WRITTEN
from renkei.systems.kintone.errors import KintoneAwayError
from tests.harness.hotprofile_kintone import FORM, LinkWorld


def test_k7_no_record_without_a_key_is_sent(world: LinkWorld) -> None:
    world.change_mapping(key="会社名", items=(Item("会社名", "name"), Item("会社ID", "id")))
    world.hotprofile.put(1, "　")
    world.hotprofile.put(2, "二")
    world.wait(minutes=5)
    world.run()
    assert [one["name"] for one in world.kintone.records.values()] == ["二"]
    assert world.failed() == {"1": "EMPTY_KEY"}
    assert [one.failed_at for one in history.failed_records(world.database, "acme")] == [world.clock]


def test_k7_who_has_no_key_is_listed_although_nothing_can_be_sent_today(world: LinkWorld) -> None:
    """The plan knows: neither it nor the forecast counts a request for him."""
    world.change_mapping(key="会社名", items=(Item("会社名", "name"), Item("会社ID", "id")))
    world.hotprofile.put(1, "　")
    world.wait(minutes=5)
    check_, read_, plan_, *_ = world.steps(world.job())
    for step in (check_, read_, plan_):
        step()
    assert world.failed() == {"1": "EMPTY_KEY"}
    assert history.data_set_statuses(world.database, "acme")["companies"].waiting == 0


def test_k7_two_records_with_one_key_both_fail_until_one_is_mended(world: LinkWorld) -> None:
    world.change_mapping(key="会社名", items=(Item("会社名", "name"), Item("会社ID", "id")))
    for number in (1, 2):
        world.hotprofile.put(number, "同じ")
    world.wait(minutes=5)
    world.run()
    found = history.failed_records(world.database, "acme")
    assert {one.source_id: one.cause for one in found} == {
        "1": "更新キーが他のレコードと同じです（ID 2）",
        "2": "更新キーが他のレコードと同じです（ID 1）",
    }
    assert world.kintone.records == {}
    world.hotprofile.put(2, "別")
    world.wait(minutes=5)
    world.run()
    assert world.kintone.by_key("name") == {"同じ": "同じ", "別": "別"}
    assert world.failed() == {}


def test_k7_a_key_that_is_another_records_in_kintone_is_not_taken_from_it(world: LinkWorld) -> None:
    world.change_mapping(key="会社名", items=(Item("会社名", "name"), Item("会社ID", "id")))
    world.hotprofile.put(1, "同じ")
    world.wait(minutes=5)
    world.run()
    world.wait(minutes=30)
    world.hotprofile.put(2, "同じ")
    world.wait(minutes=5)
    world.run()
    assert world.failed() == {"2": "TAKEN_KEY"}
    del world.hotprofile.entries["1"]  # データクレンジング: it was replaced
    world.wait(minutes=5)
    world.run()
    assert world.failed() == {}
    assert [one["id"] for one in world.kintone.records.values()] == ["2"]
    whose = {one: history.record(world.database, "acme", "companies", one) for one in ("1", "2")}
    assert [one for one, known in whose.items() if known.written_at] == ["2"]  # it is the one's no more


def test_k7_no_key_is_given_up_of_which_nobody_was_asked(world: LinkWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hot Profile is asked of so many at once; the others keep theirs until the next run."""
    world.change_mapping(key="会社名", items=(Item("会社名", "name"), Item("会社ID", "id")))
    for number, name in ((1, "甲"), (2, "乙")):
        world.hotprofile.put(number, name)
    world.wait(minutes=5)
    world.run()
    world.hotprofile.entries.clear()
    for number, name in ((3, "甲"), (4, "乙")):
        world.hotprofile.put(number, name)
    monkeypatch.setattr(plan, "MAX_ASKED", 1)
    for failed in ({"4": "TAKEN_KEY"}, {}):
        world.wait(minutes=5)
        world.run()
        assert world.failed() == failed
    assert world.kintone.by_key("name") == {"甲": "甲", "乙": "乙"}
    assert {one["id"] for one in world.kintone.records.values()} == {"3", "4"}


@pytest.mark.parametrize("is_refused", [False, True])
def test_k7_a_key_that_passes_to_another_record_takes_nobodys_record_in_kintone(
    world: LinkWorld, is_refused: bool
) -> None:
    """100 gets the key that 900 gives up, and would go a batch earlier. Where 900 is refused, it still has its key."""
    world.mapping = replace(world.mapping, at_once=1)
    world.change_mapping(key="会社名", items=(Item("会社名", "name"), Item("会社ID", "id")))
    world.hotprofile.put(900, "a")
    world.wait(minutes=5)
    world.run()
    world.hotprofile.put(900, "名前が十文字より長い会社" if is_refused else "b")
    world.hotprofile.put(100, "a")
    for number in range(200, 300):
        world.hotprofile.put(number)
    whose: list[str] = []
    world.kintone.fault = lambda: whose.append(world.kintone.records["1"]["id"])
    world.wait(minutes=5)
    world.run()
    assert set(whose) == {"900"}
    assert world.kintone.records["1"] == {"name": "a" if is_refused else "b", "id": "900"}
    assert world.failed() == ({"100": "TAKEN_KEY", "900": "VALUE"} if is_refused else {})
    world.hotprofile.put(900, "b")
    world.wait(minutes=5)
    world.run()
    names = {one["id"]: one["name"] for one in world.kintone.records.values()}
    assert (names["900"], names["100"], len(names)) == ("b", "a", 102)


def test_k7_of_two_that_had_one_key_in_kintone_both_still_have_it_while_they_wait(world: LinkWorld) -> None:
    """One that somebody deleted in kintone, and one that took its key since: neither hides the other."""
    world.hotprofile.put(1)
    world.hotprofile.put(2)
    world.wait(minutes=5)
    world.run()
    with world.database.writing() as connection:
        connection.execute(update(WRITTEN).values(key=b"k" * 16))
    world.hotprofile.put(1, "別")
    world.hotprofile.put(2, "他")
    world.wait(minutes=5)
    job = world.job()
    for step in world.steps(job)[:3]:  # up to and with `plan`: both are on the list
        step()
    found = WorkList(job, world.mapping.data_sets[0], world.now).owners([b"k" * 16])
    assert sorted(found) == [(b"k" * 16, "1"), (b"k" * 16, "2")]


def test_k7_numbers_are_the_same_key_however_they_are_written(world: LinkWorld) -> None:
    world.kintone.form_ = replace(FORM, fields={**FORM.fields, "id": replace(FORM.fields["id"], type="NUMBER")})
    world.hotprofile.put("1")
    world.hotprofile.put("01")
    world.wait(minutes=5)
    world.run()
    assert set(world.failed().values()) == {"SAME_KEY"}


@pytest.mark.parametrize(
    ("type_", "first", "second"), [("SINGLE_LINE_TEXT", "ＡＢＣ", "ABC"), ("NUMBER", "1,000", "1000")]
)
def test_k7_a_key_is_anothers_if_it_is_the_same_as_kintone_gets_it(
    world: LinkWorld, type_: str, first: str, second: str
) -> None:
    name = replace(FORM.fields["name"], type=type_, longest=None)
    world.kintone.form_ = replace(FORM, fields={**FORM.fields, "name": name})
    conversion = "" if type_ == "NUMBER" else "半角"
    world.change_mapping(key="会社名", items=(Item("会社名", "name", conversion=conversion), Item("会社ID", "id")))
    world.pass_test()
    world.hotprofile.put(1, first)
    world.wait(minutes=30)
    world.run()
    world.hotprofile.put(2, second)
    world.wait(minutes=30)
    world.run()
    assert [one["id"] for one in world.kintone.records.values()] == ["1"]
    assert world.failed() == {"2": "TAKEN_KEY"}


def test_k7_a_test_takes_no_record_whose_key_is_another_ones(world: LinkWorld) -> None:
    world.change_mapping(key="会社名", items=(Item("会社名", "name"), Item("会社ID", "id")))
    world.hotprofile.put(1, "同じ")
    world.wait(minutes=5)
    world.run()
    world.hotprofile.put(2, "同じ")
    with pytest.raises(LoadError, match="更新キーが他のレコードと同じです（ID 1）"):
        world.try_one("2")
    assert [one["id"] for one in world.kintone.records.values()] == ["1"]


def test_k22_a_failed_record_that_was_merged_into_another_meanwhile_is_not_sent_when_asked(world: LinkWorld) -> None:
    world.change_mapping(old_key_item="カスタム項目:旧会社ID")
    world.kintone.refuses = {"10"}
    world.hotprofile.put(10)
    world.wait(minutes=5)
    world.run()
    del world.hotprofile.entries["10"]
    world.hotprofile.put(20, items=[{"label": "旧会社ID", "value": "10"}])
    world.wait(minutes=5)
    world.run()
    world.kintone.refuses = set()
    world.run(Mode.RETRY_FAILED)
    assert world.kintone.by_key() == {"20": "会社20"}
    assert world.failed() == {"10": "SOURCE_GONE"}


def test_k22_a_record_whose_key_changes_stays_the_same_record_in_kintone(world: LinkWorld) -> None:
    world.change_mapping(key="会社名", items=(Item("会社名", "name"), Item("会社ID", "id")))
    world.hotprofile.put(1, "旧")
    world.wait(minutes=5)
    world.run()
    world.hotprofile.put(1, "新")
    world.wait(minutes=5)
    world.run()
    assert world.kintone.records == {"1": {"name": "新", "id": "1"}}


def test_k22_a_key_that_changed_and_went_back_while_its_answer_was_lost_makes_no_second_record(
    world: LinkWorld,
) -> None:
    world.change_mapping(key="会社名", items=(Item("会社名", "name"), Item("会社ID", "id")))

    def away() -> None:
        raise KintoneAwayError("", unknown=True)

    for name, fault in (
        ("旧", lambda: None),
        ("新", away),
        ("名前が十文字より長い会社", lambda: None),
        ("旧", lambda: None),
    ):
        world.kintone.fault = fault
        world.hotprofile.put(1, name)
        world.wait(minutes=5)
        world.run()
    assert world.kintone.records == {"1": {"name": "旧", "id": "1"}}


def test_k22_a_new_record_whose_answer_was_lost_and_whose_key_changed_comes_once(world: LinkWorld) -> None:
    world.change_mapping(key="会社名", items=(Item("会社名", "name"), Item("会社ID", "id")))

    def away() -> None:
        raise KintoneAwayError("", unknown=True)

    world.kintone.fault = away
    for name in ("旧", "新"):
        world.hotprofile.put(1, name)
        world.wait(minutes=30)
        world.run()
    world.kintone.fault = lambda: None
    for _ in range(2):  # what was sent is answered, then the change comes
        world.wait(minutes=30)
        world.run()
    assert world.kintone.records == {"1": {"name": "新", "id": "1"}}


@pytest.mark.parametrize("meanwhile", ["nothing", "another version"])
def test_k22_what_may_have_arrived_once_stays_that_although_it_was_not_sent_again(
    world: LinkWorld, meanwhile: str
) -> None:
    """Its answer was lost; the next run reached nobody; then its 更新キー changed: it is still one record."""
    world.change_mapping(key="会社名", items=(*(Item("会社名", "name"), Item("会社ID", "id")), Item("備考", "note")))

    def away(unknown: bool) -> None:
        raise KintoneAwayError("", unknown=unknown)

    world.hotprofile.put(1, "旧", note="v1")
    world.kintone.fault = lambda: away(True)
    world.wait(minutes=30)
    world.run()
    world.kintone.before = lambda: away(False)
    if meanwhile == "another version":
        world.hotprofile.put(1, "旧", note="v2")
    world.wait(minutes=30)
    world.run()
    world.hotprofile.put(1, "新", note="v3")
    world.kintone.fault = world.kintone.before = lambda: None
    for _ in range(2):
        world.wait(minutes=30)
        world.run()
    assert world.kintone.records == {"1": {"name": "新", "id": "1", "note": "v3"}}


def test_k22_a_record_that_waits_while_the_sheet_takes_another_key_stays_the_same_record(world: LinkWorld) -> None:
    world.hotprofile.put(1, "旧")
    world.wait(minutes=5)
    world.run()

    def away() -> None:
        raise KintoneAwayError("", unknown=False)

    world.kintone.before = away
    world.hotprofile.put(1, "新")
    world.wait(minutes=30)
    world.run()
    world.kintone.before = lambda: None
    world.change_mapping(key="会社名")
    world.pass_test()
    world.run()
    assert world.kintone.by_key() == {"1": "新"}


def test_k22_a_cleansed_record_changes_the_key_of_the_one_it_replaces(world: LinkWorld) -> None:
    world.change_mapping(old_key_item="カスタム項目:旧会社ID")
    world.hotprofile.put(10)
    world.wait(minutes=5)
    world.run()
    del world.hotprofile.entries["10"]
    world.hotprofile.put(20, items=[{"label": "旧会社ID", "value": "10"}])
    world.wait(minutes=5)
    world.run()
    assert world.kintone.by_key() == {"20": "会社20"}
    assert history.record(world.database, "acme", "companies", "10").written_at is None
    assert history.record(world.database, "acme", "companies", "20").record_id == "1"


def test_k22_a_cleansed_record_that_somebody_deleted_in_kintone_is_the_new_ones_alone(world: LinkWorld) -> None:
    """It is added anew, under another id of kintone's: what is known of the one that it replaced goes all the same."""
    world.change_mapping(old_key_item="カスタム項目:旧会社ID")
    for number in (10, 11):
        world.hotprofile.put(number)
    world.wait(minutes=5)
    world.run()
    del world.hotprofile.entries["10"]
    (deleted,) = (number for number, one in world.kintone.records.items() if one["id"] == "10")
    del world.kintone.records[deleted]
    world.kintone.records["7"] = world.kintone.records.pop("2" if deleted == "1" else "1")
    world.hotprofile.put(20, items=[{"label": "旧会社ID", "value": "10"}])
    world.wait(minutes=5)
    world.run()
    assert world.kintone.by_key() == {"11": "会社11", "20": "会社20"}
    assert history.record(world.database, "acme", "companies", "10").written_at is None
    assert history.record(world.database, "acme", "companies", "20").record_id == "8"


@pytest.mark.parametrize("unknown", [False, True], ids=["not written", "may be written"])
def test_k22_one_that_replaces_another_that_still_waits_gets_no_second_record(world: LinkWorld, unknown: bool) -> None:
    """kintone was away; meanwhile データクレンジング gave the company another id. Its first version goes first."""
    world.change_mapping(old_key_item="カスタム項目:旧会社ID")

    def away() -> None:
        raise KintoneAwayError("", unknown=unknown)

    setattr(world.kintone, "fault" if unknown else "before", away)
    world.hotprofile.put(10)
    world.wait(minutes=5)
    world.run()
    world.kintone.fault = world.kintone.before = lambda: None
    del world.hotprofile.entries["10"]
    world.hotprofile.put(20, items=[{"label": "旧会社ID", "value": "10"}])
    world.wait(minutes=5)
    world.run()
    assert world.kintone.by_key() == {"20": "会社20"}


@pytest.mark.parametrize("then", ["away", "changed", "quota", "refused"])
def test_l4_a_value_that_may_have_arrived_is_never_left_there_when_the_source_goes_back(
    world: LinkWorld, then: str
) -> None:
    """A is written; B arrives, and its answer is lost; the next run sends nothing; the source says A again."""
    world.hotprofile.put(1, "A")
    world.wait(minutes=5)
    world.run()

    def away() -> None:
        raise KintoneAwayError("", unknown=True)

    def next_run(name: str) -> None:
        world.hotprofile.put(1, name)
        world.wait(minutes=5)
        world.run()

    world.kintone.fault = away
    next_run("B")
    assert world.kintone.by_key() == {"1": "B"}
    world.kintone.fault = lambda: None
    if then == "quota":
        world.quota = 0
    elif then == "refused":
        world.kintone.refuses = {"1"}
    else:
        world.kintone.before = away
    next_run("C" if then == "changed" else "B")
    world.quota = 5_000
    world.kintone.refuses = set()
    world.kintone.before = lambda: None
    next_run("A")
    assert world.kintone.by_key() == {"1": "A"}


def test_k22_two_that_claim_to_replace_each_other_are_both_written(world: LinkWorld) -> None:
    world.change_mapping(old_key_item="カスタム項目:旧会社ID")
    world.hotprofile.put(1, items=[{"label": "旧会社ID", "value": "2"}])
    world.hotprofile.put(2, items=[{"label": "旧会社ID", "value": "1"}])
    world.wait(minutes=5)
    world.run()
    assert world.kintone.by_key() == {"1": "会社1", "2": "会社2"}


def test_k22_one_that_somebody_deleted_in_kintone_is_made_anew(world: LinkWorld) -> None:
    world.change_mapping(old_key_item="カスタム項目:旧会社ID")
    world.hotprofile.put(10)
    world.wait(minutes=5)
    world.run()
    world.kintone.records.clear()
    world.hotprofile.put(20, items=[{"label": "旧会社ID", "value": "10"}])
    del world.hotprofile.entries["10"]
    world.wait(minutes=5)
    world.run()
    assert world.kintone.by_key() == {"20": "会社20"}


def test_k22_one_deleted_record_leaves_the_others_of_its_batch_the_records_that_they_are(world: LinkWorld) -> None:
    """Three replaced ids in one request, one of whose records somebody deleted: the other two get no second record."""
    world.change_mapping(old_key_item="カスタム項目:旧会社ID")
    for number in (11, 12, 13):
        world.hotprofile.put(number)
    world.wait(minutes=5)
    world.run()
    kept = {one["id"]: number for number, one in world.kintone.records.items()}
    del world.kintone.records[kept["12"]]
    for number in (11, 12, 13):
        del world.hotprofile.entries[str(number)]
        world.hotprofile.put(number + 10, items=[{"label": "旧会社ID", "value": str(number)}])
    world.wait(minutes=5)
    world.run()
    found = {one["id"]: number for number, one in world.kintone.records.items()}
    assert found.keys() == {"21", "22", "23"}
    assert (found["21"], found["23"]) == (kept["11"], kept["13"])
