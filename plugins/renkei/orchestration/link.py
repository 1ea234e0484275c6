"""The links that there are, and what each of them brings (docs/architecture.md, "Add a link").

Listeners import this in every process of Airflow, and so does every parse. So a link's parts are named here, and
imported by whoever uses them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from airflow.sdk import BaseOperator
    from airflow.timetables.base import Timetable
    from starlette.routing import BaseRoute

    from renkei.channel import Channel
    from renkei.commands.lazy import LazyCommand
    from renkei.errors import RenkeiError
    from renkei.inbox.drain import Worker
    from renkei.inbox.lease import Leases
    from renkei.orchestration.connection_trial import Trial
    from renkei.orchestration.documentation import Page
    from renkei.orchestration.form import Form
    from renkei.orchestration.report import Report, RunEnd
    from renkei.orchestration.tenant import Tenant
    from renkei.orchestration.web.link_view import LinkView
    from renkei.runs.outcome import Outcome
    from renkei.sheets.bounded import Compiler
    from renkei.sheets.compiled import Compiled, SheetKind
    from renkei.sheets.difference import SheetLine
    from renkei.sheets.grants import Grants
    from renkei.sheets.review import Review
    from renkei.storage.runs import RunRecord
    from renkei.storage.tenant_folder import TenantFolder
    from renkei.web.customer.facts import Connector

    When = Callable[[Compiled[Any], dt.datetime | None], Timetable]  # by the sheet, and not before that moment
    LastTold = tuple[Sequence[str], Sequence[Channel]]  # mail addresses, and channels
    Work = Callable[[Tenant, Mapping[str, str], Callable[[str, int, int], None]], object]  # asked, progress; the result

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """Something of a link's by its dotted name, "module:name"; called, it is imported and given."""

    name: str

    def __call__(self) -> T:
        found: T = resolve_name(self.name)
        return found


@dataclass(frozen=True, slots=True)
class Link:
    """What one link brings."""

    name: str  # as its Dag file, its folder of sheets, its Dags and its part of the store are called
    source: str  # as people call it
    target: str
    sheets: Part[SheetKind[Any]]
    form: Part[Form]
    work: Part[Callable[[Tenant], Sequence[BaseOperator]]]  # the tasks that do a tenant's work, first to last
    page: Part[Callable[[Tenant], Page]]  # what a Dag's page says of a sheet that can be used
    report: Part[Callable[[RunEnd], Report]]  # what is told of a run; may raise StoreError
    subjects: Part[Mapping[Outcome, str]]  # of mails, by how a run ended
    try_systems: Part[Callable[[Any, str], Iterator[Trial]]]  # each Connection that a sheet's mapping needs
    # Where a link has them:
    timetable: Part[When] = Part("renkei.orchestration.timetable:daily")  # of a sheet that can be used
    check_grants: Part[Callable[[Compiled[Any], Grants, str], Compiled[Any]]] = Part(
        "renkei.sheets.grants:check_channels"
    )  # E41
    review: Part[Callable[[Link, Path, str, bool, Compiler[Any]], Review]] = Part("renkei.commands.check:review")
    review_sheet: Part[Callable[[Link, Path, str, Grants, Collection[Path], Compiler[Any]], Review]] = Part(
        "renkei.orchestration.sheet_review:review"
    )  # at a sheet that a page was given
    differences: Part[Callable[[Any, Any], Sequence[SheetLine]]] | None = None  # between two mappings, in words
    titles: Part[Mapping[str, Sequence[str]]] | None = None  # of a workbook's tables, by their names in problems
    commands: Part[Sequence[LazyCommand]] | None = None  # of `renkei`, for this link alone
    errors: Part[Callable[[RunRecord, RenkeiError], Sequence[str]]] | None = None  # what a task's log says of one
    last_told: Part[Callable[[Tenant], LastTold]] | None = None  # by the sheet that was loaded last, for a broken one
    console: Part[LinkView] | None = None  # what its runs count, and their errors
    jobs: Part[Mapping[str, Work]] | None = None  # by kind: what is too long for a page; each gives back a dataclass
    registrations: Part[Callable[[Any], Sequence[Channel]]] | None = (
        None  # of a mapping, beside channels: they may expire
    )
    grant_end: Part[Callable[[TenantFolder], tuple[dt.date, str] | None]] | None = (
        None  # the day on which what a company allowed us at the source ends, if nothing renews it; the page to allow it
    )
    tidy: Part[Callable[[dt.datetime, dt.timedelta], object]] | None = (
        None  # what it keeps beside its runs, older than so much
    )
    drain: Part[Callable[[Tenant, Leases], Worker]] | None = None  # works its inbox off (inbox/drain.Source)
    public: Part[Callable[[], Sequence[BaseRoute]]] | None = None  # what the internet may reach of it
    connector: Part[Callable[[str], Connector]] | None = None  # by a tenant: its customers connect the source by a page
    keep_days: int = 0  # of its runs' records, where RENKEI_KEEP_DAYS is more; 0: no fewer
    has_baseline: bool = True  # else a tenant counts as linked once it has had a result

    @property
    def label(self) -> str:
        return f"{self.source} → {self.target}"


