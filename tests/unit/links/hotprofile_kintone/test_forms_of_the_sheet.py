"""E15: the workbook and YAML of Hot Profile → kintone hold the same sheet, and nothing is lost between them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from renkei.channel import Channel, Event, Service
from renkei.links.hotprofile_kintone.items import ITEMS
from renkei.links.hotprofile_kintone.sheet.compile import compile_sheet
from renkei.links.hotprofile_kintone.sheet.difference import differences
from renkei.links.hotprofile_kintone.sheet.mapping import DATA_SETS, KEEP, OVERWRITE, DataSet, Item, Mapping
from renkei.links.hotprofile_kintone.sheet.template import EXAMPLE, write_template, write_workbook
from renkei.links.hotprofile_kintone.sheet.yaml_form import write_yaml
from tests.conftest import ROOT

FULL = Mapping(
    tenant="acme",
    company="株式会社アクメ",
    domain="https://acme.cybozu.com",
    user="連携ユーザー",
    interval_minutes=180,
    data_sets=(
        DataSet(
            "companies",
            "12",
            True,
            "会社ID",
            (
                Item("会社ID", "id"),
                Item("会社名", "=name", conflict=OVERWRITE),
                Item("代表電話番号", "tel", conversion="PHONE、HALF_WIDTH", conflict=KEEP),
                Item("備考", "note", skip_blank=True),
                Item("カスタム項目:契約 区分", "kind", conversion="DATE:YYYY/MM/DD"),
            ),
            old_key_item="カスタム項目:旧会社ID",
        ),
        DataSet("leads", "14", False, "リードID", (Item("リードID", "id"), Item("タグ", "tag", table="tags"))),
    ),
    guest_space="7",
    daily_requests=800,
    at_once=9,
    result_addresses=("soumu@acme.example.jp", "eigyo@acme.example.jp"),
    link_start_on=dt.date(2026, 4, 1),
    users=(("山田 太郎", "yamada"), ("0012", "=1+1")),
)
LEAST = dataclasses.replace(
    FULL,
    company="acme",
    interval_minutes=5,
    data_sets=(DataSet("departments", "1", True, "部署ID", (Item("部署ID", "部署ID"),)),),
    **{"guest_space": "", "daily_requests": 5_000, "at_once": 5, "link_start_on": None, "users": ()},
)
CHANNELS = (
    Channel("営業", Service.SLACK_WEBHOOK, "slack_webhook__acme", events=frozenset({Event.FAILURE})),
    Channel("総務", Service.CHATWORK, "chatwork__acme", to="123", muted=True),
)
WRITERS = {".xlsx": write_workbook, ".yaml": write_yaml}


def read(path: Path) -> tuple[Mapping | None, Sequence[Channel]]:
    sheet, checked = compile_sheet(path.name, path.read_bytes(), "acme")
    assert sheet.problems == ()
    assert checked is not None
    return sheet.mapping, checked.channels


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize(("mapping", "channels"), [(FULL, CHANNELS), (LEAST, ())], ids=["full", "least"])
def test_e15_a_sheet_survives_both_forms(
    mapping: Mapping, channels: Sequence[Channel], suffix: str, tmp_path: Path
) -> None:
    """There, and to the other form and back."""
    path = tmp_path / f"acme{suffix}"
    WRITERS[suffix](mapping, channels, path)
    found = read(path)
    assert found == (mapping, tuple(channels))
    other = next(one for one in WRITERS if one != suffix)
    WRITERS[other](found[0], found[1], tmp_path / f"again{other}")  # type: ignore[arg-type]
    assert read(tmp_path / f"again{other}") == found


def test_s2_what_becomes_of_conflicts_is_compared_in_the_sheets_words() -> None:
    (companies, leads) = FULL.data_sets
    items = tuple(dataclasses.replace(item, conflict="") for item in companies.items)
    new = dataclasses.replace(FULL, data_sets=(dataclasses.replace(companies, items=items), leads))
    assert list(map(str, differences(FULL, new))) == [
        "項目定義 会社(項目 会社名 競合): 上書き → (なし)",
        "項目定義 会社(項目 代表電話番号 競合): 残す → (なし)",
    ]


def test_e15_the_sample_survives_as_a_workbook(tmp_path: Path) -> None:
    sample = ROOT / "include" / "mappings" / "hotprofile_kintone" / "sample.yaml"
    found = read(sample)
    write_workbook(*found, tmp_path / "acme.xlsx")  # type: ignore[arg-type]
    assert read(tmp_path / "acme.xlsx") == found


def test_e15_the_empty_template_says_what_is_missing_and_has_a_line_for_each_item(tmp_path: Path) -> None:
    write_template(tmp_path / "acme.xlsx", tenant="acme")
    sheet, _ = compile_sheet("acme.xlsx", (tmp_path / "acme.xlsx").read_bytes(), "acme")
    missing = {problem.found for problem in sheet.problems}
    assert {"サブドメインが記入されていません", "連携間隔が記入されていません"} <= missing
    book = openpyxl.load_workbook(tmp_path / "acme.xlsx")
    for name, label in DATA_SETS.items():
        assert {row[0].value for row in book[label].iter_rows(min_row=4)} >= ITEMS[name].keys()
        offered = [choice.formula1 for choice in book[label].data_validations.dataValidation]
        assert {'"○"', '"クリア,空なら書かない"', '"上書き,残す"'} <= set(offered)


def test_e15_every_line_of_the_example_can_be_used_as_it_is(tmp_path: Path) -> None:
    write_workbook(LEAST, (), tmp_path / "acme.xlsx")
    book = openpyxl.load_workbook(tmp_path / "acme.xlsx")
    information = book["連携情報"]
    for row in information.iter_rows(min_row=4):
        row[1].value = {"会社情報の連携を行う": "する", "会社のアプリID": "12"}.get(row[0].value, row[1].value)
    for target in list(book["会社"].iter_rows(min_row=4, max_row=60)):
        for cell in target:
            cell.value = None
    for number, line in enumerate(book[EXAMPLE].iter_rows(min_row=4, values_only=True), 4):
        for column, text in enumerate(line, 1):
            book["会社"].cell(number, column).value = text
    book.save(tmp_path / "acme.xlsx")
    mapping, _ = read(tmp_path / "acme.xlsx")
    assert mapping is not None
    assert [item.conflict for item in mapping.data_sets[0].items] == ["", OVERWRITE, "", KEEP, ""]


@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")
def test_e15_a_workbook_saved_again_by_libreoffice_is_the_same_sheet(tmp_path: Path) -> None:
    write_workbook(FULL, CHANNELS, tmp_path / "acme.xlsx")
    (tmp_path / "out").mkdir()
    home = f"-env:UserInstallation={(tmp_path / 'home').as_uri()}"
    command = [
        "soffice",
        home,
        "--headless",
        "--convert-to",
        "xlsx",
        "--outdir",
        tmp_path / "out",
        tmp_path / "acme.xlsx",
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    assert read(tmp_path / "out" / "acme.xlsx") == (FULL, CHANNELS)
