"""SmartHR連携設定 as text 1 asks for it: what a new company fills in, and its first 連携設定シート (S2, S3).

項目定義 begins as text 1's example has it, and is changed like any other sheet afterwards.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from renkei.links.smarthr_emc.sheet.excel.template import blank, draw
from renkei.links.smarthr_emc.sheet.expression import NO_SOURCE, format_constant
from renkei.links.smarthr_emc.sheet.raw import RawRow, RawSheet, placeless
from renkei.links.smarthr_emc.sheet.setting_kinds import MAX_DEPARTMENT_ID, MAX_RESULT_ADDRESSES, read_url
from renkei.links.smarthr_emc.sheet.settings import SETTING, SETTINGS
from renkei.sheets.workbook.drawing import steady
from renkei.texts import Fault, mail_addresses, narrow, trim

MAX_USER_ID = 40  # with prefix, as MAX_DEPARTMENT_ID; text 1, マルチテナント連携 1
USER_IDS = ("社員番号", "メールアドレス")  # text 1, ▼ユーザデータ
ROOT = ("root_department.id", "root_department.name", "root_department.yomi")
KEYS = ("company_name", "smarthr_url", "emc_account", "id_prefix", *ROOT, "result_addresses", "link_start_on")
PASSWORDS = {
    "secret": "全員に共通の初期パスワード（接続「first_password__会社のID」に登録します）",
    "社員番号": "社員番号（ほかの人にも分かります）",
}
FIELDS = (*KEYS, "user_id", "password", "department_yomi")
SAMPLE = "123456789"  # text 1's
_NEEDED = ("company_name", "smarthr_url", "result_addresses", "link_start_on", "user_id", "password", "department_yomi")
_LABELS = {
    "result_addresses": "結果通知メールアドレス",
    "user_id": "ユーザID",
    "password": "パスワード",
    "department_yomi": "部署名（ヨミ）として使う文字",
}
_USERS = {  # of text 1's example: where a value comes from
    "パスワード強制変更": NO_SOURCE,
    "氏名": "氏名",
    "氏名(ヨミ)": "氏名(ヨミガナ)",
    "所属部署コード": "部署1",
    "緊急連絡1 媒体": "固定値「メールアドレス」",
    "緊急連絡1 アドレス": "メールアドレス",
}
_POLICIES = {"パスワード強制変更": ("登録", "デフォルト:T", "更新", "更新しない")}


@dataclass(frozen=True, slots=True)
class IdSample:
    """An id as EMC will have it, and how much of its room it takes."""

    what: str
    source: str
    shown: str
    most: int

    @property
    def length(self) -> int:
        return len(self.shown)

    @property
    def fits(self) -> bool:
        return self.length <= self.most


def samples(given: Mapping[str, str]) -> list[IdSample]:
    """What ID付与コード does to ids (E24, E26): text 1's own sample, and the 親部署 that is asked for."""
    prefix = narrow(given.get("id_prefix", ""))
    found = [
        IdSample("ユーザID", SAMPLE, prefix + SAMPLE, MAX_USER_ID),
        IdSample("部署ID", "001", f"{prefix}001", MAX_DEPARTMENT_ID),
    ]
    if root := trim(given.get(ROOT[0], "")):
        found.append(IdSample("親部署の部署ID", root, prefix + root, MAX_DEPARTMENT_ID))
    return found


def faults(given: Mapping[str, str], allowed_hosts: Sequence[str] = ()) -> dict[str, Fault]:
    """What is wrong with what was filled in, by field, as far as a field tells it alone."""
    found = {}
    for key in FIELDS:
        text = given.get(key, "")
        try:
            if trim(text):
                _read(key, text, allowed_hosts)
            elif key in _NEEDED or (key in ROOT and any(trim(given.get(one, "")) for one in ROOT)):
                label = _LABELS.get(key) or SETTING[key].label
                why = "親部署は3項目とも記入してください" if key in ROOT else "記入してください"
                raise Fault(f"{label}が記入されていません", why)
        except Fault as fault:
            found[key] = fault
    for one in samples(given):
        if not one.fits:
            key = ROOT[0] if one.source == trim(given.get(ROOT[0], "")) else "id_prefix"
            said = f"{one.what}がID付与コードを含めて{one.length}文字になります"
            found.setdefault(key, Fault(said, f"{one.most}文字以内にしてください"))
    return found


def _read(key: str, text: str, allowed_hosts: Sequence[str]) -> None:
    if key == "smarthr_url":
        read_url(text, allowed_hosts)
    elif key == "result_addresses":
        count = len(mail_addresses(text))
        if count > MAX_RESULT_ADDRESSES:
            raise Fault(f"{count}件あります", f"{MAX_RESULT_ADDRESSES}件以内にしてください")
    elif key in ("user_id", "password"):
        if text not in (USER_IDS if key == "user_id" else PASSWORDS):
            raise Fault("選べない項目です", "選び直してください")
    elif key in KEYS:
        SETTING[key].kind.read(text)
    elif "」" in text or len(text) > 40:
        raise Fault("使えない文字があるか、長すぎます", "「ブショ」のように記入してください")


def first_sheet(given: Mapping[str, str]) -> bytes:
    """The workbook that says it; `given` has no faults. The same answers give the same bytes: sent twice, they are one sheet."""
    form, addresses = blank(), list(mail_addresses(given.get("result_addresses", "")))
    settings = []
    for setting, line in zip(SETTINGS, form.settings or (), strict=True):
        text = trim(given.get(setting.key, "")) if setting.key in KEYS else ""
        if setting.key == "result_addresses":
            text = addresses.pop(0) if addresses else ""
        settings.append(dataclasses.replace(line, value=placeless(text)))
    departments = [
        dataclasses.replace(row, source=placeless(format_constant(trim(given["department_yomi"]))))
        if row.item.text == "部署名(ヨミ)"
        else row
        for row in form.departments or ()
    ]
    password = given["password"] if given["password"] != "secret" else f"秘密:first_password__{given['tenant']}"
    sources = {"ユーザID": given["user_id"], "パスワード": password, **_USERS}
    users = [_linked(row, sources) for row in form.users or ()]
    return _drawn(dataclasses.replace(form, settings=(*settings,), departments=(*departments,), users=(*users,)))


def _linked(row: RawRow, sources: Mapping[str, str]) -> RawRow:
    name = row.item.text
    if name not in sources:
        return row
    names = ("create_present", "create_blank", "update_present", "update_blank")
    words: dict[str, Any] = {key: placeless(word) for key, word in zip(names, _POLICIES.get(name, ()), strict=False)}
    return dataclasses.replace(row, linked=placeless("○"), source=placeless(sources[name]), **words)


def _drawn(raw: RawSheet) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sheet.xlsx"
        draw(path, raw)
        return steady(path.read_bytes())
