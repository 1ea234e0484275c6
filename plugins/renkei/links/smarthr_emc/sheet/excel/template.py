"""The workbook that a customer fills in: its worksheets, empty or filled (E15–E18, E21).

`draw` is the one form, for a fresh template as for a `Mapping` (`writer.py`). The words of the drop-downs
are asked from `policy.py` and `conversion.py`, so that a drop-down never offers what the reader refuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from renkei.links.smarthr_emc.sheet import policy
from renkei.links.smarthr_emc.sheet.checks.lines import USUAL_MEDIA
from renkei.links.smarthr_emc.sheet.conversion import conversions_of
from renkei.links.smarthr_emc.sheet.excel.example import example, introduction
from renkei.links.smarthr_emc.sheet.excel.item_list import CustomFieldInfo, item_list
from renkei.links.smarthr_emc.sheet.excel.layout import (
    DEPARTMENT_LINES,
    DEPARTMENTS,
    EXAMPLE,
    INFORMATION,
    INTRODUCTION,
    ITEM_NAMES,
    TABLE,
    USERS,
    conversion_word,
    user_header,
)
from renkei.links.smarthr_emc.sheet.expression import format_constant
from renkei.links.smarthr_emc.sheet.items import USER_ITEMS, Item
from renkei.links.smarthr_emc.sheet.names import user_item
from renkei.links.smarthr_emc.sheet.policy import Place, default_cell, format_cell
from renkei.links.smarthr_emc.sheet.raw import RawRow, RawSetting, RawSheet, placeless, row_of
from renkei.links.smarthr_emc.sheet.setting_kinds import Kind
from renkei.links.smarthr_emc.sheet.settings import SETTINGS
from renkei.notifications.form.table import TITLE as CHANNELS_TITLE
from renkei.notifications.form.worksheet import channel_sheet
from renkei.sheets.workbook import drawing
from renkei.sheets.workbook.drawing import FIXED, HEADER, PLAIN, REQUIRED, SECTION, Value
from renkei.texts import Fault
from renkei.values.conversion import WORDS

_INFORMATION_HEADER, _DEPARTMENTS_HEADER, _USERS_HEADER = 3, 3, (3, 4)
_INFORMATION_WIDTHS, _DEPARTMENT_WIDTHS = (34, 46, 9, 64), (30, 12, 24, 40)
_USER_WIDTHS = (27, 13, 10, 31, 16, 16, 16, 16, 16)


def write_template(path: Path, *, tenant: str = "", custom_fields: Sequence[CustomFieldInfo] = ()) -> None:
    """A fresh workbook: every item has its line, the required ones are linked, the policies are the recommended ones.

    `tenant` is the company's name, or the tenant's: はじめに asks then to keep the file's name. What stays to be
    filled in is coloured.
    """
    draw(path, blank(), company=tenant, custom_fields=custom_fields)


def draw(
    path: Path,
    raw: RawSheet,
    *,
    values: Sequence[Value] | None = None,
    company: str = "",
    custom_fields: Sequence[CustomFieldInfo] = (),
) -> None:
    """Writes the form. `raw` has all of `SETTINGS` and of 部署データ; an item without a line is drawn as not linked.

    `values` are the values of 連携情報 as Excel's own dates, times and numbers, where they are not texts.
    """
    book = drawing.new_book()
    book.properties.title, book.properties.creator = "連携設定シート", "Renkei"
    introduction(book.create_sheet(INTRODUCTION), company)
    texts = [setting.value.text for setting in raw.settings or ()]
    _information(book.create_sheet(INFORMATION), values or texts)
    _departments(book.create_sheet(DEPARTMENTS), raw.departments or ())
    _users(book.create_sheet(USERS), raw.users or ())
    channel_sheet(book.create_sheet(CHANNELS_TITLE), raw.channels)
    example(book.create_sheet(EXAMPLE))
    item_list(book, custom_fields)
    if any(texts):
        book.active = book.sheetnames.index(INFORMATION)
    book.save(path)


def blank() -> RawSheet:
    """The form with nothing filled in."""
    settings = tuple(RawSetting(placeless(setting.label), placeless("")) for setting in SETTINGS)
    departments = tuple(row_of(item, linked, source) for item, linked, source, _ in DEPARTMENT_LINES)
    users = tuple(_user_row(item, "○" if item.required else "") for item in USER_ITEMS)
    return RawSheet("", settings, departments, users)


def _user_row(item: Item, linked: str) -> RawRow:
    """A line without a source yet, with the policies that a blank cell would mean."""
    words = [format_cell(default_cell(item, place), place) for place in Place]
    return row_of(item.name, linked, "-" if item.key == "operation" else "", words)


# --- 連携情報 ---------------------------------------------------------------------------------------------------------


def _information(sheet: Any, values: Sequence[Value]) -> None:
    drawing.heading(sheet, 1, "連携情報: 連携する環境と、結果の通知先", size=14)
    drawing.remark(sheet, 2, "黄色のセルは必ず記入してください。ほかのセルは、必要な場合だけ記入してください。")
    drawing.line(sheet, _INFORMATION_HEADER, ("項目", "値", "必須", "備考"), HEADER, bold=True)
    row, first = _INFORMATION_HEADER, ""
    by_kind: dict[Kind, list[str]] = {}
    for setting, value in zip(SETTINGS, values, strict=True):
        row += 1
        if setting.section:
            drawing.line(sheet, row, (setting.section, "", "", ""), SECTION, bold=True)
            drawing.run_on(sheet.cell(row, 1))
            row += 1
        drawing.line(sheet, row, (setting.label, value, "必須" if setting.needed else "任意", setting.note))
        drawing.dress(sheet.cell(row, 2), REQUIRED if setting.needed else PLAIN)
        by_kind.setdefault(setting.kind, []).append(f"B{row}")
        first = first or (f"B{row}" if setting.needed else "")
        if setting.help:
            drawing.note(sheet.cell(row, 1), setting.help)
    for kind, cells in by_kind.items():
        if limit := kind.limit:
            drawing.limit(sheet, cells, limit.type, limit.least, limit.most, limit.text)
            for cell in cells:
                sheet[cell].number_format = limit.number_format
        if kind.words:
            drawing.offer(sheet, cells, kind.words, strict=True)
    drawing.finish(sheet, _INFORMATION_WIDTHS, header=(_INFORMATION_HEADER,) * 2, start=first, one_page=True)


# --- 部署データ -------------------------------------------------------------------------------------------------------


def _departments(sheet: Any, rows: Sequence[RawRow]) -> None:
    drawing.heading(sheet, 1, "部署データ: 部署の登録のしかた", size=14)
    drawing.remark(sheet, 2, "黄色のセルに、部署名のヨミとして全部署に使う文字を記入してください(例: ブショ)。")
    drawing.line(sheet, _DEPARTMENTS_HEADER, TABLE, HEADER, bold=True)
    choices = {item: (linked, words) for item, linked, _, words in DEPARTMENT_LINES}
    target = "A1"
    for number, row in enumerate(rows, _DEPARTMENTS_HEADER + 1):
        linked, words = choices[row.item.text]
        drawing.line(sheet, number, (row.item.text, "必須", linked, row.source.text), FIXED)
        if len(words) != 1:
            drawing.dress(sheet.cell(number, 4), PLAIN if words else REQUIRED)
        if words:
            drawing.offer(sheet, (f"D{number}",), words, strict=True)
        else:
            target = f"D{number}"
            text = "SmartHRの部署にはヨミが無いため、全部署に同じヨミを登録します。例: ブショ"
            drawing.note(sheet.cell(number, 4), text)
        drawing.offer(sheet, (f"C{number}",), (linked,) if linked == "○" else ("○", linked), strict=True)
    drawing.note(
        sheet.cell(_DEPARTMENTS_HEADER, 4), "部署名は「部署名」か、上の部署からの名前「部署名(階層)」を選べます。"
    )
    drawing.finish(sheet, _DEPARTMENT_WIDTHS, header=(_DEPARTMENTS_HEADER,) * 2, start=target)


# --- ユーザデータ -----------------------------------------------------------------------------------------------------

_COLUMN_NOTES = {
    3: "連携する行に○を付けます。空白の行は連携せず、エマージェンシーコールの値をそのまま残します。",
    4: "SmartHRの項目を一覧から選びます。次のようにも書けます。\n社員番号 or メールアドレス(値がある最初のもの)\n"
    '姓&"　"&名(つなげる)\n固定値「本社」(全員に同じ値)\nカスタム項目:勤務形態(お客様が作った項目)\n無し(空白)(値を連携しない)',
    5: "新しい人を登録するときの指定です。",
    7: "すでに登録されている人を更新するときの指定です。「値が無い場合」を「更新」にすると、SmartHRで空白になったときに"
    "エマージェンシーコールの値も消えます。",
    9: "値の書き方をそろえたいときだけ選びます。「全角カナ、空白除去」のように並べて書けます。",
}
_SOURCE_NOTES = {
    "user_id": "一人ひとり異なり、変わらない項目を選びます。例: 社員番号\n値が無い人がいる場合は「社員番号 or メールアドレス」の"
    "ようにも書けます。",
    "password": "初回のパスワードです。新規登録のときだけ使います。「秘密:名前」と書くと、パスワードの文字をこのシートに書かずに"
    "済みます(名前は担当者と決めます)。",
    "full_name": '姓と名の間に全角の空白を入れる場合は、姓&"　"&名 と書きます。',
    "full_name_yomi": '例: 姓(ヨミガナ)&"　"&名(ヨミガナ)',
    "primary_department_id": "「部署1」を選ぶと、1番目の部署の部署コードになります。",
    "contact_1_medium": "すぐ下の行のアドレスの種類です。アドレスの行と必ず両方に○を付けます。",
    "contact_1_address": "本人に届くメールアドレスや電話番号を選びます。「緊急連絡先(電話番号)」は家族などの番号なので、"
    "本人の連絡先には使えません。",
}
_SEARCH_WORD_NOTE = "「検索ワード1:勤務地」のように、「:」の後ろに名前を付けられます。"
_GROUP_STARTS = ("secondary_department_1", "role_1", "contact_1_medium", "search_word_1")


def _users(sheet: Any, rows: Sequence[RawRow]) -> None:
    drawing.heading(sheet, 1, "ユーザデータ: 社員の登録のしかた", size=14)
    text = "連携する行の「連携有無」に○を付け、D列でSmartHRのどの項目を使うかを選んでください。黄色のセルは必ず記入してください。"
    drawing.remark(sheet, 2, text)
    user_header(sheet, _USERS_HEADER[0])
    for column, text in _COLUMN_NOTES.items():
        drawing.note(sheet.cell(_USERS_HEADER[0], column), text)
    lines = {named.item.key: row for row in rows if (named := user_item(row.item.text))}
    first = _USERS_HEADER[1] + 1
    numbers = {item.key: number for number, item in enumerate(USER_ITEMS, first)}
    for item in USER_ITEMS:
        _user_line(sheet, numbers[item.key], item, lines.get(item.key) or _user_row(item, ""))
    _offer_words(sheet, numbers)
    last = first + len(USER_ITEMS) - 1
    drawing.when(
        sheet, f"D{first}:D{last}", f'AND($B{first}="任意",$C{first}="○",TRIM($D{first})="")', fill=drawing.MISSING
    )
    drawing.when(sheet, f"B{first}:I{last}", f'OR($C{first}="",$C{first}="×")', color=drawing.DIM)
    drawing.finish(sheet, _USER_WIDTHS, header=_USERS_HEADER, start=f"D{numbers['user_id']}")


def _user_line(sheet: Any, number: int, item: Item, row: RawRow) -> None:
    needed = "初期値 必須" if item.key == "password" else "必須" if item.required else "任意"
    linked = row.linked.text if row.linked else ""
    own = item.key == "operation"
    texts = (row.item.text, needed, linked, row.source.text, *(word.text for word in row.policies), row.convert.text)
    drawing.line(sheet, number, texts, FIXED if own else PLAIN)
    for column in (1, 2):
        drawing.dress(sheet.cell(number, column), FIXED)
    if item.required and not own:
        drawing.dress(sheet.cell(number, 4), REQUIRED)
    if not own and not conversion_words(item):
        drawing.dress(sheet.cell(number, 9), FIXED)
    if item.key in _GROUP_STARTS:
        drawing.rule_above(sheet, number, len(_USER_WIDTHS))
    if item.key in _SOURCE_NOTES:
        drawing.note(sheet.cell(number, 4), _SOURCE_NOTES[item.key])
    if item.key == "search_word_1":
        drawing.note(sheet.cell(number, 1), _SEARCH_WORD_NOTE)


def _offer_words(sheet: Any, numbers: dict[str, int]) -> None:
    """The drop-downs of the table; cells with the same words share one."""
    by_words: dict[tuple[tuple[str, ...], bool], list[str]] = {}
    for item in USER_ITEMS:
        for column, place in zip("EFGH", Place, strict=True):
            by_words.setdefault(policy.words(item, place), []).append(f"{column}{numbers[item.key]}")
    for (words, strict), cells in by_words.items():
        prompt = ("", "") if strict else ("登録・更新の言葉", "「デフォルト:値」と書くと、その値を登録します。")
        drawing.offer(sheet, cells, words, strict=strict, prompt=prompt)
    converted: dict[tuple[str, ...], list[str]] = {}
    for item in USER_ITEMS:
        converted.setdefault(conversion_words(item), []).append(f"I{numbers[item.key]}")
    for words, cells in converted.items():
        if words:
            prompt = ("変換", "通常は空白です。「全角カナ、空白除去」のように並べて書けます。")
            drawing.suggest(sheet, cells, words, prompt=prompt)
        else:
            drawing.limit(sheet, cells, "textLength", 0, 0, "この項目には変換を指定できません。空白にしてください。")
    drawing.offer(sheet, [f"C{number}" for number in numbers.values()], ("○", "×"), strict=True)
    media = [f"D{numbers[item.key]}" for item in USER_ITEMS if item.key.endswith("_medium")]
    prompt = ("媒体", "下の行のアドレスの種類を選びます。")
    drawing.suggest(sheet, media, tuple(map(format_constant, USUAL_MEDIA)), prompt=prompt)
    plain = [f"D{number}" for key, number in numbers.items() if key != "operation" and not key.endswith("_medium")]
    prompt = ("SmartHR項目", "一覧から選ぶか、姓&名、固定値「…」、カスタム項目:項目名 のように記入します。")
    drawing.suggest(sheet, plain, ITEM_NAMES, prompt=prompt)


def conversion_words(item: Item) -> tuple[str, ...]:
    """The words that 変換 may hold for an item, each alone; none where its values are not to be changed."""
    found = []
    for convert in WORDS:
        try:
            conversions_of(conversion_word(convert), item)
        except Fault:
            continue
        found.append(conversion_word(convert))
    return tuple(found)
