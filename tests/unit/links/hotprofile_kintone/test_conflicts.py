"""K23: what people change in kintone is found, kept or overwritten as the sheet says, listed, and costs no request else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from renkei.links.hotprofile_kintone import conflicts, forms, history
from renkei.links.hotprofile_kintone.conflicts import FOUND, KEPT, OVERWRITTEN, WatchedFields, _plain
from renkei.links.hotprofile_kintone.model import Mode, host_of
from renkei.links.hotprofile_kintone.sheet.mapping import KEEP, OVERWRITE, Item
from renkei.links.hotprofile_kintone.stages.check import check
from renkei.links.hotprofile_kintone.stages.compare import compare
from renkei.systems.kintone.errors import KintoneAwayError
from renkei.systems.kintone.form import Field
from tests.harness.hotprofile_kintone import COMPANIES, FORM, MAPPING, LinkWorld


@pytest.fixture
def watched(world: LinkWorld) -> LinkWorld:
    return watch_three(world)


def watch_three(world: LinkWorld) -> LinkWorld:
    """Three companies are in kintone; 会社名 is overwritten, 備考 kept."""
    items = (Item("会社ID", "id"), Item("会社名", "name", conflict=OVERWRITE), Item("備考", "note", conflict=KEEP))
    world.mapping = replace(MAPPING, data_sets=(replace(COMPANIES, items=items),))
    world.pass_test()
    for number in (1, 2, 3):
        world.hotprofile.put(number, note=f"備考{number}")
    world.wait(minutes=5)
    assert world.run()["companies"].added == 3
    return world


def change(world: LinkWorld, *numbers: int, **values: Any) -> int:
    """Hot Profile changes the companies, and a run writes them; the requests that it took."""
    for number in numbers:
        world.hotprofile.put(number, **{"note": f"備考{number}", **values})
    world.wait(minutes=11)
    return world.run()["companies"].requests


def listed(world: LinkWorld) -> dict[tuple[str, str], str]:
    return {
        (one.source_id, one.field): one.state for one in conflicts.listed(world.database, world.mapping.tenant, limit=9)
    }


def test_k23_records_that_nobody_touched_cost_no_request(watched: LinkWorld) -> None:
    assert change(watched, 1, 2, 3, name="新") == 2  # the form, and all three
    assert (watched.kintone.by_key(), listed(watched)) == ({"1": "新", "2": "新", "3": "新"}, {})


def test_k23_a_change_is_overwritten_and_listed_or_kept_and_listed(watched: LinkWorld) -> None:
    watched.kintone.by_hand("1", name="手で直した名前", note="手で書いた備考")
    assert change(watched, 1, 2, name="新", note="新しい備考") == 4  # one is refused, one looks
    first, second = watched.kintone.records["1"], watched.kintone.records["2"]
    assert (first["name"], first["note"]) == ("新", "手で書いた備考")
    assert (second["name"], second["note"]) == ("新", "新しい備考")
    assert listed(watched) == {("1", "name"): OVERWRITTEN, ("1", "note"): KEPT}


def test_k23_what_is_kept_stays_kept_and_is_told_once(watched: LinkWorld) -> None:
    watched.kintone.by_hand("1", note="手で書いた備考")
    change(watched, 1, note="二つ目")
    assert conflicts.count(watched.database, "acme", untold=True) == 1
    conflicts.note_told(watched.database, "acme", watched.clock)
    watched.kintone.by_hand("1", other="別の欄")
    change(watched, 1, note="三つ目")
    assert watched.kintone.records["1"]["note"] == "手で書いた備考"
    assert conflicts.count(watched.database, "acme", untold=True) == 0
    watched.kintone.by_hand("1", note="また直した")
    change(watched, 1, note="四つ目")
    assert conflicts.count(watched.database, "acme", untold=True) == 1


def test_k23_what_is_kept_stays_kept_when_nobody_has_touched_it_since(watched: LinkWorld) -> None:
    """The revision is our own then; a request more reads the record all the same."""
    watched.kintone.by_hand("1", note="手で書いた備考")
    change(watched, 1, note="二つ目")
    assert change(watched, 1, 2, note="三つ目") == 3
    assert [watched.kintone.records[one]["note"] for one in "12"] == ["手で書いた備考", "三つ目"]
    watched.kintone.by_hand("1", note="三つ目")  # given back
    change(watched, 1, note="四つ目")
    assert (watched.kintone.records["1"]["note"], change(watched, 1, note="五つ目")) == ("四つ目", 2)


def test_k23_what_a_blank_leaves_is_kept_until_a_value_comes(watched: LinkWorld) -> None:
    """空なら書かない: nothing was written over, whatever the sheet says of conflicts."""
    watched.change_mapping(items=(*COMPANIES.items[:2], Item("備考", "note", True, conflict=OVERWRITE)))
    watched.pass_test()
    change(watched, 1, name="新")
    watched.kintone.by_hand("1", note="手で書いた備考")
    change(watched, 1, note="")
    assert (watched.kintone.records["1"]["note"], listed(watched)) == ("手で書いた備考", {("1", "note"): KEPT})
    change(watched, 1, note="備考が来た")
    assert (watched.kintone.records["1"]["note"], listed(watched)) == ("備考が来た", {("1", "note"): OVERWRITTEN})


def test_k23_what_was_written_over_is_listed_though_the_answer_was_lost(watched: LinkWorld) -> None:
    """Listed before, for afterwards nobody can see it any more."""
    watched.kintone.by_hand("1", name="手で直した名前", note="手で書いた備考")

    def lost() -> None:
        raise KintoneAwayError("lost", unknown=True)

    watched.kintone.fault = lost
    change(watched, 1, name="新", note="新")
    assert watched.kintone.records["1"]["name"] == "新"
    assert listed(watched) == {("1", "name"): FOUND, ("1", "note"): FOUND}
    watched.kintone.fault = lambda: None
    watched.run()
    assert listed(watched) == {("1", "name"): OVERWRITTEN, ("1", "note"): KEPT}


def test_k19_records_that_were_looked_at_are_not_read_again_for_a_bad_one_among_them(watched: LinkWorld) -> None:
    for number in ("1", "2", "3"):
        watched.kintone.by_hand(number, note="手で書いた備考")
    change(watched, 1, 2, 3, note="二つ目")
    watched.kintone.refuses = {"2"}
    assert change(watched, 1, 2, 3, note="三つ目") == 1 + 1 + 5  # form, one look, halving
    assert watched.failed() == {"2": "GAIA_LO04"}


def test_k23_another_field_or_the_same_value_is_no_conflict(watched: LinkWorld) -> None:
    watched.kintone.by_hand("1", other="別の欄")
    watched.kintone.by_hand("2", name="新")
    assert change(watched, 1, 2, name="新") == 4
    assert listed(watched) == {}


def test_k23_where_people_change_most_batches_each_is_read_first(watched: LinkWorld) -> None:
    """Two requests for each, instead of three; where nobody does any more, one again."""
    watched.mapping = replace(watched.mapping, at_once=1)
    watched.hotprofile.entries.clear()
    for number in range(101, 401):
        watched.hotprofile.put(number, note="")
    watched.wait(minutes=11)
    watched.run()
    for number in watched.kintone.records:
        watched.kintone.by_hand(number, other="別の欄")
    assert change(watched, *range(101, 401), name="新") == 1 + 3 + 2 + 2


def test_k23_our_own_write_whose_answer_was_lost_is_no_conflict(watched: LinkWorld) -> None:
    def lost() -> None:
        raise KintoneAwayError("lost", unknown=True)

    watched.kintone.fault = lost
    change(watched, 1, name="二つ目", note="二つ目")
    assert watched.kintone.records["1"]["note"] == "二つ目"
    watched.kintone.fault = lambda: None
    change(watched, 1, name="三つ目", note="三つ目")
    assert (watched.kintone.records["1"]["note"], listed(watched)) == ("三つ目", {})


def test_k23_a_record_that_somebody_deleted_is_added_again(watched: LinkWorld) -> None:
    del watched.kintone.records["1"]
    change(watched, 1, name="新")
    assert watched.kintone.by_key()["1"] == "新"


def test_k23_what_was_written_before_the_field_was_watched_is_ours_whatever_it_is(world: LinkWorld) -> None:
    world.hotprofile.put(1, note="備考")
    world.wait(minutes=5)
    world.run()
    world.change_mapping(items=(*COMPANIES.items[:2], Item("備考", "note", True, conflict=KEEP)))
    world.kintone.by_hand("1", note="手で書いた備考")
    change(world, 1, note="新")
    assert (world.kintone.records["1"]["note"], listed(world)) == ("新", {})


def test_k23_照合_lists_what_people_changed(watched: LinkWorld) -> None:
    watched.kintone.by_hand("2", name="手で直した名前")
    watched.kintone.by_hand("3", other="別の欄")
    job = watched.job(Mode.RECONCILE)
    (data_set,) = job.data_sets
    check(job, lambda one: watched.target(job, one), watched.now)
    found = compare(job, data_set, watched.target(job, data_set), watched.hotprofile, watched.now)
    assert (found["changed"], listed(watched)) == (1, {("2", "name"): FOUND})


def test_l6_what_is_known_of_values_is_sealed(watched: LinkWorld) -> None:
    watch = WatchedFields(watched.job(), watched.mapping.data_sets[0], FORM)
    assert b"name" not in watch.seal("1", watch.marks({"name": {"value": "会社1"}}))


@pytest.mark.parametrize(
    ("kind", "written", "read"),
    [
        ("NUMBER", "1.50", "1.5"),
        ("DATETIME", "2026-04-01T09:05:00+09:00", "2026-04-01T00:05:00Z"),
        ("DROP_DOWN", "", None),
        ("USER_SELECT", [{"code": "b"}, {"code": "a"}], [{"code": "a", "name": "A"}, {"code": "b", "name": "B"}]),
        ("MULTI_LINE_TEXT", "一\n二", "一\r\n二"),
    ],
)
def test_k23_what_kintone_writes_otherwise_is_the_same(kind: str, written: Any, read: Any) -> None:
    assert _plain(written, kind) == _plain(read, kind)


def test_k23_a_choice_that_kintone_fills_in_by_itself_is_not_ours(watched: LinkWorld) -> None:
    form = replace(FORM, fields={**FORM.fields, "note": Field("note", "RADIO_BUTTON", "備考")})
    watch = WatchedFields(watched.job(), watched.mapping.data_sets[0], form)
    assert watch.marks({"note": {"value": ""}}) == {}


def test_k8_a_watched_field_that_is_gone_is_named_not_tripped_over(watched: LinkWorld) -> None:
    """Of an old run whose writes are cleared; nothing is written then."""
    watched.hotprofile.put(1, "新")
    watched.wait(minutes=11)
    job = watched.job()
    steps = watched.steps(job)
    for step in steps[:3]:
        step()
    gone = replace(FORM, revision="4", fields={code: FORM.fields[code] for code in ("id", "note")})
    forms.keep_of(watched.database, "acme", host_of(watched.mapping), "1", gone, watched.clock)
    steps[3]()
    assert "「name」がありません" in history.lines(job)["companies"].said


def test_k22_k23_what_is_kept_stays_kept_through_データクレンジング(watched: LinkWorld) -> None:
    """The new id's record is the old one's, with what people wrote in it, whoever hears the answer."""
    watched.change_mapping(old_key_item="カスタム項目:旧会社ID")
    watched.pass_test()
    watched.kintone.by_hand("1", note="手で書いた備考")
    change(watched, 1, note="二つ目")
    del watched.hotprofile.entries["1"]

    def lost() -> None:
        raise KintoneAwayError("lost", unknown=True)

    watched.kintone.fault = lost
    moved = {"items": [{"label": "旧会社ID", "value": "1"}]}
    change(watched, 20, name="新", note="三つ目", **moved)
    watched.kintone.fault = lambda: None
    for note in ("四つ目", "五つ目"):
        change(watched, 20, name="新", note=note, **moved)
    assert watched.kintone.by_key() == {"20": "新", "2": "会社2", "3": "会社3"}
    assert watched.kintone.records["1"]["note"] == "手で書いた備考"
    assert listed(watched)["20", "note"] == KEPT
