"""E15–E21: the workbook that a customer gets can be filled in without help, and offers nothing that is refused."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from renkei.errors import MappingError
from renkei.links.smarthr_emc.sheet.catalogue import NAMES, canonical
from renkei.links.smarthr_emc.sheet.catalogue_notes import CATALOGUE_NOTES
from renkei.links.smarthr_emc.sheet.conversion import conversions_of
from renkei.links.smarthr_emc.sheet.excel.item_list import CustomFieldInfo
from renkei.links.smarthr_emc.sheet.excel.layout import ITEM_NAMES
from renkei.links.smarthr_emc.sheet.excel.template import write_template
from renkei.links.smarthr_emc.sheet.expression import parse_source
from renkei.links.smarthr_emc.sheet.items import USER_ITEM, USER_ITEMS
from renkei.links.smarthr_emc.sheet.mapping import CustomField, Mapping
from renkei.links.smarthr_emc.sheet.parse import parse
from renkei.links.smarthr_emc.sheet.policy import Place, format_code, parse_cell
from renkei.links.smarthr_emc.sheet.raw import RawSetting, RawSheet
from renkei.links.smarthr_emc.sheet.settings import SETTINGS
from renkei.sheets.workbook.drawing import MISSING, REQUIRED
from renkei.texts import Fault, RawCell
from renkei.values.conversion import Convert
from tests.unit.links.smarthr_emc.sheet.mappings import raw_sheet

SHEETS = ["はじめに", "連携情報", "部署データ", "ユーザデータ", "通知", "記入例", "SmartHR項目一覧"]
CUSTOM = [CustomFieldInfo("勤務形態", "enum", ("在宅", "出社")), CustomFieldInfo("A or B", "string")]
Book = Any


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "acme.xlsx"
    write_template(path, tenant="アクメ株式会社", custom_fields=CUSTOM)
    return path


@pytest.fixture
def book(template: Path) -> Book:
    return openpyxl.load_workbook(template)


def rows(sheet: Any) -> dict[str, int]:
    """The row of each text in the first column."""
    return {str(cell.value): cell.row for cell in sheet["A"] if cell.value}


def validation(sheet: Any, cell: str) -> Any:
    found = [rule for rule in sheet.data_validations.dataValidation if cell in rule.sqref]
    assert len(found) <= 1, cell
    return found[0] if found else None


def words(rule: Any) -> list[str]:
    assert rule.type == "list"
    assert rule.formula1.startswith('"')
    return rule.formula1.strip('"').split(",")


def filled(book: Book, path: Path) -> Mapping:
    """The template as a person fills it in: only the yellow cells."""
    info, departments, users = book["連携情報"], book["部署データ"], book["ユーザデータ"]
    info.cell(rows(info)["SmartHR URL"], 2).value = "https://acme.smarthr.jp/"
    info.cell(rows(info)["結果通知先メールアドレス1"], 2).value = "soumu@acme.example.jp"
    info.cell(rows(info)["連携開始日"], 2).value = dt.date(2026, 4, 1)
    departments.cell(rows(departments)["部署名(ヨミ)"], 4).value = "ブショ"
    for item, source in {
        "ユーザID": "社員番号",
        "パスワード": "秘密:first",
        "氏名": "氏名",
        "氏名(ヨミ)": "氏名(ヨミガナ)",
    }.items():
        users.cell(rows(users)[item], 4).value = source
    book.save(path)
    return parse(raw_sheet(path), "acme")[0]


def yellow(book: Book) -> set[str]:
    """The cells that must be filled in."""
    return {
        f"{sheet.title}!{cell.coordinate}"
        for sheet in book.worksheets[1:]
        for row in sheet.iter_rows()
        for cell in row
        if cell.fill.fgColor.value == f"00{REQUIRED}"
    }


def test_e15_the_empty_template_names_exactly_the_cells_to_fill_in(template: Path, book: Book) -> None:
    """Each yellow cell is one problem, and there is no other."""
    with pytest.raises(MappingError) as caught:
        parse(raw_sheet(template), "acme")
    assert len(yellow(book)) == 8
    assert {problem.where for problem in caught.value.problems} == {f"acme.xlsx {place}" for place in yellow(book)}
    assert len(caught.value.problems) == 8


def test_e15_the_yellow_cells_are_enough(book: Book, tmp_path: Path) -> None:
    """Filled in, it is a mapping with the recommended policies, and nothing else is linked."""
    mapping = filled(book, tmp_path / "acme.xlsx")

    assert (mapping.smarthr_url, mapping.link_start_on) == ("https://acme.smarthr.jp", dt.date(2026, 4, 1))
    assert mapping.departments.yomi == "ブショ"
    assert [rule.item for rule in mapping.users] == [item.key for item in USER_ITEMS if item.required]


def test_e16_every_item_has_a_line(book: Book) -> None:
    """Required ones are linked already, the others wait for a ○."""
    sheet = book["ユーザデータ"]
    lines = rows(sheet)
    for item in USER_ITEMS:
        cells = [sheet.cell(lines[item.name], column).value for column in (2, 3)]
        assert cells[1] == ("○" if item.required else None), item.name
        assert ("必須" in cells[0]) == item.required
    info = rows(book["連携情報"])
    assert [setting.label for setting in SETTINGS if setting.label not in info] == []


def test_e18_the_recommended_policies_stand_in_the_cells(book: Book) -> None:
    """They say what a blank cell would mean, so that nobody has to know."""
    sheet = book["ユーザデータ"]
    for item, place in product(USER_ITEMS, Place):
        word = sheet.cell(rows(sheet)[item.name], 5 + list(Place).index(place)).value
        assert parse_cell(word, item, place) == parse_cell("", item, place)


UNIVERSE = ("登録", "登録しない", "更新", "更新しない", "エラー", "自動")


def accepts(word: str, item: str, place: Place) -> bool:
    try:
        parse_cell(word, USER_ITEM[item], place)
    except Fault:
        return False
    return True


def test_e18_drop_downs_have_exactly_the_words_that_are_legal_in_their_cell(book: Book) -> None:
    """All of them, no other; only where デフォルト:X is legal too may another text stand."""
    sheet = book["ユーザデータ"]
    for item, (column, place) in product(USER_ITEMS, zip("EFGH", Place, strict=True)):
        rule = validation(sheet, f"{column}{rows(sheet)[item.name]}")
        offered = [word for word in words(rule) if not word.startswith("デフォルト")]
        assert sorted(offered) == sorted(word for word in UNIVERSE if accepts(word, item.key, place)), (item, place)
        assert all(accepts(word, item.key, place) for word in words(rule))
        free = any(accepts(f"デフォルト:{text}", item.key, place) for text in ("T", "メールアドレス"))
        assert (rule.errorStyle == "warning") == free
        assert rule.showErrorMessage
        assert rule.error


def test_e18_the_default_of_the_forced_change_can_be_chosen(book: Book) -> None:
    """デフォルト:T is what is recommended, so it is among the words."""
    sheet = book["ユーザデータ"]
    assert "デフォルト:T" in words(validation(sheet, f"F{rows(sheet)['パスワード強制変更']}"))


def test_e22_conversions_are_offered_where_they_may_stand(book: Book) -> None:
    """Each word alone is legal; where none is, Excel takes nothing."""
    sheet = book["ユーザデータ"]
    for item in USER_ITEMS:
        rule = validation(sheet, f"I{rows(sheet)[item.name]}")
        if rule.type == "textLength":
            assert (rule.formula2, rule.errorStyle) == ("0", "stop")
            with pytest.raises(Fault):
                conversions_of("半角", item)
        else:
            found = [conversions_of(word, item) for word in words(rule)]
            assert {conversion.convert for (conversion,) in found} == set(Convert)
            assert not rule.showErrorMessage  # several words, or another form of a date


def test_e15_link_marks_and_choices_are_closed_lists(book: Book) -> None:
    """連携有無, 連携状態, 取込方式 and the sources of departments take no other word."""
    users, departments, info = book["ユーザデータ"], book["部署データ"], book["連携情報"]
    expected = {
        (users, f"C{rows(users)['検索ワード5']}"): ["○", "×"],
        (info, f"B{rows(info)['連携状態']}"): ["連携中", "連携解除"],
        (info, f"B{rows(info)['取込方式']}"): ["API", "ファイル"],
        (departments, f"D{rows(departments)['部署ID']}"): ["部署コード"],
        (departments, f"D{rows(departments)['部署名']}"): ["部署名", "部署名(階層)"],
        (departments, f"D{rows(departments)['親部署ID']}"): ["親部署コード"],
        (departments, f"C{rows(departments)['部署名(ヨミ)']}"): ["○", "連携しない(固定値)"],
    }
    for (sheet, cell), choice in expected.items():
        rule = validation(sheet, cell)
        assert (words(rule), rule.errorStyle, rule.showErrorMessage) == (choice, "stop", True)


def test_e15_every_choice_can_be_read(book: Book, tmp_path: Path) -> None:
    """Choosing the second word of each closed list gives a sheet that is read."""
    info, departments = book["連携情報"], book["部署データ"]
    info.cell(rows(info)["連携状態"], 2).value = "連携解除"
    info.cell(rows(info)["取込方式"], 2).value = "ファイル"
    departments.cell(rows(departments)["部署名"], 4).value = "部署名(階層)"

    mapping = filled(book, tmp_path / "acme.xlsx")

    assert (mapping.state, mapping.loader) == ("FROZEN", "FILE_DROP")
    assert [term.name for term in mapping.departments.name.terms] == ["部署名(階層)"]  # type: ignore[union-attr]


def readable(label: str, text: str) -> bool:
    """Whether the reader takes a setting; the required ones are beside the point."""
    line = RawSetting(RawCell(label, ""), RawCell(text, "here"))
    with pytest.raises(MappingError) as caught:
        parse(RawSheet("acme", (line,), None, None), "acme")
    return not any(problem.where == "here" for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("SmartHRリクエスト数(毎秒)", "whole"),
        ("削除保留(人数割合%)", "decimal"),
        ("空白化保留(最少件数)", "whole"),
        ("ID付与コード", "textLength"),
    ],
)
def test_e34_excel_draws_the_line_where_the_reader_does(book: Book, label: str, kind: str) -> None:
    """The least and the most that Excel takes are read; one less or more is not."""
    sheet = book["連携情報"]
    rule = validation(sheet, f"B{rows(sheet)[label]}")
    write: Callable[[int], str] = (lambda n: "a" * n) if kind == "textLength" else str

    assert (rule.type, rule.errorStyle) == (kind, "stop")
    if kind != "textLength":
        assert readable(label, write(int(rule.formula1)))
        assert not readable(label, write(int(rule.formula1) - 1))
    if rule.formula2 is not None:
        assert readable(label, write(int(rule.formula2)))
        assert not readable(label, write(int(rule.formula2) + 1))


def test_e1_dates_and_times_are_checked_while_typing(book: Book) -> None:
    """連携開始日 takes dates, 処理時刻 times, and both are shown as such."""
    sheet = book["連携情報"]
    for label, kind, shown_as in (("連携開始日", "date", "yyyy-mm-dd"), ("処理時刻", "time", "h:mm")):
        cell = sheet.cell(rows(sheet)[label], 2)
        assert (validation(sheet, cell.coordinate).type, cell.number_format) == (kind, shown_as)


def test_e17_sources_are_chosen_from_the_list_of_items(book: Book) -> None:
    """The drop-down shows every name, the tenant's own among them, and lets other texts stand."""
    sheet, listed = book["ユーザデータ"], book["SmartHR項目一覧"]
    rule = validation(sheet, f"D{rows(sheet)['氏名']}")
    ((title, place),) = book.defined_names[ITEM_NAMES].destinations
    names = [row[0].value for row in book[title][place]]

    assert (rule.formula1, rule.showErrorMessage) == (ITEM_NAMES, False)
    assert set(names[:-2]) == set(NAMES)
    assert len(names) == len(NAMES) + 2
    assert names[-2:] == ["カスタム項目:勤務形態", "カスタム項目:「A or B」"]
    assert [parse_source(name).terms for name in names[-2:]] == [(CustomField("勤務形態"),), (CustomField("A or B"),)]
    last = [cell.value for cell in listed[listed.max_row - 1]]
    assert last[2:4] == ["お客様が作った項目(ドロップダウン)", "在宅、出社"]
    for name in names:
        parse_source(name)


