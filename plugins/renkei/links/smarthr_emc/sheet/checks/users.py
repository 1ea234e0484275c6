"""Errors of ユーザデータ: lines that contradict each other or themselves (E5, E19, E20, E23)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping as Dict
from typing import Any

from renkei.errors import Problem
from renkei.links.smarthr_emc.sheet.advice import Line, medium, quoted, usual
from renkei.links.smarthr_emc.sheet.catalogue import UNIQUE
from renkei.links.smarthr_emc.sheet.checks.lines import (
    MAX_USER_ID,
    PERSONAL,
    PHONES,
    USUAL_MEDIA,
    Lines,
    Rules,
    constants,
    fields_of,
    is_name,
    policies,
    policy_place,
)
from renkei.links.smarthr_emc.sheet.items import CONTACTS, DEPARTMENT_REFERENCES, PASSWORD, USER_ITEM, USER_ITEMS
from renkei.links.smarthr_emc.sheet.mapping import Action, Constant, CustomField, FieldRule, Secret, SourceField, Term
from renkei.links.smarthr_emc.sheet.raw import RawRow
from renkei.links.smarthr_emc.sheet.setting_kinds import MAX_DEPARTMENT_ID
from renkei.texts import look_alikes, trim, unseen


def user_problems(rules: Rules, lines: Lines, part: str, tenant: str) -> list[Problem]:
    """Every fault of the lines as a whole; `part` is the table's place, for what has no line."""
    return [
        *_required(rules, lines, part, tenant),
        *_identity(rules, lines),
        *_contacts(rules, lines),
        *_password(rules, lines, tenant),
        *_secrets(rules, lines),
        *_flags(rules, lines),
    ]


def _required(rules: Rules, lines: Lines, part: str, tenant: str) -> Iterator[Problem]:
    for item in USER_ITEMS:
        if not item.required or item.key == "operation":
            continue
        wanted = quoted(usual(Line(item.key, tenant=tenant)))
        rule, line = rules.get(item.key), lines.get(item.key)
        if rule is None:
            place = part if line is None else (line.linked or line.source).where
            remedy = f"{item.name}は必須です。連携有無に○、SmartHR項目に連携元(通常は{wanted})を記入してください"
            yield Problem(place, f"必須項目{item.name}が連携されていません", remedy)
        elif not rule.source.alternatives and rule.on_create.when_blank.action is not Action.DEFAULT:
            found = f"必須項目{item.name}が無し(空白)です"
            yield Problem(lines[item.key].source.where, found, f"SmartHR項目に連携元(通常は{wanted})を記入してください")


def _identity(rules: Rules, lines: Lines) -> Iterator[Problem]:
    """The id must tell people apart: every alternative needs an item that does (E5)."""
    rule = rules.get("user_id")
    if rule is None:
        return
    remedy = "「社員番号」や「メールアドレス」など、人ごとに異なる項目を記入してください"
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


def _contacts(rules: Rules, lines: Lines) -> Iterator[Problem]:
    """Media and addresses are pairs (E20)."""
    for n in range(1, CONTACTS + 1):
        medium, address = f"contact_{n}_medium", f"contact_{n}_address"
        for one, other in ((medium, address), (address, medium)):
            if one in rules and other not in rules:
                found = f"{USER_ITEM[one].name}だけが連携されています"
                yield Problem(lines[one].item.where, found, f"{USER_ITEM[other].name}も連携してください")
        if medium in rules and address in rules:
            yield from _medium(rules[medium], rules[address], lines[medium])


def _medium(rule: FieldRule, address: FieldRule, line: RawRow) -> Iterator[Problem]:
    """A medium is a word of EMC's, the same for everybody: no SmartHR item of its own holds one."""
    name = USER_ITEM[rule.item].name
    fit = "電話番号" if set(fields_of(address.source.terms)) <= PHONES else "メールアドレス"
    fields = fields_of(rule.source.terms)
    if fields:
        remedy = f"{quoted(f'固定値「{medium(fields[0], fit)}」')}と記入してください"
        yield Problem(
            line.source.where, f"{name}の「{trim(line.source.text)}」は、SmartHRの項目としての指定です", remedy
        )
    elif address.source.alternatives and not rule.source.alternatives and not _media_words(rule):
        remedy = f"{quoted(f'固定値「{fit}」')}のように、{'、'.join(USUAL_MEDIA)}のいずれかを固定値で記入してください"
        yield Problem(line.source.where, f"{name}が無し(空白)です", remedy)


