"""What is doubtful in the values that a run writes: warnings for the mail, never errors; nothing is changed (E22).

    invisible         a character that shows nothing, inside a value
    variant           異体字: a kanji that JIS X 0208 lacks, which the file can carry and a reader may not show
    machine           機種依存文字: another such character (①, ㈱, 外字)
    kana_*            氏名(ヨミ) in half-width kana, hiragana, kanji, half-width letters, small letters
    full_width        full-width letters or digits in ユーザID or in a contact
    double_blank      two blanks in a row in a name
    unused_phone      a telephone number that the numbering plan does not have
    odd_mail          a mail address outside the standard, or of a domain that is no domain of the internet
    shared_contact    one contact of many people
    no_date           a value that 変換 日付 could not read

What EMC's encoding cannot carry is an error (validate.py) and not told again here.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from renkei.links.smarthr_emc.columns import BLANKS, flat, is_in, rows_where, shown
from renkei.links.smarthr_emc.contacts import SHARED_BY, Finding, contact_doubts
from renkei.links.smarthr_emc.convert import INVISIBLE_CHARACTER, date_pattern
from renkei.links.smarthr_emc.sheet.items import CONTACTS, DEPARTMENT_REFERENCES, USER_ITEM
from renkei.links.smarthr_emc.sheet.mapping import Action, Convert, FieldRule, Mapping
from renkei.links.smarthr_emc.variants import in_jis_x_0208
from renkei.systems.emc.file_format import EmcFormat

if TYPE_CHECKING:
    import pandas as pd

HYGIENE_COLUMNS = ("line", "id", "crew_id", "item", "kind", "detail")
CHARACTERS_SHOWN = 3

# Codes of fixed lists, and what is looked at elsewhere.
_NOT_TEXT = (
    "operation",
    "password_reset",
    *DEPARTMENT_REFERENCES,
    *(f"contact_{n}_medium" for n in range(1, CONTACTS + 1)),
)
_LATIN = ("user_id", *(f"contact_{n}_address" for n in range(1, CONTACTS + 1)))
_NAMES = ("full_name", "full_name_yomi")


@dataclass(frozen=True, slots=True)
class Doubt:
    """How the mail tells of one kind: what it is, and what to do."""

    title: str
    remedy: str


def _either(mend: str, word: str) -> str:
    return f"SmartHRで{mend}か、連携設定シートの変換に「{word}」を指定してください"


KINDS = {
    "invisible": Doubt("見えない文字を含む値", _either("取り除く", "不可視文字除去")),
    "variant": Doubt(
        "異体字を含む値（このまま登録しますが、端末によっては表示されません）",
        f"表示されない場合は、{_either('別の字に直す', '標準字体')}（標準字体の無い字はそのままです）",
    ),
    "machine": Doubt(
        "機種依存文字を含む値（このまま登録しますが、端末によっては表示されません）",
        "表示されない場合は、SmartHRで別の字に直してください",
    ),
    "kana_half": Doubt("氏名(ヨミ)が半角カナ", _either("全角カナに直す", "全角カナ")),
    "kana_hiragana": Doubt("氏名(ヨミ)がひらがな", _either("全角カナに直す", "全角カナ")),
    "kana_kanji": Doubt("氏名(ヨミ)に漢字", "SmartHRで全角カナに直してください"),
    "kana_letters": Doubt("氏名(ヨミ)に半角英数字", _either("全角カナに直す", "全角")),
    "kana_lower": Doubt("氏名(ヨミ)に英小文字", _either("全角カナに直す", "大文字")),
    "full_width": Doubt("ユーザIDまたは連絡先に全角英数字", _either("半角に直す", "半角")),
    "double_blank": Doubt("氏名の中に空白が2つ以上続く", _either("空白を1つにする", "空白除去")),
    "unused_phone": Doubt(
        "番号帯または桁数に誤りのおそれがある電話番号",
        "SmartHRで電話番号を確認してください（連絡が届かないことがあります）",
    ),
    "odd_mail": Doubt(
        "規格に合わないメールアドレス", "SmartHRでメールアドレスを確認してください（連絡が届かないことがあります）"
    ),
    "shared_contact": Doubt(f"{SHARED_BY}名以上で共有の連絡先", "本人に届く連絡先かどうか、SmartHRで確認してください"),
    "no_date": Doubt("日付として読めない値（変換せずに登録します）", "SmartHRで「2024/04/01」の形に直してください"),
}


def doubtful(written: pd.DataFrame, target: pd.DataFrame, mapping: Mapping, emc_format: EmcFormat) -> pd.DataFrame:
    """Every doubtful value, one row per person, item and kind: a table of HYGIENE_COLUMNS, by line.

    `written` are the plan's rows without its deletes, `target` what EMC has of the same people in the same order.
    `detail` names at most the doubtful characters, never the value.
    """
    import pandas as pd

    found = list(_found(written, target, mapping, emc_format))
    if not found:
        return pd.DataFrame({name: pd.Series(dtype="int64" if name == "line" else "str") for name in HYGIENE_COLUMNS})
    tables = []
    for rows, item, kind, detail in found:
        people = written[["line", "user_id", "crew_id"]].take(rows).reset_index(drop=True)
        tables.append(people.rename(columns={"user_id": "id"}).assign(item=item, kind=kind, detail=detail))
    table = pd.concat(tables, ignore_index=True)
    return table.sort_values("line", kind="stable", ignore_index=True).astype({"line": "int64"})[list(HYGIENE_COLUMNS)]


def summary(doubts: pd.DataFrame, most: int) -> dict[str, Any]:
    """For the run's warnings.json: `counts` of people by kind, and `shown`, `most` of them per kind.

    Each shown one is kind, user id, crew id and its items: 氏名「髙」(U+9AD9).
    """
    counts: dict[str, int] = {}
    listed: list[list[str]] = []
    for kind in KINDS:
        rows = doubts[doubts["kind"] == kind]
        people = rows["id"].drop_duplicates()
        if not len(people):
            continue
        counts[kind] = len(people)
        for user_id, of in rows[is_in(rows["id"], people.head(most))].groupby("id", sort=False):
            what = "、".join(
                f"{USER_ITEM[item].name}{': ' if detail else ''}{detail}"
                for item, detail in zip(of["item"], of["detail"], strict=True)
            )
            listed.append([kind, str(user_id), str(of["crew_id"].iloc[0]), what])
    return {"counts": counts, "shown": listed}


def _found(written: pd.DataFrame, target: pd.DataFrame, mapping: Mapping, emc_format: EmcFormat) -> Iterator[Finding]:
    texts = {item: flat(written[item]) for item in written.columns if item in USER_ITEM and item not in _NOT_TEXT}
    for item, array in texts.items():
        yield from _character_doubts(array, item, emc_format.encoding)
        if item in _NAMES:
            yield from _double_blanks(array, item)
        rule = mapping.rule(item) if item != "user_id" else None  # whose values have ID付与コード in front
        if rule is not None and rule.conversions and rule.conversions[-1].convert is Convert.DATE:
            yield from _no_dates(array, rule)
    yield from contact_doubts(texts, target, mapping, emc_format)


def _character_doubts(array: Any, item: str, encoding: str) -> Iterator[Finding]:
    """Doubtful characters of one column: all its text at once, each distinct character judged once."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = None
    if item != "full_name_yomi":  # elsewhere no ASCII character is doubtful
        rows = rows_where(pc.invert(pc.string_is_ascii(array)))
        array = array.take(pa.array(rows))
    text = _joined(array)
    if not text:
        return
    codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    occurring = np.zeros(0x110000, dtype=bool)
    occurring[codes] = True
    by_kind: dict[str, list[int]] = {}
    for code in np.flatnonzero(occurring).tolist():
        for kind in _doubts_of(chr(code), item, encoding):
            by_kind.setdefault(kind, []).append(code)
    if not by_kind:
        return
    ends = np.cumsum(pc.utf8_length(array).to_numpy(zero_copy_only=False))
    for kind in (kind for kind in KINDS if kind in by_kind):
        is_doubtful = np.zeros(0x110000, dtype=bool)
        is_doubtful[by_kind[kind]] = True
        at = np.flatnonzero(is_doubtful[codes])
        hit, details = _first_characters(np.searchsorted(ends, at, side="right"), codes[at])
        yield (hit if rows is None else rows[hit]), item, kind, details


