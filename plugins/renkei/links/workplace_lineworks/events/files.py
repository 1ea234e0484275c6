"""Events that come as files: a folder of the tenant's, in which each file is one event or a list of them.

Whoever writes a file writes it under another name (or `.tmp`) and renames it to `….json` when it is whole. It is moved to
`taken/` once all its events are in the inbox, or to `refused/` with a note; taken twice, its events are the same ones.
Who may write here may make links, too: none is followed, wherever it stands.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from renkei.errors import StoreError
from renkei.links.workplace_lineworks.events.event import BadEventError, WorkflowEvent, events_of

MAX_BYTES = 1_000_000
MAX_EVENTS, MAX_FILES = 1_000, 50  # of a file; at one look
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
            StoreError: an event is not known to be durable, or the folder is not as it should be; its file stays.
        """
        try:
            with os.scandir(self._folder) as found:
                names = sorted(one.name for one in found if _is_ours(one))
        except FileNotFoundError:
            return 0
        taken = 0
        for name in names[:MAX_FILES]:
            taken += self._take(self._folder / name, now)
        return taken

    def _take(self, file: Path, now: dt.datetime) -> bool:
        try:
            body = _read(file)
            events = events_of(body)
            if len(events) > MAX_EVENTS:
                raise BadEventError(f"1つのファイルの通知が{MAX_EVENTS:,}件を超えています。")
        except FileNotFoundError:
            return False
        except BadEventError as error:
            self._move(file, "refused", now, note=f"{error}\n")
            return False
        for written in [self._accept(event) for event in events]:
            written.result(WRITTEN_WITHIN_S)
        self._move(file, "taken", now)
        return True

    def _move(self, file: Path, where: str, now: dt.datetime, note: str = "") -> None:
        with self._opened(where) as folder:
            os.replace(file, file.name, dst_dir_fd=folder)
            _stamp(file.name, folder, now)
            if note:
                _write(f"{file.name}.txt", folder, note)
                _stamp(f"{file.name}.txt", folder, now)

    def tidy(self, now: dt.datetime) -> None:
        """Deletes what was moved a week ago: it names people, and is in the inbox. Raises StoreError, as `take`."""
        for where in ("taken", "refused"):
            if not os.path.lexists(self._folder / where):
                continue
            with self._opened(where) as folder, os.scandir(folder) as found:
                for old in found:
                    is_old = old.stat(follow_symlinks=False).st_mtime < (now - KEPT).timestamp()
                    if is_old and not old.is_dir(follow_symlinks=False):
                        os.unlink(old.name, dir_fd=folder)

    @contextmanager
    def _opened(self, where: str) -> Iterator[int]:
        """The folder inside ours, made if it is not there; what is done in it is done there, whatever its name becomes."""
        try:
            with contextlib.suppress(FileExistsError):
                (self._folder / where).mkdir(mode=0o700)
            folder = os.open(self._folder / where, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                yield folder
            finally:
                os.close(folder)
        except OSError as error:
            raise StoreError(
                f"通知のファイルを{where}へ移せません（{type(error).__name__}）。RENKEI_DROPの下のテナントのフォルダーに、"
                f"リンクではない{where}フォルダーを作れることを確認してください。"
            ) from None


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
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise BadEventError("通知のファイルではありません。")
    with os.fdopen(handle, "rb") as opened:
        body = opened.read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise BadEventError(f"ファイルが{MAX_BYTES:,}バイトを超えています。")
    return body


def _is_ours(one: os.DirEntry[str]) -> bool:
    return one.name.endswith(".json") and not one.name.startswith(".") and not one.is_dir(follow_symlinks=False)


def _write(name: str, folder: int, text: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(text)


def _stamp(name: str, folder: int, now: dt.datetime) -> None:
    """From when on it is kept."""
    os.utime(name, (now.timestamp(), now.timestamp()), dir_fd=folder, follow_symlinks=False)
