"""The sheet: `greeting`, every how many `minutes`, and whom to tell."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import yaml

from renkei.notifications.form.lines import channel_lines, read_channels
from renkei.sheets.compiled import Compiled, SheetKind, digest_of, shown
from renkei.sheets.findings import Findings


@dataclass(frozen=True, slots=True)
class Sheet:
    greeting: str
    minutes: int  # between two runs


SHEETS: SheetKind[Sheet] = SheetKind("toy", 1, f"{__name__}:compile_sheet", f"{__name__}:Sheet")


def compile_sheet(
    name: str, content: bytes, tenant: str, allowed_hosts: Collection[str] = ()
) -> tuple[Compiled[Sheet], None]:
    said, findings = yaml.load(content, yaml.BaseLoader), Findings()
    lines = channel_lines(said.get("notifications"), f"{name} notifications", findings)
    channels = read_channels(lines, findings, tenant=tenant)
    if not said.get("greeting"):
        findings.problem(f"{name} greeting", "挨拶がありません", "記入してください")
    sheet = None if findings.problems else Sheet(said["greeting"], int(said["minutes"]))
    problems, warnings = shown(findings.problems), shown(findings.warnings)
    return Compiled(
        tenant, digest_of(content), sheet, problems, warnings, tuple(said.get("mail", ())), channels=channels
    ), None
