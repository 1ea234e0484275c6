"""What becomes of a run in Airflow when it ends (E2): its note, its colour, its open questions.

Airflow calls this in the scheduler, and in the API server where a person marks a run. A task cannot write the note of
its run (nor is there a token by which it could ask for it), so the last task leaves its lines as an XCom, and whoever
ends the run puts them there. A run is a success only if `outcome` itself marked it as good, or, where that was
skipped, the task that skipped it (`notify`, or one that ended the run early): a run or a task that a person marks is
not. Airflow loads this module in every process: it imports next to nothing.
"""

from __future__ import annotations

from typing import Any

from airflow.listeners import hookimpl

from renkei.orchestration.link import split_dag_id


@hookimpl
def on_dag_run_success(dag_run: Any, msg: str) -> None:
    _end(dag_run)


@hookimpl
def on_dag_run_failed(dag_run: Any, msg: str) -> None:
    _end(dag_run)


def _end(dag_run: Any) -> None:
    if split_dag_id(dag_run.dag_id):
        from renkei.orchestration import ended_run  # with all of a report: every process of Airflow loads this module

        ended_run.finish(dag_run)
