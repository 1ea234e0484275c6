"""What the pages of sheets are given by whoever mounts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Protocol

from renkei.channel import Channel
from renkei.sheets.difference import SheetLine
from renkei.sheets.review import Review
from renkei.web.tenant_sheet import TenantSheet


@dataclass(frozen=True, slots=True)
class SheetTry:
    """A job that says what a version would do, before it is in force."""

    label: str
    note: str
    kind: str  # of the link's jobs
    asked: Mapping[str, str]  # beside `version`, its number


@dataclass(frozen=True, slots=True)
class FormField:
    """A cell of the sheet to be filled in on a page."""

    name: str  # of the input
    label: str
    note: str = ""
    needed: bool = False
    words: Sequence[str] = ()  # all that it may say; empty: any text
    dated: str = ""  # date, time: what a browser offers
    offers: tuple[str, ...] = ()  # what it usually says, where it may say something else too


@dataclass(frozen=True, slots=True)
class FormLine:
    """A line of a table: what it is about, and its cells."""

    title: str
    cells: Sequence[FormField]
    named: FormField | None = None  # where what it is about is filled in, too


@dataclass(frozen=True, slots=True)
class FormTable:
    title: str
    heads: Sequence[str]  # of the lines' titles, and of each cell
    lines: Sequence[FormLine]


@dataclass(frozen=True, slots=True)
class SheetForm:
    """A sheet as fields, with what it says now, by the fields' names."""

    fields: Sequence[FormField]
    values: Mapping[str, str]
    tables: Sequence[FormTable] = ()

    def offered(self) -> list[tuple[str, ...]]:
        """What its cells offer, each list once."""
        lines = [line for table in self.tables for line in table.lines]
        cells = [cell for line in lines for cell in (*line.cells, *([line.named] if line.named else []))]
        return list(dict.fromkeys(cell.offers for cell in cells if cell.offers))


class Sheets(Protocol):
    """The sheets of the companies: their versions, and what is to be said of one. May be asked from any thread."""

    def of(self, dag_id: str) -> TenantSheet:
        """Of a company that Airflow does not know yet, too. Raises StoreError: it cannot be opened."""

    def review(self, dag_id: str, file_name: str, content: bytes, among: Set[str] | None = None) -> Review:
        """All that is wrong or doubtful, found by a process within limits. Raises Refused: it cannot be said now.

        It is compared with those other tenants alone, so that none is named to who may not see it; None: with all.
        """

    def links(self) -> Mapping[str, str]:
        """Every link by its name, as people call it."""

    def folder_fault(self, link: str) -> str:
        """Why no page can put a new company's sheet into the link's folder, in Japanese; empty where it can."""

    def marked(self, dag_id: str, review: Review) -> bytes:
        """A copy of the workbook with what was found in it. Raises Refused."""

    def differences(self, dag_id: str, old: Any, new: Any) -> Sequence[SheetLine]:
        """Between two mappings of the company's link."""

    def loaded(self, dag_id: str) -> str:
        """The beginning of the digest of the sheet that Airflow's Dag was made from; empty: nobody can say."""

    def enabled(self, dag_id: str, user_name: str, said: Mapping[str, Any]) -> None:
        """A version was put into force: a line in Airflow's audit log, and the Dag is read again soon."""

    def tries(self, dag_id: str) -> Sequence[SheetTry]: ...

    def form(self, dag_id: str, mapping: Any) -> SheetForm | None:
        """None: this link's sheets are not edited on a page."""

    def formed(self, dag_id: str, file_name: str, review: Review, given: Mapping[str, str]) -> bytes:
        """The reviewed sheet with what was filled in, in the form of `file_name`; faults and all."""

    def with_channels(self, dag_id: str, file_name: str, review: Review, channels: Sequence[Channel]) -> bytes:
        """The reviewed sheet with these in its 通知, in the form of `file_name`. Raises Refused: not on a page."""
