"""The 連携設定シート of this link as a form (S2)."""

from __future__ import annotations

from renkei.links.hotprofile_kintone.sheet.filled import TABLES, filled
from renkei.links.hotprofile_kintone.sheet.settings import INFORMATION
from renkei.links.hotprofile_kintone.sheet.template import write_filled
from renkei.orchestration.sheet_editor import SheetEditor

EDITOR = SheetEditor(INFORMATION, TABLES, filled, write_filled)
