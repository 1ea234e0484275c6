"""What the domain holds: apps with their records, tokens, users, and how often it was asked."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from simulators.clock import TOKYO, Clock
from simulators.kintone import form
from simulators.kintone.errors import KintoneError

Right = Literal["view", "add", "edit", "delete", "manage"]
RIGHTS: tuple[Right, ...] = ("view", "add", "edit", "delete", "manage")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Person(Strict):
    """A user; `password` lets them use the API."""

    code: str
    name: str = ""
    password: str | None = None


class AppDefinition(Strict):
    """An app as a start-up file or a control call defines it; `fields` as fields.json tells them."""

    id: PositiveInt
    name: str
    code: str = ""
    guest_space: PositiveInt | None = None
    fields: dict[str, dict[str, Any]]
    tokens: dict[str, list[Right]] = Field(default_factory=dict)


class Definition(Strict):
    """A whole domain."""

    apps: list[AppDefinition] = Field(default_factory=list)
    users: list[Person] = Field(default_factory=list)
    organizations: dict[str, str] = Field(default_factory=dict)
    groups: dict[str, str] = Field(default_factory=dict)


class Settings(Strict):
    """What a test can choose where real tenants differ, or kintone may change.

    `key_form`: how CB_VA01 names a field of a batch: `records[1].name.value` or `records[1][name].value`; both were seen.
    `upsert`: off as on a server of before 2025-03, which ignores the parameter (guess). `concurrency`: requests at once.
    `url_most`: bytes of path and query (guess).
    """

    key_form: Literal["dotted", "bracket"] = "dotted"
    upsert: bool = True
    concurrency: PositiveInt = 100
    url_most: PositiveInt = 8192


@dataclass(slots=True)
class Record:
    id: int
    revision: int
    values: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    creator: str
    modifier: str


@dataclass
class App:
    """One app; `unique` finds a record by the value of a field that prohibits duplicates."""

    id: int
    name: str
    code: str
    guest_space: int | None
    fields: dict[str, form.Field]
    made_at: datetime
    changed_at: datetime
    revision: int = 1
    records: dict[int, Record] = field(default_factory=dict)
    ids: list[int] = field(default_factory=list)  # ascending; of records that are there
    unique: dict[str, dict[str, int]] = field(default_factory=dict)
    next_id: int = 1
    next_row: int = 1

    def of_type(self, kind: str) -> str:
        """Code of the field of a system type."""
        return next(code for code, one in self.fields.items() if one.type == kind)

    def settle(self) -> None:
        """After a change of the form: an index for every unique field, and the system's own fields."""
        have = {one.type for one in self.fields.values()}
        for code, kind in form.SYSTEM_FIELDS.items():
            if kind not in have:
                self.fields[code] = form.field_of(code, {"type": kind})
        self.unique = {code: {} for code, one in self.fields.items() if one.unique}
        for code, found in self.unique.items():
            for record in self.records.values():
                if value := form.unique_key(self.fields[code], record.values.get(code)):
                    found.setdefault(value, record.id)


@dataclass(frozen=True)
class Token:
    app: int
    rights: frozenset[Right]


@dataclass(frozen=True)
class Caller:
    """Who asks: the rights that the request's tokens give by app, or a user, who may do all."""

    rights: dict[int, frozenset[Right]]
    user: str | None = None

    def may(self, app: int, right: Right) -> bool:
        return self.user is not None or right in self.rights.get(app, ())

    @property
    def name(self) -> str:
        return self.user or "Administrator"  # (guess) whom a token acts as


@dataclass
class Asked:
    """One request, or one of a bulkRequest, as it was counted."""

    at: str
    method: str
    api: str
    app: int
    status: int


@dataclass
class Cursor:
    app: int
    fields: list[str]
    ids: deque[int]
    size: int
    ends_at: float


class Domain:
    """Everything one process serves."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.empty()

    def empty(self) -> None:
        """As new: no app, no user, the machine's time."""
        self.clock.back()
        self.settings = Settings()
        self.apps: dict[int, App] = {}
        self.tokens: dict[str, Token] = {}
        self.users: dict[str, Person] = {"Administrator": Person(code="Administrator", name="Administrator")}
        self.organizations: dict[str, str] = {}
        self.groups: dict[str, str] = {}
        self.cursors: dict[str, Cursor] = {}
        self.counts: Counter[tuple[int, str]] = Counter()
        self.asked: deque[Asked] = deque(maxlen=200_000)
        self.most_at_once = 0
        self._undo: list[Callable[[], object]] | None = None

    def define(self, definition: Definition) -> None:
        """Add what a file defines.

        Raises:
            ValueError: a field that kintone has not.
        """
        self.users |= {user.code: user for user in definition.users}
        self.organizations |= definition.organizations
        self.groups |= definition.groups
        for app in definition.apps:
            self.put(app)

    def put(self, new: AppDefinition) -> App:
        """An app without records, in place of one with its id; its tokens are the given ones.

        Raises:
            ValueError: a field that kintone has not.
        """
        fields = {code: form.field_of(code, raw) for code, raw in new.fields.items()}
        now = self.clock.now()
        app = App(new.id, new.name, new.code, new.guest_space, fields, now, now)
        app.settle()
        self.apps[new.id] = app
        self.tokens = {name: token for name, token in self.tokens.items() if token.app != new.id}
        self.tokens |= {name: Token(new.id, frozenset(rights)) for name, rights in new.tokens.items()}
        return app

    def app(self, app_id: int, guest_space: int | None) -> App:
        """The app, asked for by the path that it has.

        Raises:
            KintoneError: there is none, or its path is another.
        """
        app = self.apps.get(app_id)
        if app is not None and app.guest_space is not None and guest_space is None:
            raise KintoneError("GAIA_IL23")
        if app is None or app.guest_space != guest_space:  # (guess) the latter
            raise KintoneError("GAIA_AP01", app_id)
        return app

    def count(self, method: str, api: str, app: int, status: int) -> None:
        """A request that an app was asked; kintone counts them and refuses none for their number."""
        now = self.clock.now()
        self.counts[app, now.astimezone(TOKYO).strftime("%Y-%m-%dT%H")] += 1
        self.asked.append(Asked(now.isoformat(), method, api, app, status))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes inside, or none of them; one inside another is part of it."""
        if self._undo is not None:
            yield
            return
        undo: list[Callable[[], object]] = []
        self._undo = undo
        try:
            yield
        except BaseException:
            for step in reversed(undo):
                step()
            raise
        finally:
            self._undo = None

    def on_failure(self, step: Callable[[], object]) -> None:
        """What takes the change that comes now back, should the transaction fail."""
        if self._undo is not None:
            self._undo.append(step)
