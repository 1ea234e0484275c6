"""The last tasks of a run: a good end needs one of them, any other both (E2, N3)."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from fsspec.implementations.local import LocalFileSystem

from renkei.channel import Event
from renkei.errors import NotificationError, SettingError, StoreError
from renkei.notifications.trial import Step
from renkei.orchestration import channel_connections, result_notification, run_notes
from renkei.orchestration.closing_tasks import notify, outcome
from renkei.orchestration.early_end import skip_remaining
from renkei.orchestration.link import LINKS
from renkei.orchestration.stage import RUN_KEY, WithoutTasks
from renkei.orchestration.tenant import Tenant
from renkei.runs.notes import LastWritingRun
from renkei.runs.outcome import LEFT_OUT, Outcome, Summary, note_end
from renkei.sheets.compiled import Compiled
from renkei.storage import records
from renkei.storage.runs import RunRecord, run_key
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder

NOW = dt.datetime(2026, 4, 1, 4, 38, tzinfo=dt.UTC)
RUN = run_key("manual__1", "0" * 32)
TOLD = {"subject": "EMC-OK", "told": {}}


class Ended:
    """A run of which only the closing is left, as its tasks see it."""

    def __init__(
        self, folder: Path, mode: str = "NORMAL", run_id: str = "manual__1", rest: tuple[str, ...] = ()
    ) -> None:
        sheet: Compiled[Any] = Compiled("acme", "", None, result_addresses=("soumu@acme.example.jp",))
        self.tenant = Tenant(LINKS["smarthr_emc"], "acme", sheet, "", str(folder / "dags/smarthr_emc.py"))
        self.record = RunRecord(TenantFolder(Store(LocalFileSystem(), str(folder)), "smarthr_emc", "acme"), RUN)
        self.pushed: dict[str, Any] = {}
        self.told: Any = None  # what `notify` gave back
        order = [SimpleNamespace(task_id=name) for name in ("fetch_departments", *rest)]
        self.context = {
            "run_id": run_id,
            "ti": SimpleNamespace(
                id="try-1",
                task_id="notify",
                xcom_push=lambda key, value: self.pushed.update({key: value}),
                xcom_pull=lambda key="return_value", **_: {RUN_KEY: RUN, "return_value": self.told}.get(key),
                get_task_states=lambda run_ids, **_: {one: {} for one in run_ids},
            ),
            "dag": SimpleNamespace(dag_id=self.tenant.dag_id, topological_sort=lambda: order),
            "dag_run": SimpleNamespace(conf={"mode": mode}, run_type="manual", start_date=NOW),
        }


@pytest.fixture(autouse=True)
def _told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENKEI_STORE", str(tmp_path))
    monkeypatch.setattr(result_notification, "report_run", lambda *_: TOLD)


def test_e2_a_run_that_ended_well_is_closed_by_notify_alone(tmp_path: Path) -> None:
    """E2: word of the good end by the id of this very try, and what the run's page says."""
    run = Ended(tmp_path)
    note_end(run.record, "loaded", NOW)
    run.record.write(Summary(["EMC-OK"]))
    assert notify(run.tenant, run.context) == WithoutTasks(TOLD, ("outcome",))
    assert run.pushed == {"well try-1": True, "summary": ["EMC-OK"]}


def test_n3_a_channel_that_fails_changes_nothing_of_a_good_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """N3: word of the good end comes before the telling: a second try may find `outcome` skipped already."""

    def refused(*_: Any) -> None:
        raise NotificationError("m")

    monkeypatch.setattr(result_notification, "report_run", refused)
    run = Ended(tmp_path)
    note_end(run.record, "loaded", NOW)
    with pytest.raises(NotificationError):
        notify(run.tenant, run.context)
    assert run.pushed == {"well try-1": True}


