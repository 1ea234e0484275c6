"""What a Hot Profile holds: companies and leads by id, who may see which lead, keys, and changes that are not seen yet."""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt

from simulators.clock import Clock
from simulators.hotprofile import invent

Kind = Literal["clients", "leads"]
Values = dict[str, Any]
FIRST_KEY, FIRST_USER = "hp_sim_key", "tantou"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Settings(Strict):
    """What a test can choose, for nobody has published how the service does it.

    `requests` in `seconds` a key may make. `order` of a list that names none. `date_ahead_s`: how far the Date header
    runs before the clock that writes updated_at. `bend_next` list answers are bent: their total by `bend_total`, and
    `bend_drop` records of theirs are missing.
    """

    requests: PositiveInt = 1000
    seconds: float = 300.0
    order: Literal["newest", "oldest", "thrown"] = "newest"
    date_ahead_s: float = 0.0
    bend_next: NonNegativeInt = 0
    bend_total: int = 0
    bend_drop: NonNegativeInt = 0


@dataclass(slots=True)
class Row:
    """A record; `values` is None while it is as invented."""

    values: Values | None
    created: int
    updated: int  # seconds since the epoch
    seen_by: frozenset[str] | None = None  # None: by everybody


@dataclass
class Table:
    """Companies or leads; `changed` counts every change that a reader could see."""

    invented: Callable[[int], Values]
    rows: dict[int, Row] = field(default_factory=dict)
    ids: list[int] = field(default_factory=list)  # ascending
    changed: int = 0
    selected: dict[tuple[Any, ...], list[int]] = field(default_factory=dict)

    def values(self, number: int) -> Values:
        """A record's values as they are now, to be read only."""
        return self.rows[number].values or self.invented(number)

    def put(self, number: int, row: Row) -> None:
        if number not in self.rows:
            if not self.ids or number > self.ids[-1]:
                self.ids.append(number)
            else:
                insort(self.ids, number)
        self.rows[number] = row
        self.touch()

    def drop(self, number: int) -> None:
        del self.rows[number]
        del self.ids[bisect_left(self.ids, number)]
        self.touch()

    def touch(self) -> None:
        self.changed += 1
        self.selected.clear()


@dataclass
class User:
    id: int
    code: str
    name: str


@dataclass(order=True)
class Late:
    """A change that was made at its updated_at, and that readers see from `visible_at` on."""

    visible_at: float
    order: int
    kind: Kind = field(compare=False)
    number: int = field(compare=False)
    row: Row = field(compare=False)


class Instance:
    """Everything one process serves."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.empty()

    def empty(self) -> None:
        """As new: one user with a key, nothing else, the machine's time."""
        self.clock.back()
        self.settings = Settings()
        self.seed, self.departments_each = 1, 2
        self.companies_of_leads: range = range(0)
        self.renamed: dict[int, str] = {}  # departments
        self.tables: dict[Kind, Table] = {"clients": Table(self._company), "leads": Table(self._lead)}
        self.users = {FIRST_USER: User(1, FIRST_USER, "担当 一郎")}
        self.keys = {FIRST_KEY: FIRST_USER}
        self.late: list[Late] = []
        self._order = 0
        self.spent: dict[str, deque[float]] = {}
        self.counts: Counter[str] = Counter()
        self.asked: deque[dict[str, Any]] = deque(maxlen=100_000)

    def invent(self, seed: int, first_id: int, clients: int, leads: int, first: int, last: int) -> None:
        """All records anew, in both lists from `first_id` on, updated evenly between the moments `first` and `last`."""
        self.seed = seed
        self.renamed.clear()
        self.late.clear()
        self.companies_of_leads = range(first_id, first_id + clients)
        wanted: list[tuple[Kind, int]] = [("clients", clients), ("leads", leads)]
        for kind, count in wanted:
            table = self.tables[kind]
            table.ids = list(range(first_id, first_id + count))
            step = (last - first) / max(1, count - 1)
            table.rows = {each: Row(None, first, first + int(index * step)) for index, each in enumerate(table.ids)}
            table.touch()

    def _company(self, number: int) -> Values:
        return invent.company(self.seed, number)

    def _lead(self, number: int) -> Values:
        """A lead of one of the companies that were seeded with it, in one of its departments or in none."""
        if not self.companies_of_leads:
            return invent.lead(self.seed, number, 0, "", None)
        client = self.companies_of_leads[invent.mixed(self.seed, number, 11) % len(self.companies_of_leads)]
        which = invent.mixed(self.seed, number, 12) % (self.departments_each + 1)
        department = self.department(client, which - 1) if which else None
        return invent.lead(self.seed, number, client, f"株式会社{invent.company_name(self.seed, client)}", department)

    def department(self, client: int, which: int) -> tuple[int, str]:
        number = client * 10 + which
        return number, self.renamed.get(number, invent.SECTIONS[(client + which) % len(invent.SECTIONS)])

    def settle(self) -> None:
        """Let late changes be seen whose time has come."""
        now = self.clock.seconds()
        while self.late and self.late[0].visible_at <= now:
            late = heapq.heappop(self.late)
            self.tables[late.kind].put(late.number, late.row)

    def write(self, kind: Kind, number: int, row: Row, visible_after_s: float = 0.0) -> None:
        """Put a record, at once or where readers do not see it for a while."""
        if visible_after_s:
            visible_at = self.clock.seconds() + visible_after_s
            self._order += 1
            heapq.heappush(self.late, Late(visible_at, self._order, kind, number, row))
        else:
            self.tables[kind].put(number, row)

    def free_id(self, kind: Kind) -> int:
        table = self.tables[kind]
        waiting = [late.number for late in self.late if late.kind == kind]
        return max([table.ids[-1] if table.ids else 0, *waiting]) + 1

    def spend(self, key: str, now: float) -> bool:
        """Count a request of a key; False when it is over the limit."""
        spent = self.spent.setdefault(key, deque())
        while spent and spent[0] <= now - self.settings.seconds:
            spent.popleft()
        if len(spent) >= self.settings.requests:
            return False
        spent.append(now)
        return True

    def leads_of(self, client: int) -> Iterable[int]:
        leads = self.tables["leads"]
        return [number for number in leads.ids if leads.values(number)["client_id"] == client]
