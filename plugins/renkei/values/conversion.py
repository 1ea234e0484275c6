"""The words of the 変換 column, read and written: `全角カナ、小文字`, `日付:YYYY/MM/DD` (E22)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from renkei.texts import Fault, fold, has_control, nearest, trim


class Convert(StrEnum):
    """What the 変換 column can ask for; without it a value is written as it is (E22)."""

    KATAKANA = "KATAKANA"  # 全角カナ: half-width kana and hiragana become full-width katakana
    FULL_WIDTH = "FULL_WIDTH"  # 全角: letters, digits, signs, kana and blanks
    HALF_WIDTH = "HALF_WIDTH"  # 半角: letters, digits, signs and blanks; kana stay
    UPPER = "UPPER"  # 大文字
    LOWER = "LOWER"  # 小文字
    PHONE = "PHONE"  # 電話番号: as Japan writes it, 090-1234-5678
    MAIL = "MAIL"  # メールアドレス: half width, without blanks, the domain in small letters
    DATE = "DATE"  # 日付:YYYY/MM/DD
    NO_BLANKS = "NO_BLANKS"  # 空白除去
    VISIBLE = "VISIBLE"  # 不可視文字除去: zero-width characters
    STANDARD_KANJI = "STANDARD_KANJI"  # 標準字体: 髙 becomes 高


@dataclass(frozen=True, slots=True)
class Conversion:
    """One word of the 変換 column; `form` is what follows 日付: and empty for every other."""

    convert: Convert
    form: str = ""


WORDS: dict[Convert, str] = {
    Convert.KATAKANA: "全角カナ",
    Convert.FULL_WIDTH: "全角",
    Convert.HALF_WIDTH: "半角",
    Convert.UPPER: "大文字",
    Convert.LOWER: "小文字",
    Convert.PHONE: "電話番号",
    Convert.MAIL: "メールアドレス",
    Convert.DATE: "日付",
    Convert.NO_BLANKS: "空白除去",
    Convert.VISIBLE: "不可視文字除去",
    Convert.STANDARD_KANJI: "標準字体",
}
BY_FOLD = {fold(word): convert for convert, word in WORDS.items()} | {
    **{fold(convert.value): convert for convert in Convert},
    **{fold(alias): Convert.KATAKANA for alias in ("カナ", "カタカナ", "全角カタカナ")},
    fold("日付書式"): Convert.DATE,
    fold("メール"): Convert.MAIL,
}
_HIRAGANA = {fold(word) for word in ("かな", "全角かな", "ひらがな", "全角ひらがな", "ヒラガナ", "平仮名")}
_DATE_PARTS = re.compile(r"YYYY|MM?|DD?")
_SEPARATORS = re.compile(r"[,、，;；+＋\n]")


def parse_conversions(text: str) -> tuple[Conversion, ...]:
    """The conversions in their order; none for a blank cell.

    Raises:
        Fault: a word is unknown, or stands twice.
    """
    found = tuple(_conversion(trim(word)) for word in _SEPARATORS.split(text) if trim(word))
    if len({conversion.convert for conversion in found}) < len(found):
        raise Fault("変換に同じ言葉が2回記入されています", "1回だけ記入してください")
    return found


def _conversion(word: str) -> Conversion:
    head, _, form = word.replace("：", ":", 1).partition(":")
    convert = BY_FOLD.get(fold(head))
    if convert is None:
        raise Fault(f"「{word}」という変換はありません", _remedy(head))
    form = trim(form)
    if convert is not Convert.DATE:
        if form:
            raise Fault(f"「{word}」の「:」の後ろは要りません", f"「{WORDS[convert]}」と記入してください")
        return Conversion(convert)
    left = _DATE_PARTS.sub("", form)
    if not form or form == left or has_control(form) or re.search("[A-Za-z「」]", left):
        raise Fault(f"「{word}」の日付の書式が正しくありません", "「日付:YYYY/MM/DD」の形で記入してください")
    return Conversion(convert, form)


def _remedy(unknown: str) -> str:
    if fold(unknown) in _HIRAGANA:  # most like 「全角」, which does another thing
        return "ひらがなにする変換は無く、カタカナにする「全角カナ」だけがあります"
    return nearest(unknown, WORDS.values()) or f"{'、'.join(WORDS.values())} から選んでください"


def format_conversions(conversions: tuple[Conversion, ...]) -> str:
    """The text that `parse_conversions` reads back as the same conversions."""
    return "、".join(WORDS[c.convert] + (f":{c.form}" if c.form else "") for c in conversions)


def format_codes(conversions: tuple[Conversion, ...]) -> list[str]:
    """The conversions as the YAML form writes them: `KATAKANA`, `DATE:YYYY/MM/DD`."""
    return [c.convert.value + (f":{c.form}" if c.form else "") for c in conversions]
