"""Crews as SmartHR's JSON has them, one text column per source of the sheet (E17, E33).

Absent is not blank, and neither is what SmartHR's schema does not know: a blank may clear what EMC has, or delete a
person. Only null, an empty text, a slot without anything in it and a custom field that others have are blank.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from renkei.errors import IncompleteReadError
from renkei.links.smarthr_emc.sheet.catalogue import CATALOGUE, CatalogueItem
from renkei.links.smarthr_emc.sheet.mapping import CustomField, SourceField

Record = dict[str, Any]
Columns = MappingType[str, SourceField | CustomField]

STATUS = "emp_status"
CUSTOM = "custom_fields"
DEPARTMENTS = "departments"
# A custom field's value by the type of its template; SmartHR documents a decimal as a number and writes a text.
CUSTOM_VALUES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("string", "text", "date", "enum", "file"), (str,)),
    "decimal": (str, int, float),
}
AGAIN = "何も書き込んでいません。時間をおいて手動で再実行し、続く場合はSmartHRにお問い合わせください。"


def crew_columns(crews: Sequence[Record], columns: Columns, masters: MappingType[str, Any]) -> dict[str, list[str]]:
    """A text per crew and source, "" where it has no value. `masters` as fetch_departments gives them.

    The crews have passed `refuse_absent`.

    Raises:
        IncompleteReadError: a value of another type than SmartHR's, one that this version does not know, one that
            points to a record of a master list that was not received, or a custom field that no crew has.
    """
    customs = (
        [_custom_values(crew) for crew in crews]
        if any(isinstance(term, CustomField) for term in columns.values())
        else []
    )
    held = {key for values in customs for key in values}
    unheld = [
        name
        for name, term in columns.items()
        if isinstance(term, CustomField) and masters["custom_fields"][term.name]["id"] not in held
    ]
    if crews and unheld:
        raise _held_by_nobody(unheld)
    return {
        name: _custom_column(crews, customs, term.name, masters["custom_fields"][term.name])
        if isinstance(term, CustomField)
        else _column(crews, CATALOGUE[term.name], masters)
        for name, term in columns.items()
    }


def refuse_absent(crews: Sequence[Record], columns: Columns) -> None:
    """Stop when an attribute that was asked for has no key: for nobody (no permission), or not for everybody (torn).

    在籍状況 is always asked for. Of the keys of one item, any will do.

    Raises:
        IncompleteReadError: names the items.
    """
    items: dict[tuple[str, ...], list[str]] = {(STATUS,): ["在籍状況"]}
    for name, term in columns.items():
        keys = (CUSTOM,) if isinstance(term, CustomField) else CATALOGUE[term.name].fields
        items.setdefault(keys, []).append(name)
    lacking = {keys: [crew["id"] for crew in crews if not any(key in crew for key in keys)] for keys in items}
    hidden = [name for keys, names in items.items() if crews and len(lacking[keys]) == len(crews) for name in names]
    if hidden:
        names = "、".join(f"「{name}」" for name in dict.fromkeys(hidden))
        raise IncompleteReadError(
            f"SmartHRから従業員の項目{names}が1人分も届きません。アクセストークンに参照の許可がありません。"
            "SmartHRの「共通設定 > 外部システム連携 > アクセストークン」で、このトークンの従業員項目のアクセス許可に追加してから、"
            "手動で再実行してください。何も書き込んでいません。"
        )
    for keys, ids in lacking.items():
        if ids:
            raise IncompleteReadError(
                f"SmartHRの従業員{len(ids)}人（{ids[0]}など）に項目「{'、'.join(dict.fromkeys(items[keys]))}」"
                f"（{'または'.join(keys)}）がありません。完全なデータではありません。{AGAIN}"
            )


def _held_by_nobody(names: Sequence[str]) -> IncompleteReadError:
    """SmartHR lists a custom field with null where it is blank. Should it leave a blank one out, one value is a proof."""
    shown = "、".join(f"「{name}」" for name in names)
    return IncompleteReadError(
        f"SmartHRから従業員の項目{shown}が1人分も届きません。アクセストークンに参照の許可が無いか、"
        "まだ誰にも値が入力されていないため、空白とはみなしません。"
        "SmartHRの「共通設定 > 外部システム連携 > アクセストークン」で、このトークンの従業員項目のアクセス許可に追加してください。"
        "許可がある場合は、SmartHRで1人以上に値を入力するか、連携設定シートから外してください。そのうえで手動で再実行してください。"
        "何も書き込んでいません。"
    )


def _column(crews: Sequence[Record], item: CatalogueItem, masters: MappingType[str, Any]) -> list[str]:
    if item.join:
        names = masters[item.join]
        return [_establishment(crew, item, names) for crew in crews]
    values = [_value(crew, item) for crew in crews]
    if item.column[0] == DEPARTMENTS and DEPARTMENTS in masters:
        _refuse_strange_departments(crews, item, values, set(masters[DEPARTMENTS]))
    if not item.labels:
        return values
    for crew, value in zip(crews, values, strict=True):
        if value and value not in item.labels:
            raise unknown_value(crew["id"], item.name, value)
    return [item.labels[value] if value else "" for value in values]


def _refuse_strange_departments(
    crews: Sequence[Record], item: CatalogueItem, values: Sequence[str], received: AbstractSet[str]
) -> None:
    """Stop at a blank that belongs to a department which was not received; of those received, validate asks for a code."""
    slot = int(item.column[1])
    for crew, value in zip(crews, values, strict=True):
        of = crew[DEPARTMENTS][slot] if not value and slot < len(crew[DEPARTMENTS] or ()) else None
        if of is not None and of.get("id") not in received:
            raise _not_received(crew, item.name, "部署")


def _value(crew: Record, item: CatalogueItem) -> str:
    """What stands at the item's place; what is null on the way there is blank."""
    value: Any = crew
    for step in item.column:
        if value is None:
            return ""
        if isinstance(step, int):
            if type(value) is not list:
                raise _misshapen_item(crew, item)
            value = value[step] if step < len(value) else None
        elif type(value) is dict and step in value:
            value = value[step]
        else:
            raise _misshapen_item(crew, item)
    if value is None:
        return ""
    if type(value) is not str:
        raise _misshapen_item(crew, item)
    return value