def test_e17_every_item_is_explained(book: Book) -> None:
    """A meaning and an example for each; the other names beside it are understood as it."""
    assert sorted(line.name for line in CATALOGUE_NOTES) == sorted(NAMES)
    for row in book["SmartHR項目一覧"].iter_rows(min_row=4, max_row=3 + len(NAMES), values_only=True):
        group, name, meaning, example, aliases = row
        assert all((group, meaning, example))
        assert all(canonical(alias) == name for alias in (aliases or name).split("、"))


def test_e20_media_are_offered_as_constants(book: Book) -> None:
    """媒体 cells offer the usual media, each of which the reader takes without a warning."""
    sheet = book["ユーザデータ"]
    rule = validation(sheet, f"D{rows(sheet)['緊急連絡10 媒体']}")
    assert "固定値「メールアドレス」" in words(rule)
    assert not rule.showErrorMessage
    for word in words(rule):
        parse_source(word)


def example_lines(sheet: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """The lines below each of the three headings of 記入例."""
    blocks: dict[str, list[Any]] = {}
    heading = ""
    for row in sheet.iter_rows(values_only=True):
        if row[0] and str(row[0]).endswith("の例"):
            heading = str(row[0])
        elif heading and row[0] and row[0] not in ("項目", "エマージェンシーコール項目"):
            blocks.setdefault(heading, []).append(row)
    return blocks["連携情報の例"], blocks["部署データの例"], blocks["ユーザデータの例"]


def copied(book: Book, path: Path) -> Mapping:
    """The mapping after the lines of 記入例 were copied over those of the worksheets."""
    info, departments, users = example_lines(book["記入例"])
    for title, lines, width in (("連携情報", info, 2), ("部署データ", departments, 4), ("ユーザデータ", users, 9)):
        sheet = book[title]
        for line in lines:
            number = rows(sheet)[str(line[0]).partition(":")[0]]
            for column, value in enumerate(line[:width], 1):
                sheet.cell(number, column).value = value
    book.save(path)
    return parse(raw_sheet(path), "acme")[0]


GUIDE = {
    "user_id": "SET REJECT SKIP REJECT",
    "password_reset": "SET DEFAULT:T SET SKIP",
    "password": "SET REJECT SKIP SKIP",
    "full_name": "SET REJECT SET REJECT",
    "full_name_yomi": "SET REJECT SET REJECT",
    "primary_department_id": "SET SKIP SET SKIP",
    "role_1": "SET SKIP SKIP SKIP",
    "contact_10_medium": "SET SKIP SET SET",
    "contact_10_address": "SET SKIP SET SET",
    "search_word_1": "SET SKIP SET SKIP",
    "search_word_2": "SET SKIP SET SKIP",
    "search_word_3": "SET SKIP SET SET",
}


def test_e18_the_example_is_the_guides_table_and_a_sound_mapping(book: Book, tmp_path: Path) -> None:
    """Copied line by line into the worksheets, 記入例 is read as text 1's sample."""
    mapping = copied(book, tmp_path / "acme.xlsx")

    found = {}
    for rule in mapping.users:
        cells = (rule.on_create.when_present, rule.on_create.when_blank)
        found[rule.item] = " ".join(map(format_code, (*cells, rule.on_update.when_present, rule.on_update.when_blank)))
    assert found.pop("operation") == "AUTO AUTO AUTO AUTO"
    assert found == GUIDE
    labels = [rule.label for rule in mapping.users if rule.label]
    assert labels == ["勤務地", "居住地", "役職"]


def test_e15_the_worksheets_stand_in_the_order_of_the_work(book: Book) -> None:
    """It opens at はじめに, each worksheet at its first cell to fill in."""
    assert book.sheetnames == SHEETS
    assert book.active.title == "はじめに"
    assert "アクメ株式会社 様" in [cell.value for cell in book["はじめに"]["A"]]
    for title in ("連携情報", "部署データ", "ユーザデータ"):
        selection = book[title].sheet_view.selection[-1]
        assert f"{title}!{selection.activeCell}" in yellow(book)


def test_e15_it_reads_well_on_a4(book: Book) -> None:
    """A4 across, as wide as the page, page numbers, and the header on every page and always in sight."""
    for sheet in book.worksheets:
        assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
        assert (sheet.page_setup.fitToWidth, sheet.sheet_properties.pageSetUpPr.fitToPage) == (1, True)
        assert sheet.oddFooter.right.text == "&P/&N"
        assert sheet.auto_filter.ref is None
        assert {cell.font.name for row in sheet.iter_rows() for cell in row if cell.value} == {"游ゴシック"}
    for title, header in (("連携情報", 3), ("部署データ", 3), ("ユーザデータ", 4), ("SmartHR項目一覧", 3)):
        assert book[title].freeze_panes == f"B{header + 1}"
        assert book[title].print_title_rows.endswith(f"${header}")


def test_e15_a_forgotten_source_is_coloured(book: Book) -> None:
    """○ without a SmartHR項目 turns orange by itself."""
    formats = book["ユーザデータ"].conditional_formatting
    (rule,) = [r for found in formats for r in found.rules if r.dxf.fill and r.dxf.fill.bgColor.value == f"00{MISSING}"]
    assert '="○"' in rule.formula[0]


def test_l8_headings_and_tricky_cells_have_notes(template: Path, book: Book) -> None:
    """Short, and large enough to be read."""
    users = book["ユーザデータ"]
    for column in "DI":
        assert users[f"{column}3"].comment
    for item in ("ユーザID", "パスワード", "所属部署コード", "緊急連絡1 アドレス"):
        comment = users.cell(rows(users)[item], 4).comment
        assert comment.text
        assert len(comment.text) < 200
    with zipfile.ZipFile(template) as archive:
        shapes = "".join(archive.read(name).decode() for name in archive.namelist() if name.endswith(".vml"))
    assert shapes.count("width:320px") == sum(bool(cell.comment) for s in book for row in s.iter_rows() for cell in row)


def test_e15_excels_own_limits_are_kept(book: Book) -> None:
    """A list of 255 characters, prompts of 255, titles of 32: past them Excel calls the file damaged."""
    for sheet in book.worksheets:
        assert len(sheet.title) <= 31
        for rule in sheet.data_validations.dataValidation:
            assert len(rule.formula1 or "") <= 257
            assert max(len(text or "") for text in (rule.error, rule.prompt)) <= 255
            assert max(len(text or "") for text in (rule.errorTitle, rule.promptTitle)) <= 32


def test_e22_every_word_is_explained_in_front(book: Book) -> None:
    """はじめに has each word of 変換 and of the policies."""
    told = " ".join(str(cell.value) for cell in book["はじめに"]["B"])
    for convert in Convert:
        word = [
            w for w in words(_any_conversion(book)) if conversions_of(w, USER_ITEM["full_name"])[0].convert is convert
        ]
        assert word[0] in told
    assert all(word in told for word in UNIVERSE)


def _any_conversion(book: Book) -> Any:
    sheet = book["ユーザデータ"]
    return validation(sheet, f"I{rows(sheet)['氏名']}")


@pytest.mark.parametrize("name", ["=1+1", "+81", "-x", "@SUM(1)", "制御\x00文字", ""])
def test_e15_a_companys_name_runs_nothing(name: str, tmp_path: Path) -> None:
    """Neither the company's name nor a custom field becomes a formula, and no character breaks the file."""
    fields = [CustomFieldInfo(name or "x", name, (name,))]
    write_template(tmp_path / "acme.xlsx", tenant=name, custom_fields=fields)
    for sheet in openpyxl.load_workbook(tmp_path / "acme.xlsx").worksheets:
        assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} <= {"s", "n"}


def test_e15_a_tenants_name_is_the_name_of_the_file(tmp_path: Path) -> None:
    """Then はじめに asks to keep it, for it cannot be changed later."""
    write_template(tmp_path / "acme.xlsx", tenant="acme")
    told = str(openpyxl.load_workbook(tmp_path / "acme.xlsx")["はじめに"]["A2"].value)
    assert "acme" in told
    assert "ファイル名は変えないで" in told
