"""E15: the YAML form reads to the same model, and refuses what a sheet needs nothing of."""

from __future__ import annotations

import datetime as dt

import pytest

from renkei.errors import MappingError
from renkei.links.smarthr_emc.sheet.mapping import Action, Cell, Mapping, RootDepartment
from renkei.links.smarthr_emc.sheet.parse import parse
from renkei.links.smarthr_emc.sheet.yaml_form import raw_from_yaml, to_yaml

SHEET = """
smarthr_url: https://acme.smarthr.jp
result_addresses: [soumu@acme.example.jp]
link_start_on: 2026-04-01
departments: {name: 部署名, yomi: ブショ}
users:
  - {item: ユーザID, source: 社員番号}
  - {item: password, source: 秘密:first}
  - {item: full_name, source: 氏名}
  - {item: 氏名ヨミ, source: 氏名(ヨミガナ)}
  - {item: 連絡先1 媒体, source: 固定値「電話番号」}
  - {item: contact_1_address, source: 電話番号}
"""


def read(text: str) -> Mapping:
    return parse(raw_from_yaml(text.encode(), "acme.yaml"), "acme")[0]


def refused(text: str) -> list[str]:
    with pytest.raises(MappingError) as caught:
        read(text)
    return [str(problem) for problem in caught.value.problems]


def test_e15_scalars_stay_what_they_look_like() -> None:
    """12:30 is a time and 0012 a text, whatever YAML makes of them; ~ and nothing are blank."""
    mapping = read(
        SHEET + "run_at: 12:30\nid_prefix: 0012\nstate: ~\nloader:\n"
        "root_department: {id: 010, name: on, yomi: 1.0}\nguards: {clear_least: 7}\n"
    )

    assert (mapping.run_at, mapping.id_prefix) == (dt.time(12, 30), "0012")
    assert mapping.root_department == RootDepartment("010", "on", "1.0")
    assert mapping.guards.clear_least == 7


def test_e18_policies_may_be_codes_or_words() -> None:
    """SET and 登録 are one; a cell that is left out has the item's default."""
    mapping = read(
        SHEET
        + "  - {item: role_1, source: 役職1, on_create: {when_blank: 'DEFAULT:一般'}, on_update: {when_blank: 更新}}"
    )

    rule = mapping.rule("role_1")
    assert rule is not None
    assert (rule.on_create.when_present, rule.on_create.when_blank) == (Cell(Action.SET), Cell(Action.DEFAULT, "一般"))
    assert (rule.on_update.when_present, rule.on_update.when_blank) == (Cell(Action.SET), Cell(Action.SET))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "ファイルが空"),
        ("# only a comment", "ファイルが空"),
        ("just a text", "キー: 値"),
        ("a: [", "YAMLとして読み取れません"),
        ("a: b: c", "1行目がYAMLとして"),
        ("[" * 13 + "]" * 13, "入れ子が深すぎ"),
        ("[" * 100_000, "入れ子が深すぎ"),
        ("a: &x [1]\nb: *x", "1行目に参照"),
        ("--- {}\n--- {}", "2つ以上"),
        ("x: " + "a" * 1_000_001, "大きすぎます"),
        (SHEET + "x: [" + "a," * 20_001 + "]", "記入が多すぎ"),
        (SHEET + "run_at: 4:30\nrun_at: 5:30", "「run_at」が2回"),
        (SHEET + "run_att: 4:30", "「run_at」と記入してください"),
        (SHEET + "<<: {run_at: 4:30}", "「<<」というキーはありません"),
        (SHEET + "guards: {clear: 1}", "guards.clear"),
        (SHEET + "guards: 5", "acme.yaml guards"),
        (SHEET + "run_at: [1]", "acme.yaml run_at"),
        (SHEET + "  - 氏名", "acme.yaml users[6]"),
        (SHEET + "  - {source: 氏名}", "item がありません"),
        (SHEET + "  - {item: role_1}", "source がありません"),
        (SHEET + "  - {item: 役職, source: 無し}", "「役職」というユーザデータの項目はありません"),
        (SHEET + "  - {item: [role_1], source: 役職1}", "users[6].item: 文字ではありません"),
        (SHEET + "  - {item: role_1, source: 役職1, on_create: {when: SET}}", "users[6].on_create.when"),
        (SHEET + "  - {item: role_1, source: 役職1, on_create: {when_blank: X}}", "users[6].on_create.when_blank"),
        (SHEET + "notifications: slack", "acme.yaml notifications: 一覧ではありません"),
        (SHEET + "notifications:\n  - slack", "notifications[0]: 「キー: 値」の並びではありません"),
        (SHEET + "notifications:\n  - {name: a, name: b, service: slack}", "notifications[0]: 同じキーが2回"),
        (SHEET + "notifications:\n  - {name: a, service: fax}", "notifications[0].service: 「fax」は使えない"),
        (SHEET + "notifications:\n  - {name: a, service: slack, {x: y}: z}", "notifications[0]"),
        (SHEET.replace("users:", "people:"), "users がありません"),
        (SHEET.replace("  - ", "  x", 1), "YAMLとして読み取れません"),
    ],
    ids=range(31),
)
def test_l8_a_broken_file_is_refused_with_a_remedy(text: str, message: str) -> None:
    """Every fault of form is a problem with its place, and none is a crash."""
    found = refused(text)
    assert any(message in problem for problem in found), found


