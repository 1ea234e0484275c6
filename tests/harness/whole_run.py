"""A whole run of a link's Dag in this process, by the Dag file that is delivered."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.models.dagrun import DagRun
from airflow.utils.types import DagRunType

from tests.conftest import HOME, ROOT


def whole_run(link: str, *, by_schedule: bool = False, **conf: Any) -> DagRun:
    """How a run of acme's Dag ended; every task was tried once."""
    file = Path(shutil.copyfile(ROOT / f"dags/{link}.py", HOME / f"dags/{link}.py"))
    try:
        bag = DagBag(str(file))
        assert bag.import_errors == {}
        dag: Any = bag.dags[f"{link}__acme"]
        for task in dag.tasks:
            task.retries = 0
        with pytest.MonkeyPatch.context() as patch:
            if by_schedule:  # `test` makes manual runs alone
                patch.setattr(DagRun, "generate_run_id", lambda **_: f"scheduled__{time.time_ns()}")
                patch.setattr(DagRunType, "from_run_id", lambda _: DagRunType.MANUAL)
            ended: DagRun = dag.test(run_conf={"mode": "NORMAL", **conf}, logical_date=None)
        return ended
    finally:
        file.unlink()
