"""What the values of 連携情報 may be: for the reader, for Excel while a customer types, and for an editor of YAML (E1, E15)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from renkei.links.smarthr_emc.sheet.mapping import LinkState, Loader, Reconcile
from renkei.systems.smarthr import hosts
from renkei.texts import Fault, control_fault, fold, mail_addresses, narrow, trim

MAX_RESULT_ADDRESSES = 5  # text 1, 連携設定シート
MAX_ID_PREFIX = 20
MAX_COMPANY_NAME = 40  # it stands in the subject of a mail
MAX_DEPARTMENT_ID = 30  # with prefix; text 1, マルチテナント連携 1
STATE_WORDS = {LinkState.ACTIVE: "連携中", LinkState.FROZEN: "連携解除"}
RECONCILE_WORDS = {Reconcile.DAILY: "毎日", Reconcile.NEVER: "しない"}
LOADER_WORDS = {Loader.HTTP: "API", Loader.FILE_DROP: "ファイル"}
_WEEKDAY = re.compile(r"\([月火水木金土日](?:曜日?)?\)$")
_SUBDOMAIN = re.compile(
    r"(?<![a-z0-9.@=-])(?!(?:app|www|api|support|knowledge)\.)[a-z0-9-]{1,63}\.smarthr\.jp(?![a-z0-9.-])"
)
_PREFIX = re.compile(r"[!-~]+")
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9_-]*")
_YEAR_2000 = 36_526  # as Excel counts days


@dataclass(frozen=True, slots=True)
class ExcelValidation:
    """What Excel itself checks while a customer types: a `type` of its own, from `least` to `most`, and what it says."""

    type: str
    least: float
    most: float | None
    text: str
    number_format: str = "@"  # of the cell


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One kind of value: `read` makes it of a cell's text, or raises a `Fault`; `schema` is its JSON Schema in YAML."""

    read: Callable[[str], Any]
    schema: dict[str, Any]
    limit: ExcelValidation | None = None
    words: tuple[str, ...] = ()  # all that a cell may say
    dated: bool = False  # a workbook's own dates and times are taken as such


def read_url(text: str, allowed_hosts: Collection[str] = ()) -> str:
    """SmartHR URL; `allowed_hosts` are the operator's stand-ins.

    Raises:
        Fault: it is none.
    """
    own = _SUBDOMAIN.search(narrow(text).lower())
    meant = f"「https://{own[0]}」と" if own else "「https://(サブドメイン).smarthr.jp」の形で"
    fault = Fault("SmartHR URLの形が正しくありません", f"{meant}記入してください")
    try:
        parts = urlsplit(narrow(text))
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise fault from error
    if not host or parts.username is not None or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise fault
    url = f"{parts.scheme}://{host}" + ("" if port is None else f":{port}")
    if hosts.is_smarthr_url(url, allowed_hosts):
        return url.removesuffix(":443")
    if host in hosts.NO_TENANT:
        raise Fault(f"{host} は会社ごとのURLではありません", "ご利用中のSmartHRのURLを記入してください")
    raise fault


def _date(text: str) -> dt.date:
    plain = trim(_WEEKDAY.sub("", narrow(text)))
    match = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{4})(\d{2})(\d{2})", plain)
    era = re.fullmatch(r"(?:令和|[rR])\s*(\d{1,2}|元)[-/.年](\d{1,2})[-/.月](\d{1,2})日?", plain)
    if match or era:
        year, month, day = (1 if part == "元" else int(part) for part in (match or era).groups() if part is not None)  # type: ignore[union-attr]
        try:
            return dt.date(year + 2018 if era else year, month, day)
        except ValueError:
            pass
    serial = dt.date(1899, 12, 30) + dt.timedelta(int(plain)) if re.fullmatch(r"[3-7]\d{4}", plain) else None
    what = f"(Excelの日付の通し番号なら {serial.isoformat()} です)" if serial else ""
    raise Fault(f"「{plain}」は日付ではありません{what}", "「2026-04-01」の形で記入してください")


