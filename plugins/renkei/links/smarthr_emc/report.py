"""The result mail: text 1's lines in text 1's order, then what was added (E4, E29, E39, L8). No clock, no files."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from renkei.clock import TOKYO
from renkei.errors import (
    BaselineError,
    FetchError,
    HoldError,
    LoadError,
    RecordError,
    RenkeiError,
    SettingError,
)
from renkei.links.smarthr_emc import hygiene
from renkei.links.smarthr_emc.guards import Hold
from renkei.links.smarthr_emc.model import Counts, Mode, RecordSet
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEM, USER_ITEM
from renkei.links.smarthr_emc.validate import REMEDIES

PROBLEMS_SHOWN = 50  # E29
PEOPLE_SHOWN = 20  # per kind of warning
LABELS = {RecordSet.DEPARTMENTS: "部署", RecordSet.USERS: "社員"}


class Outcome(StrEnum):
    """How a run ended; the value is the mail's subject (README, "when a mail says…")."""

    OK = "EMC-OK"
    CHECKED = "EMC-OK(Check Only)"
    COMPARED = "EMC-OK(Compare)"
    DATA = "EMC-ERROR-D(Update NG)"
    RECEIVE = "EMC-ERROR-R(Receive NG)"
    LOAD = "EMC-ERROR-L(Load NG)"
    SETTING = "EMC-ERROR-S(Setting NG)"
    BASELINE = "EMC-ERROR-B(Baseline NG)"
    REFUSED = "EMC-ERROR-G(Guard NG)"
    SYSTEM = "EMC-ERROR-X(System NG)"
    HOLD = "EMC-HOLD"
    CONFIRM = "EMC-HOLD(Confirm)"

    @property
    def succeeded(self) -> bool:
        return self in (Outcome.OK, Outcome.CHECKED, Outcome.COMPARED)

    @property
    def waiting(self) -> bool:
        return self in (Outcome.HOLD, Outcome.CONFIRM)


def outcome_of(error: BaseException) -> Outcome:
    """The subject that a failed run's mail gets."""
    kinds: tuple[tuple[type[RenkeiError], Outcome], ...] = (
        (RecordError, Outcome.DATA),
        (FetchError, Outcome.RECEIVE),
        (LoadError, Outcome.LOAD),
        (SettingError, Outcome.SETTING),
        (BaselineError, Outcome.BASELINE),
        (HoldError, Outcome.REFUSED),
    )
    return next((outcome for kind, outcome in kinds if isinstance(error, kind)), Outcome.SYSTEM)


@dataclass(frozen=True, slots=True)
class ReportedProblem:
    """One row of the `problems` table."""

    record_set: RecordSet
    line: int
    id: str
    crew_id: str
    item: str
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class RunReport:
    """Everything the mail says. `counts` is None until the diff is made; a failed run shows none of it."""

    outcome: Outcome
    mode: Mode
    started_at: dt.datetime
    ended_at: dt.datetime
    smarthr_url: str
    received: bool = True  # SmartHR was read and frozen
    counts: dict[RecordSet, Counts] | None = None
    changed: dict[RecordSet, bool] | None = None
    message: str = ""  # of the error, already Japanese
    problems: Sequence[ReportedProblem] = ()
    problem_count: int = 0
    problem_kinds: dict[str, int] = field(default_factory=dict)  # of all, by kind
    failed_sets: frozenset[RecordSet] = frozenset()
    emc_problems: Sequence[str] = ()
    holds: Sequence[Hold] = ()
    approved_by: str = ""
    people: Sequence[tuple[str, str, str]] = ()  # kind, user id, crew id
    doubts: dict[str, int] = field(default_factory=dict)  # people by kind (hygiene.KINDS)
    doubtful: Sequence[tuple[str, str, str, str]] = ()  # the first of them: kind, user id, crew id, items
    id_changes: Sequence[tuple[str, str, str]] = ()  # crew id, old, new
    sheet_warnings: Sequence[str] = ()
    clashing_tenants: Sequence[str] = ()
    differences: Sequence[str] = ()  # what 照合 found, already Japanese
    restored: str = ""  # what 復元 goes back to
    disaster: bool = False  # 災害時凍結 was on
    links: dict[str, str] = field(default_factory=dict)


