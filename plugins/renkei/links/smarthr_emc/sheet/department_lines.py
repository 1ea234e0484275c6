"""部署データ: its lines as `DepartmentRules` (E13, E21)."""

from __future__ import annotations

from functools import partial

from renkei.links.smarthr_emc.sheet.expression import UnknownItemFault, format_constant, parse_source
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEM
from renkei.links.smarthr_emc.sheet.line_words import DITTO, is_constant, is_linked, twice, unknown_line
from renkei.links.smarthr_emc.sheet.mapping import Constant, DepartmentRules, Source, SourceField
from renkei.links.smarthr_emc.sheet.names import department_item
from renkei.links.smarthr_emc.sheet.raw import RawRow
from renkei.sheets.findings import Findings
from renkei.texts import Fault, control_fault, fold, trim

_SOURCES = {
    "department_id": ("部署コード",),
    "name": ("部署名", "部署名(階層)"),
    "parent_id": ("親部署コード",),
}
_YOMI_REMEDY = f"『{format_constant('ブショ')}』のように、全部署に使うヨミを記入してください"


def read_departments(rows: tuple[RawRow, ...], part: str, findings: Findings) -> DepartmentRules:
    """What the lines say, with what is usual in place of what cannot be read; `part` is the table's place."""
    name: Source | None = None
    yomi: str | None = ""  # None: it is there, and cannot be read
    lines: dict[str, RawRow] = {}
    for row in rows:
        item = department_item(row.item.text)
        if item is None:
            known = [each.name for each in DEPARTMENT_ITEM.values() if each.key != "operation"]
            remedy = f"部署データの項目は {'、'.join(known)} だけです。この行を削除してください"
            unknown_line(row, "部署データ", remedy, findings)
            continue
        if item.key == "operation":
            continue
        if item.key in lines:
            twice(row.item, item.name, lines[item.key].item.where, findings)
            continue
        lines[item.key] = row
        findings.warnings += row.remarks
        linked = is_linked(row, findings)
        if item.key == "name_yomi":
            read = partial(_yomi, bare=is_constant(row)) if linked else lambda _: ""
            yomi = findings.read(read, row.source, ditto=DITTO)
        elif not linked:
            found = f"必須項目{item.name}が連携されていません"
            findings.problem((row.linked or row.source).where, found, "連携有無に○を記入してください")
        else:
            source = findings.read(partial(_source, key=item.key), row.source, ditto=DITTO)
            name = source if item.key == "name" else name
    if yomi == "":
        where = lines["name_yomi"].source.where if "name_yomi" in lines else part
        findings.problem(where, "部署名(ヨミ)の固定値が記入されていません", f"SmartHR項目に{_YOMI_REMEDY}")
    return DepartmentRules(name or Source(((SourceField("部署名"),),)), yomi or "")


def _yomi(text: str, *, bare: bool) -> str:
    """The constant; the `bare` text counts as one where 連携有無 says 固定値 (text 1's own form)."""
    text = trim(text)
    if not text:
        return ""
    if bare and not fold(text).startswith("固定値"):
        if fault := control_fault(text, "部署名(ヨミ)"):
            raise fault
        return text
    try:
        source = parse_source(text)
    except Fault as fault:
        if not isinstance(fault, UnknownItemFault):
            raise Fault(fault.found, _YOMI_REMEDY) from None
        found = f"部署名(ヨミ)の「{text}」は固定値として記入されていません"
        raise Fault(found, f"『{format_constant(text.strip('「」『』'))}』と記入してください") from None
    match source.alternatives:
        case ((Constant(found),),):
            return trim(found)
    raise Fault("部署名(ヨミ)は固定値だけを指定できます", f"SmartHRの部署にはヨミがありません。{_YOMI_REMEDY}")


def _source(text: str, key: str) -> Source:
    for name in _SOURCES[key]:
        if fold(text) == fold(name):
            return Source(((SourceField(name),),))
    choice = " または ".join(_SOURCES[key])
    name = DEPARTMENT_ITEM[key].name
    raise Fault(f"{name}に「{trim(text)}」は指定できません", f"{choice} と記入してください")
