"""A store that is written to in memory alone: what a run would leave behind, without leaving it."""

from __future__ import annotations

import datetime as dt
from types import TracebackType

from renkei.storage.store import MissingKeyError, Store


class Overlay(Store):
    """`real` as it looks with everything that was written here on top of it; `real` itself is only read.

    What is written stays in this process's memory, because it holds personal data (L6), and is forgotten on
    `close`. As in an object store, a folder is there as long as something below it is.
    """

    def __init__(self, real: Store) -> None:
        super().__init__(real.fs, real.root)
        self._real = real
        self._written: dict[str, bytes] = {}
        self._deleted: set[str] = set()

    def __enter__(self) -> Overlay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget all that was written and deleted here."""
        self._written.clear()
        self._deleted.clear()

    def read(self, key: str) -> bytes:
        if key in self._written:
            return self._written[key]
        if key in self._deleted:
            raise MissingKeyError(f"保存先に「{key}」がありません。")
        return self._real.read(key)

    def write(self, key: str, content: bytes) -> None:
        self._written[key] = bytes(content)
        self._deleted.discard(key)

    def create(self, key: str, content: bytes) -> bool:
        if self.exists(key):
            return False
        self.write(key, content)
        return True

    def delete(self, key: str) -> None:
        self._written.pop(key, None)
        self._deleted.add(key)

    def exists(self, key: str) -> bool:
        if any(path == key or path.startswith(f"{key}/") for path in self._written):
            return True
        return key not in self._deleted and self._real.exists(key)

    def names(self, prefix: str) -> list[str]:
        below = f"{prefix}/"
        there = {name for name in self._real.names(prefix) if below + name not in self._deleted}
        here = {key[len(below) :].partition("/")[0] for key in self._written if key.startswith(below)}
        return sorted(there | {name for name in here if not name.startswith(".")})

    def files(self, prefix: str) -> list[str]:
        here = {key for key in self._written if key == prefix or key.startswith(f"{prefix}/")}
        return sorted((set(self._real.files(prefix)) - self._deleted) | here)

    def modified(self, key: str) -> dt.datetime | None:
        """As of the real store; None for what was written or deleted here."""
        return None if key in self._written or key in self._deleted else self._real.modified(key)

    def remove_folder(self, prefix: str) -> None:
        """Nothing: a folder here is no more than the beginning of a key."""
