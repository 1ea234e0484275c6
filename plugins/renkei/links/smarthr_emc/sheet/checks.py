"""What the lines of ユーザデータ must be together, and what a customer is warned of (E5, E16, E20, L7)."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping as Dict

from renkei.errors import Problem
from renkei.links.smarthr_emc.sheet.items import CONTACTS, USER_ITEM, USER_ITEMS
from renkei.links.smarthr_emc.sheet.mapping import (
    Action,
    Cell,
    Cells,
    Constant,
    CustomField,
    FieldRule,
    Secret,
    Source,
    SourceField,
)

USUAL_MEDIA = ("メールアドレス", "電話番号", "アプリ")  # an assumption, as in include/contracts/emc_format.yaml
_RULES = Dict[str, FieldRule]
_PLACES = Dict[str, str]


def user_problems(rules: _RULES, where: _PLACES, part: str, broken: Collection[str]) -> list[Problem]:
    """Every fault of the lines as a whole; `where` has each item's place, `part` the table's.

    `broken` are the items whose own line has a fault: that they have no rule is no second one.
    """
    return [
        *_required(rules, where, part, broken),
        *_identity(rules, where),
        *_contacts(rules, where, broken),
        *_secrets(rules, where),
    ]


def _required(rules: _RULES, where: _PLACES, part: str, broken: Collection[str]) -> list[Problem]:
    problems = []
    for item in USER_ITEMS:
        if not item.required or item.key == "operation" or item.key in broken:
            continue
        rule = rules.get(item.key)
        if rule is None:
            remedy = f"{item.name}は必須です。連携有無に○、SmartHR項目に連携元を記入してください"
            problems.append(Problem(where.get(item.key, part), f"必須項目{item.name}が連携されていません", remedy))
        elif not rule.source.alternatives and rule.on_create.when_blank.action is not Action.DEFAULT:
            problems.append(
                Problem(
                    where[item.key], f"必須項目{item.name}が無し(空白)です", "SmartHR項目に連携元を記入してください"
                )
            )
    return problems


def _identity(rules: _RULES, where: _PLACES) -> list[Problem]:
    rule = rules.get("user_id")
    if rule is None or all(_has_field(terms) for terms in rule.source.alternatives):
        return []
    remedy = "社員番号やメールアドレスなど、人ごとに異なる項目を記入してください"
    return [Problem(where["user_id"], "ユーザIDが固定値だけなので、全員が同じIDになります", remedy)]


def _has_field(terms: tuple[object, ...]) -> bool:
    return any(isinstance(term, SourceField | CustomField) for term in terms)


def _contacts(rules: _RULES, where: _PLACES, broken: Collection[str]) -> list[Problem]:
    problems = []
    for n in range(1, CONTACTS + 1):
        medium, address = f"contact_{n}_medium", f"contact_{n}_address"
        for one, other in ((medium, address), (address, medium)):
            if one in rules and other not in rules and other not in broken:
                found = f"{USER_ITEM[one].name}だけが連携されています"
                problems.append(Problem(where[one], found, f"{USER_ITEM[other].name}も連携してください"))
        if medium in rules:
            problems += _medium(
                rules[medium], where[medium], bool(address in rules and rules[address].source.alternatives)
            )
    return problems


def _medium(rule: FieldRule, where: str, has_address: bool) -> list[Problem]:
    if has_address and not rule.source.alternatives and not _media_words(rule):
        remedy = f"固定値で {'、'.join(USUAL_MEDIA)} のいずれかにしてください"
        return [Problem(where, f"{USER_ITEM[rule.item].name}が無し(空白)です", remedy)]
    return []


def _media_words(rule: FieldRule) -> list[str]:
    words = [cell.default for cell in _cells(rule) if cell.action is Action.DEFAULT]
    return words + ["".join(term.text for term in terms) for terms in _constant_alternatives(rule.source)]


def _media_warnings(rules: _RULES, where: _PLACES) -> list[Problem]:
    """Only a warning: which media EMC has, the format of its files decides when the rows are checked."""
    remedy = f"通常は {'、'.join(USUAL_MEDIA)} のいずれかです"
    return [
        Problem(where[key], f"「{word}」という媒体は通常EMCにありません", remedy)
        for key, rule in rules.items()
        if key.startswith("contact_") and key.endswith("_medium")
        for word in _media_words(rule)
        if word not in USUAL_MEDIA
    ]


def _cells(rule: FieldRule) -> tuple[Cell, ...]:
    return (*_both(rule.on_create), *_both(rule.on_update))


def _both(cells: Cells) -> tuple[Cell, Cell]:
    return cells.when_present, cells.when_blank


def _constant_alternatives(source: Source) -> list[list[Constant]]:
    found = []
    for terms in source.alternatives:
        constants = [term for term in terms if isinstance(term, Constant)]
        if len(constants) == len(terms):
            found.append(constants)
    return found


def _secrets(rules: _RULES, where: _PLACES) -> list[Problem]:
    return [
        Problem(where[key], f"{USER_ITEM[key].name}に「秘密:」は使えません", "「秘密:」はパスワードだけに使えます")
        for key, rule in rules.items()
        if key != "password" and any(isinstance(term, Secret) for term in rule.source.terms)
    ]


def user_warnings(rules: _RULES, where: _PLACES) -> list[Problem]:
    """What a sheet may say, but probably should not."""
    return [*_password_warnings(rules, where), *_contact_warnings(rules, where), *_media_warnings(rules, where)]


def _password_warnings(rules: _RULES, where: _PLACES) -> list[Problem]:
    rule = rules.get("password")
    if rule is None:
        return []
    problems = []
    literal = any(isinstance(term, Constant) for term in rule.source.terms)
    if literal or any(cell.action is Action.DEFAULT for cell in _cells(rule)):
        remedy = "「秘密:名前」と記入し、パスワードはAirflowに登録することをお勧めします"
        problems.append(Problem(where["password"], "パスワードの文字がシートに書かれています", remedy))
    guessable = (SourceField("社員番号"),) in rule.source.alternatives
    if guessable and not _forces_change(rules.get("password_reset")):
        remedy = "パスワード強制変更を「デフォルト:T」で連携することをお勧めします"
        problems.append(Problem(where["password"], "初期パスワードが社員番号で、強制変更がありません", remedy))
    return problems


def _forces_change(rule: FieldRule | None) -> bool:
    """True when every new user must change the password: the flag is T on adding, whatever SmartHR holds."""
    if rule is None:
        return False
    if rule.source.alternatives:
        return rule.source.alternatives[0] == (Constant("T"),) and rule.on_create.when_present.action is Action.SET
    return rule.on_create.when_blank == Cell(Action.DEFAULT, "T")


def _contact_warnings(rules: _RULES, where: _PLACES) -> list[Problem]:
    contacts = [
        rule
        for key, rule in rules.items()
        if key.endswith("_address") and key.startswith("contact_") and rule.source.terms
    ]
    if not contacts:
        remedy = "緊急連絡の媒体とアドレスを1組以上連携することをお勧めします"
        return [Problem(where["user_id"], "連絡先が1つも連携されていません", remedy)] if "user_id" in rules else []
    if len(contacts) == 1 and contacts[0].on_update.when_blank.action is Action.SET:
        found = "連絡先が1つだけで、SmartHRで空白になるとEMCからも消えます"
        remedy = "更新処理の値が無い場合を「更新しない」にするか、別の連絡先も連携することをお勧めします"
        return [Problem(where[contacts[0].item], found, remedy)]
    return []
