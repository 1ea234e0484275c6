"""The 連携設定シート of the tenants that run: a full one, where `tests.builders.mapping` makes the least one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from renkei.links.smarthr_emc.sheet import SHEETS
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.parse import parse
from renkei.links.smarthr_emc.sheet.yaml_form import raw_from_yaml
from renkei.sheets.load import load_all
from renkei.sheets.tenant_files import tenants

# item: source, 新規×値がある, 新規×値が無い, 更新×値がある, 更新×値が無い
SHEET: dict[str, tuple[str, str, str, str, str]] = {
    "ユーザID": ("社員番号", "SET", "SKIP", "SKIP", "REJECT"),
    "パスワード": ("社員番号", "SET", "REJECT", "SKIP", "SKIP"),
    "氏名": ('姓&"　"&名', "SET", "REJECT", "SET", "REJECT"),
    "氏名(ヨミ)": ('姓(ヨミガナ)&"　"&名(ヨミガナ)', "SET", "REJECT", "SET", "REJECT"),
    "所属部署コード": ("部署1(コード)", "SET", "SKIP", "SET", "SET"),
    "兼務管理部署1": ("部署2(コード)", "SET", "SKIP", "SET", "SET"),
    "兼務管理部署2": ("部署3(コード)", "SET", "SKIP", "SET", "SET"),
    "緊急連絡1 媒体": ("固定値「メールアドレス」", "SET", "SKIP", "SET", "SET"),
    "緊急連絡1 アドレス": ("メールアドレス", "SET", "SKIP", "SET", "SET"),
    "緊急連絡2 媒体": ("固定値「電話番号」", "SET", "SKIP", "SET", "SET"),
    "緊急連絡2 アドレス": ("電話番号", "SET", "SKIP", "SET", "SET"),
    "検索ワード1:勤務地": ("事業所", "SET", "SKIP", "SET", "SKIP"),
    "検索ワード2:勤務形態": ("カスタム項目:勤務形態 or 雇用形態", "SET", "SKIP", "SET", "SKIP"),
}


def full_mapping(sheet: dict[str, Any] | None = None, tenant: str = "acme", **settings: Any) -> Mapping:
    """The mapping of a sheet as a customer would write it; a text in place of a tuple changes the source alone."""
    users = []
    for item, line in (SHEET if sheet is None else sheet).items():
        source, *cells = (line, *SHEET[item][1:]) if isinstance(line, str) else line
        create, update = ({"when_present": a, "when_blank": b} for a, b in (cells[:2], cells[2:]))
        users.append({"item": item, "source": source, "on_create": create, "on_update": update})
    content = {
        "smarthr_url": "http://127.0.0.1:8181",
        "result_addresses": ["soumu@acme.example.jp"],
        "link_start_on": "2026-04-01",
        "emc_account": "acme",
        "departments": {"name": "部署名", "yomi": "ブショ"},
        "users": users,
        **settings,
    }
    text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
    mapping, _ = parse(raw_from_yaml(text.encode(), f"{tenant}.yaml"), tenant, ["127.0.0.1:8181"])
    return mapping


def compile_all(folder: Path, index: Path, allowed_hosts: str) -> None:
    """The sheets of a mappings folder, compiled beforehand: a new one waits for its turn, and its Dag until then."""
    load_all(SHEETS, tenants(folder), index, allowed_hosts.split(","))
