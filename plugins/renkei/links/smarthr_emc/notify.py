"""How a run ended (E4, N3): the report, collected from the run's record, and the message that tells it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from renkei.links.smarthr_emc import affected, chat
from renkei.links.smarthr_emc.affected import Group
from renkei.links.smarthr_emc.model import Mode, RecordSet
from renkei.links.smarthr_emc.records import (
    Comparison,
    DiffSummary,
    EmcRefusal,
    Plan,
    PlanWarnings,
    RunSheet,
    RunStart,
    SnapshotSummary,
)
from renkei.links.smarthr_emc.report import HELD_SHOWN, PEOPLE_SHOWN, PROBLEMS_SHOWN, body
from renkei.links.smarthr_emc.run_report import Answer, ConfirmedTotals, ErrorGroup, ReportedProblem, RunReport
from renkei.links.smarthr_emc.sheet.expression import format_source
from renkei.runs.current_baseline import current_baseline
from renkei.runs.hold import Approval, Deadline, HeldPlan
from renkei.runs.outcome import Outcome
from renkei.storage.runs import RunRecord
from renkei.storage.tenant_folder import TenantFolder
from renkei.systems.delivery import Message, key_of

ALIKE_SHOWN = 3  # of errors that have one cause
ALIKE_LEAST, ALIKE_SHARE = 10, 0.9  # errors alike of nearly everybody are one cause: a line of the sheet, as a rule
UNANSWERED = "(期限切れ)"  # in place of a name in `approval.json`, where nobody answered in time


@dataclass(frozen=True, slots=True)
class ReportContext:
    """What a report says beside its run: whose it is, and what comes next."""

    company: str
    next_run: dt.datetime | None = None  # None: no run starts by itself
    contact: str = ""  # how to reach the operator
    registered: ConfirmedTotals | None = None  # what EMC has confirmed
    linked: bool = False  # whether that is known; None is "before the first link" then
    ahead: bool = False  # 事前確認


def collect(
    record: RunRecord,
    smarthr_url: str,
    outcome: Outcome,
    message: str,
    started_at: dt.datetime,
    ended_at: dt.datetime,
    sheet_warnings: Sequence[str] = (),
    links: dict[str, str] | None = None,
    about: ReportContext | None = None,
) -> RunReport:
    """The report, as far as the run got. Needs nothing but the record; what is not there is left out."""
    start, diff = record.read_or_none(RunStart), record.read_or_none(DiffSummary)
    mode = start.mode if start else Mode.NORMAL
    warnings = record.read_or_none(PlanWarnings) or PlanWarnings()
    hold, approval = record.read_or_none(HeldPlan), record.read_or_none(Approval)
    question, comparison = record.read_or_none(Deadline), record.read_or_none(Comparison)
    refusal = record.read_or_none(EmcRefusal) if outcome is Outcome.LOAD else None
    table = record.table("problems") if outcome is Outcome.DATA else None
    return RunReport(
        outcome=outcome,
        mode=mode,
        started_at=dt.datetime.fromisoformat(start.started_at) if start else started_at,
        ended_at=ended_at,
        smarthr_url=smarthr_url,
        counts={s: one.counts for s, one in diff.sets.items()} if diff else None,
        changed={s: one.changed for s, one in diff.sets.items()} if diff else None,
        message=message,
        received=record.has(SnapshotSummary) and mode.reads,
        differences=comparison.lines if comparison else (),
        restored=f"第{start.generation}世代に戻します" if start and mode is Mode.RESTORE else "",
        disaster=start is not None and start.disaster,
        **(
            {}
            if table is None
            else problems(table, {s: one.counts.received_valid for s, one in diff.sets.items()} if diff else None)
        ),
        emc_problems=refusal.problems[:PROBLEMS_SHOWN] if refusal else (),
        holds=hold.holds if hold else (),
        approved_by=approval.by if approval and approval.approved else "",
        people=warnings.people,
        value_warnings=warnings.hygiene.counts,
        warned_of=warnings.hygiene.shown,
        substituted=warnings.substituted,
        id_changes=warnings.id_changes,
        handovers=warnings.handovers,
        sheet_warnings=[*sheet_warnings, *_blank(warnings.blank)],
        clashing_tenants=warnings.prefixes,
        links=links or {},
        **_said(about, outcome),
        planned=record.has(Plan),
        id_source=_id_source(record),
        groups=_groups(record, Outcome.HOLD if about and about.ahead and hold and hold.holds else outcome, diff),
        answer=_answer(approval) if outcome is Outcome.REFUSED else None,
        deadline=question.until if question else None,
    )


def _blank(columns: Sequence[str]) -> list[str]:
    """What is said of items that nobody has when they are first read: nothing shows whether they are blank or hidden (E33)."""
    shown = "、".join(f"「{column}」" for column in columns)
    text = (
        f"SmartHRの項目{shown}は、受信した全員が空白です。値があるはずの場合は、SmartHRのアクセストークンの従業員項目の"
        "アクセス許可を確認してください。"
    )
    return [text] if columns else []


def registered(folder: TenantFolder) -> ConfirmedTotals | None:
    """What EMC last confirmed to have of the tenant; None before the first link.

    Raises:
        StoreError, BaselineError: that cannot be told.
    """
    current = current_baseline(folder).baseline
    if current is None:
        return None
    return ConfirmedTotals(current.users, current.departments, dt.datetime.fromisoformat(current.confirmed_at))


def _said(about: ReportContext | None, outcome: Outcome) -> dict[str, Any]:
    """The report's fields about the tenant. Without a baseline it may have lost one, for all that this run knows."""
    if about is None:
        return {"linked": False}
    linked = about.linked and (about.registered is not None or outcome is not Outcome.BASELINE)
    return {
        "company": about.company,
        "next_run": about.next_run,
        "contact": about.contact,
        "registered": about.registered,
        "linked": linked,
        "ahead": about.ahead,
    }


