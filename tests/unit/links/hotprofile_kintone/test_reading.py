"""Whole runs over a source and an app in memory: what is linked since when, what a run reads, what its mode makes of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from renkei.errors import IncompleteReadError, SettingError
from renkei.links.hotprofile_kintone import data_sets, history
from renkei.links.hotprofile_kintone.history import State
from renkei.links.hotprofile_kintone.model import Mode
from renkei.links.hotprofile_kintone.sheet.mapping import Item
from renkei.links.hotprofile_kintone.stages import plan as plan_stage
from renkei.links.hotprofile_kintone.stages.check import refuse_another_sheet
from renkei.links.hotprofile_kintone.stages.finish import finish, finish_if_idle
from renkei.links.hotprofile_kintone.tables import WORK
from tests.harness.hotprofile_kintone import COMPANIES, NINE, LinkWorld


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


def test_k5_the_watermark_never_goes_back(world: LinkWorld) -> None:
    """A process that was slow ends after a newer one."""
    job, companies = world.job(), world.mapping.data_sets[0]
    before = data_sets.progress_of(job, companies)
    assert before.watermark is not None
    with world.database.writing() as connection:
        data_sets.move_watermark(connection, job, companies, before.watermark - dt.timedelta(seconds=1))
    assert data_sets.progress_of(job, companies) == before


def test_k5_what_is_changed_back_before_anybody_wrote_it_is_not_written(world: LinkWorld) -> None:
    """A is in kintone; the run that planned B died before it wrote; the source says A again, and that is what stays."""
    world.hotprofile.put(1, "A")
    world.wait(minutes=5)
    world.run()
    world.hotprofile.put(1, "B")
    world.wait(minutes=5)
    check_, read_, plan_, *_ = world.steps(world.job())
    for step in (check_, read_, plan_):
        step()
    world.hotprofile.put(1, "A")
    world.wait(minutes=5)
    line = world.run()["companies"]
    assert world.kintone.by_key() == {"1": "A"}
    assert (line.updated, line.held) == (0, 0)


def test_k5_what_is_being_committed_as_we_read_is_left_to_the_next_run(world: LinkWorld) -> None:
    world.hotprofile.put(1)
    world.run()
    assert world.kintone.records == {}
    world.wait(minutes=5)
    world.run()
    assert world.kintone.by_key() == {"1": "会社1"}


def run_torn(world: LinkWorld) -> None:
    """A run whose read of three records breaks off at its second page."""
    for number in range(3):
        world.hotprofile.put(number + 1)
    world.wait(minutes=5)
    world.hotprofile.page, world.hotprofile.fault = 2, IncompleteReadError("torn")
    with pytest.raises(IncompleteReadError):
        world.run()


def test_k6_a_read_that_breaks_off_moves_nothing_and_loses_nothing(world: LinkWorld) -> None:
    run_torn(world)
    before = history.data_set_statuses(world.database, "acme")["companies"]
    assert (world.kintone.records, before.waiting) == ({}, 0)
    assert history.processed(world.database, "acme")[0].said == "torn"
    world.hotprofile.fault = None
    world.wait(hours=3)
    world.run()
    assert len(world.kintone.by_key()) == 3


def test_k6_what_a_read_that_broke_off_has_left_is_not_what_there_is_now(world: LinkWorld) -> None:
    """A record that was merged into another one meanwhile does not come to kintone after all."""
    run_torn(world)
    del world.hotprofile.entries["1"]
    world.hotprofile.fault = None
    world.wait(minutes=5)
    line = world.run()["companies"]
    assert sorted(world.kintone.by_key()) == ["2", "3"]
    assert (line.read, line.failed) == (2, 0)


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


def test_k12_a_data_set_that_passed_no_test_is_not_enabled(tmp_path: Path) -> None:
    world = LinkWorld(tmp_path)
    line = world.run()["companies"]
    assert line.state is State.STOPPED
    assert "連携テスト" in line.said
    assert history.data_set_statuses(world.database, "acme") == {}


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


def test_k3_a_day_before_there_was_a_hot_profile_means_all(world: LinkWorld) -> None:
    """A slip of the pen as 0206: neither the database nor Hot Profile has to know such a year."""
    world.hotprofile.put(1)
    world.start()
    assert world.run(Mode.INITIAL, since=dt.date(1, 1, 1))["companies"].added == 1
    since, _ = world.hotprofile.asked[-1]
    assert since.year == 2000


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


def test_k3_初期連携_of_some_days_leaves_what_changed_before_them_to_the_next_run(world: LinkWorld) -> None:
    """K5: it has not read all since the watermark, which stays."""
    world.hotprofile.put(7)
    world.wait(days=2)  # nothing ran meanwhile
    world.run(Mode.INITIAL, since=world.clock.date())
    assert world.kintone.records == {}
    world.run()
    assert list(world.kintone.by_key()) == ["7"]


def test_k3_one_that_was_off_goes_on_where_it_stopped_or_from_now(world: LinkWorld) -> None:
    world.change_mapping(enabled=False)
    world.run()
    world.hotprofile.put(1)
    world.wait(days=2)
    world.change_mapping(enabled=True)
    assert history.data_set_statuses(world.database, "acme")["companies"].paused_at is not None
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


def test_l6_the_database_holds_no_name(world: LinkWorld) -> None:
    world.hotprofile.put(1, "秘密の会社")
    world.hotprofile.put(2, "名前が十文字より長い秘密の会社")
    world.wait(minutes=5)
    world.run()
    for file in world.folder.glob("renkei.db*"):
        assert "秘密".encode() not in file.read_bytes()


def test_k5_what_was_read_is_taken_over_in_pieces(world: LinkWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million rows in one statement took 300 MB; in pieces each of them comes all the same."""
    monkeypatch.setattr(plan_stage, "PIECE", 3)
    for number in range(1, 11):
        world.hotprofile.put(number)
    world.wait(minutes=5)
    assert world.run()["companies"].added == 10


