"""連携情報: its lines, and what each of them may say (E1, E15, E24–E26, E34, E35)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from renkei.errors import Problem
from renkei.links.smarthr_emc.sheet.mapping import Guards, LinkState, Loader, RootDepartment
from renkei.links.smarthr_emc.sheet.names import fold, has_control, is_ditto, nearest, trim
from renkei.links.smarthr_emc.sheet.raw import Fault, RawCell, RawSetting
from renkei.systems.smarthr import hosts
from renkei.texts import mail_addresses, narrow

_T = TypeVar("_T")

RESULT_ADDRESSES_MOST = 5  # text 1, 連携設定シート
ID_PREFIX_LONGEST = 20
DEPARTMENT_ID_LONGEST = 30  # with prefix; text 1, マルチテナント連携 1
_WEEKDAY = re.compile(r"\s*\([月火水木金土日](?:曜日?)?\)$")
_PREFIX = re.compile(r"[!-~]+")
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9_-]*")
STATES = {"連携中": LinkState.ACTIVE, "連携解除": LinkState.FROZEN} | {state.value: state for state in LinkState}
LOADERS = {"API": Loader.HTTP, "ファイル": Loader.FILE_DROP} | {loader.value: loader for loader in Loader}


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of 連携情報: `key` is its path in the YAML form and in `Mapping`."""

    key: str
    label: str
    note: str = ""
    aliases: tuple[str, ...] = ()


SETTINGS: tuple[Setting, ...] = (
    Setting("smarthr_url", "SmartHR URL", "必須。例: https://example.smarthr.jp", ("連携URL", "SmartHRのURL", "URL")),
    *(
        Setting("result_addresses", f"結果通知先メールアドレス{n}", "1件以上5件まで" if n == 1 else "")
        for n in range(1, RESULT_ADDRESSES_MOST + 1)
    ),
    Setting("link_start_on", "連携開始日", "必須。この日から毎日連携します。例: 2026-04-01"),
    Setting("run_at", "処理時刻", "空白なら4:30", ("連携時刻", "処理開始時刻")),
    Setting(
        "id_prefix",
        "ID付与コード",
        "ユーザIDと部署IDの頭に付けます。連携開始後は変更できません",
        ("会社コード", "プレフィックス"),
    ),
    Setting("root_department.id", "最上位部署ID", "最上位部署を作る場合に3項目とも記入", ("親部署ID", "親部署")),
    Setting("root_department.name", "最上位部署名", "", ("親部署名",)),
    Setting("root_department.yomi", "最上位部署名(ヨミ)", "", ("親部署名(ヨミ)", "最上位部署名(ヨミガナ)")),
    Setting("state", "連携状態", "連携中 または 連携解除。空白なら連携中"),
    Setting("loader", "取込方式", "API または ファイル。空白ならAPI"),
    Setting("emc_account", "EMCアカウント", "同じエマージェンシーコールに連携する会社は同じ名前。空白なら会社ごと"),
    Setting("requests_per_second", "SmartHRリクエスト数(毎秒)", "1から10。空白なら10"),
    Setting("guards.delete_users_percent", "削除保留(人数割合%)", "空白なら10"),
    Setting("guards.delete_users_least", "削除保留(最少人数)", "空白なら5"),
    Setting("guards.delete_users_most", "削除保留(最多人数)", "空白なら500"),
    Setting("guards.delete_departments_percent", "部署削除保留(割合%)", "空白なら20"),
    Setting("guards.delete_departments_least", "部署削除保留(最少数)", "空白なら3"),
    Setting("guards.lost_contact_percent", "連絡先喪失保留(割合%)", "空白なら1"),
    Setting("guards.lost_contact_least", "連絡先喪失保留(最少人数)", "空白なら5"),
    Setting("guards.clear_percent", "空白化保留(割合%)", "空白なら10"),
    Setting("guards.clear_least", "空白化保留(最少件数)", "空白なら5"),
)
LABELS: dict[str, str] = {setting.key: setting.label for setting in reversed(SETTINGS)}
_KEYS = {fold(name): s.key for s in SETTINGS for name in (s.label, *s.aliases)} | {
    fold(f"{name}{n}"): "result_addresses"
    for name in ("結果通知先メールアドレス", "結果通知先", "通知先メールアドレス")
    for n in ("", *range(1, 21))
}


