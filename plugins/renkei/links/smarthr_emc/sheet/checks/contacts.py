"""Warnings of 緊急連絡: who cannot be reached, and media that do not fit their addresses (E20, E35)."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from renkei.errors import Problem
from renkei.links.smarthr_emc.sheet import advice
from renkei.links.smarthr_emc.sheet.checks.lines import (
    MAILS,
    PHONES,
    USUAL_MEDIA,
    Lines,
    Rules,
    can_write,
    constants,
    fields_of,
    is_constant,
    policies,
    policy_place,
)
from renkei.links.smarthr_emc.sheet.items import CONTACTS, USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Action, FieldRule, SourceField, Term
from renkei.links.smarthr_emc.sheet.policy import Place
from renkei.texts import trim


def contact_warnings(rules: Rules, lines: Lines) -> Iterator[Problem]:
    """Addresses that reach nobody, somebody else, or the same place twice."""
    contacts = [
        rules[f"contact_{n}_address"]
        for n in range(1, CONTACTS + 1)
        if f"contact_{n}_address" in rules and rules[f"contact_{n}_address"].source.terms
    ]
    if not contacts:
        if "user_id" in rules:
            remedy = (
                "緊急連絡1の媒体とアドレスの行の連携有無に○、媒体に『固定値「メールアドレス」』、アドレスに「メールアドレス」と"
                "記入することをお勧めします"
            )
            yield Problem(lines["user_id"].item.where, "連絡先が1つも連携されていません", remedy)
        return
    yield from _last_contact(contacts, lines)
    seen: dict[tuple[Term, ...], str] = {}
    for rule in contacts:
        name, line = USER_ITEM[rule.item].name, lines[rule.item]
        where, said = line.source.where, trim(line.source.text)
        medium = rules.get(rule.item.replace("_address", "_medium"))
        wanted = advice.usual(
            advice.Line(rule.item, constants(medium.source)[0] if medium and constants(medium.source) else "")
        )
        fields = fields_of(rule.source.terms)
        again = next((seen[terms] for terms in rule.source.alternatives if terms in seen), None)
        unfit = [each for each in fields if each not in MAILS | PHONES]
        fixed = [text for text in constants(rule.source) if not _is_address(text)]
        if again is not None:
            yield Problem(where, f"{name}の連携元が{again}と同じです", _another(seen))
        elif fixed:
            found = f"{name}の固定値「{fixed[0]}」は、メールアドレスでも電話番号でもありません"
            yield Problem(where, found, f"固定値にせず、「{wanted}」と記入してください")
        elif constants(rule.source):
            found = f"{name}が固定値なので、全員の連絡先が同じになります"
            yield Problem(where, found, f"本人の連絡先にする場合は「{wanted}」と記入してください")
        elif "緊急連絡先(電話番号)" in fields:
            found = f"{name}の「緊急連絡先(電話番号)」は、本人ではなく家族などの電話番号です"
            yield Problem(where, found, "本人の連絡先にする場合は「電話番号」を記入してください")
        elif any(
            len(terms) > 1 and not set(fields_of(terms)).isdisjoint(MAILS | PHONES)
            for terms in rule.source.alternatives
        ):
            found = f"{name}の連携元「{said}」は、ほかの文字とつながり、連絡先ではなくなります"
            yield Problem(where, found, f"「{wanted}」と記入してください")
        elif unfit and len(unfit) == len(fields):
            yield Problem(where, f"{name}の連携元「{said}」は連絡先ではありません", f"「{wanted}」と記入してください")
        seen |= {terms: name for terms in rule.source.alternatives if terms not in seen}


def _another(seen: Collection[tuple[Term, ...]]) -> str:
    """The remedy for an address that a line before has: the other of the two that SmartHR has, else none."""
    left = [name for name in ("メールアドレス", "電話番号") if (SourceField(name),) not in seen]
    other = f"「{left[0]}」など別の連絡先を記入するか、" if left else ""
    return f"{other}媒体とアドレスの2行の連携有無を空白にしてください"


def _is_address(text: str) -> bool:
    return "@" in text or sum(character.isdecimal() for character in text) >= 9


def _last_contact(contacts: list[FieldRule], lines: Lines) -> Iterator[Problem]:
    """A person whose SmartHR values turn blank can no longer be reached (E35)."""
    if any(rule.on_update.when_blank.action is not Action.SET or _never_blank(rule) for rule in contacts):
        return
    place = policy_place(lines[contacts[0].item], Place.UPDATE_BLANK)
    if len({rule.source for rule in contacts}) == 1:
        found = "連絡先が1つだけで、" if len(contacts) == 1 else "連絡先がすべて同じ項目で、"
        remedy = "更新処理の値が無い場合を「更新しない」にするか、別の連絡先も連携することをお勧めします"
    else:
        found = "連絡先がすべて「更新」で、"
        remedy = "1つは、更新処理の値が無い場合を「更新しない」にして、連絡先を残すことをお勧めします"
    yield Problem(place, f"{found}SmartHRで空白になるとEMCからも消えます", remedy)


def _never_blank(rule: FieldRule) -> bool:
    return any(is_constant(terms) for terms in rule.source.alternatives)


def media_warnings(rules: Rules, lines: Lines) -> Iterator[Problem]:
    """Only warnings: which media EMC has, the format of its files decides when the rows are checked."""
    for n in range(1, CONTACTS + 1):
        medium, address = rules.get(f"contact_{n}_medium"), rules.get(f"contact_{n}_address")
        if medium is None:
            continue
        line = lines[medium.item]
        fit = "電話番号" if address and set(fields_of(address.source.terms)) & PHONES else "メールアドレス"
        for word in constants(medium.source):
            if word not in USUAL_MEDIA:
                yield _unusual(line.source.where, word, f"固定値「{advice.medium(word, fit)}」")
        for place, cell in policies(medium).items():
            if cell.action is Action.DEFAULT and cell.default not in USUAL_MEDIA:
                yield _unusual(
                    policy_place(line, place), cell.default, f"デフォルト:{advice.medium(cell.default, fit)}"
                )
        if address is not None:
            yield from _pair_warnings(medium, address, lines)


def _unusual(where: str, word: str, instead: str) -> Problem:
    remedy = f"{advice.quoted(instead)}と記入してください(通常使えるのは {'、'.join(USUAL_MEDIA)} です)"
    return Problem(where, f"「{word}」という媒体は通常EMCにありません", remedy)


def _pair_warnings(medium: FieldRule, address: FieldRule, lines: Lines) -> Iterator[Problem]:
    words, name = constants(medium.source), USER_ITEM[address.item].name
    fields = set(fields_of(address.source.terms))
    for word, fit, other in (("メールアドレス", MAILS, PHONES), ("電話番号", PHONES, MAILS)):
        if words != [word]:
            continue
        if fields & other and not fields & fit:
            found = f"媒体は「{word}」ですが、{name}の連携元は「{'、'.join(sorted(fields & other))}」です"
            kind = "電話番号" if word == "メールアドレス" else "メールアドレス"
            remedy = f"媒体を{advice.quoted(f'固定値「{kind}」')}にするか、アドレスを「{word}」にしてください"
            yield Problem(lines[medium.item].source.where, found, remedy)
        for place, cell in policies(address).items():
            if cell.action is Action.DEFAULT and ("@" in cell.default) != (word == "メールアドレス"):
                found = f"媒体は「{word}」ですが、デフォルトがその形ではありません"
                keep = "登録しない" if place.on_create else "更新しない"
                remedy = f"「{keep}」にするか、「デフォルト:」の後ろを{word}にしてください"
                yield Problem(policy_place(lines[address.item], place), found, remedy)
    create, update = [Place.CREATE_PRESENT, Place.CREATE_BLANK], [Place.UPDATE_PRESENT, Place.UPDATE_BLANK]
    line, medium_name = lines[medium.item], USER_ITEM[medium.item].name
    if can_write(address, create) and not can_write(medium, create):
        found = f"新規登録で{name}は登録されますが、{medium_name}が登録されないので、エラーになります"
        place = Place.CREATE_PRESENT if medium.source.alternatives else Place.CREATE_BLANK
        yield Problem(
            policy_place(line, place), found, "媒体も「登録」にするか、アドレスも「登録しない」にしてください"
        )
    if not words:
        return
    if not can_write(address, create) and can_write(medium, create):
        found = f"{name}が新規登録されないので、{medium_name}も登録されません"
        yield Problem(
            policy_place(line, Place.CREATE_PRESENT),
            found,
            "媒体も「登録しない」にするか、アドレスを「登録」にしてください",
        )
    if can_write(address, update) and not can_write(medium, update) and can_write(medium, create):
        found = f"後から{name}が加わった人には、{medium_name}が登録されません"
        yield Problem(policy_place(line, Place.UPDATE_PRESENT), found, "更新処理の値がある場合を「更新」にしてください")
