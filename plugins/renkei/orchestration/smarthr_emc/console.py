"""What the console shows of this link alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from renkei.links.smarthr_emc import LINK
from renkei.links.smarthr_emc.model import RecordSet
from renkei.links.smarthr_emc.records import EmcRefusal, RunSheet
from renkei.links.smarthr_emc.report import crew_page
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEM, USER_ITEM
from renkei.links.smarthr_emc.validate import remedy_of
from renkei.links.smarthr_emc.wording import EMC_REMEDIES, PROBLEMS, RECORD_SETS
from renkei.orchestration.smarthr_emc import held_pages, people_pages
from renkei.orchestration.smarthr_emc.connections import frozen_tenants
from renkei.orchestration.smarthr_emc.dag import APPROVAL
from renkei.orchestration.smarthr_emc.evidence import evidence
from renkei.orchestration.web.link_view import LinkView
from renkei.storage.runs import RunRecord
from renkei.storage.store import MissingKeyError
from renkei.web.facts import Counts, OwnPages, RunProblem

_ITEM_NAMES = {item.name for item in (*USER_ITEM.values(), *DEPARTMENT_ITEM.values())}
MOST = 500  # errors on one page; all of them are in the record


def counts(value: Any) -> Counts | None:
    """The people of what the task `diff` gave back; 照合 counts something else."""
    found = value.get(RecordSet.USERS.value) if isinstance(value, dict) else None
    found = found.get("counts") if isinstance(found, dict) else None
    if not isinstance(found, dict):
        return None
    figures = [found.get(name) for name in ("received_valid", "created", "updated", "deleted")]
    whole = [one for one in figures if isinstance(one, int)]
    return Counts(*whole) if len(whole) == len(figures) else None


def problems(record: RunRecord) -> tuple[Sequence[RunProblem], int]:
    """The errors that stopped the run: of its own checks, else of EMC."""
    sheet = record.read_or_none(RunSheet)
    url = sheet.mapping.smarthr_url if sheet else ""
    try:
        table = record.table("problems")
    except MissingKeyError:
        table = None
    if table is not None and len(table):
        return [_of_check(row, url) for row in table.head(MOST).to_dict("records")], len(table)
    refusal = record.read_or_none(EmcRefusal)
    if refusal is None:
        return (), 0
    return [_of_emc(row, url) for row in refusal.problems[:MOST]], max(refusal.count, len(refusal.problems))


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
for pages in (people_pages.router, held_pages.router):
    router.include_router(pages)
PAGES = OwnPages(
    LINK,
    router,
    Path(__file__).parent / "pages",
    (("people", "予定と社員を探す"), ("person", "なぜEMCに（い）ないのか")),
    {held_pages.TASK: APPROVAL},
)
VIEW = LinkView("diff", counts, problems, frozen_tenants, PAGES, evidence)
