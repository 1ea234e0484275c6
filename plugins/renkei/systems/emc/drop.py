"""The same files for upload by hand or by SFTP (標準機能: Webからファイル一括アップロード, E38).

For an import `KEY` the folder gets `KEY.departments.csv`, `KEY.users.csv` (either may be missing) and,
last, `KEY.ready`. The outcome is `KEY.result.json`, an import as EMC's contract describes it, written
by whatever uploads the files, or by Renkei once an operator has confirmed the upload.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from renkei.errors import LoadError, RetriableLoadError
from renkei.systems.emc.encode import ImportFile
from renkei.systems.emc.payloads import EmcProblem, Import, declared, read_code, read_import
from renkei.systems.transport import json_of

MAX_RESULT = 20_000_000  # bytes of a result file


class Files(Protocol):
    """A folder on this machine or behind SFTP."""

    def write(self, name: str, content: bytes) -> None: ...

    def read(self, name: str) -> bytes | None:
        """At most MAX_RESULT + 1 bytes of the file; None when there is none."""

    def delete(self, name: str) -> None: ...

    def check(self) -> None:
        """Raises LoadError when the folder cannot be reached or written to; leaves nothing in it."""


class LocalFiles:
    """A folder of this machine; files are readable by their owner alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, content: bytes) -> None:
        temporary = self._folder / f".{name}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            temporary.replace(self._folder / name)
        except OSError as error:
            raise LoadError(
                f"EMC取込ファイルを書き込めません（{error.strerror or type(error).__name__}）。"
                "取込フォルダの権限と空き容量を確認してください。"
            ) from error

    def read(self, name: str) -> bytes | None:
        try:
            with (self._folder / name).open("rb") as file:
                return file.read(MAX_RESULT + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RetriableLoadError(
                f"取込フォルダのファイルを読み取れません（{error.strerror or type(error).__name__}）。権限を確認してください。"
            ) from error

    def delete(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)

    def check(self) -> None:
        there = next(folder for folder in (self._folder, *self._folder.parents) if folder.exists())
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            raise LoadError(f"取込フォルダに書き込めません（{there}）。フォルダの有無と権限を確認してください。")


class DropFolder:
    """A target that is spoken to through files; `find` and `export` know nothing, because files cannot be asked."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def check(self) -> None:
        """Raises LoadError when files could not be put there."""
        self._files.check()

    def submit(
        self, key: str, source: str, plan_digest: str, departments: ImportFile | None, users: ImportFile | None
    ) -> Import:
        """Write the files, the `.ready` mark last; answers `applying` until there is a result."""
        for name, file in (("departments", departments), ("users", users)):
            if file is not None:
                self._files.write(f"{key}.{name}.csv", file.content)
        mark = {"key": key, "source": source, "plan_digest": plan_digest, **declared(departments, users)}
        self._files.write(f"{key}.ready", json.dumps(mark).encode())
        return self.find_import(key) or Import(id=key, key=key, state="applying")

    def find_import(self, key: str) -> Import | None:
        """The result, `applying` while the files wait for one, None when they were never complete."""
        result = self._files.read(f"{key}.result.json")
        if result is not None:
            try:
                if len(result) > MAX_RESULT:
                    raise ValueError("too long")
                return _read_result(key, json_of(result))
            except (ValueError, RetriableLoadError) as error:
                raise RetriableLoadError(f"EMC取込の結果ファイル（{key}.result.json）が読み取れません。") from error
        if self._files.read(f"{key}.ready") is not None:
            return Import(id=key, key=key, state="applying")
        return None

    def confirm(self, key: str, state: Literal["committed", "rejected"], by: str) -> None:
        """Write the result that a person vouches for; one that is there already stands."""
        if self._files.read(f"{key}.result.json") is None:
            body: dict[str, Any] = {"id": key, "key": key, "state": state, "confirmed_by": by}
            self._files.write(f"{key}.result.json", json.dumps(body, ensure_ascii=False).encode())

    def withdraw(self, found: Import) -> None:
        """Take back files that nobody has imported."""
        self.forget(found.key)

    def forgotten(self) -> list[Import]:
        return []

    def forget(self, key: str) -> None:
        """Remove the files of a decided import: they hold people and first passwords (L6). The result stays."""
        for ending in ("ready", "departments.csv", "users.csv"):
            self._files.delete(f"{key}.{ending}")

    def find(self, record_set: str, ids: Sequence[str], fields: Sequence[str]) -> None:
        return None

    def export(self, record_set: str, fields: Sequence[str]) -> None:
        return None

    def ever_committed(self, source: str) -> bool:
        return False


def _read_result(key: str, body: Any) -> Import:
    """An import, or the one error that kept the upload from becoming one."""
    if not isinstance(body, dict):
        raise ValueError("no object")
    if "state" not in body and "code" in body:
        problem = EmcProblem(
            file="", line=0, item="", code=read_code(body["code"]), message=str(body.get("message", ""))
        )
        return Import(id=key, key=key, state="rejected", errors=(problem,), error_count=1)
    found = read_import(body)
    if found.key != key:
        raise RetriableLoadError("結果ファイルが別の取込のものです。")
    return found
