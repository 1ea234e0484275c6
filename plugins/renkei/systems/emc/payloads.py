"""What the import contract writes and reads (include/contracts/emc_import.openapi.yaml): whoever sends it, over HTTP or in files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import pyarrow as pa

from renkei.errors import RetriableLoadError
from renkei.systems.emc.encode import ImportFile

IMPORT_ID = re.compile(r"(?!\.+$)[A-Za-z0-9_.:-]{1,200}")  # stands in paths
ImportState = Literal["open", "applying", "committed", "rejected", "aborted"]


@dataclass(frozen=True, slots=True)
class EmcProblem:
    """An error or notice of EMC about one line of a file."""

    file: str  # departments | users
    line: int
    item: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Import:
    """What EMC knows of one import."""

    id: str
    key: str
    state: ImportState
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    errors: tuple[EmcProblem, ...] = ()
    error_count: int = 0
    notices: tuple[EmcProblem, ...] = ()


def read_code(code: Any) -> str:
    """The contract's name of an error; what is no such name may quote what was sent, and goes no further (L6)."""
    return code if isinstance(code, str) and re.fullmatch("[A-Z_]{1,40}", code) else ""


def declared(departments: ImportFile | None, users: ImportFile | None) -> dict[str, Any]:
    """What is said of the files before they are sent, so that a torn one is noticed."""
    files = {"departments": departments, "users": users}
    return {name: file and {"rows": file.rows, "sha256": file.sha256} for name, file in files.items()}


def read_import(body: Mapping[str, Any]) -> Import:
    """An import as the contract writes it.

    Raises:
        RetriableLoadError: it is not; so nothing is known of the outcome (L1).
    """
    try:
        errors = _problems(body.get("errors"))
        found = Import(
            id=body["id"],
            key=body["key"],
            state=body["state"],
            counts=body.get("counts") or {},
            errors=errors,
            error_count=body.get("error_count") or len(errors),
            notices=_problems(body.get("notices")),
        )
        well = (
            isinstance(found.key, str)
            and IMPORT_ID.fullmatch(found.id)
            and found.state in get_args(ImportState)
            and type(found.error_count) is int
            and all(type(n) is int for counts in found.counts.values() for n in counts.values())
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise misshapen() from error
    if not well:
        raise misshapen()
    return found


def misshapen() -> RetriableLoadError:
    return RetriableLoadError("EMCの応答が取込仕様の形式ではありません。")


def read_items(body: Mapping[str, Any], fields: Sequence[str]) -> list[dict[str, str]]:
    """What a search found. Raises: RetriableLoadError: an item lacks a field, or is there twice."""
    items = body.get("items")
    if not isinstance(items, list) or not all(
        isinstance(item, dict) and all(_is_text(item.get(name)) for name in fields) for item in items
    ):
        raise misshapen()
    if len({item[fields[0]] for item in items}) < len(items):
        raise misshapen()
    return items


def _is_text(value: Any) -> bool:
    """Whether it is a text, without half a character: JSON can write one."""
    return isinstance(value, str) and (value.isascii() or not re.search("[\ud800-\udfff]", value))


@dataclass(frozen=True, slots=True)
class Page:
    version: int
    total: int
    ids: list[str]
    table: Any  # pyarrow's; one text column per item asked for
    following: str | None


def read_page(body: Mapping[str, Any], fields: Sequence[str]) -> Page:
    """A page as the contract writes it: every item that was asked for, as a text.

    Raises:
        RetriableLoadError: it is not.
    """
    try:
        columns = [pa.array([item[name] for item in body["items"]], type=pa.large_string()) for name in fields]
        page = Page(body["version"], body["total"], columns[0].to_pylist(), pa.table(columns, fields), body["next"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise misshapen() from error
    if (
        type(page.version) is not int
        or type(page.total) is not int
        or not (page.following is None or isinstance(page.following, str))
        or any(column.null_count for column in columns)
    ):
        raise misshapen()
    return page


def _problems(rows: Sequence[Mapping[str, Any]] | None) -> tuple[EmcProblem, ...]:
    """Raises: KeyError, TypeError, AttributeError: they are not as the contract writes them."""
    found = tuple(
        EmcProblem(row["file"], row["line"], row.get("item") or "", read_code(row["code"]), row["message"])
        for row in rows or ()
    )
    for one in found:
        if type(one.line) is not int or not all(isinstance(text, str) for text in (one.file, one.item, one.message)):
            raise TypeError("a problem of EMC's")
    return found
