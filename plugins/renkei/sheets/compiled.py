"""What a sheet's file says, compiled, and what a link says of its sheets (L5)."""

from __future__ import annotations

import datetime as dt
import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from renkei.channel import Channel
from renkei.errors import Problem
from renkei.sheets.side_run import SideRun

MAX_PROBLEMS = 200  # shown in the Dag's page and in a mail
MAX_QUOTED = 300  # characters
MappingT = TypeVar("MappingT")


@dataclass(frozen=True, slots=True)
class SheetKind(Generic[MappingT]):
    """What a link says of its sheets: texts alone, so that whoever only reads compiled sheets imports no parser.

    `compiles` names the function that is given a file's name and bytes, the tenant and the allowed hosts, and gives
    back the `Compiled` and whatever else a review of the sheet needs. Only the child process of `bounded.py` imports it.
    """

    link: str
    version: int  # raise it whenever the parser or the compiled form changes
    compiles: str  # "module:function"
    mapping: str  # "module:class"


@dataclass(frozen=True, slots=True)
class Compiled(Generic[MappingT]):
    """What a sheet's file says: its link's mapping, or the problems that must be mended first (L5).

    All but the mapping is there for a broken sheet too, as far as it could be read. A `pending` sheet is a changed or
    new one that nobody has compiled yet: it has no mapping, and of all else only what its last form said of its Dag.
    """

    tenant: str
    digest: str  # SHA-256 (hex) of the file's bytes
    mapping: MappingT | None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    result_addresses: tuple[str, ...] = ()
    run_at: dt.time | None = None
    link_start_on: dt.date | None = None
    channels: tuple[Channel, ...] = ()
    company_name: str = ""
    scheduled: bool = True  # a broken sheet's run says every day what to mend
    side_runs: tuple[SideRun, ...] = ()
    shape: tuple[str, ...] = ()  # what of it decides which tasks its Dag has, in its link's words
    pending: bool = False

    @property
    def company(self) -> str:
        """会社名, or the tenant's name where none could be read."""
        return self.company_name or self.tenant


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def shown(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """The problems as a page and a mail can hold them: they quote what the file says, whatever that is."""
    shown = [Problem(_plain(p.where), _plain(p.found), _plain(p.remedy)) for p in problems[:MAX_PROBLEMS]]
    if more := len(problems) - len(shown):
        where = problems[0].where.partition(" ")[0]
        shown.append(Problem(_plain(where), f"ほかに{more:,}件あります", "上の項目から順に直してください"))
    return tuple(shown)


def _plain(text: str) -> str:
    """One line of at most MAX_QUOTED characters, without what cannot be shown or encoded or turns the text around."""
    cut = text if len(text) <= MAX_QUOTED else text[: MAX_QUOTED // 2] + "…" + text[-MAX_QUOTED // 2 :]
    return "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") else c for c in cut)
