"""Where a value came from, in words: what a person has to look at and change to mend it (L8).

A value that 固定値 or デフォルト made is mended in the sheet, a department's or a title's name in a master list of SmartHR,
everything else on the person's page. Whole columns at once; nothing here holds a value.
"""

from __future__ import annotations

import dataclasses

import pandas as pd

from renkei.links.smarthr_emc.fetch import column_name
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEM, DEPARTMENT_REFERENCES, USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Constant, CustomField, FieldRule, Secret, Source, SourceField, Term
from renkei.links.smarthr_emc.sources import evaluate, value_of
from renkei.texts import one_line
from renkei.values.columns import constant

SHEET = "連携設定シート"  # what begins so is mended there
SMARTHR = "SmartHRの"
_MASTERS = {  # names that many people share; SmartHR keeps them apart from the people
    "役職": "役職マスター",
    "等級": "等級マスター",
    "職種": "職種マスター",
    "雇用形態": "雇用形態の設定",
    "事業所": "事業所の設定",
    "部署": "部署マスター",
}
_PREFERRED = "・ビジネスネーム優先)"
_UNTYPED = {  # what no screen of SmartHR lets a person type
    "社員ID": "SmartHRが付けるので変えられません。連携設定シートの連携元を別の項目にしてください",
    "SmartHRアカウントID": "SmartHRに招待すると付きます。招待しない人がいる場合は、連携設定シートの連携元を別の項目にしてください",
    "雇用形態(コード)": "SmartHRが決めた英語の区分です",
    "在籍状況": "SmartHRが決めた言葉です",
    "戸籍上の性別": "SmartHRが決めた言葉です",
    "契約種別": "SmartHRが決めた言葉です",
}
_BESIDE = {"operation": "", "user_id": "", "password": ""}  # items that no デフォルト makes


def department_origin(rows: pd.DataFrame, item: str) -> pd.Series[str]:
    """Where each department's item is mended; a row without a source id is 最上位部署 of the sheet."""
    name = DEPARTMENT_ITEM[item].name
    if item == "name_yomi":
        usual, root = f"{SHEET}の部署データの{name}", f"{SHEET}の最上位部署名(ヨミ)"
    else:
        master = {"department_id": "部署コード", "name": "部署名", "parent_id": "親部署"}[item]
        usual = f"{SMARTHR}部署マスターの{master}"
        root = f"{SHEET}の{'最上位部署名' if item == 'name' else '最上位部署ID'}"
    return constant(usual, rows).where(rows["source_id"] != "", root)


def user_origin(rule: FieldRule | None, item: str, rows: pd.DataFrame, *, missing: bool) -> pd.Series[str]:
    """Where each of these users' item is mended; `missing` where the fault is that there is no value."""
    name = USER_ITEM[item].name
    if rule is None or not rule.source.alternatives:
        return constant(f"{SHEET}の{name}", rows)
    fields = tuple(terms for terms in rule.source.alternatives if not all(map(_is_fixed, terms)))
    smarthr = _in_smarthr(fields, item)
    if not fields:
        return constant(f"{SHEET}の{name}の固定値", rows)
    read = [column_name(term) for term in rule.source.terms if isinstance(term, SourceField | CustomField)]
    if missing or not set(read) <= set(rows.columns):
        return constant(smarthr, rows)
    found = constant(smarthr, rows)
    if rule.conversions:
        found = found.where(
            evaluate(_shown(rule.source), rows) == value_of(_shown_rule(rule), rows),
            f"{smarthr}({SHEET}の変換の後の値です)",
        )
    if len(fields) < len(rule.source.alternatives):
        found = found.where(evaluate(_shown(Source(fields)), rows) != "", f"{SHEET}の{name}の固定値")
    if item not in _BESIDE:
        found = found.where(value_of(_shown_rule(rule), rows) != "", f"{SHEET}の{name}のデフォルト")
    return found


def _is_fixed(term: Term) -> bool:
    return isinstance(term, Constant | Secret)


def _shown(source: Source) -> Source:
    """The source with something in place of a secret, whose text nobody has here (L7)."""
    return Source(
        tuple(tuple(Constant("*") if isinstance(t, Secret) else t for t in terms) for terms in source.alternatives)
    )


def _shown_rule(rule: FieldRule) -> FieldRule:
    return dataclasses.replace(rule, source=_shown(rule.source))


def _on_screen(name: str) -> tuple[str, ...]:
    """The items that SmartHR's page of a person has for one of ours: ビジネスネーム優先 is there in no place."""
    part = name.partition("(")[0]
    if name in ("姓(ビジネスネーム優先)", "名(ビジネスネーム優先)"):
        return f"ビジネスネーム({part})", part
    if name.endswith(_PREFERRED):
        return f"ビジネスネーム({part}ヨミガナ)", f"{part}(ヨミガナ)"
    return (name,)


def _in_smarthr(alternatives: tuple[tuple[Term, ...], ...], item: str) -> str:
    """SmartHR's own names of the items, and where those are kept that are no part of a person's page."""
    terms = dict.fromkeys(term for terms in alternatives for term in terms)
    names = [term.name for term in terms if isinstance(term, SourceField)]
    customs = [term.name for term in terms if isinstance(term, CustomField)]
    if item in DEPARTMENT_REFERENCES:
        names = [name.removesuffix("(コード)") for name in names]
    notes = [_UNTYPED[name] for name in names if name in _UNTYPED]
    names = list(dict.fromkeys(one for name in names for one in _on_screen(name)))
    said = "".join(f"「{name}」" for name in names)
    if customs:
        said += "カスタム項目" + "".join(f"「{name}」" for name in customs)
    masters = dict.fromkeys(master for head, master in _MASTERS.items() if any(name.startswith(head) for name in names))
    beside = (
        [] if item == "password" else [t.text for t in terms if isinstance(t, Constant) and t.text.strip(" \u3000")]
    )
    kept = [*masters, *notes, *(["選択肢の項目なら選択肢の名前"] if customs else [])]
    kept += [f"{SHEET}の「{one_line(text)}」とつながります" for text in beside]
    return f"{SMARTHR}{said}" + (f"({'、'.join(kept)})" if kept else "")
