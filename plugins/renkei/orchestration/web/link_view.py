"""What a link brings for the console, beside what all links have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from renkei.orchestration.link import LINKS
from renkei.storage.runs import RunRecord
from renkei.storage.tenant_folder import TenantFolder
from renkei.web.facts import Counts, Evidence, OwnPages, RunProblem


@dataclass(frozen=True, slots=True)
class LinkView:
    """Functions of what a run left behind."""

    counted_by: str  # the task whose XCom has the counts
    counts: Callable[[Any], Counts | None]  # of that XCom
    problems: Callable[[RunRecord], tuple[Sequence[RunProblem], int]]  # the first errors, and how many there are
    frozen: Callable[[], set[str]]  # the tenants in 災害時凍結, or `all`; may raise StoreError
    pages: OwnPages | None = None
    evidence: Callable[[TenantFolder], Evidence] | None = None  # may raise StoreError, BaselineError


def own_pages() -> list[OwnPages]:
    """The pages that links bring."""
    views = [link.console() for link in LINKS.values() if link.console]
    return [view.pages for view in views if view.pages]
