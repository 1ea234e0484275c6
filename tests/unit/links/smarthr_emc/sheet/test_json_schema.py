"""E15: the JSON Schema of the YAML form takes what is written as the tables write it, and refuses what the reader refuses."""

from __future__ import annotations

import copy
import datetime as dt
import io
import json
import random
import re
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import regress
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from renkei.errors import MappingError
from renkei.links.smarthr_emc.sheet import catalogue, names
from renkei.links.smarthr_emc.sheet.items import USER_ITEMS
from renkei.links.smarthr_emc.sheet.json_schema import DIALECT, schema, schema_text
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.parse import parse
from renkei.links.smarthr_emc.sheet.policy import Place, default_cell, format_cell
from renkei.links.smarthr_emc.sheet.settings import SETTINGS
from renkei.links.smarthr_emc.sheet.yaml_form import raw_from_yaml, to_yaml
from renkei.texts import trim
from tests.unit.links.smarthr_emc.sheet.mappings import HOSTS, ODD_TEXTS, mappings

ROOT = Path(__file__).resolve().parents[5]
FILE = ROOT / "include/contracts/mapping.schema.json"
SAMPLE = ROOT / "include/mappings/smarthr_emc/minato.yaml"
QUICK = settings(
    max_examples=12,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
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


@QUICK
@given(mapping=mappings)
def test_e15_every_mapping_that_is_written_is_valid(mapping: Mapping) -> None:
    """E15: whatever `to_yaml` writes has no fault, in YAML 1.1 nor 1.2."""
    assert faults(to_yaml(mapping)) == []


ODD_VALUES = [
    *ODD_TEXTS,
    *(
        "",
        " ",
        "　",
        "\u200b",
        "\n",
        "x",
        "x" * 41,
        "ﾕｰｻﾞID",
        "ＵＳＥＲ＿ＩＤ",
        " 氏 名 ",
        "氏名（ﾖﾐ）",
        "メ－ルアドレス",
    ),
    *(
        "登録",
        "更新",
        "更新しない",
        "SKIP",
        "set",
        "エラー",
        "自動",
        "DEFAULT:",
        "デフォルト：１",
        "登録(任意)",
    ),
    *(
        "社員番号 or メールアドレス",
        "姓＆名",
        "姓&",
        "固定値「",
        "固定値：x",
        "カスタム項目:A or B",
        "秘密:x",
        "なし",
        "〃",
    ),
    *("社員番合", "部署1or部署2", "住所（都道府県）", "固定値 ( 「x」", "無し(空白)", "同上", "※氏名", "氏名(必須)"),
    *("検索ワード1", "検索ワード1 勤務地", "検索ワード1（勤務地）", "検索ワード9:x", "兼務管理部署1～10", "処理フラグ"),
    *("半角、小文字", "半角、半角", "日付:YYYY/MM/DD", "日付", "日付書式：YYYY年M月", "メール+半角", "KATAKANA", "ｶﾅ"),
    *(
        "連携解除",
        "FROZEN",
        "ファイル",
        "１０",
        "10%",
        "１００％",
        "010",
        "4時30分",
        "24:00",
        "４：３０",
        "2026年4月1日",
    ),
    *("20260401", "2026/4/1", "2026-13-01", "https://acme.smarthr.jp/", "HTTPS://ACME.smarthr.jp", "acme.smarthr.jp"),
    *("http://127.0.0.1:8181", "a@b.jp, c@d.jp", "a@b.jp、c@d.jp", "soumu", "acm", "アクメ", "a" * 21, "部署名(階層)"),
    *(0, 1, 4, 10, 11, 100, 101, 270, 20260401, -1, 0.5, 12.5, True, False, None, [], {}, ["x"], {"x": "y"}, [None]),
]


# Other spellings, which the reader takes and the schema does not: another width, blanks, and these.
OTHER_SPELLINGS = {
    *("固定値 ( 「x」", "※氏名", "氏名(必須)", "検索ワード1 勤務地", "なし", "set"),
    *("メール+半角", "半角、小文字", "HTTPS://ACME.smarthr.jp", "TRUE", "「」"),
}
USUAL_VALUES = [
    value
    for value in ODD_VALUES
    if not isinstance(value, str)
    or (unicodedata.is_normalized("NFKC", value) and trim(value) == value and value not in OTHER_SPELLINGS)
]


def _places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path, *(found for key, value in below for found in _places(value, (*path, key)))]


