"""Values of Hot Profile as the fields of a kintone app take them (K9, K10).

A value that its field cannot take is a named refusal of its record; the others go on. A blank clears its field,
unless the item says 空なら書かない. Nothing else is changed but what the field's type or the item's 変換 asks for:

    文字列, リンク, ルックアップ   as it is, trimmed; several values joined; line breaks only where the field has lines
    リッチエディター               escaped, line breaks as <br />
    数値                          half width, without separators: １,２３４ is 1234
    日付, 時刻, 日時               2026/4/1 9:05:30 is 2026-04-01, 09:05, 2026-04-01T09:05:00+09:00 (kintone drops seconds)
    ドロップダウン, ラジオボタン    an option that is there
    ユーザー選択                   kintone's ログイン名 by the 対応表
    テーブル                       replaced as a whole; the first value of each item is the first row
"""

from __future__ import annotations

import datetime as dt
import functools
import html
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import pandas as pd

from renkei.clock import TOKYO
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet, Item
from renkei.systems.kintone.errors import Refusal
from renkei.systems.kintone.form import Field, Form, same_number
from renkei.systems.kintone.payloads import Record
from renkei.texts import Fault, narrow, similar, trim
from renkei.values.conversion import Conversion, parse_conversions
from renkei.values.convert import converted

JOINED = "、"  # several values in one line
MAX_DIGITS = 30  # of a number, before the point and in all; kintone's help
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_TIME = re.compile(r"(\d{1,2})[:時](\d{1,2})(?:[:分](\d{1,2})(?:\.\d+)?)?[分秒]?")
_ZONE = re.compile(r"(Z|[+-]\d{2}:?\d{2})$")
_HALF = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f]")
_SPACES = str.maketrans("\n\t", "  ")  # kintone's line has no tab, nor may one be asked for
_SEPARATORS = re.compile(r"[,\s]")


@dataclass(frozen=True, slots=True)
class Converted:
    """A record as kintone takes it. With `refusals` it must not be sent.

    `key` is the value of the 更新キー, in the form under which kintone compares it.
    """

    key: str
    record: Record
    refusals: tuple[Refusal, ...] = ()


def convert_all(
    rows: Sequence[Mapping[str, Any]], data_set: DataSet, form: Form, users: Mapping[str, str]
) -> list[Converted]:
    """Each of `rows` (Hot Profile's value by the name of its item: `items.values_of`) for the app with `form`.

    The mapping is one that `form_check` found nothing against. `users` has kintone's ログイン名 by what Hot Profile
    calls a user.
    """
    columns = {item.item: _conversions(item.conversion) for item in data_set.items if item.conversion}
    changed = {name: _converted([row.get(name) for row in rows], asked) for name, asked in columns.items()}
    return [
        _convert({**row, **{name: column[number] for name, column in changed.items()}}, data_set, form, users)
        for number, row in enumerate(rows)
    ]


def key_texts(values: Sequence[Any], conversion: str, *, is_number: bool) -> list[str]:
    """The 更新キー as `convert_all` makes it of each of Hot Profile's values, for a field of text or of a number.

    A 変換 costs the same for one value as for hundreds: give it many at once.
    """
    changed = _converted(values, _conversions(conversion)) if conversion else values
    field = Field("", "NUMBER" if is_number else "SINGLE_LINE_TEXT", "")
    return [_key_text(value, now, field) for value, now in zip(values, changed, strict=True)]


def _key_text(value: Any, changed: Any, field: Field) -> str:
    try:
        return "" if is_blank(changed) else _TYPES[field.type](changed, field)
    except Fault:  # it is never sent
        return trim(str(value))


def with_row_ids(record: Record, current: Record) -> Record:
    """The record whose tables' rows have the ids of the rows that kintone has in their places: they are changed, not
    made anew. What is more in kintone goes, what is more here is added."""
    return {
        code: {"value": _rows_with_ids(cell["value"], current.get(code, {}).get("value"))} if _is_table(cell) else cell
        for code, cell in record.items()
    }


def has_tables(data_set: DataSet) -> bool:
    """Whether `with_row_ids` needs what kintone has."""
    return any(item.table for item in data_set.items)


def is_blank(value: Any) -> bool:
    """Whether Hot Profile has nothing there."""
    if isinstance(value, list):
        return all(map(is_blank, value))
    return value is None or (isinstance(value, str) and not trim(value))


