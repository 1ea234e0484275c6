"""From a sheet's bytes to what they say, in whichever of the two forms it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from renkei.channel import Channel
from renkei.errors import MappingError, Problem
from renkei.sheets.compiled import Compiled, digest_of, shown
from renkei.sheets.information import broken_sheet_parts

MappingT = TypeVar("MappingT")
RawT = TypeVar("RawT")
Reader = Callable[[bytes, str], RawT]  # of a file's content and name; may raise MappingError


@dataclass(frozen=True, slots=True)
class CheckedSheet(Generic[MappingT]):
    """All that a sheet says and all that is wrong or doubtful about it; `settings` is what is sound, whatever else is."""

    mapping: MappingT | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    settings: dict[str, Any]
    channels: tuple[Channel, ...] = field(default=())


def compiled_by(
    name: str,
    content: bytes,
    tenant: str,
    from_yaml: Reader[RawT],
    from_workbook: Reader[RawT],
    check: Callable[[RawT], CheckedSheet[MappingT]],
) -> tuple[Compiled[MappingT], CheckedSheet[MappingT] | None]:
    """The compiled sheet, and what it was made from; the latter is None for a file that cannot be read at all."""
    digest = digest_of(content)
    read = from_yaml if Path(name).suffix.lower() in (".yaml", ".yml") else from_workbook
    try:
        raw = read(content, name)
    except MappingError as error:
        return Compiled(tenant, digest, None, shown(error.problems)), None
    checked = check(raw)
    said = broken_sheet_parts(checked.settings)
    warnings = shown(checked.warnings) if checked.mapping else ()
    problems = shown(checked.problems)
    return Compiled(tenant, digest, checked.mapping, problems, warnings, channels=checked.channels, **said), checked