def _mutate(tree: Any, seed: int) -> Any:
    """The tree with one or two places dropped, doubled, renamed or replaced."""
    chance = random.Random(seed)
    tree = copy.deepcopy(tree)
    for _ in range(chance.choice((1, 1, 2))):
        *path, last = chance.choice(_places(tree)[1:] or [("x",)])
        parent = tree
        for key in path:
            parent = parent[key]
        match chance.randrange(5):
            case 0:
                del parent[last]
            case 1 if isinstance(parent, list):
                parent.append(copy.deepcopy(parent[last]))
            case 1 if isinstance(parent, dict):
                parent[chance.choice(["item", "convert", "run_at", "guards", "x", str(last).upper()])] = parent.pop(
                    last
                )
            case _:
                parent[last] = copy.deepcopy(chance.choice(USUAL_VALUES))
    return tree


@QUICK
@given(mapping=mappings, seed=st.integers(0, 2**32))
def test_e15_what_the_schema_refuses_the_reader_refuses(mapping: Mapping, seed: int) -> None:
    """E15: no false alarm: a changed file that reads without an error has no fault for the schema either.

    Spelled as usual: in another width or with other blanks only `renkei check` takes it.
    """
    tree = yaml.safe_load(to_yaml(mapping))
    for n in range(3):
        changed = yaml.safe_dump(_mutate(tree, seed + n), allow_unicode=True, sort_keys=False)
        if found := faults(changed):
            assert not is_read(changed), (found, changed)


def test_e15_mutations_are_of_both_kinds() -> None:
    """E15: the test above would hold for a schema that takes everything; many mutations are refused, many are read."""
    tree = yaml.safe_load(SHEET + MORE)
    changed = [yaml.safe_dump(_mutate(tree, seed), allow_unicode=True) for seed in range(120)]
    refused = [bool(faults(text)) for text in changed]
    read = [is_read(text) for text in changed]
    assert [
        text for text, r, s in zip(changed, read, refused, strict=True) if r and s
    ] == []  # no false alarm here either
    assert sum(refused) > 40
    assert sum(read) > 10
    missed = sum(not r and not s for r, s in zip(read, refused, strict=True))
    assert missed < 0.25 * (len(changed) - sum(read))  # of the wrong ones, the schema sees three of four


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


@pytest.mark.parametrize(
    "text",
    [
        SHEET,
        SHEET + "run_at: 04:30",
        SHEET + "run_at: 12:30",
        SHEET + "run_at: '4時30分'",
        SHEET.replace("2026-04-01", "20260401"),
        SHEET.replace("2026-04-01", "2026年4月1日"),
        SHEET.replace("[soumu@acme.example.jp]", "a@acme.example.jp、b@acme.example.jp"),
        SHEET + "root_department: {id: 000, name: on, yomi: 1.0}",
        SHEET + "id_prefix: 0012\nstate: ~\nloader:\nguards:\n",
        SHEET + "state: 連携解除\nloader: ファイル",
        SHEET + "guards: {delete_users_percent: 5, clear_percent: 7.5%, clear_least: '3'}",
        SHEET + "- {item: 検索ワード1:勤務地, source: 事業所, convert: [KATAKANA, '日付:YYYY/MM/DD']}",
        SHEET
        + "- {item: role_1, source: 役職1, on_create: {when_blank: 'DEFAULT:一般'}, on_update: {when_blank: 更新}}",
        SHEET + "notifications:",
        SHEET + "notifications: []",
        SHEET + "notifications:\n- {name: 総務, service: slack, to: '', events: 失敗、HOLD, muted: no}",
        SHEET + "notifications:\n- {name: 1, service: LINE WORKS, to: '社員：1001', events: []}",
        SHEET + "notifications:\n- {name: メール, service: メール, to: a@b.example.jp, muted: ○, connection: ~}",
        SHEET + "- {item: 処理フラグ}",
        SHEET + "- {item: 処理フラグ, source: '-', on_create: {when_present: 自動}}",
    ],
    ids=range(20),
)
def test_e15_what_the_reader_takes_has_no_fault(text: str) -> None:
    """E15: times, dates and codes as other tools type them, habits, and cells that are left out."""
    assert is_read(text)
    assert faults(text) == []


