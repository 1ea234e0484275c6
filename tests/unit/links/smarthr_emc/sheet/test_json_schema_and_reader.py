"""E15: what the JSON Schema refuses the reader refuses, and what the reader takes the schema takes."""

from __future__ import annotations

import copy
import random
import unicodedata
from typing import Any

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.yaml_form import to_yaml
from renkei.texts import trim
from tests.unit.links.smarthr_emc.sheet.mappings import ODD_TEXTS, mappings
from tests.unit.links.smarthr_emc.sheet.schema_faults import MORE, SHEET, faults, is_read

QUICK = settings(
    max_examples=12,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


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
