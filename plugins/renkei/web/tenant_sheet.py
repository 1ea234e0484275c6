"""A tenant's sheet as the pages change it: its versions in the store, and the file that is in force (S2).

The file in the mappings folder is what counts; the store's records say how it came to be. A move into force is recorded,
then the file is replaced, then the end of the move is recorded: whoever dies in between has left the old or the new file,
and the next one to look says by its digest which (`notice`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
from dataclasses import dataclass
from pathlib import Path

from renkei.errors import StoreError
from renkei.sheets.compiled import digest_of
from renkei.sheets.placed import ChangedMeanwhileError, NotPlacedError, Placed, lock_folder, place, placed, suffix_of
from renkei.sheets.review import Review
from renkei.storage.tenant_folder import TenantFolder
from renkei.storage.versions import Move, Moved, MoveEnd, Origin, Version, Versions

log = logging.getLogger(__name__)

FIRST, BY_HAND = "画面で扱う前から使われていたシート", "シートのファイルが、画面の外で変更されました"
MAX_NAME = 120  # characters of an uploaded file's name


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it: a user's id and name; both empty where nobody knows."""

    id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class CurrentSheet:
    """The sheet in force: the file as it is, the version that it is (0: none), and the move that put it there."""

    placed: Placed
    number: int = 0
    moved: Moved | None = None


def note_review(versions: Versions, number: int, review: Review) -> None:
    """Keep how many errors a look found, for the lists. A store that takes nothing just now costs nobody the look."""
    if not review.is_read:
        return
    try:
        versions.note_errors(number, len(review.problems))
    except StoreError as error:
        log.warning("the errors of version %d are not kept: %s", number, type(error).__name__)