def _joined(array: Any) -> str:
    """The texts of an Arrow array one after another."""
    import numpy as np
    import pyarrow as pa

    array = pa.concat_arrays([array])  # offsets that start at 0
    _, offsets, content = array.buffers()
    if content is None or not len(array):
        return ""
    return str(memoryview(content)[: int(np.frombuffer(offsets, dtype=np.int64)[len(array)])], "utf-8")


def _first_characters(rows: Any, codes: Any) -> tuple[Any, Any]:
    """The distinct rows, and for each its first doubtful characters; both arguments are in the order of the rows."""
    import numpy as np

    fresh = np.ones(len(rows), dtype=bool)
    fresh[1:] = (rows[1:] != rows[:-1]) | (codes[1:] != codes[:-1])  # ーー is one character
    rows, codes = rows[fresh], codes[fresh]
    names, which = np.unique(codes, return_inverse=True)
    texts = np.array([shown(chr(code)) for code in names.tolist()], dtype=object)[which]
    hit, first, count = np.unique(rows, return_index=True, return_counts=True)
    details = texts[first]
    for further in range(1, CHARACTERS_SHOWN):
        more = count > further
        details[more] = details[more] + texts[first[more] + further]
    return hit, details


@functools.lru_cache(maxsize=100_000)
def _doubts_of(character: str, item: str, encoding: str) -> tuple[str, ...]:
    """The kinds of doubt about one character of an item."""
    if not _carried(character, encoding):
        return ()  # an error already
    found = []
    name = unicodedata.name(character, "")
    if INVISIBLE_CHARACTER.fullmatch(character):
        found.append("invisible")
    elif not in_jis_x_0208(character):
        found.append("variant" if name.startswith("CJK") else "machine")
    if item == "full_name_yomi":
        found += _kana_doubts(character, name)
    if item in _LATIN and "\uff01" <= character <= "\uff5e" and unicodedata.normalize("NFKC", character).isalnum():
        found.append("full_width")
    return tuple(found)


