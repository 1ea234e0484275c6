"""連携情報: its lines, and what each of them says (E1, E15, E24–E26, E34, E35)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Collection
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from functools import partial
from typing import Any

from renkei.clock import DAILY_AT
from renkei.links.smarthr_emc.sheet import setting_kinds as kinds
from renkei.links.smarthr_emc.sheet.mapping import Guards, RootDepartment
from renkei.links.smarthr_emc.sheet.raw import RawSetting
from renkei.links.smarthr_emc.sheet.setting_kinds import MAX_DEPARTMENT_ID, MAX_RESULT_ADDRESSES, Kind
from renkei.sheets.findings import Findings
from renkei.texts import Fault, RawCell, fold, similar, trim

CHECK_LEAST_MINUTES = 120  # between 事前確認時刻 and 処理時刻


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of 連携情報, with everything that is said of it anywhere.

    `key` is its path in the YAML form and in `Mapping`; `aliases` are taken for its label, `meanings` only advised to
    be replaced by it.
    """

    key: str
    label: str
    kind: Kind
    note: str = ""  # beside it
    aliases: str = ""
    meanings: str = ""
    needed: bool = False
    help: str = ""  # the note on its cell
    section: str = ""  # the heading above it
    is_tenant: bool = False  # blank, it is the tenant's name


def _result_address(n: int) -> Setting:
    label, kind = "結果通知先メールアドレス", kinds.ADDRESSES
    if n > 1:
        return Setting("result_addresses", f"{label}{n}", kind)
    names = (label, "結果通知先", "通知先メールアドレス")
    return Setting(
        "result_addresses",
        f"{label}1",
        kind,
        f"1件以上{MAX_RESULT_ADDRESSES}件まで",
        aliases=" ".join(f"{name}{number}" for name in names for number in ("", *range(1, 21))),
        meanings="メールアドレス 結果メールアドレス 通知メールアドレス 通知先 結果通知メール 結果通知先メール 送信先メールアドレス",
        needed=True,
    )


