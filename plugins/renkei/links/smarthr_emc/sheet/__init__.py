"""The 連携設定シート of this link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from renkei.links.smarthr_emc import LINK
from renkei.sheets.compiled import SheetKind

if TYPE_CHECKING:
    from renkei.links.smarthr_emc.sheet.mapping import Mapping

BY_FILE = "by_file"  # 取込方式 ファイル: a person uploads the files, and confirms it in a task of its own
SHEETS: SheetKind[Mapping] = SheetKind(LINK, 9, f"{__name__}.compile:compile_sheet", f"{__name__}.mapping:Mapping")
