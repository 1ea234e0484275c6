"""E15: the JSON Schema of the YAML form is one, is current, and has every item, source and policy."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import regress
import yaml

from renkei.links.smarthr_emc.sheet import catalogue, names
from renkei.links.smarthr_emc.sheet.items import USER_ITEMS
from renkei.links.smarthr_emc.sheet.json_schema import DIALECT, schema, schema_text
from renkei.links.smarthr_emc.sheet.policy import Place, default_cell, format_cell
from renkei.links.smarthr_emc.sheet.settings import SETTINGS
from tests.unit.links.smarthr_emc.sheet.schema_faults import (
    FILE,
    SAMPLE,
    SHEET,
    VALIDATOR,
    faults,
)


def test_e15_the_committed_schema_is_current() -> None:
    """E15: the file that editors read is what the tables give; `renkei schema` writes it."""
    assert FILE.read_text(encoding="utf-8") == schema_text()
    assert len(schema_text().encode()) < 100_000


def test_e15_the_schema_is_one() -> None:
    """E15: it keeps to its dialect, and every pattern is one in ECMAScript as well as in Python."""
    jsonschema.Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == DIALECT
    patterns = set(_patterns(schema()))
    assert len(patterns) > 15
    for pattern in patterns:
        re.compile(pattern)
        regress.Regex(pattern, flags="u")


def _patterns(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["pattern"]] if isinstance(value.get("pattern"), str) else []
        return own + [found for below in value.values() for found in _patterns(below)]
    return [found for below in value for found in _patterns(below)] if isinstance(value, list) else []


@pytest.mark.parametrize("item", USER_ITEMS, ids=lambda item: item.key)
def test_e16_every_item_is_taken_once(item: Any) -> None:
    """E16: by its name and by its key."""
    known = VALIDATOR.evolve(schema=schema()["properties"]["users"]["items"]["properties"]["item"])
    assert known.is_valid(item.name)
    assert known.is_valid(item.key)
    if item.key not in ("user_id", "password", "full_name", "full_name_yomi", "operation"):
        line = f"- {{item: {item.name}, source: 社員番号}}\n"
        assert any("users" in fault for fault in faults(SHEET + line + line))


def test_e17_every_name_of_the_catalogue_is_a_source() -> None:
    """E17: alone, joined, and as the second choice."""
    source = VALIDATOR.evolve(schema=schema()["$defs"]["source"])
    texts = [
        text
        for name in (*catalogue.NAMES, *catalogue.ALIASES)
        for text in (name, f'{name}&"　"&名', f"社員番号 or {name}")
    ]
    assert [text for text in texts if not source.is_valid(text)] == []


@pytest.mark.parametrize("item", [item for item in USER_ITEMS if item.key != "operation"], ids=lambda item: item.key)
def test_e18_the_defaults_of_an_item_are_legal(item: Any) -> None:
    """E18: every cell takes the word that a blank one means."""
    tree = yaml.safe_load(SHEET)
    rule = next((rule for rule in tree["users"] if names.user_item(rule["item"]).item is item), None)
    if rule is None:
        rule = {"item": item.key, "source": "社員番号"}
        tree["users"].append(rule)
        for half, other in (("medium", "address"), ("address", "medium")):
            if item.key.startswith("contact_") and item.key.endswith(half):
                tree["users"].append({"item": item.key.replace(half, other), "source": "社員番号"})
    one, two, three, four = (format_cell(default_cell(item, place), place) for place in Place)
    rule["on_create"] = {"when_present": one, "when_blank": two}
    rule["on_update"] = {"when_present": three, "when_blank": four}
    assert faults(yaml.safe_dump(tree, allow_unicode=True)) == []


def test_e15_an_editor_has_something_to_offer() -> None:
    """E15: every key, item, source and policy has a title in Japanese, and words to choose from."""
    whole = schema()
    described = {**whole["properties"], **whole["properties"]["guards"]["properties"]}
    assert {key.rpartition(".")[2] for key in (setting.key for setting in SETTINGS)} - {"id", "name", "yomi"} <= set(
        described
    )
    assert all(re.search(r"[ぁ-ん一-龠ァ-ヶ]|URL", node["title"]) for node in described.values())
    offered = {value for node in _nodes(whole) for value in node.get("enum", ())}
    assert {item.name for item in USER_ITEMS} <= offered
    assert {item.key for item in USER_ITEMS} <= offered
    assert set(catalogue.NAMES) <= offered
    assert {"SET", "登録", "更新しない", "REJECT", "KATAKANA", "全角カナ", "FROZEN", "FILE_DROP"} <= offered


def _nodes(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value, *(found for below in value.values() for found in _nodes(below))]
    return [found for below in value for found in _nodes(below)] if isinstance(value, list) else []


def test_e15_the_sample_names_its_schema() -> None:
    """E15: the first line of the sample leads an editor to the committed file, and the sample is valid."""
    text = SAMPLE.read_text(encoding="utf-8")
    (path,) = re.findall(r"^# yaml-language-server: \$schema=(.+)\n", text)
    assert (SAMPLE.parent / path).resolve() == FILE
    assert faults(text) == []


def test_e15_check_jsonschema_takes_the_samples(tmp_path: Path) -> None:
    """E15: the command of `make check` accepts the samples and names a mistake."""
    command = [
        shutil.which("check-jsonschema") or f"{Path(sys.executable).parent}/check-jsonschema",
        "--schemafile",
        FILE,
    ]
    subprocess.run([*command, SAMPLE], check=True, capture_output=True, timeout=60)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(SHEET + "run_on: 4:30\n", encoding="utf-8")
    found = subprocess.run([*command, wrong], capture_output=True, text=True, timeout=60)
    assert found.returncode == 1
    assert "run_on" in found.stdout


def test_e15_no_text_keeps_a_pattern_busy() -> None:
    """E15: an editor checks on every key: the longest texts that nearly match are judged at once."""
    started = dt.datetime.now(dt.UTC)
    for part in (
        "姓&",
        "カスタム項目:a or ",
        "固定値「x」&",
        "半角、",
        "（",
        " ",
        "「",
        "検索ワード1:",
        '""',
        "部署1or",
        "日付:MM",
    ):
        tree = yaml.safe_load(SHEET)
        long = (part * 2_000)[:2_000]
        tree["users"].append({"item": long, "source": long + "」", "convert": long, "on_create": {"when_blank": long}})
        tree["id_prefix"] = tree["run_at"] = tree["smarthr_url"] = tree["link_start_on"] = long
        tree["root_department"] = {"id": long + "\n", "name": long + "\nx", "yomi": long}
        list(VALIDATOR.iter_errors(tree))
    assert (dt.datetime.now(dt.UTC) - started).total_seconds() < 20


def test_e15_the_text_of_the_schema_is_plain_json() -> None:
    """E15: one entry a line, Japanese as it is, and the same every time."""
    buffer = io.StringIO(schema_text())
    assert json.load(buffer) == schema()
    assert "ユーザID" in schema_text()
    assert max(map(len, schema_text().splitlines())) < 8_000
