"""A sheet looked at before it is used, as a page or a command has it: what its Dag would say of it (E15, E41)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from renkei import settings
from renkei.errors import MappingError, SheetPendingError
from renkei.orchestration.link import Link
from renkei.orchestration.tenant import Tenant
from renkei.sheets.bounded import Compiler
from renkei.sheets.grants import Grants
from renkei.sheets.load import load
from renkei.sheets.placed import suffix_of
from renkei.sheets.review import Review
from renkei.storage.versions import Versions


def review(
    link: Link, file: Path, tenant: str, grants: Grants, neighbours: Collection[Path], compiler: Compiler[Any]
) -> Review:
    """What a link's Dag says of a sheet. `neighbours` are other tenants' sheets, for links that look at them."""
    sheet = load(link.sheets(), file, tenant, None, settings.allowed_hosts(), compiler)
    sheet = link.check_grants()(sheet, grants, file.name)
    return Review(
        *(tenant, sheet.mapping, sheet.problems, sheet.warnings, file.read_bytes()),
        channels=sheet.channels,
        is_read=not sheet.pending,
    )


def review_content(
    link: Link, tenant: str, file_name: str, content: bytes, grants: Grants, neighbours: Collection[Path]
) -> Review:
    """A look at a sheet's bytes, in a process within limits."""
    with as_file(tenant, file_name, content) as file, Compiler(link.sheets()) as compiler:
        return link.review_sheet()(link, file, tenant, grants, neighbours, compiler)


@contextmanager
def as_file(tenant: str, file_name: str, content: bytes) -> Iterator[Path]:
    """A sheet's bytes under the name that it would have in the mappings folder, in a folder of nobody else's."""
    with TemporaryDirectory(prefix="renkei-sheet-") as folder:
        path = Path(folder) / f"{tenant}{suffix_of(file_name)}"
        path.write_bytes(content)
        yield path


def with_version(tenant: Tenant, number: int) -> Tenant:
    """The tenant with a version of its sheet in place of the one in force.

    Raises:
        MappingError: the version cannot be used.
        SheetPendingError: it could not be read in time.
        MissingKeyError, StoreError
    """
    versions = Versions(tenant.folder())
    version = versions.read(number)
    with (
        as_file(tenant.name, version.file_name, versions.content(version)) as file,
        Compiler(tenant.link.sheets()) as compiler,
    ):
        sheet = load(tenant.link.sheets(), file, tenant.name, None, settings.allowed_hosts(), compiler)
        sheet = tenant.link.check_grants()(sheet, tenant.grants, file.name)
    if sheet.pending:
        raise SheetPendingError("シートの読み取りが終わりませんでした。しばらくしてから、もう一度始めてください。")
    if sheet.mapping is None:
        raise MappingError(sheet.problems)
    return replace(tenant, sheet=sheet)
