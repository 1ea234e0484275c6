"""What a stage leaves in the run's record when its process dies, and what the next attempt makes of it (L4)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest
import requests
from fsspec.implementations.memory import MemoryFileSystem

from renkei.errors import (
    BaselineError,
    HoldError,
    LinkStateError,
    RecordError,
    RejectedLoadError,
    RenkeiError,
    SettingError,
)
from renkei.links.smarthr_emc import fetch, load, ownership, stages
from renkei.links.smarthr_emc.model import Mode, RecordSet
from renkei.links.smarthr_emc.records import (
    EmcRefusal,
    FetchedDepartments,
    FetchedUsers,
    Plan,
    RunSheet,
    RunStart,
    SnapshotSummary,
)
from renkei.links.smarthr_emc.stages.job import Job
from renkei.runs.hold import Approval, HeldPlan, Hold
from renkei.storage.baselines import Baseline, Baselines
from renkei.storage.import_lock import ImportLock, PendingImport
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import AccountFolder, TenantFolder
from renkei.systems.emc.payloads import EmcProblem, Import
from renkei.systems.smarthr.client import SmartHRClient
from tests.builders import EMC_FORMAT, crew, crews, departments, freeze, mapping

NOW = dt.datetime(2026, 11, 2, 4, 30, tzinfo=dt.UTC)
SHEET = mapping()
TREE = departments(("A", None), ("B", "A"))
SMARTHR = SmartHRClient(requests.Session(), "https://acme.smarthr.jp")  # asked nothing
PEOPLE = [crew("c1", "001"), crew("c2", "002"), crew("c3", "003")]


class Died(BaseException):
    """The process was killed: nothing catches it."""


class Dying(Store):
    """A store whose process dies once `left` values were written or deleted; -1 is never."""

    left = -1

    def write(self, key: str, content: bytes) -> None:
        self._live()
        super().write(key, content)

    def delete(self, key: str) -> None:
        self._live()
        super().delete(key)

    def _live(self) -> None:
        if self.left == 0:
            raise Died
        self.left -= 1


class Emc:
    """An EMC that does not tell whom it has, as through files."""

    def find(self, *_: Any) -> None:
        return None

    def ever_committed(self, source: str) -> bool:
        return False

    def forget(self, key: str) -> None:
        """Nothing to forget."""


@pytest.fixture
def store() -> Dying:
    MemoryFileSystem.store.clear()
    return Dying(MemoryFileSystem(), "/root")


def begun(store: Store, run: str = "today", people: Sequence[dict[str, str]] = PEOPLE) -> Job:
    """A run that has read departments and people."""
    record = RunRecord(TenantFolder(store, "smarthr_emc", "acme"), run)
    record.write_table("fetched_departments", TREE)
    record.write_table("fetched_users", crews(SHEET, people))
    record.write(FetchedDepartments("read", {}, "", NOW))
    record.write(FetchedUsers("read"))
    return Job(record, SHEET, RunStart(run, Mode.NORMAL, True, NOW.isoformat(), "0" * 64))


def compared(store: Store, run: str = "today", people: Sequence[dict[str, str]] = PEOPLE) -> Job:
    """A run that came as far as diff."""
    job = begun(store, run, people)
    stages.snapshot.take_snapshot(job)
    stages.diff.make_diff(job, Emc(), NOW)  # type: ignore[arg-type]
    return job


def files(job: Job) -> dict[str, bytes]:
    return {key: job.record.store.read(key) for key in job.record.store.files(job.record.folder)}


def test_l4_a_snapshot_that_died_anywhere_is_whole_after_the_next_attempt(store: Dying) -> None:
    """What was read is kept until the snapshot is, and the snapshot is said to be taken once its tables are there."""
    wanted = stages.snapshot.take_snapshot(begun(store))
    for steps in range(5):
        MemoryFileSystem.store.clear()
        job = begun(store)
        store.left = steps
        with pytest.raises(Died):
            stages.snapshot.take_snapshot(job)
        store.left = -1

        assert stages.snapshot.take_snapshot(job) == wanted
        assert [len(job.record.table(s)) for s in RecordSet] == [len(TREE), len(PEOPLE)], f"died after {steps} steps"
        assert job.record.read(SnapshotSummary).read_id == "read"


def test_e36_a_check_that_died_anywhere_leaves_no_plan_beside_what_an_earlier_check_held(store: Dying) -> None:
    """The load goes by `plan`: where there is one, its rows and its holds are there, and they are its own."""
    job = compared(store)
    earlier = HeldPlan("of an earlier check", [])
    stages.validate.validate(job, Emc(), EMC_FORMAT, NOW)  # type: ignore[arg-type]
    whole = files(job)
    digest, steps = job.record.read(Plan).digest, 0
    while True:
        for name in ("departments_plan", "users_plan", "users_target"):
            job.record.delete_table(name)
        job.record.write(earlier)
        store.left = steps
        try:
            stages.validate.validate(job, Emc(), EMC_FORMAT, NOW)  # type: ignore[arg-type]
            break
        except Died:
            store.left = -1
        if steps and job.record.has(Plan):
            assert files(job) == whole, f"died after {steps} steps"
        steps += 1
    assert steps > 5
    assert job.record.read(HeldPlan).digest == digest


def test_l3_a_read_belongs_to_the_baseline_that_stood_when_it_began(
    store: Dying, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run that loads while this one reads makes this read an old one."""
    job = begun(store)

    def read(client: Any, sheet: Any, known: Any) -> tuple[pd.DataFrame, dict[str, Any]]:
        Baselines(job.record.tenant_folder).promote(Baseline(1, "another", "digest", "key", NOW.isoformat(), 1, 1))
        job.record.sibling("another").write(job.start)
        return TREE, {}

    monkeypatch.setattr(fetch, "fetch_departments", read)
    stages.fetch.fetch_departments(job, SMARTHR, "anew", NOW)
    assert job.record.read(FetchedDepartments).baseline == ""


