"""How a run ended (E4, N3): the report, collected from the run's record, and the message that tells it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from renkei.links.smarthr_emc import chat
from renkei.links.smarthr_emc.guards import Hold
from renkei.links.smarthr_emc.model import Counts, Mode, RecordSet
from renkei.links.smarthr_emc.report import PROBLEMS_SHOWN, Outcome, ReportedProblem, RunReport, body, emc_problem_text
from renkei.storage.runs import RunRecord
from renkei.systems.messaging import Message

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Failure:
    """What the failed task said. It travels through Airflow, so it holds no personal data (L6)."""

    outcome: Outcome
    message: str
    at: str  # ISO 8601

    def as_json(self) -> dict[str, str]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, str]) -> Failure:
        return cls(Outcome(value["outcome"]), value["message"], value["at"])


def collect(
    record: RunRecord,
    smarthr_url: str,
    outcome: Outcome,
    message: str,
    started_at: dt.datetime,
    ended_at: dt.datetime,
    sheet_warnings: Sequence[str] = (),
    links: dict[str, str] | None = None,
) -> RunReport:
    """The report, as far as the run got. Needs nothing but the record; what is not there is left out."""
    start, diff = record.json_or_none("run") or {}, record.json_or_none("diff")
    mode = Mode(start.get("mode", Mode.NORMAL))
    warnings = record.json_or_none("warnings") or {}
    doubts = warnings.get("hygiene", {})
    hold = record.json_or_none("hold") or {}
    emc = record.json_or_none("emc_problems") or {}
    approval = record.json_or_none("approval") or {}
    table = record.table("problems") if outcome is Outcome.DATA else None
    return RunReport(
        outcome=outcome,
        mode=mode,
        started_at=dt.datetime.fromisoformat(start["started_at"]) if "started_at" in start else started_at,
        ended_at=ended_at,
        smarthr_url=smarthr_url,
        counts=_by_set(diff, "counts", lambda value: Counts(**value)),
        changed=_by_set(diff, "changed", bool),
        message=message,
        received=record.json_or_none("snapshot") is not None and mode.reads,
        differences=(record.json_or_none("compare") or {}).get("lines", ()),
        restored=f"第{start['generation']}世代に戻します" if mode is Mode.RESTORE else "",
        disaster=start.get("disaster", False),
        **({} if table is None else _problems(table)),
        emc_problems=[emc_problem_text(p, smarthr_url) for p in emc.get("problems", ())[:PROBLEMS_SHOWN]]
        if outcome is Outcome.LOAD
        else (),
        holds=[Hold(**h) for h in hold.get("holds", ())],
        approved_by=approval["by"] if approval.get("approved") else "",
        people=[tuple(row) for row in warnings.get("people", ())],
        doubts=doubts.get("counts", {}),
        doubtful=[tuple(row) for row in doubts.get("shown", ())],
        id_changes=[tuple(row) for row in warnings.get("id_changes", ())],
        sheet_warnings=sheet_warnings,
        clashing_tenants=warnings.get("prefixes", ()),
        links=links or {},
    )


def bare(
    smarthr_url: str,
    outcome: Outcome,
    message: str,
    started_at: dt.datetime,
    ended_at: dt.datetime,
    links: dict[str, str],
) -> RunReport:
    """The report of a run whose record cannot be read."""
    return RunReport(
        outcome, Mode.NORMAL, started_at, ended_at, smarthr_url, message=message, received=False, links=links
    )


def full_message(report: RunReport, tenant: str) -> Message:
    """The run's message for every channel: short in chat, the whole report in a mail."""
    return replace(chat.message(report, tenant), subject=report.outcome.value, body=body(report))


def message_key(report: RunReport, run: str) -> str:
    """The same for the same result of the same run, so that a repetition of `notify` tells nobody twice (L4)."""
    # A killed task leaves no time of its end: the report tells its own, which a repetition would not share.
    same = replace(report, ended_at=report.started_at) if report.outcome is Outcome.SYSTEM else report
    return hashlib.sha256(f"{run}\n{report.outcome}\n{body(same)}".encode()).hexdigest()[:32]


def _by_set(diff: dict[str, Any] | None, name: str, read: Callable[[Any], Any]) -> Any:
    return None if diff is None else {s: read(diff["sets"][s.value][name]) for s in RecordSet}


def _problems(table: pd.DataFrame) -> dict[str, Any]:
    """The report's fields about the `problems` table."""
    rows = table.head(PROBLEMS_SHOWN).to_dict("records")
    return {
        "problems": [ReportedProblem(**{**row, "record_set": RecordSet(row["record_set"])}) for row in rows],  # type: ignore[arg-type]
        "problem_count": len(table),
        "problem_kinds": {str(kind): int(n) for kind, n in table["kind"].value_counts().items()},
        "failed_sets": frozenset(RecordSet(name) for name in table["record_set"].unique()),
    }
