"""However a run is started, it does what was asked, or says in its own state and mail why not (E1, E3, E31)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from airflow.exceptions import DagRunTypeNotAllowed

from tests.end_to_end.airflow_world import DAG_ID, NOTHING, AirflowWorld
from tests.end_to_end.test_what_airflow_tells import note_of

DAYS = dt.timedelta(days=1)


def form(after: dt.timedelta | None = dt.timedelta(), **conf: Any) -> dict[str, Any]:
    """The body that Airflow's trigger form sends: 論理日付 is filled in with now, and can be changed or emptied."""
    at = None if after is None else (dt.datetime.now(dt.UTC) + after).isoformat()
    return {
        "conf": {"mode": "NORMAL", "generation": None, "channel": None} | conf,
        "data_interval_start": None,
        "data_interval_end": None,
        "logical_date": at,
        "partition_key": None,
    }


def test_e1_the_form_before_the_start_date_links_for_the_first_time(world: AirflowWorld) -> None:
    """連携開始日 holds for the clock alone: a person's run before it does all of its work."""
    world.write_sheet(link_start_on=dt.date.today() + 30 * DAYS)
    run = world.run(form=form())
    assert (run.state, run.tasks["load"]) == ("success", "success")
    assert set(world.users()) == world.codes()
    assert world.mails()[-1]["subject"] == "EMC-OK"


@pytest.mark.parametrize("after", [-9000 * DAYS, None, DAYS / 96], ids=["years ago", "empty", "fast clock"])
def test_e3_any_logical_date_of_the_form_means_now(world: AirflowWorld, after: dt.timedelta | None) -> None:
    """確認のみ by the form: read, compared, told, and nothing written."""
    run = world.run(form=form(after, mode="CHECK_ONLY"))
    assert run.state == "success"
    assert world.state() == NOTHING
    assert world.mails()[-1]["subject"] == "EMC-OK(Check Only)"


@pytest.mark.parametrize(
    "body",
    [
        form(2 * DAYS),
        form() | {"run_after": (dt.datetime.now(dt.UTC) + 2 * DAYS).isoformat()},
        form(2 * DAYS)
        | {
            "dag_run_id": "mine",
            "data_interval_start": "2026-01-01T00:00:00Z",
            "data_interval_end": "2026-01-01T00:00:00Z",
        },
    ],
    ids=["論理日付", "run_after", "every field"],
)
def test_e3_a_run_for_a_day_ahead_is_refused_at_once(world: AirflowWorld, body: dict[str, Any]) -> None:
    """Airflow would let it stand until then, and every run behind it."""
    run = world.run(form=body)
    assert (run.state, run.failed()) == ("failed", ["fetch_departments", "outcome"])
    assert world.state() == NOTHING
    (mail,) = world.mails()
    assert mail["subject"] == "EMC-ERROR-S(Setting NG)"
    assert "未来の日時" in mail["body"]
    assert "未来の日時" in note_of(run.run_id)


@pytest.mark.parametrize(
    "conf", [{"Mode": "CHECK_ONLY"}, {"generation": 1}, {"channel": "総務"}], ids=["unknown", "generation", "channel"]
)
def test_l1_a_setting_that_means_nothing_here_is_refused(world: AirflowWorld, conf: dict[str, Any]) -> None:
    """A first link for a misspelt 確認のみ would have loaded everybody."""
    run = world.run(form=form(**conf))
    assert run.state == "failed"
    assert world.state() == NOTHING
    assert [mail["subject"] for mail in world.mails()] == ["EMC-ERROR-S(Setting NG)"]


def test_e3_another_dag_gets_what_it_asks_for(world: AirflowWorld) -> None:
    """TriggerDagRunOperator: its conf is obeyed; the first link stays a person's to ask for, but not a look at it (E31)."""
    assert world.run("CHECK_ONLY", run_type="operator_triggered").state == "success"
    run = world.run(run_type="operator_triggered")
    assert (run.state, world.state()) == ("failed", NOTHING)
    assert world.mails()[-1]["subject"] == "EMC-ERROR-S(Setting NG)"
    assert world.run().state == "success"
    before = world.state()
    world.day(joiners=2)
    assert world.run("CHECK_ONLY", run_type="operator_triggered").state == "success"
    assert world.state() == before


def test_e1_a_backfill_is_refused_before_it_starts(world: AirflowWorld) -> None:
    """SmartHR cannot be read as it was, and Airflow would let several of one company run at a time (E1)."""
    from airflow.models.backfill import ReprocessBehavior, _create_backfill

    world.run("CHECK_ONLY")
    for behavior in ReprocessBehavior:
        with pytest.raises(DagRunTypeNotAllowed, match="does not allow backfill"):
            _create_backfill(
                dag_id=DAG_ID,
                from_date=dt.datetime.now(dt.UTC) - 3 * DAYS,
                to_date=dt.datetime.now(dt.UTC),
                max_active_runs=3,
                reverse=False,
                dag_run_conf={},
                triggering_user_name="tanto",
                reprocess_behavior=behavior,
            )
