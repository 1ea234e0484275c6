"""One object store under every link: JSON and parquet by key, written whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from fsspec.implementations.local import LocalFileSystem

from renkei.errors import StoreError

if TYPE_CHECKING:
    import pandas as pd
    from fsspec import AbstractFileSystem


class MissingKeyError(StoreError):
    """Nothing is stored under this key."""


class Store:
    """Keys below one root of an fsspec file system (a local folder, `s3://…`).

    A key is a `/`-joined relative path. A reader sees the whole old value or the whole new one,
    whenever the writer dies. Local files are readable by their owner alone (0600), because
    snapshots hold personal data (L6).
    """

    def __init__(self, fs: AbstractFileSystem, root: str) -> None:
        self.fs = fs
        self.root = root.rstrip("/")
        self._local = isinstance(fs, LocalFileSystem)

    def path(self, key: str) -> str:
        return f"{self.root}/{key}"

    def read(self, key: str) -> bytes:
        """The stored bytes.

        Raises:
            MissingKeyError: nothing is there.
            StoreError: the store cannot be reached.
        """
        with _explained("読み込め", key):
            return cast(bytes, self.fs.cat_file(self.path(key)))

    def write(self, key: str, content: bytes) -> None:
        """Put `content` under `key`, replacing what is there."""
        with _explained("書き込め", key):
            if self._local:
                temporary = self._write_temporary(key, content)
                os.replace(temporary, self.path(key))
            else:
                self.fs.pipe_file(self.path(key), content)

    def create(self, key: str, content: bytes) -> bool:
        """Put `content` under `key` only if nothing is there; False when something is.

        Of several writers exactly one gets True: this is the compare-and-set below baselines and
        account gates (L3).
        """
        with _explained("書き込め", key):
            if self._local:
                temporary = self._write_temporary(key, content)
                try:
                    os.link(temporary, self.path(key))  # fails when the name exists; never half-written
                except FileExistsError:
                    return False
                finally:
                    os.unlink(temporary)
                return True
            try:
                self.fs.pipe_file(self.path(key), content, mode="create")
            except FileExistsError:
                return False
            return True

    def delete(self, key: str) -> None:
        """Remove the key; nothing happens when it is gone already."""
        with _explained("削除でき", key):
            try:
                self.fs.rm_file(self.path(key))
            except FileNotFoundError:
                return

    def exists(self, key: str) -> bool:
        with _explained("確認でき", key):
            self.fs.invalidate_cache()
            return bool(self.fs.exists(self.path(key)))

    def names(self, prefix: str) -> list[str]:
        """Names directly below `prefix`, sorted; empty when there is no such folder."""
        with _explained("一覧でき", prefix):
            self.fs.invalidate_cache()
            try:
                found = self.fs.ls(self.path(prefix), detail=False)
            except FileNotFoundError:
                return []
            return sorted(name for path in found if not (name := path.rstrip("/").rsplit("/", 1)[-1]).startswith("."))

    def read_json(self, key: str) -> dict[str, Any]:
        return cast(dict[str, Any], json.loads(self.read(key)))

    def write_json(self, key: str, value: dict[str, Any]) -> None:
        self.write(key, _json_bytes(value))

    def create_json(self, key: str, value: dict[str, Any]) -> bool:
        return self.create(key, _json_bytes(value))

    def read_table(self, key: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """A parquet table; text columns come back as pandas `str`, missing cells as missing."""
        import pandas as pd
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pq.read_table(pa.BufferReader(self.read(key)), columns=None if columns is None else list(columns))
        return cast(
            "pd.DataFrame",
            table.to_pandas(
                types_mapper=lambda t: (
                    pd.StringDtype(na_value=float("nan"))
                    if pa.types.is_string(t) or pa.types.is_large_string(t)
                    else None
                )
            ),
        )

    def write_table(self, key: str, frame: pd.DataFrame) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        sink = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), sink, compression="zstd")
        self.write(key, sink.getvalue().to_pybytes())

    def _write_temporary(self, key: str, content: bytes) -> str:
        folder, name = self.path(key).rsplit("/", 1)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        temporary = f"{folder}/.{name}.{secrets.token_hex(6)}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        return temporary


def _json_bytes(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode()


@contextmanager
def _explained(verb: str, key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise MissingKeyError(f"保存先に「{key}」がありません。") from error
    except OSError as error:
        raise StoreError(
            f"保存先の「{key}」を{verb}ません（{type(error).__name__}: {error.strerror or '理由不明'}）。"
            "保存先(RENKEI_STORE)の権限と空き容量を確認してください。"
        ) from error
