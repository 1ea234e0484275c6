"""Warnings of パスワード and パスワード強制変更: what others can guess, or read in the sheet (E19, L7)."""

from __future__ import annotations

from collections.abc import Iterator

from renkei.errors import Problem
from renkei.links.smarthr_emc.sheet.checks.lines import (
    PERSONAL,
    PHONES,
    UNIQUE,
    Lines,
    Rules,
    fields_of,
    is_name,
    policies,
    policy_place,
)
from renkei.links.smarthr_emc.sheet.mapping import Action, Cell, Constant, CustomField, FieldRule, Secret

_GUESSABLE = UNIQUE | PERSONAL | PHONES


def password_warnings(rules: Rules, lines: Lines) -> Iterator[Problem]:
    """A password that stands in the sheet, or that others know and nobody must change; never the password itself."""
    rule = rules.get("password")
    if rule is None:
        return
    forced = _forces_change(rules.get("password_reset"))
    remedy = "パスワード強制変更を「デフォルト:T」で連携することをお勧めします"
    unforced = "" if forced else "。強制変更も無いので、全員が同じパスワードを使い続けます"
    keep = "「秘密:名前」と記入し、パスワードはAirflowに登録することをお勧めします"
    literal = any(isinstance(term, Constant) for term in rule.source.terms)
    defaults = [place for place, cell in policies(rule).items() if cell.action is Action.DEFAULT]
    if literal or defaults:
        where = lines["password"].source.where if literal else policy_place(lines["password"], defaults[0])
        yield Problem(where, f"パスワードの文字がシートに書かれています{unforced}", keep)
    if forced:
        return
    identity = rules.get("user_id")
    for terms in rule.source.alternatives:
        fields = fields_of(terms)
        if not fields or any(isinstance(term, Secret | CustomField) for term in terms):
            continue
        if all(name in _GUESSABLE or is_name(name) for name in fields):
            same = "(ユーザIDと同じ)" if identity and terms in identity.source.alternatives else ""
            found = f"初期パスワードが他人にも分かる{'と'.join(fields)}{same}で、強制変更がありません"
            yield Problem(lines["password"].source.where, found, remedy)
            return


def _forces_change(rule: FieldRule | None) -> bool:
    """True when every new user must change the password: the flag is T on adding, whatever SmartHR holds.

    Without a line of its own it is (E19).
    """
    if rule is None:
        return True
    if rule.source.alternatives:
        return rule.source.alternatives[0] == (Constant("T"),) and rule.on_create.when_present.action is Action.SET
    return rule.on_create.when_blank == Cell(Action.DEFAULT, "T")
