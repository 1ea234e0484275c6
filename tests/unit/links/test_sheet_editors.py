"""S2, E15: 連携情報 and the tables of three links as a form; what is saved is the same sheet but for what was changed."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from renkei.links.hotprofile_kintone.sheet.compile import compile_sheet as of_kintone
from renkei.links.lineworks_kot.sheet.compile import compile_sheet as of_kot
from renkei.links.workplace_lineworks.sheet.compile import compile_sheet as of_workplace
from renkei.orchestration import sheet_editor
from renkei.orchestration.hotprofile_kintone.sheet_editor import EDITOR as KINTONE
from renkei.orchestration.lineworks_kot.sheet_editor import EDITOR as KOT
from renkei.orchestration.sheet_editor import SheetEditor
from renkei.orchestration.workplace_lineworks.sheet_editor import EDITOR as WORKPLACE
from renkei.sheets.compiled import Compiled
from renkei.sheets.review import Review
from tests.conftest import ROOT
from tests.unit.links.hotprofile_kintone.test_forms_of_the_sheet import CHANNELS, FULL, LEAST
from tests.unit.links.lineworks_kot.test_sheet import MAPPING as PUNCHES
from tests.unit.links.workplace_lineworks.test_sheet import MAPPING as ABSENCES

EDITORS: dict[str, tuple[SheetEditor, Any]] = {
    "hotprofile_kintone": (KINTONE, of_kintone),
    "lineworks_kot": (KOT, of_kot),
    "workplace_lineworks": (WORKPLACE, of_workplace),
}
CASES = [
    ("hotprofile_kintone", FULL),
    ("hotprofile_kintone", LEAST),
    ("lineworks_kot", PUNCHES),
    ("lineworks_kot", dataclasses.replace(PUNCHES, bot_id="", silence_at=None, replies=False, double_press_s=60)),
    ("workplace_lineworks", ABSENCES),
    ("workplace_lineworks", dataclasses.replace(ABSENCES, company="acme", titles={}, messengers={}, morning=None)),
]
SUFFIXES = (".yaml", ".xlsx")


def saved(link: str, mapping: Any, suffix: str, given: dict[str, str] | None = None) -> Compiled[Any]:
    """What the sheet says once the form was sent as it was shown, but for `given`."""
    editor, compiles = EDITORS[link]
    form = editor.form(mapping)
    names = [field.name for field in form.fields]
    for table in form.tables:
        for line in table.lines:
            names += [cell.name for cell in (*line.cells, *([line.named] if line.named else []))]
    assert sorted(names) == sorted(form.values.keys() & set(names))  # each input once, and all of them with a value
    sent = {name: form.values[name] for name in names} | (given or {})
    review = Review("acme", mapping, (), (), b"", channels=CHANNELS)
    found: Compiled[Any] = compiles(f"acme{suffix}", editor.formed(review, sent, suffix), "acme")[0]
    return found


def said(link: str, mapping: Any, suffix: str, given: dict[str, str]) -> Any:
    """The mapping of what is saved, which has no problem."""
    found = saved(link, mapping, suffix, given)
    assert found.problems == ()
    return found.mapping


def cell(link: str, mapping: Any, table: str, line: str, label: str) -> str:
    """The name of an input of a table; `line` is its title, or what its first cell says; blank: the first free one."""
    form = EDITORS[link][0].form(mapping)
    for one in next(found for found in form.tables if found.title == table).lines:
        if line == (form.values[one.named.name] if one.named else one.title):
            return next(field.name for field in (*one.cells, one.named) if field and field.label == label)
    raise AssertionError(line)


def setting(link: str, mapping: Any, label: str) -> str:
    return next(field.name for field in EDITORS[link][0].form(mapping).fields if field.label == label)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("link", "mapping"), CASES)
def test_s2_a_form_sent_as_it_was_shown_is_the_same_sheet(link: str, mapping: Any, suffix: str) -> None:
    """Its channels too, which the form does not show."""
    found = saved(link, mapping, suffix)
    assert (found.problems, found.mapping, found.channels) == ((), mapping, CHANNELS)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("link", EDITORS)
def test_s2_the_samples_survive(link: str, suffix: str) -> None:
    sample = ROOT / "include" / "mappings" / link / "sample.yaml"
    read = EDITORS[link][1]("acme.yaml", sample.read_bytes(), "acme")[0]
    assert read.problems == ()
    assert saved(link, read.mapping, suffix).mapping == read.mapping


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_s2_k7_a_data_set_is_set_up_on_the_page_alone(suffix: str) -> None:
    """Its app, 連携を行う, its items with the 更新キー, and an item that the customer made."""
    link, free = "hotprofile_kintone", cell("hotprofile_kintone", LEAST, "会社", "", "ホットプロファイル項目")
    given = {
        setting(link, LEAST, "会社情報の連携を行う"): "する",
        setting(link, LEAST, "会社のアプリID"): "77",
        cell(link, LEAST, "会社", "会社ID", "kintoneフィールドコード"): "id",
        cell(link, LEAST, "会社", "会社ID", "更新キー"): "○",
        cell(link, LEAST, "会社", "会社名", "kintoneフィールドコード"): "name",
        cell(link, LEAST, "会社", "会社名", "競合"): "残す",
        free: "カスタム項目:契約区分",
        free.replace(".item", ".field"): "kind",
        free.replace(".item", ".convert"): "全角カナ、空白除去",
    }
    found = said(link, LEAST, suffix, given)
    companies = found.data_set("companies")
    assert (companies.app, companies.enabled, companies.key) == ("77", True, "会社ID")
    assert [(one.item, one.field, one.conflict) for one in companies.items] == [
        *(("会社ID", "id", ""), ("会社名", "name", "keep"), ("カスタム項目:契約区分", "kind", ""))
    ]
    assert companies.items[2].conversion
    assert found.data_sets[1] == LEAST.data_sets[0]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_s2_a_line_that_is_emptied_is_gone(suffix: str) -> None:
    tel = [
        cell("hotprofile_kintone", FULL, "会社", "代表電話番号", label)
        for label in ("kintoneフィールドコード", "変換", "競合")
    ]
    found = said("hotprofile_kintone", FULL, suffix, dict.fromkeys(tel, ""))
    assert [one.item for one in found.data_sets[0].items] == [
        one.item for one in FULL.data_sets[0].items if one.item != "代表電話番号"
    ]
    gone = [cell("lineworks_kot", PUNCHES, "所属", "20", label) for label in ("所属コード", "日付変更時間")]
    assert said("lineworks_kot", PUNCHES, suffix, dict.fromkeys(gone, "")).boundaries.keys() == {"0010"}
    mark = cell("workplace_lineworks", ABSENCES, "通知管理", "申請", "LINE WORKS")
    assert said("workplace_lineworks", ABSENCES, suffix, {mark: ""}).table.keys() == {"approved"}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_s2_a_mistake_is_kept_and_told_at_its_place(suffix: str) -> None:
    """The form judges nothing: the file is checked like any other."""
    given = {setting("lineworks_kot", PUNCHES, "Bot ID"): "=1+1"}
    found = saved("lineworks_kot", PUNCHES, suffix, given)
    assert [problem.found for problem in found.problems] == ["Bot IDが数字ではありません"]
    code = cell("lineworks_kot", PUNCHES, "所属", "20", "所属コード")
    found = saved("lineworks_kot", PUNCHES, suffix, {code: ""})
    assert len([*found.problems, *found.warnings]) == 1  # a workbook may have notes beside its tables


@pytest.mark.parametrize("link", EDITORS)
def test_s2_every_word_of_a_list_is_legal(link: str) -> None:
    """連携情報's; a choice that the reader refused would be a trap."""
    editor, _ = EDITORS[link]
    for one in editor.information.settings:
        for word in one.words:
            one.read(word)


def test_s2_lines_that_a_page_does_not_show_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_editor, "SHOWN", 1)
    editor, compiles = EDITORS["hotprofile_kintone"]
    form = editor.form(FULL)
    users = form.tables[-1]
    assert users.title == "ユーザー対応表（1行目まで。ほかの行は変わりません）"
    assert "=1+1" not in form.values.values()
    review = Review("acme", FULL, (), (), b"")
    found = compiles("acme.yaml", editor.formed(review, dict(form.values), ".yaml"), "acme")[0]
    assert found.mapping == FULL
