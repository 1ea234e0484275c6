"""The company: who works where and under which rules, the tokens of its API, and every punch."""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from simulators.clock import TOKYO, Clock
from simulators.kingoftime.errors import Shape

Code = Literal["1", "2", "3", "4", "7", "8"]
KINDS: dict[str, str] = {
    **{"1": "出勤", "2": "退勤", "3": "休憩開始", "4": "休憩終了"},
    **{"7": "外出", "8": "戻り"},
}
BREAKS = ("3", "4")
Right = Literal["employees:read", "divisions:read", "working-types:read", "timerecord:read", "timerecord:write"]
Word = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Division(Strict):
    """所属. `dayBorderTime` is its 日付変更時間: what is punched before it belongs to the day before."""

    code: Word
    name: Word
    dayBorderTime: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "00:00"

    def working_day(self, at: datetime) -> date:
        local = at.astimezone(TOKYO)
        return local.date() - timedelta(days=local.strftime("%H:%M") < self.dayBorderTime)


class WorkingType(Strict):
    """雇用区分. `breaks`: 休憩打刻「許可する」."""

    code: Word
    name: Word
    breaks: bool = True


class Employee(Strict):
    """`key` stays when `code` changes; made from the first code where none is given."""

    code: Word
    key: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""
    lastName: Word
    firstName: Word
    divisionCode: Word
    typeCode: Word
    gender: Literal["male", "female"] = "male"
    lastNamePhonetics: str | None = None
    firstNamePhonetics: str | None = None
    hiredDate: date | None = None
    resignationDate: date | None = None
    emailAddresses: list[str] = Field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.lastName} {self.firstName}"

    def employed(self, day: date) -> bool:
        """The day of 退職 is the last one."""
        return self.resignationDate is None or day <= self.resignationDate


class Token(Strict):
    """`addresses`: from where it may be used, networks too; a token without one is refused everywhere."""

    rights: list[Right]
    addresses: list[str] = Field(default_factory=list)

    @field_validator("addresses")
    @classmethod
    def _networks(cls, addresses: list[str]) -> list[str]:
        return [str(ip_network(each)) for each in addresses]

    def allows(self, address: str) -> bool:
        return any(ip_address(address) in ip_network(each) for each in self.addresses)


class Definition(Strict):
    """What a company looks like before anybody punches."""

    divisions: list[Division] = Field(default_factory=list)
    types: list[WorkingType] = Field(default_factory=list)
    employees: list[Employee] = Field(default_factory=list)
    tokens: dict[str, Token] = Field(default_factory=dict)


