"""Runs that come back: an id used twice, an ended run cleared after newer ones (L3, L4, E3)."""

from __future__ import annotations

import pytest

from tests.end_to_end.airflow_world import AirflowWorld


def test_l4_a_run_with_a_deleted_runs_id_reads_smarthr_afresh(world: AirflowWorld) -> None:
    """Delete a run and start another of its id: who joined since then stays, the new state is loaded."""
    world.run()
    world.day(joiners=2)
    dead = world.run(scheduled=True)
    world.day(joiners=3)
    world.run(scheduled=True)
    world.day(leavers=1)
    run = world.run(scheduled=True, anew=dead)
    assert (run.run_id, run.state) == (dead.run_id, "success")
    assert run.folder != dead.folder
    assert set(world.users()) == world.codes()
    assert world.record(run, "diff")["sets"]["users"]["counts"]["deleted"] == 1
    assert [mail["subject"] for mail in world.mails()] == ["EMC-OK"] * 4


@pytest.mark.parametrize("task", ["fetch_departments", "fetch_users", "diff", "load"])
def test_l3_an_older_run_that_is_cleared_stops_and_says_why(world: AirflowWorld, task: str) -> None:
    """From any task, after a newer run has been confirmed: nobody who joined since is deleted, and it is no success."""
    world.run()
    world.day(joiners=1)
    older = world.run(scheduled=True)
    world.day(joiners=2)
    world.run(scheduled=True)
    before = world.state()
    run = world.run(clear=(older, task))
    assert (run.run_id, run.folder, run.state) == (older.run_id, older.folder, "failed")
    assert world.state() == before
    assert "手動で新しく実行（Trigger）してください" in world.mails()[-1]["body"]
