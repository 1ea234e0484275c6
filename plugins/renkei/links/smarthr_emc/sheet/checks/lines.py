"""What the checks ask of the lines: each item's rule, its line as it was read, and the kinds of SmartHR items."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Mapping as Dict

from renkei.links.smarthr_emc.sheet.mapping import Action, Cell, Constant, FieldRule, Secret, Source, SourceField, Term
from renkei.links.smarthr_emc.sheet.policy import Place
from renkei.links.smarthr_emc.sheet.raw import RawRow
from renkei.texts import trim

USUAL_MEDIA = ("メールアドレス", "電話番号", "アプリ")  # an assumption, as in include/contracts/emc_format.yaml
MAX_USER_ID = 40  # with prefix; text 1, マルチテナント連携 1
MAILS = {"メールアドレス"}
PHONES = {"電話番号", "緊急連絡先(電話番号)"}
DATES = {"入社年月日", "退職年月日", "生年月日", "契約開始日", "契約終了日"}
# nearly different for everybody: not enough for an id, guessable as a password
PERSONAL = {"姓", "名", "電話番号", *DATES}
NAME_PARTS = (
    "姓",
    "名",
    "ビジネスネーム(姓)",
    "ビジネスネーム(名)",
    "姓(ビジネスネーム優先)",
    "名(ビジネスネーム優先)",
)
Rules = Dict[str, FieldRule]
Lines = Dict[str, RawRow]


def policy_place(line: RawRow, place: Place) -> str:
    """Where the line's policy cell stands, as a `Problem` says it."""
    return line.policies[list(Place).index(place)].where


def policies(rule: FieldRule) -> dict[Place, Cell]:
    """The rule's four policy cells."""
    return dict(zip(Place, rule.cells, strict=True))


def reachable(rule: FieldRule, places: Collection[Place] = tuple(Place)) -> dict[Place, Cell]:
    """The cells that some person can meet: a constant is never blank, no source always."""
    always = any(is_constant(terms) for terms in rule.source.alternatives)
    met = {True: bool(rule.source.alternatives), False: not always}
    return {place: cell for place, cell in policies(rule).items() if place in places and met[place.when_present]}


def can_write(rule: FieldRule, places: Collection[Place]) -> bool:
    """Whether a value may be written in one of these cells; to clear is not to write."""
    return any(
        cell.action is Action.DEFAULT or (cell.action is Action.SET and place.when_present)
        for place, cell in reachable(rule, places).items()
    )


def is_constant(terms: tuple[Term, ...]) -> bool:
    """True for an alternative that is the same for everybody, and never blank."""
    return all(isinstance(term, Constant | Secret) for term in terms)


def constants(source: Source) -> list[str]:
    """The texts of the alternatives that are nothing else, trimmed as they will be written."""
    return [
        trim("".join(term.text for term in terms if isinstance(term, Constant)))
        for terms in source.alternatives
        if all(isinstance(term, Constant) for term in terms)
    ]


def fields_of(terms: Collection[Term]) -> list[str]:
    """The names of SmartHR's own items among the terms; カスタム項目 are not."""
    return [term.name for term in terms if isinstance(term, SourceField)]


def is_name(name: str) -> bool:
    """True for the SmartHR items that hold a part of a person's name, or how it is read."""
    return name in NAME_PARTS or "ヨミガナ" in name
