"""The one file of a tenant's sheet in the mappings folder, and how a page puts another one in its place.

The Dag processor reads the folder at any time and from other machines, so the file is always whole: a new one is written
beside it under a hidden name, which nobody takes for a sheet, and renamed. It takes the place only of the very bytes that
the caller has seen.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from renkei.errors import MappingError, RenkeiError
from renkei.sheets.compiled import digest_of
from renkei.sheets.tenant_files import TenantFile, is_tenant, read_bytes, tenants

WAIT_S = 10.0  # for somebody else's change of the same folder, which takes milliseconds
_LOOK_AGAIN_S = 0.02


class NotPlacedError(RenkeiError):
    """The file was left as it was; the message says why."""


class ChangedMeanwhileError(NotPlacedError):
    """The file is not any more what the caller has seen."""


@dataclass(frozen=True, slots=True)
class Placed:
    """What stands in the folder; `digest` and `content` are empty where there is no file."""

    folder: Path
    path: Path | None = None
    digest: str = ""
    content: bytes = b""
    fault: str = ""  # why no page can change it, in Japanese


def folder_fault(folder: Path) -> str:
    """Why no page can put a sheet into the folder, in Japanese; empty where it can."""
    return _not_writable(folder, None)


def placed(folder: Path, tenant: str) -> Placed:
    """The tenant's file as it is now."""
    try:
        files = [file for file in tenants(folder) if file.tenant == tenant]
    except OSError as error:
        return Placed(folder, fault=f"シートのフォルダを読み取れません（{error.strerror}）。")
    if not files:
        fault = "" if is_tenant(tenant) else "この名前の会社のシートは、画面から置けません。"
        return Placed(folder, fault=fault or _not_writable(folder, None))
    path = files[0].path
    try:
        content = read_bytes(path)
    except MappingError as error:
        return Placed(folder, path, fault="。".join(problem.found for problem in error.problems))
    return Placed(folder, path, digest_of(content), content, _refusal(files[0]) or _not_writable(folder, path))


def _refusal(file: TenantFile) -> str:
    return f"{file.problem.found}。{file.problem.remedy}。" if file.problem else ""


def _not_writable(folder: Path, path: Path | None) -> str:
    if path is not None and path.is_symlink():
        return "シートのファイルはほかの場所へのリンクです。リンク先を管理している仕組み（Gitなど）で変更してください。"
    if not folder.is_dir():
        return "シートのフォルダがありません。"
    if not os.access(folder, os.W_OK | os.X_OK):
        return "シートのフォルダは読み取り専用です。"
    return ""


@contextlib.contextmanager
def lock_folder(folder: Path, wait_s: float = WAIT_S) -> Iterator[None]:
    """Nobody else changes sheets of this folder meanwhile; the kernel lets go when this process dies.

    Raises:
        NotPlacedError: somebody else is at it for too long, or the folder cannot be opened.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise NotPlacedError(f"シートのフォルダを開けません（{error.strerror}）。") from None
    try:
        until = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    said = "ほかの人がシートを変更しています。少し待ってから、もう一度操作してください。"
                    raise NotPlacedError(said) from None
                time.sleep(_LOOK_AGAIN_S)
            except OSError:  # a file system without locks: the records of moves still keep two pages apart
                break
        yield
    finally:
        os.close(handle)


def place(
    folder: Path, tenant: str, suffix: str, content: bytes, expected: str, about_to: Callable[[], None] = lambda: None
) -> None:
    """Make `content` the tenant's file, if the one that is there has the digest `expected` (empty: none is there).

    `about_to` is called when all is written and nothing replaced yet. To be called within `lock_folder`; done twice, the second
    time finds another digest. The file keeps its name, its mode and, where that is allowed, its owner.

    Raises:
        ChangedMeanwhileError: another file is there.
        NotPlacedError: it cannot be written.
    """
    existing = placed(folder, tenant)
    if existing.fault:
        raise NotPlacedError(existing.fault)
    path = existing.path or folder / f"{tenant}{suffix}"
    if is_yaml(path.suffix) != is_yaml(suffix):
        raise NotPlacedError(f"使用中のシートは{path.suffix}です。同じ形式のファイルだけが、その代わりになります。")
    temporary = folder / f".{path.name}.{secrets.token_hex(6)}"
    try:
        _sweep(folder, path)
        _write(temporary, content, existing.path)
        about_to()
        if placed(folder, tenant).digest != expected:
            raise ChangedMeanwhileError("画面を開いた後に、シートのファイルが変更されました。")
        os.replace(temporary, path)
        _flush(folder)
    except OSError as error:
        raise NotPlacedError(f"シートのフォルダに書き込めません（{error.strerror}）。") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def is_yaml(suffix: str) -> bool:
    """By how a file's name ends; the other form is a workbook."""
    return suffix.lower() in (".yaml", ".yml")


def suffix_of(file_name: str) -> str:
    """How a sheet of this name is to be read: what is no YAML is a workbook, or the workbook's reader says what it is."""
    return ".yaml" if is_yaml(Path(file_name).suffix) else ".xlsx"


def _sweep(folder: Path, path: Path) -> None:
    """What those left who died while they wrote: they were alone, as the caller is now."""
    for left in folder.glob(f".{path.name}.*"):
        if re.fullmatch(r"[0-9a-f]{12}", left.name.rpartition(".")[2]):
            left.unlink(missing_ok=True)


def _write(path: Path, content: bytes, like: Path | None) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        if like is None:
            os.fchmod(handle, 0o644)
        else:
            old = like.stat()
            with contextlib.suppress(OSError):  # who may not give a file away keeps it
                os.fchown(handle, old.st_uid, old.st_gid)
            os.fchmod(handle, stat.S_IMODE(old.st_mode))
        os.fsync(handle)


def _flush(folder: Path) -> None:
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
