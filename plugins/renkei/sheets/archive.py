"""Many sheets in one zip: taken out within limits, each under its company's name (L5)."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from renkei.errors import MappingError, Problem
from renkei.sheets.placed import suffix_of
from renkei.sheets.tenant_files import MAX_BYTES, OPERATOR_FILE, is_tenant

MAX_ZIP = 50_000_000
MAX_SHEETS = 200
MAX_UNPACKED = 200_000_000
MAX_RATIO = 100  # unpacked to packed; sheets are packed themselves, or short texts
SMALL = 100_000  # bytes of which the ratio says nothing
_MAX_DIRECTORY = 1_000_000  # bytes of the list of names: zipfile reads all of it at once
_SUFFIXES = (".xlsx", ".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class ArchivedSheet:
    """A sheet of the zip; with a `problem` it is not to be read."""

    name: str  # as it can be shown
    tenant: str
    content: bytes = b""
    problem: Problem | None = None


def unpacked(content: bytes) -> list[ArchivedSheet]:
    """Every sheet of the zip, in its order; folders and what other programs leave behind are passed over.

    Raises:
        MappingError: it is no zip, or more than sheets can be.
    """
    _refuse_large_directory(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [one for one in archive.infolist() if not _is_passed_over(one)]
            if len(entries) > MAX_SHEETS:
                raise _refusal(f"{len(entries):,}件のファイルがあります", f"{MAX_SHEETS}件以下に分けてください")
            if sum(one.file_size for one in entries) > MAX_UNPACKED:
                raise _refusal("展開すると大きすぎます", f"合計{MAX_UNPACKED:,}バイト以下に分けてください")
            found = [_read(archive, one) for one in entries]
    except MappingError:
        raise
    except Exception as error:  # zipfile raises whatever a damaged file makes it trip over
        raise _refusal("zipファイルではないか、壊れています", "作り直してください") from error
    if not found:
        raise _refusal("連携設定シートがありません", "会社のIDを名前にした.xlsxか.yamlのファイルを入れてください")
    return list(_without_twins(found))


def _refuse_large_directory(content: bytes) -> None:
    end = content.rfind(b"PK\x05\x06")
    if end < 0 or len(content) < end + 22:
        raise _refusal("zipファイルではありません", "連携設定シートを1つのzipにまとめてください")
    (size,) = struct.unpack_from("<L", content, end + 12)
    if size > _MAX_DIRECTORY or content[max(0, end - 20) :].startswith(b"PK\x06\x07"):  # or a zip64, which may say more
        raise _refusal("ファイルの数が多すぎます", f"{MAX_SHEETS}件以下に分けてください")


def _is_passed_over(entry: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(entry.filename)
    hidden = any(part.startswith((".", "~$")) and part != ".." for part in path.parts)
    return entry.is_dir() or hidden or "__MACOSX" in path.parts


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> ArchivedSheet:
    path = PurePosixPath(_name(entry))
    name, tenant = path.name[-120:], path.stem
    if not path.suffix.lower().endswith(_SUFFIXES):
        return _refused(name, "連携設定シートではありません", ".xlsxか.yamlのファイルだけを入れてください")
    if not is_tenant(tenant) or tenant == OPERATOR_FILE:
        remedy = "半角の英小文字、数字、_、- だけにし、_ を2つ続けないでください（例: acme.xlsx）"
        return _refused(name, "ファイル名を会社のIDとして使えません", remedy)
    if entry.flag_bits & 1:
        return _refused(name, "パスワードが付いています", "パスワードを付けずにzipにしてください")
    if entry.file_size > MAX_BYTES:
        return _refused(name, "ファイルが大きすぎます", f"{MAX_BYTES:,}バイト以下にしてください")
    if entry.file_size > SMALL and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
        return _refused(name, "圧縮されすぎています", "新しい連携設定シートのひな形に写してください")
    try:
        with archive.open(entry) as file:
            content = file.read(MAX_BYTES + 1)
    except Exception:  # damaged, or packed in a way that is not known
        return _refused(name, "zipから取り出せません", "zipを作り直してください")
    if len(content) > MAX_BYTES:
        return _refused(name, "ファイルが大きすぎます", f"{MAX_BYTES:,}バイト以下にしてください")
    return ArchivedSheet(f"{tenant}{suffix_of(name)}", tenant, content)


def _name(entry: zipfile.ZipInfo) -> str:
    """As it was meant: Windows writes Japanese names in its own code."""
    name = entry.filename.replace("\\", "/")
    if not entry.flag_bits & 0x800:
        name = name.encode("cp437", "replace").decode("cp932", "replace")
    return "".join(one if one.isprintable() else "?" for one in name)


def _without_twins(found: list[ArchivedSheet]) -> Iterator[ArchivedSheet]:
    names = [one.tenant for one in found if not one.problem]
    for one in found:
        if not one.problem and names.count(one.tenant) > 1:
            yield _refused(one.name, "同じ会社のファイルが2つ以上あります", "1社につき1つにしてください", one.tenant)
        else:
            yield one


def _refused(name: str, found: str, remedy: str, tenant: str = "") -> ArchivedSheet:
    return ArchivedSheet(name, tenant, problem=Problem(name, found, remedy))


def _refusal(found: str, remedy: str) -> MappingError:
    return MappingError([Problem("zip", found, remedy)])