def test_e2_only_outcome_says_how_any_other_run_ended(tmp_path: Path) -> None:
    """E2: one without a good end on record, and one that only looks, which stays red while the link is failing."""
    unfinished = Ended(tmp_path)
    assert notify(unfinished.tenant, unfinished.context) == TOLD
    looked = Ended(tmp_path, "CHECK_ONLY")
    note_end(looked.record, "checked", NOW)
    assert notify(looked.tenant, looked.context) == TOLD
    assert {**unfinished.pushed, **looked.pushed} == {}


def test_e43_a_side_run_that_was_left_out_is_told_to_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Ended(tmp_path, run_id="scheduled__2026-04-01T09:00:07__check")
    run.context["dag_run"].run_type = "scheduled"
    note_end(run.record, LEFT_OUT, NOW)
    monkeypatch.setattr(result_notification, "report_run", lambda *_: pytest.fail("told"))
    assert notify(run.tenant, run.context) == {}
    assert run.pushed == {}


@pytest.mark.parametrize("is_told", [True, False])
def test_e4_a_run_of_which_somebody_heard_is_none_that_told_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_told: bool
) -> None:
    """E4: and what waited for a person waits no more, told or not; another run's notes stay."""
    run, folder = Ended(tmp_path), TenantFolder(Store(LocalFileSystem(), str(tmp_path)), "smarthr_emc", "acme")
    run_notes.note_begun(run.record, run.context)
    run_notes.note_waiting(run.tenant, run.context, NOW, Outcome.HOLD)
    other = Ended(tmp_path, run_id="manual__2")
    if not is_told:

        def refused(*_: Any) -> None:
            raise NotificationError("m")

        monkeypatch.setattr(result_notification, "report_run", refused)
    with contextlib.suppress(NotificationError):
        notify(other.tenant, other.context)
    assert (folder.store.exists(folder.begun), folder.store.exists(folder.waiting)) == (True, True)
    with contextlib.suppress(NotificationError):
        notify(run.tenant, run.context)
    assert (folder.store.exists(folder.begun), folder.store.exists(folder.waiting)) == (not is_told, False)


def test_e2_only_a_good_end_on_record_makes_the_run_good(tmp_path: Path) -> None:
    """E2: whatever Airflow's states say; word of it is by the id of this very try."""
    unfinished = Ended(tmp_path)
    with pytest.raises(AirflowFailException, match="完了した記録がありません"):
        outcome(unfinished.tenant, unfinished.context)
    assert "well try-1" not in unfinished.pushed
    ended = Ended(tmp_path)
    note_end(ended.record, "loaded", NOW)
    outcome(ended.tenant, ended.context)
    assert ended.pushed["well try-1"] is True


@pytest.mark.parametrize(
    ("sheet", "writing_run", "red"),
    [
        ({"mapping": "a mapping"}, "", ""),
        ({"mapping": "a mapping"}, "another.run", "manual__0"),
        ({"mapping": "a mapping"}, RUN, ""),  # it has ended well
        ({"mapping": None}, "", "連携設定シートに誤り"),
        ({"mapping": None, "pending": True}, "", ""),  # nobody knows yet
    ],
    ids=["well", "failing", "put right", "broken sheet", "pending sheet"],
)
def test_e2_a_run_that_only_looks_hides_no_failing_link(
    tmp_path: Path, sheet: dict[str, Any], writing_run: str, red: str
) -> None:
    run = Ended(tmp_path, "CHECK_ONLY")
    note_end(run.record, "checked", NOW)
    folder = run.record.tenant_folder
    if writing_run:
        records.write(folder.store, folder.last_real, LastWritingRun("manual__0", writing_run))
    tenant = dataclasses.replace(run.tenant, sheet=dataclasses.replace(run.tenant.sheet, **sheet))
    if red:
        with pytest.raises(AirflowFailException, match=red):
            outcome(tenant, run.context)
    else:
        outcome(tenant, run.context)
    assert ("well try-1" in run.pushed) is not bool(red)


