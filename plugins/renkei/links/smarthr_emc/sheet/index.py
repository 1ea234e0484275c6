"""A tenant's sheet, compiled once: reading a workbook costs 0.1 s, reading its compiled form 0.3 ms.

A Dag file is parsed every minute by several processes. It calls `tenants` and then `load` for each file;
the compiled form is kept under the digest of the file's bytes, so it can be late or lost but never stale.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import re
import tempfile
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from renkei.errors import MappingError, Problem
from renkei.links.smarthr_emc.sheet.codec import (
    channels_from_plain,
    channels_to_plain,
    from_plain,
    mapping_from_json,
    mapping_to_json,
    section_digest,
    to_plain,
    without_password,
)
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.notifications.channel import Channel

if TYPE_CHECKING:
    from renkei.links.smarthr_emc.sheet.parse import Judged

__all__ = [
    "Compiled",
    "TenantFile",
    "compile_sheet",
    "is_tenant",
    "load",
    "mapping_from_json",
    "mapping_to_json",
    "section_digest",
    "tenants",
    "without_password",
]

COMPILED_VERSION = 4  # raise it whenever the parser or the compiled form changes
BYTES_MOST = 20_000_000
PROBLEMS_MOST = 200  # shown in the Dag's page and in a mail
QUOTED_MOST = 300  # characters
OPERATOR_FILE = "operator"  # one folder above the sheets; as a tenant it would share the operator's Connections
_SUFFIXES = (".xlsx", ".yaml", ".yml")
_TENANT = re.compile(r"[a-z0-9][a-z0-9_-]*")
_TENANT_LONGEST = 100


@dataclass(frozen=True, slots=True)
class TenantFile:
    """A mapping file. With a `problem`, `tenant` is only a suffix that is safe and unique as a Dag's name."""

    path: Path
    tenant: str
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a sheet's file says: a mapping, or the problems that must be mended first (L5).

    The last four are there for a broken sheet too, as far as they could be read.
    """

    tenant: str
    digest: str  # SHA-256 (hex) of the file's bytes
    mapping: Mapping | None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    result_addresses: tuple[str, ...] = ()
    run_at: dt.time | None = None
    link_start_on: dt.date | None = None
    channels: tuple[Channel, ...] = ()


def tenants(folder: Path) -> list[TenantFile]:
    """The mapping files of a folder in the order of their names, each with a tenant of its own (L5).

    Files of Excel itself (`~$…`), hidden files and everything else that is no sheet are passed over.
    """
    if not folder.is_dir():
        return []
    files = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in _SUFFIXES and not path.name.startswith((".", "~$")) and path.is_file()
    )
    by_stem: dict[str, list[Path]] = {}
    for path in files:
        by_stem.setdefault(path.stem, []).append(path)
    return [_tenant_file(stem, paths) for stem, paths in by_stem.items()]


def is_tenant(text: str) -> bool:
    """Whether a sheet's file, and so its tenant, may be called `text`."""
    return len(text) <= _TENANT_LONGEST and _TENANT.fullmatch(text) is not None


def _tenant_file(stem: str, paths: list[Path]) -> TenantFile:
    """One tenant; with two files nobody knows which one is meant, so neither is used (L1)."""
    if not is_tenant(stem):
        remedy = "ファイル名を半角の英小文字、数字、_、- だけにしてください(例: acme.xlsx)"
        return TenantFile(
            paths[0], _safe_suffix(paths[0]), Problem(paths[0].name, "ファイル名を会社の名前として使えません", remedy)
        )
    if stem == OPERATOR_FILE:
        remedy = "運用担当者の通知先なら1つ上のフォルダに置き、会社のシートなら別の名前にしてください"
        return TenantFile(
            paths[0], _safe_suffix(paths[0]), Problem(paths[0].name, "運用担当者の通知先のための名前です", remedy)
        )
    if len(paths) > 1:
        names = "、".join(path.name for path in paths)
        remedy = "1社につき1つのファイルだけを置いてください"
        return TenantFile(paths[0], stem, Problem(names, "同じ会社のファイルが2つ以上あります", remedy))
    return TenantFile(paths[0], stem)


def _safe_suffix(path: Path) -> str:
    readable = re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-_")[:40]
    return f"{readable or 'file'}--{hashlib.sha256(path.name.encode()).hexdigest()[:8]}"


def load(path: Path, tenant: str, cache: Path | None = None, allowed_hosts: Collection[str] = ()) -> Compiled:
    """The compiled sheet, from `cache` when it is there; a cache that fails only costs time.

    Never raises for what a file holds: a file that cannot be read at all has problems too.
    """
    try:
        content = read_bytes(path)
    except MappingError as error:
        return Compiled(tenant, "", None, error.problems)
    digest = hashlib.sha256(content).hexdigest()
    key = f"{COMPILED_VERSION}\n{path.name}\n{tenant}\n{','.join(sorted(allowed_hosts))}\n{digest}"
    kept = cache / f"{hashlib.sha256(key.encode()).hexdigest()}.json" if cache else None
    if kept and (compiled := _read(kept, digest)):
        return compiled
    compiled, _ = compile_sheet(path.name, content, tenant, allowed_hosts)
    if kept:
        _write(kept, compiled)
    return compiled


