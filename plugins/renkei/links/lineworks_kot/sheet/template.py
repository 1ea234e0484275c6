"""The workbook that a customer of LINE WORKS → KING OF TIME fills in (text 4)."""

from __future__ import annotations

from renkei.links.lineworks_kot.sheet.parse import DIVISIONS, TYPES
from renkei.links.lineworks_kot.sheet.settings import ALLOWED, FORBIDDEN
from renkei.links.lineworks_kot.sheet.settings import INFORMATION as SETTINGS
from renkei.links.lineworks_kot.sheet.workbook import COLUMNS
from renkei.notifications.form.template import TableForm, Template
from renkei.sheets.workbook.lines import INFORMATION

TEMPLATE = Template(
    "LINE WORKS → KING OF TIME",
    "LINE WORKSのトークに「出勤」などと書くと、KING OF TIMEに打刻するための設定です。",
    (
        (
            "LINE WORKS",
            "Developer Consoleでアプリを作り、OAuth Scopesに bot、bot.read、user.email.read を選び、Service Accountを発行します。",
        ),
        (
            "LINE WORKS",
            "秘密の値（Client Secret、Private Key、Bot Secret）はこのシートに書かず、連携の画面で登録するか、担当者に別の方法で渡します。",
        ),
        (
            "KING OF TIME",
            "「WebAPI連携」でアクセストークンを作り、従業員の参照、打刻の参照と登録を許可し、担当者が伝えるIPアドレスを登録します。",
        ),
    ),
    {
        INFORMATION: "黄色のセルを必ず、白いセルを必要な場合だけ記入します。",
        DIVISIONS: "打刻する従業員の所属を1行に1つ記入し、KING OF TIMEと同じ日付変更時間を記入します。",
        TYPES: "休憩打刻を許可しない雇用区分がある場合だけ記入します。",
    },
    SETTINGS,
    (
        TableForm(
            DIVISIONS,
            "所属コードと、KING OF TIMEの 設定 > 組織 > 所属設定 にある「日付変更時間」を記入してください。記入のない所属の打刻は登録しません。",
            COLUMNS[DIVISIONS],
            (24, 24),
            notes={
                "code": "KING OF TIMEの所属コードです。先頭の0も含めて、そのまま記入します。",
                "border": "例: 05:00。この時刻より前の打刻は、前の日の勤務になります。既定の時刻はありません。",
            },
        ),
        TableForm(
            TYPES,
            f"KING OF TIMEの 設定 > 従業員 > 雇用区分設定 で休憩打刻を「{FORBIDDEN}」にしている雇用区分を記入してください。",
            COLUMNS[TYPES],
            (24, 24),
            offers={"breaks": (ALLOWED, FORBIDDEN)},
            notes={"code": "KING OF TIMEの雇用区分コードです。先頭の0も含めて、そのまま記入します。"},
        ),
    ),
)
