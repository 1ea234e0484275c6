"""連携情報: its lines, and what each of them may say (text 4)."""

from __future__ import annotations

import re

from renkei.links.lineworks_kot.sheet.mapping import DOUBLE_PRESS_MOST_S, DOUBLE_PRESS_S, MAX_CODE
from renkei.sheets.information import (
    COMPANY_NAME,
    LINK_START_ON,
    OFF,
    ON,
    RESULT_ADDRESSES,
    Information,
    Setting,
    choice,
    clock_time,
    count,
)
from renkei.texts import Fault, control_fault, narrow

SHOWN, HIDDEN = "表示する", "表示しない"  # text 4, 休憩打刻
USED, UNUSED = "使用する", "使用しない"
CONTAINS, EXACT = "含む", "完全一致"
ALLOWED, FORBIDDEN = "許可する", "許可しない"  # text 4, 雇用区分設定 > 休憩打刻


def _bot_id(text: str) -> str:
    plain = narrow(text)
    if not re.fullmatch(r"[0-9]{1,20}", plain):
        raise Fault("Bot IDが数字ではありません", "Developer Consoleの「Bot」に表示される数字を記入してください")
    return plain


def code(text: str) -> str:
    """A 所属コード or 雇用区分コード as KING OF TIME has it; leading zeros count."""
    if fault := control_fault(text, "コード"):
        raise fault
    plain = narrow(text)
    if not plain or len(plain) > MAX_CODE:
        raise Fault("コードが空白か、長すぎます", f"KING OF TIMEのコード（{MAX_CODE}文字以内）を記入してください")
    return plain


def _of_choice(key: str, label: str, yes: str, no: str, note: str, *aliases: str) -> Setting:
    return Setting(key, label, choice(yes, no), note, aliases=aliases, words=(yes, no))


may_break = choice(ALLOWED, FORBIDDEN)
INFORMATION = Information(
    (
        COMPANY_NAME,
        Setting("bot_id", "Bot ID", _bot_id, "空白なら、Airflowの接続に登録したBot ID", aliases=("BotID", "Botの番号")),
        RESULT_ADDRESSES,
        LINK_START_ON,
        _of_choice("breaks", "休憩打刻", SHOWN, HIDDEN, f"KING OF TIMEのオプションに合わせます。空白なら{HIDDEN}"),
        _of_choice("outings", "外出打刻", USED, UNUSED, f"KING OF TIMEのオプションに合わせます。空白なら{UNUSED}"),
        _of_choice("replies", "返信", ON, OFF, f"打刻の結果をトークで返信{ON}か。空白なら{ON}", "打刻の返信"),
        _of_choice(
            *("exact", "打刻メッセージの判定", EXACT, CONTAINS),
            f"{CONTAINS}: 文言を含むメッセージで打刻、{EXACT}: 文言だけのメッセージで打刻。空白なら{CONTAINS}",
        ),
        _of_choice(
            "groups", "グループのトーク", USED, UNUSED, f"グループに書かれた文言でも打刻するか。空白なら{UNUSED}"
        ),
        Setting(
            *("double_press_s", "二度押しとみなす秒数", count(DOUBLE_PRESS_MOST_S, 0)),
            f"同じ人の同じ打刻を1回とみなす間隔。空白なら{DOUBLE_PRESS_S}",
        ),
        Setting(
            *("silence_at", "打刻がないときに知らせる時刻", clock_time),
            "例: 09:30。平日のこの時刻に誰も打刻していなければ知らせます。空白なら知らせません",
            aliases=("無打刻の通知時刻",),
            dated=True,
        ),
    )
)