@pytest.mark.parametrize("told", [None, TOLD])
def test_n5_a_test_of_channels_is_as_good_as_its_notify(tmp_path: Path, told: Any) -> None:
    """N5: it has no end on record, for it does none of the link's work."""
    run = Ended(tmp_path, "notify_test")
    run.told = told
    run.tenant = dataclasses.replace(run.tenant, sheet=dataclasses.replace(run.tenant.sheet, mapping="a mapping"))
    if told is None:
        with pytest.raises(AirflowFailException, match="通知テストに失敗"):
            outcome(run.tenant, run.context)
    else:
        outcome(run.tenant, run.context)
    assert ("well try-1" in run.pushed) is (told is not None)


@pytest.mark.parametrize(
    ("steps", "failed"),
    [
        ([Step("送信", True, "届きました")], False),
        ([Step("送信", True, "届きました"), Step("宛先", False, "1人に届きません", decides=False)], False),
        ([Step("接続", False, "トークンが無効です")], True),
    ],
    ids=["well", "a warning", "broken"],
)
def test_n5_only_what_decides_fails_a_test_of_channels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: list[Step], failed: bool
) -> None:
    run = Ended(tmp_path, "notify_test")
    (channel,) = run.tenant.channels
    monkeypatch.setattr(channel_connections, "try_channels", lambda *_: [(channel, step) for step in steps])
    if failed:
        with pytest.raises(NotificationError, match="トークンが無効です"):
            notify(run.tenant, run.context)
    else:
        assert notify(run.tenant, run.context) == {"told": {channel.name: list(map(str, steps))}}


def test_n5_a_channel_that_the_sheet_does_not_have_cannot_be_tested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_connections, "try_channels", lambda *_: pytest.fail("tried"))
    run = Ended(tmp_path, "notify_test")
    run.context["dag_run"].conf["channel"] = "総務"
    with pytest.raises(SettingError, match="通知先「総務」は連携設定シートにありません"):
        notify(run.tenant, run.context)


REST = ("diff", "load", "notify", "outcome")


@pytest.mark.parametrize("heard", [False, True, StoreError("away")], ids=["quiet", "heard", "store away"])
def test_e2_who_ends_a_run_early_closes_it_only_where_nobody_has_to_hear_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, heard: Any
) -> None:
    """Else, and where nobody can say, its last tasks do; the task itself is never skipped."""

    def note_quiet(*_: Any) -> Any:
        if isinstance(heard, StoreError):
            raise heard
        return None if heard else ("EMC-OK", ["EMC-OK", "no change"])

    monkeypatch.setattr(result_notification, "note_quiet", note_quiet)
    run = Ended(tmp_path, rest=("snapshot", *REST))
    run.context["ti"].task_id = "snapshot"
    result = skip_remaining(run.tenant, run.context, {"rows": 0})
    if heard:
        assert (result, run.pushed) == (WithoutTasks({"rows": 0}, REST[:2]), {})
        return
    assert result == WithoutTasks({"rows": 0}, REST)
    assert run.pushed == {
        "told": {"subject": "EMC-OK", "told": {}},
        "summary": ["EMC-OK", "no change"],
        "well try-1": True,
    }


@pytest.mark.parametrize(("ended", "quiet"), [(False, True), (True, False), (True, True)])
def test_n3_the_watch_knows_of_a_run_that_ended_well_and_told_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: bool, quiet: bool
) -> None:
    """Without a good end on record, or where somebody has to hear of it, nothing is noted."""
    run = Ended(tmp_path)
    run_notes.note_begun(run.record, run.context)
    if ended:
        note_end(run.record, "unchanged", NOW)
    report = SimpleNamespace(quiet=quiet, event=Event.UNCHANGED, summary=lambda: ["no change"])
    monkeypatch.setattr(result_notification, "_report", lambda *_: (report, run.record))
    folder = run.record.tenant_folder
    told = result_notification.note_quiet(run.tenant, run.context)
    is_closed = ended and quiet
    assert (told is not None) is is_closed
    assert (folder.store.exists(folder.last_result), folder.store.exists(folder.begun)) == (is_closed, not is_closed)
    if told:
        assert told[1] == run.record.read(Summary).lines == ["no change"]
