"""Every version of a tenant's sheet, and each move of one into force (S2).

Both are numbered records that are only ever created, below `<tenant>/sheets/`; the bytes of a file lie beside them under
their digest, sealed by the store's cipher. Whoever dies between bytes and record has left bytes that nobody names; they
are written again by who tries again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from renkei.storage import records
from renkei.storage.records import Moment
from renkei.storage.store import DamagedFileError, MissingKeyError
from renkei.storage.tenant_folder import TenantFolder

DRAFTS_KEPT = dt.timedelta(days=90)  # of versions that were never in force; the others are kept for good
_NUMBERED = re.compile(r"([0-9]{8})\.json")

T = TypeVar("T")


class Origin(StrEnum):
    """Where a version came from."""

    UPLOAD = "upload"
    FORM = "form"  # made on the page
    OUTSIDE = "outside"  # 外部で変更: the file in the mappings folder was changed by hand
    BACK = "back"  # an earlier one again
    CUSTOMER = "customer"  # uploaded on the お客様ページ; `by` is its invitation


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the sheet; `by` is a user's id, empty where nobody knows who it was."""

    digest: str  # SHA-256 (hex) of the bytes
    file_name: str  # as it was uploaded
    size: int
    at: Moment
    by: str
    by_name: str
    origin: Origin
    why: str = ""
    of: int = 0  # the number of the earlier version that it is again, or that it was made from
    replaces: str = ""  # the digest of what was in force when it was made


@dataclass(frozen=True, slots=True)
class Move:
    """A version put into force, or meant to be: the record is made before the file is replaced."""

    version: int
    digest: str
    replaces: str  # the digest of the file that it takes the place of; empty: there was none
    at: Moment
    by: str
    by_name: str
    why: str
    outside: bool = False  # somebody changed the file by hand; this is only the note of it


@dataclass(frozen=True, slots=True)
class MoveEnd:
    """What became of a move: the file was replaced, or stayed what it was."""

    at: Moment
    done: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """A move and its end; None: whoever made it is at it still, or died."""

    number: int
    move: Move
    end: MoveEnd | None

    @property
    def done(self) -> bool:
        return self.end is not None and self.end.done

    @property
    def is_first_note(self) -> bool:
        """Of a file that was there before anybody looked: nobody decided anything by it."""
        return self.move.outside and not self.move.replaces


@dataclass(frozen=True, slots=True)
class VersionErrors:
    """How many errors of the customer's own the last look at a version found."""

    errors: int


class Versions:
    """The versions and moves of one tenant's sheet."""

    def __init__(self, folder: TenantFolder) -> None:
        self._store, self._folder = folder.store, folder.sheets

    # -- versions

    def numbers(self) -> list[int]:
        """Of all versions, the newest first."""
        return self._numbers("versions")

    def read(self, number: int) -> Version:
        """Raises MissingKeyError: there is none; DamagedFileError."""
        return records.read(self._store, self._key("versions", number), Version)

    def content(self, version: Version) -> bytes:
        """The file's bytes.

        Raises:
            DamagedFileError: they are others than were kept.
            MissingKeyError, StoreError
        """
        key = self._content(version.digest)
        found = self._store.read(key)
        if hashlib.sha256(found).hexdigest() != version.digest:
            raise DamagedFileError(key, "内容が記録と違います")
        return found

    def add(self, version: Version, content: bytes) -> int:
        """Keep it; its number. Of several at once each gets one of its own."""
        self._store.write(self._content(version.digest), content)
        return self._create("versions", version)

    def with_digest(self, digest: str) -> int | None:
        """The newest version of these bytes."""
        for number in self.numbers():
            if (found := self._read_or_none("versions", number, Version)) and found.digest == digest:
                return number
        return None

    def listed(self, most: int) -> list[tuple[int, Version]]:
        """The newest ones that can be read."""
        found = ((number, self._read_or_none("versions", number, Version)) for number in self.numbers()[:most])
        return [(number, version) for number, version in found if version]

    def errors(self, number: int) -> int | None:
        """Of a version, as the last look found them; None: nobody has looked yet."""
        found = self._read_or_none("checked", number, VersionErrors)
        return None if found is None else found.errors

    def note_errors(self, number: int, errors: int) -> None:
        """What a look found: lists say it without looking again, which takes seconds."""
        if self.errors(number) != errors:
            records.write(self._store, self._key("checked", number), VersionErrors(errors))

    # -- moves

    def moves(self) -> Iterator[Moved]:
        """The newest first, each read when it is asked for."""
        for number in self._numbers("moves"):
            if move := self._read_or_none("moves", number, Move):
                yield Moved(number, move, self._read_or_none("ends", number, MoveEnd))

    def last_move(self) -> Moved | None:
        return next(self.moves(), None)

    def last_number(self) -> int:
        """Of all moves, those that cannot be read too; 0: there is none."""
        return next(iter(self._numbers("moves")), 0)

    def begin_move(self, move: Move, after: int) -> int | None:
        """The number of the move that follows `after`; None: another one does already."""
        made = records.create(self._store, self._key("moves", after + 1), move)
        return after + 1 if made else None

    def end_move(self, number: int, end: MoveEnd) -> None:
        """The first end counts."""
        records.create(self._store, self._key("ends", number), end)

    # -- housekeeping

    def tidy(self, now: dt.datetime) -> int:
        """Delete versions older than `DRAFTS_KEPT` that were never meant to be in force; how many they were.

        The newest one stays, so that no number is ever given twice.
        """
        moved = {number.move.version for number in self.moves()}
        drafts, kept = [], set()
        for place, number in enumerate(self.numbers()):
            version = self._read_or_none("versions", number, Version)
            if version and place and number not in moved and version.at < now - DRAFTS_KEPT:
                drafts.append((number, version))
            elif version:
                kept.add(version.digest)
        for number, version in drafts:
            if version.digest not in kept:
                self._store.delete(self._content(version.digest))
            self._store.delete(self._key("checked", number))
            self._store.delete(self._key("versions", number))
        return len(drafts)

    def _create(self, kind: str, record: object) -> int:
        number = next(iter(self._numbers(kind)), 0) + 1
        while not records.create(self._store, self._key(kind, number), record):
            number += 1
        return number

    def _numbers(self, kind: str) -> list[int]:
        names = map(_NUMBERED.fullmatch, self._store.names(f"{self._folder}/{kind}"))
        return sorted((int(name[1]) for name in names if name), reverse=True)

    def _read_or_none(self, kind: str, number: int, model: type[T]) -> T | None:
        """What can be read: a damaged record hides no other one."""
        try:
            return records.read(self._store, self._key(kind, number), model)
        except (MissingKeyError, DamagedFileError):
            return None

    def _key(self, kind: str, number: int) -> str:
        return f"{self._folder}/{kind}/{number:08d}.json"

    def _content(self, digest: str) -> str:
        return f"{self._folder}/contents/{digest}"
