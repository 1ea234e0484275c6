"""A run that found nothing to do ends in the task that found it: those after it are skipped, and take no process.

A process of Airflow's costs a third of a second of a core, whatever it does; a quiet run of a link that runs every few
minutes would take eight. Where nobody has to hear of the run, `notify` and `outcome` are skipped with the others: this
task has then noted what the watch looks for, and that the run is well (`run_end`).
"""

from __future__ import annotations

import logging
from typing import Any

from renkei.errors import StoreError
from renkei.orchestration import result_notification
from renkei.orchestration.closing_keys import SUMMARY_KEY, TOLD_KEY, mark_run_good
from renkei.orchestration.stage import WithoutTasks
from renkei.orchestration.tenant import Tenant

log = logging.getLogger(__name__)
CLOSING = ("notify", "outcome")


def skip_remaining(tenant: Tenant, context: Any, result: Any) -> WithoutTasks:
    """`result` of a task whose run has a good end on record. Skips all remaining tasks, except those that tell of the run
    where somebody must hear of it."""
    order = [task.task_id for task in context["dag"].topological_sort()]
    rest = order[order.index(context["ti"].task_id) + 1 :]
    is_closed = _is_closed(tenant, context)
    return WithoutTasks(result, tuple(task for task in rest if is_closed or task not in CLOSING))


def _is_closed(tenant: Tenant, context: Any) -> bool:
    """Do what `notify` and `outcome` would; False where they have to do it themselves."""
    ti = context["ti"]
    try:
        told = result_notification.note_quiet(tenant, context)
    except StoreError as error:
        log.warning("the end of this run is left to its last tasks: %s", type(error).__name__)
        return False
    if told is None:
        return False
    subject, lines = told
    ti.xcom_push(key=TOLD_KEY, value={"subject": subject, "told": {}})
    ti.xcom_push(key=SUMMARY_KEY, value=lines)
    mark_run_good(context)
    return True