def setting_key(label: str) -> str | None:
    """The key that a label of 連携情報 stands for, or None."""
    return _KEYS.get(fold(label))


def _url(text: str, allowed_hosts: Collection[str]) -> str:
    fault = Fault("SmartHR URLの形が正しくありません", "「https://(サブドメイン).smarthr.jp」の形で記入してください")
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
    plain = _WEEKDAY.sub("", narrow(text))
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
    if len(plain) > ID_PREFIX_LONGEST:
        raise Fault(f"ID付与コードが{len(plain)}文字あります", f"{ID_PREFIX_LONGEST}文字以内で記入してください")
    return plain


def _line(text: str) -> str:
    if has_control(trim(text)):
        raise Fault("改行または制御文字が含まれています", "1行の文字だけで記入してください")
    return trim(text)


def _account(text: str) -> str:
    if not _ACCOUNT.fullmatch(plain := narrow(text)):
        raise Fault(f"「{plain}」はEMCアカウントの名前に使えません", "半角の英小文字、数字、_、- で記入してください")
    return plain


def _choice(known: Dict[str, _T]) -> Callable[[str], _T]:
    by_fold = {fold(word): value for word, value in known.items()}

    def read(text: str) -> _T:
        if fold(text) in by_fold:
            return by_fold[fold(text)]
        words = " または ".join(list(known)[:2])
        raise Fault(f"「{trim(text)}」は使えない言葉です", f"{words} と記入してください")

    return read


def _number(least: int, most: int | None) -> Callable[[str], int]:
    def read(text: str) -> int:
        plain = narrow(text)
        number = int(plain) if re.fullmatch(r"\d{1,9}", plain) else -1
        if number < least or (most is not None and number > most):
            limits = f"{least}以上の整数" if most is None else f"{least}から{most}までの整数"
            raise Fault(f"「{plain}」は使えない値です", f"{limits}を記入してください")
        return number

    return read


def _percent(text: str) -> float:
    plain = trim(narrow(text).removesuffix("%"))
    number = float(plain) if re.fullmatch(r"\d{1,3}(\.\d{1,4})?", plain) else -1.0
    if not 0 <= number <= 100:
        raise Fault(f"「{plain}」は割合ではありません", "0から100までの数字を記入してください")
    return number


_READERS: dict[str, Callable[[str], Any]] = {
    "result_addresses": mail_addresses,
    "link_start_on": _date,
    "run_at": _time,
    "id_prefix": _prefix,
    "root_department.id": _line,
    "root_department.name": _line,
    "root_department.yomi": _line,
    "state": _choice(STATES),
    "loader": _choice(LOADERS),
    "emc_account": _account,
    "requests_per_second": _number(1, 10),
}


def _reader(key: str, allowed_hosts: Collection[str]) -> Callable[[str], Any]:
    if key == "smarthr_url":
        return lambda text: _url(text, allowed_hosts)
    if key.startswith("guards."):
        return _percent if key.endswith("_percent") else _number(0, None)
    return _READERS[key]


