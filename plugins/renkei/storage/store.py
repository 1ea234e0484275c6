"""One object store under every link: JSON and parquet by key, written whole or not at all."""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

from fsspec.implementations.local import LocalFileSystem

from renkei.errors import StoreError
from renkei.storage.cipher import Cipher, is_encrypted, key_name

if TYPE_CHECKING:
    import pandas as pd
    from fsspec import AbstractFileSystem


class MissingKeyError(StoreError):
    """Nothing is stored under this key."""


class DamagedFileError(StoreError, ValueError):
    """What is stored under this key is torn, or something else than it should be."""

    def __init__(self, key: str, found: str) -> None:
        """`found` quotes nothing of the file (L6)."""
        super().__init__(
            f"保存先の {key} が壊れています（{found}）。運用担当者がバックアップから保存先を復元してください。"
        )


class Store:
    """Keys below one root of an fsspec file system (a local folder, `s3://…`).

    A key is a `/`-joined relative path. A reader sees the whole old value or the whole new one,
    whenever the writer dies. Local files and folders are open to their owner alone (0600, 0700),
    because snapshots hold personal data (L6). With a cipher, what is written is encrypted; what was
    written before there was one stays readable.
    """

    def __init__(self, fs: AbstractFileSystem, root: str, cipher: Cipher | None = None) -> None:
        self.fs = fs
        self.root = root.rstrip("/")
        self._cipher = cipher
        self._local = isinstance(fs, LocalFileSystem)

    def path(self, key: str) -> str:
        return f"{self.root}/{key}"

    @property
    def encrypted(self) -> bool:
        """Whether what is written is encrypted: secrets may be kept (L7)."""
        return self._cipher is not None

    def read(self, key: str) -> bytes:
        """The value.

        Raises:
            MissingKeyError: nothing is there.
            StoreError: the store cannot be reached, or the value not decrypted.
        """
        with _explained("読み込め", key):
            stored = cast(bytes, self.fs.cat_file(self.path(key)))
        return self.unseal(key, stored)

    def write(self, key: str, content: bytes) -> None:
        """Put `content` under `key`, replacing what is there."""
        content = self.seal(key, content)
        with _explained("書き込め", key):
            if self._local:
                temporary = self._write_temporary(key, content)
                os.replace(temporary, self.path(key))
            else:
                self.fs.pipe_file(self.path(key), content)

    def create(self, key: str, content: bytes) -> bool:
        """Put `content` under `key` only if nothing is there; False when something is.

        Of several writers exactly one gets True: this is the compare-and-set below baselines and
        import locks (L3).
        """
        content = self.seal(key, content)
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
            try:
                self.fs.info(self.path(key))  # its own `exists` takes whatever goes wrong for a no
            except FileNotFoundError:
                return False
            return True

    def names(self, prefix: str) -> list[str]:
        """Names directly below `prefix`, sorted; empty when there is no such folder."""
        with _explained("一覧でき", prefix):
            self.fs.invalidate_cache()
            try:
                found = self.fs.ls(self.path(prefix), detail=False)
            except FileNotFoundError:
                return []
            return sorted(name for path in found if not (name := path.rstrip("/").rsplit("/", 1)[-1]).startswith("."))

    def files(self, prefix: str) -> list[str]:
        """Keys of all files below `prefix` at any depth, sorted; what a dead writer left half-written is among them."""
        with _explained("一覧でき", prefix):
            self.fs.invalidate_cache()
            top = self.fs._strip_protocol(self.path(prefix))
            return sorted(prefix + path[len(top) :] for path in self.fs.find(top))

    def modified(self, key: str) -> dt.datetime | None:
        """When a file, or a folder of a local store, last changed; None when there is no telling."""
        with _explained("確認でき", key):
            self.fs.invalidate_cache()
            try:
                found = cast(dt.datetime, self.fs.modified(self.path(key)))
            except (FileNotFoundError, IsADirectoryError):  # gone, or a "folder" of an object store
                return None
        return found if found.tzinfo else found.replace(tzinfo=dt.UTC)

    def remove_folder(self, prefix: str) -> None:
        """Remove a local folder that has become empty; in an object store it went with its last file."""
        if self._local:
            with _explained("削除でき", prefix), suppress(FileNotFoundError):
                os.rmdir(self.path(prefix))

    def read_json(self, key: str) -> dict[str, Any]:
        """The JSON, if it is an object.

        Raises:
            DamagedFileError: it is something else.
            MissingKeyError, StoreError: as `read`.
        """
        content = self.read(key)
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            raise DamagedFileError(key, "JSONではありません") from None
        if not isinstance(value, dict):
            raise DamagedFileError(key, "JSONのオブジェクトではありません")
        return value

    def write_json(self, key: str, value: dict[str, Any]) -> None:
        self.write(key, _json_bytes(value))

    def create_json(self, key: str, value: dict[str, Any]) -> bool:
        return self.create(key, _json_bytes(value))

    def read_table(self, key: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """A parquet table; text columns come back as pandas `str`, missing cells as missing.

        Of `columns` those that it has, in this order.
        """
        from renkei.storage import parquet

        return parquet.read(self.read(key), columns)

    def table_parts(self, key: str, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        """A parquet table as `read_table` has it, some ten thousand rows at a time."""
        from renkei.storage import parquet

        return parquet.parts(self.read(key), columns)

    def table_page(self, key: str, start: int, stop: int) -> tuple[pd.DataFrame, int]:
        """The rows of a parquet table from `start` to before `stop`, and how many it has."""
        from renkei.storage import parquet

        return parquet.page(self.read(key), start, stop)

    def find_rows(
        self, key: str, wanted: Mapping[str, Iterable[str]], columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """The rows of a parquet table in which one of the columns has one of the texts wanted of it, in their order.

        Read in parts: of a million people about a quarter is held in memory at once. A blank is nobody's key, and a column
        that the table lacks finds nobody; of `columns` those that it has.
        """
        from renkei.storage import parquet

        return parquet.find_rows(self.read(key), wanted, columns)

    def write_table(self, key: str, frame: pd.DataFrame) -> None:
        from renkei.storage import parquet

        self.write(key, parquet.written(frame))

    def seal(self, key: str, content: bytes) -> bytes:
        """What is kept of `content` under `key`, here or in a database: encrypted, where there is a key for it."""
        return self._cipher.encrypt(key, content) if self._cipher else content

    def unseal(self, key: str, stored: bytes) -> bytes:
        """What was sealed for `key`.

        Raises:
            StoreError: it cannot be decrypted.
        """
        if not is_encrypted(stored):
            return stored
        if self._cipher is None:
            raise StoreError(
                f"保存先の「{key}」は鍵 {key_name(stored)} で暗号化されていますが、鍵が設定されていません。"
                "RENKEI_STORE_KEY_CONN_ID に、その鍵をPasswordに持つAirflowの接続を指定してください。"
            )
        return self._cipher.decrypt(key, stored)

    def is_sealed_as_now(self, stored: bytes) -> bool:
        """Whether `seal` would use the same key, or none as well."""
        return self._cipher.wrote(stored) if self._cipher else not is_encrypted(stored)

    def _write_temporary(self, key: str, content: bytes) -> str:
        folder, name = self.path(key).rsplit("/", 1)
        _make_folder(folder)
        temporary = f"{folder}/.{name}.{secrets.token_hex(6)}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        return temporary


def _make_folder(path: str) -> None:
    """As os.makedirs, but every folder that it makes is 0700; there, only the last one is."""
    if not os.path.isdir(path):
        parent = os.path.dirname(path)
        if parent not in ("", path):
            _make_folder(parent)
        with suppress(FileExistsError):  # another writer was quicker
            os.mkdir(path, 0o700)


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
    except Exception as error:  # an object store's own: its endpoint is away, its key is refused
        raise StoreError(
            f"保存先の「{key}」を{verb}ません（{type(error).__name__}）。"
            "保存先(RENKEI_STORE)に接続できるか、その接続の鍵と権限を確認してください。"
        ) from error