def _convert(values: Mapping[str, Any], data_set: DataSet, form: Form, users: Mapping[str, str]) -> Converted:
    record: Record = {}
    refusals: list[Refusal] = []
    tables: dict[str, list[tuple[Item, list[str]]]] = {}
    for item in data_set.items:
        value = values.get(item.item)
        try:
            if item.table:
                field = form.fields[item.table].cell(item.field)
                assert field is not None
                tables.setdefault(item.table, []).append((item, _column(value, field)))
            elif not (item.skip_blank and is_blank(value)):
                record[item.field] = {"value": _value(value, form.fields[item.field], users)}
        except Fault as fault:
            refusals.append(Refusal(None, item.field, "VALUE", f"{item.item}: {fault.found}", fault.remedy))
    for code, columns in tables.items():
        rows = _rows(columns)
        if rows or not all(item.skip_blank for item, _ in columns):
            record[code] = {"value": rows}
    key_field = data_set.key_field
    key = str(record.get(key_field, {}).get("value") or "")
    if not key and not any(one.field == key_field for one in refusals):
        remedy = f"Hot Profileで「{data_set.key}」に値を入力してください"
        refusals.append(Refusal(None, key_field, "EMPTY_KEY", f"更新キー「{data_set.key}」が空です", remedy))
    return Converted(key, record, tuple(refusals))


def _value(value: Any, field: Field, users: Mapping[str, str]) -> Any:
    """What the field's `value` is. Raises: Fault: it cannot take it."""
    if is_blank(value):
        if field.required and field.type != "RADIO_BUTTON":  # kintone does not ask for one there
            raise Fault(
                "kintoneで必須の項目ですが、Hot Profileの値が空です",
                "Hot Profileで値を入力するか、kintoneの必須を外してください",
            )
        return [] if field.type == "USER_SELECT" else ""
    if field.type == "USER_SELECT":
        return _people(value, users)
    return _TYPES[field.type](value, field)


def _single_line(value: Any, field: Field) -> str:
    return _of_length(_text(value, JOINED).translate(_SPACES), field)


def _multi_line(value: Any, field: Field) -> str:
    return _of_length(_text(value, "\n"), field)


def _rich(value: Any, field: Field) -> str:
    return html.escape(_text(value, "\n"), quote=False).replace("\n", "<br />")


def _number(value: Any, field: Field) -> str:
    text = _SEPARATORS.sub("", narrow(_text(value, JOINED)))
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise Fault(
            "数値ではありません", "Hot Profileの値を数字だけにするか、kintoneの別のフィールドに連携してください"
        ) from None
    if not number.is_finite() or len(number.as_tuple().digits) > MAX_DIGITS or abs(number.adjusted()) >= MAX_DIGITS:
        raise Fault(f"数値の桁が多すぎます（kintoneは{MAX_DIGITS}桁まで）", "Hot Profileの値を確認してください")
    if (field.least is not None and number < field.least) or (field.most is not None and number > field.most):
        least, most = ("" if one is None else f"{one:f}" for one in (field.least, field.most))
        raise Fault(
            f"数値が範囲（{least}～{most}）の外です",
            "Hot Profileの値を直すか、kintoneのフィールドの最小値・最大値を広げてください",
        )
    return same_number(f"{number:f}")


def _date(value: Any, field: Field) -> str:
    day, _ = _moment(value)
    if day is None:
        raise Fault("日付がありません（時刻だけの値です）", "kintoneの「時刻」のフィールドに連携してください")
    return day.isoformat()


def _time(value: Any, field: Field) -> str:
    _, at = _moment(value)
    if at is None:
        raise Fault("時刻がありません（日付だけの値です）", "kintoneの「日付」のフィールドに連携してください")
    return f"{at:%H:%M}"


def _date_time(value: Any, field: Field) -> str:
    day, at = _moment(value)
    if day is None:
        raise Fault("日付がありません（時刻だけの値です）", "kintoneの「時刻」のフィールドに連携してください")
    return f"{day.isoformat()}T{at or dt.time():%H:%M}:00+09:00"


def _moment(value: Any) -> tuple[dt.date | None, dt.time | None]:
    """The day and the time in Japan that a value names. Raises: Fault: it names none."""
    text = narrow(_text(value, JOINED))
    day, _, rest = text.replace("T", " ").partition(" ")
    zone = _ZONE.search(rest)
    rest = rest[: zone.start()].strip() if zone else rest.strip()
    if not rest and _TIME.fullmatch(day):
        day, rest = "", day
    found, at = _DATE.fullmatch(day), _TIME.fullmatch(rest)
    try:
        if (day and not found) or (rest and not at) or not (found or at):
            raise ValueError
        on = dt.date(*map(int, found.groups())) if found else None
        clock = dt.time(int(at[1]), int(at[2]), int(at[3] or 0)) if at else None
        if zone and on and clock:
            offset = dt.datetime.strptime(zone[1].replace("Z", "+00:00"), "%z").tzinfo
            local = dt.datetime.combine(on, clock, offset).astimezone(TOKYO)
            on, clock = local.date(), local.time()
    except (ValueError, OverflowError):
        raise Fault(
            "日付または時刻として正しくありません（0000-00-00 など、暦に無い日も書けません）",
            "Hot Profileで正しい日付を入力するか、空にしてください",
        ) from None
    return on, clock


def _option(value: Any, field: Field) -> str:
    text = _text(value, JOINED)
    if text in field.options:
        return text
    near = similar(text, field.options)
    raise Fault(
        "kintoneのフィールドにその選択肢がありません" + (f"（近い選択肢は「{near}」です）" if near else ""),
        "kintoneのフィールドに選択肢を加えるか、Hot Profileの値を直してください",
    )


