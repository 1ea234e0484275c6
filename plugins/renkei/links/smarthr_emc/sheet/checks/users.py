"""Errors of ユーザデータ: lines that contradict each other or themselves (E5, E19, E20, E23)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from collections.abc import Mapping as Dict
from typing import Any

from renkei.errors import Problem
from renkei.links.smarthr_emc.sheet.checks.lines import (
    PERSONAL,
    PHONES,
    UNIQUE,
    USER_ID_LONGEST,
    USUAL_MEDIA,
    Lines,
    Rules,
    constants,
    is_name,
    policies,
    policy_place,
)
from renkei.links.smarthr_emc.sheet.items import CONTACTS, DEPARTMENT_REFERENCES, USER_ITEM, USER_ITEMS
from renkei.links.smarthr_emc.sheet.mapping import Action, Constant, CustomField, FieldRule, Secret, SourceField, Term
from renkei.links.smarthr_emc.sheet.raw import RawRow
from renkei.links.smarthr_emc.sheet.settings import DEPARTMENT_ID_LONGEST


def user_problems(rules: Rules, lines: Lines, part: str, broken: Collection[str]) -> list[Problem]:
    """Every fault of the lines as a whole; `part` is the table's place, for what has no line.

    `broken` are the items whose own line has a fault: that they have no rule is no second one.
    """
    return [
        *_required(rules, lines, part, broken),
        *_identity(rules, lines),
        *_contacts(rules, lines, broken),
        *_secrets(rules, lines),
        *_flags(rules, lines),
    ]


def _required(rules: Rules, lines: Lines, part: str, broken: Collection[str]) -> Iterator[Problem]:
    for item in USER_ITEMS:
        if not item.required or item.key == "operation" or item.key in broken:
            continue
        rule, line = rules.get(item.key), lines.get(item.key)
        if rule is None:
            place = part if line is None else (line.linked or line.source).where
            remedy = f"{item.name}は必須です。連携有無に○、SmartHR項目に連携元を記入してください"
            yield Problem(place, f"必須項目{item.name}が連携されていません", remedy)
        elif not rule.source.alternatives and rule.on_create.when_blank.action is not Action.DEFAULT:
            found = f"必須項目{item.name}が無し(空白)です"
            yield Problem(lines[item.key].source.where, found, "SmartHR項目に連携元を記入してください")


def _identity(rules: Rules, lines: Lines) -> Iterator[Problem]:
    """The id must tell people apart: every alternative needs an item that does (E5)."""
    rule = rules.get("user_id")
    if rule is None:
        return
    remedy = "社員番号やメールアドレスなど、人ごとに異なる項目を記入してください"
    for terms in rule.source.alternatives:
        if not any(isinstance(term, SourceField | CustomField) for term in terms):
            yield Problem(lines["user_id"].source.where, "ユーザIDが固定値だけなので、全員が同じIDになります", remedy)
            return
        if all(_is_shared(term) for term in terms):
            names = "、".join(f"「{term.name}」" for term in terms if isinstance(term, SourceField))
            found = f"ユーザIDの{names}は、同じ値の人が何人もいる項目です"
            yield Problem(lines["user_id"].source.where, found, remedy)
            return


def _is_shared(term: Term) -> bool:
    """True for what many people have alike: departments, titles, kinds of employment, addresses …"""
    return isinstance(term, Constant) or (
        isinstance(term, SourceField) and term.name not in UNIQUE | PHONES | PERSONAL and not is_name(term.name)
    )


def _contacts(rules: Rules, lines: Lines, broken: Collection[str]) -> Iterator[Problem]:
    """Media and addresses are pairs (E20)."""
    for n in range(1, CONTACTS + 1):
        medium, address = f"contact_{n}_medium", f"contact_{n}_address"
        for one, other in ((medium, address), (address, medium)):
            if one in rules and other not in rules and other not in broken:
                found = f"{USER_ITEM[one].name}だけが連携されています"
                yield Problem(lines[one].item.where, found, f"{USER_ITEM[other].name}も連携してください")
        if medium in rules and address in rules:
            yield from _medium(rules[medium], rules[address], lines[medium])


def _medium(medium: FieldRule, address: FieldRule, line: RawRow) -> Iterator[Problem]:
    name = USER_ITEM[medium.item].name
    if address.source.alternatives and not medium.source.alternatives and not _media_words(medium):
        remedy = f"固定値で {'、'.join(USUAL_MEDIA)} のいずれかにしてください"
        yield Problem(line.source.where, f"{name}が無し(空白)です", remedy)


def _media_words(rule: FieldRule) -> list[str]:
    words = [cell.default for cell in policies(rule).values() if cell.action is Action.DEFAULT]
    return words + constants(rule.source)


def _secrets(rules: Rules, lines: Lines) -> Iterator[Problem]:
    for key, rule in rules.items():
        if key != "password" and any(isinstance(term, Secret) for term in rule.source.terms):
            found = f"{USER_ITEM[key].name}に「秘密:」は使えません"
            yield Problem(lines[key].source.where, found, "「秘密:」はパスワードだけに使えます")


def _flags(rules: Rules, lines: Lines) -> Iterator[Problem]:
    """パスワード強制変更 is T or F (E19)."""
    rule = rules.get("password_reset")
    if rule is None:
        return
    line, remedy = lines["password_reset"], "半角大文字の T(変更させる) か F(変更させない) にしてください"
    for text in constants(rule.source):
        if text not in ("T", "F"):
            yield Problem(line.source.where, f"パスワード強制変更に「{text}」は指定できません", remedy)
    for place, cell in policies(rule).items():
        if cell.action is Action.DEFAULT and cell.default not in ("T", "F"):
            yield Problem(policy_place(line, place), f"パスワード強制変更に「{cell.default}」は指定できません", remedy)


def length_problems(rules: Rules, lines: Lines, settings: Dict[str, Any]) -> Iterator[Problem]:
    """Ids that are too long for everybody: ID付与コード and 固定値 alone, and one character of each person (E23)."""
    prefix = settings.get("id_prefix", "")
    if rule := rules.get("user_id"):
        length = max((_least(prefix, terms) for terms in rule.source.alternatives), default=0)
        if length > USER_ID_LONGEST:
            found = f"ユーザIDが{length}文字以上になります(ID付与コードと固定値を含む)"
            remedy = f"{USER_ID_LONGEST}文字以内になるように、固定値を短くしてください"
            yield Problem(lines["user_id"].source.where, found, remedy)
    for key in DEPARTMENT_REFERENCES:
        if key not in rules:
            continue
        remedy = f"ID付与コードを含めて{DEPARTMENT_ID_LONGEST}文字以内にしてください"
        name = USER_ITEM[key].name
        if any(_least(prefix, terms) > DEPARTMENT_ID_LONGEST for terms in rules[key].source.alternatives):
            yield Problem(lines[key].source.where, f"{name}が長すぎます", remedy)
        for place, cell in policies(rules[key]).items():
            if len(prefix + cell.default) > DEPARTMENT_ID_LONGEST:
                yield Problem(policy_place(lines[key], place), f"{name}のデフォルトが長すぎます", remedy)


def _least(prefix: str, terms: tuple[Term, ...]) -> int:
    constants = sum(len(term.text) for term in terms if isinstance(term, Constant))
    return len(prefix) + constants + any(isinstance(term, SourceField | CustomField) for term in terms)