class Settings(Strict):
    """`limit`: requests in `limit_seconds` of the machine's clock, None for any number. `overwrite`: 退勤打刻の自動上書き機能."""

    limit: Annotated[int | None, Field(ge=0)] = None
    limit_seconds: Annotated[float, Field(gt=0)] = 60.0
    error_shape: Shape = "listed"
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Punch:
    """`date` is the working day that it was sent for. `by`: the service that registered it, or a time recorder."""

    number: int
    key: str
    date: str
    time: str
    code: str
    division: str
    by: str
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that reached the API, at its own clock."""

    at: str
    method: str
    path: str
    status: int


class Company:
    """Everything that a start has, and `--keep` carries over.

    Two clocks: `clock` is KING OF TIME's, which a test sets and stops; it decides about the forbidden hours and days.
    The limit counts on the machine's, or a stopped clock would never let go.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.empty()

    def empty(self) -> None:
        self.divisions: dict[str, Division] = {}
        self.types: dict[str, WorkingType] = {}
        self.employees: dict[str, Employee] = {}  # by key
        self.tokens: dict[str, Token] = {}
        self.punches: dict[int, Punch] = {}
        self._by_day: dict[str, list[int]] = {}
        self.asked: deque[Asked] = deque(maxlen=200_000)
        self.settings = Settings()
        self.clock.back()
        self._last = 0
        self._recent: deque[float] = deque()

    def define(self, new: Definition) -> None:
        """Add to what is there; an employee takes the place of one with their key.

        Raises:
            ValueError: a 所属 or a 雇用区分 that is not there, or a code twice.
        """
        self.divisions |= {one.code: one for one in new.divisions}
        self.types |= {one.code: one for one in new.types}
        for one in new.employees:
            self.put(one)
        self.tokens |= new.tokens

    def put(self, employee: Employee) -> Employee:
        """The employee as kept.

        Raises:
            ValueError: see `define`.
        """
        if employee.divisionCode not in self.divisions or employee.typeCode not in self.types:
            raise ValueError(f"{employee.code}: 所属 or 雇用区分 is not there")
        key = employee.key or hashlib.sha256(employee.code.encode()).hexdigest()
        same = self.by_code(employee.code)
        if same and same.key != key:
            raise ValueError(f"{employee.code}: the code is another employee's")
        self.employees[key] = employee.model_copy(update={"key": key})
        return self.employees[key]

    def by_code(self, code: str) -> Employee | None:
        return next((one for one in self.employees.values() if one.code == code), None)

    def now(self) -> datetime:
        return self.clock.now().astimezone(TOKYO)

    def admits(self) -> bool:
        """Whether the limit takes another request; one that is refused does not count (guess)."""
        now, limit = time.monotonic(), self.settings.limit
        while self._recent and self._recent[0] <= now - self.settings.limit_seconds:
            self._recent.popleft()
        if limit is not None and len(self._recent) >= limit:
            return False
        self._recent.append(now)
        return True

    def punch(
        self,
        employee: Employee,
        day: str,
        at: str,
        code: str,
        division: str = "",
        *,
        by: str,
        latitude: float | None = None,
        longitude: float | None = None,
    ) -> Punch:
        """One more punch, whatever is there already."""
        self._last += 1
        made = Punch(
            self._last, employee.key, day, at, code, division or employee.divisionCode, by, latitude, longitude
        )
        self.punches[made.number] = made
        self._by_day.setdefault(day, []).append(made.number)
        return made

    def remove(self, number: int) -> bool:
        """As a person does on the page 打刻編集; whether it was there."""
        gone = self.punches.pop(number, None)
        if gone:
            self._by_day[gone.date].remove(number)
        return gone is not None

    def of_day(self, day: str) -> dict[str, list[Punch]]:
        """The punches by employee, each one's by their time (guess) and then as they came."""
        found: dict[str, list[Punch]] = {}
        for number in self._by_day.get(day, []):
            found.setdefault(self.punches[number].key, []).append(self.punches[number])
        return {key: sorted(each, key=lambda one: (one.time, one.number)) for key, each in found.items()}

    def faults_of(self, day: str, punches: Iterable[Punch]) -> list[str]:
        """What makes the day an エラー勤務; nothing if it is none."""
        counts = dict.fromkeys(KINDS, 0)
        for one in punches:
            counts[one.code] += 1
        over = day < self.now().date().isoformat()
        reasons = {
            "出勤打刻が2回以上あります": counts["1"] > 1,
            "退勤打刻が2回以上あります": counts["2"] > 1 and not self.settings.overwrite,
            "出勤打刻がありません": counts["1"] == 0 and any(counts.values()),
            "退勤打刻がありません": over and counts["1"] > 0 and counts["2"] == 0,
            "休憩打刻がそろっていません": _unpaired(counts["3"], counts["4"], over or counts["2"] > 0),
            "外出打刻がそろっていません": _unpaired(counts["7"], counts["8"], over or counts["2"] > 0),
        }
        return [words for words, holds in reasons.items() if holds]


def _unpaired(begun: int, ended: int, over: bool) -> bool:
    """Of breaks: one more begun than ended is right as long as the day is not over."""
    return begun != ended if over else begun - ended not in (0, 1)