def _establishment(crew: Record, item: CatalogueItem, names: MappingType[str, str]) -> str:
    """Its name. SmartHR writes either the establishment's id or the establishment itself."""
    key, whole = item.fields
    if crew.get(whole) is not None:
        return text(
            part(crew, whole, (dict,), "従業員", crew["id"], item.name), "name", "従業員", crew["id"], item.name
        )
    value = part({key: None, **crew}, key, (str,), "従業員", crew["id"], item.name)
    if value and value not in names:
        raise _not_received(crew, item.name, item.name)
    return names[value] if value else ""


def _not_received(crew: Record, item: str, master: str) -> IncompleteReadError:
    return IncompleteReadError(
        f"SmartHRの従業員（{crew['id']}）の「{item}」が、受信した{master}の一覧にありません"
        f"（受信中の変更、または{master}の削除）。{AGAIN}"
    )


def _custom_values(crew: Record) -> dict[str, Any]:
    """The crew's custom values by the id of their template."""
    found: dict[str, Any] = {}
    for field in part(crew, CUSTOM, (list,), "従業員", crew["id"]) or ():
        template = type(field) is dict and field.get("template")
        key = type(template) is dict and template.get("id")
        if type(key) is not str or "value" not in field or key in found:
            raise misshapen("従業員", crew["id"], CUSTOM)
        found[key] = field["value"]
    return found


def _custom_column(
    crews: Sequence[Record], customs: Sequence[Record], name: str, template: MappingType[str, Any]
) -> list[str]:
    key, kind, labels = template["id"], template["type"], template["labels"]
    cells = []
    for crew, values in zip(crews, customs, strict=True):
        value = values.get(key)
        if value is None:
            value = ""
        elif type(value) not in CUSTOM_VALUES[kind]:
            raise misshapen("従業員", crew["id"], f"カスタム項目:{name}")
        elif kind == "enum" and value:
            if value not in labels:
                raise IncompleteReadError(
                    f"SmartHRの従業員（{crew['id']}）の「カスタム項目:{name}」の値が、SmartHRの選択肢にありません"
                    "（選択肢の削除、または受信中の変更）。SmartHRでこの従業員の値を選び直してから、手動で再実行してください。"
                    "何も書き込んでいません。"
                )
            value = labels[value]
        cells.append(str(value))
    return cells


def part(record: Record, key: str, kinds: tuple[type, ...], label: str, record_id: str, item: str = "") -> Any:
    """`record[key]`: null, or a value of one of `kinds`. `item` names it to a person.

    Raises:
        IncompleteReadError: it is absent or something else.
    """
    if key not in record or not (record[key] is None or type(record[key]) in kinds):
        raise misshapen(label, record_id, item or key)
    return record[key]


def text(record: Record, key: str, label: str, record_id: str, item: str = "") -> str:
    """`record[key]` as a text, null as "". Raises: as `part`."""
    return part(record, key, (str,), label, record_id, item) or ""


def misshapen(label: str, record_id: str, item: str) -> IncompleteReadError:
    return IncompleteReadError(
        f"SmartHRの{label}（{record_id}）の項目「{item}」が、APIの形式どおりに届いていません。{AGAIN}"
    )


def _misshapen_item(crew: Record, item: CatalogueItem) -> IncompleteReadError:
    return misshapen("従業員", crew["id"], item.name)


def unknown_value(crew_id: str, item: str, value: str) -> IncompleteReadError:
    """SmartHR has a value that it did not have when this version was made."""
    shown = f"「{value}」" if value.isascii() and value.replace("_", "").isalnum() and len(value) <= 40 else ""
    return IncompleteReadError(
        f"SmartHRの従業員（{crew_id}）の「{item}」が、Renkeiの知らない値{shown}です。SmartHRに新しい値が増えた可能性があります。"
        "運用担当者にRenkeiの更新を依頼してください。何も書き込んでいません。"
    )
