"""Values of Hot Profile as the fields of a kintone app take them (K9, K10).

Nothing is changed but what the field's type asks for:

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
import html
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from renkei.clock import TOKYO
from renkei.systems.kintone.form import Field, same_number
from renkei.texts import Fault, narrow, similar, trim

JOINED = "、"  # several values in one line
MAX_DIGITS = 30  # of a number, before the point and in all; kintone's help
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_TIME = re.compile(r"(\d{1,2})[:時](\d{1,2})(?:[:分](\d{1,2})(?:\.\d+)?)?[分秒]?")
_ZONE = re.compile(r"(Z|[+-]\d{2}:?\d{2})$")
_HALF = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f]")
_SPACES = str.maketrans("\n\t", "  ")  # kintone's line has no tab, nor may one be asked for
_SEPARATORS = re.compile(r"[,\s]")


def is_blank(value: Any) -> bool:
    """Whether Hot Profile has nothing there."""
    if isinstance(value, list):
        return all(map(is_blank, value))
    return value is None or (isinstance(value, str) and not trim(value))


def value_of(value: Any, field: Field, users: Mapping[str, str]) -> Any:
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
    return TYPES[field.type](value, field)


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


def column_of(value: Any, field: Field) -> list[str]:
    """The cells of a table's column, from the first row on."""
    cells = value if isinstance(value, list) else [value]
    return ["" if is_blank(one) else _single_line(one, field) for one in cells]


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


TYPES: dict[str, Callable[[Any, Field], str]] = {
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


def is_text(value: Any) -> bool:
    """Whether it is one that a column can hold; half a character is refused later."""
    return isinstance(value, str) and not _HALF.search(value)
