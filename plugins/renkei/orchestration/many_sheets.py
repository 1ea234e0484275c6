"""Many sheets at once: a zip looked at as a job, and what is sound in it kept as a version of each company's sheet (S2, S6).

Nothing is in force afterwards: that is a page's doing, with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from renkei import settings
from renkei.clock import utcnow
from renkei.errors import Problem
from renkei.sheets.archive import ArchivedSheet, unpacked
from renkei.sheets.bounded import Compiler
from renkei.sheets.compiled import digest_of
from renkei.sheets.grants import AllGrants, read_grants
from renkei.sheets.placed import is_yaml, suffix_of
from renkei.sheets.tenant_files import tenants
from renkei.storage import uploads
from renkei.storage.tenant_folder import TenantFolder
from renkei.storage.versions import Origin
from renkei.web.many_facts import BatchSheet, SheetBatch, UploadState
from renkei.web.tenant_sheet import Actor, TenantSheet

if TYPE_CHECKING:
    from renkei.orchestration.tenant import Tenant

SHOWN = 20  # findings of one sheet
TAKEN = Problem("", "この会社のIDは使えません", "別の名前にするか、運用担当者に確認してください")


def run_many_sheets(tenant: Tenant, asked: Mapping[str, str], tell: Callable[[str, int, int], None]) -> SheetBatch:
    """What is wrong in each sheet of the zip `asked["upload"]`; `hidden` are companies that whoever asks may not change.

    `tenant` is the operator's own place in the link's part of the store.

    Raises:
        MappingError: the zip cannot be read.
        MissingKeyError, StoreError
    """
    folder = tenant.folder()
    found = unpacked(uploads.take(folder, asked["upload"]))
    hidden, by = set(asked["hidden"].split()), Actor(asked["by"], asked["by_name"])
    grants = read_grants(settings.operator_file(tenant.dag_file))
    mappings = settings.mappings_folder(tenant.dag_file, tenant.link.name)
    sheets: list[BatchSheet] = []
    with TemporaryDirectory(prefix="renkei-sheets-") as at, Compiler(tenant.link.sheets()) as compiler:
        files = {one.tenant: Path(at, one.name) for one in found if not one.problem and one.tenant not in hidden}
        for one in found:
            if one.tenant in files:
                files[one.tenant].write_bytes(one.content)
        others = [
            file.path for file in tenants(mappings) if not file.problem and file.tenant not in hidden | files.keys()
        ]
        for number, one in enumerate(found):
            tell("シートを検査しています", number, len(found))
            if one.tenant not in files:
                sheets.append(_unread(one))
                continue
            neighbours = [*others, *(path for name, path in files.items() if name != one.tenant)]
            place = TenantSheet(TenantFolder(folder.store, folder.link, one.tenant), mappings)
            sheets.append(_review_sheet(tenant, one, files[one.tenant], grants, neighbours, compiler, place, by))
    return SheetBatch(sheets)


def _unread(one: ArchivedSheet) -> BatchSheet:
    problem = one.problem or Problem(one.name, TAKEN.found, TAKEN.remedy)
    return BatchSheet(one.name, one.tenant, UploadState.BROKEN, problems=[problem], problem_count=1)


def _review_sheet(
    tenant: Tenant,
    one: ArchivedSheet,
    path: Path,
    grants: AllGrants,
    neighbours: Sequence[Path],
    compiler: Compiler[object],
    place: TenantSheet,
    by: Actor,
) -> BatchSheet:
    review = tenant.link.review_sheet()(tenant.link, path, one.tenant, grants.of(one.tenant), neighbours, compiler)
    problems, warnings = [*review.problems, *review.misplaced], [*review.warnings, *review.beside]
    file, digest = place.file(), digest_of(one.content)
    if file.path and is_yaml(file.path.suffix) != is_yaml(suffix_of(one.name)):
        problems.append(Problem(one.name, f"使用中のシートは{file.path.suffix}です", "同じ形式で用意してください"))
    version, state = 0, UploadState.BROKEN
    if not problems and review.usable:
        state = (
            UploadState.NEW if not file.digest else UploadState.SAME if file.digest == digest else UploadState.CHANGED
        )
    if state in (UploadState.NEW, UploadState.CHANGED):
        kept = place.versions.with_digest(digest)
        version = kept or place.keep(one.content, one.name, Origin.UPLOAD, by, utcnow())
    return BatchSheet(
        one.name,
        one.tenant,
        state,
        version,
        digest,
        file.digest,
        problems[:SHOWN],
        len(problems),
        warnings[:SHOWN],
        len(warnings),
    )
