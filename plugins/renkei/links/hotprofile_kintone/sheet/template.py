"""The workbook that a customer fills in: its worksheets, empty or filled (E15; text 5, Step1 and Step2).

The words of the drop-downs are those that the reader takes.
"""

from __future__ import annotations

from collections.abc import Mapping as Dict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from renkei.channel import Channel
from renkei.links.hotprofile_kintone.items import ID_ITEMS, ITEMS
from renkei.links.hotprofile_kintone.sheet.filled import CONVERSIONS, filled
from renkei.links.hotprofile_kintone.sheet.form import MARK, setting_values, setting_word
from renkei.links.hotprofile_kintone.sheet.mapping import CUSTOM, DATA_SETS, Mapping
from renkei.links.hotprofile_kintone.sheet.parse import KEEP_WORD, OVERWRITE_WORD, SKIP_BLANK, WRITE_BLANK
from renkei.links.hotprofile_kintone.sheet.settings import INFORMATION as SETTINGS
from renkei.links.hotprofile_kintone.sheet.workbook import COLUMNS, USER_COLUMNS, USERS
from renkei.notifications.form.filled import Filled, Rows
from renkei.notifications.form.table import TITLE as CHANNELS_TITLE
from renkei.notifications.form.worksheet import channel_sheet, service_notes
from renkei.notifications.form.written import channel_line
from renkei.sheets.workbook import drawing
from renkei.sheets.workbook.drawing import FIXED, HEADER, Value
from renkei.sheets.workbook.information_sheet import information_sheet
from renkei.sheets.workbook.introduction import INTRODUCTION, introduction_sheet
from renkei.sheets.workbook.lines import INFORMATION

EXAMPLE = "記入例"
_SAYS = "Hot Profileの会社、部署、リードを、kintoneのアプリに連携するための設定です。"
SPARE = 20  # lines for what the customer made in Hot Profile
SPARE_USERS = 30
_HEADER = 3
_ITEM_WIDTHS, _USER_WIDTHS = (32, 32, 9, 17, 22, 24, 11), (40, 40)
_NOTES = {
    "item": f"連携しない行は、そのままで構いません（フィールドコードが空白の行は連携しません）。お客様が作った項目は、下の空いた行に「{CUSTOM}項目名」と記入します。",
    "field": "kintoneのフィールドの設定にある「フィールドコード」です（フィールド名ではありません）。1つの項目は1つのフィールドにだけ連携できます。",
    "key": "1つの行だけに○を付けます。kintoneのフィールドは「文字列(1行)」か「数値」で、「値の重複を禁止する」が設定されている必要があります。",
    "blank": f"Hot Profileの値が空のときの指定です。「{WRITE_BLANK}」または空白ならkintoneの値も空にし、「{SKIP_BLANK}」ならkintoneの値を残します。",
    "conversion": "値の書き方をそろえたいときだけ選びます。「全角カナ、空白除去」のように並べて書けます。",
    "table": "テーブルの中のフィールドに連携するときだけ、テーブルのフィールドコードを記入します。",
    "conflict": f"連携した後に、kintoneで人が変更した値を見つけて知らせます。「{OVERWRITE_WORD}」ならHot Profileの値にし、「{KEEP_WORD}」ならkintoneの値を残します。空白なら調べずに上書きします。",
}
_STEPS = (
    (
        INFORMATION,
        "黄色のセルを記入します。連携するデータ（会社、部署、リード）は「連携を行う」を「する」にし、kintoneのアプリIDを記入します。",
    ),
    ("会社", "会社を連携する場合に、項目ごとにkintoneのフィールドコードを記入し、1つの行の「更新キー」に○を付けます。"),
    ("部署", "部署を連携する場合に、同じように記入します。"),
    ("リード", "リードを連携する場合に、同じように記入します。"),
    (USERS, "kintoneの「ユーザー選択」に連携する場合だけ、Hot Profileのユーザーとkintoneのログイン名を対応させます。"),
    (CHANNELS_TITLE, "結果をチャットなどでも受け取る場合だけ、通知先を1行に1つ記入します。"),
    (EXAMPLE, "迷ったときは記入例を見ます。"),
)
_PREPARATIONS = (
    "kintoneのアプリを用意し、更新キーにするフィールドに「値の重複を禁止する」を設定します。",
    "アプリの設定 > APIトークンで「レコード閲覧」「レコード追加」「レコード編集」を許可したトークンを作り、アプリを更新します。トークンはこのシートに書かず、担当者に別の方法で渡します。",
    "ルックアップを連携する場合は、コピー元のアプリのトークン（レコード閲覧）も必要です。",
)
_EXAMPLE = (  # of 会社
    ("会社ID", "会社ID", MARK, "", "", "", ""),
    ("会社名", "会社名", "", "", "", "", OVERWRITE_WORD),
    ("代表電話番号", "電話番号", "", "", "電話番号", "", ""),
    ("備考", "備考", "", SKIP_BLANK, "", "", KEEP_WORD),
    (f"{CUSTOM}契約区分", "契約区分", "", "", "", "", ""),
)


def write_template(path: Path, *, tenant: str = "") -> None:
    """A fresh workbook: every item of Hot Profile has its line, and none is linked yet."""
    _draw(path, {}, {}, (), tenant)