def read_bytes(path: Path) -> bytes:
    """What the file holds.

    Raises:
        MappingError: it is too large, or cannot be read.
    """
    try:
        if path.stat().st_size > BYTES_MOST:
            remedy = f"{BYTES_MOST:,}バイト以下にしてください"
            raise MappingError([Problem(path.name, "ファイルが大きすぎます", remedy)])
        return path.read_bytes()
    except OSError as error:
        found = f"ファイルを読み取れません({error.strerror})"
        raise MappingError([Problem(path.name, found, "ファイルの有無と権限を確認してください")]) from error


def compile_sheet(
    name: str, content: bytes, tenant: str, allowed_hosts: Collection[str] = ()
) -> tuple[Compiled, Judged | None]:
    """The compiled sheet, and what it was made from; the latter is None for a file that cannot be read at all."""
    # only here, because these bring openpyxl, yaml and the grammar with them
    from renkei.links.smarthr_emc.sheet.excel.reader import raw_from_workbook
    from renkei.links.smarthr_emc.sheet.parse import judge, salvage
    from renkei.links.smarthr_emc.sheet.yaml_form import raw_from_yaml

    digest = hashlib.sha256(content).hexdigest()
    read = raw_from_workbook if Path(name).suffix.lower() == ".xlsx" else raw_from_yaml
    try:
        raw = read(content, name)
    except MappingError as error:
        return Compiled(tenant, digest, None, shown(error.problems)), None
    judged = judge(raw, tenant, allowed_hosts)
    if judged.mapping is not None:
        return _sound(digest, judged.mapping, shown(judged.warnings)), judged
    some = salvage(raw, tenant)
    found = (some.result_addresses, some.run_at, some.link_start_on, some.channels)
    return Compiled(tenant, digest, None, shown(judged.problems), (), *found), judged


def shown(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """The problems as a page and a mail can hold them: they quote what the file says, whatever that is."""
    shown = [Problem(_plain(p.where), _plain(p.found), _plain(p.remedy)) for p in problems[:PROBLEMS_MOST]]
    if more := len(problems) - len(shown):
        where = problems[0].where.partition(" ")[0]
        shown.append(Problem(_plain(where), f"ほかに{more:,}件あります", "上の項目から順に直してください"))
    return tuple(shown)


def _plain(text: str) -> str:
    """One line of at most QUOTED_MOST characters, without what cannot be shown or encoded or turns the text around."""
    cut = text if len(text) <= QUOTED_MOST else text[: QUOTED_MOST // 2] + "…" + text[-QUOTED_MOST // 2 :]
    return "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") else c for c in cut)


def _sound(digest: str, mapping: Mapping, warnings: tuple[Problem, ...]) -> Compiled:
    addresses, run_at, start = mapping.result_addresses, mapping.run_at, mapping.link_start_on
    return Compiled(mapping.tenant, digest, mapping, (), warnings, addresses, run_at, start, mapping.channels)


def _read(path: Path, digest: str) -> Compiled | None:
    """The compiled form in `path`, or None when there is none that can be used."""
    try:
        plain = json.loads(path.read_bytes())
        if plain["version"] != COMPILED_VERSION or plain["digest"] != digest:
            return None
        warnings = tuple(Problem(*problem) for problem in plain["warnings"])
        if plain["mapping"] is not None:
            return _sound(digest, from_plain(plain["mapping"]), warnings)
        return Compiled(
            plain["tenant"],
            digest,
            None,
            tuple(Problem(*problem) for problem in plain["problems"]),
            warnings,
            tuple(plain["result_addresses"]),
            dt.time.fromisoformat(plain["run_at"]) if plain["run_at"] else None,
            dt.date.fromisoformat(plain["link_start_on"]) if plain["link_start_on"] else None,
            channels_from_plain(plain["channels"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, compiled: Compiled) -> None:
    """Keeps the compiled form, readable by its owner alone: a sheet may hold a literal password (L7)."""
    plain: dict[str, Any] = {
        "version": COMPILED_VERSION,
        "tenant": compiled.tenant,
        "digest": compiled.digest,
        "mapping": to_plain(compiled.mapping) if compiled.mapping else None,
        "problems": [[p.where, p.found, p.remedy] for p in compiled.problems],
        "warnings": [[p.where, p.found, p.remedy] for p in compiled.warnings],
        "result_addresses": list(compiled.result_addresses),
        "run_at": compiled.run_at.isoformat() if compiled.run_at else None,
        "link_start_on": compiled.link_start_on.isoformat() if compiled.link_start_on else None,
        "channels": [] if compiled.mapping else channels_to_plain(compiled.channels),
    }
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")  # mkstemp makes it 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(plain, file)
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