def body(report: RunReport) -> str:
    """The mail's text."""
    result = "成功" if report.outcome.succeeded else "保留" if report.outcome.waiting else "失敗"
    lines = [
        f"処理結果: {result}",
        f"処理開始日時: {_time(report.started_at)}",
        "詳細メッセージ",
        *_details(report),
        *_counts("社員", report.counts[RecordSet.USERS] if report.counts and _shows_counts(report) else None),
        f"処理終了日時: {_time(report.ended_at)}",
        *_additions(report),
    ]
    return "\n".join(lines) + "\n"


def _shows_counts(report: RunReport) -> bool:
    return report.outcome.succeeded or report.outcome.waiting


def _details(report: RunReport) -> list[str]:
    lines = ["- [受信 ]->[作業 ]フォルダへのファイル移動[部署 ][社員 ]"] if report.received else []
    if report.changed is not None:
        changed = "".join(f"[{LABELS[s]} ]" for s in RecordSet if report.changed[s])
        same = "".join(f"[{LABELS[s]} ]" for s in RecordSet if not report.changed[s])
        if changed:
            lines.append(f"- 前回処理とデータに変化あり{changed},登録処理を行います{changed}")
        if same:
            lines.append(f"- 前回処理とデータに変化なし{same}")
    if report.restored:
        lines.append(f"- 復元: {report.restored}。SmartHRは受信していません。")
    lines += report.differences
    lines += _problem_lines(report)
    if report.outcome is Outcome.DATA:
        for record_set in RecordSet:
            if record_set in report.failed_sets:
                lines.append(f"- {LABELS[record_set]}データ加工処理に失敗しました(必須項目チェック、コード設定)")
    elif report.message:
        lines += [f"- {line}" for line in report.message.splitlines() if line]
    lines += [f"- EMC: {text}" for text in report.emc_problems[:PROBLEMS_SHOWN]]
    if not report.outcome.succeeded:
        lines += [f"- 保留: {hold.text}" for hold in report.holds]
    if report.outcome is Outcome.CHECKED:
        lines.append("- 確認のみの実行です。EMCへの登録処理と前回データの更新は行っていません。")
    elif report.outcome is Outcome.HOLD:
        lines.append("- 登録処理を保留しました。運用担当者の承認後に登録します。承認されない場合は何も登録しません。")
    elif report.outcome is Outcome.CONFIRM:
        lines.append("- 取込ファイルを出力しました。EMCへの取込結果の確認を待っています。")
    if report.outcome.succeeded:
        lines.append("- 機能は正常に終了しました。")
    elif not report.outcome.waiting:
        lines.append("- 機能は処理を中断、もしくは異常終了しました。")
    return lines


def _problem_lines(report: RunReport) -> list[str]:
    lines = []
    for problem in report.problems[:PROBLEMS_SHOWN]:
        lines.append(f"- {problem_text(problem)}[line:{problem.line}]")
        lines.append("  " + "／".join(_who_and_remedy(problem, report.smarthr_url)))
    rest = report.problem_count - min(len(report.problems), PROBLEMS_SHOWN)
    if rest > 0:
        shown = Counter(p.kind for p in report.problems[:PROBLEMS_SHOWN])
        kinds = {kind: n - shown[kind] for kind, n in report.problem_kinds.items() if n > shown[kind]}
        lines.append(f"- ほか{rest}件: " + "、".join(f"{KIND_NAMES[kind]} {n}件" for kind, n in kinds.items()))
    return lines


