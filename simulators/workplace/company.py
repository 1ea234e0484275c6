"""The absences of one company, and what people do with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulators.clock import TOKYO, Clock

FIRST_TOKEN = "workplace_sim_token"
Status = Literal["APPLIED", "APPROVED", "REJECTED", "CANCELLED"]
STATUSES: dict[Status, str] = {"APPLIED": "申請中", "APPROVED": "承認", "REJECTED": "却下", "CANCELLED": "取消"}
UNITS = {"ALL_DAY": "全日", "MORNING": "午前", "AFTERNOON": "午後", "HALF_HOURS": "30分", "HOURS": "1時間"}
MINUTES = {"HALF_HOURS": 30, "HOURS": 60}
KINDS = ("年次有給休暇", "慶弔休暇", "病気休暇", "生理休暇", "外出", "出張")
LOCAL = "%Y-%m-%dT%H:%M"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AllDay(Strict):
    """`end_on` is a day of the absence, too. One that ends before it starts is taken: a reader must be ready for it."""

    unit: Literal["ALL_DAY"] = "ALL_DAY"
    start_on: date
    end_on: date

    def last_day(self) -> date:
        return self.end_on

    def moved(self, days: int) -> AllDay:
        return AllDay(start_on=self.start_on + timedelta(days), end_on=self.end_on + timedelta(days))

    def shown(self) -> str:
        return f"{self.start_on:%m/%d}" + (f"～{self.end_on:%m/%d}" if self.end_on != self.start_on else "") + " 全日"


class HalfDay(Strict):
    unit: Literal["MORNING", "AFTERNOON"]
    on: date

    def last_day(self) -> date:
        return self.on

    def moved(self, days: int) -> HalfDay:
        return HalfDay(unit=self.unit, on=self.on + timedelta(days))

    def shown(self) -> str:
        return f"{self.on:%m/%d} {UNITS[self.unit]}"


class Timed(Strict):
    unit: Literal["HALF_HOURS", "HOURS"]
    start_at: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d$")]
    end_at: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d$")]

    @model_validator(mode="after")
    def _checked(self) -> Timed:
        for text in (self.start_at, self.end_at):
            datetime.strptime(text, LOCAL)
        return self

    def last_day(self) -> date:
        return datetime.strptime(self.end_at, LOCAL).date()

    def moved(self, days: int) -> Timed:
        start, end = (
            (datetime.strptime(text, LOCAL) + timedelta(days)).strftime(LOCAL) for text in (self.start_at, self.end_at)
        )
        return Timed(unit=self.unit, start_at=start, end_at=end)

    def shown(self) -> str:
        return f"{self.start_at[5:10].replace('-', '/')} {self.start_at[11:]}～{self.end_at[11:]}"


Period = Annotated[AllDay | HalfDay | Timed, Field(discriminator="unit")]


class Application(Strict):
    """What a member writes."""

    user_id: Annotated[str, Field(min_length=1, max_length=100)]
    kind: Annotated[str, Field(min_length=1, max_length=100)] = KINDS[0]
    periods: Annotated[list[Period], Field(min_length=1, max_length=31)]
    title: Annotated[str, Field(max_length=200)] = ""
    reason: Annotated[str, Field(max_length=2000)] = ""


class Change(Strict):
    """Those that are given; `revision`: a test's own, to send an older one again."""

    user_id: str | None = None
    kind: str | None = None
    periods: list[Period] | None = None
    title: str | None = None
    reason: str | None = None
    status: Status | None = None
    revision: Annotated[int, Field(ge=1)] | None = None


class Settings(Strict):
    """What a test can choose. `requests` in a minute; `bend_next` list answers lack their last `bend_drop` absences."""

    requests: Annotated[int, Field(ge=1)] = 600
    bend_next: Annotated[int, Field(ge=0)] = 0
    bend_drop: Annotated[int, Field(ge=0)] = 0


@dataclass
class Absence:
    id: str
    revision: int
    status: Status
    said: Application
    updated_at: datetime

    def as_json(self) -> dict[str, Any]:
        head = {"id": self.id, "revision": self.revision, "status": self.status}
        return {**head, **self.said.model_dump(mode="json"), "updated_at": self.updated_at.isoformat()}

    def is_in(self, since: date) -> bool:
        changed = self.updated_at.astimezone(TOKYO).date()
        return changed >= since or any(period.last_day() >= since for period in self.said.periods)


@dataclass
class Company:
    """Everything one process serves. Each of `on_change` is called with an absence and what was done with it: `applied`,
    `approved`, `rejected`, `cancelled`, `changed` or `deleted`."""

    clock: Clock = field(default_factory=Clock)
    on_change: list[Callable[[Absence, str], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.empty()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "on_change"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, on_change=[])

    def empty(self) -> None:
        self.clock.back()
        self.settings = Settings()
        self.token = FIRST_TOKEN
        self.members = {"sato@acme.example": "佐藤 花子", "suzuki@acme.example": "鈴木 一郎"}
        self.members |= {"tanaka@acme.example": "田中 美咲", "takahashi@acme.example": "高橋 健"}
        self.absences: dict[str, Absence] = {}
        self.version = 0
        self.last = 0
        self.counts: Counter[str] = Counter()
        self.asked: dict[int, int] = {}

    def apply(self, said: Application, status: Status = "APPLIED", number: str = "") -> Absence:
        self.last += 1
        absence = Absence(number or f"A-{self.last:06d}", 1, status, said, self.clock.now())
        self.absences[absence.id] = absence
        return self._done(absence, "approved" if status == "APPROVED" else "applied")

    def change(self, absence: Absence, change: Change) -> Absence:
        values = change.model_dump(exclude_none=True, exclude={"status", "revision"})
        absence.said = Application.model_validate(absence.said.model_dump() | values)
        absence.status = change.status or absence.status
        absence.revision = change.revision or absence.revision + 1
        absence.updated_at = self.clock.now()
        done = change.status.lower() if change.status else "changed"
        return self._done(absence, done)

    def delete(self, absence: Absence) -> None:
        del self.absences[absence.id]
        self._done(absence, "deleted")

    def _done(self, absence: Absence, what: str) -> Absence:
        self.version += 1
        for listener in self.on_change:
            listener(absence, what)
        return absence

    def listed(self, since: date) -> list[Absence]:
        return sorted((one for one in self.absences.values() if one.is_in(since)), key=lambda one: one.id)

    def spend(self) -> int:
        """Counts a request; the seconds to wait where this minute's are used up, else 0."""
        minute, second = divmod(int(self.clock.seconds()), 60)
        used = self.asked.get(minute, 0) + 1
        self.asked = {minute: used}
        return 60 - second if used > self.settings.requests else 0
