"""A run as Airflow knows it, its record, and whether that knows of a good end."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from renkei.clock import utcnow
from renkei.errors import BaselineError, StoreError, UnknownRunError
from renkei.orchestration.monitor.operator_channels import airflow_page
from renkei.orchestration.stage import record_of
from renkei.orchestration.tenant import Tenant
from renkei.runs import outcome as outcomes
from renkei.runs.outcome import Outcome
from renkei.storage.runs import RunRecord

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AirflowRun:
    """A run as Airflow knows it."""

    dag_id: str
    run_id: str
    started: dt.datetime

    @property
    def page(self) -> str:
        """The run in Airflow's UI."""
        return airflow_page(f"/dags/{self.dag_id}/runs/{quote(self.run_id, safe=':+')}")


def failed_tasks(context: Any, task_ids: list[str]) -> list[str]:
    """Those of the tasks that failed in this run, in the order given."""
    run_id = context["run_id"]
    states = context["ti"].get_task_states(dag_id=context["dag"].dag_id, task_ids=task_ids, run_ids=[run_id])
    return [task for task in task_ids if states.get(run_id, {}).get(task) in ("failed", "upstream_failed")]


def this_run(context: Any) -> AirflowRun:
    return AirflowRun(context["dag"].dag_id, context["run_id"], context["dag_run"].start_date or utcnow())


def this_record(tenant: Tenant, context: Any) -> RunRecord | None:
    """The run's record, or None where it is out of reach."""
    try:
        return record_of(tenant, context)
    except (StoreError, UnknownRunError):
        return None


def good_end(record: RunRecord | None) -> tuple[Outcome, dt.datetime] | None:
    """How the run ended well, and when; None where its record knows of no good end, or cannot be read (L1)."""
    try:
        return outcomes.good_end(record) if record is not None else None
    except (StoreError, BaselineError) as error:
        log.error("how this run ended cannot be read: %s", type(error).__name__)
        return None