def _kana_doubts(character: str, name: str) -> Iterator[str]:
    if name.startswith("HALFWIDTH KATAKANA"):
        yield "kana_half"
    elif name.startswith("HIRAGANA"):
        yield "kana_hiragana"
    elif name.startswith("CJK") and unicodedata.category(character) == "Lo":
        yield "kana_kanji"
    elif character.isascii() and character.isalnum():
        yield "kana_letters"
    if character.islower():
        yield "kana_lower"


def _carried(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _double_blanks(array: Any, item: str) -> Iterator[Finding]:
    import pyarrow.compute as pc

    blank = "[" + "".join(f"\\x{{{ord(character):X}}}" for character in BLANKS) + "]"
    rows = rows_where(pc.match_substring_regex(array, blank + "{2}"))
    if len(rows):
        yield rows, item, "double_blank", ""


def _no_dates(array: Any, rule: FieldRule) -> Iterator[Finding]:
    """Values that 日付 left as they were; デフォルト:X is no value of SmartHR's."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = (
        rule.on_create.when_present,
        rule.on_create.when_blank,
        rule.on_update.when_present,
        rule.on_update.when_blank,
    )
    ours = pa.array(["", *(cell.default for cell in cells if cell.action is Action.DEFAULT)], type=pa.large_string())
    read = pc.match_substring_regex(array, date_pattern(rule.conversions[-1].form))
    rows = rows_where(pc.invert(pc.or_(read, pc.is_in(array, value_set=ours))))
    if len(rows):
        yield rows, rule.item, "no_date", ""
