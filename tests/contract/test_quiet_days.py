"""Days on which nobody's data changed: what is written all the same (E14), and what is judged all the same (E29)."""

from __future__ import annotations

import dataclasses

import pytest

from renkei.errors import RecordError, SettingError
from renkei.links.smarthr_emc.model import Mode
from renkei.runs.current_baseline import current_baseline
from renkei.values import convert
from renkei.values.conversion import Conversion, Convert
from tests.harness.sheet import SHEET, full_mapping
from tests.harness.tenant import FORMAT, warned
from tests.harness.world import World

REJECTING = SHEET | {"ユーザID": ("社員番号", "SET", "REJECT", "SKIP", "REJECT")}


def written(world: World) -> tuple[bool, bool]:
    """Whether a scheduled run of this day writes departments and users; it is loaded, and the next writes nothing."""
    job = world.tenant.plan(manual=False)
    world.tenant.load(job)
    plan, sets = job.record.json("plan"), job.record.json("diff")["sets"]
    assert (sets["departments"]["changed"], sets["users"]["changed"]) == (plan["departments"], plan["users"])
    assert world.tenant.run(manual=False) == "unchanged"
    return plan["departments"], plan["users"]


def with_default_word(world: World, update: str) -> None:
    """検索ワード3 from an item that nobody has: デフォルト:未定 when created, `update` when updated."""
    sheet = SHEET | {"検索ワード3:備考": ("業務内容", "SET", "DEFAULT:未定", "SET", update)}
    world.tenant.mapping = full_mapping(sheet)


def test_e14_a_day_of_departments_alone_writes_no_users(world: World) -> None:
    """Nobody would be written otherwise than EMC has them: only the departments are."""
    with_default_word(world, "SKIP")
    world.tenant.run()
    department = next(iter(world.smarthr.sim("GET", "companies/acme/departments")))
    world.smarthr.sim("PATCH", f"companies/acme/departments/{department['id']}", {"name": "改称部"})

    job = world.tenant.plan()
    assert world.tenant.load(job) == "loaded"
    assert (job.record.json("plan")["departments"], job.record.json("plan")["users"]) == (True, False)
    assert {row["検索ワード3"] for row in world.users().values()} == {"未定"}
    assert set(job.record.table("users_target")["search_word_3"]) == {"未定"}


@pytest.mark.parametrize(
    ("item", "line", "column", "after"),
    [
        ("緊急連絡2 アドレス", ("電話番号", "SKIP", "SKIP", "SET", "SET"), "緊急連絡2 アドレス", "tel_number"),
        ("検索ワード3:備考", ("業務内容", "SET", "DEFAULT:未定", "SET", "SKIP"), "検索ワード3", None),
        ("検索ワード3:備考", ("業務内容", "SET", "DEFAULT:未定", "SET", "SET"), "検索ワード3", ""),
        ("検索ワード3:備考", ("固定値「あ」", "SKIP", "SKIP", "SET", "SKIP"), "検索ワード3", "あ"),
        ("検索ワード3:備考", ("業務内容", "SKIP", "SKIP", "SKIP", "DEFAULT:無"), "検索ワード3", "無"),
        ("パスワード強制変更", ("固定値「F」", "SKIP", "DEFAULT:T", "SET", "SKIP"), "パスワード強制変更", "F"),
    ],
    ids=[
        "an address left out at first",
        "a default to keep",
        "a default to clear",
        "a word",
        "another default",
        "flag",
    ],
)
def test_e14_what_an_update_writes_otherwise_is_written_the_next_day(
    world: World, item: str, line: tuple[str, ...], column: str, after: str | None
) -> None:
    """新規 and 更新 differ: the day after the first link writes what 更新 asks for, and the one after that nothing."""
    world.tenant.mapping = full_mapping(SHEET | {item: line})
    world.tenant.change(guards=dataclasses.replace(world.tenant.mapping.guards, clear_percent=100))
    world.tenant.run()
    before = world.users()

    assert written(world) == (False, after is not None)
    for crew in world.active():
        wanted = before[crew["emp_code"]][column] if after is None else crew.get(after, after) or ""
        assert world.users()[crew["emp_code"]].get(column, "") == wanted


