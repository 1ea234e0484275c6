"""連携情報: the lines that a sheet says its settings in, whichever link it is of.

A link lists its `Setting`s; a workbook has them under their labels, YAML under their keys.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from renkei.errors import Problem
from renkei.sheets.findings import Findings
from renkei.sheets.yaml_tree import Node
from renkei.texts import Fault, RawCell, control_fault, fold, mail_addresses, narrow, nearest, trim

MAX_RESULT_ADDRESSES = 5
MAX_COMPANY_NAME = 40  # it stands in the subject of a mail
ON, OFF = "する", "しない"
_SWITCH = {
    **dict.fromkeys((fold(ON), "true", "○", "有効"), True),
    **dict.fromkeys((fold(OFF), "false", "×", "無効"), False),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One line. `key` is its path in YAML and in the link's mapping."""

    key: str
    label: str
    read: Callable[[str], Any]  # raises Fault
    note: str = ""  # beside it in the workbook
    needed: bool = False
    aliases: tuple[str, ...] = ()
    words: tuple[str, ...] = ()  # all that it may say
    dated: bool = False  # a day or a time, which a workbook may show in any words


@dataclass(frozen=True, slots=True)
class RawSetting:
    """A line as it was read: its label in a workbook, its key in YAML."""

    name: RawCell
    value: RawCell
    remarks: tuple[Problem, ...] = ()


