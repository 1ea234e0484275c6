"""A tenant's colour is that of its last real run; a broken sheet is told to those who are known (E2, L5)."""

from __future__ import annotations

import pytest

from tests.end_to_end.airflow_world import ADDRESS, AirflowWorld


@pytest.fixture
def failing(world: AirflowWorld, closed_port: int) -> AirflowWorld:
    """A linked company whose last daily run has failed."""
    world.run()
    world.day(joiners=1)
    world.connect("emc__acme", conn_type="emc", host=f"http://127.0.0.1:{closed_port}", password="emc_sim_acme")
    assert world.run(scheduled=True, retries=0).state == "failed"
    world.connect_all()
    return world


def test_e2_what_only_looks_or_tests_does_not_hide_a_failure(failing: AirflowWorld) -> None:
    """確認のみ, 照合 and 通知テスト do what they are asked to and tell it; the Dag stays red until the link is well."""
    for mode, subject in (("CHECK_ONLY", "EMC-OK(Check Only)"), ("RECONCILE", "EMC-OK(Compare)"), ("notify_test", "")):
        run = failing.run(mode, retries=0)
        assert (mode, run.state, run.failed()) == (mode, "failed", ["outcome"])
        assert subject in failing.mails()[-1]["subject"]
    assert failing.run().state == "success"
    assert failing.run("CHECK_ONLY").state == "success"


def test_e2_a_failed_run_that_is_cleared_and_goes_well_puts_it_right(world: AirflowWorld, closed_port: int) -> None:
    """A run that EMC could not take, and its load again when EMC is back: what only looks is green again."""
    world.connect("emc__acme", conn_type="emc", host=f"http://127.0.0.1:{closed_port}", password="emc_sim_acme")
    failed = world.run(retries=0)
    assert failed.state == "failed"
    world.connect_all()
    assert world.run("notify_test", retries=0).state == "failed"
    assert world.run(clear=(failed, "fetch_departments")).state == "success"
    assert world.run("notify_test").state == "success"


def test_l5_a_broken_sheet_that_shows_no_address_is_told_to_the_last_good_ones(world: AirflowWorld) -> None:
    """Nobody can read it any more; those who got yesterday's result get today's fault."""
    world.run()
    (world.mappings / "acme.yaml").write_text("users: [", encoding="utf-8")
    assert world.run("CHECK_ONLY").state == "failed"
    mail = world.mails()[-1]
    assert (mail["subject"], mail["to"]) == ("EMC-ERROR-S(Setting NG)", [ADDRESS])
    assert world.run("notify_test").state == "failed"
