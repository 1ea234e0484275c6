"""What the お客様ページ and the console's page of invitations are given by whoever mounts them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from renkei.errors import RenkeiError
from renkei.sheets.difference import SheetLine
from renkei.sheets.review import Review
from renkei.web.customer.invitations import CustomerRight, Invitation, Invitations
from renkei.web.facts import RunProblem
from renkei.web.labelled import Labelled
from renkei.web.tenant_sheet import TenantSheet


@dataclass(frozen=True, slots=True)
class InvitationServices:
    """What it takes to invite customers."""

    invitations: Callable[[], Invitations]  # may raise StoreError
    address: Callable[[], str]  # of the お客様ページ, as customers reach it
    offers: Callable[
        [str], Mapping[CustomerRight, str]
    ]  # what a company's customers can be let do, by dag id, and its name
    connection: Callable[[str], str]  # the Airflow Connection in whose place a customer's grant stands, by dag id

    def link(self, token: str) -> str:
        """Behind `#` no browser sends it, so no log on the way has it."""
        return f"{self.address()}/enter#{token}"


@dataclass(frozen=True, slots=True)
class Company:
    """The one company of an invitation."""

    dag_id: str
    name: str
    source: str  # as people call it
    target: str
    sheet: bool  # a sheet without errors is in force
    link_start_on: dt.date | None = None
    last_result: dt.datetime | None = None  # of a run of which somebody heard
    connects: bool = False  # its source can be connected on a page


class ResultState(Labelled):
    """How a run ended: a label and its tone."""

    WELL = ("正常", "good")
    BAD = ("エラー", "bad")
    WAITING = ("確認待ち", "wait")
    NONE = ("処理中または中断", "quiet")


@dataclass(frozen=True, slots=True)
class Result:
    """One run, by what the store keeps of it."""

    key: str  # of its record
    at: dt.datetime
    state: ResultState
    subject: str = ""
    lines: Sequence[str] = ()  # figures and reasons, which name nobody


@dataclass(frozen=True, slots=True)
class ResultPage:
    """A run, with some of its errors."""

    result: Result
    problems: Sequence[RunProblem] = ()
    count: int = 0  # of all errors


class ConnectionState(Labelled):
    """The state of a company's connection to its source system: a label and its tone."""

    NONE = ("未連携", "none")
    UNDER_WAY = ("許可待ち", "cold")
    LINKED = ("連携済み", "good")
    VOID = ("再認可が必要", "bad")
    OTHERWISE = ("ほかの方法で接続", "quiet")  # by a token that the operator keeps


@dataclass(frozen=True, slots=True)
class Connected:
    """What is known of the connection."""

    state: ConnectionState
    at: dt.datetime | None = None  # when it was allowed
    fault: str = ""  # why it cannot be connected here, in Japanese
    fewer: tuple[int, int] | None = None  # people that who allowed it sees, and those of the last load, which are more


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """The way to the source system, and the cookie by which the browser is known again."""

    url: str = field(repr=False)
    cookie: str
    value: str = field(repr=False)
    lasts_s: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a browser came back with from the source system; `cookie` gives the value of one of its cookies by name."""

    state: str = field(repr=False)
    code: str = field(repr=False)
    error: str
    cookie: Callable[[str], str] = field(repr=False)


class NotConnectedError(RenkeiError):
    """Nothing was connected; `code` says why, and stands in an address of ours: `Connector.said` has the words."""

    def __init__(self, code: str, said: str = "") -> None:
        self.code = str(code)
        super().__init__(said or self.code)


class Connector(Protocol):
    """A company's way to connect its source system. `begin` and `finish` may raise NotConnectedError."""

    @property
    def origin(self) -> str:
        """Of the source system's log-in."""

    def status(self, now: dt.datetime) -> Connected: ...

    def said(self, code: str) -> str:
        """Why nothing was connected and what to do, in Japanese; empty for what is no such code."""

    def begin(self, by: Invitation, back: str, now: dt.datetime) -> AuthorizationRequest: ...

    def finish(self, answer: Answer, by: Invitation, back: str, now: dt.datetime) -> None: ...


class Sheets(Protocol):
    """As `renkei.web.sheet_facts.Sheets`, of which it is a part."""

    def of(self, dag_id: str) -> TenantSheet: ...

    def review(self, dag_id: str, file_name: str, content: bytes, among: frozenset[str] | None = None) -> Review: ...

    def marked(self, dag_id: str, review: Review) -> bytes: ...

    def differences(self, dag_id: str, old: Any, new: Any) -> Sequence[SheetLine]: ...


class Knowledge(Protocol):
    """What the sheets and the store know of one company. May be asked from any thread; may raise StoreError."""

    def company(self, dag_id: str) -> Company: ...

    def results(self, dag_id: str, most: int) -> Sequence[Result]:
        """The newest ones first."""

    def result(self, dag_id: str, key: str, start: int, most: int) -> ResultPage | None:
        """None: there is no such record."""

    def connector(self, dag_id: str) -> Connector | None:
        """None: its source is not connected on a page."""


@dataclass(frozen=True, slots=True)
class Services:
    """All that the pages need of their surroundings."""

    inviting: InvitationServices
    sheets: Sheets
    knowledge: Knowledge
    now: Callable[[], dt.datetime]
