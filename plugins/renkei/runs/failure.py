"""What the failed task of a run said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator

from renkei.runs.outcome import Outcome
from renkei.storage.records import Moment

# Versions up to 0.5 kept the mail's subject, like "EMC-ERROR-D(Update NG)", in place of the outcome.
_BY_SUBJECT = {
    "EMC-ERROR-D": Outcome.DATA,
    "EMC-ERROR-R": Outcome.RECEIVE,
    "EMC-ERROR-L": Outcome.LOAD,
    "EMC-ERROR-S": Outcome.SETTING,
    "EMC-ERROR-B": Outcome.BASELINE,
    "EMC-ERROR-G": Outcome.REFUSED,
    "EMC-ERROR-X": Outcome.SYSTEM,
}


def _of_subject(value: object) -> object:
    return _BY_SUBJECT.get(value[:11], value) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Failure:
    """It travels through Airflow, so it holds no personal data (L6)."""

    outcome: Annotated[Outcome, BeforeValidator(_of_subject)]
    message: str
    at: Moment
