"""What a failed task said, through Airflow and back."""

import datetime as dt

import pytest

from renkei.runs.failure import Failure
from renkei.runs.outcome import Outcome
from renkei.storage.records import from_plain, to_plain


@pytest.mark.parametrize("outcome", [o for o in Outcome if not o.succeeded and not o.waiting])
def test_a_failure_is_read_back_as_it_was_kept(outcome: Outcome) -> None:
    """Every kind of it."""
    failure = Failure(outcome, "受信できません。", dt.datetime(2026, 4, 1, 4, 30, tzinfo=dt.UTC))
    assert from_plain(Failure, to_plain(failure)) == failure


@pytest.mark.parametrize(
    ("subject", "outcome"),
    [
        ("EMC-ERROR-D(Update NG)", Outcome.DATA),
        ("EMC-ERROR-R(Receive NG)", Outcome.RECEIVE),
        ("EMC-ERROR-L(Load NG)", Outcome.LOAD),
        ("EMC-ERROR-S(Setting NG)", Outcome.SETTING),
        ("EMC-ERROR-B(Baseline NG)", Outcome.BASELINE),
        ("EMC-ERROR-G(Guard NG)", Outcome.REFUSED),
        ("EMC-ERROR-X(System NG)", Outcome.SYSTEM),
    ],
)
def test_a_failure_of_version_0_5_is_read(subject: str, outcome: Outcome) -> None:
    """It kept the mail's subject: a run that failed before an update is told after it."""
    kept = {"outcome": subject, "message": "x", "at": "2026-04-01T04:30:00+00:00"}
    assert from_plain(Failure, kept).outcome is outcome
