"""Whole runs over a source and an app in memory: what kintone refuses, what waits and what is written again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from renkei.errors import LoadError
from renkei.links.hotprofile_kintone import forms, history
from renkei.links.hotprofile_kintone.history import State
from renkei.links.hotprofile_kintone.model import Mode, host_of
from renkei.links.hotprofile_kintone.sheet.mapping import Item
from renkei.links.hotprofile_kintone.stages.write import FORM_CHANGED
from renkei.systems.kintone.errors import KintoneAwayError, KintoneSettingError
from tests.harness.hotprofile_kintone import FORM, LinkWorld


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


def test_k12_a_test_in_another_app_writes_no_record_that_has_the_old_ones_id(world: LinkWorld) -> None:
    world.hotprofile.put(1)
    world.wait(minutes=5)
    world.run()
    theirs = {"id": "X99", "name": "他人"}
    world.kintone.records = {"1": dict(theirs)}
    world.change_mapping(app="2", key="会社名", items=(Item("会社名", "name"), Item("会社ID", "id")))
    assert world.try_one("1").record_id == "2"
    assert world.kintone.records["1"] == theirs


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
    assert history.data_set_statuses(world.database, "acme")["companies"].waiting == 1


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


def test_another_app_begins_with_nothing_written(world: LinkWorld) -> None:
    world.hotprofile.put(1)
    world.wait(minutes=5)
    world.run()
    world.change_mapping(app="2")
    world.kintone.records.clear()
    world.wait(minutes=1)
    world.run()
    assert world.kintone.by_key() == {"1": "会社1"}


def test_k8_what_was_written_while_somebody_read_another_form_is_written_again(world: LinkWorld) -> None:
    """読み込み in the middle of a run: what the run writes after it goes by the form of before, which kintone has no more."""
    for number in range(1, 301):
        world.hotprofile.put(number)
    world.wait(minutes=5)
    world.mapping = replace(world.mapping, at_once=1)
    renamed = replace(FORM, revision="4")
    sent = []

    def read_after_the_first() -> None:
        sent.append(1)
        if len(sent) == 2:
            forms.keep_of(world.database, "acme", host_of(world.mapping), "1", renamed, world.clock)

    world.kintone.fault = read_after_the_first
    line = world.run()["companies"]
    assert (line.state, line.said) == (State.STOPPED, FORM_CHANGED)
    assert len(sent) < 4  # it went no further
    world.kintone.fault, world.kintone.form_ = lambda: None, renamed
    world.wait(minutes=5)
    line = world.run()["companies"]
    assert (line.state, line.added + line.updated) == (State.DONE, 300)  # those of before, too


def test_k8_an_old_run_that_is_cleared_writes_nothing_to_a_form_that_does_not_fit_any_more(world: LinkWorld) -> None:
    """Its `check` was long ago; kintone would drop the values of a field that is gone, and say nothing."""
    world.hotprofile.put(1)
    world.wait(minutes=5)
    job = world.job()
    steps = world.steps(job)
    for step in steps[:3]:
        step()
    gone = replace(FORM, revision="4", fields={code: FORM.fields[code] for code in ("id", "note")})
    forms.keep_of(world.database, "acme", host_of(world.mapping), "1", gone, world.clock)
    steps[3]()
    line = history.lines(job)["companies"]
    assert (line.state, world.kintone.records) == (State.STOPPED, {})
    assert "「name」がありません" in line.said


def test_l5_what_a_form_has_is_known_to_the_tenant_that_read_it_alone(world: LinkWorld) -> None:
    """Another one that names the app in its sheet has no token for it, and sees none of its fields."""
    host = host_of(world.mapping)
    assert forms.last_of(world.database, "acme", host, "1") == FORM
    assert forms.last_of(world.database, "other", host, "1") is None
