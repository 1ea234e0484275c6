"""The whole schema, and its text."""

from __future__ import annotations

import json

from renkei.links.smarthr_emc.sheet.items import USER_ITEMS
from renkei.links.smarthr_emc.sheet.json_schema.cells import convert_cell, no_convert_cell, policy_cells, source_cell
from renkei.links.smarthr_emc.sheet.json_schema.information import guards, root_department, setting_schema
from renkei.links.smarthr_emc.sheet.json_schema.notifications import notifications
from renkei.links.smarthr_emc.sheet.json_schema.patterns import Schema
from renkei.links.smarthr_emc.sheet.json_schema.tables import (
    departments,
    item_schema,
    line,
    unusual_line,
    users,
    usual_names,
)
from renkei.links.smarthr_emc.sheet.settings import LABELS, SETTINGS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_text() -> str:
    """The schema as the file in `include/contracts/` has it."""
    return json.dumps(schema(), ensure_ascii=False, indent=1) + "\n"


def schema() -> Schema:
    """The schema of a whole mapping file."""
    top = {key.partition(".")[0]: key for key in LABELS}
    properties: Schema = {}
    for setting in SETTINGS:
        if setting.key in top.values() and "." not in setting.key:
            properties.setdefault(setting.key, setting_schema(setting.key))
    required = ["smarthr_url", "result_addresses", "link_start_on", "departments", "users"]
    return {
        "$schema": DIALECT,
        "title": "連携設定シート(SmartHR → エマージェンシーコール)",
        "description": "1社に1つのファイルです。ファイル名が会社の名前(テナント名)になります。",
        "type": "object",
        "required": required,
        "additionalProperties": False,
        "properties": properties
        | {"root_department": root_department(), "guards": guards(), "departments": departments(), "users": users()}
        | {"notifications": notifications()},
        "$defs": {
            "item": item_schema(),
            "source": source_cell(),
            "convert": convert_cell(),
            "no_convert": no_convert_cell(),
            **policy_cells(),
            "unusual_line": unusual_line(),
            "lines": {item.key: line(enum=usual_names(item)) for item in USER_ITEMS},
        },
    }
