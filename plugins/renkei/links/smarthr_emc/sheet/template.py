"""The workbook that a customer fills in: its worksheets, empty or filled (E15–E18, E21).

`draw` is the one form, for a fresh template as for a `Mapping` (`workbook_writer.py`). The words of the drop-downs
are asked from the parsers of the cells, so that a drop-down never offers what the reader refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from renkei.links.smarthr_emc.sheet import drawing
from renkei.links.smarthr_emc.sheet.catalogue import _ALIASES as ALIASES
from renkei.links.smarthr_emc.sheet.catalogue import CATALOGUE, COMPOSITES
from renkei.links.smarthr_emc.sheet.catalogue_notes import CATALOGUE_NOTES
from renkei.links.smarthr_emc.sheet.checks import USUAL_MEDIA
from renkei.links.smarthr_emc.sheet.conversion import WORDS, parse_conversions
from renkei.links.smarthr_emc.sheet.drawing import FIXED, HEADER, PLAIN, REQUIRED, SECTION, Value
from renkei.links.smarthr_emc.sheet.expression import NO_SOURCE, format_constant, format_source
from renkei.links.smarthr_emc.sheet.form import LOADER_WORDS, STATE_WORDS
from renkei.links.smarthr_emc.sheet.items import USER_ITEMS, Item
from renkei.links.smarthr_emc.sheet.mapping import Action, Cell, Convert, CustomField, Source
from renkei.links.smarthr_emc.sheet.names import user_item
from renkei.links.smarthr_emc.sheet.policy import Place, default_cell, format_cell, parse_cell
from renkei.links.smarthr_emc.sheet.raw import Fault, RawCell, RawRow, RawSetting, RawSheet
from renkei.links.smarthr_emc.sheet.settings import DEPARTMENT_ID_LONGEST, ID_PREFIX_LONGEST, SETTINGS

INTRODUCTION, EXAMPLE, ITEM_LIST = "はじめに", "記入例", "SmartHR項目一覧"
ITEM_NAMES = "SmartHR項目名"  # a defined name: Excel keeps a list on another worksheet in a part that others lose
_INFORMATION, _DEPARTMENTS, _USERS = "連携情報", "部署データ", "ユーザデータ"
_TABLE = ("エマージェンシーコール項目", "必須/任意", "連携有無", "SmartHR項目")
_GROUPS = ("新規登録処理", "更新処理")
_CASES = ("連携データの項目\nに値がある場合", "連携データの項目\nに値が無い場合")
_INFORMATION_HEADER, _DEPARTMENTS_HEADER, _USERS_HEADER = 3, 3, (3, 4)
_INFORMATION_WIDTHS, _DEPARTMENT_WIDTHS = (34, 46, 9, 64), (30, 12, 24, 40)
_USER_WIDTHS = (27, 13, 10, 31, 16, 16, 16, 16, 16)
_CONSTANT_ONLY = "連携しない(固定値)"
_DEPARTMENT_LINES = (  # item, 連携有無, SmartHR項目, words to choose from
    ("部署ID", "○", "部署コード", ("部署コード",)),
    ("部署名", "○", "部署名", ("部署名", "部署名(階層)")),
    ("部署名(ヨミ)", _CONSTANT_ONLY, "", ()),
    ("親部署ID", "○", "親部署コード", ("親部署コード",)),
)
_TENANT = re.compile(r"[a-z0-9][a-z0-9_-]*")
_KINDS = {
    "string": "1行テキスト",
    "text": "複数行テキスト",
    "date": "日付",
    "enum": "ドロップダウン",
    "number": "数値",
    "file": "ファイル",
}


@dataclass(frozen=True, slots=True)
class CustomFieldInfo:
    """A customer's own SmartHR item: `kind` is SmartHR's code (`enum`) or any word; `choices` the labels of an enum."""

    name: str
    kind: str
    choices: tuple[str, ...] = ()


def write_template(path: Path, *, tenant: str = "", custom_fields: Sequence[CustomFieldInfo] = ()) -> None:
    """A fresh workbook: every item has its line, the required ones are linked, the policies are the recommended ones.

    `tenant` is the company's name, or the tenant's: はじめに asks then to keep the file's name. What stays to be
    filled in is coloured.
    """
    draw(path, _blank(), company=tenant, custom_fields=custom_fields)


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
    _introduction(book.create_sheet(INTRODUCTION), company)
    texts = [setting.value.text for setting in raw.settings or ()]
    _information(book.create_sheet(_INFORMATION), values or texts)
    _departments(book.create_sheet(_DEPARTMENTS), raw.departments or ())
    _users(book.create_sheet(_USERS), raw.users or ())
    _example(book.create_sheet(EXAMPLE))
    _item_list(book, custom_fields)
    if any(texts):
        book.active = book.sheetnames.index(_INFORMATION)
    book.save(path)


def _blank() -> RawSheet:
    settings = tuple(RawSetting(_cell(setting.label), _cell("")) for setting in SETTINGS)
    departments = tuple(_row(item, linked, source) for item, linked, source, _ in _DEPARTMENT_LINES)
    users = tuple(_user_row(item, "○" if item.required else "") for item in USER_ITEMS)
    return RawSheet("", settings, departments, users)


def _user_row(item: Item, linked: str) -> RawRow:
    """A line without a source yet, with the policies that a blank cell would mean."""
    words = [format_cell(default_cell(item, place), place) for place in Place]
    return _row(item.name, linked, "-" if item.key == "operation" else "", words)


def _row(item: str, linked: str, source: str, words: Sequence[str] = ("",) * 4) -> RawRow:
    policies = [_cell(word) for word in words]
    return RawRow(_cell(item), _cell(linked), _cell(source), policies[0], policies[1], policies[2], policies[3])


def _cell(text: str) -> RawCell:
    return RawCell(text, "")


# --- はじめに ---------------------------------------------------------------------------------------------------------

_STEPS = (
    (_INFORMATION, "黄色のセル(SmartHRのURL、結果の通知先、連携開始日)を記入します。ほかは空白のままで構いません。"),
    (_DEPARTMENTS, "黄色のセルに、部署名のヨミとして使う文字を記入します(例: ブショ)。"),
    (
        _USERS,
        "黄色のセルで、SmartHRのどの項目を使うかを選びます。ほかに連携する項目があれば、その行の「連携有無」に○を付け、"
        "「SmartHR項目」を選びます。登録・更新の言葉には、お勧めの言葉が入っています。",
    ),
    (EXAMPLE, "迷ったときは記入例を見ます。行をそのまま写して使うこともできます。"),
    (ITEM_LIST, "SmartHRの項目の名前と意味の一覧です。"),
    (
        "",
        "記入が終わったら保存し、このファイルをお送りした担当者へ返送してください。誤りがあれば、セルの番地と直し方をお知らせします。",
    ),
)
_LEGEND = (
    (REQUIRED, "黄色", "必ず記入するセルです。"),
    (PLAIN, "白", "必要な場合だけ記入するセルです。薄い文字の行は、連携しない行です。"),
    (FIXED, "灰色", "変えずにそのまま使うセルです。"),
    (drawing.MISSING, "橙色", "連携有無が○なのに、SmartHR項目が空白のセルです。記入すると色が消えます。"),
)
_POLICY_MEANINGS = (
    (
        "登録 / 更新",
        "SmartHRの値を登録・更新します。「値が無い場合」を「更新」にすると、エマージェンシーコールの値を消します。",
    ),
    ("登録しない / 更新しない", "何もしません。エマージェンシーコールにある値は、そのまま残ります。"),
    ("エラー", "値が無い人がいたら誤りとして知らせ、その日は全員の登録・更新を止めます。"),
    ("デフォルト:値", "値が無い人には「:」の後ろの値を登録します。例: デフォルト:T"),
    ("自動", "新規・更新・削除を自動で決めます(処理フラグだけ)。"),
)
_CONVERSION_MEANINGS = {
    Convert.KATAKANA: "半角カナとひらがなを全角カタカナにします。ﾔﾏﾀﾞ → ヤマダ",
    Convert.FULL_WIDTH: "英数字、記号、空白、カナを全角にします。A-1 → Ａ－１",
    Convert.HALF_WIDTH: "英数字、記号、空白を半角にします。Ａ１ → A1",
    Convert.UPPER: "英字を大文字にします。abc → ABC",
    Convert.LOWER: "英字を小文字にします。ABC → abc",
    Convert.PHONE: "電話番号を日本の書き方にします。０９０１２３４５６７８ → 090-1234-5678",
    Convert.MAIL: "メールアドレスを半角にし、空白を除きます。",
    Convert.DATE: "日付の書き方を変えます。日付:YYYY/MM/DD → 2026/04/01",
    Convert.NO_BLANKS: "空白をすべて除きます。山田 花子 → 山田花子",
    Convert.VISIBLE: "目に見えない文字を除きます。",
    Convert.STANDARD_KANJI: "異体字を標準の字にします。髙 → 高、﨑 → 崎",
}


def _introduction(sheet: Any, company: str) -> None:
    title = "連携設定シート(SmartHR → エマージェンシーコール)"
    drawing.heading(sheet, 1, title, size=16)
    drawing.remark(sheet, 2, _addressed(company))
    row = _block(sheet, 3, "記入の手順")
    for number, (title, text) in enumerate(_STEPS, 1):
        drawing.line(sheet, row, (number, title or "返送", text))
        if title:
            drawing.jump(sheet.cell(row, 2), title, "A1")
        row += 1
    row = _block(sheet, row + 1, "セルの色")
    for fill, name, text in _LEGEND:
        drawing.line(sheet, row, ("", name, text))
        drawing.dress(sheet.cell(row, 2), fill)
        row += 1
    drawing.new_page(sheet, row)
    row = _block(sheet, row + 1, "登録・更新の言葉(ユーザデータのE列からH列)")
    for word, text in _POLICY_MEANINGS:
        drawing.line(sheet, row, ("", word, text))
        row += 1
    row = _block(
        sheet, row + 1, "変換の言葉(ユーザデータのI列。通常は空白です。「全角カナ、空白除去」のように並べられます)"
    )
    for convert, text in _CONVERSION_MEANINGS.items():
        drawing.line(sheet, row, ("", _conversion_word(convert), text))
        row += 1
    drawing.finish(sheet, (5, 26, 100), start="B4")


def _addressed(company: str) -> str:
    if _TENANT.fullmatch(company):
        return f"ファイル名の「{company}」は連携の名前になります。ファイル名は変えないでください。"
    return f"{company} 様" if company else ""


def _block(sheet: Any, row: int, title: str) -> int:
    """A bold line; gives the row below it."""
    drawing.heading(sheet, row, title, size=12)
    return row + 1


# --- 連携情報 ---------------------------------------------------------------------------------------------------------

_SECTIONS = {
    "smarthr_url": "■ 必ず記入する項目",
    "run_at": "■ 必要な場合だけ記入する項目",
    "guards.delete_users_percent": "■ 大きな変化を止めて確認する基準(通常は空白のまま)",
}
RATES = (1, 10)  # SmartHRリクエスト数(毎秒)
_YEAR_2000 = 36_526  # as Excel counts days
_NEEDED = ("SmartHR URL", "結果通知先メールアドレス1", "連携開始日")
_SETTING_NOTES = {
    "smarthr_url": "SmartHRを開いたときにブラウザに表示される「https://○○○.smarthr.jp」までを記入します。",
    "link_start_on": "この日から毎日連携します。初回の連携は、内容を確かめながら担当者が手で行います。",
    "run_at": "SmartHRの在籍状況は毎日1:00に変わります。2:00より後の時刻をお勧めします。",
    "id_prefix": "複数の会社を1つのエマージェンシーコールに連携するとき、IDの重複を避けるために付けます。"
    "連携を始めた後に変えると、全員を登録し直すことになります。",
    "root_department.id": "SmartHRの部署に会社全体を表す部署が無いとき、一番上に置く部署です。3つとも記入するか、"
    "3つとも空白にします。",
    "guards.delete_users_percent": "この割合を超え、かつ最少人数以上が削除されるときは、登録せずに担当者の承認を待ちます。",
}


def _information(sheet: Any, values: Sequence[Value]) -> None:
    drawing.heading(sheet, 1, "連携情報: 連携する環境と、結果の通知先", size=14)
    drawing.remark(sheet, 2, "黄色のセルは必ず記入してください。ほかのセルは、必要な場合だけ記入してください。")
    drawing.line(sheet, _INFORMATION_HEADER, ("項目", "値", "必須", "備考"), HEADER, bold=True)
    row, cells = _INFORMATION_HEADER, dict[str, str]()
    for setting, value in zip(SETTINGS, values, strict=True):
        row += 1
        if setting.key in _SECTIONS:
            drawing.line(sheet, row, (_SECTIONS[setting.key], "", "", ""), SECTION, bold=True)
            drawing.run_on(sheet.cell(row, 1))
            row += 1
        needed = setting.label in _NEEDED
        drawing.line(sheet, row, (setting.label, value, "必須" if needed else "任意", setting.note))
        drawing.dress(sheet.cell(row, 2), REQUIRED if needed else PLAIN)
        cells.setdefault(setting.key, f"B{row}")
        if setting.key in _SETTING_NOTES:
            drawing.note(sheet.cell(row, 1), _SETTING_NOTES[setting.key])
    _limit_settings(sheet, cells)
    first = cells["smarthr_url"]
    drawing.finish(sheet, _INFORMATION_WIDTHS, header=(_INFORMATION_HEADER,) * 2, start=first, one_page=True)


def _limit_settings(sheet: Any, cells: dict[str, str]) -> None:
    """What Excel itself can check while the customer types; `cells` has the place of each key."""
    percents = [cell for key, cell in cells.items() if key.endswith("_percent")]
    counts = [cell for key, cell in cells.items() if key.startswith("guards.") and cell not in percents]
    drawing.limit(sheet, percents, "decimal", 0, 100, "0から100までの数字を記入してください。")
    drawing.limit(sheet, counts, "whole", 0, None, "0以上の整数を記入してください。")
    rate = cells["requests_per_second"]
    drawing.limit(sheet, [rate], "whole", *RATES, "{}から{}までの整数を記入してください。".format(*RATES))
    for cell in (*percents, *counts, rate):
        sheet[cell].number_format = "General"
    date, time = cells["link_start_on"], cells["run_at"]
    drawing.limit(sheet, [date], "date", _YEAR_2000, None, "日付を2026/4/1のように記入してください。")
    sheet[date].number_format = "yyyy-mm-dd"
    drawing.limit(sheet, [time], "time", 0, 0.9999, "時刻を4:30のように、0:00から23:59までで記入してください。")
    sheet[time].number_format = "h:mm"
    for key, most, text in (
        ("id_prefix", ID_PREFIX_LONGEST, f"{ID_PREFIX_LONGEST}文字以内で記入してください。"),
        (
            "root_department.id",
            DEPARTMENT_ID_LONGEST,
            f"ID付与コードを含めて{DEPARTMENT_ID_LONGEST}文字以内で記入してください。",
        ),
    ):
        drawing.limit(sheet, [cells[key]], "textLength", 0, most, text)
    drawing.offer(sheet, [cells["state"]], tuple(STATE_WORDS.values()), strict=True)
    drawing.offer(sheet, [cells["loader"]], tuple(LOADER_WORDS.values()), strict=True)


# --- 部署データ -------------------------------------------------------------------------------------------------------


def _departments(sheet: Any, rows: Sequence[RawRow]) -> None:
    drawing.heading(sheet, 1, "部署データ: 部署の登録のしかた", size=14)
    drawing.remark(sheet, 2, "黄色のセルに、部署名のヨミとして全部署に使う文字を記入してください(例: ブショ)。")
    drawing.line(sheet, _DEPARTMENTS_HEADER, _TABLE, HEADER, bold=True)
    choices = {item: (linked, words) for item, linked, _, words in _DEPARTMENT_LINES}
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


def user_header(sheet: Any, row: int) -> None:
    """The two header rows of ユーザデータ."""
    drawing.line(sheet, row, (*_TABLE, _GROUPS[0], "", _GROUPS[1], "", "変換"), HEADER, bold=True)
    drawing.line(sheet, row + 1, ("",) * 4 + _CASES * 2 + ("",), HEADER, bold=True)
    for column in (1, 2, 3, 4, 9):
        sheet.merge_cells(start_row=row, end_row=row + 1, start_column=column, end_column=column)
    for column in (5, 7):
        sheet.merge_cells(start_row=row, end_row=row, start_column=column, end_column=column + 1)


def _user_line(sheet: Any, number: int, item: Item, row: RawRow) -> None:
    needed = "初期値 必須" if item.key == "password" else "必須" if item.required else "任意"
    linked = row.linked.text if row.linked else ""
    words = (row.create_present, row.create_blank, row.update_present, row.update_blank)
    own = item.key == "operation"
    texts = (row.item.text, needed, linked, row.source.text, *(word.text for word in words), row.convert.text)
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
            by_words.setdefault(policy_words(item, place), []).append(f"{column}{numbers[item.key]}")
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


def policy_words(item: Item, place: Place) -> tuple[tuple[str, ...], bool]:
    """The words that one policy cell may hold, and whether there are no others: デフォルト:値 is free text (E18)."""
    default = default_cell(item, place)
    probe = default if default.action is Action.DEFAULT else Cell(Action.DEFAULT, "T")
    words = [Cell(action) for action in Action if action is not Action.DEFAULT] + [probe]
    legal = [cell for cell in words if _is_legal(cell, item, place)]
    offered = tuple(format_cell(cell, place) for cell in legal if cell.action is not Action.DEFAULT or cell == default)
    return offered, probe not in legal


def _is_legal(cell: Cell, item: Item, place: Place) -> bool:
    try:
        return parse_cell(format_cell(cell, place), item, place) == cell
    except Fault:
        return False


def conversion_words(item: Item) -> tuple[str, ...]:
    """The words that 変換 may hold for an item, each alone; none where its values are not to be changed."""
    found = []
    for convert in WORDS:
        try:
            parse_conversions(_conversion_word(convert), item)
        except Fault:
            continue
        found.append(_conversion_word(convert))
    return tuple(found)


def _conversion_word(convert: Convert) -> str:
    return WORDS[convert] + (":YYYY/MM/DD" if convert is Convert.DATE else "")


# --- 記入例 -----------------------------------------------------------------------------------------------------------

# Text 1, 連携設定シート イメージ, line by line; the last column is ours.
_EXAMPLE_USERS = (
    ("処理フラグ", "-", "自動", "自動", "自動", "自動", "新規・更新・削除は自動で決まります。"),
    (
        "ユーザID",
        "メールアドレス",
        "登録",
        "エラー",
        "更新しない",
        "エラー",
        "IDが無い人がいたら誤りとして知らせます。",
    ),
    ("パスワード強制変更", NO_SOURCE, "登録", "デフォルト:T", "更新", "更新しない", "初回ログインで変更を求めます。"),
    (
        "パスワード",
        "固定値「XXXXXX」",
        "登録",
        "エラー",
        "更新しない",
        "更新しない",
        "XXXXXXは例です。そのまま使わず、「秘密:名前」にすることをお勧めします。",
    ),
    ("氏名", "氏名", "登録", "エラー", "更新", "エラー", "姓と名を半角空白でつなぎます。"),
    ("氏名(ヨミ)", "氏名(ヨミガナ)", "登録", "エラー", "更新", "エラー", ""),
    ("所属部署コード", "部署1", "登録", "登録しない", "更新", "更新しない", "部署1の部署コードになります。"),
    (
        "保有権限1",
        NO_SOURCE,
        "登録",
        "登録しない",
        "更新しない",
        "更新しない",
        "権限は画面で設定し、連携では変えません。",
    ),
    (
        "緊急連絡10 媒体",
        "固定値「メールアドレス」",
        "登録",
        "登録しない",
        "更新",
        "更新",
        "媒体とアドレスは必ず組で連携します。",
    ),
    (
        "緊急連絡10 アドレス",
        "メールアドレス",
        "登録",
        "登録しない",
        "更新",
        "更新",
        "SmartHRで空白になると、エマージェンシーコールからも消えます。",
    ),
    ("検索ワード1:勤務地", "事業所", "登録", "登録しない", "更新", "更新しない", "「:」の後ろが名前です。"),
    ("検索ワード2:居住地", "住所(都道府県)", "登録", "登録しない", "更新", "更新しない", ""),
    ("検索ワード3:役職", "役職1", "登録", "登録しない", "更新", "更新", "役職が無くなると、値を消します。"),
)
_EXAMPLE_INFORMATION = (
    ("SmartHR URL", "https://abcdefghijklmnopqrstuvwxyz.smarthr.jp"),
    ("結果通知先メールアドレス1", "soumu@example.co.jp"),
    ("連携開始日", "2026-04-01"),
)


def _example(sheet: Any) -> None:
    """The guide's example, column by column as in the worksheets themselves, so that lines can be copied."""
    widths = (27, 10, 10, 25, 16, 16, 16, 16, 6, 44)
    drawing.heading(sheet, 1, "記入例(項目はお客様ごとに異なります)", size=14)
    drawing.heading(sheet, 3, "連携情報の例")
    for number, (pair, fill) in enumerate(((("項目", "値"), HEADER), *((p, PLAIN) for p in _EXAMPLE_INFORMATION)), 4):
        drawing.line(sheet, number, (*pair, "", ""), fill, bold=fill == HEADER)
        sheet.merge_cells(start_row=number, end_row=number, start_column=2, end_column=4)
    top = 4 + len(_EXAMPLE_INFORMATION) + 2
    drawing.heading(sheet, top, "部署データの例")
    drawing.line(sheet, top + 1, _TABLE, HEADER, bold=True)
    for number, (item, linked, source, words) in enumerate(_DEPARTMENT_LINES, top + 2):
        drawing.line(sheet, number, (item, "必須", linked, source if words else "ブショ"))
    top += 2 + len(_DEPARTMENT_LINES) + 1
    drawing.heading(sheet, top, "ユーザデータの例")
    user_header(sheet, top + 1)
    _explain_header(sheet, top + 1, len(widths))
    for number, (name, *texts, explained) in enumerate(_EXAMPLE_USERS, top + 3):
        named = user_item(name)
        needed = "必須" if named and named.item.required else "任意"
        drawing.line(sheet, number, (name, needed, "○", *texts, "", explained))
    drawing.finish(sheet, widths, one_page=True)


