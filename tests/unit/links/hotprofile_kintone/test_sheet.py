"""The 連携設定シート of Hot Profile → kintone, as YAML and as a workbook."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from renkei.links.hotprofile_kintone.sheet.compile import compile_sheet
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet, Item, Mapping
from renkei.sheets.compiled import Compiled
from tests.conftest import ROOT

SAMPLE = ROOT / "include" / "mappings" / "hotprofile_kintone" / "sample.yaml"
SHEET = """
company_name: アクメ
domain: acme
user: 山田
interval_minutes: 30分
result_addresses: [a@example.jp]
companies:
  app: "12"
  enabled: する
  items:
    - {item: 会社ID, field: id, key: ○}
    - {item: "カスタム項目:ランク", field: rank, when_blank: 空なら書かない, convert: 半角}
"""


def read(text: str, name: str = "acme.yaml") -> Compiled[Mapping]:
    return compile_sheet(name, text.encode(), "acme")[0]


def problems(text: str) -> list[str]:
    return [str(problem) for problem in read(text).problems]


def test_k8_a_sheet_says_what_goes_where() -> None:
    compiled = read(SHEET)
    assert compiled.problems == ()
    assert compiled.mapping == Mapping(
        tenant="acme",
        company="アクメ",
        domain="https://acme.cybozu.com",
        user="山田",
        interval_minutes=30,
        data_sets=(
            DataSet(
                "companies",
                "12",
                True,
                "会社ID",
                (Item("会社ID", "id"), Item("カスタム項目:ランク", "rank", True, "HALF_WIDTH")),
            ),
        ),
        result_addresses=("a@example.jp",),
    )
    assert (compiled.company_name, compiled.result_addresses) == ("アクメ", ("a@example.jp",))


def test_the_sample_can_be_used() -> None:
    compiled = compile_sheet(SAMPLE.name, SAMPLE.read_bytes(), "sample")[0]
    assert compiled.problems == ()
    assert compiled.mapping is not None
    assert [one.name for one in compiled.mapping.enabled] == ["companies", "departments", "leads"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("30分", "10分", "連携間隔が選べる値ではありません → 5分、30分、1時間"),  # K14
        ('"12"', "https://acme.cybozu.com/k/12/", "アプリIDの「12」だけを記入してください"),  # K13
        ("domain: acme", "domain: https://acme.cybozu.com/k/", "「https://acme.cybozu.com」とだけ記入してください"),
        ("domain: acme", "domain: https://acme.example.com", "kintoneのサブドメインではありません"),
        ("item: 会社ID", "item: 会社番号", "「会社番号」という項目はHot Profileの会社にありません"),
        (", key: ○", "", "更新キーの項目がありません"),  # K7
        ("field: rank", "field: rank, key: ○", "更新キーの項目が2つ以上あります"),
        ("field: rank", "field: id", "フィールドコード「id」が2回記入されています"),  # K8
        ("user: 山田", "", "連携ユーザーが記入されていません"),
        ('  app: "12"\n', "", "会社のアプリIDが記入されていません"),
        ("空なら書かない", "エラー", "クリア または 空なら書かない と記入してください"),
    ],
)
def test_k13_k14_what_cannot_be_meant_is_named_with_its_remedy(old: str, new: str, said: str) -> None:
    assert old in SHEET
    found = problems(SHEET.replace(old, new, 1))
    assert any(said in problem for problem in found), found


def test_k1_two_data_sets_do_not_share_an_app() -> None:
    """They would take each other's records for their own."""
    other = SHEET.partition("companies:")[2].replace("会社ID", "リードID")
    assert any("リードのアプリIDが会社と同じです" in one for one in problems(f"{SHEET}leads:{other}"))


def test_a_fault_is_told_once() -> None:
    assert len(problems(SHEET.replace("30分", "10分"))) == 1


def test_a_broken_sheet_still_says_whom_to_tell() -> None:
    compiled = read(SHEET.replace("30分", "10分"))
    assert (compiled.mapping, compiled.result_addresses, compiled.company) == (None, ("a@example.jp",), "アクメ")


def test_a_workbook_says_the_same(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "連携情報"
    rows: list[list[Any]] = [
        ["連携情報", None],
        ["項目", "値"],
        ["会社名", "アクメ"],
        ["サブドメイン", "acme"],
        ["連携ユーザー", "山田"],
        ["連携間隔", "30分"],
        ["連携開始日", dt.date(2026, 4, 1)],
        ["通知先メールアドレス", "a@example.jp"],
        ["会社情報の連携を行う", "する"],
        ["会社のアプリID", 12],
    ]
    for row in rows:
        sheet.append(row)
    own = book.create_sheet("会社")
    for line in (
        ["ホットプロファイル項目", "kintoneフィールドコード", "更新キー", "空のとき", "変換"],
        ["会社ID", "id", "○", None, None],
        ["会社名", None, None, None, None],  # of the template, and not linked
        ["カスタム項目:ランク", "rank", None, "空なら書かない", "半角"],
    ):
        own.append(line)
    users = book.create_sheet("ユーザー対応表")
    for line in (["ホットプロファイルのユーザー", "kintoneのログイン名"], ["山田", "yamada"]):
        users.append(line)
    content = io.BytesIO()
    book.save(content)
    compiled = compile_sheet("acme.xlsx", content.getvalue(), "acme")[0]
    assert compiled.problems == ()
    expected = read(SHEET + "link_start_on: 2026-04-01\nusers: [{hotprofile: 山田, kintone: yamada}]\n")
    assert compiled.mapping == expected.mapping
    assert compiled.link_start_on == dt.date(2026, 4, 1)
