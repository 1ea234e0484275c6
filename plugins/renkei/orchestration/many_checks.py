"""確認のみ of many companies as one job: one after another, never two at once, whatever dies in between (E3, L4, L5).

Each company's run has an id that the job gives it, so that who begins anew finds what was started and starts it no second
time. A stretch lasts minutes; then the task gives its place away and comes back (`AirflowRescheduleException`), so that
other work passes and a restart of Airflow costs nothing but a stretch. On SQLite runs that are asked for all at once
stop the scheduler: hence one, and the next one only when it is over.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from airflow.sdk.exceptions import AirflowRescheduleException, AirflowRuntimeError
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import GetDagRun, TriggerDagRun

from renkei.clock import utcnow
from renkei.errors import SettingError
from renkei.jobs.records import Jobs
from renkei.orchestration.link import LINKS, split_dag_id
from renkei.web.bulk_facts import CheckedMany, check_run

if TYPE_CHECKING:
    from renkei.orchestration.tenant import Tenant

STRETCH_S, POLL_S = 240.0, 2.0
COMES_BACK = dt.timedelta(seconds=10)
LONGEST = dt.timedelta(hours=2)  # for one company: Airflow ends a run of its own before
OVER = ("success", "failed")


class Runs(Protocol):
    """Runs of other Dags, as a task can reach them."""

    def state(self, dag_id: str, run_id: str) -> tuple[str, dt.datetime] | None:
        """How far it is, and since when it is there; None: there is none.

        Raises:
            AirflowRescheduleException: nobody can say now.
        """

    def start(self, dag_id: str, run_id: str, conf: Mapping[str, str]) -> bool:
        """Start it, unless it is there already; False: Airflow does not take it. Raises as `state`."""


class SupervisedRuns:
    """Reads and starts runs through this task's supervisor, as the user who started the job."""

    def state(self, dag_id: str, run_id: str) -> tuple[str, dt.datetime] | None:
        try:
            found: Any = task_runner.SUPERVISOR_COMMS.send(GetDagRun(dag_id=dag_id, run_id=run_id))
        except AirflowRuntimeError as error:
            if _status(error) != 404:  # it may be under way
                raise _later() from None
            return None
        return str(found.state.value), found.run_after

    def start(self, dag_id: str, run_id: str, conf: Mapping[str, str]) -> bool:
        try:
            task_runner.SUPERVISOR_COMMS.send(TriggerDagRun(dag_id=dag_id, run_id=run_id, conf=dict(conf)))
        except AirflowRuntimeError as error:
            if _status(error) not in (400, 404):  # errors of import, not loaded
                raise _later() from None  # by its id it is found then, if it was started
            return False
        return True


def run_many_checks(
    tenant: Tenant,
    asked: Mapping[str, str],
    tell: Callable[[str, int, int], None],
    runs: Runs | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> CheckedMany:
    """`asked` has the `dags`, blanks between, and the job's own `run` and `number`.

    Raises:
        AirflowRescheduleException: it goes on from here in a while.
        SettingError: a run does not end, or somebody stopped the job; nothing more is started.
        StoreError
    """
    runs, jobs, until = runs or SupervisedRuns(), Jobs(tenant.folder()), time.monotonic() + STRETCH_S
    dag_ids, run_id, refused = asked["dags"].split(), check_run(asked["run"]), []
    for place, dag_id in enumerate(dag_ids):
        tell(f"{dag_id} の確認のみを実行しています", place, len(dag_ids))
        found = runs.state(dag_id, run_id)
        if found is None:
            if jobs.read(int(asked["number"])).end is not None:
                raise SettingError("中止されました。残りの会社では始めていません。")
            if not runs.start(dag_id, run_id, {"mode": _mode(dag_id)}):
                refused.append(dag_id)
                continue
            found = "queued", utcnow()
        while found is not None and found[0] not in OVER:
            if utcnow() - found[1] > LONGEST:
                raise SettingError(
                    f"{dag_id} の確認のみが{LONGEST.seconds // 3600}時間たっても終わらないため、残りの会社では始めていません。"
                    "その実行を確認してから、残りの会社でもう一度始めてください。"
                )
            if time.monotonic() > until:
                raise _later()
            sleep(POLL_S)
            found = runs.state(dag_id, run_id)
    return CheckedMany(len(dag_ids), refused)


def _later() -> AirflowRescheduleException:
    return AirflowRescheduleException(utcnow() + COMES_BACK)  # type: ignore[no-untyped-call]


def _status(error: AirflowRuntimeError) -> int:
    """What Airflow's API server answered; 0 where it did not."""
    detail = error.error.detail
    found = detail.get("status_code") if isinstance(detail, dict) else None
    return found if isinstance(found, int) else 0


def _mode(dag_id: str) -> str:
    named = split_dag_id(dag_id)
    assert named is not None
    return LINKS[named[0]].form().looking.value
