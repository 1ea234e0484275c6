"""The 連携設定シート of LINE WORKS → KING OF TIME as types, whatever form it was written in.

Words and accounts are not in it: they change daily and are in force at once (docs/decisions/0019).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

RUNS_AT = (dt.time(10, 5), dt.time(18, 35))  # Japan: when KING OF TIME may be read again (P19)
DOUBLE_PRESS_S = 60  # P13
DOUBLE_PRESS_MOST_S = 600
MAX_CODE = 20  # characters of a 所属コード or 雇用区分コード


@dataclass(frozen=True, slots=True)
class Mapping:
    """One tenant's link.

    `boundaries` is 日付変更時間 by 所属コード: nobody of a 所属 that is not in it can punch (P10, it has no default).
    `no_break_types` are the codes of 雇用区分 whose people may not punch 休憩 (P8).
    """

    tenant: str
    company: str  # 会社名
    boundaries: dict[str, dt.time]
    bot_id: str = ""  # empty: the Connection's own
    breaks: bool = False  # 休憩打刻「表示する」 (P7)
    outings: bool = False  # 外出打刻
    no_break_types: frozenset[str] = field(default=frozenset())
    replies: bool = True  # 返信: the bot answers each punch (P16)
    double_press_s: int = DOUBLE_PRESS_S
    exact: bool = False  # 完全一致: a message is a word and nothing else (P9)
    groups: bool = False  # punches in group talks count, too (P11)
    silence_at: dt.time | None = None  # when nobody having punched on a working day is told (P19)
    result_addresses: tuple[str, ...] = ()
    link_start_on: dt.date | None = None
