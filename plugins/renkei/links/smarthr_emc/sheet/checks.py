"""What the lines of a sheet must be together, and what a customer is warned of (E5, E16–E20, E23, E34, L7).

Every finding stands at the cell that decides: `lines` has each item's line as it was read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from collections.abc import Mapping as Dict
from typing import Any

from renkei.errors import Problem
from renkei.links.smarthr_emc.sheet.conversion import WORDS
from renkei.links.smarthr_emc.sheet.items import CONTACTS, DEPARTMENT_REFERENCES, USER_ITEM, USER_ITEMS
from renkei.links.smarthr_emc.sheet.mapping import (
    Action,
    Cell,
    Constant,
    Convert,
    CustomField,
    FieldRule,
    Guards,
    Secret,
    Source,
    SourceField,
    Term,
)
from renkei.links.smarthr_emc.sheet.names import fold
from renkei.links.smarthr_emc.sheet.policy import Place
from renkei.links.smarthr_emc.sheet.raw import RawCell, RawRow

USUAL_MEDIA = ("メールアドレス", "電話番号", "アプリ")  # an assumption, as in include/contracts/emc_format.yaml
USER_ID_LONGEST = 40  # with prefix; text 1, マルチテナント連携 1
DEPARTMENT_ID_LONGEST = 30
MAIL_USUAL = 32  # characters that most mail addresses fit into
DEPARTMENT_CODE_USUAL = 15
SMARTHR_SINCE = dt.date(2015, 11, 18)
LATEST_START = dt.date(2100, 1, 1)
STATUS_FLIP_DONE = dt.time(2, 0)  # SmartHR changes 在籍状況 at 1:00
FREE_MAIL = {
    *("gmail.com", "yahoo.co.jp", "ymail.ne.jp", "outlook.jp", "outlook.com", "hotmail.com", "hotmail.co.jp"),
    *("live.jp", "icloud.com", "me.com", "docomo.ne.jp", "ezweb.ne.jp", "au.com", "softbank.ne.jp", "i.softbank.jp"),
}
_EXAMPLE_HOSTS = ("example.smarthr.jp", "abcdefghijklmnopqrstuvwxyz.smarthr.jp", "sample.smarthr.jp")
_EXAMPLE_DOMAINS = ("example.com", "example.jp", "example.co.jp")
_MAILS = {"メールアドレス"}
_PHONES = {"電話番号", "緊急連絡先(電話番号)"}
_DATES = {"入社年月日", "退職年月日", "生年月日", "契約開始日", "契約終了日"}
_UNIQUE = {"社員番号", "メールアドレス", "社員ID", "SmartHRアカウントID"}
_PERSONAL = {
    "姓",
    "名",
    "電話番号",
    *_DATES,
}  # nearly different for everybody: not enough for an id, guessable as a password
_GUESSABLE = {"社員番号", "メールアドレス", "社員ID", "SmartHRアカウントID", *_PERSONAL, *_PHONES}
_NAME_PARTS = (
    "姓",
    "名",
    "ビジネスネーム(姓)",
    "ビジネスネーム(名)",
    "姓(ビジネスネーム優先)",
    "名(ビジネスネーム優先)",
)
_OPPOSITES = ((Convert.UPPER, Convert.LOWER), (Convert.FULL_WIDTH, Convert.HALF_WIDTH))
_WRITES = (Action.SET, Action.DEFAULT)
Rules = Dict[str, FieldRule]
Lines = Dict[str, RawRow]
SettingCells = Dict[str, list[RawCell]]


# -- errors -----------------------------------------------------------------------------------------------------------


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


def _cell(line: RawRow, place: Place) -> str:
    cells = (line.create_present, line.create_blank, line.update_present, line.update_blank)
    return cells[list(Place).index(place)].where


def _policies(rule: FieldRule) -> dict[Place, Cell]:
    cells = (
        *(rule.on_create.when_present, rule.on_create.when_blank),
        *(rule.on_update.when_present, rule.on_update.when_blank),
    )
    return dict(zip(Place, cells, strict=True))


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
        isinstance(term, SourceField) and term.name not in _UNIQUE | _PHONES | _PERSONAL and not _is_name(term.name)
    )


def _is_name(name: str) -> bool:
    return name in _NAME_PARTS or "ヨミガナ" in name


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


def _reachable(rule: FieldRule, places: Collection[Place] = tuple(Place)) -> dict[Place, Cell]:
    """The cells that some person can meet: a constant is never blank, no source always."""
    always = any(_is_constant(terms) for terms in rule.source.alternatives)
    met = {True: bool(rule.source.alternatives), False: not always}
    return {place: cell for place, cell in _policies(rule).items() if place in places and met[place.when_present]}


def _can_write(rule: FieldRule, places: Collection[Place]) -> bool:
    """Whether a value may be written in one of these cells; to clear is not to write."""
    return any(
        cell.action is Action.DEFAULT or (cell.action is Action.SET and place.when_present)
        for place, cell in _reachable(rule, places).items()
    )


def _is_constant(terms: tuple[Term, ...]) -> bool:
    return all(isinstance(term, Constant | Secret) for term in terms)


def _media_words(rule: FieldRule) -> list[str]:
    words = [cell.default for cell in _policies(rule).values() if cell.action is Action.DEFAULT]
    return words + _constants(rule.source)


def _constants(source: Source) -> list[str]:
    """The texts of the alternatives that are nothing else."""
    return [
        "".join(term.text for term in terms if isinstance(term, Constant))
        for terms in source.alternatives
        if all(isinstance(term, Constant) for term in terms)
    ]


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
    for text in _constants(rule.source):
        if text not in ("T", "F"):
            yield Problem(line.source.where, f"パスワード強制変更に「{text}」は指定できません", remedy)
    for place, cell in _policies(rule).items():
        if cell.action is Action.DEFAULT and cell.default not in ("T", "F"):
            yield Problem(_cell(line, place), f"パスワード強制変更に「{cell.default}」は指定できません", remedy)


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
        for place, cell in _policies(rules[key]).items():
            if len(prefix + cell.default) > DEPARTMENT_ID_LONGEST:
                yield Problem(_cell(lines[key], place), f"{name}のデフォルトが長すぎます", remedy)


def _least(prefix: str, terms: tuple[Term, ...]) -> int:
    constants = sum(len(term.text) for term in terms if isinstance(term, Constant))
    return len(prefix) + constants + any(isinstance(term, SourceField | CustomField) for term in terms)


# -- warnings about ユーザデータ ----------------------------------------------------------------------------------------


def user_warnings(rules: Rules, lines: Lines, settings: Dict[str, Any]) -> list[Problem]:
    """What a sheet may say, but probably should not."""
    return [
        *_identity_warnings(rules, lines),
        *_password_warnings(rules, lines),
        *_name_warnings(rules, lines),
        *_department_warnings(rules, lines, settings),
        *_contact_warnings(rules, lines),
        *_media_warnings(rules, lines),
        *_policy_warnings(rules, lines),
        *_label_warnings(rules, lines),
        *_conversion_warnings(rules, lines),
    ]


def _fields(terms: Collection[Term]) -> list[str]:
    return [term.name for term in terms if isinstance(term, SourceField)]


def _identity_warnings(rules: Rules, lines: Lines) -> Iterator[Problem]:
    rule = rules.get("user_id")
    for terms in rule.source.alternatives if rule else ():
        fields = _fields(terms)
        if not any(isinstance(term, CustomField) for term in terms) and not _UNIQUE & set(fields) and fields:
            found = f"ユーザIDの「{'&'.join(fields)}」は、同じ値の人がいることがあります"
            remedy = "社員番号やメールアドレスをお勧めします。同じIDの人がいる日は、全件の登録を止めます"
            yield Problem(lines["user_id"].source.where, found, remedy)
            return


def _password_warnings(rules: Rules, lines: Lines) -> Iterator[Problem]:
    rule = rules.get("password")
    if rule is None:
        return
    forced = _forces_change(rules.get("password_reset"))
    remedy = "パスワード強制変更を「デフォルト:T」で連携することをお勧めします"
    unforced = "" if forced else "。強制変更も無いので、全員が同じパスワードを使い続けます"
    keep = "「秘密:名前」と記入し、パスワードはAirflowに登録することをお勧めします"
    literal = any(isinstance(term, Constant) for term in rule.source.terms)
    defaults = [place for place, cell in _policies(rule).items() if cell.action is Action.DEFAULT]
    if literal or defaults:
        where = lines["password"].source.where if literal else _cell(lines["password"], defaults[0])
        yield Problem(where, f"パスワードの文字がシートに書かれています{unforced}", keep)
    if forced:
        return
    identity = rules.get("user_id")
    for terms in rule.source.alternatives:
        fields = _fields(terms)
        if not fields or any(isinstance(term, Secret | CustomField) for term in terms):
            continue
        if all(name in _GUESSABLE or _is_name(name) for name in fields):
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


def _name_warnings(rules: Rules, lines: Lines) -> Iterator[Problem]:
    rule = rules.get("full_name_yomi")
    for terms in rule.source.alternatives if rule else ():
        kanji = [name for name in _fields(terms) if name in _NAME_PARTS]
        if kanji:
            found = f"氏名(ヨミ)の連携元「{'&'.join(kanji)}」はヨミガナではありません"
            yield Problem(lines["full_name_yomi"].source.where, found, "「氏名(ヨミガナ)」などにすることをお勧めします")
            return


def _department_warnings(rules: Rules, lines: Lines, settings: Dict[str, Any]) -> Iterator[Problem]:
    prefix, root = settings.get("id_prefix", ""), settings.get("root_department")
    seen: dict[Source, str] = {}
    for key in DEPARTMENT_REFERENCES:
        if key not in rules:
            continue
        rule, line, name = rules[key], lines[key], USER_ITEM[key].name
        strange = [each for each in _fields(rule.source.terms) if not _is_department_code(each)]
        if strange:
            found = f"{name}の連携元「{strange[0]}」は部署コードではありません"
            yield Problem(line.source.where, found, "「部署1」または「部署1(コード)」のように記入してください")
        elif rule.source.alternatives and rule.source in seen:
            found = f"{name}の連携元が{seen[rule.source]}と同じです"
            yield Problem(line.source.where, found, "部署1、部署2 …のように、別の部署を記入してください")
        seen.setdefault(rule.source, name)
        for place, cell in _policies(rule).items():
            if cell.action is not Action.DEFAULT or (root is not None and root.id == cell.default):
                continue
            doubled = bool(prefix) and cell.default.startswith(prefix)
            found = f"{name}のデフォルト「{cell.default}」は部署コードとして登録されます"
            remedy = (
                "ID付与コードは自動で付くので、付けずに記入してください"
                if doubled
                else "SmartHRにその部署コードの部署があることを確認してください"
            )
            yield Problem(_cell(line, place), found, remedy)
    primary = rules.get("primary_department_id")
    if primary and primary.source.alternatives and primary.on_update.when_blank.action is Action.SET:
        found = "SmartHRで部署が空白の人は、EMCでも所属部署が無くなります"
        remedy = "EMCの所属を残す場合は「更新しない」にしてください"
        yield Problem(_cell(lines["primary_department_id"], Place.UPDATE_BLANK), found, remedy)


def _is_department_code(name: str) -> bool:
    return name.startswith("部署") and name.endswith("(コード)")


def _contact_warnings(rules: Rules, lines: Lines) -> Iterator[Problem]:
    contacts = [
        rules[f"contact_{n}_address"]
        for n in range(1, CONTACTS + 1)
        if f"contact_{n}_address" in rules and rules[f"contact_{n}_address"].source.terms
    ]
    if not contacts:
        if "user_id" in rules:
            remedy = "緊急連絡の媒体とアドレスを1組以上連携することをお勧めします"
            yield Problem(lines["user_id"].item.where, "連絡先が1つも連携されていません", remedy)
        return
    yield from _last_contact(contacts, lines)
    seen: dict[tuple[Term, ...], str] = {}
    for rule in contacts:
        name, where = USER_ITEM[rule.item].name, lines[rule.item].source.where
        fields = _fields(rule.source.terms)
        again = next((seen[terms] for terms in rule.source.alternatives if terms in seen), None)
        unfit = [each for each in fields if each not in _MAILS | _PHONES]
        if again is not None:
            yield Problem(where, f"{name}の連携元が{again}と同じです", "別の連絡先を記入することをお勧めします")
        elif "緊急連絡先(電話番号)" in fields:
            found = f"{name}の「緊急連絡先(電話番号)」は、本人ではなく家族などの電話番号です"
            yield Problem(where, found, "本人の連絡先にする場合は「電話番号」を記入してください")
        elif unfit and len(unfit) == len(fields):
            found = f"{name}の連携元「{unfit[0]}」は連絡先ではありません"
            yield Problem(where, found, "「メールアドレス」「電話番号」などを記入してください")
        seen |= {terms: name for terms in rule.source.alternatives if terms not in seen}


def _last_contact(contacts: list[FieldRule], lines: Lines) -> Iterator[Problem]:
    """A person whose SmartHR values turn blank can no longer be reached (E35)."""
    if any(rule.on_update.when_blank.action is not Action.SET or _never_blank(rule) for rule in contacts):
        return
    place = _cell(lines[contacts[0].item], Place.UPDATE_BLANK)
    if len({rule.source for rule in contacts}) == 1:
        found = "連絡先が1つだけで、" if len(contacts) == 1 else "連絡先がすべて同じ項目で、"
        remedy = "更新処理の値が無い場合を「更新しない」にするか、別の連絡先も連携することをお勧めします"
    else:
        found = "連絡先がすべて「更新」で、"
        remedy = "1つは、更新処理の値が無い場合を「更新しない」にして、連絡先を残すことをお勧めします"
    yield Problem(place, f"{found}SmartHRで空白になるとEMCからも消えます", remedy)


def _never_blank(rule: FieldRule) -> bool:
    return any(_is_constant(terms) for terms in rule.source.alternatives)


def _media_warnings(rules: Rules, lines: Lines) -> Iterator[Problem]:
    """Only warnings: which media EMC has, the format of its files decides when the rows are checked."""
    usual = f"通常は {'、'.join(USUAL_MEDIA)} のいずれかです"
    for n in range(1, CONTACTS + 1):
        medium, address = rules.get(f"contact_{n}_medium"), rules.get(f"contact_{n}_address")
        if medium is None:
            continue
        name, line = USER_ITEM[medium.item].name, lines[medium.item]
        for word in _constants(medium.source):
            if word not in USUAL_MEDIA:
                yield Problem(line.source.where, f"「{word}」という媒体は通常EMCにありません", usual)
        for place, cell in _policies(medium).items():
            if cell.action is Action.DEFAULT and cell.default not in USUAL_MEDIA:
                yield Problem(_cell(line, place), f"「{cell.default}」という媒体は通常EMCにありません", usual)
        if fields := _fields(medium.source.terms):
            yield Problem(line.source.where, f"{name}の連携元「{fields[0]}」は媒体の名前ではありません", usual)
        if address is not None:
            yield from _pair_warnings(medium, address, lines)


def _pair_warnings(medium: FieldRule, address: FieldRule, lines: Lines) -> Iterator[Problem]:
    words, name = _constants(medium.source), USER_ITEM[address.item].name
    fields = set(_fields(address.source.terms))
    for word, fit, other in (("メールアドレス", _MAILS, _PHONES), ("電話番号", _PHONES, _MAILS)):
        if words != [word]:
            continue
        if fields & other and not fields & fit:
            found = f"媒体は「{word}」ですが、{name}の連携元は「{'、'.join(sorted(fields & other))}」です"
            yield Problem(lines[medium.item].source.where, found, "媒体とアドレスの種類をそろえてください")
        for place, cell in _policies(address).items():
            if cell.action is Action.DEFAULT and ("@" in cell.default) != (word == "メールアドレス"):
                found = f"媒体は「{word}」ですが、デフォルトがその形ではありません"
                yield Problem(_cell(lines[address.item], place), found, "媒体とアドレスの種類をそろえてください")
    create, update = [Place.CREATE_PRESENT, Place.CREATE_BLANK], [Place.UPDATE_PRESENT, Place.UPDATE_BLANK]
    line, medium_name = lines[medium.item], USER_ITEM[medium.item].name
    if _can_write(address, create) and not _can_write(medium, create):
        found = f"新規登録で{name}は登録されますが、{medium_name}が登録されないので、エラーになります"
        place = Place.CREATE_PRESENT if medium.source.alternatives else Place.CREATE_BLANK
        yield Problem(_cell(line, place), found, "媒体も「登録」にするか、アドレスも「登録しない」にしてください")
    if not words:
        return
    if not _can_write(address, create) and _can_write(medium, create):
        found = f"{name}が新規登録されないので、{medium_name}も登録されません"
        yield Problem(_cell(line, Place.CREATE_PRESENT), found, "媒体とアドレスの指定をそろえてください")
    if _can_write(address, update) and not _can_write(medium, update) and _can_write(medium, create):
        found = f"後から{name}が加わった人には、{medium_name}が登録されません"
        yield Problem(_cell(line, Place.UPDATE_PRESENT), found, "更新処理の値がある場合を「更新」にしてください")


def _policy_warnings(rules: Rules, lines: Lines) -> Iterator[Problem]:
    for key, rule in rules.items():
        if key in ("operation", "user_id", "password"):
            continue
        name, line = USER_ITEM[key].name, lines[key]
        if not rule.source.alternatives:
            if rule.on_update.when_blank.action is Action.SET:
                found = f"{name}は無し(空白)なので、毎日、全員のEMCの値が消えます"
                remedy = "EMCの値を残す場合は「更新しない」にしてください"
                yield Problem(_cell(line, Place.UPDATE_BLANK), found, remedy)
        elif not any(cell.action in _WRITES for cell in _reachable(rule).values()):
            found = f"{name}は「登録しない」「更新しない」だけなので、連携されません"
            remedy = "連携する場合は登録・更新にし、しない場合は連携有無を空白にしてください"
            yield Problem(line.item.where, found, remedy)


def _label_warnings(rules: Rules, lines: Lines) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    bare = [key for key in rules if key.startswith("search_word_") and not rules[key].label]
    if bare:
        names = "、".join(USER_ITEM[key].name for key in bare)
        remedy = "「検索ワード1:勤務地」のように書くと、メールや画面で何の値かが分かります"
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
        fields = [] if _customs(rule.source) else _fields(rule.source.terms)
        unfit = next((convert for convert in asked if fields and not any(_fits(convert, f) for f in fields)), None)
        if unfit:
            found = f"{name}の変換「{WORDS[unfit]}」は、連携元「{'、'.join(dict.fromkeys(fields))}」に合いません"
            yield Problem(where, found, "変換を空白にするか、連携元に合う言葉を記入してください")


def _customs(source: Source) -> bool:
    return any(isinstance(term, CustomField) for term in source.terms)


def _fits(convert: Convert, name: str) -> bool:
    """Whether a conversion can mean something for a SmartHR item."""
    match convert:
        case Convert.DATE:
            return name in _DATES
        case Convert.PHONE:
            return name in _PHONES
        case Convert.MAIL:
            return name in _MAILS
        case Convert.KATAKANA:
            return name not in _MAILS | _PHONES | _DATES | set(_NAME_PARTS)
        case Convert.FULL_WIDTH:
            return name not in _MAILS | _PHONES
        case Convert.STANDARD_KANJI:
            return name not in _MAILS | _PHONES | _DATES and "ヨミガナ" not in name
    return True


# -- warnings about 連携情報 --------------------------------------------------------------------------------------------


def sheet_warnings(rules: Rules, settings: Dict[str, Any], cells: SettingCells) -> list[Problem]:
    """What is doubtful in 連携情報, by itself and together with the lines."""
    return [
        *_address_warnings(settings, cells),
        *_time_warnings(settings, cells),
        *_prefix_warnings(rules, settings, cells),
        *_guard_warnings(settings.get("guards", Guards()), cells),
    ]


def _where(cells: SettingCells, key: str) -> str:
    return next((cell.where for cell in cells.get(key, ())), "")


def _address_warnings(settings: Dict[str, Any], cells: SettingCells) -> Iterator[Problem]:
    url = settings.get("smarthr_url", "")
    if url.removeprefix("https://") in _EXAMPLE_HOSTS:
        found = "SmartHR URLが記入例のままです"
        yield Problem(_where(cells, "smarthr_url"), found, "ご利用中のSmartHRのURLを記入してください")
    addresses = settings.get("result_addresses", ())
    seen: set[str] = set()
    for cell in cells.get("result_addresses", ()):
        text = fold(cell.text)
        if text in seen:
            yield Problem(
                cell.where, "結果通知先メールアドレスが2回記入されています", "どちらか1つを空白にしてください"
            )
        elif text.rpartition("@")[2] in _EXAMPLE_DOMAINS:
            found = "結果通知先メールアドレスが記入例のままです"
            yield Problem(cell.where, found, "結果を受け取る方のメールアドレスを記入してください")
        seen.add(text)
    if addresses and all(address.rpartition("@")[2].lower() in FREE_MAIL for address in addresses):
        found = "結果通知先が、個人向けのメールサービスだけです"
        remedy = "結果には社員のIDが載ります。会社のメールアドレスをお勧めします"
        yield Problem(_where(cells, "result_addresses"), found, remedy)


def _time_warnings(settings: Dict[str, Any], cells: SettingCells) -> Iterator[Problem]:
    start, run_at = settings.get("link_start_on"), settings.get("run_at")
    if start is not None and not SMARTHR_SINCE <= start < LATEST_START:
        found = f"連携開始日が{start.year}年です"
        yield Problem(_where(cells, "link_start_on"), found, "年の書き間違いがないか確認してください")
    if run_at is not None and run_at < STATUS_FLIP_DONE:
        found = f"処理時刻の{run_at:%H:%M}は、SmartHRの在籍状況が変わる1:00の前か直後です"
        remedy = "その日の退職者が翌日まで残ります。2:00より後をお勧めします(空白なら4:30)"
        yield Problem(_where(cells, "run_at"), found, remedy)


def _prefix_warnings(rules: Rules, settings: Dict[str, Any], cells: SettingCells) -> Iterator[Problem]:
    prefix, where = settings.get("id_prefix", ""), _where(cells, "id_prefix")
    if not prefix:
        return
    rule = rules.get("user_id")
    left = USER_ID_LONGEST - len(prefix)
    if rule and left < MAIL_USUAL and any("メールアドレス" in _fields(terms) for terms in rule.source.alternatives):
        found = f"ID付与コードが{len(prefix)}文字あるので、メールアドレスが{left}文字を超える人は登録できません"
        yield Problem(where, found, "ID付与コードを短くするか、ユーザIDを社員番号にすることをお勧めします")
    elif DEPARTMENT_ID_LONGEST - len(prefix) < DEPARTMENT_CODE_USUAL:
        found = f"ID付与コードが{len(prefix)}文字あるので、部署コードが{DEPARTMENT_ID_LONGEST - len(prefix)}文字を超えると登録できません"
        yield Problem(where, found, "ID付与コードを短くすることをお勧めします")


def _guard_warnings(guards: Guards, cells: SettingCells) -> Iterator[Problem]:
    """Limits that keep a guard from ever working (E34, E35)."""
    remedy = "間違った大量の変更を止められません。空白(初期値)に戻すことをお勧めします"
    for key, what in (
        ("delete_users_percent", "社員の削除は、割合では保留になりません"),
        ("delete_departments_percent", "部署の削除は保留になりません"),
        ("lost_contact_percent", "連絡先が無くなる人が何人いても保留になりません"),
        ("clear_percent", "何人の値が空白になっても保留になりません"),
    ):
        if getattr(guards, key) >= 100:
            yield Problem(_where(cells, f"guards.{key}"), f"100%なので、{what}", remedy)
    if guards.delete_users_least > guards.delete_users_most:
        key = "guards.delete_users_least" if "guards.delete_users_least" in cells else "guards.delete_users_most"
        found = "最少人数が最多人数より多いので、割合では保留になりません"
        yield Problem(_where(cells, key), found, "最少人数を最多人数より少なくしてください")


def start_warnings(start: dt.date, today: dt.date, where: str) -> Iterator[Problem]:
    """連携開始日 far from the day on which the sheet is looked at."""
    if start < LATEST_START and (start - today).days > 366:
        found = f"連携開始日が1年以上先({start.isoformat()})です"
        yield Problem(where, found, "年の書き間違いがないか確認してください")
