"""What the pages are given by whoever mounts them: who asks, what he may, what is known, and what can be done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from fastapi import APIRouter
from starlette.requests import Request

from renkei.errors import RenkeiError
from renkei.storage.runs import RunRecord
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.channel_facts import Channels
from renkei.web.connection_facts import Connections
from renkei.web.customer.facts import InvitationServices
from renkei.web.facts import (
    Company,
    CompanyEvents,
    ConnectionChange,
    Details,
    Evidence,
    Freeze,
    Generation,
    QuestionState,
    Run,
    RunChoice,
    RunDetails,
)
from renkei.web.member_facts import MemberInvitations
from renkei.web.sheet_facts import Sheets


class Right(StrEnum):
    """What somebody may do with a company's Dag."""

    SEE = "SEE"  # states, figures, messages that name nobody
    EDIT = "EDIT"  # people's names and ids too; switch it on and off
    RUN = "RUN"  # start a run
    ANSWER = "ANSWER"  # answer a run that waits for a person


class Refused(RenkeiError):
    """Airflow did not do what somebody asked for; the message says why, in Japanese."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with an Airflow login."""

    id: str
    name: str
    own: Any = field(default=None, compare=False, repr=False)  # as the authority knows him


class Authority(Protocol):
    """Who asks, and what he may."""

    async def user(self, request: Request) -> User | None:
        """None: nobody has logged in, or the session is over."""

    def visible(self, user: User) -> Set[str]:
        """The ids of the Dags that he may see."""

    def may(self, user: User, right: Right, dag_id: str) -> bool: ...

    def may_create(self, user: User) -> bool:
        """Add a company: who may edit Dags in general, not those of some companies alone."""

    def may_freeze_all(self, user: User) -> bool:
        """災害時凍結 of every company."""

    def may_register(self, user: User, name: str) -> bool:
        """Put something into the Connection of this name."""

    def log_in(self, back: str) -> str:
        """The address of the log-in page, which leads `back`."""


class Knowledge(Connections, Channels, MemberInvitations, Protocol):
    """What Airflow's database and the store know. Everything may be asked at any time, from any thread."""

    def companies(self) -> Mapping[str, Company]:
        """Every company of every link by its dag id, as of at most a few seconds ago."""

    def faults(self) -> Sequence[str]:
        """Why what `companies` says may be incomplete, in Japanese."""

    def freezes(self) -> Mapping[str, Freeze] | None:
        """Every 災害時凍結 that is on, by tenant or ALL, as of at most a few seconds ago; None: nobody can say."""

    def freeze_changes(self) -> Sequence[Freeze]:
        """Who switched a 災害時凍結 on or off, the newest first."""

    def days(self, dag_ids: Sequence[str], since: dt.datetime) -> Mapping[str, Sequence[Run]]:
        """The runs of those Dags since then, oldest first, without what was told and counted."""

    def runs(self, dag_id: str, since: dt.datetime) -> Sequence[Run]:
        """The runs of a Dag since then, newest first."""

    def run(self, dag_id: str, run_id: str) -> Run | None: ...

    def runs_called(self, run_id: str, dag_ids: Sequence[str]) -> Mapping[str, Run]:
        """The runs of one id of several Dags, by dag id."""

    def details(self, dag_id: str) -> Details: ...

    def mapping(self, dag_id: str) -> Any:
        """What the company's sheet says, as its link reads it; None: it is gone, pending or cannot be used."""

    def folder(self, dag_id: str) -> TenantFolder:
        """Where the company's records are; may raise StoreError."""

    def evidence(self, dag_ids: Sequence[str]) -> Mapping[str, Evidence]:
        """What the store knows of each of those companies, by dag id, in this order."""

    def record(self, dag_id: str, run_id: str) -> RunRecord | None:
        """What is kept of a run; None where nothing is. May raise StoreError."""

    def question_state(self, dag_id: str, run_id: str, task_id: str) -> QuestionState | None:
        """What a task of a run asked a person; None where it asked nothing."""

    def account(self, dag_id: str, run_id: str, *, people: bool, start: int = 0, most: int = 100) -> RunDetails:
        """What is kept of a run, with `most` of its errors; without `people` nothing that names anybody."""

    def findings(self, dag_id: str, run_id: str) -> Iterator[Sequence[str]]:
        """Every error and 注意 of a run, a row each, below a row of titles; may raise StoreError."""

    def past(self, dag_id: str, runs: Sequence[Run]) -> CompanyEvents:
        """What is known beside those runs of a company."""

    def connection_changes(self, dag_id: str, since: dt.datetime) -> Sequence[ConnectionChange]:
        """Of the company's own Connections and of those that its sheet names, the newest first."""

    def connections(self, dag_id: str) -> Mapping[str, bool]:
        """The Connections that the company's sheet needs, and whether Airflow has them; none where it cannot be used."""

    def generations(self, dag_id: str) -> Sequence[Generation]:
        """The baselines that can be gone back to, newest first; may raise StoreError, BaselineError."""

    def changed(self) -> None:
        """Something was done: what is remembered of the companies is out of date."""

    def modes(self, dag_id: str) -> Sequence[RunChoice]:
        """The 実行方法 that the console offers, the first of which only looks."""

    def works_on(self, run_id: str) -> bool | None:
        """Whether Airflow still works on a job's run; None: it knows none."""

    def jobs_of(self, user: User) -> int:
        """How many jobs of his are not over, of all companies."""


