"""The worksheets that a customer reads and does not fill in: はじめに and 記入例."""

from __future__ import annotations

import re
from typing import Any

from renkei.links.smarthr_emc.sheet.excel.layout import (
    DEPARTMENT_LINES,
    DEPARTMENTS,
    EXAMPLE,
    INFORMATION,
    ITEM_LIST,
    TABLE,
    USERS,
    conversion_word,
    user_header,
)
from renkei.links.smarthr_emc.sheet.expression import NO_SOURCE
from renkei.links.smarthr_emc.sheet.names import user_item
from renkei.notifications.form.table import TITLE as CHANNELS_TITLE
from renkei.notifications.form.worksheet import channel_header, service_notes
from renkei.sheets.workbook import drawing
from renkei.sheets.workbook.drawing import FIXED, HEADER, PLAIN, REQUIRED
from renkei.values.conversion import Convert

_TENANT = re.compile(r"[a-z0-9][a-z0-9_-]*")

# --- はじめに ---------------------------------------------------------------------------------------------------------

_STEPS = (
    (INFORMATION, "黄色のセル(SmartHRのURL、結果の通知先、連携開始日)を記入します。ほかは空白のままで構いません。"),
    (DEPARTMENTS, "黄色のセルに、部署名のヨミとして使う文字を記入します(例: ブショ)。"),
    (
        USERS,
        "黄色のセルで、SmartHRのどの項目を使うかを選びます。ほかに連携する項目があれば、その行の「連携有無」に○を付け、"
        "「SmartHR項目」を選びます。登録・更新の言葉には、お勧めの言葉が入っています。",
    ),
    (CHANNELS_TITLE, "結果をチャットなどでも受け取る場合だけ、通知先を1行に1つ記入します。"),
    (EXAMPLE, "迷ったときは記入例を見ます。行をそのまま写して使うこともできます。"),
    (ITEM_LIST, "SmartHRの項目の名前と意味の一覧です。"),
    (
        "",
        "記入が終わったら保存し、このファイルをお送りした担当者へ返送してください。誤りがあれば、セルの番地と直し方をお知らせします。",
    ),
)
_LEGEND = (
    (REQUIRED, "黄色", "必ず記入するセルです。"),
    (PLAIN, "白", "必要な場合だけ記入するセルです。薄い文字の行は、連携しない行(通知では、通知を行わない行)です。"),
    (FIXED, "灰色", "変えずにそのまま使うセルです。"),
    (
        drawing.MISSING,
        "橙色",
        "連携有無が○なのにSmartHR項目が空白など、記入が足りないセルです。記入すると色が消えます。",
    ),
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


def introduction(sheet: Any, company: str) -> None:
    """What to do in which order, and what the colours and words mean; `company` is greeted, or its file named."""
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
        drawing.line(sheet, row, ("", conversion_word(convert), text))
        row += 1
    drawing.new_page(sheet, row)
    row = _block(sheet, row + 1, "通知のサービス(通知のB列とD列)")
    for label, text in service_notes():
        drawing.line(sheet, row, ("", label, text))
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
_EXAMPLE_CHANNELS = (
    ("総務のチャット", "Slack(Webhook)", "", "", "", "", "○", "○", "", "○", "○"),
    ("総務のルーム", "チャットワーク", "", "123456789", "", "", "", "", "", "", ""),
    ("担当者本人", "LINE WORKS", "", "社員:1001", "", "", "○", "○", "", "○", ""),
)


def example(sheet: Any) -> None:
    """The guide's example, column by column as in the worksheets themselves, so that lines can be copied."""
    widths = (27, 17, 10, 25, 16, 16, 16, 16, 10, 44, 14)
    drawing.heading(sheet, 1, "記入例(項目はお客様ごとに異なります)", size=14)
    drawing.heading(sheet, 3, "連携情報の例")
    for number, (pair, fill) in enumerate(((("項目", "値"), HEADER), *((p, PLAIN) for p in _EXAMPLE_INFORMATION)), 4):
        drawing.line(sheet, number, (*pair, "", ""), fill, bold=fill == HEADER)
        sheet.merge_cells(start_row=number, end_row=number, start_column=2, end_column=4)
    top = 4 + len(_EXAMPLE_INFORMATION) + 2
    drawing.heading(sheet, top, "部署データの例")
    drawing.line(sheet, top + 1, TABLE, HEADER, bold=True)
    for number, (item, linked, source, words) in enumerate(DEPARTMENT_LINES, top + 2):
        drawing.line(sheet, number, (item, "必須", linked, source if words else "ブショ"))
    top += 2 + len(DEPARTMENT_LINES) + 1
    drawing.heading(sheet, top, "ユーザデータの例")
    user_header(sheet, top + 1)
    _explain_header(sheet, top + 1, 10)
    for number, (name, *texts, explained) in enumerate(_EXAMPLE_USERS, top + 3):
        named = user_item(name)
        needed = "必須" if named and named.item.required else "任意"
        drawing.line(sheet, number, (name, needed, "○", *texts, "", explained))
    top += 3 + len(_EXAMPLE_USERS) + 1
    drawing.heading(sheet, top, "通知の例")
    channel_header(sheet, top + 1)
    for number, line in enumerate(_EXAMPLE_CHANNELS, top + 3):
        drawing.line(sheet, number, line)
    drawing.finish(sheet, widths, one_page=True)


def _explain_header(sheet: Any, row: int, column: int) -> None:
    for number in (row, row + 1):
        drawing.dress(drawing.put(sheet, number, column, "説明" if number == row else ""), HEADER, bold=True)
    sheet.merge_cells(start_row=row, end_row=row + 1, start_column=column, end_column=column)
