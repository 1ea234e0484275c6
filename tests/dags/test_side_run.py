"""A side run is left out where it is of no use, and never keeps the daily run waiting (E43)."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowTaskTimeout

from renkei.errors import RetriableFetchError, RetriableNotificationError
from renkei.orchestration import stage as stages
from renkei.orchestration.form import RunMode
from renkei.orchestration.link import LINKS
from renkei.orchestration.side_run import is_too_late
from renkei.orchestration.stage import StageOperator
from renkei.orchestration.tenant import Tenant
from renkei.sheets.compiled import Compiled
from renkei.sheets.side_run import SideRun

EVENING = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)  # 18:00 in Japan
DAILY = EVENING + dt.timedelta(hours=10, minutes=30)
CHECK = SideRun("check", dt.time(18, 0, 15), dt.timedelta(hours=1))


def tenant(*side_runs: SideRun) -> Tenant:
    sheet: Compiled[Any] = Compiled("acme", "", None, run_at=dt.time(4, 30), side_runs=side_runs)
    return Tenant(LINKS["smarthr_emc"], "acme", sheet, "acme.yaml", "")


def context(mark: str = "__check", started: dt.datetime = EVENING) -> dict[str, Any]:
    run = SimpleNamespace(run_type="scheduled", run_after=EVENING, start_date=started, conf={})
    ti = SimpleNamespace(xcom_push=lambda **_: None)
    return {"run_id": f"scheduled__{EVENING.isoformat()}{mark}", "dag_run": run, "ti": ti}


def test_e43_a_run_that_began_late_or_is_no_longer_asked_for_is_of_no_use() -> None:
    """E43: Airflow was down, another run waited for an answer, the sheet has changed, an old run is cleared."""
    minutes = [0, 59, 61, 60 * 24]
    late = [is_too_late(tenant(CHECK), context(started=EVENING + dt.timedelta(minutes=one))) for one in minutes]
    assert late == [False, False, True, True]
    assert is_too_late(tenant(), context())


def test_e43_it_ends_before_the_daily_run_and_is_not_retried_into_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """E43: a task that hangs, one that fails late, one that begins late; another run has no such end."""
    task = StageOperator(
        tenant=tenant(CHECK), function="renkei:none", task_id="t", execution_timeout=dt.timedelta(hours=3)
    )
    ends = until, retried = task._ends_at(context())
    assert (until, retried) == (DAILY - dt.timedelta(minutes=40),) * 2
    assert task._ends_at(context(mark="")) == (None, None)
    monkeypatch.setattr(stages, "utcnow", lambda: until - dt.timedelta(minutes=5))
    task.pre_execute(context())
    assert task.execution_timeout == dt.timedelta(minutes=5)
    with pytest.raises(RetriableFetchError), stages.stage(task.tenant, context(), *ends):
        raise RetriableFetchError("x")
    with pytest.raises(AirflowTaskTimeout), stages.stage(task.tenant, context(), *ends):
        raise AirflowTaskTimeout
    monkeypatch.setattr(stages, "utcnow", lambda: until)
    with pytest.raises(AirflowFailException, match="次の処理は予定どおり"), stages.stage(task.tenant, context(), *ends):
        pytest.fail("no work is begun")
    assert task._ends_at(context(started=until)) == (None, None)  # Airflow was down: it is left out, no failure
    assert is_too_late(task.tenant, context(started=until))


def test_e43_telling_of_it_never_keeps_the_daily_run_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """E43, N3: a mail server that hangs has what is left until the daily run, and no retry after that."""
    notify, outcome = (
        StageOperator(
            tenant=tenant(CHECK), function="renkei:none", task_id=name, execution_timeout=dt.timedelta(minutes=10)
        ).as_teardown()
        for name in ("notify", "outcome")
    )
    assert outcome._ends_at(context()) == (None, None)
    ends = until, retried = notify._ends_at(context())
    assert (until, retried) == (DAILY - dt.timedelta(minutes=2), DAILY - dt.timedelta(minutes=40))
    untold = RetriableNotificationError("x")
    monkeypatch.setattr(stages, "utcnow", lambda: retried - dt.timedelta(seconds=1))
    with pytest.raises(RetriableNotificationError), stages.stage(notify.tenant, context(), *ends):
        raise untold
    monkeypatch.setattr(stages, "utcnow", lambda: until - dt.timedelta(minutes=5))
    notify.pre_execute(context())
    assert notify.execution_timeout == dt.timedelta(minutes=5)
    for error in (untold, AirflowTaskTimeout()):
        with pytest.raises(AirflowFailException), stages.stage(notify.tenant, context(), *ends):
            raise error


def test_e43_a_scheduled_run_does_what_its_id_says() -> None:
    """E43, E44: an unknown mark only looks; the conf of a run that begins by itself says nothing."""
    form = LINKS["smarthr_emc"].form()
    found = {mark: form.scheduled(context(mark)["run_id"]) for mark in ("", "__check", "__reconcile", "__past")}
    assert {mark: (mode.value, mode.writes) for mark, mode in found.items()} == {
        "": ("NORMAL", True),
        "__check": ("CHECK_ONLY", False),
        "__reconcile": ("RECONCILE", False),
        "__past": ("CHECK_ONLY", False),
    }
    request = tenant(CHECK).run_request(context())
    assert (request.is_side_run, request.mode) == (True, RunMode("CHECK_ONLY", "事前確認", writes=False))
    assert not tenant(CHECK).run_request(context("")).is_side_run
