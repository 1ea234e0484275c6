"""From a sheet's bytes to what they say."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from renkei.errors import MappingError
from renkei.links.hotprofile_kintone.sheet.mapping import Mapping
from renkei.links.hotprofile_kintone.sheet.parse import Checked, check_sheet
from renkei.links.hotprofile_kintone.sheet.workbook import raw_from_workbook
from renkei.links.hotprofile_kintone.sheet.yaml_form import raw_from_yaml
from renkei.sheets.compiled import Compiled, digest_of, shown
from renkei.sheets.information import said_by_a_broken_sheet


def compile_sheet(
    name: str, content: bytes, tenant: str, allowed_hosts: Collection[str] = ()
) -> tuple[Compiled[Mapping], Checked | None]:
    """The compiled sheet, and what it was made from; the latter is None for a file that cannot be read at all."""
    digest = digest_of(content)
    read = raw_from_yaml if Path(name).suffix.lower() in (".yaml", ".yml") else raw_from_workbook
    try:
        raw = read(content, name)
    except MappingError as error:
        return Compiled(tenant, digest, None, shown(error.problems)), None
    checked = check_sheet(raw, tenant, allowed_hosts)
    mapping, said = checked.mapping, said_by_a_broken_sheet(checked.settings)
    warnings = shown(checked.warnings) if mapping else ()
    return Compiled(
        tenant, digest, mapping, shown(checked.problems), warnings, channels=checked.channels, **said
    ), checked