def _id_source(record: RunRecord) -> str:
    """The SmartHR items that the sheet of the run makes the user id of."""
    sheet = record.read_or_none(RunSheet)
    rule = sheet.mapping.rule("user_id") if sheet else None
    return format_source(rule.source) if rule else ""


def _groups(record: RunRecord, outcome: Outcome, diff: DiffSummary | None) -> list[Group]:
    """The people whom the run added and deleted, or would; none where nothing is, or ever was, to be written."""
    if diff is None:
        return []
    if outcome is Outcome.HOLD:
        return [*affected.held(record, HELD_SHOWN), *affected.departments_gone(record, HELD_SHOWN)]
    if not diff.sets[RecordSet.USERS].changed:
        return []
    if outcome not in (Outcome.OK, Outcome.CHECKED, Outcome.CONFIRM):
        return []
    added, removed = ("新規登録した社員", "削除した社員") if outcome is Outcome.OK else ("新規登録の社員", "削除の社員")
    groups = (affected.joiners(record, added, PEOPLE_SHOWN), affected.leavers(record, removed, PEOPLE_SHOWN))
    return [group for group in groups if group.count]


def _answer(approval: Approval | None) -> Answer | None:
    if approval is None or approval.approved:
        return None
    return Answer("" if approval.by == UNANSWERED else approval.by, approval.why)


def bare(
    smarthr_url: str,
    outcome: Outcome,
    message: str,
    started_at: dt.datetime,
    ended_at: dt.datetime,
    links: dict[str, str],
    about: ReportContext | None = None,
) -> RunReport:
    """The report of a run whose record cannot be read."""
    return RunReport(
        outcome,
        Mode.NORMAL,
        started_at,
        ended_at,
        smarthr_url,
        message=message,
        received=False,
        links=links,
        **_said(about, outcome),
    )


def full_message(report: RunReport, tenant: str) -> Message:
    """The run's message for every channel: short in chat, the whole report in a mail."""
    short = chat.message(report, report.company or tenant)
    return replace(short, subject=f"{report.subject} {report.company}".rstrip(), body=body(report))


def operators_message(report: RunReport, tenant: str) -> Message:
    """The run's message for the operator's own channels: short, for whatever service; it names the tenant."""
    named = f"{tenant}（{report.company}）" if report.company not in ("", tenant) else tenant
    short = chat.message(report, named)
    return replace(short, subject=short.title)


def message_key(report: RunReport, run: str) -> str:
    """The same for the same result of the same run, so that a repetition of `notify` tells nobody twice (L4)."""
    # A killed task leaves no time of its end: the report tells its own, which a repetition would not share.
    same = replace(report, next_run=None)  # which is another one tomorrow
    same = replace(same, ended_at=report.started_at) if report.outcome is Outcome.SYSTEM else same
    return key_of(run, same.subject, body(same))


def problems(table: pd.DataFrame, valid: dict[RecordSet, int] | None = None) -> dict[str, Any]:
    """The report's fields about the `problems` table; `valid` is how many records there are of each set."""
    keys = ["record_set", "item", "kind"]
    sizes = table.groupby(keys, sort=False).size()
    alike = []
    for (name, item, kind), count in zip(sizes.index.tolist(), sizes.tolist(), strict=True):
        records = (valid or {}).get(RecordSet(name), 0)
        common = kind == "other_tenant" or (records and count >= max(ALIKE_LEAST, ALIKE_SHARE * records))
        if common and count > ALIKE_SHOWN:
            alike.append(ErrorGroup(RecordSet(name), item, kind, count))
    if alike:
        found = [(one.record_set.value, one.item, one.kind) for one in alike]
        summed = table.set_index(keys).index.isin(found) & (table.groupby(keys).cumcount() >= ALIKE_SHOWN)
    rows = (table[~summed] if alike else table).head(PROBLEMS_SHOWN).to_dict("records")
    return {
        "alike": alike,
        "problems": [ReportedProblem(**{**row, "record_set": RecordSet(row["record_set"])}) for row in rows],  # type: ignore[arg-type]
        "problem_count": len(table),
        "problem_kinds": {str(kind): int(n) for kind, n in table["kind"].value_counts().items()},
        "failed_sets": frozenset(RecordSet(name) for name in table["record_set"].unique()),
    }
