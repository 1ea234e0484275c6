"""The 連携設定シート as a form: 連携情報 line by line, 項目定義 as a table that offers only what is legal (S2)."""

from __future__ import annotations

from collections.abc import Mapping as Dict

from renkei.links.smarthr_emc.sheet import policy
from renkei.links.smarthr_emc.sheet.edited import CELLS, LINKED, cells_of, edited
from renkei.links.smarthr_emc.sheet.excel.template import conversion_words
from renkei.links.smarthr_emc.sheet.items import USER_ITEMS, Item
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.links.smarthr_emc.sheet.policy import Place
from renkei.links.smarthr_emc.sheet.setting_kinds import DATE, TIME
from renkei.links.smarthr_emc.sheet.settings import SETTINGS
from renkei.sheets.review import Review
from renkei.web.sheet_facts import FormField, FormLine, FormTable, SheetForm

_TITLES = ("連携有無", "SmartHR項目", *(place.value for place in Place), "変換")
_DATED = {id(DATE): "date", id(TIME): "time"}


def form(mapping: Mapping) -> SheetForm:
    """What the sheet says, each cell with all that it may say where that is a list."""
    values = cells_of(mapping)
    fields = [
        FormField(f"setting.{number}", one.label, one.note, one.needed, ("", *one.kind.words) if one.kind.words else (),
                  _DATED.get(id(one.kind), ""))
        for number, one in enumerate(SETTINGS)
    ]  # fmt: skip
    fields += [
        FormField("department.name", "部署名", "SmartHRの部署名、または部署名(階層)", True),
        FormField("department.yomi", "部署名(ヨミ)", "固定値「…」", True),
    ]
    lines = [
        FormLine(item.name, [_cell(item, cell) for cell in CELLS]) for item in USER_ITEMS if item.key != "operation"
    ]
    return SheetForm(fields, values, [FormTable("ユーザデータ", ("エマージェンシーコール項目", *_TITLES), lines)])


def _cell(item: Item, cell: str) -> FormField:
    name, label = f"user.{item.key}.{cell}", _TITLES[CELLS.index(cell)]
    if cell == "linked":
        return FormField(name, label, words=(LINKED,) if item.required else ("", LINKED))
    if cell == "source":
        return FormField(name, label)
    if cell == "convert":
        words = conversion_words(item)
        return FormField(name, label) if words else FormField(name, label, words=("",))
    words, strict = policy.words(item, list(Place)[CELLS.index(cell) - 2])
    return FormField(name, label, words=words if strict else (), offers=words)


def formed(review: Review, given: Dict[str, str], suffix: str) -> bytes:
    """The reviewed sheet with what was filled in, in the form of `suffix`."""
    assert isinstance(review.mapping, Mapping)
    return edited(review.mapping, given, suffix)
