"""In which one state a company is, and what beside it is to be known. No clock, no files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from renkei.clock import TOKYO
from renkei.web.facts import Company
from renkei.web.screens.words import CompanyState


def state_of(company: Company, now: dt.datetime) -> CompanyState:
    """The one state: what is told of the last result that is over, unless something else keeps results from coming.

    A broken sheet and a void grant come before the failures that they cause, a question before the failure of yesterday.
    """
    if company.unlinked:
        return CompanyState.UNLINKED
    if company.broken or company.sheet_gone or company.dag_gone:
        return CompanyState.BROKEN
    if company.question:
        return CompanyState.HELD
    if company.void_grant:
        return CompanyState.VOID_GRANT
    if company.last and company.last.state == "failed":
        return CompanyState.STOPPED
    if company.silent_since:
        return CompanyState.SILENT
    if company.frozen:
        return CompanyState.FROZEN
    if company.last_result is None:
        begins = company.link_start_on
        return CompanyState.BEFORE if begins and begins > now.astimezone(TOKYO).date() else CompanyState.UNLINKED_YET
    return CompanyState.PAUSED if company.paused else CompanyState.WELL


def badges(company: Company, state: CompanyState, now: dt.datetime) -> Sequence[tuple[str, str]]:
    """Beside the state, never instead of it: (words, tone)."""
    found = []
    if company.current and not company.question:
        found.append(("実行中" if company.current.state == "running" else "待機中", "cold"))
    if company.pending:
        found.append(("シート確認中", "cold"))
    if company.paused and state not in (CompanyState.PAUSED, CompanyState.UNLINKED, CompanyState.UNLINKED_YET):
        found.append(("一時停止中", "quiet"))
    if company.frozen and state is not CompanyState.FROZEN:
        found.append(("災害時凍結中", "cold"))
    if company.stopped_channels:
        found.append((f"通知無効 {company.stopped_channels}", "wait"))
    today = now.astimezone(TOKYO).date()
    over = sum(day < today for day in company.endings.values())
    if over:
        found.append((f"通知の期限切れ {over}", "bad"))
    if soon := len(company.endings) - over:
        found.append((f"通知の期限間近 {soon}", "wait"))
    return found
