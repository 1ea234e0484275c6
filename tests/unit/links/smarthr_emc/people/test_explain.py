"""Why somebody is, or is not, in EMC, from the record of real runs: now, and for whoever ever was there."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.errors import RecordError
from renkei.links.smarthr_emc import stages
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.people.explain import Explained, Explanation, explain
from renkei.links.smarthr_emc.records import EmcRefusal, FetchedDepartments, FetchedUsers, RefusedRow, RunStart
from renkei.runs.current_baseline import current_baseline
from renkei.runs.hold import Approval, HeldPlan
from renkei.runs.outcome import note_end
from renkei.runs.steps import StepResult
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from tests.builders import EMC_FORMAT, crew, crews, mapping
from tests.unit.links.smarthr_emc.rehearsal.test_rehearsal import LINK, NOW, SHEET, TREE, Taker, person

OPTIONAL_ID = mapping({**SHEET, "ユーザID": ("社員番号", "登録", "登録しない", "", "")})
NAMES = ("受信", "在籍", "ユーザID", "差分", "検査", "保留", "登録", "EMC")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(LocalFileSystem(), str(tmp_path))


def day(
    store: Store,
    number: int,
    people: Iterable[dict[str, str]],
    *,
    mode: Mode = Mode.NORMAL,
    disaster: bool = False,
    until: str = "",
    name: str = "",
    tenant: str = "acme",
) -> None:
    """The run of a day as the tasks take it: to the load, or until it has read, compared or planned."""
    at = NOW + dt.timedelta(days=number)
    mine, target = record(store, number, name, tenant), Taker()
    sheet = dataclasses.replace(OPTIONAL_ID, tenant=tenant, emc_account=tenant)
    job = stages.open_run.open_run(
        mine, sheet, RunStart(mine.run, mode, True, at.isoformat(), "", disaster), target, at
    )
    mine.write_table("fetched_departments", TREE)
    mine.write_table("fetched_users", crews(OPTIONAL_ID, people))
    mine.write(FetchedDepartments("read", {}, current_baseline(mine.tenant_folder).run))
    mine.write(FetchedUsers("read"))
    stages.snapshot.take_snapshot(job)
    if until == "read":
        return
    stages.diff.make_diff(job, target, at)
    if until == "diff":
        return
    stages.validate.validate(job, target, EMC_FORMAT, at)
    if until != "plan":
        note_end(mine, stages.load.apply(job, target, EMC_FORMAT, lambda name: "secret", at), at)


def record(store: Store, number: int, name: str = "", tenant: str = "acme") -> RunRecord:
    return RunRecord(TenantFolder(store, LINK, tenant), name or f"day{number}")


def told(store: Store, who: str, **more: Any) -> Explanation:
    return explain(TenantFolder(store, LINK, "acme"), who, **more)


def one(store: Store, who: str, **more: Any) -> Explained:
    found = told(store, who, **more)
    (person,) = found.people
    assert found.answer == person.answer
    assert tuple(step.name for step in person.steps) == NAMES
    return person


def ended(person: Explained) -> list[str]:
    """The steps at which the way ended."""
    return [step.name for step in person.steps if step.passed is StepResult.NO]


@pytest.fixture(scope="module")
def years(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Four loads: somebody left long ago, somebody was renumbered twice, somebody lost the id, somebody came back."""
    store = Store(LocalFileSystem(), str(tmp_path_factory.mktemp("years")))
    everybody = {n: person(n) for n in range(1, 9)}
    everybody[5]["姓"], everybody[7]["姓"] = "ヴァン　ダイク", "小鳥遊"

    def people(*numbers: int, **changed: dict[str, str]) -> list[dict[str, str]]:
        return [{**everybody[n], **changed.get(f"c{n}", {})} for n in numbers]

    day(store, 0, people(1, 2, 3, 4, 5, 6, 8))
    day(store, 1, people(1, 2, 3, 4, 6, c2={"社員番号": "22"}))  # 5 and 8 left
    day(store, 2, people(1, 2, 3, 4, 6, 7, 8, c2={"社員番号": "222"}))  # 7 joins, 8 is back
    last = people(1, 2, 4, 6, 7, 8, c2={"社員番号": "222"}, c4={"社員番号": ""})
    day(store, 3, [*last, crew("c3", "3", "retired")])  # 4 lost the number
    return store


def test_e6_somebody_who_is_there(years: Store) -> None:
    """E6: the fact, since when, the reason, and every step passed."""
    found = one(years, "1")
    assert found.answer.startswith("EMCに登録されています（2026/04/02 13:30 から）。")
    assert "EMCで更新しました" in found.answer
    assert ended(found) == []
    assert found.registered
    assert found.name == "山田"
    items = {item.key: item for item in found.person.items}
    assert (items["full_name"].value, items["full_name"].emc) == ("山田", "山田")
    assert "password" not in items  # L7: of a recorded one nothing can be said