def _time(text: str) -> dt.time:
    plain = narrow(text)
    match = re.fullmatch(r"(午前|午後|am|pm)?\s*(?:(\d{1,2}):(\d{2})(?::00)?|(\d{1,2})時(?:(\d{1,2})分)?)", plain, re.I)
    if match:
        hour, minute = int(match[2] or match[4]), int(match[3] or match[5] or 0)
        if match[1] and hour <= 12:
            hour = hour % 12 + (12 if match[1].lower() in ("午後", "pm") else 0)
        if hour < 24 and minute < 60:
            return dt.time(hour, minute)
    raise Fault(f"「{plain}」は時刻ではありません", "「04:30」の形で、0:00から23:59までの時刻を記入してください")


def _prefix(text: str) -> str:
    plain = narrow(text)
    if not _PREFIX.fullmatch(plain) or set(plain) & set(",\"'"):
        raise Fault(
            "ID付与コードに使えない文字が含まれています", "半角の英数字と記号(カンマと引用符を除く)で記入してください"
        )
    if len(plain) > MAX_ID_PREFIX:
        raise Fault(f"ID付与コードが{len(plain)}文字あります", f"{MAX_ID_PREFIX}文字以内で記入してください")
    return plain


def _line(text: str) -> str:
    if fault := control_fault(text, "この項目"):
        raise fault
    return trim(text)


def _company_name(text: str) -> str:
    name = _line(text)
    if len(name) > MAX_COMPANY_NAME:
        raise Fault(f"会社名が{len(name)}文字あります", f"{MAX_COMPANY_NAME}文字以内で記入してください")
    return name


def _account(text: str) -> str:
    if not _ACCOUNT.fullmatch(plain := narrow(text)):
        raise Fault(f"「{plain}」はEMCアカウントの名前に使えません", "半角の英小文字、数字、_、- で記入してください")
    return plain


def _choice(words: dict[Any, str]) -> Kind:
    """One of the members of an enum, by its word or its code."""
    by_fold = {fold(name): code for code, word in words.items() for name in (word, code.value)}

    def read(text: str) -> Any:
        if fold(text) in by_fold:
            return by_fold[fold(text)]
        raise Fault(f"「{trim(text)}」は使えない言葉です", f"{' または '.join(words.values())} と記入してください")

    return Kind(read, {"enum": [*(code.value for code in words), *words.values(), None]}, words=tuple(words.values()))


def _number(least: int, most: int | None) -> Kind:
    limits = f"{least}以上の整数" if most is None else f"{least}から{most}までの整数"

    def read(text: str) -> int:
        plain = narrow(text)
        number = int(plain) if re.fullmatch(r"\d{1,9}", plain) else -1
        if number < least or (most is not None and number > most):
            raise Fault(f"「{plain}」は使えない値です", f"{limits}を記入してください")
        return number

    schema = {"type": ["integer", "string", "null"], "minimum": least, "maximum": most or 999_999_999}
    limit = ExcelValidation("whole", least, most, f"{limits}を記入してください。", "General")
    return Kind(read, schema | {"pattern": "^[0-9]{0,9}$"}, limit)


def _percent(text: str) -> float:
    plain = trim(narrow(text).removesuffix("%"))
    number = float(plain) if re.fullmatch(r"\d{1,3}(\.\d{1,4})?", plain) else -1.0
    if not 0 <= number <= 100:
        raise Fault(f"「{plain}」は割合ではありません", "0から100までの数字を記入してください")
    return number


def _at_most(longest: int, what: str = "") -> ExcelValidation:
    return ExcelValidation("textLength", 0, longest, f"{what}{longest}文字以内で記入してください。")


