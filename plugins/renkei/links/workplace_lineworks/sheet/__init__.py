"""The 連携設定シート of this link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renkei.links.workplace_lineworks import LINK
from renkei.sheets.compiled import SheetKind

if TYPE_CHECKING:
    from renkei.links.workplace_lineworks.sheet.mapping import Mapping

SHEETS: SheetKind[Mapping] = SheetKind(LINK, 3, f"{__name__}.compile:compile_sheet", f"{__name__}.mapping:Mapping")
