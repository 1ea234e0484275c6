"""The grammar of the SmartHR項目 column: text to `Source` and back without loss (E17).

    社員番号 or メールアドレス            first one that has a value (also または, 又は)
    姓&"　"&名                            joining; quoted text stands as it is
    固定値「本社」   固定値:本社            the same text for everybody
    カスタム項目:NAME  カスタム項目:「A or B」  a customer's own item; in 「」 any name can be written
    秘密:NAME                             a text kept in Airflow (also inside 固定値「…」)
    無し(空白)                            no source (also 無し, 空白, -)

A quote is closed by its partner; doubled, the partner stands for itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from renkei.links.smarthr_emc.sheet.catalogue import COMPOSITES, NAMES, canonical
from renkei.links.smarthr_emc.sheet.mapping import Constant, CustomField, Secret, Source, SourceField, Term
from renkei.links.smarthr_emc.sheet.names import fold, has_control, nearest, trim
from renkei.links.smarthr_emc.sheet.raw import Fault

NO_SOURCE = "無し(空白)"
LONGEST = 2_000  # characters: joining thousands of items for everybody would take a run for ever
QUOTES = {"「": "」", "『": "』", '"': '"', "＂": "＂", "“": "”", "”": "”"}
_WRITTEN_QUOTES = ("「", "『", '"')
_LITERAL_QUOTES = ('"', "「", "『")
_ALNUM = "0-9A-Za-z０-９Ａ-Ｚａ-ｚ_"
_MARK = re.compile(
    rf"(?P<join>[&＆])|(?P<other>(?<![{_ALNUM}])[oOｏＯ][rRｒＲ](?![{_ALNUM}])|または|又は)|(?P<quote>[「『\"＂“”])"
)
NOTHING = {fold(text) for text in (NO_SOURCE, "無し", "なし", "なし(空白)", "空白", "-", "−", "―", "ー", "無")}
HEADS = {"固定値": "constant", "カスタム項目": "custom", "従業員カスタム項目": "custom", "秘密": "secret"}
_SECRET_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_SECRET = re.compile(r"\s*秘密\s*[:：](.*)", re.DOTALL)
HELP = (
    "SmartHRの項目名、固定値「…」、カスタム項目:項目名、無し(空白)、またはそれらを「&」「or」でつないで記入してください"
)


@dataclass(slots=True)
class _Piece:
    """What stands between two marks: bare text, then perhaps a quoted one."""

    bare: str = ""
    quoted: str | None = None


def parse_source(text: str) -> Source:
    """The source that `text` describes; composites are already replaced by their columns.

    Raises:
        Fault: the text is no source, or names an item that SmartHR does not have.
    """
    if fold(text) in NOTHING:
        return Source()
    if not trim(text):
        raise Fault("SmartHR項目が空白です", "連携する項目を記入してください。値を連携しない場合は「無し(空白)」です")
    if len(text) > LONGEST:
        raise Fault(f"SmartHR項目が長すぎます({len(text):,}文字)", f"{LONGEST:,}文字以内で記入してください")
    if has_control(trim(text)):
        raise Fault("SmartHR項目に改行または制御文字が含まれています", "1行の文字だけで記入してください")
    return Source(tuple(_alternative(pieces) for pieces in _split(trim(text))))


def _split(text: str) -> list[list[_Piece]]:
    alternatives, position = [[_Piece()]], 0
    while match := _MARK.search(text, position):
        piece = alternatives[-1][-1]
        _append(piece, text[position : match.start()])
        position = match.end()
        if match["join"]:
            alternatives[-1].append(_Piece())
        elif match["other"]:
            alternatives.append([_Piece()])
        else:
            if piece.quoted is not None:
                raise Fault("引用した文字が続いています", "つなぐ場合は間に「&」を記入してください")
            piece.quoted, position = _quoted(text, position, QUOTES[match["quote"]])
    _append(alternatives[-1][-1], text[position:])
    return alternatives


def _append(piece: _Piece, text: str) -> None:
    if piece.quoted is None:
        piece.bare += text
    elif trim(text):
        raise Fault(f"引用の後ろに余分な文字「{trim(text)}」があります", "つなぐ場合は間に「&」を記入してください")


def _quoted(text: str, start: int, closing: str) -> tuple[str, int]:
    found, position = "", start
    while (end := text.find(closing, position)) >= 0:
        found += text[position:end]
        if not text.startswith(closing, end + 1):
            return found, end + 1
        found, position = found + closing, end + 2
    raise Fault(f"引用が「{closing}」で閉じられていません", f"引用の終わりに「{closing}」を記入してください")


def _alternative(pieces: list[_Piece]) -> tuple[Term, ...]:
    terms = tuple(term for piece in pieces for term in _terms(piece))
    if all(isinstance(term, Constant) and not trim(term.text) for term in terms):
        raise Fault("固定値が空白です", "固定値を記入するか、値を連携しない場合は「無し(空白)」と記入してください")
    return terms


def _terms(piece: _Piece) -> tuple[Term, ...]:
    bare = trim(piece.bare)
    if piece.quoted is not None:
        head = fold(bare).rstrip(":")
        kind = HEADS.get(head, "") if bare else "constant"
        content = piece.quoted
    else:
        head, colon, rest = bare.replace("：", ":").partition(":")
        kind = HEADS.get(fold(head), "") if colon else ""
        content = trim(bare[len(head) + 1 :]) if kind else rest
    if kind == "constant":
        return (_constant(content),)
    if kind == "custom":
        if not trim(content):
            raise Fault("カスタム項目の項目名が空白です", "「カスタム項目:項目名」の形で記入してください")
        return (CustomField(trim(content)),)
    if kind == "secret":
        return (_secret(content),)
    if piece.quoted is not None:
        raise Fault(f"「{bare}」の後ろに引用した文字があります", HELP)
    return _field(bare)


def _constant(text: str) -> Constant | Secret:
    if match := _SECRET.fullmatch(text):
        return _secret(match[1])
    if not text:
        raise Fault("固定値が空白です", "固定値を記入するか、値を連携しない場合は「無し(空白)」と記入してください")
    return Constant(text)


def _secret(name: str) -> Secret:
    if not _SECRET_NAME.fullmatch(trim(name)):
        raise Fault(
            "秘密の名前に使えない文字が含まれているか、空白です",
            "「秘密:」の後ろに半角英数字と_-.で名前を記入してください",
        )
    return Secret(trim(name))


def _field(bare: str) -> tuple[Term, ...]:
    if not bare:
        raise Fault("「&」または「or」の前後に項目がありません", HELP)
    if fold(bare) in NOTHING:
        raise Fault(f"「{bare}」は他の項目とつなげません", f"「{NO_SOURCE}」は単独で記入してください")
    if fold(bare) == "固定値":
        raise Fault("固定値の内容がありません", "固定値「…」の形で内容を記入してください")
    name = canonical(bare)
    if name is None:
        raise Fault(f"「{bare}」というSmartHR項目はありません", nearest(bare, NAMES) or HELP)
    return COMPOSITES.get(name, (SourceField(name),))


def format_source(source: Source) -> str:
    """The text that `parse_source` reads back as the same source."""
    if not source.alternatives:
        return NO_SOURCE
    return " or ".join(_format_alternative(terms) for terms in source.alternatives)


def format_constant(text: str) -> str:
    return "固定値" + _quote(text, _WRITTEN_QUOTES)


def _format_alternative(terms: tuple[Term, ...]) -> str:
    if len(terms) == 1 and isinstance(terms[0], Constant):
        return format_constant(terms[0].text)
    return "&".join(_format_term(term) for term in terms)


def _format_term(term: Term) -> str:
    match term:
        case SourceField(name):
            return name
        case CustomField(name):
            return "カスタム項目:" + (_quote(name, _WRITTEN_QUOTES) if _MARK.search(name) else name)
        case Secret(name):
            return f"秘密:{name}"
        case Constant(text):
            return _quote(text, _LITERAL_QUOTES)


def _quote(text: str, preferred: tuple[str, ...]) -> str:
    """`text` in the first kind of quotes that it does not hold itself, else with doubled closing ones."""
    for opening in preferred:
        if opening not in text and QUOTES[opening] not in text:
            return opening + text + QUOTES[opening]
    opening = preferred[0]
    closing = QUOTES[opening]
    return opening + text.replace(closing, closing * 2) + closing
