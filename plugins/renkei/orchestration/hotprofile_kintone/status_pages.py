"""データ処理状況一覧 with the day's requests, and 失敗レコード with 再連携 (K15, K18, K20).

Counts are for all who see the company; whose records failed, for those who may change its Dag.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from fastapi import APIRouter, Request
from starlette.responses import Response

from renkei.clock import TOKYO, time_in_japan
from renkei.links.hotprofile_kintone import LINK, conflicts, history, places
from renkei.links.hotprofile_kintone.forecast import Gauge, gauges
from renkei.links.hotprofile_kintone.history import DataSetStatus, FailedRecord
from renkei.links.hotprofile_kintone.model import Mode, host_of
from renkei.links.hotprofile_kintone.quota import Quota
from renkei.links.hotprofile_kintone.sheet.mapping import DATA_SETS, Mapping
from renkei.links.hotprofile_kintone.wording import CONFLICT_STATES, STATES
from renkei.orchestration.hotprofile_kintone import connections
from renkei.orchestration.hotprofile_kintone.form import FORM
from renkei.storage.database.database import Database
from renkei.web import downloads
from renkei.web.console import guard
from renkei.web.console.company import start_run
from renkei.web.console.page import PageNumber, page
from renkei.web.console.runs import mark_broken_off
from renkei.web.screens.overview import page_of
from renkei.web.services import Right

router = APIRouter()
PER_PAGE = 100
MAX_ROWS = 100_000  # of a file
TONES = {"running": "cold", "done": "good", "held": "wait", "away": "wait", "stopped": "bad"}


@router.get("/dag/{dag_id}/processed")
def processed(request: Request, access: guard.SeesDag, number: PageNumber = "") -> Response:
    tenant, database = access.tenant_of(LINK), connections.database()
    mapping: Mapping | None = access.services.knowledge.mapping(access.company.dag_id)
    statuses = history.data_set_statuses(database, tenant)
    shown = page_of(number, history.processed_count(database, tenant), PER_PAGE)
    return page(
        request,
        "hotprofile_kintone/processed.html",
        one=access.company,
        statuses=[statuses[name] for name in DATA_SETS if name in statuses],
        gauges=_gauges(access, database, mapping, statuses) if mapping else [],
        lines=history.processed(database, tenant, limit=PER_PAGE, offset=shown.start),
        shown=shown,
        DATA_SETS=DATA_SETS,
        STATES=STATES,
        TONES=TONES,
        modes={value: mode.label for value, mode in FORM.modes.items()},
        may_look=access.may(Right.EDIT),
        now=access.services.now(),
    )


@router.get("/dag/{dag_id}/failed")
def failed(request: Request, access: guard.EditsDag, of: str = "", number: PageNumber = "") -> Response:
    tenant, database = access.tenant_of(LINK), connections.database()
    mapping: Mapping | None = access.services.knowledge.mapping(access.company.dag_id)
    access.note("failed")
    counts = {name: one.failed for name, one in history.data_set_statuses(database, tenant).items() if one.failed}
    of = of if of in DATA_SETS else ""
    shown = page_of(number, counts.get(of, 0) if of else sum(counts.values()), PER_PAGE)
    records = history.failed_records(database, tenant, data_set=of, limit=PER_PAGE, offset=shown.start)
    return page(
        request,
        "hotprofile_kintone/failed.html",
        one=access.company,
        counts={name: counts[name] for name in DATA_SETS if name in counts},
        of=of,
        causes=history.causes(database, tenant, of),
        records=[(record, _page_of(mapping, record.data_set, record.record_id)) for record in records],
        shown=shown,
        DATA_SETS=DATA_SETS,
        may_run=access.may(Right.RUN),
        now=access.services.now(),
    )


@router.get("/dag/{dag_id}/failed.csv")
def download(access: guard.EditsDag, of: str = "") -> Response:
    """All of them as a file, which a page and a mail show the beginning of."""
    tenant, database, now = access.tenant_of(LINK), connections.database(), access.services.now()
    mapping: Mapping | None = access.services.knowledge.mapping(access.company.dag_id)
    access.note("failed.csv")
    parts = history.failed_parts(database, tenant, of if of in DATA_SETS else "")
    rows = mark_broken_off(_rows(mapping, (record for part in parts for record in part)))
    return downloads.table(f"失敗レコード_{access.company.name}_{now.astimezone(TOKYO):%Y%m%d}.csv", rows)


def _rows(mapping: Mapping | None, records: Iterator[FailedRecord]) -> Iterator[Sequence[str]]:
    yield "ID", "対象", "フィールド", "原因", "対処", "kintoneのエラー", "失敗した日時", "kintone"
    for one in islice(records, MAX_ROWS):
        cells = (one.source_id, one.label, one.field, one.cause, one.remedy, one.code)
        yield *cells, time_in_japan(one.failed_at), _page_of(mapping, one.data_set, one.record_id)
    if next(records, None) is not None:
        yield (f"{MAX_ROWS:,}件までを載せています。",)


@router.post("/dag/{dag_id}/failed/again")
async def again(request: Request, access: guard.PostsRunsDag) -> Response:
    """失敗分の再連携: a run as the user, of everything that failed."""
    access.tenant_of(LINK)
    return await start_run(request, access, Mode.RETRY_FAILED.value)


@router.get("/dag/{dag_id}/conflicts")
def changed_by_hand(request: Request, access: guard.EditsDag, number: PageNumber = "") -> Response:
    """競合: what people changed in kintone (K23)."""
    tenant, database = access.tenant_of(LINK), connections.database()
    mapping: Mapping | None = access.services.knowledge.mapping(access.company.dag_id)
    access.note("conflicts")
    shown = page_of(number, conflicts.count(database, tenant), PER_PAGE)
    records = conflicts.listed(database, tenant, limit=PER_PAGE, offset=shown.start)
    return page(
        request,
        "hotprofile_kintone/conflicts.html",
        one=access.company,
        watched=bool(records) or (mapping is not None and any(one.watched for one in mapping.data_sets)),
        records=[(record, _page_of(mapping, record.data_set, record.record_id)) for record in records],
        shown=shown,
        DATA_SETS=DATA_SETS,
        STATES=CONFLICT_STATES,
        now=access.services.now(),
    )


def _gauges(
    access: guard.Access, database: Database, mapping: Mapping, statuses: dict[str, DataSetStatus]
) -> list[Gauge]:
    now, host = access.services.now(), host_of(mapping)
    apps = {one.app for one in mapping.data_sets}
    used = {app: Quota(database, host, app, mapping.daily_requests).used(now) for app in apps}
    return gauges(mapping, used, statuses, now)


def _page_of(mapping: Mapping | None, name: str, record_id: str) -> str:
    """A record in kintone, else its app; empty where the sheet does not name the data set any more."""
    data_set = mapping.data_set(name) if mapping else None
    if mapping is None or data_set is None:
        return ""
    if record_id:
        return places.record_page(mapping, data_set, record_id)
    return places.app_page(mapping, data_set)
