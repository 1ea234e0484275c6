"""Events that come as files: a folder of the tenant's, in which each file is one event or a list of them.

Whoever writes a file writes it under another name (or `.tmp`) and renames it to `….json` when it is whole. It is moved to
`taken/` once all its events are in the inbox, or to `refused/` with a note; taken twice, its events are the same ones.
"""

from __future__ import annotations

import datetime as dt
import os
import stat
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from renkei.links.workplace_lineworks.events.event import BadEventError, WorkflowEvent, events_of

MAX_BYTES = 1_000_000
MOST_EVENTS, MOST_FILES = 1_000, 50  # of a file; at one look
WRITTEN_WITHIN_S = 30.0
KEPT = dt.timedelta(days=7)

Accept = Callable[[WorkflowEvent], "Future[None]"]  # durable when done


class EventFiles:
    """The folder of one tenant."""

    def __init__(self, folder: Path, accept: Accept) -> None:
        self._folder, self._accept = folder, accept

    def take(self, now: dt.datetime) -> int:
        """Takes the files that are there, in the order of their names; how many.

        Raises:
            StoreError: an event is not known to be durable; its file stays.
        """
        try:
            with os.scandir(self._folder) as found:
                names = sorted(one.name for one in found if one.name.endswith(".json") and not one.name.startswith("."))
        except FileNotFoundError:
            return 0
        taken = 0
        for name in names[:MOST_FILES]:
            taken += self._take(self._folder / name, now)
        return taken

    def _take(self, file: Path, now: dt.datetime) -> bool:
        try:
            body = _read(file)
            events = events_of(body)
            if len(events) > MOST_EVENTS:
                raise BadEventError(f"1つのファイルの通知が{MOST_EVENTS:,}件を超えています。")
        except FileNotFoundError:
            return False
        except BadEventError as error:
            self._move(file, "refused", now)
            note = self._folder / "refused" / f"{file.name}.txt"
            note.write_text(f"{error}\n", encoding="utf-8")
            _stamp(note, now)
            return False
        for written in [self._accept(event) for event in events]:
            written.result(WRITTEN_WITHIN_S)
        self._move(file, "taken", now)
        return True

    def _move(self, file: Path, where: str, now: dt.datetime) -> None:
        folder = self._folder / where
        folder.mkdir(mode=0o700, exist_ok=True)
        os.replace(file, folder / file.name)
        _stamp(folder / file.name, now)

    def tidy(self, now: dt.datetime) -> None:
        """Deletes what was moved a week ago: it names people, and is in the inbox."""
        for folder in (self._folder / "taken", self._folder / "refused"):
            for old in folder.iterdir() if folder.is_dir() else ():
                if old.lstat().st_mtime < (now - KEPT).timestamp():
                    old.unlink(missing_ok=True)


def _read(file: Path) -> bytes:
    """A file's content, if it is one of ours: no link, no device, not too large.

    Raises:
        BadEventError: it is something else.
    """
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError:
        raise BadEventError("通知のファイルを読み取れません（リンクなどは使えません）。") from None
    with os.fdopen(handle, "rb") as opened:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise BadEventError("通知のファイルではありません。")
        body = opened.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise BadEventError(f"ファイルが{MAX_BYTES:,}バイトを超えています。")
    return body


def _stamp(file: Path, now: dt.datetime) -> None:
    """From when on it is kept."""
    os.utime(file, (now.timestamp(), now.timestamp()), follow_symlinks=False)
