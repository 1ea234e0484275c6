"""A task that has nothing to do costs no process (E2, E36)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import DownstreamTasksSkipped

from renkei.orchestration.link import LINKS
from renkei.orchestration.stage import StageOperator, WithoutTasks
from renkei.orchestration.tenant import Tenant
from renkei.sheets.compiled import Compiled


def no_holds(*_: Any) -> WithoutTasks:
    return WithoutTasks(["none"], ("approve",))


def operator() -> StageOperator:
    tenant = Tenant(LINKS["smarthr_emc"], "acme", Compiled("acme", "", None), "acme.yaml", "")
    return StageOperator(tenant=tenant, function=f"{__name__}:no_holds", task_id="validate")


def test_e36_a_question_that_nobody_has_is_skipped_and_the_result_is_kept() -> None:
    """E36: Airflow keeps no result of a task that skips others; it is pushed as any other is."""
    pushed: dict[str, Any] = {}
    ti = SimpleNamespace(try_number=1, xcom_push=lambda key, value: pushed.update({key: value}))
    with pytest.raises(DownstreamTasksSkipped) as skipped:
        operator().execute({"run_id": "manual__1", "ti": ti})
    assert (skipped.value.tasks, pushed) == (["approve"], {"return_value": ["none"]})


def test_e36_whoever_died_after_skipping_a_question_skips_nothing() -> None:
    """E36, L4: a second try may find a plan to hold, and Airflow takes no skipping back: `load` refuses it then."""
    ti = SimpleNamespace(try_number=2)
    assert operator().execute({"run_id": "manual__1", "ti": ti}) == ["none"]
