"""The 連携設定シート of WORKPLACE → LINE WORKS as types, whatever form it was written in: カレンダー登録 and メッセンジャー通知."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

INTERVALS = (5, 10, 15, 30, 60)  # minutes
CHANNELS = {
    "lineworks": "LINE WORKS",
    "slack": "Slack",
    "google_chat": "Google Chat",
    "line": "LINE",
}  # メッセンジャー (W1, text 3)
EVENTS = {
    "requested": "申請",
    "approved": "承認",
    "rejected": "却下",
    "returned": "差し戻し",
    "withdrawn": "取り下げ",
    "completed": "決裁完了",
    "referenced": "参照",
    "commented": "コメント",
}  # 通知項目: kinds of a workflow's events. WORKPLACE's own list is not public (docs/assumptions.md)
STALE_AFTER_H = 24  # W5
HELD_PERCENT = 10  # C9, as E34
MAX_KIND, MAX_TITLE = 100, 100  # characters; LINE WORKS takes 200 of a summary

Hours = tuple[dt.time, dt.time]  # from, to


@dataclass(frozen=True, slots=True)
class Mapping:
    """One tenant's link; both parts are 使用しない unless the sheet says otherwise (C1, W1).

    `titles` is the title of an event by 不在の種類, for those that are not to be called like their kind. `morning` and
    `afternoon` have no default: without them an absence of half a day is refused and listed (C6).
    """

    tenant: str
    company: str  # 会社名
    interval_minutes: int = 5
    calendar: bool = False  # カレンダー登録「使用する」
    kinds_shown: bool = False  # 予定名: the kind of the absence, else 「不在」 alone (C7)
    titles: dict[str, str] = field(default_factory=dict)
    public: bool = True  # 公開設定: PUBLIC, else PRIVATE (C7)
    applied_shown: bool = False  # 申請中 as an event that keeps nobody's time occupied (C4)
    morning: Hours | None = None  # 午前の時間帯
    afternoon: Hours | None = None
    restore: bool = True  # an event that was changed by hand: 戻す, else 残す (C8)
    reconcile: bool = True  # 照合 by itself every night (C8)
    held_percent: int = HELD_PERCENT  # 保留する取消の割合 (C9)
    messengers: dict[str, bool] = field(default_factory=dict)  # by CHANNELS: 使用する
    table: dict[str, frozenset[str]] = field(default_factory=dict)  # 通知管理: by EVENTS, the channels (W1)
    stale_after_h: int = STALE_AFTER_H  # older events are summed up (W5)
    result_addresses: tuple[str, ...] = ()
    link_start_on: dt.date | None = None

    def uses(self, channel: str) -> bool:
        return self.messengers.get(channel, False)
