"""What a link brings for the console, beside what all links have."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from renkei.orchestration.link import LINKS
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.facts import Counts, Evidence, Figure, Findings, Generation
from renkei.web.services import OwnPages
from renkei.web.sheet_facts import SheetTry


@dataclass(frozen=True, slots=True)
class LinkView:
    """Functions of what a run left behind."""

    counted_by: Sequence[str]  # the tasks whose XComs have the counts
    counts: Callable[[Mapping[str, Any]], Counts | None]  # of those XComs by task, as far as they are there
    problems: Callable[[RunRecord, int, int], Findings]  # so many errors from a place on
    findings: Callable[[RunRecord], Iterator[Sequence[str]]]  # all errors and 注意 as rows of a table
    frozen: Callable[[], set[str]] | None = None  # the tenants in 災害時凍結, or `all`; may raise StoreError
    pages: OwnPages | None = None
    evidence: Callable[[TenantFolder], Evidence] | None = None  # may raise StoreError, BaselineError
    generations: Callable[[TenantFolder], Sequence[Generation]] | None = None  # as Knowledge.generations
    connections: Callable[[Any], Sequence[str]] = lambda mapping: ()  # that a sheet's mapping names, beside channels'
    needless: Callable[[Any, str], Collection[str]] = lambda mapping, name: ()  # fields of one that may stay blank
    sheet_tries: Sequence[SheetTry] = ()
    sheet_editor: Any = None  # has `form(mapping)` and `formed(review, given, suffix)`: a SheetEditor, or a module
    own_page: bool = False  # its members have マイ情報, where they register themselves
    figures: Callable[[TenantFolder], Sequence[Figure]] | None = None  # in place of people; may raise StoreError
    # By a company's mapping, now: Connections that a grant stands in for, and whether it is good; may raise StoreError.
    granted: Callable[[TenantFolder, Any, dt.datetime], Mapping[str, bool]] | None = None
    void: Callable[[Store], Collection[str]] | None = (
        None  # the tenants whose grant is void, in one question; StoreError
    )


def own_pages() -> list[OwnPages]:
    """The pages that links bring."""
    views = [link.console() for link in LINKS.values() if link.console]
    return [view.pages for view in views if view.pages]
