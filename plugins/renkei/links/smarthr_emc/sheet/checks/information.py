"""Warnings of 連携情報, by itself and together with the lines (E1, E23, E34, E35)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from collections.abc import Mapping as Dict
from typing import Any

from renkei.errors import Problem
from renkei.links.smarthr_emc.sheet.checks.lines import MAX_USER_ID, Rules, fields_of
from renkei.links.smarthr_emc.sheet.mapping import Guards
from renkei.links.smarthr_emc.sheet.setting_kinds import MAX_DEPARTMENT_ID
from renkei.links.smarthr_emc.sheet.settings import SettingCells
from renkei.texts import fold

MAIL_USUAL = 32  # characters that most mail addresses fit into
DEPARTMENT_CODE_USUAL = 15
SMARTHR_SINCE = dt.date(2015, 11, 18)
LATEST_START = dt.date(2100, 1, 1)
STATUS_FLIP_DONE = dt.time(2, 0)  # SmartHR changes 在籍状況 at 1:00
FREE_MAIL = {
    *("gmail.com", "yahoo.co.jp", "ymail.ne.jp", "outlook.jp", "outlook.com", "hotmail.com", "hotmail.co.jp"),
    *("live.jp", "icloud.com", "me.com", "docomo.ne.jp", "ezweb.ne.jp", "au.com", "softbank.ne.jp", "i.softbank.jp"),
}
_EXAMPLE_HOSTS = ("example.smarthr.jp", "abcdefghijklmnopqrstuvwxyz.smarthr.jp", "sample.smarthr.jp")
_EXAMPLE_DOMAINS = ("example.com", "example.jp", "example.co.jp")


def sheet_warnings(rules: Rules, settings: Dict[str, Any], cells: SettingCells) -> list[Problem]:
    """What is doubtful in 連携情報, by itself and together with the lines."""
    return [
        *_address_warnings(settings, cells),
        *_time_warnings(settings, cells),
        *_prefix_warnings(rules, settings, cells),
        *_guard_warnings(settings.get("guards", Guards()), cells),
    ]


def _where(cells: SettingCells, key: str) -> str:
    return next((cell.where for cell in cells.get(key, ())), "")


def _address_warnings(settings: Dict[str, Any], cells: SettingCells) -> Iterator[Problem]:
    url = settings.get("smarthr_url", "")
    if url.removeprefix("https://") in _EXAMPLE_HOSTS:
        found = "SmartHR URLが記入例のままです"
        yield Problem(_where(cells, "smarthr_url"), found, "ご利用中のSmartHRのURLを記入してください")
    addresses = settings.get("result_addresses", ())
    seen: set[str] = set()
    for cell in cells.get("result_addresses", ()):
        text = fold(cell.text)
        if text in seen:
            yield Problem(
                cell.where, "結果通知先メールアドレスが2回記入されています", "どちらか1つを空白にしてください"
            )
        elif text.rpartition("@")[2] in _EXAMPLE_DOMAINS:
            found = "結果通知先メールアドレスが記入例のままです"
            yield Problem(cell.where, found, "結果を受け取る方のメールアドレスを記入してください")
        seen.add(text)
    if addresses and all(address.rpartition("@")[2].lower() in FREE_MAIL for address in addresses):
        found = "結果通知先が、個人向けのメールサービスだけです"
        remedy = "結果には社員のIDが載ります。会社のメールアドレスをお勧めします"
        yield Problem(_where(cells, "result_addresses"), found, remedy)


def _time_warnings(settings: Dict[str, Any], cells: SettingCells) -> Iterator[Problem]:
    start, run_at = settings.get("link_start_on"), settings.get("run_at")
    if start is not None and not SMARTHR_SINCE <= start < LATEST_START:
        found = f"連携開始日が{start.year}年です"
        yield Problem(_where(cells, "link_start_on"), found, "年の書き間違いがないか確認してください")
    if run_at is not None and run_at < STATUS_FLIP_DONE:
        found = f"処理時刻の{run_at:%H:%M}は、SmartHRの在籍状況が変わる1:00の前か直後です"
        remedy = "その日の退職者が翌日まで残ります。2:00より後をお勧めします(空白なら4:30)"
        yield Problem(_where(cells, "run_at"), found, remedy)


def _prefix_warnings(rules: Rules, settings: Dict[str, Any], cells: SettingCells) -> Iterator[Problem]:
    prefix, where = settings.get("id_prefix", ""), _where(cells, "id_prefix")
    if not prefix:
        return
    if prefix[0] in "=@+-":
        found = f"ID付与コードが「{prefix[0]}」で始まるので、表計算ソフトはIDを数式として実行します"
        remedy = "英数字で始めてください(連携開始後は変更できず、取込方式がファイルでは登録できません)"
        yield Problem(where, found, remedy)
    rule = rules.get("user_id")
    left = MAX_USER_ID - len(prefix)
    if rule and left < MAIL_USUAL and any("メールアドレス" in fields_of(terms) for terms in rule.source.alternatives):
        found = f"ID付与コードが{len(prefix)}文字あるので、メールアドレスが{left}文字を超える人は登録できません"
        yield Problem(where, found, "ID付与コードを短くするか、ユーザIDを社員番号にすることをお勧めします")
    elif MAX_DEPARTMENT_ID - len(prefix) < DEPARTMENT_CODE_USUAL:
        found = f"ID付与コードが{len(prefix)}文字あるので、部署コードが{MAX_DEPARTMENT_ID - len(prefix)}文字を超えると登録できません"
        yield Problem(where, found, "ID付与コードを短くすることをお勧めします")


def _guard_warnings(guards: Guards, cells: SettingCells) -> Iterator[Problem]:
    """Limits that keep a guard from ever working (E34, E35)."""
    remedy = "間違った大量の変更を止められません。空白(初期値)に戻すことをお勧めします"
    for key, what in (
        ("delete_users_percent", "社員の削除は、割合では保留になりません"),
        ("delete_departments_percent", "部署の削除は保留になりません"),
        ("lost_contact_percent", "連絡先が無くなる人が何人いても保留になりません"),
        ("clear_percent", "何人の値が空白になっても保留になりません"),
    ):
        if getattr(guards, key) >= 100:
            yield Problem(_where(cells, f"guards.{key}"), f"100%なので、{what}", remedy)
    if guards.delete_users_least > guards.delete_users_most:
        key = "guards.delete_users_least" if "guards.delete_users_least" in cells else "guards.delete_users_most"
        found = "最少人数が最多人数より多いので、割合では保留になりません"
        yield Problem(_where(cells, key), found, "最少人数を最多人数より少なくしてください")


def start_warnings(start: dt.date, today: dt.date, where: str) -> Iterator[Problem]:
    """連携開始日 far from the day on which the sheet is looked at."""
    if start < LATEST_START and (start - today).days > 366:
        found = f"連携開始日が1年以上先({start.isoformat()})です"
        yield Problem(where, found, "年の書き間違いがないか確認してください")
