"""Which files of a folder are a link's sheets, and whose (L5)."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from renkei.errors import MappingError, Problem
from renkei.sheets.workbook.kind import SUFFIXES, TEXT_SUFFIXES, XLSX

MAX_BYTES = 20_000_000
OPERATOR_FILE = "operator"  # one folder above the sheets; as a tenant it would share the operator's Connections
_SUFFIXES = (".xlsx", ".yaml", ".yml")
_TENANT = re.compile(r"[a-z0-9](?!.*__)[a-z0-9_-]*")  # what follows `__` in a Connection's name is a tenant (E41)
_MAX_TENANT = 100


@dataclass(frozen=True, slots=True)
class TenantFile:
    """A mapping file. With a `problem`, `tenant` is only a suffix that is safe and unique as a Dag's name."""

    path: Path
    tenant: str
    problem: Problem | None = None

    @property
    def name(self) -> str:
        """The file's name as it can be shown: one from another system need not be UTF-8."""
        return shown_name(self.path)


def shown_name(path: Path) -> str:
    return os.fsencode(path.name).decode(errors="replace")


def tenants(folder: Path) -> list[TenantFile]:
    """The mapping files of a folder in the order of their names, each with a tenant of its own (L5).

    Files of other programs that were plainly meant as sheets (.xls, .ods …) are there with a problem. Files of Excel
    itself (`~$…`), hidden files and everything else that is no sheet are passed over.
    """
    if not folder.is_dir():
        return []
    files = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "~$")) and path.is_file())
    by_stem: dict[str, list[Path]] = {}
    for path in files:
        if path.suffix.lower() in _SUFFIXES:
            by_stem.setdefault(path.stem, []).append(path)
    found = [_tenant_file(stem, paths) for stem, paths in by_stem.items()]
    taken = {file.tenant for file in found}
    for path in files:
        kind = SUFFIXES.get(path.suffix.lower())
        if kind and (path.suffix.lower() not in TEXT_SUFFIXES or is_tenant(path.stem.lower())):
            found.append(_of_another_kind(path, kind, taken))
            taken.add(found[-1].tenant)
    return found


def _of_another_kind(path: Path, kind: str, taken: Collection[str]) -> TenantFile:
    """A file that cannot be read; beside a sheet of its tenant it has a Dag of its own, and the sheet stays in use."""
    remedy = (
        f"連携設定シートなら、{XLSX}として保存し直したファイルだけを置いてください。"
        "そうでなければ、別のフォルダに移してください"
    )
    free = is_tenant(path.stem) and path.stem not in taken and path.stem != OPERATOR_FILE
    return TenantFile(path, path.stem if free else _safe_suffix(path), Problem(shown_name(path), kind, remedy))


def is_tenant(text: str) -> bool:
    """Whether a sheet's file, and so its tenant, may be called `text`."""
    return len(text) <= _MAX_TENANT and _TENANT.fullmatch(text) is not None


def has_sheet(folder: Path, tenant: str) -> bool:
    """Whether a link's folder has a sheet of this tenant, in whatever state; without a look at the others."""
    return is_tenant(tenant) and any((folder / f"{tenant}{suffix}").is_file() for suffix in _SUFFIXES)


def _tenant_file(stem: str, paths: list[Path]) -> TenantFile:
    """One tenant; with two files nobody knows which one is meant, so neither is used (L1)."""
    if not is_tenant(stem):
        remedy = "ファイル名を半角の英小文字、数字、_、- だけにし、_ を2つ続けないでください(例: acme.xlsx)"
        return _refused(paths[0], "ファイル名を会社の名前として使えません", remedy)
    if stem == OPERATOR_FILE:
        remedy = "運用担当者のファイルなら1つ上のフォルダに置き、会社のシートなら別の名前にしてください"
        return _refused(paths[0], "運用担当者のファイルのための名前です", remedy)
    if len(paths) > 1:
        names = "、".join(path.name for path in paths)
        remedy = "1社につき1つのファイルだけを置いてください"
        return TenantFile(paths[0], stem, Problem(names, "同じ会社のファイルが2つ以上あります", remedy))
    return TenantFile(paths[0], stem)


def _refused(path: Path, found: str, remedy: str) -> TenantFile:
    return TenantFile(path, _safe_suffix(path), Problem(shown_name(path), found, remedy))


def _safe_suffix(path: Path) -> str:
    readable = re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-_")[:40]
    return f"{readable or 'file'}--{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:8]}"


def read_bytes(path: Path) -> bytes:
    """What the file holds.

    Raises:
        MappingError: it is too large, or cannot be read.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            remedy = f"{MAX_BYTES:,}バイト以下にしてください"
            raise MappingError([Problem(path.name, "ファイルが大きすぎます", remedy)])
        return path.read_bytes()
    except OSError as error:
        found = f"ファイルを読み取れません({error.strerror})"
        raise MappingError([Problem(path.name, found, "ファイルの有無と権限を確認してください")]) from error