def test_l8_another_encoding_is_named() -> None:
    """A file saved as Shift_JIS says so."""
    with pytest.raises(MappingError, match="UTF-8"):
        raw_from_yaml(SHEET.encode("cp932"), "acme.yaml")


def test_e15_a_file_names_its_schema_to_editors_where_asked() -> None:
    """E15: as a first line that is a comment to the reader; a file that may lie anywhere has none."""
    mapping = read(SHEET)
    text = to_yaml(mapping, schema="../mapping.schema.json")
    assert text.splitlines()[0] == "# yaml-language-server: $schema=../mapping.schema.json"
    assert read(text) == mapping
    assert not to_yaml(mapping).startswith("#")


def test_e22_conversions_may_be_a_list_or_one_text() -> None:
    """E22: codes and words, in a list or with the workbook's own separators; and written as a list."""
    both = ("[HALF_WIDTH, '日付:YYYY/MM/DD']", "半角、DATE:YYYY/MM/DD")
    one, other = (read(SHEET + f"  - {{item: search_word_1, source: 入社年月日, convert: {text}}}") for text in both)
    assert one == other
    assert "convert:\n  - HALF_WIDTH\n  - DATE:YYYY/MM/DD\n" in to_yaml(one)


def test_n1_a_channel_is_written_as_short_as_it_may_be() -> None:
    """N1: what is left out means what it does elsewhere; ~ is nothing, and a code keeps its zeros."""
    mapping = read(
        SHEET + "notifications:\n"
        "  - {name: 総務, service: slack, connection: ~, events: }\n"
        "  - {name: 0012, service: チャットワーク, to: 0012, muted: yes, events: [失敗]}\n"
    )
    text = to_yaml(mapping)
    assert text.endswith(
        "notifications:\n- name: 総務\n  service: SLACK_WEBHOOK\n  connection: slack_webhook__acme\n"
        "- name: '0012'\n  service: CHATWORK\n  connection: chatwork__acme\n  to: '0012'\n  muted: true\n"
        "  events:\n  - FAILURE\n"
    )
    assert read(text) == mapping


def test_l7_a_secret_in_the_file_is_refused_and_not_quoted() -> None:
    """L7: neither as a value, nor as a key, nor where a list belongs."""
    for line in ("{name: a, service: slack, to: 'https://x.jp/s3cr3t'}", "{'https://x.jp/s3cr3t': a}"):
        found = refused(SHEET + f"notifications:\n  - {line}\n")
        assert "s3cr3t" not in str(found)
    assert "s3cr3t" not in str(refused(SHEET + "notifications: https://x.jp/s3cr3t"))