def _media_words(rule: FieldRule) -> list[str]:
    words = [cell.default for cell in policies(rule).values() if cell.action is Action.DEFAULT]
    return words + constants(rule.source)


def _password(rules: Rules, lines: Lines, tenant: str) -> Iterator[Problem]:
    """A text of a first password that EMC refuses for everybody, whatever else it is joined with; never quoted (L7)."""
    rule = rules.get("password")
    if rule is None:
        return
    line = lines["password"]
    texts = [
        (line.source.where, trim("".join(term.text if isinstance(term, Constant) else "x" for term in terms)))
        for terms in rule.source.alternatives
    ]
    texts += [
        (policy_place(line, place), cell.default)
        for place, cell in policies(rule).items()
        if cell.action is Action.DEFAULT
    ]
    for where in dict.fromkeys(where for where, text in texts if not re.fullmatch(PASSWORD, text)):
        found = "パスワードの文字に、EMCのパスワードに使えない文字(全角文字や空白など)があります"
        remedy = (
            f"「{usual(Line('password', tenant=tenant))}」と記入し、半角の英数字と記号だけのパスワードを"
            "運用担当者に別の方法で渡してください(Airflowに登録します)"
        )
        yield Problem(where, found, remedy)


def _secrets(rules: Rules, lines: Lines) -> Iterator[Problem]:
    for key, rule in rules.items():
        if key != "password" and any(isinstance(term, Secret) for term in rule.source.terms):
            found = f"{USER_ITEM[key].name}に「秘密:」は使えません"
            wanted = usual(Line(key))
            remedy = f"{quoted(wanted)}のように、" if wanted else ""
            yield Problem(
                lines[key].source.where,
                found,
                f"{remedy}SmartHRの項目を記入してください(「秘密:」はパスワードだけです)",
            )


def _flags(rules: Rules, lines: Lines) -> Iterator[Problem]:
    """パスワード強制変更 is T or F (E19)."""
    rule = rules.get("password_reset")
    if rule is None:
        return
    line, remedy = lines["password_reset"], "半角大文字の T(変更させる) か F(変更させない) にしてください"
    for text in constants(rule.source):
        if text not in ("T", "F"):
            yield Problem(line.source.where, f"パスワード強制変更に「{text}」は指定できません{_look(text)}", remedy)
    for place, cell in policies(rule).items():
        if cell.action is Action.DEFAULT and cell.default not in ("T", "F"):
            found = f"パスワード強制変更に「{cell.default}」は指定できません{_look(cell.default)}"
            yield Problem(policy_place(line, place), found, remedy)


def _look(text: str) -> str:
    """What nobody can tell by looking at a T or an F, in brackets."""
    odd = unseen(text) or look_alikes(text)
    return f"({odd}があります)" if odd else ""


def length_problems(rules: Rules, lines: Lines, settings: Dict[str, Any]) -> Iterator[Problem]:
    """Ids that are too long for everybody: ID付与コード and 固定値 alone, and one character of each person (E23)."""
    prefix = settings.get("id_prefix", "")
    if rule := rules.get("user_id"):
        length = max((_least(prefix, terms) for terms in rule.source.alternatives), default=0)
        if length > MAX_USER_ID:
            found = f"ユーザIDが{length}文字以上になります(ID付与コードと固定値を含む)"
            remedy = f"{MAX_USER_ID}文字以内になるように、固定値を短くしてください"
            yield Problem(lines["user_id"].source.where, found, remedy)
    for key in DEPARTMENT_REFERENCES:
        if key not in rules:
            continue
        remedy = f"ID付与コードを含めて{MAX_DEPARTMENT_ID}文字以内にしてください"
        name = USER_ITEM[key].name
        if any(_least(prefix, terms) > MAX_DEPARTMENT_ID for terms in rules[key].source.alternatives):
            yield Problem(lines[key].source.where, f"{name}が長すぎます", remedy)
        for place, cell in policies(rules[key]).items():
            if len(prefix + cell.default) > MAX_DEPARTMENT_ID:
                yield Problem(policy_place(lines[key], place), f"{name}のデフォルトが長すぎます", remedy)


def _least(prefix: str, terms: tuple[Term, ...]) -> int:
    constants = sum(len(term.text) for term in terms if isinstance(term, Constant))
    return len(prefix) + constants + any(isinstance(term, SourceField | CustomField) for term in terms)
