"""Warnings of ユーザデータ: what a sheet may say, but probably should not (E5, E16–E20, E22)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from collections.abc import Mapping as Dict
from typing import Any

from renkei.errors import Problem
from renkei.links.smarthr_emc.sheet.advice import Line, usual
from renkei.links.smarthr_emc.sheet.catalogue import UNIQUE
from renkei.links.smarthr_emc.sheet.checks.contacts import contact_warnings, media_warnings
from renkei.links.smarthr_emc.sheet.checks.lines import (
    DATES,
    MAILS,
    NAME_PARTS,
    PHONES,
    Lines,
    Rules,
    constants,
    fields_of,
    is_constant,
    is_name,
    policies,
    policy_place,
    reachable,
)
from renkei.links.smarthr_emc.sheet.checks.passwords import password_warnings
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_REFERENCES, USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Action, Constant, CustomField, Source, Term
from renkei.links.smarthr_emc.sheet.policy import Place
from renkei.texts import fold, trim, unseen
from renkei.values.conversion import WORDS, Convert

_BUSINESS = {f"ビジネスネーム({part}{yomi})" for part in "姓名" for yomi in ("", "ヨミガナ")}
_OPPOSITES = ((Convert.UPPER, Convert.LOWER), (Convert.FULL_WIDTH, Convert.HALF_WIDTH))
_WRITES = (Action.SET, Action.DEFAULT)


def user_warnings(rules: Rules, lines: Lines, settings: Dict[str, Any], tenant: str) -> list[Problem]:
    """What a sheet may say, but probably should not."""
    return [
        *_identity_warnings(rules, lines),
        *password_warnings(rules, lines, tenant),
        *_name_warnings(rules, lines),
        *_department_warnings(rules, lines, settings),
        *contact_warnings(rules, lines),
        *media_warnings(rules, lines),
        *_policy_warnings(rules, lines),
        *_label_warnings(rules, lines),
        *_conversion_warnings(rules, lines),
        *_unseen_warnings(rules, lines),
    ]


def _identity_warnings(rules: Rules, lines: Lines) -> Iterator[Problem]:
    rule = rules.get("user_id")
    for terms in rule.source.alternatives if rule else ():
        fields = fields_of(terms)
        if not any(isinstance(term, CustomField) for term in terms) and not UNIQUE & set(fields) and fields:
            found = f"ユーザIDの「{trim(lines['user_id'].source.text)}」は、同じ値の人がいることがあります"
            remedy = "「社員番号」や「メールアドレス」をお勧めします。同じIDの人がいる日は、全件の登録を止めます"
            yield Problem(lines["user_id"].source.where, found, remedy)
            return


def _name_warnings(rules: Rules, lines: Lines) -> Iterator[Problem]:
    """氏名 and 氏名(ヨミ) of something else, of a part, or blank for most people."""
    for key, wanted, business in (
        ("full_name", "姓&名", "氏名(ビジネスネーム優先)"),
        ("full_name_yomi", "氏名(ヨミガナ)", "氏名(ヨミガナ・ビジネスネーム優先)"),
    ):
        if key not in rules or not rules[key].source.alternatives:
            continue
        where, name, source = lines[key].source.where, USER_ITEM[key].name, rules[key].source
        said = trim(lines[key].source.text)
        fields = fields_of(source.terms)
        kanji = key == "full_name_yomi" and any(field in NAME_PARTS for field in fields)
        strange = [field for field in fields if not is_name(field) or field.startswith("緊急連絡先")]
        if all(is_constant(terms) for terms in source.alternatives):
            yield Problem(where, f"{name}が固定値なので、全員が同じになります", f"「{wanted}」と記入してください")
        elif kanji:
            found = f"{name}の連携元「{said}」はヨミガナではありません"
            yield Problem(where, found, f"「{wanted}」にすることをお勧めします")
        elif strange:
            found = f"{name}の連携元「{said}」は本人の氏名ではありません"
            yield Problem(where, found, f"「{wanted}」にすることをお勧めします")
        elif all(fields_of(terms) and set(fields_of(terms)) <= _BUSINESS for terms in source.alternatives):
            found = f"{name}の連携元「{said}」は、ビジネスネームの無い人では空白です"
            yield Problem(where, found, f"「{business}」にすることをお勧めします")
        elif _customs(source):
            continue
        elif (part := _part_of_name(fields)) is not None:
            yield Problem(
                where, f"{name}の連携元「{said}」だけでは、{part}が登録されません", f"「{wanted}」と記入してください"
            )


def _part_of_name(fields: Collection[str]) -> str | None:
    """姓 or 名, where the fields of a name lack all of it."""
    last, first = (any(mark in field.removeprefix("ビジネスネーム") for field in fields) for mark in "姓名")
    return None if not fields or (last and first) else "名" if last else "姓"


def _department_warnings(rules: Rules, lines: Lines, settings: Dict[str, Any]) -> Iterator[Problem]:
    prefix, root = settings.get("id_prefix", ""), settings.get("root_department")
    seen: dict[Source, str] = {}
    for key in DEPARTMENT_REFERENCES:
        if key not in rules:
            continue
        rule, line, name = rules[key], lines[key], USER_ITEM[key].name
        strange = [each for each in fields_of(rule.source.terms) if not _is_department_code(each)]
        fixed = [text for text in constants(rule.source) if root is None or text != root.id]
        if strange:
            found = f"{name}の連携元「{trim(line.source.text)}」は部署コードではありません"
            yield Problem(line.source.where, found, f"「{usual(Line(key))}」と記入してください")
        elif fixed:
            found = f"{name}の固定値「{fixed[0]}」は、全員の部署コードとして登録されます"
            remedy = f"人ごとの部署にする場合は「{usual(Line(key))}」と記入してください"
            yield Problem(line.source.where, found, remedy)
        elif any(len(terms) > 1 for terms in rule.source.alternatives):
            found = (
                f"{name}の連携元「{trim(line.source.text)}」は、部署コードがつながり、どの部署のものでもなくなります"
            )
            yield Problem(line.source.where, found, f"「{usual(Line(key))}」のように、1つの部署を記入してください")
        elif rule.source.alternatives and rule.source in seen:
            found = f"{name}の連携元が{seen[rule.source]}と同じです"
            yield Problem(line.source.where, found, f"「{usual(Line(key))}」のように、別の部署を記入してください")
        seen.setdefault(rule.source, name)
        for place, cell in policies(rule).items():
            if cell.action is not Action.DEFAULT or (root is not None and root.id == cell.default):
                continue
            doubled = bool(prefix) and cell.default.startswith(prefix)
            found = f"{name}のデフォルト「{cell.default}」は部署コードとして登録されます"
            remedy = (
                "ID付与コードは自動で付くので、付けずに記入してください"
                if doubled
                else "SmartHRにその部署コードの部署があることを確認してください"
            )
            yield Problem(policy_place(line, place), found, remedy)
    primary = rules.get("primary_department_id")
    if primary and primary.source.alternatives and primary.on_update.when_blank.action is Action.SET:
        found = "SmartHRで部署が空白の人は、EMCでも所属部署が無くなります"
        remedy = "EMCの所属を残す場合は「更新しない」にしてください"
        yield Problem(policy_place(lines["primary_department_id"], Place.UPDATE_BLANK), found, remedy)


def _is_department_code(name: str) -> bool:
    return name.startswith("部署") and name.endswith("(コード)")


def _policy_warnings(rules: Rules, lines: Lines) -> Iterator[Problem]:
    for key, rule in rules.items():
        if key in ("operation", "user_id", "password"):
            continue
        name, line = USER_ITEM[key].name, lines[key]
        if not rule.source.alternatives:
            if rule.on_update.when_blank.action is Action.SET:
                found = f"{name}は無し(空白)なので、毎日、全員のEMCの値が消えます"
                remedy = "EMCの値を残す場合は「更新しない」にしてください"
                yield Problem(policy_place(line, Place.UPDATE_BLANK), found, remedy)
        elif not any(cell.action in _WRITES for cell in reachable(rule).values()):
            found = f"{name}は「登録しない」「更新しない」だけなので、連携されません"
            remedy = "連携する場合は登録・更新にし、しない場合は連携有無を空白にしてください"
            yield Problem(line.item.where, found, remedy)


def _label_warnings(rules: Rules, lines: Lines) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    bare = [key for key in rules if key.startswith("search_word_") and not rules[key].label]
    if bare:
        names = "、".join(USER_ITEM[key].name for key in bare)
        remedy = f"「{USER_ITEM[bare[0]].name}:勤務地」のように書くと、メールや画面で何の値かが分かります"
        yield Problem(lines[bare[0]].item.where, f"{names}に名前が付いていません", remedy)
    for key, rule in rules.items():
        if not key.startswith("search_word_") or not rule.label:
            continue
        if first := seen.setdefault(fold(rule.label), key) != key and seen[fold(rule.label)]:
            found = f"{USER_ITEM[key].name}の名前「{rule.label}」は{USER_ITEM[first].name}と同じです"
            yield Problem(lines[key].item.where, found, "別の名前にすることをお勧めします")


def _conversion_warnings(rules: Rules, lines: Lines) -> Iterator[Problem]:
    for key, rule in rules.items():
        asked = [conversion.convert for conversion in rule.conversions]
        if not asked:
            continue
        where, name = lines[key].convert.where, USER_ITEM[key].name
        clash = next((pair for pair in _OPPOSITES if set(pair) <= set(asked)), None)
        if clash:
            found = f"{name}の変換「{WORDS[clash[0]]}」と「{WORDS[clash[1]]}」は互いに反対です"
            yield Problem(where, found, "どちらか1つにしてください")
            continue
        fields = [] if _customs(rule.source) else fields_of(rule.source.terms)
        unfit = next((convert for convert in asked if fields and not any(_fits(convert, f) for f in fields)), None)
        if unfit:
            found = f"{name}の変換「{WORDS[unfit]}」は、連携元「{'、'.join(dict.fromkeys(fields))}」に合いません"
            yield Problem(where, found, "変換を空白にするか、連携元に合う言葉を記入してください")


def _unseen_warnings(rules: Rules, lines: Lines) -> Iterator[Problem]:
    """Texts that go to EMC or must be equal to a name in SmartHR, and hold what nobody sees or EMC usually refuses."""
    for key, rule in rules.items():
        name, line = USER_ITEM[key].name, lines[key]
        cells = [
            (line.source.where, f"{name}のSmartHR項目", _term_text(term), isinstance(term, Constant))
            for term in rule.source.terms
        ]
        cells += [
            (policy_place(line, place), f"{name}のデフォルト", cell.default, True)
            for place, cell in policies(rule).items()
        ]
        cells.append((line.item.where, f"{name}に付けた名前", rule.label, False))
        for where, what, text, goes_to_emc in cells if key != "password" else ():
            hidden = unseen(f"「{text}」") and (
                unseen(text) or "先頭か末尾"
            )  # what is joined to another text has no edges
            if hidden:
                found = f"{what}に、目に見えない文字が含まれています({hidden})"
                yield Problem(where, found, "セルの内容をすべて消してから、入力し直してください")
            elif goes_to_emc and (refused := "".join(dict.fromkeys(c for c in text if not _is_usual(c)))):
                found = f"{what}の「{refused[:10]}」は、EMCに登録できない文字です"
                yield Problem(where, found, "別の字に置き換えてください")


def _is_usual(character: str) -> bool:
    """Whether EMC's usual encoding (include/contracts/emc_format.yaml) has the character."""
    try:
        character.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True


def _term_text(term: Term) -> str:
    """What of a term the customer wrote himself: 固定値 and カスタム項目."""
    match term:
        case Constant(text) | CustomField(text):
            return text
    return ""


def _customs(source: Source) -> bool:
    return any(isinstance(term, CustomField) for term in source.terms)


def _fits(convert: Convert, name: str) -> bool:
    """Whether a conversion can mean something for a SmartHR item."""
    match convert:
        case Convert.DATE:
            return name in DATES
        case Convert.PHONE:
            return name in PHONES
        case Convert.MAIL:
            return name in MAILS
        case Convert.KATAKANA:
            return name not in MAILS | PHONES | DATES | set(NAME_PARTS)
        case Convert.FULL_WIDTH:
            return name not in MAILS | PHONES
        case Convert.STANDARD_KANJI:
            return name not in MAILS | PHONES | DATES and "ヨミガナ" not in name
    return True
