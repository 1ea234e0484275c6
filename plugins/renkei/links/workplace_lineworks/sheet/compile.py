"""From a sheet's bytes to what they say."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from renkei.links.workplace_lineworks.sheet.mapping import Mapping
from renkei.links.workplace_lineworks.sheet.parse import check_sheet
from renkei.links.workplace_lineworks.sheet.side_runs import side_runs
from renkei.links.workplace_lineworks.sheet.workbook import raw_from_workbook
from renkei.links.workplace_lineworks.sheet.yaml_form import raw_from_yaml
from renkei.sheets.checked import CheckedSheet, compiled_by
from renkei.sheets.compiled import Compiled


def compile_sheet(
    name: str, content: bytes, tenant: str, allowed_hosts: Collection[str] = ()
) -> tuple[Compiled[Mapping], CheckedSheet[Mapping] | None]:
    """The compiled sheet, and what it was made from; the latter is None for a file that cannot be read at all."""
    compiled, checked = compiled_by(
        name, content, tenant, raw_from_yaml, raw_from_workbook, lambda raw: check_sheet(raw, tenant)
    )
    beside = side_runs(compiled.mapping) if compiled.mapping else ()
    return replace(compiled, side_runs=beside), checked
