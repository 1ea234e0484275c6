"""連携情報: its lines, and what each of them may say (text 3)."""

from __future__ import annotations

import re

from renkei.links.workplace_lineworks.sheet.mapping import (
    CHANNELS,
    HELD_PERCENT,
    INTERVALS,
    STALE_AFTER_H,
    Hours,
)
from renkei.sheets.information import (
    COMPANY_NAME,
    LINK_START_ON,
    RESULT_ADDRESSES,
    Information,
    Setting,
    choice,
    clock_time,
    count,
)
from renkei.texts import Fault, narrow, trim

USED, UNUSED = "使用する", "使用しない"  # text 3
KIND, ABSENT = "不在の種類", "不在のみ"
PUBLIC, PRIVATE = "公開", "非公開"
SHOWN, HIDDEN = "仮の予定として登録する", "登録しない"
RESTORE, KEEP = "戻す", "残す"
DAILY, NEVER = "毎日", "しない"
MAX_HOURS = 24 * 7
OLD_FIELDS = {  # text 3's names, of API 1.0, by the fields of API 2.0 in the Connection
    "client_id": "Server API Consumer Key",
    "client_secret": "Server API Consumer Key",
    "service_account": "Server List ID",
    "private_key": "Server List秘密キー、秘密鍵",
}
NEEDLESS = ("API ID", "Domain ID", "管理者メール")  # text 3's, of which API 2.0 knows nothing
OLD_NAMES = {  # what stands there in a sheet is a secret or is not needed any more
    **dict.fromkeys(NEEDLESS, "API 2.0では使いません"),
    "Server API Consumer Key": "API 2.0では Client ID と Client Secret です",
    "Server List ID": "API 2.0では Service Account です",
    "Server List秘密キー": "API 2.0では Private Key です",
    "Server List秘密鍵": "API 2.0では Private Key です",
}


def _interval(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,3})(分|時間)?", narrow(text).replace(" ", ""))
    minutes = int(found[1]) * (60 if found[2] == "時間" else 1) if found else 0
    if minutes not in INTERVALS:
        words = "、".join(f"{one}分" for one in INTERVALS)
        raise Fault("連携間隔が選べる値ではありません", f"{words} のいずれかを記入してください")
    return minutes


def _hours(text: str) -> Hours:
    """`9:00-13:00`, with any dash."""
    parts = re.split(r"[-~‐-―−〜～ー]+|から", narrow(text))
    if len(parts) != 2:
        raise Fault(f"「{trim(text)}」は時間帯ではありません", "「09:00-13:00」の形（24時間制）で記入してください")
    start, end = (clock_time(part) for part in parts)
    if end <= start:
        raise Fault("時間帯の終わりが始まりより後ではありません", "「09:00-13:00」の形（24時間制）で記入してください")
    return start, end


def _of_choice(key: str, label: str, yes: str, no: str, note: str, *aliases: str) -> Setting:
    return Setting(key, label, choice(yes, no), note, aliases=aliases, words=(yes, no))


INFORMATION = Information(
    (
        COMPANY_NAME,
        RESULT_ADDRESSES,
        LINK_START_ON,
        _of_choice(
            *("calendar", "カレンダー登録", USED, UNUSED, f"不在日程をLINE WORKSのカレンダーに登録。空白なら{UNUSED}"),
            "LINE WORKSカレンダー",
        ),
        Setting(
            *("interval_minutes", "連携間隔", _interval, "空白なら5分"),
            words=tuple(f"{one}分" for one in INTERVALS),
        ),
        _of_choice(
            "kinds_shown", "予定名", KIND, ABSENT, f"{KIND}（「年次有給休暇」など）か、「不在」だけか。空白なら{ABSENT}"
        ),
        _of_choice("public", "公開設定", PUBLIC, PRIVATE, f"カレンダーの予定の公開設定。空白なら{PUBLIC}"),
        _of_choice("applied_shown", "申請中の不在", SHOWN, HIDDEN, f"承認前の不在。空白なら{HIDDEN}"),
        Setting("morning", "午前の時間帯", _hours, "午前半休を使う場合は必須（既定値はありません）。例: 09:00-13:00"),
        Setting("afternoon", "午後の時間帯", _hours, "午後半休を使う場合は必須（既定値はありません）。例: 13:00-18:00"),
        _of_choice(
            "restore", "手で変えた予定", RESTORE, KEEP, f"照合で見つけた、人が変えた・消した予定。空白なら{RESTORE}"
        ),
        _of_choice(
            *(
                "reconcile",
                "照合",
                DAILY,
                NEVER,
                f"毎晩、カレンダーの予定を確かめる。違いがあれば知らせます。空白なら{DAILY}",
            )
        ),
        Setting(
            *("held_percent", "保留する取消の割合", count(100)),
            f"登録済みの不在のうち、これより多く（%、5件以上）が一度に取り消されると承認を待ちます。空白なら{HELD_PERCENT}",
        ),
        *(
            _of_choice(f"messengers.{key}", f"{label}メッセンジャー", USED, UNUSED, f"空白なら{UNUSED}", f"{label}連携")
            for key, label in CHANNELS.items()
        ),
        Setting(
            *("stale_after_h", "通知の有効時間", count(MAX_HOURS)),
            f"これより古い通知（時間）は送らずに、まとめてお知らせします。空白なら{STALE_AFTER_H}",
        ),
    )
)
