"""What is kept of a run as JSON, one class per file (docs/store.md); how it ended, and its hold, are in `renkei.runs`.

A field with a default is one that older versions did not write.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import PlainSerializer, PlainValidator

from renkei.links.smarthr_emc.model import Counts, Mode, RecordSet
from renkei.links.smarthr_emc.sheet.codec import mapping_from_json, mapping_to_json
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.storage.records import Moment
from renkei.systems.emc.payloads import EmcProblem

Triple = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class RunStart:
    """What one run was asked to do; written once, before SmartHR is read."""

    FILE: ClassVar[str] = "run"
    run_id: str
    mode: Mode
    manual: bool
    started_at: str  # ISO 8601
    sheet_digest: str  # of the file's bytes
    disaster: bool = False  # 災害時凍結 was on when it began
    generation: int = 0  # the baseline that 復元 goes back to


@dataclass(frozen=True, slots=True)
class RunSheet:
    """The sheet that the run goes by, without a literal password (L6)."""

    FILE: ClassVar[str] = "sheet"
    mapping: Annotated[Mapping, PlainValidator(mapping_from_json), PlainSerializer(mapping_to_json)]


@dataclass(frozen=True, slots=True)
class FetchedDepartments:
    """The first half of a read, with the master lists that the second half needs."""

    FILE: ClassVar[str] = "fetched"
    read_id: str
    masters: dict[str, Any]
    baseline: str | None = None  # the run that had made the baseline when the read began
    at: Moment | None = None
    log_in: str | None = None  # by which SmartHR was read, as `SmartHRClient.log_in`


@dataclass(frozen=True, slots=True)
class FetchedUsers:
    """The second half of that read."""

    FILE: ClassVar[str] = "fetched_users"
    read_id: str


@dataclass(frozen=True, slots=True)
class SetSummary:
    """What E14 compares and the mail counts, of one record set."""

    total: int  # 全件: received
    valid: int  # 有効
    digest: str  # of the valid records' mapped values, by id
    sheet_digest: str  # of the rules that turn them into EMC's values


@dataclass(frozen=True, slots=True)
class SnapshotSummary:
    """The frozen read in figures."""

    FILE: ClassVar[str] = "snapshot"
    read_id: str
    sets: dict[RecordSet, SetSummary]
    baseline: str | None = None  # as of the read
    at: Moment | None = None  # when the read began
    log_in: str | None = None  # by which SmartHR was read, or had been when somebody last was deleted (災害時凍結)


@dataclass(frozen=True, slots=True)
class SetDiff:
    """What is to be done with one record set."""

    counts: Counts
    changed: bool  # 変化あり: it is written


@dataclass(frozen=True, slots=True)
class DiffSummary:
    """Against which baseline the run compared, and what it found."""

    FILE: ClassVar[str] = "diff"
    generation: int
    sets: dict[RecordSet, SetDiff]


@dataclass(frozen=True, slots=True)
class ValueWarnings:
    """Doubtful values that EMC gets or has."""

    counts: dict[str, int] = field(default_factory=dict)  # people by kind (wording.VALUE_WARNINGS)
    shown: list[tuple[str, str, str, str]] = field(default_factory=list)  # the first: kind, user id, crew id, items


@dataclass(frozen=True, slots=True)
class PlanWarnings:
    """What is remarkable about a plan, and no error."""

    FILE: ClassVar[str] = "warnings"
    people: list[Triple] = field(default_factory=list)  # kind, user id, crew id
    prefixes: list[str] = field(default_factory=list)  # tenants whose ID付与コード may clash
    id_changes: list[Triple] = field(default_factory=list)  # crew id, old, new
    handovers: list[Triple] = field(default_factory=list)  # user id, crew id before, crew id now
    blank: list[str] = field(default_factory=list)  # items that nobody has and that no earlier run read
    substituted: list[tuple[str, str]] = field(default_factory=list)  # department id, characters
    hygiene: ValueWarnings = field(default_factory=ValueWarnings)


@dataclass(frozen=True, slots=True)
class Reach:
    """Of the people whom EMC has once the plan is applied: how many it can reach, and by what (即応証明)."""

    FILE: ClassVar[str] = "reach"
    present: int  # received and not 退職済, with a user id or without
    lost: int  # of these: they had a user id once
    reached: int  # with a contact
    unknown: int  # whose contacts are EMC's own affair
    media: dict[str, int]  # people by medium, each medium of the format; somebody may be in several


@dataclass(frozen=True, slots=True)
class Plan:
    """The head of a validated plan; its rows are tables beside it."""

    FILE: ClassVar[str] = "plan"
    digest: str
    generation: int  # of the baseline that it was made against
    departments: bool  # whether the record set is written
    users: bool
    users_after: int
    departments_after: int
    emc_format: str = ""  # EmcFormat.digest

    @property
    def writes(self) -> bool:
        return self.departments or self.users


@dataclass(frozen=True, slots=True)
class Tally:
    """Records of one record set by kind of difference; `items` counts the differing ones per item, by key."""

    missing: int
    differs: int
    extra: int
    items: dict[str, int]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What 照合 found."""

    FILE: ClassVar[str] = "compare"
    sets: dict[RecordSet, Tally]
    lines: list[str]  # of the mail
    told: Moment | None = None  # when somebody last heard of the very same ones

    @property
    def end(self) -> Literal["compared", "differs"]:
        """What the run came to."""
        return "differs" if any(one.missing or one.differs or one.extra for one in self.sets.values()) else "compared"


@dataclass(frozen=True, slots=True)
class RefusedRow(EmcProblem):
    """One reason of EMC's, with whom its line stood for."""

    id: str = ""
    crew_id: str = ""


@dataclass(frozen=True, slots=True)
class EmcRefusal:
    """Why EMC did not take the files."""

    FILE: ClassVar[str] = "emc_problems"
    problems: list[RefusedRow]
    count: int = 0  # EMC may not list all of them


@dataclass(frozen=True, slots=True)
class LoadConfirmation:
    """What EMC confirmed of the load. It tells a lost baseline from a first link (E31)."""

    FILE: ClassVar[str] = "load"
    import_key: str
    import_id: str
    confirmed_at: Moment
    counts: dict[str, dict[str, int]]
    notices: list[EmcProblem]
