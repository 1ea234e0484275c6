"""What a job says of many sheets at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from renkei.errors import Problem
from renkei.sheets.tenant_files import OPERATOR_FILE

KIND = "sheets"  # of the job
PLACE = OPERATOR_FILE  # whose it is: no company is called so


class UploadState(StrEnum):
    """What a sheet would be, put into force."""

    NEW = "new"  # a company's first
    CHANGED = "changed"
    SAME = "same"  # in force already
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class BatchSheet:
    """One sheet of the zip; `version` is its number among the company's, 0 where it was not kept."""

    name: str
    tenant: str
    standing: UploadState
    version: int = 0
    digest: str = ""
    seen: str = ""  # the digest of the file that was in force; empty: there was none
    problems: Sequence[Problem] = ()  # the first ones
    problem_count: int = 0
    warnings: Sequence[Problem] = ()
    warning_count: int = 0


@dataclass(frozen=True, slots=True)
class SheetBatch:
    """In the order of the zip."""

    sheets: Sequence[BatchSheet] = field(default_factory=list)