def test_e14_values_that_a_new_version_converts_otherwise_are_written(
    linked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same people and the same sheet, but another result of 変換: nobody waits for somebody else's change."""
    users = tuple(
        dataclasses.replace(rule, conversions=(Conversion(Convert.NO_BLANKS),)) if rule.item == "full_name" else rule
        for rule in linked.tenant.mapping.users
    )
    linked.tenant.change(users=users)
    linked.tenant.run()
    monkeypatch.setitem(convert._CONVERT, Convert.NO_BLANKS, lambda array, form: array)

    assert written(linked) == (False, True)
    assert all("　" in user["氏名"] for user in linked.users().values())


def test_e14_another_file_format_is_a_change(linked: World) -> None:
    """Both data sets are written once in the new format."""
    linked.tenant.format = FORMAT.model_copy(update={"lengths": FORMAT.lengths | {"full_name": 59}})

    assert written(linked) == (True, True)


def test_e14_a_plan_is_not_loaded_in_another_format_than_it_was_checked_for(linked: World) -> None:
    """The operator replaced the format between validate and load: nothing is written, and the remedy is said."""
    linked.day(joiners=1)
    job = linked.tenant.plan()
    linked.tenant.format = FORMAT.model_copy(update={"encoding": "utf-8"})
    with pytest.raises(SettingError, match=r"形式定義.*手動実行"):
        linked.tenant.load(job)

    assert linked.opened() == 0


def test_e14_a_baseline_that_does_not_say_its_format_is_written_once(linked: World) -> None:
    """It is of a version that kept none: whatever became of the format meanwhile, everything is written."""
    record = current_baseline(linked.tenant.record("new").tenant_folder).record
    assert record is not None
    record.write_json("plan", {name: value for name, value in record.json("plan").items() if name != "emc_format"})

    assert written(linked) == (True, True)


def test_e14_under_a_freeze_a_value_that_is_not_cleared_is_no_change(world: World) -> None:
    """災害時凍結 keeps what 更新 would clear: such a value is not written anew every morning."""
    with_default_word(world, "SET")
    world.tenant.run()
    world.tenant.disaster = True
    world.tenant.run()  # beginning the freeze is a change

    assert world.tenant.run(manual=False) == "unchanged"
    assert {row["検索ワード3"] for row in world.users().values()} == {"未定"}


@pytest.mark.parametrize("mode", [Mode.NORMAL, Mode.CHECK_ONLY])
def test_e9_a_joiner_without_an_id_is_an_error_on_a_quiet_day(world: World, mode: Mode) -> None:
    """新規×値が無い = エラー and nobody else changed: an error every day, until there is an id."""
    world.tenant.mapping = full_mapping(REJECTING)
    world.tenant.run()
    before = world.state()
    (joiner,) = world.day(joiners=1)["joiners"]
    number = world.crews()[joiner]["emp_code"]
    world.patch(joiner, emp_code=None)
    for _ in range(2):
        with pytest.raises(RecordError, match="1件"):
            world.tenant.plan(mode, manual=False)
    assert world.state() == before

    world.patch(joiner, emp_code=number)
    assert world.tenant.run() == "loaded"


def test_e9_a_joiner_without_an_id_is_told_on_a_quiet_day(linked: World) -> None:
    """新規×値が無い = 登録しない: left out and listed, although nobody else changed."""
    (joiner,) = linked.day(joiners=1)["joiners"]
    linked.patch(joiner, emp_code=None)
    for _ in range(2):
        job = linked.tenant.plan(manual=False)
        assert linked.tenant.load(job) == "unchanged"
        assert warned(job, "no_id") == {joiner}


def test_e29_what_emc_confirmed_is_judged_again_although_nobody_changed(world: World) -> None:
    """更新×値が無い = エラー: people who were created without the value are errors of the next day, not of some day."""
    with_default_word(world, "REJECT")
    world.tenant.run()
    with pytest.raises(RecordError):
        world.tenant.run(manual=False)


def test_e29_what_a_newer_rule_refuses_is_an_error_on_a_quiet_day(linked: World) -> None:
    """A shorter limit: what EMC has already is named with today's read."""
    linked.tenant.format = FORMAT.model_copy(update={"lengths": FORMAT.lengths | {"full_name": 1}})
    with pytest.raises(RecordError, match=f"{len(linked.active())}件"):
        linked.tenant.run(manual=False)
