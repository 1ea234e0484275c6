"""Whole runs over a source and an app in memory: what comes to kintone, what waits, what is told."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from renkei.errors import IncompleteReadError, LoadError, SettingError
from renkei.links.hotprofile_kintone import history
from renkei.links.hotprofile_kintone.history import State
from renkei.links.hotprofile_kintone.model import Mode
from renkei.links.hotprofile_kintone.sheet.mapping import Item
from renkei.links.hotprofile_kintone.stages.check import refuse_another_sheet
from renkei.links.hotprofile_kintone.stages.finish import finish
from renkei.systems.kintone.errors import KintoneAwayError, KintoneSettingError
from tests.harness.hotprofile_kintone import COMPANIES, FORM, NINE, LinkWorld


def test_k5_what_changed_since_the_last_run_comes_to_kintone_once(world: LinkWorld) -> None:
    world.hotprofile.put(1)
    world.wait(minutes=5)
    first = world.run()["companies"]
    world.wait(minutes=5)
    second = world.run()["companies"]
    assert world.kintone.by_key() == {"1": "会社1"}
    assert (first.read, first.added, first.state) == (1, 1, State.DONE)
    assert (second.read, second.unchanged, second.added, second.requests) == (1, 1, 0, 1)  # its form alone


def test_k3_what_was_there_before_the_link_was_enabled_does_not_come(tmp_path: Path) -> None:
    world = LinkWorld(tmp_path)
    world.hotprofile.put(1, at=NINE - dt.timedelta(seconds=1))
    world.start()
    world.run()
    assert world.kintone.records == {}


def test_k5_records_of_one_second_come_all_also_the_one_that_is_seen_late(world: LinkWorld) -> None:
    at = world.clock
    for number in (1, 2):
        world.hotprofile.put(number, at=at)
    world.wait(minutes=5)
    world.run()
    world.hotprofile.put(3, at=at)  # committed late, with the time at which it began
    world.wait(minutes=4)
    line = world.run()["companies"]
    assert world.kintone.by_key() == {"1": "会社1", "2": "会社2", "3": "会社3"}
    assert (line.added, line.unchanged) == (1, 2)


def test_k5_what_is_being_committed_as_we_read_is_left_to_the_next_run(world: LinkWorld) -> None:
    world.hotprofile.put(1)
    world.run()
    assert world.kintone.records == {}
    world.wait(minutes=5)
    world.run()
    assert world.kintone.by_key() == {"1": "会社1"}


def test_k6_a_read_that_breaks_off_moves_nothing_and_loses_nothing(world: LinkWorld) -> None:
    for number in range(3):
        world.hotprofile.put(number + 1)
    world.wait(minutes=5)
    world.hotprofile.page, world.hotprofile.fault = 2, IncompleteReadError("torn")
    with pytest.raises(IncompleteReadError):
        world.run()
    before = history.standings(world.database, "acme")["companies"]
    assert (world.kintone.records, before.waiting) == ({}, 0)
    assert history.processed(world.database, "acme")[0].said == "torn"
    world.hotprofile.fault = None
    world.wait(hours=3)
    world.run()
    assert len(world.kintone.by_key()) == 3


def test_k6_a_read_that_broke_off_moves_nothing_though_somebody_marks_it_as_done(world: LinkWorld) -> None:
    for number in range(3):
        world.hotprofile.put(number + 1)
    world.wait(minutes=30)
    world.hotprofile.page, world.hotprofile.fault = 2, IncompleteReadError("torn")
    check_, read_, *rest = world.steps(world.job())
    check_()
    with pytest.raises(IncompleteReadError):
        read_()
    world.hotprofile.fault = None
    for step in rest:
        step()
    world.wait(minutes=30)
    world.run()
    assert len(world.kintone.by_key()) == 3


def test_k7_no_record_without_a_key_is_sent(world: LinkWorld) -> None:
    world.change_mapping(key="会社名", items=(Item("会社名", "name"), Item("会社ID", "id")))
    world.hotprofile.put(1, "　")
    world.hotprofile.put(2, "二")
    world.wait(minutes=5)
    world.run()
    assert [one["name"] for one in world.kintone.records.values()] == ["二"]
    assert world.failed() == {"1": "EMPTY_KEY"}
    assert [one.failed_at for one in history.failed_records(world.database, "acme")] == [world.clock]


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


def test_k8_a_field_that_was_renamed_stops_its_data_set_and_moves_nothing(world: LinkWorld) -> None:
    form = world.kintone.form_
    fields = dict(form.fields)
    fields["company_name"] = replace(fields.pop("name"), code="company_name")
    world.kintone.form_ = replace(form, fields=fields)
    world.hotprofile.put(1)
    world.wait(minutes=5)
    line = world.run()["companies"]
    assert line.state is State.STOPPED
    assert "「name」がありません" in line.said
    assert world.kintone.records == {}
    world.kintone.form_ = form
    world.wait(hours=2)
    world.run()
    assert world.kintone.by_key() == {"1": "会社1"}


def test_k8_what_was_written_while_its_field_was_renamed_is_written_again(world: LinkWorld) -> None:
    """kintone takes a record with a code that it does not know, and leaves the value out without a word."""
    form = world.kintone.form_
    renamed = {code: field for code, field in form.fields.items() if code != "note"}
    world.hotprofile.put(1, note="備考")

    def rename() -> None:
        world.kintone.form_ = replace(form, revision="4", fields=renamed)
        for record in world.kintone.records.values():
            record.pop("note", None)

    world.kintone.fault = rename  # after the form was read, before the record was taken
    world.wait(minutes=5)
    assert world.run()["companies"].added == 1
    world.kintone.fault = lambda: None
    world.wait(hours=2)
    assert world.run()["companies"].state is State.STOPPED
    world.kintone.form_ = replace(form, revision="5")
    world.wait(hours=2)
    world.run()
    assert world.kintone.records["1"]["note"] == "備考"
    requests = world.kintone.requests
    world.wait(minutes=5)
    assert world.run()["companies"].updated == 0
    assert world.kintone.requests == requests + 1, "the form alone"


def test_k12_a_data_set_that_passed_no_test_is_not_enabled(tmp_path: Path) -> None:
    world = LinkWorld(tmp_path)
    line = world.run()["companies"]
    assert line.state is State.STOPPED
    assert "連携テスト" in line.said
    assert history.standings(world.database, "acme") == {}


def test_k12_a_run_of_the_schedule_passes_over_what_nobody_has_tested_yet(tmp_path: Path) -> None:
    world = LinkWorld(tmp_path)
    job = world.job(run="scheduled__x")
    for step in world.steps(job):
        step()
    assert (history.lines(job), world.kintone.requests) == ({}, 0)
    assert finish(job, world.now) == "loaded"
    world.hotprofile.put(1)
    world.try_one("1")
    job = world.job(run="scheduled__y")
    for step in world.steps(job):
        step()
    assert history.lines(job)["companies"].state is State.DONE


def test_k12_a_test_in_another_app_writes_no_record_that_has_the_old_ones_id(world: LinkWorld) -> None:
    world.hotprofile.put(1)
    world.wait(minutes=5)
    world.run()
    theirs = {"id": "X99", "name": "他人"}
    world.kintone.records = {"1": dict(theirs)}
    world.change_mapping(app="2", key="会社名", items=(Item("会社名", "name"), Item("会社ID", "id")))
    assert world.try_one("1").record_id == "2"
    assert world.kintone.records["1"] == theirs


def test_k7_a_test_takes_no_record_whose_key_is_another_ones(world: LinkWorld) -> None:
    world.change_mapping(key="会社名", items=(Item("会社名", "name"), Item("会社ID", "id")))
    world.hotprofile.put(1, "同じ")
    world.wait(minutes=5)
    world.run()
    world.hotprofile.put(2, "同じ")
    with pytest.raises(LoadError, match="更新キーが他のレコードと同じです（ID 1）"):
        world.try_one("2")
    assert [one["id"] for one in world.kintone.records.values()] == ["1"]


def test_k17_a_test_doubles_no_record_whose_answer_was_lost(world: LinkWorld) -> None:
    world.change_mapping(key="会社名", items=(Item("会社名", "name"), Item("会社ID", "id")))

    def lost() -> None:
        raise KintoneAwayError("lost", unknown=True)

    world.kintone.fault = lost
    world.hotprofile.put(1, "旧")
    world.wait(minutes=5)
    world.run()
    world.kintone.fault = lambda: None
    world.hotprofile.put(1, "新")
    with pytest.raises(LoadError, match="確認中"):
        world.try_one("1")
    for _ in range(2):
        world.wait(minutes=5)
        world.run()
    assert world.try_one("1").record_id == "1"
    assert [one["name"] for one in world.kintone.records.values()] == ["新"]


def test_k15_what_the_quota_does_not_allow_waits_for_the_next_day_without_a_read(world: LinkWorld) -> None:
    for number in range(1_500):
        world.hotprofile.put(number + 1)
    world.wait(minutes=5)
    world.quota = 12  # two forms have been read: ten requests are left
    held = world.run()["companies"]
    assert (held.added, held.held, held.state) == (1_000, 500, State.HELD)
    assert "翌日0:00" in held.said
    asked = len(world.hotprofile.asked)
    world.wait(minutes=20)
    again = world.run()["companies"]
    assert (again.added, again.held, again.state) == (0, 500, State.HELD)
    world.wait(days=1)
    world.quota = 5_000
    done = world.run()["companies"]
    assert (done.added, done.held, done.state, done.read) == (500, 0, State.DONE, 0)
    assert len(world.kintone.by_key()) == 1_500
    assert len(world.hotprofile.asked) == asked + 2
    assert history.requests_by_day(world.database, "acme.cybozu.com", "1")[-1][1] == 12  # not one more


def test_k17_what_kintone_may_have_got_is_sent_again_when_it_is_back(world: LinkWorld) -> None:
    world.hotprofile.put(1)
    world.wait(minutes=5)

    def lost() -> None:
        raise KintoneAwayError("away", unknown=True)

    world.kintone.fault = lost  # written, and the answer lost
    assert world.run()["companies"].state is State.AWAY
    world.kintone.fault = lambda: None
    world.wait(minutes=5)
    line = world.run()["companies"]
    assert (line.updated, line.held) == (1, 0)
    assert world.kintone.by_key() == {"1": "会社1"}


def test_k17_an_app_that_cannot_be_reached_does_not_stop_the_reading(world: LinkWorld) -> None:
    world.hotprofile.put(1)
    world.wait(minutes=5)

    def away() -> None:
        raise KintoneAwayError("away", unknown=False)

    world.kintone.before = away
    assert world.run()["companies"].state is State.AWAY
    assert history.standings(world.database, "acme")["companies"].waiting == 1


def test_k18_a_bad_record_is_listed_and_the_others_go_on(world: LinkWorld) -> None:
    for number in range(100):
        world.hotprofile.put(number + 1)
    world.hotprofile.put(37, "名前が十文字より長い会社")
    world.wait(minutes=5)
    line = world.run()["companies"]
    assert (line.added, line.failed, line.requests) == (99, 1, 2)
    (failed,) = history.failed_records(world.database, "acme")
    assert (failed.source_id, failed.field) == ("37", "name")
    assert "最大文字数10" in failed.cause
    world.wait(minutes=5)
    assert world.run()["companies"].requests == 1  # it is not sent again as it is
    world.hotprofile.put(37, "短い")
    world.wait(minutes=5)
    world.run()
    assert world.failed() == {}
    assert world.kintone.by_key()["37"] == "短い"


def test_k19_one_record_that_kintone_refuses_without_its_place_costs_14_requests(world: LinkWorld) -> None:
    for number in range(100):
        world.hotprofile.put(number + 1)
    world.kintone.refuses = {"37"}
    world.wait(minutes=5)
    line = world.run()["companies"]
    assert (line.added, line.failed) == (99, 1)
    assert line.requests <= 2 + 14
    assert world.failed() == {"37": "GAIA_LO04"}


def test_k18_a_lookup_that_failed_is_tried_again_the_next_day_and_when_asked(world: LinkWorld) -> None:
    world.hotprofile.put(1)
    world.kintone.refuses = {"1"}
    world.wait(minutes=5)
    world.run()
    world.kintone.refuses = set()
    world.wait(minutes=5)
    world.run()
    assert world.failed() == {"1": "GAIA_LO04"}
    world.wait(days=1)
    world.run()
    assert world.kintone.by_key() == {"1": "会社1"}


def test_k18_失敗分の再連携_tries_all_that_failed(world: LinkWorld) -> None:
    world.hotprofile.put(1, "名前が十文字より長い会社")
    world.wait(minutes=5)
    world.run()
    longer = replace(FORM.fields["name"], longest=20)
    world.kintone.form_ = replace(FORM, fields={**FORM.fields, "name": longer})
    world.wait(minutes=30)
    world.run()
    assert world.failed() == {"1": "VALUE"}
    world.run(Mode.RETRY_FAILED)
    assert world.failed() == {}
    assert len(world.kintone.records) == 1


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


def test_k10_a_blank_clears_unless_the_item_says_otherwise(world: LinkWorld) -> None:
    world.hotprofile.put(1, "名", note="前")
    world.wait(minutes=5)
    world.run()
    world.hotprofile.put(1, "名2", note="")
    world.wait(minutes=5)
    world.run()
    assert world.kintone.records["1"]["note"] == "前"


def test_k18_half_a_character_is_its_records_fault_alone(world: LinkWorld) -> None:
    """JSON can write it, UTF-8 cannot: neither the read nor the others end by it."""
    world.hotprofile.put(1, "半分\ud83d")
    world.hotprofile.put(2, "😀")
    world.wait(minutes=5)
    world.run()
    assert world.failed() == {"1": "VALUE"}
    assert world.kintone.by_key() == {"2": "😀"}


def test_確認のみ_counts_and_moves_nothing(world: LinkWorld) -> None:
    for number in range(150):
        world.hotprofile.put(number + 1)
    world.wait(minutes=5)
    line = world.run(Mode.CHECK_ONLY)["companies"]
    assert (line.read, line.held) == (150, 150)
    assert world.kintone.records == {}
    world.wait(minutes=60)
    world.run()
    assert len(world.kintone.by_key()) == 150


def test_k3_初期連携_brings_what_was_there_before_after_what_changes_now(tmp_path: Path) -> None:
    world = LinkWorld(tmp_path)
    for number in range(300):
        world.hotprofile.put(number + 1, at=NINE - dt.timedelta(days=30))
    world.mapping = replace(world.mapping, at_once=1)  # so that it is certain which batch is the first
    world.start()
    assert world.run(Mode.ESTIMATE, since=dt.date(2026, 1, 1))["companies"].held == 300
    assert world.kintone.records == {}
    world.quota = 5
    world.run(Mode.INITIAL, since=dt.date(2026, 1, 1))
    assert len(world.kintone.by_key()) == 200
    world.hotprofile.put(999)
    world.wait(minutes=5)
    world.quota = 7
    world.run()
    assert "999" in world.kintone.by_key()
    world.quota = 5_000
    world.run()
    assert len(world.kintone.by_key()) == 301


def test_k3_one_that_was_off_goes_on_where_it_stopped_or_from_now(world: LinkWorld) -> None:
    world.change_mapping(enabled=False)
    world.run()
    world.hotprofile.put(1)
    world.wait(days=2)
    world.change_mapping(enabled=True)
    assert history.standings(world.database, "acme")["companies"].paused_at is not None
    world.run()
    assert world.kintone.by_key() == {"1": "会社1"}
    world.change_mapping(enabled=False)
    world.run()
    world.hotprofile.put(2)
    world.wait(days=2)
    world.change_mapping(enabled=True)
    world.run(Mode.FROM_NOW)
    world.wait(minutes=5)
    world.run()
    assert world.kintone.by_key() == {"1": "会社1"}


def test_k3_今から_leaves_nothing_behind_of_what_was_on(world: LinkWorld) -> None:
    world.hotprofile.put(1)
    world.wait(hours=1)
    world.run(Mode.FROM_NOW)
    assert world.kintone.by_key() == {"1": "会社1"}


def test_k3_今から_that_is_repeated_goes_on_from_its_first_now(world: LinkWorld) -> None:
    world.change_mapping(enabled=False)
    world.run()
    world.change_mapping(enabled=True)
    world.wait(hours=3)
    check_, *rest = world.steps(world.job(Mode.FROM_NOW))
    check_()
    world.hotprofile.fault = IncompleteReadError("torn")
    with pytest.raises(IncompleteReadError):
        rest[0]()
    world.hotprofile.fault = None
    world.wait(minutes=30)
    world.hotprofile.put(1)
    world.wait(minutes=30)
    for step in rest:
        step()
    assert world.kintone.by_key() == {"1": "会社1"}


def test_a_work_list_of_an_older_mapping_is_read_anew(world: LinkWorld) -> None:
    world.hotprofile.put(1, name_disp="略")
    world.wait(minutes=5)
    world.quota = 2
    world.run()
    items = (*COMPANIES.items[:2], Item("会社名略称", "note"))
    world.change_mapping(items=items)
    world.quota = 5_000
    world.wait(hours=3)
    world.run()
    assert world.kintone.records["1"]["note"] == "略"


def test_an_old_run_that_is_cleared_does_not_write_with_its_old_sheet(world: LinkWorld) -> None:
    job = world.job(sheet_digest="then")
    refuse_another_sheet(job, "then")
    with pytest.raises(SettingError, match="新しく実行"):
        refuse_another_sheet(job, "now")


def test_a_setting_that_breaks_in_mid_run_keeps_what_is_left(world: LinkWorld) -> None:
    for number in range(700):
        world.hotprofile.put(number + 1)
    world.wait(minutes=5)

    def revoked() -> None:
        if world.kintone.requests > 3:
            raise KintoneSettingError("APIトークンが無効です", "GAIA_IA02")

    world.kintone.before = revoked
    line = world.run()["companies"]
    assert line.state is State.STOPPED
    assert line.added + line.held == 700
    world.kintone.before = lambda: None
    world.wait(minutes=5)
    world.run()
    assert len(world.kintone.by_key()) == 700


def test_l6_the_database_holds_no_name(world: LinkWorld) -> None:
    world.hotprofile.put(1, "秘密の会社")
    world.hotprofile.put(2, "名前が十文字より長い秘密の会社")
    world.wait(minutes=5)
    world.run()
    for file in world.folder.glob("renkei.db*"):
        assert "秘密".encode() not in file.read_bytes()


def test_another_app_begins_with_nothing_written(world: LinkWorld) -> None:
    world.hotprofile.put(1)
    world.wait(minutes=5)
    world.run()
    world.change_mapping(app="2")
    world.kintone.records.clear()
    world.wait(minutes=1)
    world.run()
    assert world.kintone.by_key() == {"1": "会社1"}
