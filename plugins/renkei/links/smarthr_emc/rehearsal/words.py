"""What a rehearsal says, in Japanese: of the command and of the console's page."""

from __future__ import annotations

import datetime as dt

from renkei.clock import TOKYO
from renkei.links.smarthr_emc.rehearsal.result import SheetEffect, SourceRead, Verdict

VERDICTS = {  # good, wait or bad, and why
    Verdict.STOPPED: ("bad", "途中で止まります。EMCには何も書き込みません"),
    Verdict.ERRORS: ("bad", "誤りがあるため、EMCには何も書き込みません"),
    Verdict.HELD: ("wait", "運用担当者の承認を待ってから、EMCに書き込みます"),
    Verdict.UNCHANGED: ("good", "前回から変化が無いため、EMCには何も書き込みません"),
    Verdict.CHECKED: ("good", "EMCに書き込める内容です(確認のみ)"),
    Verdict.WRITES: ("good", "EMCに書き込みます"),
}
COUNTS = {
    "previous_valid": "前回有効",
    "received_total": "受信全件",
    "received_valid": "受信有効",
    "created": "新規",
    "updated": "更新",
    "deleted": "削除",
}
FIGURES = {
    "present": "値あり",
    "blank": "空白",
    "too_long": "長すぎ",
    "refused": "誤り",
    "defaulted": "ﾃﾞﾌｫﾙﾄ",
    "created": "新規",
    "changed": "変更",
    "cleared": "消去",
    "same": "同じ",
    "left": "そのまま",
    "unsure": "不明",
}
HOLDS_UNKNOWN = "保留になるかどうかは、誤りを直した後に分かります。"


def read_in_words(read: SourceRead | None, *, emc_asked: bool, stopped: bool) -> str:
    """What was compared with what; `stopped`: not to the end, whatever was to be asked of EMC."""
    if read is None:
        return "SmartHRの受信の前に止まりました。"
    at = dt.datetime.fromisoformat(read.at).astimezone(TOKYO)
    smarthr = "SmartHRを今受信しました" if read.live else f"保存先の受信({at:%Y-%m-%d %H:%M}、{read.run})で試しました"
    if stopped:
        return f"{smarthr}。EMCの登録内容と比べ終わる前に止まりました。"
    emc = "EMCの現在の登録内容と比べました" if emc_asked else "EMCは前回確定した内容のままとみなしました"
    return f"{smarthr}。{emc}。"


def effect_in_words(effect: SheetEffect) -> str:
    """What changes only because of the sheet."""
    parts = [
        (effect.people, "名の値が変わります"),
        (effect.listed, "名が新たに連携の対象になります"),
        (effect.unlisted, "名が連携の対象から外れます"),
        (effect.renamed, "名のユーザIDが変わります"),
        (effect.departments, "部署の値が変わります"),
    ]
    told = [f"{count:,}{text}" for count, text in parts if count]
    return "シートの違いだけによる変化: " + ("、".join(told) or "ありません") + "。"


def sent_in_words(value: str | None) -> str:
    return "(書き込まない)" if value is None else value or "(空白にする)"


def emc_in_words(value: str | None) -> str:
    return "(不明)" if value is None else value or "(空白)"