@pytest.mark.parametrize(
    ("who", "crew_id", "says", "step"),
    [
        (
            "c3",
            "c3",
            "EMCに登録されていません（2026/04/05 13:30 から）。在籍状況が退職済のため、EMCから削除しました",
            "在籍",
        ),
        ("3", "c3", "退職済のため、EMCから削除しました", "在籍"),
        ("p3@acme.example.jp", "c3", "退職済のため、EMCから削除しました", "在籍"),
        ("4", "c4", "ユーザIDの元になる値が無くなったため、EMCから削除しました", "ユーザID"),
        ("5", "c5", "2026/04/03 13:30 の登録で、EMCから削除しました（SmartHRに居ない）", "受信"),
        ("ヴァンダイク", "c5", "2026/04/03 13:30 の登録で、EMCから削除しました", "受信"),
        ("p5@acme.example.jp", "c5", "2026/04/03 13:30 の登録で、EMCから削除しました", "受信"),
    ],
)
def test_e8_somebody_who_is_not_there_any_more(years: Store, who: str, crew_id: str, says: str, step: str) -> None:
    """E8: retired, lost id, gone days ago; by number, address and name of then; the step that ended it has a remedy."""
    found = one(years, who)
    assert found.person.crew_id == crew_id
    assert says in found.answer
    assert not found.registered
    assert ended(found)[0] == step
    assert next(s for s in found.steps if s.name == step).remedy


def test_e12_an_old_id_leads_to_the_person_of_today(years: Store) -> None:
    """E12: of two renumberings ago; each change of the id is told with its day."""
    for who in ("2", "22", "222"):
        found = one(years, who)
        assert (found.person.crew_id, found.person.user_id, found.registered) == ("c2", "222", True)
        changes = [(event.was, event.user_id) for event in found.events if event.was]
        assert changes == [("22", "222"), ("2", "22")]
        assert found.since == (NOW).isoformat()


def test_e6_who_left_and_came_back_has_both_in_the_history(years: Store) -> None:
    """E6: since the return, not since the first day."""
    found = one(years, "8")
    assert [event.kind.value for event in found.events] == ["新規", "削除", "新規"]
    assert found.since == (NOW + dt.timedelta(days=2)).isoformat()


def test_e5_a_part_of_a_name_is_enough_and_several_are_listed(years: Store) -> None:
    """E5: one person by name; of several everybody is named with crew id, and nothing is guessed."""
    assert one(years, "小鳥遊").person.crew_id == "c7"
    many = told(years, "山田")
    assert many.people == ()
    assert {line.crew_id for line in many.others} == {"c1", "c2", "c3", "c4", "c6", "c8"}
    assert "6人が当てはまります" in many.answer


def test_l8_nobody_is_said_with_what_was_looked_at(years: Store) -> None:
    """L8: how many loads were read, and that it was all of them."""
    for who in ("nobody@acme.example.jp", "％"):
        found = told(years, who)
        assert (found.people, found.others) == ((), ())
        assert "当てはまる人がいません" in found.answer
        assert (found.looked.runs, found.looked.all) == (4, True)
    assert told(years, "  ").people == ()


def test_s6_how_far_back_is_bounded_and_said(years: Store) -> None:
    """S6: no more people of earlier loads are read than allowed, the newest first; the answer says so."""
    found = told(years, "p5@acme.example.jp", looked_at=7)
    assert found.people == ()
    assert (found.looked.runs, found.looked.all) == (1, False)
    assert "1回分の記録を見ました（それより前は見ていません）" in found.answer


def test_l1_a_run_that_housekeeping_took_ends_the_look_back(years: Store, tmp_path: Path) -> None:
    """L1: what is gone is not guessed; the newest are told all the same."""
    old = Store(LocalFileSystem(), str(tmp_path))
    for name in years.files(LINK):
        if "/runs/day0/" not in name:
            old.write(name, years.read(name))
    found = one(old, "1")
    assert found.registered
    assert found.since == ""
    assert told(old, "1").looked.all is False


def test_e29_errors_of_ones_own_and_of_others(store: Store) -> None:
    """E29, L2: the one with the error gets its remedy, everybody else how many stop them; EMC keeps who was there."""
    day(store, 0, [person(1), person(2)])
    with pytest.raises(RecordError):
        day(store, 1, [person(1), person(2, メールアドレス="kaputt"), person(3)])
    wrong, other, new = one(store, "2"), one(store, "1"), one(store, "3")
    (step,) = [step for step in wrong.steps if step.passed is StepResult.NO]
    assert (step.name, "メールアドレスの形式" in step.reason, "直してください" in step.remedy) == ("検査", True, True)
    assert "ほかの社員または部署に誤りが1件" in next(s for s in other.steps if s.name == "検査").reason
    assert (wrong.registered, other.registered, new.registered) == (True, True, False)
    assert ended(new) == ["検査", "EMC"]
    assert "誤りを直すまで誰も登録されません" in new.answer