def _people(value: Any, users: Mapping[str, str]) -> list[dict[str, str]]:
    names = [_text(one, JOINED) for one in (value if isinstance(value, list) else [value]) if not is_blank(one)]
    unknown = [place for place, name in enumerate(names, 1) if name not in users]
    if unknown:
        which = "、".join(f"{place}人目" for place in unknown) if len(names) > 1 else "ユーザー"
        raise Fault(
            f"{which}がユーザーの対応表にありません",
            "連携設定シートのユーザーの対応表に、Hot Profileのユーザーとkintoneのログイン名を加えてください",
        )
    return [{"code": code} for code in dict.fromkeys(users[name] for name in names)]


def _column(value: Any, field: Field) -> list[str]:
    """The cells of a table's column, from the first row on."""
    cells = value if isinstance(value, list) else [value]
    return ["" if is_blank(one) else _single_line(one, field) for one in cells]


def _rows(columns: Iterable[tuple[Item, list[str]]]) -> list[dict[str, Any]]:
    columns = list(columns)
    count = max((len(cells) for _, cells in columns), default=0)
    rows = [
        [(item, cells[number] if number < len(cells) else "") for item, cells in columns] for number in range(count)
    ]
    while rows and not any(text for _, text in rows[-1]):
        rows.pop()
    return [
        {"value": {item.field: {"value": text} for item, text in row if text or not item.skip_blank}} for row in rows
    ]


def _is_table(cell: Mapping[str, Any]) -> bool:
    value = cell["value"]
    return isinstance(value, list) and any("value" in row for row in value)


def _rows_with_ids(rows: Sequence[Mapping[str, Any]], current: Any) -> list[dict[str, Any]]:
    ids = [row["id"] for row in current if isinstance(row, dict) and "id" in row] if isinstance(current, list) else []
    return [{**({"id": ids[number]} if number < len(ids) else {}), **row} for number, row in enumerate(rows)]


def _text(value: Any, between: str) -> str:
    """The value as a text, trimmed; lists joined. Raises: Fault: it is none that can be written."""
    if isinstance(value, list):
        return between.join(_text(one, between) for one in value if not is_blank(one))
    if isinstance(value, dict):  # a level of a hierarchy, a tag
        value = value.get("name", value.get("label"))
    if isinstance(value, bool):
        return str(int(value))
    if not isinstance(value, str | int | float):
        raise Fault("連携できない形の値です", "項目の連携を外し、運用担当者にお問い合わせください")
    text = trim(str(value)).replace("\r\n", "\n").replace("\r", "\n")
    if _HALF.search(text):
        raise Fault("文字が壊れています（4バイト文字の半分だけです）", "Hot Profileで値を入力し直してください")
    if _CONTROL.search(text):
        raise Fault("制御文字が含まれています", "Hot Profileで値を消して、入力し直してください")
    return text


def _of_length(text: str, field: Field) -> str:
    """Raises: Fault: it is too long or too short however kintone counts; where that differs (emoji), kintone decides."""
    if field.longest is not None and len(text) > field.longest:
        raise Fault(
            f"{len(text)}文字あり、kintoneのフィールドの最大文字数{field.longest}を超えています",
            "Hot Profileの値を短くするか、kintoneのフィールドの最大文字数を広げてください",
        )
    if field.shortest is not None and len(text.encode("utf-16-le")) // 2 < field.shortest:
        raise Fault(
            f"{len(text)}文字しかなく、kintoneのフィールドの最小文字数{field.shortest}に足りません",
            "Hot Profileの値を直すか、kintoneのフィールドの最小文字数を下げてください",
        )
    return text


_TYPES: dict[str, Callable[[Any, Field], str]] = {
    "SINGLE_LINE_TEXT": _single_line,
    "LINK": _single_line,
    "MULTI_LINE_TEXT": _multi_line,
    "RICH_TEXT": _rich,
    "NUMBER": _number,
    "DATE": _date,
    "TIME": _time,
    "DATETIME": _date_time,
    "DROP_DOWN": _option,
    "RADIO_BUTTON": _option,
}


@functools.lru_cache(maxsize=1_000)
def _conversions(text: str) -> tuple[Conversion, ...]:
    return parse_conversions(text)


def _converted(values: Sequence[Any], asked: tuple[Conversion, ...]) -> list[Any]:
    """The values with every text in them converted, those in lists too."""
    texts = [one for value in values for one in (value if isinstance(value, list) else [value]) if _is_text(one)]
    left = iter(converted(pd.Series(texts, dtype="str"), asked))

    def change(one: Any) -> Any:
        return next(left) if _is_text(one) else one

    return [list(map(change, value)) if isinstance(value, list) else change(value) for value in values]


def _is_text(value: Any) -> bool:
    """Whether it is one that a column can hold; half a character is refused later."""
    return isinstance(value, str) and not _HALF.search(value)