def without(line: str) -> str:
    assert line in SHEET
    return SHEET.replace(line, "")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (without("smarthr_url: https://acme.smarthr.jp\n"), "$"),
        (SHEET.replace("acme.smarthr.jp", "acme.smarthr.com"), "$.smarthr_url"),
        (SHEET.replace("https://acme.smarthr.jp", "https://acme.smarthr.jp/crews"), "$.smarthr_url"),
        (SHEET.replace("[soumu@acme.example.jp]", "[]"), "$.result_addresses"),
        (SHEET.replace("soumu@acme", "soumu.acme"), "$.result_addresses"),
        (SHEET.replace("soumu@", "a@b.jp, b@b.jp, c@b.jp, d@b.jp, e@b.jp, f@"), "$.result_addresses"),
        (SHEET.replace("2026-04-01", "来月"), "$.link_start_on"),
        (SHEET.replace("2026-04-01", "'2026-13-01'"), "$.link_start_on"),
        (SHEET.replace("2026-04-01", ""), "$.link_start_on"),
        (SHEET + "run_at: '24:00'", "$.run_at"),
        (SHEET + "run_at: 4", "$.run_at"),
        (SHEET + "run_on: 4:30", "$"),
        (SHEET + "id_prefix: 会社A", "$.id_prefix"),
        (SHEET + f"id_prefix: {'a' * 21}", "$.id_prefix"),
        (SHEET + "root_department: {id: '000', name: アクメ}", "$.root_department"),
        (SHEET + f"root_department: {{id: {'9' * 15}x{'9' * 15}, name: a, yomi: b}}", "$.root_department"),
        (SHEET + "state: 停止", "$.state"),
        (SHEET + "loader: FTP", "$.loader"),
        (SHEET + "emc_account: Group", "$.emc_account"),
        (SHEET + "requests_per_second: 11", "$.requests_per_second"),
        (SHEET + "guards: {clear_percent: 101}", "$.guards.clear_percent"),
        (SHEET + "guards: {clear_least: 1.5}", "$.guards.clear_least"),
        (SHEET + "guards: {clear: 1}", "$.guards"),
        (SHEET.replace("yomi: ブショ", "yomi: ''"), "$.departments.yomi"),
        (SHEET.replace("yomi: ブショ", "yomi: 秘密:x"), "$.departments.yomi"),
        (SHEET.replace("name: 部署名", "name: 部署"), "$.departments.name"),
        (without("- {item: ユーザID, source: 社員番号}\n"), "$.users"),
        (without("- {item: 氏名(ヨミ), source: 氏名(ヨミガナ)}\n"), "$.users"),
        (without("- {item: contact_1_address, source: 電話番号}\n"), "$.users"),
        (without("- {item: 緊急連絡1 媒体, source: 固定値「電話番号」}\n"), "$.users"),
        (SHEET + "- {item: 氏名, source: 姓}", "$.users"),
        (SHEET + "notifications: slack", "$.notifications"),
        (SHEET + "notifications: {name: a, service: slack}", "$.notifications"),
        (SHEET + "notifications: [slack]", "$.notifications[0]"),
        (SHEET + "notifications:\n- {service: slack}", "$.notifications[0]"),
        (SHEET + "notifications:\n- {name: a}", "$.notifications[0]"),
        (SHEET + f"notifications:\n- {{name: {'a' * 41}, service: slack}}", "$.notifications[0].name"),
        (SHEET + "notifications:\n- {name: a, service: fax}", "$.notifications[0].service"),
        (SHEET + "notifications:\n- {name: a, service: slack, connection: わたし}", "$.notifications[0].connection"),
        (SHEET + "notifications:\n- {name: a, service: slack, to: 'https://x.example'}", "$.notifications[0].to"),
        (SHEET + "notifications:\n- {name: a, service: ライン}", "$.notifications[0]"),
        (SHEET + "notifications:\n- {name: a, service: slack, muted: たぶん}", "$.notifications[0].muted"),
        (SHEET + "notifications:\n- {name: a, service: slack, events: [せいこう]}", "$.notifications[0].events[0]"),
        (SHEET + "notifications:\n- {name: a, service: slack, url: x}", "$.notifications[0]"),
        (SHEET + "- 氏名", "$.users[6]"),
        (SHEET + "- {source: 氏名}", "$.users[6]"),
        (SHEET + "- {item: 役職, source: 役職1}", "$.users[6].item"),
        (SHEET + "- {item: 氏名カタ, source: 無し}", "$.users[6].item"),
        (SHEET + "- {item: role_1}", "$.users[6]"),
        (SHEET + "- {item: role_1, source: }", "$.users[6].source"),
        (SHEET + "- {item: role_1, source: 役職11}", "$.users[6].source"),
        (SHEET + "- {item: role_1, source: 住所(都道府)}", "$.users[6].source"),
        (SHEET + "- {item: role_1, source: 姓&}", "$.users[6].source"),
        (SHEET + "- {item: role_1, source: 固定値「本社}", "$.users[6].source"),
        (SHEET + "- {item: role_1, source: 姓 or 社員番合}", "$.users[6].source"),
        (SHEET + "- {item: role_1, source: 秘密:x}", "$.users[6].source"),
        (SHEET + "- {item: role_1, source: 役職1, on_update: {when_blank: 登録}}", "$.users[6].on_update.when_blank"),
        (
            SHEET + "- {item: role_1, source: 役職1, on_create: {when_blank: 'DEFAULT:'}}",
            "$.users[6].on_create.when_blank",
        ),
        (
            SHEET + "- {item: role_1, source: 役職1, on_create: {when_present: エラー}}",
            "$.users[6].on_create.when_present",
        ),
        (SHEET + "- {item: role_1, source: 役職1, on_create: {when: SET}}", "$.users[6].on_create"),
        (SHEET + "- {item: role_1, source: 役職1, on_make: {when_blank: SET}}", "$.users[6]"),
        (SHEET + "- {item: role_1, source: 役職1, convert: 全角かな}", "$.users[6].convert"),
        (SHEET + "- {item: role_1, source: 役職1, convert: 日付}", "$.users[6].convert"),
        (SHEET + "- {item: role_1, source: 役職1, convert: [UPPER, UPPER]}", "$.users[6].convert"),
        (SHEET + "- {item: 所属部署コード, source: 部署1, convert: 半角}", "$.users[6].convert"),
        (
            SHEET.replace("source: 秘密:first", "source: 秘密:first, on_update: {when_present: 更新}"),
            "$.users[1].on_update",
        ),
        (SHEET.replace("source: 氏名}", "source: 氏名, on_create: {when_blank: 登録しない}}"), "$.users[2].on_create"),
        (SHEET.replace("source: 社員番号", "source: 社員番号, on_create: {when_blank: 'デフォルト:1'}"), "$.users[0]"),
    ],
    ids=range(68),
)
def test_l8_typical_mistakes_are_seen_by_both(text: str, place: str) -> None:
    """L8: what people get wrong is marked in the editor, at its place, and refused by the reader."""
    assert not is_read(text)
    found = faults(text)
    assert any(fault.startswith(place) for fault in found), found


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
