"""Warnings of パスワード and パスワード強制変更: what others can guess, or read in the sheet (E19, L7)."""

from __future__ import annotations

from collections.abc import Iterator

from renkei.errors import Problem
from renkei.links.smarthr_emc.sheet.advice import Line, usual
from renkei.links.smarthr_emc.sheet.checks.lines import Lines, Rules, policies, policy_place
from renkei.links.smarthr_emc.sheet.mapping import (
    Action,
    Cell,
    Constant,
    CustomField,
    FieldRule,
    Secret,
    SourceField,
    Term,
)
from renkei.texts import fold

# custom fields that hold another form of what others know
_KNOWN_WORDS = tuple(
    map(fold, ("生年月日", "誕生", "社員番号", "従業員番号", "職員番号", "電話", "携帯", "入社", "郵便番号", "社員id"))
)


def password_warnings(rules: Rules, lines: Lines, tenant: str) -> Iterator[Problem]:
    """A password that stands in the sheet, or that others know and nobody must change; never the password itself."""
    rule = rules.get("password")
    if rule is None:
        return
    forced = _forces_change(rules.get("password_reset"))
    unforced = "" if forced else "。強制変更も無いので、全員が同じパスワードを使い続けます"
    secret = usual(Line("password", tenant=tenant))
    keep = f"「{secret}」と記入し、パスワードの文字は運用担当者に別の方法で渡してください(Airflowに登録します)"
    literal = any(isinstance(term, Constant) for term in rule.source.terms)
    defaults = [place for place, cell in policies(rule).items() if cell.action is Action.DEFAULT]
    guessable = next(filter(None, map(_guessable, rule.source.alternatives)), "")
    where = lines["password"].source.where
    if guessable:
        identity = rules.get("user_id")
        same = (
            "(ユーザIDと同じ)" if identity and set(rule.source.alternatives) & set(identity.source.alternatives) else ""
        )
        found = f"初期パスワードが他人にも分かる{guessable}{same}" + (
            "なので、本人より先にほかの人がログインできます" if forced else "で、強制変更がありません"
        )
        reset = "" if forced else "パスワード強制変更のSmartHR項目を『固定値「T」』にし、"
        remedy = (
            f"{reset}「{secret}」か、SmartHRに人ごとのパスワードを入れた「カスタム項目:項目名」にすることをお勧めします"
        )
        yield Problem(where, found, remedy)
    elif literal or defaults:
        where = where if literal else policy_place(lines["password"], defaults[0])
        yield Problem(where, f"パスワードの文字がシートに書かれています{unforced}", keep)


def _guessable(terms: tuple[Term, ...]) -> str:
    """What others know of a person that an alternative is made of; empty where it holds anything else.

    A text beside it that is the same for everybody makes it no better; a custom field is judged by its name.
    """
    known = [term for term in terms if isinstance(term, SourceField | CustomField)]
    if not known or any(isinstance(term, Secret) for term in terms):
        return ""
    if not all(_is_known(term) for term in known):
        return ""
    return "と".join(f"「{term.name}」" for term in known)


def _is_known(term: SourceField | CustomField) -> bool:
    if isinstance(term, CustomField):
        name = fold(term.name)
        return "パスワード" not in name and any(word in name for word in _KNOWN_WORDS)
    return True  # whatever SmartHR has of a person stands in lists that others read


def _forces_change(rule: FieldRule | None) -> bool:
    """True when every new user must change the password: the flag is T on adding, whatever SmartHR holds.

    Without a line of its own it is (E19).
    """
    if rule is None:
        return True
    if rule.source.alternatives:
        return rule.source.alternatives[0] == (Constant("T"),) and rule.on_create.when_present.action is Action.SET
    return rule.on_create.when_blank == Cell(Action.DEFAULT, "T")