def read_settings(
    rows: tuple[RawSetting, ...],
    name: str,
    allowed_hosts: Collection[str],
    problems: list[Problem],
    cells: dict[str, list[RawCell]],
    warnings: list[Problem],
) -> dict[str, Any]:
    """The arguments of `Mapping` that 連携情報 gives; what is wrong is added to `problems` and left out.

    `cells` gets the filled-in cells by key, `warnings` what is doubtful about how they are written.
    """
    blanks = _cells(rows, problems, cells, warnings)
    values: dict[str, Any] = {}
    for key, found in cells.items():
        for cell in found:
            try:
                value = _reader(key, allowed_hosts)(cell.text)
            except Fault as fault:
                problems.append(fault.at(cell.where))
                continue
            values[key] = values.get(key, ()) + value if key == "result_addresses" else value
    _complete(cells, blanks, values, f"{name} 連携情報", problems)
    root = _nest(values, "root_department")
    guards = _nest(values, "guards")
    if len(root) == 3:
        values["root_department"] = RootDepartment(**root)
        if len(values.get("id_prefix", "") + root["id"]) > DEPARTMENT_ID_LONGEST:
            remedy = f"ID付与コードを含めて{DEPARTMENT_ID_LONGEST}文字以内で記入してください"
            problems.append(Problem(cells["root_department.id"][0].where, "最上位部署IDが長すぎます", remedy))
    values["guards"] = Guards(**guards)
    return values


def _cells(
    rows: tuple[RawSetting, ...], problems: list[Problem], cells: dict[str, list[RawCell]], warnings: list[Problem]
) -> dict[str, str]:
    """Adds the filled-in cells by key, and gives the first blank one of each key; what is unknown or said twice is wrong."""
    blanks: dict[str, str] = {}
    for row in rows:
        key = setting_key(row.label.text)
        if key is None and not trim(row.value.text):
            continue  # a heading between the lines
        if key is None:
            hint = nearest(row.label.text, [s.label for s in SETTINGS]) or "項目名を確認するか、行を削除してください"
            problems.append(
                Problem(row.label.where, f"「{trim(row.label.text)}」という連携情報の項目はありません", hint)
            )
        elif is_ditto(row.value.text) and not key.startswith("root_department."):  # whose texts are free
            cells.setdefault(key, [])
            problems.append(
                Problem(row.value.where, f"{LABELS[key]}に「同上」などは使えません", "内容をそのまま記入してください")
            )
        elif trim(row.value.text):
            warnings += row.remarks
            found = cells.setdefault(key, [])
            if found and key != "result_addresses":
                problems.append(
                    Problem(
                        row.value.where, f"{LABELS[key]}が2か所に記入されています", "どちらか1つを空白にしてください"
                    )
                )
            else:
                found.append(row.value)
        else:
            blanks.setdefault(key, row.value.where)
    return blanks


def _complete(
    cells: dict[str, list[RawCell]],
    blanks: dict[str, str],
    values: dict[str, Any],
    part: str,
    problems: list[Problem],
) -> None:
    for key in ("smarthr_url", "result_addresses", "link_start_on"):
        if key not in cells:
            found = f"{LABELS[key]}が記入されていません"
            problems.append(Problem(blanks.get(key, part), found, f"{LABELS[key]}は必須です。記入してください"))
    addresses = tuple(dict.fromkeys(values.get("result_addresses", ())))
    if len(addresses) > RESULT_ADDRESSES_MOST:
        found = f"結果通知先メールアドレスが{len(addresses)}件あります"
        last = cells["result_addresses"][-1].where
        problems.append(Problem(last, found, f"{RESULT_ADDRESSES_MOST}件以内にしてください"))
    values["result_addresses"] = addresses[:RESULT_ADDRESSES_MOST]
    root = [key for key in LABELS if key.startswith("root_department.")]
    if any(key in cells for key in root):
        remedy = "最上位部署はID、名前、ヨミの3項目とも記入してください"
        problems += [
            Problem(blanks.get(key, part), f"{LABELS[key]}が記入されていません", remedy)
            for key in root
            if key not in cells
        ]


def _nest(values: dict[str, Any], group: str) -> dict[str, Any]:
    keys = [key for key in values if key.startswith(group + ".")]
    return {key.removeprefix(group + "."): values.pop(key) for key in keys}