def test_e33_the_departments_of_the_baseline_prove_the_read(store: Dying, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of several pages without a new department is read once, as that of the people is."""
    baseline = compared(store, "yesterday").record
    Baselines(baseline.tenant_folder).promote(Baseline(1, "yesterday", "digest", "key", NOW.isoformat(), 3, 2))
    told = []

    def read(client: Any, sheet: Any, known: Sequence[str]) -> tuple[pd.DataFrame, dict[str, Any]]:
        told.extend(known)
        return TREE, {}

    monkeypatch.setattr(fetch, "fetch_departments", read)
    stages.fetch.fetch_departments(begun(store), SMARTHR, "anew", NOW)
    assert sorted(told) == sorted(TREE["source_id"])


@pytest.mark.parametrize(("line", "found"), [(0, ("", "")), (1, ("001", "c1")), (3, ("003", "c3")), (4, ("", ""))])
def test_l8_a_refused_line_is_told_by_whom_it_stood_for_or_by_nobody(
    store: Dying, line: int, found: tuple[str, str]
) -> None:
    """Lines count from 1; EMC says 0 of a file as a whole, and may name one that there is not."""
    job = compared(store)
    stages.validate.validate(job, Emc(), EMC_FORMAT, NOW)  # type: ignore[arg-type]
    plan = job.record.read(Plan)
    lock = ImportLock(AccountFolder(store, "smarthr_emc", "acme"))
    pending = PendingImport("acme", "today", "key", plan.digest, 0, NOW.isoformat())
    lock.acquire(pending)
    problem = EmcProblem("users", line, "氏名", "TOO_LONG", "")
    refused = Import("1", "key", "rejected", errors=(problem,), error_count=1)
    with pytest.raises(RejectedLoadError, match="1件"):
        load.finish(job.record, pending, lock, Emc(), refused, NOW)  # type: ignore[arg-type]
    (row,) = job.record.read(EmcRefusal).problems
    assert (row.id, row.crew_id) == found
    assert lock.pending() is None


def test_e27_the_last_check_is_made_while_nobody_else_can_load(store: Dying) -> None:
    """What it finds stays true until EMC has the plan; where it stops the load, the account is free again."""
    job = compared(store)
    stages.validate.validate(job, Emc(), EMC_FORMAT, NOW)  # type: ignore[arg-type]
    lock, seen = job.import_lock(), []

    def check() -> None:
        seen.append(lock.pending())
        raise RecordError("an id of another tenant")

    with pytest.raises(RecordError):
        load.apply(job.record, job.record.read(Plan), lock, Emc(), lambda: (None, None), check, NOW)  # type: ignore[arg-type]
    assert [pending and pending.run for pending in seen] == ["today"]
    assert lock.pending() is None


@pytest.mark.parametrize(("checked_for", "is_loaded"), [("", True), ("another format", False)])
def test_e38_a_plan_is_loaded_in_the_format_it_was_checked_for(
    store: Dying, checked_for: str, is_loaded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan of a version that did not keep its format is loaded: an upgrade stops no run that is under way."""
    job = compared(store)
    stages.validate.validate(job, Emc(), EMC_FORMAT, NOW)  # type: ignore[arg-type]
    job.record.write(dataclasses.replace(job.record.read(Plan), emc_format=checked_for))
    monkeypatch.setattr(load, "apply", lambda *_: Import("1", "key", "committed"))

    def apply() -> str:
        return stages.load.apply(job, Emc(), EMC_FORMAT, lambda name: "secret", NOW)  # type: ignore[arg-type]

    if is_loaded:
        assert apply() == "loaded"
    else:
        with pytest.raises(SettingError, match="形式定義"):
            apply()


def promote(record: RunRecord, generation: int = 1) -> None:
    """Make that run a baseline of its tenant."""
    baseline = Baseline(generation, record.run, "digest", f"{record.tenant}.{generation}", NOW.isoformat(), 1, 1)
    Baselines(record.tenant_folder).promote(baseline)


def test_l3_what_was_compared_with_an_older_baseline_is_not_planned(store: Dying) -> None:
    """Another run was loaded since the diff."""
    job = compared(store)
    promote(compared(store, "another").record)
    with pytest.raises(BaselineError, match="差分の作成後"):
        stages.validate.validate(job, Emc(), EMC_FORMAT, NOW)  # type: ignore[arg-type]
    assert not job.record.has(Plan)


def test_e8_who_had_lost_the_id_by_the_baseline_is_known_from_day_to_day(store: Dying) -> None:
    """E9 is not for them: the runs after the one that deleted them do not fail."""
    nameless = [*PEOPLE[:2], crew("c3", "")]
    for generation, people in enumerate((PEOPLE, nameless, nameless), 1):
        job = compared(store, f"day {generation}", people)
        promote(job.record, generation)
    assert job.record.table("lost_ids")["crew_id"].tolist() == ["c3"]


@pytest.mark.parametrize("setting", ["EMCアカウント", "ID付与コード"])
def test_e25_what_names_a_tenants_ids_is_never_changed_in_place(store: Dying, setting: str) -> None:
    """In another account, or by another prefix, everybody would be new and nobody would go."""
    first = compared(store, "first").record
    first.write(RunSheet(SHEET))
    promote(first)
    start = RunStart("today", Mode.NORMAL, True, NOW.isoformat(), "0" * 64)
    with pytest.raises(LinkStateError, match=setting):
        stages.open_run.open_run(
            first.sibling("today"),
            mapping(settings={setting: "other"}),
            start,
            Emc(),
            NOW,  # type: ignore[arg-type]
        )
    assert stages.open_run.open_run(first.sibling("next"), SHEET, start, Emc(), NOW)  # type: ignore[arg-type]


def test_e3_a_run_that_is_cleared_stays_what_it_was_asked_to_be(store: Dying) -> None:
    """Its mode and its sheet are those that it began with, whatever the sheet says by now."""
    record = RunRecord(TenantFolder(store, "smarthr_emc", "acme"), "today")
    start = RunStart("today", Mode.CHECK_ONLY, True, NOW.isoformat(), "0" * 64)
    stages.open_run.open_run(record, SHEET, start, Emc(), NOW)  # type: ignore[arg-type]
    again, other = dataclasses.replace(start, mode=Mode.NORMAL), mapping({"検索ワード1": "役職1"})
    job = stages.open_run.open_run(record, other, again, Emc(), NOW)  # type: ignore[arg-type]
    assert (job.mode, job.mapping.rule("search_word_1")) == (Mode.CHECK_ONLY, None)


def test_l6_no_literal_password_is_kept_with_the_run(store: Dying) -> None:
    """The sheet's own 固定値 is used, and is nowhere in the record."""
    record = RunRecord(TenantFolder(store, "smarthr_emc", "acme"), "today")
    start = RunStart("today", Mode.NORMAL, True, NOW.isoformat(), "0" * 64)
    job = stages.open_run.open_run(record, SHEET, start, Emc(), NOW)  # type: ignore[arg-type]
    assert job.mapping == SHEET
    assert not any(b"Passw0rd" in content for content in files(job).values())


def test_e31_a_baseline_says_how_many_it_has(store: Dying) -> None:
    """As the list of generations shows it to whoever chooses one for 復元."""
    job = compared(store)
    stages.validate.validate(job, Emc(), EMC_FORMAT, NOW)  # type: ignore[arg-type]
    plan, lock = job.record.read(Plan), job.import_lock()
    pending = PendingImport("acme", "today", "key", plan.digest, 0, NOW.isoformat())
    load.finish(job.record, pending, lock, Emc(), Import("1", "key", "committed"), NOW)  # type: ignore[arg-type]
    current = Baselines(job.record.tenant_folder).current()
    assert current is not None
    assert (current.generation, current.users, current.departments) == (1, len(PEOPLE), len(TREE))


def test_e11_a_plan_whose_counts_do_not_add_up_is_kept_from_the_load(store: Dying) -> None:
    """An error of ours, whatever it is."""
    job = compared(store)
    planned = stages.validate.make_plan(job, Emc(), EMC_FORMAT)  # type: ignore[arg-type]
    users = planned.diff.sets[RecordSet.USERS]
    broken = dataclasses.replace(users, counts=dataclasses.replace(users.counts, created=9))
    diff = dataclasses.replace(planned.diff, sets={**planned.diff.sets, RecordSet.USERS: broken})
    with pytest.raises(RenkeiError, match="検算が合いません"):
        stages.validate.keep_plan(job, dataclasses.replace(planned, diff=diff))
    assert not job.record.has(Plan)


def test_e36_a_plan_is_held_only_while_its_load_is_still_to_come(store: Dying) -> None:
    """Not where nothing would be written, in 確認のみ, or once it is loaded: who let it through stays on record."""
    job = compared(store)
    stages.validate.validate(job, Emc(), EMC_FORMAT, NOW)  # type: ignore[arg-type]
    plan = job.record.read(Plan)
    job.record.write(HeldPlan(plan.digest, [Hold("delete_users", "社員の削除", 6, 40)]))
    assert stages.approve.is_held(job)
    job.record.write(dataclasses.replace(plan, departments=False, users=False))
    assert not stages.approve.is_held(job)
    job.record.write(plan)
    check = dataclasses.replace(job, start=dataclasses.replace(job.start, mode=Mode.CHECK_ONLY))
    assert not stages.approve.is_held(check)
    promote(job.record)
    assert not stages.approve.is_held(job)
    stages.approve.decide(job, False, "tanaka", "too late", NOW)
    assert not job.record.has(Approval)


@pytest.mark.parametrize(
    ("approval", "is_loaded"),
    [
        (None, False),
        (Approval("this plan", False, "tanaka", "", NOW), False),
        (Approval("another plan", True, "tanaka", "", NOW), False),
        (Approval("this plan", True, "tanaka", "", NOW), True),
    ],
    ids=["unanswered", "refused", "of another plan", "let through"],
)
def test_e36_a_held_plan_is_loaded_only_as_a_person_let_it_through(
    store: Dying, approval: Approval | None, is_loaded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = compared(store)
    stages.validate.validate(job, Emc(), EMC_FORMAT, NOW)  # type: ignore[arg-type]
    digest = job.record.read(Plan).digest
    job.record.write(HeldPlan(digest, [Hold("delete_users", "社員の削除", 6, 40)]))
    if approval:
        job.record.write(dataclasses.replace(approval, digest=approval.digest.replace("this plan", digest)))
    sent = []
    monkeypatch.setattr(load, "apply", lambda *_: sent.append(1) or Import("1", "key", "committed"))

    def apply() -> None:
        stages.load.apply(job, Emc(), EMC_FORMAT, lambda name: "secret", NOW)  # type: ignore[arg-type]

    if is_loaded:
        apply()
    else:
        with pytest.raises(HoldError, match="承認されていません"):
            apply()
    assert bool(sent) is is_loaded


def test_e38_a_run_confirms_no_upload_but_its_own(store: Dying) -> None:
    """An answer that comes late finds another run's files waiting."""
    job = compared(store)
    stages.validate.validate(job, Emc(), EMC_FORMAT, NOW)  # type: ignore[arg-type]

    class Done(Emc):
        def find_import(self, key: str) -> Import:
            return Import("1", key, "committed")

    pending = PendingImport("acme", "tomorrow", "key", "digest", 0, NOW.isoformat())
    job.import_lock().acquire(pending)
    assert stages.load.confirm(job, Done(), NOW) is None  # type: ignore[arg-type]
    assert job.import_lock().pending() == pending
    assert Baselines(job.record.tenant_folder).current() is None


@pytest.mark.parametrize("known", ["before the plan", "before the load"])
def test_e27_a_department_of_another_tenant_is_written_by_nobody_else(store: Dying, known: str) -> None:
    """As its people: found when the plan is made, or by the last check where the other tenant was quicker."""
    job = compared(store)
    other = RunRecord(TenantFolder(store, "smarthr_emc", "beta"), "r1")

    def neighbour_loads() -> None:
        frozen = freeze(SHEET, [crew("c9", "009")], departments(("B", None)))
        other.write_table("users", frozen.users)
        other.write_table("departments", frozen.departments)
        ownership.register(other, SHEET)
        promote(other)

    def validate() -> None:
        stages.validate.validate(job, Emc(), EMC_FORMAT, NOW)  # type: ignore[arg-type]

    def apply() -> None:
        stages.load.apply(job, Emc(), EMC_FORMAT, lambda name: "secret", NOW)  # type: ignore[arg-type]

    if known == "before the load":
        validate()
    neighbour_loads()
    with pytest.raises(RecordError):
        (validate if known == "before the plan" else apply)()
    problems = job.record.table("problems")
    assert problems[["record_set", "id", "kind"]].to_numpy().tolist() == [["departments", "B", "other_tenant"]]
    assert job.import_lock().pending() is None


def test_e27_a_person_of_another_tenant_is_written_by_nobody_else(store: Dying) -> None:
    """Found by the last check, too, although nothing is wrong with the departments."""
    job = compared(store)
    stages.validate.validate(job, Emc(), EMC_FORMAT, NOW)  # type: ignore[arg-type]
    other, frozen = RunRecord(TenantFolder(store, "smarthr_emc", "beta"), "r1"), freeze(SHEET, [crew("c9", "002")])
    other.write_table("users", frozen.users)
    other.write_table("departments", frozen.departments)
    ownership.register(other, SHEET)
    promote(other)
    with pytest.raises(RecordError, match="1件"):
        stages.load.apply(job, Emc(), EMC_FORMAT, lambda name: "secret", NOW)  # type: ignore[arg-type]
    assert job.record.table("problems")[["record_set", "id"]].to_numpy().tolist() == [["users", "002"]]


def test_e27_a_tenant_is_known_in_its_account_before_it_loads(store: Dying, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever becomes of the load: its ids may be in EMC from now on."""
    job = compared(store)
    stages.validate.validate(job, Emc(), EMC_FORMAT, NOW)  # type: ignore[arg-type]
    neighbour = RunRecord(TenantFolder(store, "smarthr_emc", "beta"), "r1")
    assert ownership.neighbours(neighbour, SHEET) == []

    def dies(*_: object) -> None:
        raise Died

    monkeypatch.setattr(load, "apply", dies)
    with pytest.raises(Died):
        stages.load.apply(job, Emc(), EMC_FORMAT, lambda name: "secret", NOW)  # type: ignore[arg-type]
    assert [one.tenant for one in ownership.neighbours(neighbour, SHEET)] == ["acme"]


@pytest.mark.parametrize(
    ("mode", "writes", "end"),
    [
        (Mode.NORMAL, True, None),
        (Mode.NORMAL, False, "unchanged"),
        (Mode.CHECK_ONLY, True, "checked"),
        (Mode.CHECK_ONLY, False, "checked"),
        (Mode.RELINK_CHECK, True, "checked"),
        (Mode.RELINK, True, None),
    ],
)
def test_e14_what_is_not_to_be_written_ends_the_run_before_the_load(
    store: Dying, mode: Mode, writes: bool, end: str | None
) -> None:
    job = compared(store)
    stages.validate.validate(job, Emc(), EMC_FORMAT, NOW)  # type: ignore[arg-type]
    plan = job.record.read(Plan)
    job.record.write(plan if writes else dataclasses.replace(plan, departments=False, users=False))
    job = dataclasses.replace(job, start=dataclasses.replace(job.start, mode=mode))
    assert stages.load.end_without_load(job) == end


@pytest.mark.parametrize(("secret", "is_refused"), [("Sesame1", False), ("ひみつ", True)])
def test_l7_a_password_of_a_kept_text_that_emc_refuses_is_found_before_anybody_is_asked(
    store: Dying, secret: str, is_refused: bool
) -> None:
    """Neither the text nor whom it would be of is told; how many is."""
    job = compared(store)
    stages.validate.validate(job, Emc(), EMC_FORMAT, NOW)  # type: ignore[arg-type]
    job = dataclasses.replace(job, mapping=mapping({"パスワード": "秘密:first__acme"}))
    if not is_refused:
        stages.load.check_passwords(job, EMC_FORMAT, lambda name: secret)
        return
    with pytest.raises(SettingError, match="3名") as found:
        stages.load.check_passwords(job, EMC_FORMAT, lambda name: secret)
    assert "first__acme" in str(found.value)
    assert secret not in str(found.value)