class Actions(Protocol):
    """What can be done, as the user who asks. Each raises Refused."""

    async def start(self, request: Request, dag_id: str, mode: str, **settings: str) -> str:
        """Start a run of a 実行方法 with its settings; its id."""

    async def pause(self, request: Request, dag_id: str, paused: bool) -> None: ...

    def freeze(self, user: User, tenant: str, dag_id: str | None, on: bool, why: str) -> None:
        """Switch the 災害時凍結 of a tenant, or of ALL, on or off."""

    async def answer(
        self, request: Request, dag_id: str, run_id: str, task_id: str, chosen: str, why: str, plan: str
    ) -> None:
        """Answer a question, of that plan alone."""

    async def register(
        self,
        request: Request,
        name: str,
        conn_type: str,
        values: Mapping[str, str],
        extra: Mapping[str, str],
        drawn_over: str,
    ) -> None:
        """Put login, password and fields of Extra into a Connection, which is made if there is none; the others stay.

        `drawn_over` is the digest of what the form was drawn over: where something else stands, nothing is written.
        """

    def start_job(self, user: User, dag_id: str, number: int, run_id: str) -> None:
        """Have a company's job done by a run of this id. Nobody needs a right on the Dag that all companies share."""


@dataclass(frozen=True, slots=True)
class OwnJob:
    """A kind of job of one link's, and how its result is shown."""

    label: str
    model: type[Any]  # the dataclass of the result
    template: str  # what shows it, as `result`
    shown: Mapping[str, Any] = field(default_factory=dict)  # what else the template knows


@dataclass(frozen=True, slots=True)
class OwnPages:
    """The pages that one link alone has, at `/dag/{dag_id}/…`; each route refuses the companies of other links."""

    link: str  # its name, as its dag ids begin
    router: APIRouter
    templates: Path  # a folder with one of the link's name in it, which holds them
    menu: Sequence[tuple[str, str]]  # of a company's page: the last part of the address, and the title; for Right.EDIT
    answers: Mapping[str, str] = field(default_factory=dict)  # by the task that asks: /dag/{dag_id}/<this>/{run_id}
    jobs: Mapping[str, OwnJob] = field(default_factory=dict)  # by kind
    open_menu: Sequence[tuple[str, str]] = ()  # as `menu`, for everybody who may see the company
    first: tuple[str, str, str] | None = (
        None  # what a company begins with: of its page, the text, the button, the address
    )
    adds: tuple[str, str] | None = None  # 連携を追加する: what it is called among others, and the address
    uploads: Mapping[str, int] = field(default_factory=dict)  # the end of an address that takes a file: bytes at most
    secret_queries: Sequence[str] = ()  # the ends of addresses whose query no log may have
    connects: tuple[str, str] | None = (
        None  # where a person allows us the source: as in `menu`, and the Connection's prefix
    )


@dataclass(frozen=True, slots=True)
class Services:
    """All that the pages need of their surroundings."""

    authority: Authority
    knowledge: Knowledge
    actions: Actions
    secret: bytes  # of the tokens in forms
    sheets: Sheets
    own_pages: Sequence[OwnPages] = ()
    hosts: Sequence[str] = ()  # under which the browser may know this server, beside the request's own Host
    now: Any = field(default=lambda: dt.datetime.now(dt.UTC))
    inviting: InvitationServices | None = None  # customers, to their own pages
