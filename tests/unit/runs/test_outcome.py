"""How a run ended, by what it left."""

from __future__ import annotations

import datetime as dt

import pytest

from renkei import errors
from renkei.runs.hold import Approval, HeldPlan, Hold, is_unanswered
from renkei.runs.outcome import Outcome, Summary, forget_end, good_end, note_end, outcome_of
from renkei.storage.baselines import Baseline, Baselines
from renkei.storage.runs import RunRecord

AT = dt.datetime(2026, 4, 1, 4, 31, tzinfo=dt.UTC)
HELD = HeldPlan("digest", [Hold("delete_users", "社員の削除", 6, 40)])


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ("loaded", Outcome.OK),
        ("already", Outcome.OK),
        ("unchanged", Outcome.OK),
        ("checked", Outcome.CHECKED),
        ("compared", Outcome.COMPARED),
        ("differs", Outcome.DIFFERS),
        ("waiting", None),
    ],
)
def test_e2_a_run_ended_well_if_its_work_did(record: RunRecord, result: str, outcome: Outcome | None) -> None:
    """Files that wait for their upload are no end yet; cleared, an end is none any more."""
    note_end(record, result, AT)
    record.write(Summary(["受信1件"]))
    assert good_end(record) == (outcome and (outcome, AT))
    forget_end(record)
    assert (good_end(record), record.has(Summary)) == (None, False)


@pytest.mark.parametrize(("run", "good"), [("today", True), ("yesterday", False)])
def test_l4_a_run_that_made_the_baseline_ended_well_although_it_died_before_its_note(
    record: RunRecord, run: str, good: bool
) -> None:
    """That of another run says nothing of this one."""
    Baselines(record.tenant_folder).promote(Baseline(1, run, "digest", "key", AT.isoformat(), 1, 1))
    assert good_end(record) == ((Outcome.OK, AT) if good else None)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (errors.RecordError, Outcome.DATA),
        (errors.IncompleteReadError, Outcome.RECEIVE),
        (errors.RejectedLoadError, Outcome.LOAD),
        (errors.LinkStateError, Outcome.SETTING),
        (errors.UnknownRunError, Outcome.BASELINE),
        (errors.HoldError, Outcome.REFUSED),
        (errors.StoreError, Outcome.SYSTEM),
        (KeyError, Outcome.SYSTEM),
    ],
)
def test_e39_an_error_is_told_by_what_is_to_be_mended(error: type[Exception], outcome: Outcome) -> None:
    """By its family; whatever nobody thought of is the system's."""
    assert outcome_of(error("x")) is outcome


@pytest.mark.parametrize(
    ("plan", "approved", "unanswered"),
    [
        (None, None, False),
        (HeldPlan("digest", []), None, False),
        (HELD, None, True),
        (HELD, False, True),
        (HELD, True, False),
    ],
)
def test_e36_a_held_plan_waits_until_somebody_lets_it_through(
    record: RunRecord, plan: HeldPlan | None, approved: bool | None, unanswered: bool
) -> None:
    """A refusal does not let it through."""
    if plan is not None:
        record.write(plan)
    if approved is not None:
        record.write(Approval("digest", approved, "tanaka", "", AT))
    assert is_unanswered(record) is unanswered