# Schemas take what is usually written: full-width digits, blanks and the like are left to `renkei check`.
SCALAR = ["string", "number", "boolean", "null"]
_OWN_HOST = "|".join(map(re.escape, hosts.SUFFIXES))
_STAND_IN = r"https?://(?:[A-Za-z0-9_-]+|[0-9.]+|[^/@?#]+:[0-9]+)"
_ADDRESS = r"[^@]+@[^@]+\.[^@]+"

URL = Kind(
    read_url,
    {"type": "string", "pattern": f"^(?:https://[A-Za-z0-9-]+(?:{_OWN_HOST})(?::443)?|{_STAND_IN})/?$"},
)
ADDRESSES = Kind(
    mail_addresses,
    {
        "anyOf": [
            {
                "type": "array",
                "items": {"type": ["string", "null"], "pattern": "^(?:[^@]+(?:@[^@]+\\.[^@]+)+)?$"},
                "contains": {"type": "string", "pattern": "@"},
                # An address that stands twice counts once.
                "if": {"items": {"type": "string", "pattern": f"^{_ADDRESS}$"}, "uniqueItems": True},
                "then": {"maxItems": MAX_RESULT_ADDRESSES},
            },
            {"type": "string", "pattern": "@"},
        ],
    },
)
DATE = Kind(
    _date,
    {
        "type": ["string", "integer"],
        "pattern": r"^[0-9]{4}[-/.年](?:0?[1-9]|1[0-2])[-/.月](?:0?[1-9]|[12][0-9]|3[01])日?$|^[0-9]{8}$|^令和|^[Rr]",
        "minimum": 10000101,  # 20260401
        "maximum": 99991231,
        "examples": ["2026-04-01"],
    },
    ExcelValidation("date", _YEAR_2000, None, "日付を2026/4/1のように記入してください。", "yyyy-mm-dd"),
    dated=True,
)
TIME = Kind(
    _time,
    {
        "type": ["string", "integer", "null"],
        "pattern": r"^(?:[01]?[0-9]|2[0-3])(?::[0-5][0-9](?::00)?|時(?:[0-5]?[0-9]分)?)$|^$|^(?:午前|午後|[AaPp][Mm])",
        "minimum": 60,  # YAML 1.1 takes 12:30 for the number 750, and 12:30:00 for 45000
        "maximum": 86340,
        "examples": ["04:30"],
    },
    ExcelValidation("time", 0, 0.9999, "時刻を4:30のように、0:00から23:59までで記入してください。", "h:mm"),
    dated=True,
)
ID_PREFIX = Kind(
    _prefix,
    {"type": SCALAR, "pattern": f"^[!#-&(-+\\--~]{{0,{MAX_ID_PREFIX}}}$"},
    _at_most(MAX_ID_PREFIX),
)
COMPANY_NAME = Kind(_company_name, {"type": SCALAR, "maxLength": MAX_COMPANY_NAME}, _at_most(MAX_COMPANY_NAME))
DEPARTMENT_ID = Kind(
    _line, {"type": SCALAR, "maxLength": MAX_DEPARTMENT_ID}, _at_most(MAX_DEPARTMENT_ID, "ID付与コードを含めて")
)
LINE = Kind(_line, {"type": SCALAR})
ACCOUNT = Kind(_account, {"type": SCALAR, "pattern": "^(?:[a-z0-9][a-z0-9_-]*)?$"})
STATE, LOADER, RECONCILE = _choice(STATE_WORDS), _choice(LOADER_WORDS), _choice(RECONCILE_WORDS)
RATE, COUNT = _number(1, 10), _number(0, None)
PERCENT = Kind(
    _percent,
    {
        "type": ["number", "string", "null"],
        "pattern": "^(?:[0-9]{1,3}(?:[.][0-9]{1,4})?%?)?$",
        "minimum": 0,
        "maximum": 100,
    },
    ExcelValidation("decimal", 0, 100, "0から100までの数字を記入してください。", "General"),
)
