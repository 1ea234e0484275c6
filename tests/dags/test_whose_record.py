"""Which record is a run's (L4): drawn once by the first task, kept by Airflow with the DagRun, handed on to the others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from renkei.errors import UnknownRunError
from renkei.orchestration.link import LINKS
from renkei.orchestration.stage import run_of
from renkei.orchestration.tenant import Tenant
from renkei.sheets.compiled import Compiled

RUN_ID = "scheduled__2026-11-27T19:30:00+00:00"


class DagRun:
    """What Airflow keeps of one DagRun: task state outlives tries and clears, XComs do not."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}
        self.xcoms: dict[tuple[str, str], Any] = {}

    def task(self, task_id: str) -> str:
        """One try of a task."""
        self.xcoms = {key: value for key, value in self.xcoms.items() if key[0] != task_id}
        ti = SimpleNamespace(
            task_id=task_id,
            xcom_push=lambda key, value: self.xcoms.update({(task_id, key): value}),
            xcom_pull=lambda task_ids, key: self.xcoms.get((task_ids, key)),
        )
        store = SimpleNamespace(get=self.state.get, set=lambda key, value, retention: self.state.update({key: value}))
        tasks = [SimpleNamespace(task_id=one) for one in ("first", "second")]
        dag = SimpleNamespace(topological_sort=lambda: tasks)
        tenant = Tenant(LINKS["smarthr_emc"], "acme", Compiled("acme", "", None), "acme.yaml", "")
        return run_of(tenant, {"ti": ti, "dag": dag, "run_id": RUN_ID, "task_state_store": store})


def test_l4_every_task_try_and_clear_of_a_run_has_its_record() -> None:
    """A readable name with the run's date."""
    run = DagRun()
    names = [run.task(task) for task in ("first", "first", "second", "first", "second", "second")]
    assert len(set(names)) == 1
    assert names[0].startswith("scheduled__2026-11-27T19-30-00")


def test_l4_another_run_of_the_same_id_has_another_record() -> None:
    """Deleted and made anew, or in another Airflow."""
    assert len({DagRun().task("first") for _ in range(20)}) == 20


@pytest.mark.parametrize("edited", ["../../victim/runs/x.0123456789ab", "x/y.0123456789ab", "..", "", 7, "other"])
def test_l5_a_name_edited_in_airflow_leads_nowhere(edited: object) -> None:
    """XComs can be written by hand, by whoever may change a run of one tenant."""
    run = DagRun()
    run.task("first")
    run.xcoms = {("first", "run"): edited}
    with pytest.raises(UnknownRunError):
        run.task("second")


def test_l1_a_run_whose_record_is_forgotten_stops() -> None:
    """XComs cleaned away, or a first task marked as done by hand: no other run's record is taken for it."""
    run = DagRun()
    run.task("first")
    run.xcoms.clear()
    with pytest.raises(UnknownRunError, match="手動で新しく実行（Trigger）"):
        run.task("second")