def _guard(key: str, label: str, kind: Kind, *, help: str = "", section: str = "") -> Setting:
    note = f"空白なら{getattr(Guards(), key):g}"
    return Setting(f"guards.{key}", label, kind, note, help=help, section=section)


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "company_name",
        "会社名",
        kinds.COMPANY_NAME,
        "結果通知の件名と本文に入ります。空白ならこのファイルの名前",
        aliases="会社 貴社名",
        is_tenant=True,
    ),
    Setting(
        "smarthr_url",
        "SmartHR URL",
        kinds.URL,
        "必須。例: https://example.smarthr.jp",
        aliases="連携URL SmartHRのURL URL",
        meanings="smarthrのアドレス smarthrアドレス smarthr接続先 接続先url サブドメイン smarthrサブドメイン",
        needed=True,
        help="SmartHRを開いたときにブラウザに表示される「https://○○○.smarthr.jp」までを記入します。",
        section="■ 必ず記入する項目",
    ),
    *map(_result_address, range(1, MAX_RESULT_ADDRESSES + 1)),
    Setting(
        "link_start_on",
        "連携開始日",
        kinds.DATE,
        "必須。この日から毎日連携します。例: 2026-04-01",
        meanings="開始日 連携開始 利用開始日 運用開始日 連携日",
        needed=True,
        help="この日から毎日連携します。初回の連携は、内容を確かめながら担当者が手で行います。",
    ),
    Setting(
        "run_at",
        "処理時刻",
        kinds.TIME,
        "空白なら4:30",
        aliases="連携時刻 処理開始時刻",
        meanings="処理時間 連携時間 実行時刻 実行時間 開始時刻 開始時間 起動時刻 時刻 処理開始時間",
        help="SmartHRの在籍状況は毎日1:00に変わります。2:00より後の時刻をお勧めします。",
        section="■ 必要な場合だけ記入する項目",
    ),
    Setting(
        "check_at",
        "事前確認時刻",
        kinds.TIME,
        "空白なら行いません。例: 18:00",
        aliases="事前確認",
        meanings="前日確認時刻 前日確認 確認時刻 夕方の確認 事前チェック 事前チェック時刻",
        help="毎日この時刻に、次の処理が失敗または保留になるかどうかを確かめます。登録はしません。問題があるときだけ"
        "メールでお知らせするので、次の処理時刻までにSmartHRを直せます。処理時刻の2時間以上前の時刻を記入します。",
    ),
    Setting(
        "reconcile",
        "照合",
        kinds.RECONCILE,
        "毎日 または しない。空白なら毎日",
        meanings="照合する 毎日照合 照合の実行 定期照合",
        help="毎日の処理の1時間後に、エマージェンシーコールの登録内容が連携した内容と同じかどうかを確かめます。"
        "違いがあるときだけメールでお知らせします。取込方式がファイルの会社では行いません。",
    ),
    Setting(
        "id_prefix",
        "ID付与コード",
        kinds.ID_PREFIX,
        "ユーザIDと部署IDの頭に付けます。連携開始後は変更できません",
        aliases="会社コード プレフィックス",
        meanings="接頭辞 接頭語 id付与文字 付与コード 企業コード 法人コード idコード",
        help="複数の会社を1つのエマージェンシーコールに連携するとき、IDの重複を避けるために付けます。"
        "連携を始めた後に変えると、全員を登録し直すことになります。",
    ),
    Setting(
        "root_department.id",
        "最上位部署ID",
        kinds.DEPARTMENT_ID,
        "最上位部署を作る場合に3項目とも記入",
        aliases="親部署ID 親部署",
        help="SmartHRの部署に会社全体を表す部署が無いとき、一番上に置く部署です。3つとも記入するか、"
        "3つとも空白にします。",
    ),
    Setting("root_department.name", "最上位部署名", kinds.LINE, aliases="親部署名"),
    Setting("root_department.yomi", "最上位部署名(ヨミ)", kinds.LINE, aliases="親部署名(ヨミ) 最上位部署名(ヨミガナ)"),
    Setting(
        "state",
        "連携状態",
        kinds.STATE,
        "連携中 または 連携解除。空白なら連携中",
        meanings="状態 連携の状態 連携ステータス ステータス",
    ),
    Setting(
        "loader",
        "取込方式",
        kinds.LOADER,
        "API または ファイル。空白ならAPI",
        meanings="取込方法 取り込み方式 取り込み方法 連携方式 連携方法",
    ),
    Setting(
        "emc_account",
        "EMCアカウント",
        kinds.ACCOUNT,
        "同じエマージェンシーコールに連携する会社は同じ名前。空白なら会社ごと",
        meanings="エマージェンシーコールアカウント emcid アカウント emcアカウント名",
        is_tenant=True,
    ),
    Setting("requests_per_second", "SmartHRリクエスト数(毎秒)", kinds.RATE, "1から10。空白なら10"),
    _guard(
        "delete_users_percent",
        "削除保留(人数割合%)",
        kinds.PERCENT,
        help="この割合を超え、かつ最少人数以上が削除されるときは、登録せずに担当者の承認を待ちます。",
        section="■ 大きな変化を止めて確認する基準(通常は空白のまま)",
    ),
    _guard("delete_users_least", "削除保留(最少人数)", kinds.COUNT),
    _guard("delete_users_most", "削除保留(最多人数)", kinds.COUNT),
    _guard("delete_departments_percent", "部署削除保留(割合%)", kinds.PERCENT),
    _guard("delete_departments_least", "部署削除保留(最少数)", kinds.COUNT),
    _guard("lost_contact_percent", "連絡先喪失保留(割合%)", kinds.PERCENT),
    _guard("lost_contact_least", "連絡先喪失保留(最少人数)", kinds.COUNT),
    _guard("clear_percent", "空白化保留(割合%)", kinds.PERCENT),
    _guard("clear_least", "空白化保留(最少件数)", kinds.COUNT),
)
SETTING: dict[str, Setting] = {setting.key: setting for setting in reversed(SETTINGS)}  # the first of a key
KEYS: tuple[str, ...] = tuple(dict.fromkeys(setting.key for setting in SETTINGS))
_BY_NAME = {fold(name): s.key for s in SETTINGS for name in (s.label, *s.aliases.split())}
_BY_MEANING = {fold(word): s.label for s in SETTINGS for word in s.meanings.split()}
SettingCells = Dict[str, list[RawCell]]  # the filled-in cells by key


def setting_of(label: str) -> Setting | None:
    """The line of 連携情報 that a label stands for."""
    return SETTING.get(_BY_NAME.get(fold(label), ""))


def _other_label(label: str) -> str:
    """The remedy for a line of 連携情報 that there is not: the line that is meant, where that is certain."""
    name = _BY_MEANING.get(fold(label)) or similar(label, [setting.label for setting in SETTINGS])
    return f"項目名を「{name}」にしてください" if name else "項目名を確認するか、行を削除してください"