def problem_text(problem: ReportedProblem) -> str:
    """Text 1's sentence: `受信社員情報ファイル、氏名の設定値が異常です。`"""
    return f"受信{LABELS[problem.record_set]}情報ファイル、{_item(problem)}の設定値が異常です。"


def _item(problem: ReportedProblem) -> str:
    items = DEPARTMENT_ITEM if problem.record_set is RecordSet.DEPARTMENTS else USER_ITEM
    return items[problem.item].name


def _who_and_remedy(problem: ReportedProblem, smarthr_url: str) -> list[str]:
    reason = KIND_NAMES[problem.kind] + (f"（{problem.detail}）" if problem.detail else "")
    if problem.record_set is RecordSet.DEPARTMENTS:
        who = [f"部署ID: {problem.id or '(なし)'}", f"{smarthr_url}/departments"]
    else:
        who = [f"ユーザID: {problem.id or '(なし)'}", crew_page(smarthr_url, problem.crew_id)]
    return [*who, reason, REMEDIES[problem.kind].format(item=_item(problem))]


def crew_page(smarthr_url: str, crew_id: str) -> str:
    """SmartHR's page of a crew, for a person who may see it."""
    return f"{smarthr_url}/crews/{crew_id}"


def emc_problem_text(problem: dict[str, Any], smarthr_url: str) -> str:
    """One reason of EMC's (`emc_problems.json`): file and line, who, the item, the code and what to do."""
    who = f" ID: {problem['id']}" if problem.get("id") else ""
    page = f"／{crew_page(smarthr_url, problem['crew_id'])}" if problem.get("crew_id") else ""
    remedy = EMC_REMEDIES.get(problem["code"], "運用担当者に連絡してください")
    return f"[{problem['file']} line:{problem['line']}]{who} {problem['item']} {problem['code']}{page}／{remedy}"


# By the contract's codes; the others cannot come from rows that our own checks let through.
EMC_REMEDIES = {
    "DUPLICATE_ID": "EMCに既にあるIDです。次回の処理で更新として取り込みます",
    "UNKNOWN_ID": "EMCの画面で削除されたIDです。次回の処理で登録し直します",
    "UNKNOWN_DEPARTMENT": "部署がEMCの画面で削除されています。「全件書き込み」を実行してください",
    "UNKNOWN_PARENT": "親部署がEMCの画面で削除されています。「全件書き込み」を実行してください",
    "DEPARTMENT_IN_USE": "削除する部署に、EMCではまだ利用者か部署があります。EMCの画面で移動してください",
    "TOO_LONG": "EMCの上限を超えています。SmartHRで短くしてください",
    "MISSING_REQUIRED": "EMCで必須の項目です。SmartHRに値を登録してください",
}
KIND_NAMES = {
    "required": "値がありません",
    "no_id": "ユーザIDの値がありません",
    "too_long": "文字数超過",
    "duplicate_id": "ID重複",
    "unknown_department": "存在しない部署コード",
    "department_in_use": "削除される部署に所属",
    "no_code": "部署コードがありません",
    "orphan": "親部署の部署コードがありません",
    "unknown_parent": "存在しない親部署",
    "loop": "親部署の循環",
    "medium": "EMCに無い媒体",
    "no_medium": "媒体の無い連絡先",
    "mail": "メールアドレスの形式",
    "phone": "電話番号の形式",
    "encoding": "EMCで扱えない文字",
    "encoding_variant": "EMCで扱えない異体字",
    "encoding_invisible": "EMCで扱えない見えない文字",
    "control": "制御文字",
    "reserved": "EMCの取込で特別な意味を持つ値",
    "formula": "数式として実行される値",
    "flag": "T/F以外の値",
    "other_tenant": "別テナントのID",
}


def _counts(label: str, counts: Counts | None) -> list[str]:
    figures = (
        ("前回 全件数", counts and counts.previous_total),
        ("前回 有効件数", counts and counts.previous_valid),
        ("受信 全件数", counts and counts.received_total),
        ("受信 有効件数", counts and counts.received_valid),
        (" 新規件数", counts and counts.created),
        (" 更新件数", counts and counts.updated),
        (" 削除件数", counts and counts.deleted),
    )
    return [f"{label}データ{name}:" + (f" {value}" if value is not None else "") for name, value in figures]


