"""What the tasks do, and what is told of a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from renkei.clock import utcnow
from renkei.orchestration.begin_run import begin_run
from renkei.orchestration.connection_trial import Trial
from renkei.orchestration.report import Report, RunEnd, plain_report
from renkei.orchestration.stage import record_of
from renkei.orchestration.tenant import Tenant
from renkei.runs.outcome import Outcome, note_end
from tests.toy_link.sheet import Sheet

SUBJECTS = {outcome: f"TOY-{outcome}" for outcome in Outcome}


@dataclass(frozen=True, slots=True)
class Read:
    FILE: ClassVar[str] = "read"
    greeting: str


@dataclass(frozen=True, slots=True)
class Posted:
    FILE: ClassVar[str] = "posted"
    greeting: str


def read(tenant: Tenant, context: Any) -> dict[str, int]:
    begin_run(tenant, context).write(Read(tenant.mapping.greeting))
    return {"greetings": 1}


def post(tenant: Tenant, context: Any) -> str:
    record = record_of(tenant, context)
    record.write(Posted(record.read(Read).greeting))
    note_end(record, "loaded", utcnow())
    return "loaded"


def report(end: RunEnd) -> Report:
    posted = end.record.read_or_none(Posted) if end.record else None
    return plain_report(end, [f"掲示: {posted.greeting}"] if posted else [])


def try_systems(sheet: Sheet, dag_file: str) -> Iterator[Trial]:
    yield Trial("toy_board", True, f"「{sheet.greeting}」を掲示できます。")
