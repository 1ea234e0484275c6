"""The workbook that a customer of WORKPLACE → LINE WORKS fills in (text 3)."""

from __future__ import annotations

from renkei.links.workplace_lineworks.sheet.mapping import CHANNELS, EVENTS
from renkei.links.workplace_lineworks.sheet.parse import TABLE, TITLES
from renkei.links.workplace_lineworks.sheet.settings import INFORMATION as SETTINGS
from renkei.links.workplace_lineworks.sheet.settings import USED
from renkei.links.workplace_lineworks.sheet.workbook import COLUMNS
from renkei.notifications.form.template import TableForm, Template
from renkei.sheets.workbook.lines import INFORMATION

TEMPLATE = Template(
    "WORKPLACE → LINE WORKS",
    "WORKPLACEの不在日程をLINE WORKSのカレンダーに登録し、ワークフローの通知を社員のメッセンジャーに届けるための設定です。",
    (
        ("WORKPLACE", "WORKPLACEとLINE WORKSのユーザーIDを、大文字と小文字も含めて同じにします。"),
        (
            "LINE WORKS",
            "Developer Consoleでアプリを作り、OAuth Scopesに calendar、user.read、bot を選び、Service Accountを発行します。",
        ),
        ("LINE WORKS", "秘密の値（Client Secret、Private Key）はこのシートに書かず、担当者に別の方法で渡します。"),
    ),
    {
        INFORMATION: f"黄色のセルを記入し、使う機能を「{USED}」にします。すべて空白なら何も連携しません。",
        TITLES: "カレンダーの予定の名前を、不在の種類と別のものにする場合だけ記入します。",
        TABLE: "メッセンジャー通知を使う場合に、受け取る通知に○を付けます。",
    },
    SETTINGS,
    (
        TableForm(
            TITLES,
            "不在の種類ごとに、カレンダーに表示する名前を記入してください。理由は登録しません。",
            COLUMNS[TITLES],
            (34, 34),
            notes={"kind": "WORKPLACEの不在タイプの名前です。例: 年次有給休暇"},
        ),
        TableForm(
            TABLE,
            "通知項目ごとに、届けるメッセンジャーに○を付けてください（連携情報で「使用する」にしたものに届きます）。",
            COLUMNS[TABLE],
            (24, *[16] * len(CHANNELS)),
            given=tuple(EVENTS.values()),
            offers=dict.fromkeys(CHANNELS, ("○",)),
        ),
    ),
)