def test_e14_a_quiet_day(store: Store) -> None:
    """E14: 変化なし is no reason to worry: EMC has them."""
    for number in (0, 1):
        day(store, number, [person(1)])
    found = one(store, "1")
    assert ended(found) == []
    assert "変化が無いため" in next(s for s in found.steps if s.name == "登録").reason
    assert found.since == NOW.isoformat()


def test_e36_held_approved_and_refused(store: Store) -> None:
    """E34, E36: who waits for an approval, what came of it, and who decided."""
    day(store, 0, [person(n) for n in range(1, 21)])
    day(store, 1, [person(n) for n in range(1, 11)], until="plan")
    waiting = one(store, "20")
    assert ended(waiting) == ["受信", "保留"]
    assert waiting.registered
    assert "承認を待" in waiting.answer

    at = NOW + dt.timedelta(days=1, hours=1)
    held = record(store, 1).read(HeldPlan)
    record(store, 1).write(Approval(held.digest, False, "suzuki", "", at))
    denied = one(store, "20")
    assert ended(denied) == ["受信", "保留"]
    assert "承認されなかった" in denied.answer
    assert denied.registered


def test_e36_a_check_asks_nobody_and_says_so(store: Store) -> None:
    """E36: nothing that is only looked at was approved, even where the guards would hold it."""
    day(store, 0, [person(n) for n in range(1, 21)])
    day(store, 1, [person(n) for n in range(1, 11)], mode=Mode.CHECK_ONLY, until="plan")
    (step,) = [step for step in one(store, "20").steps if step.name == "保留"]
    assert step.passed is StepResult.NOT
    assert step.reason.startswith("確認のみの実行のため、承認は求めていません: ")


def test_e36_what_emc_refused_of_a_person(store: Store) -> None:
    """E30: EMC's own reason stands at the person it is about; the others are stopped by it."""
    day(store, 0, [person(1)])
    day(store, 1, [person(1), person(2), person(3)], until="plan")
    row = RefusedRow(file="users", line=2, item="ユーザID", code="DUPLICATE_ID", message="", id="2", crew_id="c2")
    record(store, 1).write(EmcRefusal([row], 1))
    mine, other = one(store, "2"), one(store, "3")
    assert ended(mine) == ended(other) == ["登録", "EMC"]
    assert "DUPLICATE_ID" in next(s for s in mine.steps if s.name == "登録").reason
    assert "ほかの行" in next(s for s in other.steps if s.name == "登録").reason
    assert "受け付けなかった" in mine.answer


@pytest.mark.parametrize(
    ("stage", "stopped"),
    [("read", {"差分", "検査", "保留", "登録"}), ("diff", {"検査", "保留", "登録"}), ("plan", {"登録"})],
)
def test_l1_a_run_that_stopped_on_the_way_says_where(store: Store, stage: str, stopped: set[str]) -> None:
    """L1: nothing is said of steps that were not reached, and EMC has what it had."""
    day(store, 0, [person(1)])
    day(store, 1, [person(1), person(2)], until=stage)
    found = one(store, "2")
    assert {step.name for step in found.steps if step.passed is StepResult.NOT} == stopped
    assert not found.registered
    assert one(store, "1").registered


def test_e3_a_check_only_run_tells_what_it_would_do(store: Store) -> None:
    """E3: nothing was written, and the answer says so."""
    day(store, 0, [person(1)])
    day(store, 1, [person(1), person(2)], mode=Mode.CHECK_ONLY)
    found = one(store, "2")
    assert "確認のみの実行のため" in found.answer
    assert not found.registered


def test_l1_before_the_first_read(store: Store) -> None:
    """L1: nothing is known, and that is said."""
    assert "まだありません" in told(store, "1").answer


def test_l1_somebody_whom_a_freeze_keeps(store: Store) -> None:
    """災害時凍結: gone from SmartHR and kept in EMC: they are registered, and nothing says that they were deleted."""
    day(store, 0, [person(1), person(2)])
    day(store, 1, [person(1)], disaster=True)
    found = one(store, "2")
    assert found.registered
    assert "削除しました" not in found.answer
    assert "災害時凍結" in found.answer


def test_e10_two_people_with_one_id(store: Store) -> None:
    """E10: each is told; the second cannot be there."""
    day(store, 0, [person(1)])
    with pytest.raises(RecordError):
        day(store, 1, [person(1), person(2, 社員番号="1")])
    found = told(store, "1")
    assert [one.person.crew_id for one in found.people] == ["c1", "c2"]
    assert ended(found.people[1])[0] == "ユーザID"


def test_e40_an_id_that_passed_to_another(store: Store) -> None:
    """E40: the old number names both: who has it now, and whose it was."""
    day(store, 0, [person(1), person(2)])
    day(store, 1, [person(1), person(3, 社員番号="2", 姓="佐藤")])
    found = told(store, "2")
    assert {one.person.crew_id: one.registered for one in found.people} == {"c3": True, "c2": False}
    assert dataclasses.asdict(found)["people"]
