"""The worksheet SmartHR項目一覧: every name that a source may have, the customer's own items too (E17)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from openpyxl.workbook.defined_name import DefinedName

from renkei.links.smarthr_emc.sheet.catalogue import ALIASES, CATALOGUE, COMPOSITES
from renkei.links.smarthr_emc.sheet.catalogue_notes import CATALOGUE_NOTES
from renkei.links.smarthr_emc.sheet.excel.layout import ITEM_LIST, ITEM_NAMES
from renkei.links.smarthr_emc.sheet.expression import NO_SOURCE, format_source
from renkei.links.smarthr_emc.sheet.mapping import CustomField, Source
from renkei.sheets.workbook import drawing
from renkei.sheets.workbook.drawing import HEADER

_KINDS = {
    "string": "1行テキスト",
    "text": "複数行テキスト",
    "date": "日付",
    "enum": "ドロップダウン",
    "number": "数値",
    "file": "ファイル",
}


@dataclass(frozen=True, slots=True)
class CustomFieldInfo:
    """A customer's own SmartHR item: `kind` is SmartHR's code (`enum`) or any word; `choices` the labels of an enum."""

    name: str
    kind: str
    choices: tuple[str, ...] = ()


def item_list(book: Any, custom_fields: Iterable[CustomFieldInfo]) -> None:
    """Every name that a source may have, and the range that the drop-downs show."""
    sheet = book.create_sheet(ITEM_LIST)
    drawing.heading(sheet, 1, "SmartHR項目一覧: ユーザデータの「SmartHR項目」に使える名前", size=14)
    text = f"お客様が作った項目は「カスタム項目:項目名」と記入します。値を連携しない場合は「{NO_SOURCE}」と記入します。"
    drawing.remark(sheet, 2, text)
    drawing.line(sheet, 3, ("分類", "項目名", "意味", "値の例", "同じ意味の名前"), HEADER, bold=True)
    lines = [*_catalogue_lines(), *map(_custom_line, custom_fields)]
    for number, line in enumerate(lines, 4):
        drawing.line(sheet, number, line)
    place = f"'{ITEM_LIST}'!$B$4:$B${len(lines) + 3}"
    book.defined_names[ITEM_NAMES] = DefinedName(ITEM_NAMES, attr_text=place)
    drawing.finish(sheet, (12, 36, 54, 30, 38), header=(3, 3), start="B4")


def _catalogue_lines() -> list[tuple[str, ...]]:
    aliases: dict[str, list[str]] = {name: [] for name in (*CATALOGUE, *COMPOSITES)}
    for alias, name in ALIASES.items():
        aliases[name].append(alias)
    return [
        (line.group, line.name, line.meaning, line.example, "、".join(aliases[line.name])) for line in CATALOGUE_NOTES
    ]


def _custom_line(field: CustomFieldInfo) -> tuple[str, ...]:
    name = format_source(Source(((CustomField(field.name),),)))
    return (
        "カスタム項目",
        name,
        f"お客様が作った項目({_KINDS.get(field.kind, field.kind)})",
        "、".join(field.choices),
        "",
    )