def _explain_header(sheet: Any, row: int, column: int) -> None:
    for number in (row, row + 1):
        drawing.dress(drawing.put(sheet, number, column, "説明" if number == row else ""), HEADER, bold=True)
    sheet.merge_cells(start_row=row, end_row=row + 1, start_column=column, end_column=column)


# --- SmartHR項目一覧 --------------------------------------------------------------------------------------------------


def _item_list(book: Any, custom_fields: Iterable[CustomFieldInfo]) -> None:
    """Every name that a source may have, and the range that the drop-downs show."""
    from openpyxl.workbook.defined_name import DefinedName

    sheet = book.create_sheet(ITEM_LIST)
    drawing.heading(sheet, 1, "SmartHR項目一覧: ユーザデータの「SmartHR項目」に使える名前", size=14)
    text = f"お客様が作った項目は「カスタム項目:項目名」と記入します。値を連携しない場合は「{NO_SOURCE}」と記入します。"
    drawing.remark(sheet, 2, text)
    drawing.line(sheet, 3, ("分類", "項目名", "意味", "値の例", "同じ意味の名前"), HEADER, bold=True)
    lines = [*_catalogue_lines(), *map(_custom_line, custom_fields)]
    for number, line in enumerate(lines, 4):
        drawing.line(sheet, number, line)
    place = f"'{ITEM_LIST}'!$B$4:$B${len(lines) + 3}"
    book.defined_names[ITEM_NAMES] = DefinedName(ITEM_NAMES, attr_text=place)
    drawing.finish(sheet, (12, 36, 54, 30, 38), header=(3, 3), start="B4")


def _catalogue_lines() -> list[tuple[str, ...]]:
    aliases: dict[str, list[str]] = {name: [] for name in (*CATALOGUE, *COMPOSITES)}
    for alias, name in ALIASES.items():
        aliases[name].append(alias)
    return [
        (line.group, line.name, line.meaning, line.example, "、".join(aliases[line.name])) for line in CATALOGUE_NOTES
    ]


def _custom_line(field: CustomFieldInfo) -> tuple[str, ...]:
    name = format_source(Source(((CustomField(field.name),),)))
    return (
        "カスタム項目",
        name,
        f"お客様が作った項目({_KINDS.get(field.kind, field.kind)})",
        "、".join(field.choices),
        "",
    )
