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

from renkei.links.smarthr_emc.sheet import advice
from renkei.links.smarthr_emc.sheet.catalogue import COMPOSITES, canonical
from renkei.links.smarthr_emc.sheet.items import USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Constant, CustomField, Secret, Source, SourceField, Term
from renkei.texts import MAX_CELL_TEXT, Fault, control_fault, fold, trim

NO_SOURCE = "無し(空白)"
MAX_EXPRESSION = MAX_CELL_TEXT  # joining thousands of items for everybody would take a run for ever
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


class _BlankConstant(Fault):
    """固定値 without a text."""

    def __init__(self) -> None:
        super().__init__("固定値が空白です", "")


class UnknownItemFault(Fault):
    """A cell names items that SmartHR does not have; `instead` is the cell as it should be, "" where nobody knows."""

    def __init__(self, found: str, remedy: str, instead: str) -> None:
        super().__init__(found, remedy)
        self.instead = instead


def parse_source(text: str, line: advice.Line = advice.NO_LINE) -> Source:
    """The source that `text` describes; composites are already replaced by their columns.

    `line` is where it stands: what is advised instead depends on it.

    Raises:
        Fault: the text is no source, or names items that SmartHR does not have.
    """
    if fold(text) in NOTHING:
        return Source()
    if not trim(text):
        raise Fault("SmartHR項目が空白です", _fill_in(line))
    if len(text) > MAX_EXPRESSION:
        raise Fault(f"SmartHR項目が長すぎます({len(text):,}文字)", f"{MAX_EXPRESSION:,}文字以内で記入してください")
    if fault := control_fault(text, "SmartHR項目"):
        raise fault
    unknown: list[str] = []
    try:
        source = Source(tuple(_alternative(pieces, unknown) for pieces in _split(trim(text))))
    except _BlankConstant as fault:
        raise Fault(fault.found, _fill_in(line)) from None
    if unknown:
        names = "".join(f"「{name}」" for name in dict.fromkeys(unknown))
        remedy, instead = advice.instead(text, unknown, line)
        raise UnknownItemFault(f"{names}というSmartHR項目はありません", remedy, instead)
    _no_quoted_item(trim(text), source, line.item)
    return source


def _fill_in(line: advice.Line) -> str:
    """What to write in a cell that says nothing; 無し(空白) only where the item can do without a value."""
    wanted = advice.usual(line)
    example = f"(通常は{advice.quoted(wanted)})" if wanted else ""
    item = USER_ITEM.get(line.item)
    needed = item is not None and (item.required or item.key.endswith("_medium"))
    none = "" if needed else f"。値を連携しない場合は「{NO_SOURCE}」です"
    return f"連携する項目を記入してください{example}{none}"


def _no_quoted_item(text: str, source: Source, item: str) -> None:
    """Refuses 「氏名」 in brackets alone: written as the advice shows it, it would be everybody's name.

    What really is to be the same text for everybody says so: 固定値「氏名」. A medium may be called like an item.
    """
    match source.alternatives:
        case ((Constant(content),),) if text[0] in QUOTES and not item.endswith("_medium"):
            try:
                meant = parse_source(content).terms
            except Fault:
                return
            if any(not isinstance(term, Constant) for term in meant) or content.startswith("固定値"):
                found = f"「{content}」が引用符で囲まれているので、全員に同じ文字が登録されます"
                raise UnknownItemFault(found, f"引用符を付けずに {content} と記入してください", content)


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


def _alternative(pieces: list[_Piece], unknown: list[str]) -> tuple[Term, ...]:
    terms = tuple(term for piece in pieces for term in _terms(piece, unknown))
    if all(isinstance(term, Constant) and not trim(term.text) for term in terms):
        raise _BlankConstant
    return terms


def _terms(piece: _Piece, unknown: list[str]) -> tuple[Term, ...]:
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
        unknown.append(f"{bare}「{piece.quoted}」")
        return (CustomField(bare),)
    return _field(bare, unknown)


def _constant(text: str) -> Constant | Secret:
    if match := _SECRET.fullmatch(text):
        return _secret(match[1])
    if not text:
        raise _BlankConstant
    return Constant(text)


def _secret(name: str) -> Secret:
    if not _SECRET_NAME.fullmatch(trim(name)):
        raise Fault(
            "秘密の名前に使えない文字が含まれているか、空白です",
            "「秘密:」の後ろに半角英数字と_-.で名前を記入してください",
        )
    return Secret(trim(name))


def _field(bare: str, unknown: list[str]) -> tuple[Term, ...]:
    """The columns of a SmartHR item; one that there is not goes to `unknown`, so that all of a cell are told at once."""
    if not bare:
        raise Fault("「&」または「or」の前後に項目がありません", HELP)
    if fold(bare) in NOTHING:
        raise Fault(f"「{bare}」は他の項目とつなげません", f"「{NO_SOURCE}」は単独で記入してください")
    if fold(bare) == "固定値":
        raise Fault("固定値の内容がありません", "固定値「…」の形で内容を記入してください")
    if HEADS.get(fold(bare)) == "custom":
        raise Fault("カスタム項目の項目名がありません", "「カスタム項目:項目名」の形で記入してください")
    name = canonical(bare)
    if name is None:
        unknown.append(bare)
        return (CustomField(bare),)
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