WARNINGS = {
    "lost_id": "ユーザIDの値が無くなり削除となる社員（休職・退職ではありません）",
    "no_id": "ユーザIDの値が無いため登録されない社員",
    "still_no_id": "ユーザIDの値が無いまま登録されていない社員",
    "lost_contact": "緊急連絡先が1件も無くなる社員（安否確認の連絡が届きません）",
    "taken_over": "ユーザIDを別の従業員から引き継いだ社員（更新しない項目には前の人の値が残ります）",
    "adopted": "EMCに既に登録があり、更新として取り込む社員",
    "recreated": "EMCに登録が無いため、新規登録し直す社員",
    "kept": "災害時凍結のため削除せずに残している社員",
    "kept_values": "災害時凍結のためEMCの値を空白にせずに残している社員",
}


def _additions(report: RunReport) -> list[str]:
    lines: list[str] = []
    if report.counts and _shows_counts(report):
        lines += ["", *_counts("部署", report.counts[RecordSet.DEPARTMENTS])]
    if report.id_changes and _shows_counts(report):
        lines += ["", f"ID変更（同じ従業員のユーザIDが変わったもの）: {len(report.id_changes)}件"]
        for crew_id, old, new in report.id_changes[:PEOPLE_SHOWN]:
            lines.append(f"  {old} → {new}  {crew_page(report.smarthr_url, crew_id)}")
        lines += _more(len(report.id_changes))
    for hold in report.holds if report.outcome.succeeded else ():
        lines += [
            "",
            f"承認のうえ登録（{report.approved_by}）: {hold.text}"
            if report.approved_by
            else f"登録時は保留: {hold.text}",
        ]
    for kind, title in WARNINGS.items() if _shows_counts(report) else ():
        people = [(user_id, crew_id) for k, user_id, crew_id in report.people if k == kind]
        if people:
            lines += ["", f"注意: {title}: {len(people)}名"]
            for user_id, crew_id in people[:PEOPLE_SHOWN]:
                lines.append(f"  {user_id or '(IDなし)'}  {crew_page(report.smarthr_url, crew_id)}")
            lines += _more(len(people))
    lines += _doubt_lines(report) if _shows_counts(report) else []
    notes = [f"注意: {text}" for text in report.sheet_warnings]
    if report.disaster:
        notes.append("注意: 災害時凍結中です。凍結が解除されるまで、EMCからの削除と値の消去は行いません。")
    if report.clashing_tenants:
        notes.append(
            f"注意: ID付与コードが同じEMCのテナント（{'、'.join(report.clashing_tenants)}）と重なる可能性があります。"
        )
    links = [f"{name}: {url}" for name, url in report.links.items()]
    for part in (notes, links):
        if part:
            lines += ["", *part]
    return lines


def _doubt_lines(report: RunReport) -> list[str]:
    """Doubtful values by kind: how many people, what to do, and the first of them with the items."""
    lines = []
    for kind, count in report.doubts.items():
        doubt = hygiene.KINDS[kind]
        lines += ["", f"注意: {doubt.title}: {count}名。{doubt.remedy}"]
        for found, user_id, crew_id, items in report.doubtful:
            if found == kind:
                lines.append(f"  {user_id}  {crew_page(report.smarthr_url, crew_id)}  {items}")
        lines += _more(count)
    return lines


def _more(count: int) -> list[str]:
    return [f"  ほか{count - PEOPLE_SHOWN}名（全件は処理記録にあります）"] if count > PEOPLE_SHOWN else []


def _time(moment: dt.datetime) -> str:
    local = moment.astimezone(TOKYO)
    return f"({local:%Y/%m/%d} {local.hour}:{local:%M:%S})"