def write_workbook(mapping: Mapping, channels: Sequence[Channel], path: Path) -> None:
    """Writes the sheet so that `raw_from_workbook` and `check_sheet` give it back exactly: the template, filled in."""
    values: dict[str, Value] = {key: setting_word(key, value) for key, value in setting_values(mapping)}
    _draw(path, values, filled(mapping).tables, channels, mapping.tenant)


def write_filled(path: Path, said: Filled, channels: Sequence[Channel], tenant: str) -> None:
    """The template with what a page was filled in with, faults and all."""
    _draw(path, said.settings, said.tables, channels, tenant)


def _draw(
    path: Path,
    values: Dict[str, Value],
    tables: Dict[str, Rows],
    channels: Sequence[Channel],
    tenant: str,
) -> None:
    book = drawing.new_book()
    book.properties.title, book.properties.creator = "連携設定シート", "Renkei"
    introduction_sheet(
        *(book.create_sheet(INTRODUCTION), "Hot Profile → kintone", _SAYS, tenant),
        *([("kintone", text) for text in _PREPARATIONS], _STEPS, service_notes()),
    )
    information_sheet(book.create_sheet(INFORMATION), SETTINGS, values)
    for name, label in DATA_SETS.items():
        _items(book.create_sheet(label), name, tables.get(label, ()))
    _users(book.create_sheet(USERS), tables.get(USERS, ()))
    channel_sheet(book.create_sheet(CHANNELS_TITLE), list(map(channel_line, channels)))
    _example(book.create_sheet(EXAMPLE))
    if values:
        book.active = book.sheetnames.index(INFORMATION)
    book.save(path)


def _items(sheet: Any, name: str, lines: Rows) -> None:
    """The items that are linked first, as the sheet has them, then the others of Hot Profile, and lines for more."""
    label = DATA_SETS[name]
    drawing.heading(sheet, 1, f"{label}: 項目のマッピング", size=14)
    drawing.remark(
        sheet, 2, "連携する行に、kintoneのフィールドコードを記入してください。1つの行の「更新キー」に○を付けます。"
    )
    drawing.line(sheet, _HEADER, [titles[0] for titles in COLUMNS.values()], HEADER, bold=True)
    for column, note in enumerate(_NOTES.values(), 1):
        drawing.note(sheet.cell(_HEADER, column), note)
    rest = [item for item in ITEMS[name] if item not in {line[0] for line in lines}]
    blank = ("",) * (len(COLUMNS) - 1)
    number = _HEADER
    for number, line in enumerate([*lines, *((item, *blank) for item in rest), *[("", *blank)] * SPARE], _HEADER + 1):
        drawing.line(sheet, number, line)
        if line[0] and not line[0].startswith(CUSTOM):
            drawing.dress(sheet.cell(number, 1), FIXED)
    first, last = _HEADER + 1, number
    _offer(sheet, first, last)
    drawing.when(sheet, f"A{first}:G{last}", f'$B{first}=""', color=drawing.DIM)
    drawing.when(sheet, f"B{first}:B{last}", f'AND($C{first}<>"",TRIM($B{first})="")', fill=drawing.MISSING)
    start = next((n for n in range(first, last + 1) if sheet.cell(n, 1).value == ID_ITEMS[name]), first)
    drawing.finish(sheet, _ITEM_WIDTHS, header=(_HEADER, _HEADER), start=f"B{start}")


def _offer(sheet: Any, first: int, last: int) -> None:
    def cells(column: str) -> list[str]:
        return [f"{column}{first}:{column}{last}"]

    drawing.offer(sheet, cells("C"), (MARK,), strict=True)
    drawing.offer(sheet, cells("D"), (WRITE_BLANK, SKIP_BLANK), strict=True)
    prompt = ("変換", "通常は空白です。「全角カナ、空白除去」のように並べて書けます。")
    drawing.suggest(sheet, cells("E"), CONVERSIONS, prompt=prompt)
    drawing.offer(sheet, cells("G"), (OVERWRITE_WORD, KEEP_WORD), strict=True)


def _users(sheet: Any, users: Rows) -> None:
    drawing.heading(sheet, 1, f"{USERS}: kintoneの「ユーザー選択」に連携する場合だけ", size=14)
    drawing.remark(sheet, 2, "Hot Profileに表示される名前と、kintoneのログイン名を、1行に1人ずつ記入してください。")
    drawing.line(sheet, _HEADER, [titles[0] for titles in USER_COLUMNS.values()], HEADER, bold=True)
    for number, line in enumerate([*users, *[("", "")] * SPARE_USERS], _HEADER + 1):
        drawing.line(sheet, number, line)
    drawing.finish(sheet, _USER_WIDTHS, header=(_HEADER, _HEADER), start=f"A{_HEADER + 1}")


def _example(sheet: Any) -> None:
    drawing.heading(sheet, 1, "記入例: 会社を連携する場合", size=14)
    drawing.remark(sheet, 2, "このワークシートは読み取りません。ワークシート「会社」に、次のように記入します。")
    drawing.line(sheet, _HEADER, [titles[0] for titles in COLUMNS.values()], HEADER, bold=True)
    for number, line in enumerate(_EXAMPLE, _HEADER + 1):
        drawing.line(sheet, number, line)
    drawing.finish(sheet, _ITEM_WIDTHS, header=(_HEADER, _HEADER), start="A4", one_page=True)
