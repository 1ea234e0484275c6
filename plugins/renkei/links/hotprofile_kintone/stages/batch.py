"""Records that are to be sent, and the app that takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Row

from renkei.links.hotprofile_kintone.conflicts import Ours
from renkei.systems.kintone.form import Form
from renkei.systems.kintone.payloads import Record, Written


class Target(Protocol):
    """One kintone app, as far as a run writes it (`systems/kintone/client.py`)."""

    def know(self, form: Form) -> None: ...

    def upsert(self, app: str, key: str, records: Sequence[tuple[str, Record]]) -> Sequence[Written]: ...

    def update(
        self, app: str, records: Sequence[tuple[str, Record]], revisions: Sequence[str] = ()
    ) -> Sequence[Written]: ...

    def find(self, app: str, field: str, values: Sequence[str], fields: Sequence[str] = ()) -> list[Record]: ...


Apps = Callable[[str], Target]  # by アプリID: the data set's own, and those that its lookups copy from


@dataclass(frozen=True, slots=True)
class Place:
    """The record of kintone's that one goes to, where it is not found, or made, by its 更新キー.

    That is where its 更新キー is to change (K22), and where people's changes of it are looked for (K23): then `ours` is
    what we know of its values, and `revision` the one it had then, if we know that.
    """

    record_id: str = ""
    instead_of: str = ""  # the id of the record of Hot Profile that this one replaces
    revision: str = ""
    ours: Ours = field(default_factory=dict)


NO_PLACE = Place()


@dataclass(frozen=True, slots=True)
class Task:
    """A record to be sent."""

    row: Row[Any]
    key: str  # the value of the 更新キー
    record: Record
    digest: bytes  # of the version that this is
    key_digest: bytes
    place: Place

    @property
    def source_id(self) -> str:
        found: str = self.row.source_id
        return found

    def whole(self, key: str) -> Record:
        """With its 更新キー."""
        return {**self.record, key: {"value": self.key}}

    @property
    def written_id(self) -> str:
        """The record of Hot Profile whose row of `written` is this record of kintone's."""
        return self.place.instead_of or self.source_id

    @property
    def record_id(self) -> str:
        return self.place.record_id
