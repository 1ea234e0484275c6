"""Guards: each limit of the sheet from just below to just above it, torn reads, and what an approval is good for.

What must be held is worked out from SPEC.md's words (`judgement.beyond`), with no function of the product (E33–E36).
"""

from __future__ import annotations

from pathlib import Path

from tests.proof.case import Case, Effort, Say, in_parts
from tests.proof.guards.approvals import approvals
from tests.proof.guards.limits import (
    PEOPLE,
    contacts_lost,
    departments_deleted,
    everybody,
    people_deleted,
    thousands,
    values_cleared,
)
from tests.proof.guards.reads import empty_for_all, torn_reads
from tests.proof.worlds import worlds


def campaign(folder: Path, effort: Effort, say: Say) -> list[Case]:
    """Two parts, side by side."""
    return in_parts((limits, the_rest), folder, effort, say)


def limits(folder: Path, effort: Effort, say: Say) -> list[Case]:
    full = effort is Effort.FULL
    with worlds(folder) as world:
        cases = [people_deleted(world("people", PEOPLE + 10), full)]
        if full:
            cases += [
                departments_deleted(world("departments", 20)),
                contacts_lost(world("contacts", PEOPLE + 10)),
                values_cleared(world("values", PEOPLE + 10)),
                empty_for_all(world("empty", 20)),
            ]
        return cases


def the_rest(folder: Path, effort: Effort, say: Say) -> list[Case]:
    full = effort is Effort.FULL
    with worlds(folder) as world:
        cases = [torn_reads(world("torn", 20), full), *approvals(world("held", 20), full)]
        if full:
            cases += [everybody(world), thousands(world("big", 5700))]
        return cases
