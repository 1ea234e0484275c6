"""The 連携設定シート of WORKPLACE → LINE WORKS, as YAML and as a workbook."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import openpyxl
import pytest

from renkei.links.workplace_lineworks.sheet.compile import compile_sheet
from renkei.links.workplace_lineworks.sheet.mapping import Mapping
from renkei.sheets.compiled import Compiled
from tests.conftest import ROOT

SAMPLE = ROOT / "include" / "mappings" / "workplace_lineworks" / "sample.yaml"
SHEET = """
company_name: アクメ
result_addresses: [a@example.jp]
calendar: 使用する
interval_minutes: 15分
kinds_shown: 不在の種類
public: 非公開
applied_shown: 仮の予定として登録する
morning: 9:00～13:00
afternoon: 13:00-17:30
restore: 残す
held_percent: 25
titles:
  - {kind: 生理休暇, title: 休暇}
messengers: {lineworks: 使用する, slack: 使用しない}
stale_after_h: 12
events:
  - {event: 申請, lineworks: ○}
  - {event: approved, lineworks: ○, slack: ×}
"""
MAPPING = Mapping(
    tenant="acme",
    company="アクメ",
    interval_minutes=15,
    calendar=True,
    kinds_shown=True,
    titles={"生理休暇": "休暇"},
    public=False,
    applied_shown=True,
    morning=(dt.time(9), dt.time(13)),
    afternoon=(dt.time(13), dt.time(17, 30)),
    restore=False,
    held_percent=25,
    messengers={"lineworks": True, "slack": False},
    table={"requested": frozenset({"lineworks"}), "approved": frozenset({"lineworks"})},
    stale_after_h=12,
    result_addresses=("a@example.jp",),
)


def read(text: str) -> Compiled[Mapping]:
    return compile_sheet("acme.yaml", text.encode(), "acme")[0]


def test_c1_w1_a_sheet_says_both_parts() -> None:
    assert (read(SHEET).problems, read(SHEET).warnings, read(SHEET).mapping) == ((), (), MAPPING)


def test_c1_c6_w1_what_a_sheet_leaves_out_is_not_used_and_half_days_have_no_default() -> None:
    least = read("result_addresses: [a@example.jp]")
    assert least.mapping == Mapping("acme", "acme", result_addresses=("a@example.jp",))
    assert (least.mapping.calendar, least.mapping.messengers, least.mapping.table) == (False, {}, {})
    assert (least.mapping.morning, least.mapping.afternoon, least.mapping.kinds_shown) == (None, None, False)
    assert "何も連携しません" in str(least.warnings[0])


def test_the_sample_can_be_used() -> None:
    compiled = compile_sheet(SAMPLE.name, SAMPLE.read_bytes(), "sample")[0]
    assert (compiled.problems, compiled.warnings) == ((), ())
    assert compiled.mapping


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("calendar: 使用する", "calendar: たぶん", "使用する または 使用しない と記入してください"),
        ("interval_minutes: 15分", "interval_minutes: 7分", "5分、10分、15分、30分、60分 のいずれか"),
        ("morning: 9:00～13:00", "morning: 13:00-9:00", "終わりが始まりより後ではありません"),
        ("morning: 9:00～13:00", "morning: 午前中", "「09:00-13:00」の形"),
        ("held_percent: 25", "held_percent: 0", "1から100までの整数"),
        ("event: 申請", "event: 承認", "通知項目「承認」が2回あります"),
        ("event: 申請", "event: 申し込み", "申請、承認、却下"),
        ("lineworks: ○, slack", "lineworks: はい, slack", "○を付け"),
        ("title: 休暇", 'title: ""', "予定名が空白か、長すぎます"),
        ("stale_after_h: 12", "stale_after_h: 0", "1から168までの整数"),
    ],
)
def test_c1_c6_w1_what_cannot_be_meant_is_named_with_its_remedy(old: str, new: str, said: str) -> None:
    assert old in SHEET
    found = [str(problem) for problem in read(SHEET.replace(old, new, 1)).problems]
    assert any(said in problem for problem in found), found


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("slack: 使用しない", "slack: 使用する", "Slackを「使用する」にしていますが"),
        ("lineworks: 使用する", "lineworks: 使用しない", "LINE WORKSに○がありますが"),
        ("kinds_shown: 不在の種類", "kinds_shown: 不在のみ", "不在の種類ごとの予定名は使いません"),
    ],
)
def test_w1_what_is_marked_in_vain_is_told(old: str, new: str, said: str) -> None:
    assert said in str(read(SHEET.replace(old, new, 1)).warnings)


def workbook(tables: dict[str, list[list[Any]]]) -> Compiled[Mapping]:
    book = openpyxl.Workbook()
    assert book.active
    book.active.title = "連携情報"
    for title, rows in tables.items():
        sheet = book[title] if title in book.sheetnames else book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return compile_sheet("acme.xlsx", content.getvalue(), "acme")[0]


INFORMATION: list[list[Any]] = [
    *(["項目", "値"], ["会社名", "アクメ"], ["通知先メールアドレス", "a@example.jp"], ["カレンダー登録", "使用する"]),
    *(["連携間隔", "15分"], ["予定名", "不在の種類"], ["公開設定", "非公開"], ["手で変えた予定", "残す"]),
    *(["申請中の不在", "仮の予定として登録する"], ["午前の時間帯", "9時-13時"], ["午後の時間帯", "13:00-17:30"]),
    *(["保留する取消の割合", 25], ["LINE WORKSメッセンジャー", "使用する"], ["Slackメッセンジャー", "使用しない"]),
    ["通知の有効時間", 12],
]


def test_w1_a_workbook_says_the_same() -> None:
    compiled = workbook(
        {
            "連携情報": INFORMATION,
            "予定名": [["不在の種類", "予定名"], ["生理休暇", "休暇"]],
            "通知管理": [["通知項目", "LINE WORKS", "Slack"], ["申請", "○", ""], ["承認", "○", "×"], ["却下"]],
        }
    )
    assert compiled.problems == ()
    assert compiled.mapping == MAPPING, "a line without a mark says nothing"


@pytest.mark.parametrize(
    ("name", "now"), [("Server List秘密鍵", "Private Key"), ("Server API Consumer Key", "Client Secret")]
)
def test_c1_l7_a_name_of_the_old_api_is_explained_and_its_secret_not_repeated(name: str, now: str) -> None:
    compiled = workbook({"連携情報": [*INFORMATION, [name, "s3cret-Words"]]})
    (problem,) = compiled.problems
    assert now in str(problem)
    assert "Airflowの接続" in str(problem)
    assert "s3cret" not in str(problem)