class TenantSheet:
    """One tenant's sheet."""

    def __init__(self, folder: TenantFolder, mappings: Path) -> None:
        self.versions, self._mappings, self._tenant = Versions(folder), mappings, folder.tenant
        self.store = folder.store

    def file(self) -> Placed:
        """What is in force, whether or not it is on record."""
        return placed(self._mappings, self._tenant)

    def notice(self, now: dt.datetime) -> CurrentSheet:
        """What is in force now. What was done by hand, or broke off, is put on record first.

        Raises:
            StoreError: the records cannot be read or written.
        """
        found = self._current()
        if self._is_on_record(found):
            return found
        try:
            with lock_folder(self._mappings):
                return self._noticed(now)
        except NotPlacedError:  # somebody else is at it
            return found

    def keep(
        self, content: bytes, file_name: str, origin: Origin, by: Actor, now: dt.datetime, *, of: int = 0, why: str = ""
    ) -> int:
        """A new version, not in force yet; its number."""
        replaces = placed(self._mappings, self._tenant).digest
        version = Version(
            digest_of(content), shown_name(file_name), len(content), now, by.id, by.name, origin, why, of, replaces
        )
        return self.versions.add(version, content)

    def again(self, number: int, by: Actor, now: dt.datetime) -> int:
        """An earlier version as a new one; its number."""
        old = self.versions.read(number)
        content = self.versions.content(old)
        replaces = placed(self._mappings, self._tenant).digest
        new = dataclasses.replace(
            old, at=now, by=by.id, by_name=by.name, origin=Origin.BACK, why="", of=number, replaces=replaces
        )
        return self.versions.add(new, content)

    def enable(self, number: int, seen: str, by: Actor, why: str, now: dt.datetime) -> Moved:
        """Put a version into force in place of the file of the digest `seen`; of two at once one does.

        Raises:
            ChangedMeanwhileError: another file is there by now, or another page was faster.
            NotPlacedError: it cannot be put there.
            MissingKeyError, StoreError
        """
        with lock_folder(self._mappings):
            return self._enabled(number, seen, by, why, now)

    def begin(
        self, content: bytes, file_name: str, origin: Origin, by: Actor, why: str, now: dt.datetime
    ) -> tuple[int, bool]:
        """A new company's first sheet, put into force: its version, and whether this call did it.

        Done again with the same bytes, after a crash or at once, it is the same version.

        Raises:
            ChangedMeanwhileError: the company has another sheet already.
            NotPlacedError: it cannot be put there.
            MissingKeyError, StoreError
        """
        digest = digest_of(content)
        with lock_folder(self._mappings):
            current = self._noticed(now)
            if current.placed.digest == digest and current.number:
                return current.number, False
            if current.placed.digest:
                raise ChangedMeanwhileError("この名前の会社には、既にシートがあります。")
            if current.placed.fault:
                raise NotPlacedError(current.placed.fault)
            number = self.versions.with_digest(digest) or self.keep(content, file_name, origin, by, now)
            self._enabled(number, "", by, why, now)
            return number, True

    def _enabled(self, number: int, seen: str, by: Actor, why: str, now: dt.datetime) -> Moved:
        """As `enable`; whoever calls it is alone."""
        version = self.versions.read(number)
        content = self.versions.content(version)
        current = self._noticed(now)
        if current.placed.digest != seen:
            raise ChangedMeanwhileError(_changed(current))
        if current.placed.digest == version.digest:
            raise NotPlacedError("このシートは既に使用中です。")
        move = Move(number, version.digest, seen, now, by.id, by.name, why)
        begun = self.versions.begin_move(move, self.versions.last_number())
        if begun is None:  # of another machine, whose lock we do not see
            raise ChangedMeanwhileError(_changed(self._current()))
        try:
            place(self._mappings, self._tenant, suffix_of(version.file_name), content, seen)
        except NotPlacedError:
            self.versions.end_move(begun, MoveEnd(now, False))
            raise
        end = MoveEnd(now, True)
        self.versions.end_move(begun, end)
        return Moved(begun, move, end)

    def _current(self) -> CurrentSheet:
        found = placed(self._mappings, self._tenant)
        moved = next((one for one in self.versions.moves() if one.done), None)
        if moved is None or moved.move.digest != found.digest:
            return CurrentSheet(found)
        return CurrentSheet(found, moved.move.version, moved)

    def _is_on_record(self, found: CurrentSheet) -> bool:
        last = self.versions.last_move()
        return (last is None or last.end is not None) and (found.number > 0 or not found.placed.digest)

    def _noticed(self, now: dt.datetime) -> CurrentSheet:
        """As `notice`; whoever calls it is alone."""
        last, file = self.versions.last_move(), placed(self._mappings, self._tenant)
        if last and last.end is None:
            self.versions.end_move(last.number, MoveEnd(now, last.move.digest == file.digest))
        found = self._current()
        if found.number or not found.placed.digest:
            return found
        file, why = found.placed, BY_HAND if last else FIRST
        number = self.versions.with_digest(file.digest)
        if number is None:
            name = file.path.name if file.path else ""
            replaces = self._last_digest()
            made = Version(file.digest, name, len(file.content), now, "", "", Origin.OUTSIDE, why, 0, replaces)
            number = self.versions.add(made, file.content)
        move = Move(number, file.digest, self._last_digest(), now, "", "", why, outside=True)
        begun = self.versions.begin_move(move, self.versions.last_number())
        if begun is not None:
            self.versions.end_move(begun, MoveEnd(now, True))
        return self._current()

    def _last_digest(self) -> str:
        return next((one.move.digest for one in self.versions.moves() if one.done), "")


def _changed(current: CurrentSheet) -> str:
    by = current.moved.move.by_name if current.moved else ""
    who = f"{by}さんが先に" if by else "画面を開いた後に"
    return f"{who}シートを変更しました。画面を開き直して、いまの内容との差を確認してください。"


def shown_name(name: str) -> str:
    """A file's name as it was uploaded: a line without folders, its end kept."""
    plain = "".join(c for c in name.replace("\\", "/").rpartition("/")[2] if c.isprintable())
    stem, dot, suffix = plain.rpartition(".")
    return f"{stem[:MAX_NAME]}{dot}{suffix[:5]}" if dot else plain[:MAX_NAME]
