"""初期連携: what was there before the link was enabled; an estimate first, then the start, then how far it has come (K3)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from renkei.clock import TOKYO
from renkei.links.hotprofile_kintone import LINK, forecast, history
from renkei.links.hotprofile_kintone.model import Mode, host_of
from renkei.links.hotprofile_kintone.quota import Quota
from renkei.links.hotprofile_kintone.sheet.mapping import DATA_SETS, Mapping
from renkei.orchestration.hotprofile_kintone import connections
from renkei.orchestration.hotprofile_kintone.jobs import ESTIMATE, InitialEstimate
from renkei.web.console import guard
from renkei.web.console.company import start_run
from renkei.web.console.jobs import start
from renkei.web.console.page import page
from renkei.web.services import OwnJob, Refused

router = APIRouter()
Since = Annotated[str, Form(max_length=10)]


@router.get("/dag/{dag_id}/initial")
def initial(request: Request, access: guard.EditsDag) -> Response:
    tenant, database, now = access.tenant_of(LINK), connections.database(), access.services.now()
    mapping: Mapping | None = access.services.knowledge.mapping(access.company.dag_id)
    statuses = history.data_set_statuses(database, tenant)
    done_on = {}
    if mapping:
        host, apps = host_of(mapping), {one.app: one.name for one in mapping.data_sets}
        used = {app: Quota(database, host, app, mapping.daily_requests).used(now) for app in apps}
        done_on = {apps[one.app]: one.done_on for one in forecast.gauges(mapping, used, statuses, now)}
    lines = history.last_initial(database, tenant)
    return page(
        request,
        "hotprofile_kintone/initial.html",
        one=access.company,
        mapping=mapping,
        lines=[(line, statuses[line.data_set].initial if line.data_set in statuses else 0) for line in lines],
        done_on=done_on,
        untested=[DATA_SETS[one.name] for one in mapping.enabled if not _is_linked(statuses, one.name)]
        if mapping
        else [],
        DATA_SETS=DATA_SETS,
        today=now.astimezone(TOKYO).date(),
        now=now,
    )


@router.post("/dag/{dag_id}/initial/estimate")
def estimate(request: Request, access: guard.PostsEditsDag, since: Since = "") -> Response:
    access.tenant_of(LINK)
    return start(request, access, ESTIMATE, {"since": _day(access, since).isoformat()})


@router.post("/dag/{dag_id}/initial/start")
async def begin(request: Request, access: guard.PostsRunsDag, since: Since = "") -> Response:
    """A run of 初期連携 as the user."""
    access.tenant_of(LINK)
    return await start_run(request, access, Mode.INITIAL.value, since=_day(access, since).isoformat())


def _day(access: guard.Access, text: str) -> dt.date:
    """Raises Refused: it is no day, or one that is yet to come."""
    try:
        day = dt.date.fromisoformat(text.strip())
    except ValueError:
        raise Refused("更新日を「2026-04-01」の形で入力してください。") from None
    if day > access.services.now().astimezone(TOKYO).date():
        raise Refused("更新日には、今日までの日付を入力してください。")
    return day


def _is_linked(statuses: dict[str, history.DataSetStatus], name: str) -> bool:
    return name in statuses and statuses[name].enabled_at is not None


def _advice(found: InitialEstimate) -> str:
    """When to start (text 5: 金曜の夜など休日前)."""
    if forecast.is_calm(found.at):
        return "今は休日前（金曜の夜）か休日なので、始めるのに適しています。"
    friday = forecast.next_friday(found.at)
    return (
        f"大量のデータの連携は、金曜の夜など休日前に始めることをお勧めします（次の金曜日は {friday:%Y/%m/%d} です）。"
    )


JOBS = {
    ESTIMATE: OwnJob(
        "初期連携の見積もり",
        InitialEstimate,
        "hotprofile_kintone/job_estimate.html",
        {"DATA_SETS": DATA_SETS, "advice": _advice},
    )
}
