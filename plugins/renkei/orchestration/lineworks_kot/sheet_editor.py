"""The 連携設定シート of this link as a form (S2)."""

from __future__ import annotations

from renkei.links.lineworks_kot.sheet.filled import TABLES, filled
from renkei.links.lineworks_kot.sheet.settings import INFORMATION
from renkei.links.lineworks_kot.sheet.template import TEMPLATE
from renkei.notifications.form.template import write_template
from renkei.orchestration.sheet_editor import SheetEditor

EDITOR = SheetEditor(
    INFORMATION,
    TABLES,
    filled,
    lambda path, said, channels, tenant: write_template(path, TEMPLATE, tenant, said, channels),
)
