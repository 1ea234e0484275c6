"""連携情報: its lines, and what each of them may say (text 5, Step1; K13, K14)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from renkei.links.hotprofile_kintone.form_check import app_id_fault
from renkei.links.hotprofile_kintone.items import has_item
from renkei.links.hotprofile_kintone.sheet.mapping import AT_ONCE, DAILY_REQUESTS, DATA_SETS, INTERVALS
from renkei.sheets.information import (
    COMPANY_NAME,
    OFF,
    ON,
    RESULT_ADDRESSES,
    Information,
    Setting,
    count,
    date,
    line,
    switch,
)
from renkei.systems.kintone.hosts import is_kintone_url
from renkei.texts import Fault, narrow, trim

MAX_AT_ONCE = 100  # of a domain, for all of its clients; text 5
INTERVAL_WORDS = {
    5: "5分",
    30: "30分",
    60: "1時間",
    180: "3時間",
    360: "6時間",
    720: "12時間",
    1440: "24時間",
}  # text 5, Q4


def domain(text: str, allowed_hosts: Collection[str] = ()) -> str:
    """サブドメイン as an address: `https://example.cybozu.com`; a bare `example` is taken for it.

    Raises:
        Fault: it is none of kintone's, nor one of the operator's stand-ins.
    """
    plain = narrow(text).rstrip("/").lower()
    if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", plain):
        plain = f"https://{plain}.cybozu.com"
    elif "://" not in plain:
        plain = f"https://{plain}"
    path = re.fullmatch(r"(https?://[^/?#]+)([/?#].*)?", plain)
    if path and is_kintone_url(path[1], allowed_hosts):
        if not path[2]:
            return path[1]
        raise Fault("サブドメインに、アドレスの続きが記入されています", f"「{path[1]}」とだけ記入してください")
    raise Fault("kintoneのサブドメインではありません", "「https://(サブドメイン).cybozu.com」の形で記入してください")


def _digits(text: str) -> str:
    plain = narrow(text)
    if not re.fullmatch(r"[1-9][0-9]{0,9}", plain):
        raise Fault(
            "ゲストスペースIDが数字ではありません", "ゲストスペースのURLの /k/guest/ の後の数字を記入してください"
        )
    return plain


def _interval(text: str) -> int:
    plain = narrow(text).replace(" ", "")
    number = re.fullmatch(r"([0-9]{1,4})(分|時間)?", plain)
    minutes = int(number[1]) * (60 if number[2] == "時間" else 1) if number else 0
    if minutes not in INTERVALS:
        raise Fault(
            "連携間隔が選べる値ではありません", f"{'、'.join(INTERVAL_WORDS.values())} のいずれかを記入してください"
        )
    return minutes


def _app(text: str) -> str:
    if fault := app_id_fault(text):
        raise fault
    return narrow(text)


def _item_of(data_set: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        name = trim(text)
        if not has_item(data_set, name):
            raise Fault(f"「{name}」という項目はHot Profileにありません", "項目の名前を確認してください")
        return name

    return read


def _of_data_set(name: str, label: str) -> tuple[Setting, ...]:
    return (
        Setting(
            f"{name}.enabled",
            f"{label}情報の連携を行う",
            switch,
            f"{ON} または {OFF}。空白なら{OFF}。最初は1件テストに合格してから有効になります",
            aliases=(f"{label}の連携を行う", f"{label}連携"),
            words=(ON, OFF),
        ),
        Setting(
            f"{name}.app",
            f"{label}のアプリID",
            _app,
            "数字だけ。URLが https://xxx.cybozu.com/k/123/ なら 123",
            aliases=(f"{label}アプリID",),
        ),
        Setting(
            f"{name}.old_key",
            f"{label}の旧キー",
            _item_of(name),
            "データクレンジングで置き換わる前の更新キーを持つ項目（使う場合だけ）",
        ),
    )


SETTINGS: tuple[Setting, ...] = (
    COMPANY_NAME,
    Setting(
        "domain",
        "サブドメイン",
        domain,
        "必須。例: https://example.cybozu.com",
        True,
        ("kintone URL", "kintoneのURL", "ドメイン"),
    ),
    Setting("guest_space", "ゲストスペースID", _digits, "アプリがゲストスペースにある場合だけ"),
    Setting(
        "user", "連携ユーザー", line, "必須。このユーザーが参照できるリードを連携します", True, ("ユーザー", "ユーザ")
    ),
    Setting(
        "interval_minutes",
        "連携間隔",
        _interval,
        "必須",
        True,
        ("実行スケジュール", "間隔"),
        tuple(INTERVAL_WORDS.values()),
    ),
    Setting("link_start_on", "連携開始日", date, "空白なら、連携を行うにした日から", dated=True),
    RESULT_ADDRESSES,
    Setting(
        "daily_requests", "1日のAPIリクエスト数の上限", count(100_000), f"1アプリあたり。空白なら{DAILY_REQUESTS:,}"
    ),
    Setting("at_once", "同時アクセス数", count(MAX_AT_ONCE), f"kintoneのドメインあたり。空白なら{AT_ONCE}"),
    *(setting for name, label in DATA_SETS.items() for setting in _of_data_set(name, label)),
)
INFORMATION = Information(SETTINGS)
