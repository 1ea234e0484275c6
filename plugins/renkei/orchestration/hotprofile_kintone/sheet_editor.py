"""The 連携設定シート of this link as a form (S2); 読み込み has told the field codes that it offers (K8)."""

from __future__ import annotations

from renkei.links.hotprofile_kintone.forms import last_of
from renkei.links.hotprofile_kintone.model import host_of
from renkei.links.hotprofile_kintone.sheet.filled import TABLES, filled
from renkei.links.hotprofile_kintone.sheet.mapping import Mapping
from renkei.links.hotprofile_kintone.sheet.settings import INFORMATION
from renkei.links.hotprofile_kintone.sheet.template import write_filled
from renkei.orchestration.hotprofile_kintone.connections import database
from renkei.orchestration.sheet_editor import Offered, SheetEditor


def _offered(mapping: Mapping) -> Offered:
    """The codes of each data set's app, where its form was read."""
    found, rows = {}, database()
    for data_set in mapping.data_sets:
        if form := last_of(rows, mapping.tenant, host_of(mapping), data_set.app):
            tables = [one for one in form.fields.values() if one.cells]
            cells = [cell.code for table in tables for cell in table.cells]
            fields = [*(code for code, one in form.fields.items() if not one.cells), *cells]
            found[data_set.label] = {"field": fields, "table": [table.code for table in tables]}
    return found


EDITOR = SheetEditor(INFORMATION, TABLES, filled, write_filled, _offered)