LINKS = {
    link.name: link
    for link in (
        Link(
            name="smarthr_emc",
            source="SmartHR",
            target="EMC",
            sheets=Part("renkei.links.smarthr_emc.sheet:SHEETS"),
            form=Part("renkei.orchestration.smarthr_emc.form:FORM"),
            work=Part("renkei.orchestration.smarthr_emc.dag:work"),
            page=Part("renkei.orchestration.smarthr_emc.documentation:page"),
            report=Part("renkei.orchestration.smarthr_emc.results:report"),
            subjects=Part("renkei.links.smarthr_emc.wording:SUBJECTS"),
            check_grants=Part("renkei.links.smarthr_emc.sheet.grants:check_grants"),
            review=Part("renkei.commands.smarthr_emc.sheet:check"),
            review_sheet=Part("renkei.orchestration.smarthr_emc.sheet_review:review"),
            differences=Part("renkei.links.smarthr_emc.sheet.difference:differences"),
            titles=Part("renkei.links.smarthr_emc.sheet.excel.reader:TITLES"),
            commands=Part("renkei.commands.smarthr_emc:COMMANDS"),
            errors=Part("renkei.orchestration.smarthr_emc.results:errors"),
            last_told=Part("renkei.orchestration.smarthr_emc.results:last_told"),
            try_systems=Part("renkei.orchestration.smarthr_emc.connection_trial:try_systems"),
            console=Part("renkei.orchestration.smarthr_emc.console:VIEW"),
            jobs=Part("renkei.orchestration.smarthr_emc.jobs:JOBS"),
            grant_end=Part("renkei.orchestration.smarthr_emc.smarthr_plus:grant_end"),
            tidy=Part("renkei.orchestration.smarthr_emc.smarthr_plus:tidy"),
            connector=Part("renkei.orchestration.smarthr_emc.customer_connection:connector"),
        ),
        Link(
            name="hotprofile_kintone",
            source="Hot Profile",
            target="kintone",
            sheets=Part("renkei.links.hotprofile_kintone.sheet:SHEETS"),
            form=Part("renkei.orchestration.hotprofile_kintone.form:FORM"),
            work=Part("renkei.orchestration.hotprofile_kintone.dag:work"),
            page=Part("renkei.orchestration.hotprofile_kintone.documentation:page"),
            report=Part("renkei.orchestration.hotprofile_kintone.results:report"),
            subjects=Part("renkei.links.hotprofile_kintone.wording:SUBJECTS"),
            titles=Part("renkei.links.hotprofile_kintone.sheet.workbook:TITLES"),
            commands=Part("renkei.commands.hotprofile_kintone:COMMANDS"),
            try_systems=Part("renkei.orchestration.hotprofile_kintone.connection_trial:try_systems"),
            timetable=Part("renkei.orchestration.hotprofile_kintone.dag:timetable"),
            differences=Part("renkei.links.hotprofile_kintone.sheet.difference:differences"),
            console=Part("renkei.orchestration.hotprofile_kintone.console:VIEW"),
            jobs=Part("renkei.orchestration.hotprofile_kintone.jobs:JOBS"),
            tidy=Part("renkei.orchestration.hotprofile_kintone.results:tidy"),
            keep_days=31,  # a run every five minutes is a hundred thousand folders a year
            has_baseline=False,
        ),
        Link(
            name="lineworks_kot",
            source="LINE WORKS",
            target="KING OF TIME",
            sheets=Part("renkei.links.lineworks_kot.sheet:SHEETS"),
            form=Part("renkei.orchestration.lineworks_kot.form:FORM"),
            work=Part("renkei.orchestration.lineworks_kot.dag:work"),
            page=Part("renkei.orchestration.lineworks_kot.documentation:page"),
            report=Part("renkei.orchestration.lineworks_kot.results:report"),
            subjects=Part("renkei.links.lineworks_kot.wording:SUBJECTS"),
            commands=Part("renkei.commands.lineworks_kot:COMMANDS"),
            try_systems=Part("renkei.orchestration.lineworks_kot.connection_trial:try_systems"),
            timetable=Part("renkei.orchestration.lineworks_kot.dag:timetable"),
            differences=Part("renkei.links.lineworks_kot.sheet.difference:differences"),
            tidy=Part("renkei.orchestration.lineworks_kot.drain:tidy"),
            drain=Part("renkei.orchestration.lineworks_kot.drain:drain"),
            public=Part("renkei.orchestration.lineworks_kot.public:routes"),
            console=Part("renkei.orchestration.lineworks_kot.console:VIEW"),
            jobs=Part("renkei.orchestration.lineworks_kot.jobs:JOBS"),
            has_baseline=False,
        ),
        Link(
            name="workplace_lineworks",
            source="WORKPLACE",
            target="LINE WORKS",
            sheets=Part("renkei.links.workplace_lineworks.sheet:SHEETS"),
            form=Part("renkei.orchestration.workplace_lineworks.form:FORM"),
            work=Part("renkei.orchestration.workplace_lineworks.dag:work"),
            page=Part("renkei.orchestration.workplace_lineworks.documentation:page"),
            report=Part("renkei.orchestration.workplace_lineworks.results:report"),
            subjects=Part("renkei.links.workplace_lineworks.wording:SUBJECTS"),
            commands=Part("renkei.commands.workplace_lineworks:COMMANDS"),
            try_systems=Part("renkei.orchestration.workplace_lineworks.connection_trial:try_systems"),
            timetable=Part("renkei.orchestration.workplace_lineworks.dag:timetable"),
            differences=Part("renkei.links.workplace_lineworks.sheet.difference:differences"),
            console=Part("renkei.orchestration.workplace_lineworks.console:VIEW"),
            registrations=Part("renkei.orchestration.workplace_lineworks.connections:registrations"),
            tidy=Part("renkei.orchestration.workplace_lineworks.results:tidy"),
            drain=Part("renkei.orchestration.workplace_lineworks.drain:drain"),
            public=Part("renkei.orchestration.workplace_lineworks.public:routes"),
            keep_days=31,  # a run every five minutes is a hundred thousand folders a year
            has_baseline=False,
        ),
    )
}


def dag_id(link: str, tenant: str) -> str:
    return f"{link}__{tenant}"


def split_dag_id(of: str) -> tuple[str, str] | None:
    """The link and the tenant of a Dag; None where it is no tenant's."""
    link, _, tenant = of.partition("__")
    return (link, tenant) if tenant and link in LINKS else None
