"""From a sheet's bytes to what they say."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from pathlib import Path

from renkei import settings
from renkei.clock import daily_at
from renkei.errors import MappingError
from renkei.links.smarthr_emc.sheet import BY_FILE
from renkei.links.smarthr_emc.sheet.excel.reader import raw_from_workbook
from renkei.links.smarthr_emc.sheet.mapping import LinkState, Loader, Mapping
from renkei.links.smarthr_emc.sheet.parse import CheckedSheet, check_sheet, partial_sheet
from renkei.links.smarthr_emc.sheet.side_runs import side_runs
from renkei.links.smarthr_emc.sheet.yaml_form import raw_from_yaml
from renkei.sheets.compiled import Compiled, digest_of, shown


def compile_sheet(
    name: str, content: bytes, tenant: str, allowed_hosts: Collection[str] = ()
) -> tuple[Compiled[Mapping], CheckedSheet | None]:
    """The compiled sheet, and what it was made from; the latter is None for a file that cannot be read at all.

    For `sheets/bounded.py` alone: nobody knows how long it takes, nor whether it comes back.
    """
    digest = digest_of(content)
    read = raw_from_yaml if Path(name).suffix.lower() in (".yaml", ".yml") else raw_from_workbook
    try:
        raw = read(content, name)
    except MappingError as error:
        return Compiled(tenant, digest, None, shown(error.problems)), None
    checked = check_sheet(raw, tenant, allowed_hosts)
    if checked.mapping is not None:
        found = checked.mapping
        minutes = settings.spread_minutes()
        if minutes and partial_sheet(raw, tenant).run_at is None:
            found = dataclasses.replace(found, run_at=daily_at(tenant, minutes))
        said = (found.result_addresses, found.run_at, found.link_start_on, found.channels, found.company_name)
        shape = (BY_FILE,) if found.loader is Loader.FILE_DROP else ()
        dag = (found.state is LinkState.ACTIVE, side_runs(found), shape)
        return Compiled(found.tenant, digest, found, (), shown(checked.warnings), *said, *dag), checked
    some = partial_sheet(raw, tenant)
    left = (some.result_addresses, some.run_at, some.link_start_on, some.channels, some.company_name)
    return Compiled(tenant, digest, None, shown(checked.problems), (), *left), checked
