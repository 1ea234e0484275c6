"""The last tasks of a run: a good end needs one of them, any other both (E2, N3)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.errors import NotificationError
from renkei.orchestration import result_notification
from renkei.orchestration.closing_tasks import notify
from renkei.orchestration.link import LINKS
from renkei.orchestration.stage import RUN_KEY, WithoutTasks
from renkei.orchestration.tenant import Tenant
from renkei.runs.outcome import Summary, note_end
from renkei.sheets.compiled import Compiled
from renkei.storage.runs import RunRecord, run_key
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder

NOW = dt.datetime(2026, 4, 1, 4, 38, tzinfo=dt.UTC)
RUN = run_key("manual__1", "0" * 32)
TOLD = {"subject": "EMC-OK", "told": {}}


class Ended:
    """A run of which only the closing is left, as its tasks see it."""

    def __init__(self, folder: Path, mode: str = "NORMAL") -> None:
        sheet: Compiled[Any] = Compiled("acme", "", None, result_addresses=("soumu@acme.example.jp",))
        self.tenant = Tenant(LINKS["smarthr_emc"], "acme", sheet, "", str(folder / "dags/smarthr_emc.py"))
        self.record = RunRecord(TenantFolder(Store(LocalFileSystem(), str(folder)), "smarthr_emc", "acme"), RUN)
        self.pushed: dict[str, Any] = {}
        first = SimpleNamespace(task_id="fetch_departments")
        self.context = {
            "run_id": "manual__1",
            "ti": SimpleNamespace(
                id="try-1",
                task_id="notify",
                xcom_push=lambda key, value: self.pushed.update({key: value}),
                xcom_pull=lambda key="return_value", **_: RUN if key == RUN_KEY else None,
            ),
            "dag": SimpleNamespace(topological_sort=lambda: [first]),
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
