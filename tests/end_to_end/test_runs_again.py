"""Runs that come back: an id used twice, an ended run cleared after newer ones (L3, L4, E3)."""

from __future__ import annotations

from tests.end_to_end.airflow_world import AirflowWorld


def test_l4_a_run_with_a_deleted_runs_id_reads_smarthr_afresh(world: AirflowWorld) -> None:
    """Delete a run and start another of its id: who joined since then stays, the new state is loaded."""
    world.link()
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
    assert [mail["subject"] for mail in world.mails()] == ["EMC-OK"] * 3


def test_l3_an_older_run_that_is_cleared_stops_and_says_why(world: AirflowWorld) -> None:
    """From any task, after a newer run has been confirmed: nobody who joined since is deleted, and it is no success."""
    world.link()
    world.day(joiners=1)
    older = world.run(scheduled=True)
    world.day(joiners=2)
    world.run(scheduled=True)
    before, mails = world.state(), len(world.mails())
    for number, task in enumerate(("load", "diff", "fetch_users", "fetch_departments"), start=1):  # each with the last
        run = world.run(clear=(older, task))
        assert (run.run_id, run.folder, run.state) == (older.run_id, older.folder, "failed"), task
        assert world.state() == before, task
        # Two that end within one second would say the same to the letter, which is told once.
        assert mails < len(world.mails()) <= mails + number, task
        assert "手動で新しく実行（Trigger）してください" in world.mails()[-1]["body"], task
