"""What the お客様ページ knows of a company: its sheet and the store, never Airflow's database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from starlette.types import ASGIApp

from renkei.clock import utcnow
from renkei.orchestration.connections import open_store
from renkei.orchestration.link import Link
from renkei.orchestration.monitor.scan import READERS
from renkei.orchestration.public.connection_secrets import DAG_FILE
from renkei.orchestration.public.inviting import INVITING
from renkei.orchestration.sheet_reviews import SheetReviews, split
from renkei.orchestration.tenant import find_tenant
from renkei.runs.notes import LastResult
from renkei.runs.outcome import GOOD_ENDS, End, Outcome, Summary
from renkei.storage import records
from renkei.storage.runs import CommonRunStart, RunRecord, date_in, is_run_key
from renkei.storage.store import DamagedFileError
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.customer import app
from renkei.web.customer.facts import Company, Connector, Result, ResultPage, ResultState, Services
from renkei.web.screens.customer import lines_of

PATIENCE_S = 20.0  # for a sheet that nobody has compiled yet
UNDATED = dt.datetime.max.replace(tzinfo=dt.UTC)  # a run with a name of its own is looked at first


class PublicKnowledge:
    """`renkei.web.customer.facts.Knowledge`."""

    def company(self, dag_id: str) -> Company:
        link, name = split(dag_id)
        tenant = find_tenant(link, name, DAG_FILE, PATIENCE_S)
        last = records.read_or_none(open_store(), _folder(dag_id).last_result, LastResult)
        sheet = tenant.sheet
        return Company(
            dag_id,
            sheet.company or name,
            link.source,
            link.target,
            sheet.mapping is not None,
            sheet.link_start_on,
            last.at if last else None,
            connects=link.connector is not None,
        )

    def results(self, dag_id: str, most: int) -> Sequence[Result]:
        folder = _folder(dag_id)
        names = [name for name in folder.store.names(folder.runs) if is_run_key(name)]
        newest = sorted(names, key=lambda name: date_in(name) or UNDATED, reverse=True)[:most]
        with ThreadPoolExecutor(READERS) as readers:
            found = readers.map(partial(_result, split(dag_id)[0], folder), newest)
            return sorted((one for one in found if one), key=lambda one: one.at, reverse=True)

    def result(self, dag_id: str, key: str, start: int, most: int) -> ResultPage | None:
        link, folder = split(dag_id)[0], _folder(dag_id)
        result = _result(link, folder, key)
        if result is None:
            return None
        view = link.console() if link.console else None
        found = view.problems(RunRecord(folder, key), start, most) if view else None
        return ResultPage(result, found.problems, found.count) if found else ResultPage(result)

    def connector(self, dag_id: str) -> Connector | None:
        link, name = split(dag_id)
        return link.connector()(name) if link.connector else None


def build() -> ASGIApp:
    """The app, to be mounted below PREFIX."""
    return app.build(Services(INVITING, SheetReviews(DAG_FILE), PublicKnowledge(), utcnow))


def _folder(dag_id: str) -> TenantFolder:
    link, tenant = split(dag_id)
    return TenantFolder(open_store(), link.name, tenant)


def _result(link: Link, folder: TenantFolder, key: str) -> Result | None:
    """What a run's record says; None where it says nothing: it is damaged, or on its way out."""
    record = RunRecord(folder, key)
    try:
        began = record.read_or_none(CommonRunStart)
        if began is None:
            return None
        summary, end = record.read_or_none(Summary), record.read_or_none(End)
    except DamagedFileError:
        return None
    subject, lines = lines_of(summary.lines if summary else (), folder.tenant)
    return Result(key, began.started_at, _state(link, subject, end), subject, lines)


def _state(link: Link, subject: str, end: End | None) -> ResultState:
    if end is not None and end.result in GOOD_ENDS:
        return ResultState.WELL
    told = {said: outcome for outcome, said in link.subjects().items()}
    outcome: Outcome | None = told.get(subject)
    if outcome is None:
        return ResultState.BAD if subject else ResultState.NONE
    return ResultState.WAITING if outcome.waiting else ResultState.WELL if outcome.succeeded else ResultState.BAD