def test_a_run_that_has_nothing_to_write_ends_after_its_plan(world: LinkWorld) -> None:
    """As its writes would end it; one that has something, or that a stopped data set keeps from it, goes on."""
    world.hotprofile.put(1)
    world.wait(minutes=5)
    idle, lines = _planned(world)
    assert (idle, lines["companies"].state) == (False, State.RUNNING)
    world.run()
    world.wait(minutes=5)
    idle, lines = _planned(world)
    assert (idle, lines["companies"].state, lines["companies"].ended_at) == (True, State.DONE, world.clock)
    world.change_mapping(items=(*COMPANIES.items, Item("住所", "nowhere")))
    assert _planned(world)[0] is False


def _planned(world: LinkWorld) -> tuple[bool, dict[str, history.Processed]]:
    job = world.job()
    for step in world.steps(job)[:3]:
        step()
    return finish_if_idle(job, world.now), history.lines(job)


def test_k3_a_change_that_初期連携_was_the_first_to_read_comes_before_it_all_the_same(world: LinkWorld) -> None:
    for number in range(1, 4):
        world.hotprofile.put(number, at=NINE - dt.timedelta(days=9))
    world.hotprofile.put(9)  # after the link was enabled
    world.wait(minutes=1)
    world.quota = 1  # the form of each run, and nothing else
    world.run(Mode.INITIAL, since=dt.date(2026, 3, 1))
    world.quota = 3
    world.wait(minutes=5)
    _planned(world)
    with world.database.reading() as connection:
        initial = dict(connection.execute(select(WORK.c.source_id, WORK.c.initial)).all())
    assert initial == {"1": True, "2": True, "3": True, "9": False}


def test_k20_a_run_that_only_counts_is_over_when_it_is(world: LinkWorld) -> None:
    """確認のみ stood as 処理中 for ever."""
    world.hotprofile.put(1)
    world.wait(minutes=5)
    job = world.job(Mode.CHECK_ONLY)
    for step in world.steps(job):
        step()
    finish(job, world.now)
    line = history.lines(job)["companies"]
    assert (line.state, line.held, line.ended_at) == (State.DONE, 1, world.clock)
