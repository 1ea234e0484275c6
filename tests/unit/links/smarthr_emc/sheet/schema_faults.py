"""What tools see in a sheet by its JSON Schema, and whether the reader takes it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from ruamel.yaml import YAML

from renkei.errors import MappingError
from renkei.links.smarthr_emc.sheet.json_schema import schema
from renkei.links.smarthr_emc.sheet.parse import parse
from renkei.links.smarthr_emc.sheet.yaml_form import raw_from_yaml
from tests.unit.links.smarthr_emc.sheet.mappings import HOSTS

ROOT = Path(__file__).resolve().parents[5]
FILE = ROOT / "include/contracts/mapping.schema.json"
SAMPLE = ROOT / "include/mappings/smarthr_emc/minato.yaml"
VALIDATOR = jsonschema.Draft202012Validator(schema())
SHEET = """
smarthr_url: https://acme.smarthr.jp
result_addresses: [soumu@acme.example.jp]
link_start_on: 2026-04-01
departments: {name: 部署名, yomi: ブショ}
users:
- {item: ユーザID, source: 社員番号}
- {item: password, source: 秘密:first}
- {item: full_name, source: 氏名}
- {item: 氏名(ヨミ), source: 氏名(ヨミガナ)}
- {item: 緊急連絡1 媒体, source: 固定値「電話番号」}
- {item: contact_1_address, source: 電話番号}
"""
MORE = """
- {item: 検索ワード1:勤務地, source: 事業所, convert: [HALF_WIDTH], on_create: {when_blank: SKIP}}
- {item: role_1, source: 役職1 or 固定値「一般」, on_update: {when_present: 更新, when_blank: 更新しない}}
run_at: 04:30
id_prefix: acm
root_department: {id: '000', name: x, yomi: y}
guards: {clear_percent: 5, clear_least: 3}
notifications:
- {name: 総務, service: Slack(Webhook), events: [失敗, HOLD]}
- {name: ルーム, service: CHATWORK, connection: chat, to: 123, muted: true}
"""


def views(text: str) -> list[Any]:
    """What tools see in a file: as YAML 1.2, and as YAML 1.1 where that is something else; dates as texts."""
    newer, older = _json(YAML(typ="safe", pure=True).load(text)), _json(yaml.safe_load(text))
    return [newer] if repr(newer) == repr(older) else [newer, older]  # validating takes ten times as long as reading


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _json(below) for key, below in value.items()}
    if isinstance(value, list):
        return [_json(below) for below in value]
    return str(value) if isinstance(value, dt.date) else value


def faults(text: str) -> list[str]:
    """Where a tool sees a fault, whatever YAML it reads."""
    return [
        f"{error.json_path}: {error.message[:200]}" for view in views(text) for error in VALIDATOR.iter_errors(view)
    ]


def is_read(text: str) -> bool:
    try:
        parse(raw_from_yaml(text.encode(), "acme.yaml"), "acme", HOSTS)
    except MappingError:
        return False
    return True
