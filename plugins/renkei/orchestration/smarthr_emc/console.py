"""What the console shows of this link alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from fastapi import APIRouter

from renkei.links.smarthr_emc import LINK, restore
from renkei.links.smarthr_emc.model import RecordSet
from renkei.links.smarthr_emc.records import EmcRefusal, PlanWarnings, RunSheet
from renkei.links.smarthr_emc.report import crew_page
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEM, USER_ITEM
from renkei.links.smarthr_emc.validate import remedy_of
from renkei.links.smarthr_emc.value_warnings import HYGIENE_COLUMNS
from renkei.links.smarthr_emc.wording import EMC_REMEDIES, PROBLEMS, RECORD_SETS, VALUE_WARNINGS, WARNINGS
from renkei.orchestration.disaster_freeze import frozen_tenants
from renkei.orchestration.smarthr_emc import (
    adding_pages,
    held_pages,
    people_pages,
    rehearsal_page,
    sheet_editor,
    smarthr_pages,
)
from renkei.orchestration.smarthr_emc.connections import connection_names
from renkei.orchestration.smarthr_emc.dag import APPROVAL
from renkei.orchestration.smarthr_emc.evidence import evidence
from renkei.orchestration.smarthr_emc.jobs import PERSON, REHEARSAL
from renkei.orchestration.smarthr_emc.smarthr_plus import CALLBACK, PAGE
from renkei.orchestration.web.link_view import LinkView
from renkei.storage.runs import RunRecord
from renkei.storage.store import MissingKeyError
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.facts import Counts, Findings, Generation, RunProblem
from renkei.web.services import OwnPages

_ITEM_NAMES = {item.name for item in (*USER_ITEM.values(), *DEPARTMENT_ITEM.values())}
PROBLEM_COLUMNS = ("record_set", "line", "id", "crew_id", "item", "kind", "detail", "source")


def counts(words: Mapping[str, Any]) -> Counts | None:
    """The people of what the task `diff` gave back; 照合 counts something else."""
    value = words.get("diff")
    found = value.get(RecordSet.USERS.value) if isinstance(value, dict) else None
    found = found.get("counts") if isinstance(found, dict) else None
    if not isinstance(found, dict):
        return None
    figures = [found.get(name) for name in ("received_valid", "created", "updated", "deleted")]
    whole = [one for one in figures if isinstance(one, int)]
    return Counts(*whole) if len(whole) == len(figures) else None


def problems(record: RunRecord, start: int, most: int) -> Findings:
    """A page of the errors that stopped the run: of its own checks, else of EMC."""
    sheet, warnings = record.read_or_none(RunSheet), record.read_or_none(PlanWarnings)
    url = sheet.mapping.smarthr_url if sheet else ""
    notes = len(warnings.people) + sum(warnings.hygiene.counts.values()) if warnings else 0
    try:
        table, count = record.page("problems", start, start + most)
    except MissingKeyError:
        count = 0
    if count:
        return Findings([_of_check(row, url) for row in table.to_dict("records")], count, notes)
    refusal = record.read_or_none(EmcRefusal)
    if refusal is None:
        return Findings((), 0, notes)
    rows = refusal.problems[start : start + most]
    return Findings([_of_emc(row, url) for row in rows], len(refusal.problems), notes)


TITLES = ("区分", "場所", "ID", "SmartHRのページ", "項目", "内容", "詳細", "対処")


def findings(record: RunRecord) -> Iterator[Sequence[str]]:
    """Every error and 注意 of the run, below the titles."""
    yield TITLES
    sheet = record.read_or_none(RunSheet)
    url = sheet.mapping.smarthr_url if sheet else ""
    for part in _parts(record, "problems", PROBLEM_COLUMNS):
        for row in part.to_dict("records"):
            yield _error(_of_check(row, url))
    refusal = record.read_or_none(EmcRefusal)
    for one in refusal.problems if refusal else ():
        yield _error(_of_emc(one, url))
    warnings = record.read_or_none(PlanWarnings)
    for kind, user_id, crew_id in warnings.people if warnings else ():
        yield _note("", user_id, crew_id, url, "", WARNINGS.get(kind, "その他の注意"), "", "")
    for part in _parts(record, "hygiene", HYGIENE_COLUMNS):
        for row in part.to_dict("records"):
            warning, item = VALUE_WARNINGS.get(row["kind"]), USER_ITEM[row["item"]].name
            what = (warning.title, str(row["detail"]), warning.remedy) if warning else ("その他の注意", "", "")
            yield _note(f"社員 {row['line']}行目", row["id"], row["crew_id"], url, item, *what)


def _parts(record: RunRecord, name: str, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
    if record.store.exists(f"{record.folder}/{name}.parquet"):
        yield from record.parts(name, columns)


def _error(row: RunProblem) -> Sequence[str]:
    return "誤り", row.place, row.person, row.page, row.item, row.reason, row.detail, row.remedy


def _note(place: str, user_id: str, crew_id: str, url: str, *rest: str) -> Sequence[str]:
    return "注意", place, user_id, crew_page(url, crew_id) if crew_id else "", *rest


def generations(folder: TenantFolder) -> list[Generation]:
    return [
        Generation(one.generation, dt.datetime.fromisoformat(one.confirmed_at), one.users, one.departments)
        for one in restore.listed(folder)
    ]


def _of_check(row: dict[Any, Any], url: str) -> RunProblem:
    record_set, kind = RecordSet(row["record_set"]), str(row["kind"])
    of_users = record_set is RecordSet.USERS
    item = (USER_ITEM if of_users else DEPARTMENT_ITEM)[row["item"]].name
    return RunProblem(
        f"{RECORD_SETS[record_set]} {row['line']}行目",
        str(row["id"]) or "(IDなし)",
        crew_page(url, str(row["crew_id"])) if of_users else f"{url}/departments",
        item,
        PROBLEMS.get(kind, "その他の誤り"),
        "" if kind == "other_tenant" else str(row["detail"]),  # the other company is the operator's to know
        remedy_of(kind, item, str(row["source"])),
    )


def _of_emc(row: Any, url: str) -> RunProblem:
    of_users = row.file == RecordSet.USERS
    return RunProblem(
        f"{'社員' if of_users else '部署'} {row.line}行目",
        row.id or "(IDなし)",
        crew_page(url, row.crew_id) if of_users else "",
        row.item if row.item in _ITEM_NAMES else "",  # what is none of our names may quote what was sent (L6)
        f"EMC: {row.code if row.code in EMC_REMEDIES else 'その他の理由'}",
        "",
        EMC_REMEDIES.get(row.code, "運用担当者が対応します"),
    )


router = APIRouter()
for pages in (adding_pages, people_pages, held_pages, rehearsal_page, smarthr_pages):
    router.include_router(pages.router)
PAGES = OwnPages(
    LINK,
    router,
    Path(__file__).parent / "pages",
    (*people_pages.MENU, *rehearsal_page.MENU, (PAGE, "SmartHRの接続")),
    {held_pages.TASK: APPROVAL},
    {PERSON: people_pages.JOB, REHEARSAL: rehearsal_page.JOB},
    adds=adding_pages.ADDS,
    secret_queries=(f"/{CALLBACK}",),
    connects=(PAGE, "smarthr"),
)
VIEW = LinkView(
    ("diff",),
    counts,
    problems,
    findings,
    frozen_tenants,
    PAGES,
    evidence,
    generations,
    connection_names,
    sheet_tries=rehearsal_page.TRIES,
    sheet_editor=sheet_editor,
    granted=smarthr_pages.granted,
    void=smarthr_pages.void,
)