def read_settings(
    rows: tuple[RawSetting, ...], part: str, allowed_hosts: Collection[str], findings: Findings
) -> tuple[dict[str, Any], SettingCells]:
    """The arguments of `Mapping` that 連携情報 gives, and its filled-in cells; what is wrong is left out.

    `part` is the table's place, for what has no line.
    """
    cells, blanks = _cells(rows, findings)
    values: dict[str, Any] = {}
    for key, found in cells.items():
        for cell in found:
            if (value := _value(SETTING[key], cell, allowed_hosts, findings)) is not None:
                values[key] = values.get(key, ()) + value if key == "result_addresses" else value
    _complete(cells, {key: blanks.get(key, part) for key in KEYS}, values, findings)
    _refuse_late_check(values, cells, findings)
    root = _nest(values, "root_department")
    if len(root) == 3:
        values["root_department"] = RootDepartment(**root)
        if len(values.get("id_prefix", "") + root["id"]) > MAX_DEPARTMENT_ID:
            remedy = f"ID付与コードを含めて{MAX_DEPARTMENT_ID}文字以内で記入してください"
            findings.problem(cells["root_department.id"][0].where, "最上位部署IDが長すぎます", remedy)
    values["guards"] = Guards(**_nest(values, "guards"))
    return values, cells


def _cells(rows: tuple[RawSetting, ...], findings: Findings) -> tuple[SettingCells, dict[str, str]]:
    """The filled-in cells, and where the first blank one of each key is; what is unknown or said twice is wrong."""
    cells: dict[str, list[RawCell]] = {}
    blanks: dict[str, str] = {}
    for row in rows:
        setting, filled = setting_of(row.label.text), bool(trim(row.value.text))
        if setting is None and filled:  # a blank one is a heading between the lines
            found = f"「{trim(row.label.text)}」という連携情報の項目はありません"
            findings.problem(row.label.where, found, _other_label(row.label.text))
        elif setting is not None and not filled:
            blanks.setdefault(setting.key, row.value.where)
        elif setting is not None:
            findings.warnings += row.remarks
            if setting.key in cells and setting.key != "result_addresses":
                found = f"{setting.label}が2か所に記入されています"
                findings.problem(row.value.where, found, "どちらか1つを空白にしてください")
            else:
                cells.setdefault(setting.key, []).append(row.value)
    return cells, blanks


def _value(setting: Setting, cell: RawCell, allowed_hosts: Collection[str], findings: Findings) -> Any:
    """What a cell says; of a workbook's own date or time the day and time that it holds, however it is shown."""
    exact = cell.exact if setting.kind.dated else ""
    read = partial(kinds.read_url, allowed_hosts=allowed_hosts) if setting.kind is kinds.URL else setting.kind.read
    ditto = Fault(f"{setting.label}に「同上」などは使えません", "内容をそのまま記入してください")
    is_free = setting.key.startswith("root_department.")
    value = findings.read(read, dataclasses.replace(cell, text=exact or cell.text), ditto=None if is_free else ditto)
    if exact and isinstance(value, dt.date) and not re.search(f"{value.year}|令|[Rr]", cell.text):
        found = f"「{trim(cell.text)}」と表示されるセルです。{exact} として連携します"
        findings.warning(cell.where, found, "年まで表示されるように、セルの表示形式を変えてください")
    return value


def _complete(cells: SettingCells, places: Dict[str, str], values: dict[str, Any], findings: Findings) -> None:
    """Says what must be filled in and is not; `places` has where each key would be."""
    for key in KEYS:
        if SETTING[key].needed and key not in cells:
            label = SETTING[key].label
            findings.problem(places[key], f"{label}が記入されていません", f"{label}は必須です。記入してください")
    addresses = tuple(dict.fromkeys(values.get("result_addresses", ())))
    if len(addresses) > MAX_RESULT_ADDRESSES:
        found = f"結果通知先メールアドレスが{len(addresses)}件あります"
        findings.problem(cells["result_addresses"][-1].where, found, f"{MAX_RESULT_ADDRESSES}件以内にしてください")
    values["result_addresses"] = addresses[:MAX_RESULT_ADDRESSES]
    root = [key for key in KEYS if key.startswith("root_department.")]
    for key in root if any(key in cells for key in root) else ():
        if key not in cells:
            remedy = "最上位部署はID、名前、ヨミの3項目とも記入してください"
            findings.problem(places[key], f"{SETTING[key].label}が記入されていません", remedy)


def _refuse_late_check(values: dict[str, Any], cells: SettingCells, findings: Findings) -> None:
    """事前確認時刻 is for people who then mend SmartHR before the next run."""
    check_at, run_at = values.get("check_at"), values.get("run_at", DAILY_AT)
    if check_at is not None and (_minutes(run_at) - _minutes(check_at)) % (24 * 60) < CHECK_LEAST_MINUTES:
        found = f"事前確認時刻 {check_at:%H:%M} から処理時刻 {run_at:%H:%M} まで2時間ありません"
        findings.problem(
            cells["check_at"][0].where, found, "処理時刻の2時間以上前の時刻（例: 18:00）を記入してください"
        )


def _minutes(at: dt.time) -> int:
    return at.hour * 60 + at.minute


def _nest(values: dict[str, Any], group: str) -> dict[str, Any]:
    keys = [key for key in values if key.startswith(group + ".")]
    return {key.removeprefix(group + "."): values.pop(key) for key in keys}
