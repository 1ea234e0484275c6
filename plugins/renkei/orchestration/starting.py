"""A run that is asked to wait for a moment ahead starts at once, and its first task says that it cannot wait.

Airflow would keep such a run: 実行中 without a task until its 論理日付 has come, or queued until its `run_after`. Either
way it counts as the one run that a tenant may have (`max_active_runs`), so the daily run is not started until then.
Nothing that Airflow asks a Dag or a timetable sees every way of starting a run (a run id of one's own, a data interval of
one's own); the moment at which the run is written to the database does.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
from typing import Any

from renkei.clock import TOKYO, utcnow
from renkei.orchestration.link import split_dag_id

AHEAD = "未来の日時"  # in the conf: the moment that a run was asked to wait for
SKEW = dt.timedelta(hours=1)  # the form fills in the browser's clock, which may be fast


def watch_new_runs() -> None:
    """Have Airflow ask `start_now` of each run that this process creates; nothing in one that creates none."""
    models = sys.modules.get("airflow.models.dagrun")  # workers and parsers need not import it for this
    if models is not None:
        from sqlalchemy import event

        event.listen(models.DagRun, "before_insert", lambda _mapper, _connection, run: start_now(run, utcnow()))


def start_now(run: Any, now: dt.datetime) -> None:
    """Take from a tenant's run every moment that lies ahead; `Form.run_request` finds it in the run's conf.

    A 論理日付 means nothing here, and is the daily run's alone: by it Airflow knows that this one is there, and would leave
    it out for another run that has the same. The daily run's moment has come, by the database's clock.
    """
    if not split_dag_id(run.dag_id) or run.run_type == "scheduled":
        return
    ahead = max((moment for moment in (run.logical_date, run.run_after) if moment and moment > now), default=None)
    run.logical_date = run.data_interval_start = run.data_interval_end = None
    if ahead is None:
        return
    run.run_after = now
    if ahead - now > SKEW:
        run.conf = {**(run.conf or {}), AHEAD: _shown(ahead)}


def _shown(moment: dt.datetime) -> str:
    with contextlib.suppress(OverflowError):  # of the last hours of the year 9999
        moment = moment.astimezone(TOKYO)
    return f"{moment:%Y/%m/%d %H:%M}"
