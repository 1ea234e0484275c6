"""A tenant's sheet, compiled once: reading a workbook costs 0.1 s, reading its compiled form 0.3 ms.

A Dag file is parsed every minute by several processes. It calls `tenants` and then `load_all`. The compiled form is
kept under the digest of the file's bytes, so it can be late or lost but never stale; a sheet that cannot be compiled
within its limits (`bounded.py`) is kept as one with that problem, and not tried again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import logging
import math
import os
import pkgutil
import tempfile
import threading
import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from renkei import settings
from renkei.adapters import adapter_of
from renkei.errors import MappingError, Problem
from renkei.sheets.bounded import START_S, Compiler, NotCompiledError
from renkei.sheets.compiled import Compiled, MappingT, SheetKind, digest_of
from renkei.sheets.tenant_files import TenantFile, read_bytes

log = logging.getLogger(__name__)

COMPILERS = 2  # at once, for many sheets
QUICK_S = 1.0  # what each of many new sheets gets at first, so that a slow one keeps no other waiting
_LOOK_AGAIN_S = 0.05
_OF_THE_DAG = ("run_at", "link_start_on", "scheduled", "side_runs", "shape", "company_name")


def load(
    kind: SheetKind[MappingT],
    path: Path,
    tenant: str,
    cache: Path | None = None,
    allowed_hosts: Collection[str] = (),
    compiler: Compiler[MappingT] | None = None,
) -> Compiled[MappingT]:
    """The compiled sheet, from `cache` when it is there; a cache that fails only costs time.

    Never raises for what a file holds: a file that cannot be read at all has problems too.
    """
    return load_all(kind, [TenantFile(path, tenant)], cache, allowed_hosts, compiler=compiler)[0]


def load_all(
    kind: SheetKind[MappingT],
    files: Sequence[TenantFile],
    cache: Path | None = None,
    allowed_hosts: Collection[str] = (),
    patience_s: float = math.inf,
    compiler: Compiler[MappingT] | None = None,
) -> list[Compiled[MappingT]]:
    """The compiled sheets in the order of `files`; those that are not ready within `patience_s` are `pending`.

    With a `compiler` that one alone is used, and left as it is.
    """
    deadline = time.monotonic() + patience_s
    found: list[Compiled[MappingT] | None] = [_ready(kind, file, cache, allowed_hosts) for file in files]
    new = [number for number, sheet in enumerate(found) if sheet is None]
    waiting = deque((number, QUICK_S if len(new) > 1 else math.inf) for number in new)

    def work() -> None:
        own = Compiler(kind, start_s=min(START_S, patience_s))
        with contextlib.nullcontext(compiler) if compiler else own as at_hand:
            while (left := deadline - time.monotonic()) > 0:
                try:
                    number, turn_s = waiting.popleft()
                except IndexError:
                    return
                try:
                    found[number] = _compile(kind, files[number], cache, allowed_hosts, at_hand, min(turn_s, left))
                except _ElsewhereError:
                    waiting.append((number, turn_s))
                    time.sleep(_LOOK_AGAIN_S)
                except NotCompiledError as error:
                    if turn_s < math.inf:
                        waiting.append((number, math.inf))
                        continue
                    log.info("sheet of tenant=%s is not compiled yet: %s", files[number].tenant, error)
                except Exception as error:  # one tenant's odd file must not hide another's sheet (L5)
                    log.error("sheet of tenant=%s cannot be read: %s", files[number].tenant, type(error).__name__)

    if compiler or len(new) <= 1:
        work()
    else:
        threads = [threading.Thread(target=work, daemon=True) for _ in range(min(COMPILERS, len(new)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return [sheet or _pending(kind, file, cache) for file, sheet in zip(files, found, strict=True)]


class _ElsewhereError(Exception):
    """Another process is compiling this sheet."""


def _ready(
    kind: SheetKind[MappingT], file: TenantFile, cache: Path | None, allowed_hosts: Collection[str]
) -> Compiled[MappingT] | None:
    """The sheet, if that takes no compiling."""
    if file.problem is not None:
        return Compiled(file.tenant, "", None, (file.problem,))
    try:
        digest = digest_of(read_bytes(file.path))
    except MappingError as error:
        return Compiled(file.tenant, "", None, error.problems)
    kept = _kept(kind, file, cache, allowed_hosts, digest)
    return _read(kind, kept, digest) if kept else None


def _compile(
    kind: SheetKind[MappingT],
    file: TenantFile,
    cache: Path | None,
    allowed_hosts: Collection[str],
    compiler: Compiler[MappingT],
    patience_s: float,
) -> Compiled[MappingT]:
    """The sheet compiled, and kept.

    Raises:
        _ElsewhereError, NotCompiledError: not yet.
    """
    try:
        content = read_bytes(file.path)
    except MappingError as error:
        return Compiled(file.tenant, "", None, error.problems)
    digest = digest_of(content)
    kept = _kept(kind, file, cache, allowed_hosts, digest)
    with _lock_cache(kept):
        if kept and (sheet := _read(kind, kept, digest)):
            return sheet
        asked = (file.path.name, content, file.tenant, allowed_hosts, patience_s)
        sheet, _ = compiler.compile(*asked, only_compiled=True)
        if kept and cache:
            _replace(kept, form_of(kind).dump_json(sheet))
            # What the next form's Dag is to go by until it is compiled, whatever version of Renkei compiles it.
            _replace(_note(file, cache), form_of(kind).dump_json(sheet, include=set(_OF_THE_DAG)))
        return sheet


def _kept(
    kind: SheetKind[Any], file: TenantFile, cache: Path | None, allowed_hosts: Collection[str], digest: str
) -> Path | None:
    """Where the compiled form is."""
    spread = str(settings.spread_minutes())
    key = (kind.link, str(kind.version), file.path.name, file.tenant, ",".join(sorted(allowed_hosts)), spread, digest)
    return cache / f"{_hash(chr(10).join(key))}.json" if cache else None


def _note(file: TenantFile, cache: Path) -> Path:
    return cache / "last" / f"{_hash(str(file.path))}.json"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


@contextlib.contextmanager
def _lock_cache(kept: Path | None) -> Iterator[None]:
    """Keeps other processes from compiling the same sheet; the kernel lets go of it when this one dies.

    Raises:
        _ElsewhereError: one of them does already.
    """
    if kept is None:
        yield
        return
    path, handle = kept.with_suffix(".lock"), None
    with contextlib.suppress(OSError):  # then the same work may be done twice
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        if handle is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                handle = None
                raise _ElsewhereError from None
            except OSError:  # a file system without locks
                pass
        yield
    finally:
        if handle is not None:
            path.unlink(missing_ok=True)
            os.close(handle)


def form_of(kind: SheetKind[Any]) -> TypeAdapter[Any]:
    """What turns a compiled sheet of this kind into JSON, and back."""
    compiled: Any = Compiled
    return adapter_of(compiled[pkgutil.resolve_name(kind.mapping)])


def _read(kind: SheetKind[MappingT], path: Path, digest: str) -> Compiled[MappingT] | None:
    """The compiled form in `path`, or None when there is none that can be used."""
    try:
        found: Compiled[MappingT] = form_of(kind).validate_json(path.read_bytes())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return found if found.digest == digest else None


def _pending(kind: SheetKind[MappingT], file: TenantFile, cache: Path | None) -> Compiled[MappingT]:
    """A sheet that is not compiled yet: its Dag keeps its old time, and one without an old form has none."""
    problem = Problem(file.path.name, "連携設定シートを確認中です", "数分お待ちください。操作は不要です")
    waiting: Compiled[MappingT] = Compiled(file.tenant, "", None, (problem,), scheduled=False, pending=True)
    try:
        note = json.loads(_note(file, cache).read_bytes()) if cache else {}
        if note.get("by_file"):  # of version 0.5
            note["shape"] = ["by_file"]
        last = form_of(kind).validate_python({"tenant": "", "digest": "", "mapping": None, **note})
        return dataclasses.replace(waiting, **{name: getattr(last, name) for name in _OF_THE_DAG if name in note})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return waiting


def _replace(path: Path, content: bytes) -> None:
    """Writes a file that is always whole; a folder that cannot be written to is passed over.

    Its owner alone can read it: a sheet may hold a literal password (L7).
    """
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")  # mkstemp makes it 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
