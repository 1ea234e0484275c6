"""What a rehearsal says: plain values that can be shown or written as JSON.

They hold personal values, which only the person who asked may see: a terminal, or a file of their own (L6).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from renkei.runs.hold import Hold
from renkei.sheets.difference import SheetLine


class Verdict(StrEnum):
    """How the run would end."""

    STOPPED = "stopped"  # an error stops it before it has a plan
    ERRORS = "errors"  # at least one department or person breaks a rule: nothing is written (L2)
    HELD = "held"  # a guard waits for a person
    UNCHANGED = "unchanged"  # nothing to write (E14)
    CHECKED = "checked"  # 確認のみ: a plan that the mode does not write
    WRITES = "writes"


@dataclass(frozen=True, slots=True)
class StopReason:
    """The error that would stop the run: its stage, the mail's subject, and its message."""

    stage: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class SourceRead:
    """The read of SmartHR that was rehearsed with."""

    live: bool
    run: str  # of the store, whose read it is; "" for a live one
    at: str  # ISO 8601


@dataclass(frozen=True, slots=True)
class MissingItem:
    """A SmartHR item that the stored read does not hold, and the items of the sheet that nobody can judge without it."""

    source: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is named in a list; `detail` as in the problems table. Departments are named alike."""

    line: int
    id: str
    crew_id: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ProblemGroup:
    """All errors (or doubtful values) of one kind in one item: how many, and the first of them."""

    record_set: str
    item: str  # as the sheet names it
    kind: str
    title: str
    remedy: str
    count: int
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class WarningGroup:
    """All warnings of one kind: how many, and the first of them."""

    kind: str
    title: str
    count: int
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class IdChange:
    """A crew whose user id changes (ID変更, E12)."""

    crew_id: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ItemFigures:
    """One EMC item over all records that are listed: what SmartHR has of it, and what would become of it in EMC.

    present + blank = the records; created + changed + cleared + same + left + unsure = the records that
    would be there afterwards. `refused` counts records with an error in this item, `too_long` those of them that are
    too long; `defaulted` those that get デフォルト:X. Where `unknown`, the read lacks its SmartHR item.
    """

    item: str
    key: str
    source: str
    present: int = 0
    blank: int = 0
    too_long: int = 0
    refused: int = 0
    defaulted: int = 0
    created: int = 0  # a value for a record that is new to EMC
    changed: int = 0  # another value than EMC has
    cleared: int = 0  # a value of EMC's goes
    same: int = 0  # written, and EMC has it already
    left: int = 0  # not written: EMC keeps what it has
    unsure: int = 0  # written, and nobody knows what EMC has
    unknown: bool = False
    commonest: int = 0  # records that have one and the same value, where that may point to a wrong SmartHR item


@dataclass(frozen=True, slots=True)
class ItemWarning:
    """An item that is blank, or the same, for nearly everybody: seldom what a sheet is meant to do."""

    item: str
    source: str
    kind: str  # blank, same
    count: int
    of: int

    @property
    def text(self) -> str:
        if self.kind == "blank":
            return f"{self.item}: {self.of:,}名のうち{self.count:,}名で、SmartHR項目「{self.source}」が空白です"
        return f"{self.item}: 値のある{self.of:,}名のうち{self.count:,}名が、同じ値です(SmartHR項目「{self.source}」)"

    @property
    def remedy(self) -> str:
        return "意図したとおりか、見本の社員の値で確かめ、違えば連携設定シートのSmartHR項目を直してください"


@dataclass(frozen=True, slots=True)
class SampleItem:
    """One item of a sample: what would be sent (None = EMC keeps what it has, "" = cleared), what EMC has (None = not known)."""

    item: str
    value: str | None
    emc: str | None


@dataclass(frozen=True, slots=True)
class Sample:
    """A person who shows what the sheet does, and why this one was chosen."""

    kind: str
    why: str
    user_id: str
    crew_id: str
    operation: str  # 新規, 更新, 削除, 登録しない
    items: tuple[SampleItem, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SheetEffect:
    """What changes in EMC only because of the sheet: the same read by the one in force and by the new one.

    `items` counts people (or departments) by item; `unsure` are items of which the read lacks what the sheet in force
    took them from.
    """

    people: int = 0
    items: dict[str, int] = field(default_factory=dict)
    listed: int = 0  # got no user id by the sheet in force
    unlisted: int = 0  # get none by the new one
    renamed: int = 0  # get another user id
    departments: int = 0
    department_items: dict[str, int] = field(default_factory=dict)
    unsure: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What the next run of this mode would do with the rehearsed sheet."""

    tenant: str
    mode: str
    verdict: Verdict
    first_link: bool
    emc_asked: bool  # False: what EMC has is what it confirmed last
    read: SourceRead | None  # None: stopped before anything was read
    stop: StopReason | None = None
    missing: tuple[MissingItem, ...] = ()
    counts: dict[str, dict[str, int]] = field(default_factory=dict)  # by record set, as model.Counts
    changed: dict[str, bool] = field(default_factory=dict)  # by record set
    id_changed: int = 0
    id_changes: tuple[IdChange, ...] = ()
    holds: tuple[Hold, ...] = ()
    holds_known: bool = True  # False: guards are only asked about a plan without errors
    problem_count: int = 0
    problems: tuple[ProblemGroup, ...] = ()
    warnings: tuple[WarningGroup, ...] = ()
    doubts: tuple[ProblemGroup, ...] = ()  # of values; only looked for in a plan without errors
    clashing_tenants: tuple[str, ...] = ()
    departments: tuple[ItemFigures, ...] = ()
    users: tuple[ItemFigures, ...] = ()
    item_doubts: tuple[ItemWarning, ...] = ()
    samples: tuple[Sample, ...] = ()
    sheet: tuple[SheetLine, ...] = ()
    effect: SheetEffect | None = None  # None: no sheet is in force, or both are the same

    def as_json(self) -> dict[str, Any]:
        """Dicts, lists, texts and numbers; personal values are among them."""
        return asdict(self)