class Information:
    """The settings of one link's sheets."""

    def __init__(self, settings: Sequence[Setting]) -> None:
        self.settings = settings
        self.by_key = {setting.key: setting for setting in settings}
        self.by_name = {
            fold(name): setting for setting in settings for name in (setting.key, setting.label, *setting.aliases)
        }

    def is_dated(self, name: str) -> bool:
        setting = self.by_name.get(fold(name))
        return setting is not None and setting.dated

    def read(
        self,
        rows: Sequence[RawSetting],
        file_name: str,
        findings: Findings,
        readers: Mapping[str, Callable[[str], Any]] | None = None,
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """The values by key, and where each stands; `readers` take the place of the settings' own.

        What is a tuple may stand in several lines. `result_addresses` is always there.
        """
        values: dict[str, Any] = {}
        places: dict[str, str] = {}
        for row in rows:
            setting = self.by_name.get(fold(row.name.text))
            if setting is None:
                self._unknown(row, findings)
                continue
            if not trim(row.value.text):
                places.setdefault(setting.key, row.value.where)
                continue
            findings.warnings += row.remarks
            if setting.key in values and not isinstance(values[setting.key], tuple):
                found = f"{setting.label}が2か所に記入されています"
                findings.problem(row.value.where, found, "どちらか1つを空白にしてください")
                continue
            places[setting.key] = row.value.where
            cell = row.value
            if setting.dated and cell.exact:  # whatever form Excel shows it in
                cell = dataclasses.replace(cell, text=cell.exact)
            value = findings.read((readers or {}).get(setting.key, setting.read), cell)
            if value is not None:
                values[setting.key] = values.get(setting.key, ()) + value if isinstance(value, tuple) else value
        self._missing(values, places, file_name, findings)
        addresses = tuple(dict.fromkeys(values.get("result_addresses", ())))
        if len(addresses) > MAX_RESULT_ADDRESSES:
            found = f"通知先メールアドレスが{len(addresses)}件あります"
            findings.problem(places["result_addresses"], found, f"{MAX_RESULT_ADDRESSES}件以内にしてください")
        values["result_addresses"] = addresses[:MAX_RESULT_ADDRESSES]
        return values, places

    def _missing(
        self, values: Mapping[str, Any], places: Mapping[str, str], file_name: str, findings: Findings
    ) -> None:
        filled = {place for key, place in places.items() if key not in values}  # blank, or wrong and told already
        told = {problem.where for problem in findings.problems}
        for setting in self.settings:
            place = places.get(setting.key, f"{file_name} 連携情報")
            if setting.needed and setting.key not in values and not (place in filled and place in told):
                found = f"{setting.label}が記入されていません"
                findings.problem(place, found, f"{setting.label}は必須です。記入してください")

    def _unknown(self, row: RawSetting, findings: Findings) -> None:
        if trim(row.value.text):  # a blank one is a heading between the lines
            known = nearest(row.name.text, [setting.label for setting in self.settings])
            found = f"「{trim(row.name.text)}」という連携情報の項目はありません"
            findings.problem(row.name.where, found, known or "項目名を確認するか、行を削除してください")


def raw_of(key: str, node: Node) -> Iterator[RawSetting]:
    """The lines of a key of YAML; addresses may be a list."""
    for one in node.items() if key == "result_addresses" and node.is_list() else (node,):
        yield RawSetting(RawCell(key, one.where), one.cell())


def broken_sheet_parts(values: Mapping[str, Any]) -> dict[str, Any]:
    """What it still says of its Dag and of whom to tell, as parts of a `Compiled`."""
    return {
        name: values[name] for name in ("result_addresses", "link_start_on", "company_name", "run_at") if name in values
    }


# -- what a value may be --------------------------------------------------------------------------------------------------


def line(text: str) -> str:
    """Any text of one line."""
    if fault := control_fault(text, "この項目"):
        raise fault
    return trim(text)


def company(text: str) -> str:
    name = line(text)
    if len(name) > MAX_COMPANY_NAME:
        raise Fault(f"会社名が{len(name)}文字あります", f"{MAX_COMPANY_NAME}文字以内で記入してください")
    return name


def switch(text: str) -> bool:
    """する or しない."""
    if fold(text) not in _SWITCH:
        raise Fault(f"「{trim(text)}」は使えない言葉です", f"{ON} または {OFF} と記入してください")
    return _SWITCH[fold(text)]


def choice(yes: str, no: str) -> Callable[[str], bool]:
    """Reads one of two words, or する and しない."""
    words = {fold(yes): True, fold(no): False}

    def read(text: str) -> bool:
        said = words.get(fold(text))
        if said is not None:
            return said
        try:
            return switch(text)
        except Fault as fault:
            raise Fault(fault.found, f"{yes} または {no} と記入してください") from None

    return read


def count(most: int, least: int = 1) -> Callable[[str], int]:
    """A whole number from `least` to `most`."""

    def read(text: str) -> int:
        plain = narrow(text).replace(",", "")
        number = int(plain) if re.fullmatch(r"[0-9]{1,9}", plain) else -1
        if not least <= number <= most:
            raise Fault(f"「{trim(text)}」は使えない値です", f"{least:,}から{most:,}までの整数を記入してください")
        return number

    return read


def date(text: str) -> dt.date:
    found = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", narrow(text))
    try:
        if found:
            return dt.date(*map(int, found.groups()))
    except ValueError:
        pass
    raise Fault(f"「{trim(text)}」は日付ではありません", "「2026-04-01」の形で記入してください")


def clock_time(text: str) -> dt.time:
    """5:00, 05:00:00, 5時, 5時30分."""
    found = re.fullmatch(r"(\d{1,2})(?:[:時](\d{1,2})?分?)(?::00)?", narrow(text))
    try:
        if found:
            return dt.time(int(found[1]), int(found[2] or 0))
    except ValueError:
        pass
    raise Fault(f"「{trim(text)}」は時刻ではありません", "「05:00」の形（24時間制）で記入してください")


COMPANY_NAME = Setting(
    "company_name",
    "会社名",
    company,
    "結果通知の件名に入ります。空白ならこのファイルの名前",
    aliases=("会社", "貴社名"),
)
LINK_START_ON = Setting("link_start_on", "連携開始日", date, "空白なら、シートを置いた日から", dated=True)
RESULT_ADDRESSES = Setting(
    "result_addresses",
    "通知先メールアドレス",
    mail_addresses,
    f"必須。{MAX_RESULT_ADDRESSES}件まで（読点や改行で並べます）",
    True,
    ("結果通知先メールアドレス", *(f"通知先メールアドレス{n}" for n in range(1, MAX_RESULT_ADDRESSES + 1))),
)
