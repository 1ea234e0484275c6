"""The result mail: text 1's lines in text 1's order, then what was added (E4, E29, E39, L8). No clock, no files."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from urllib.parse import quote

from renkei.clock import TOKYO
from renkei.links.smarthr_emc import guidance
from renkei.links.smarthr_emc.model import Counts, RecordSet
from renkei.links.smarthr_emc.records import RefusedRow
from renkei.links.smarthr_emc.run_report import ErrorGroup, ReportedProblem, RunReport
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEM, USER_ITEM
from renkei.links.smarthr_emc.validate import remedy_of
from renkei.links.smarthr_emc.wording import (
    ADMINISTRATORS,
    DIFFERS,
    EMC_REMEDIES,
    PROBLEMS,
    RECORD_SETS,
    TAKEN,
    VALUE_WARNINGS,
    WARNINGS,
)
from renkei.runs.outcome import Outcome
from renkei.texts import one_line

PROBLEMS_SHOWN = 50  # E29
PEOPLE_SHOWN = 20  # per kind of warning
HELD_SHOWN = 50  # people whom a held run would delete: those who know them judge by their ids


def body(report: RunReport) -> str:
    """The mail's text."""
    result = (
        report.forecast
        if report.ahead
        else DIFFERS
        if report.outcome is Outcome.DIFFERS
        else "成功"
        if report.outcome.succeeded
        else "保留"
        if report.outcome.waiting
        else "失敗"
    )
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
        changed = "".join(f"[{RECORD_SETS[s]} ]" for s in RecordSet if report.changed[s])
        same = "".join(f"[{RECORD_SETS[s]} ]" for s in RecordSet if not report.changed[s])
        if changed:
            lines.append(f"- 前回処理とデータに変化あり{changed},登録処理を行います{changed}")
        if same:
            lines.append(f"- 前回処理とデータに変化なし{same}")
    if report.restored:
        lines.append(f"- 復元: {report.restored}。SmartHRは受信していません。")
    lines += report.differences
    lines += _problem_lines(report)
    lines += guidance.answered(report) if report.outcome is Outcome.REFUSED else []
    if report.outcome is Outcome.DATA:
        for record_set in RecordSet:
            if record_set in report.failed_sets:
                lines.append(f"- {RECORD_SETS[record_set]}データ加工処理に失敗しました(必須項目チェック、コード設定)")
    elif report.message:
        lines += [f"- {line}" for line in guidance.addressed(report.message)]
    lines += [f"- EMC: {emc_problem_text(row, report.smarthr_url)}" for row in report.emc_problems[:PROBLEMS_SHOWN]]
    if not report.outcome.succeeded:
        lines += [f"- 保留: {hold.text}" for hold in report.holds]
    if report.ahead:
        return [*lines, "- EMCへの登録処理と前回データの更新は行っていません。"]
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
    shown = Counter(p.kind for p in report.problems[:PROBLEMS_SHOWN])
    for alike in report.alike:
        told = [
            p for p in report.problems if (p.record_set, p.item, p.kind) == (alike.record_set, alike.item, alike.kind)
        ]
        lines.append(f"- {_alike_text(alike, alike.count - len(told))}")
        shown[alike.kind] += alike.count - len(told)
    rest = report.problem_count - shown.total()
    if rest > 0:
        kinds = {kind: n - shown[kind] for kind, n in report.problem_kinds.items() if n > shown[kind]}
        lines.append(f"- ほか{rest}件: " + "、".join(f"{PROBLEMS[kind]} {n}件" for kind, n in kinds.items()))
    return lines


def _alike_text(alike: ErrorGroup, rest: int) -> str:
    items = DEPARTMENT_ITEM if alike.record_set is RecordSet.DEPARTMENTS else USER_ITEM
    where = f"{RECORD_SETS[alike.record_set]}の「{items[alike.item].name}」"
    head = f"ほか{rest}件も同じ原因です（{where}: {PROBLEMS[alike.kind]}）。"
    if alike.kind == "other_tenant":
        return head + (
            "1件ずつ直す必要はありません。連携設定シートのファイル名が変わったか、同じEMCに登録する別の会社とIDが重なっています。"
            "運用担当者が確認します。"
        )
    return (
        head
        + f"ほぼ全員に共通のため、連携設定シートの{where}の行か、SmartHRの元の項目の設定をまとめて確認してください。"
    )


def problem_text(problem: ReportedProblem) -> str:
    """Text 1's sentence: `受信社員情報ファイル、氏名の設定値が異常です。`"""
    return f"受信{RECORD_SETS[problem.record_set]}情報ファイル、{_item(problem)}の設定値が異常です。"


def _item(problem: ReportedProblem) -> str:
    items = DEPARTMENT_ITEM if problem.record_set is RecordSet.DEPARTMENTS else USER_ITEM
    return items[problem.item].name


def _who_and_remedy(problem: ReportedProblem, smarthr_url: str) -> list[str]:
    detail = "" if problem.kind == "other_tenant" else problem.detail  # the other company is the operator's to know
    reason = PROBLEMS[problem.kind] + (f"（{detail}）" if detail else "")
    if problem.record_set is RecordSet.DEPARTMENTS:
        who = [f"部署ID: {one_line(problem.id) or '(なし)'}", f"{smarthr_url}/departments"]
    else:
        who = [f"ユーザID: {one_line(problem.id) or '(なし)'}", crew_page(smarthr_url, problem.crew_id)]
    return [*who, reason, remedy_of(problem.kind, _item(problem), problem.source)]


def crew_page(smarthr_url: str, crew_id: str) -> str:
    """SmartHR's page of a crew, for a person who may see it; "" for an id that 災害時凍結 keeps without a crew."""
    return f"{smarthr_url}/crews/{quote(crew_id, safe='')}" if crew_id else ""


def emc_problem_text(row: RefusedRow, smarthr_url: str) -> str:
    """One reason of EMC's: file and line, who, the item, the code and what to do."""
    who = f" ID: {one_line(row.id)}" if row.id else ""
    page = f"／{crew_page(smarthr_url, row.crew_id)}" if row.crew_id else ""
    remedy = EMC_REMEDIES.get(row.code, "運用担当者が対応します")
    return f"[{row.file} line:{row.line}]{who} {row.item} {row.code}{page}／{remedy}"


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


def _additions(report: RunReport) -> list[str]:
    """What follows the frame of the message: a summary, who is concerned, and what is doubtful."""
    lines = ["", *summary] if (summary := guidance.summary(report)) else []
    shows = _shows_counts(report)
    if shows and (lost := [row for row in report.people if row[0] == "lost_id"]):
        lines += [*guidance.lost_ids(report, len(lost)), *_people(report, lost)]
    if shows and report.counts:
        lines += ["", *_counts("部署", report.counts[RecordSet.DEPARTMENTS])]
    lines += _group_lines(report)
    lines += [*_id_change_lines(report), *_handover_lines(report)] if shows else []
    for hold in report.holds if report.outcome.succeeded else ():
        how = f"承認のうえ登録（{report.approved_by}）" if report.approved_by else "登録時は保留"
        lines += ["", f"{how}: {hold.text}"]
    lines += [*_warning_lines(report), *_doubt_lines(report)] if shows else []
    links = ["運用担当者が使う画面", *(f"{name}: {url}" for name, url in report.links.items())] if report.links else []
    for part in (_notes(report), links):
        if part:
            lines += ["", *part]
    return lines


def _group_lines(report: RunReport) -> list[str]:
    lines = []
    for group in report.groups:
        lines += ["", f"{group.title}: {group.count}{group.unit}"]
        for one in group.people:
            shown = (
                one_line(one.user_id) or "(IDなし)",
                one_line(one.department),
                one.reason,
                _page_of(report, one.crew_id),
            )
            lines.append("  " + "  ".join(part for part in shown if part))
        lines += _more(group.count, len(group.people), group.unit)
    return lines


def _id_change_lines(report: RunReport) -> list[str]:
    if not report.id_changes:
        return []
    lines = ["", f"ID変更（同じ従業員のユーザIDが変わったもの）: {len(report.id_changes)}件"]
    for crew_id, old, new in report.id_changes[:PEOPLE_SHOWN]:
        lines.append(f"  {one_line(old)} → {one_line(new)}  {crew_page(report.smarthr_url, crew_id)}")
    return lines + _more(len(report.id_changes))


def _handover_lines(report: RunReport) -> list[str]:
    if not report.handovers:
        return []
    lines = [
        "",
        f"引き継ぎ（ユーザIDが別の人に移ったもの）: {len(report.handovers)}件。前の人の登録は、EMCの画面で設定した項目"
        "（保有権限など）も含めて残さず、新しい人を初期パスワードで登録し直します。",
    ]
    for user_id, before, now in report.handovers[:PEOPLE_SHOWN]:
        pages = [crew_page(report.smarthr_url, crew) if crew else "(不明)" for crew in (before, now)]
        lines.append(f"  {user_id}  前の人: {pages[0]}  今の人: {pages[1]}")
    return lines + _more(len(report.handovers))


def _warning_lines(report: RunReport) -> list[str]:
    """People by what is to be known of them, as far as it is not told already, and names of departments."""
    lines = []
    waits = report.outcome is Outcome.HOLD and report.groups
    told_already = {"lost_id"} | ({"lost_contact", *ADMINISTRATORS, *TAKEN} if waits else set())
    for kind, title in WARNINGS.items():
        people = [row for row in report.people if row[0] == kind]
        if people and kind not in told_already:
            lines += ["", f"注意: {title}: {len(people)}名", *_people(report, people)]
    if report.substituted:
        lines += ["", f"注意: 部署名のうち{VALUE_WARNINGS['substituted'].title}: {len(report.substituted)}件"]
        lines += [f"  {department_id}  {characters}" for department_id, characters in report.substituted[:PEOPLE_SHOWN]]
        lines += [line.replace("名", "件", 1) for line in _more(len(report.substituted))]
    return lines


def _notes(report: RunReport) -> list[str]:
    notes = [f"注意: {text}" for text in report.sheet_warnings]
    if report.disaster:
        notes.append("注意: 災害時凍結中です。凍結が解除されるまで、EMCからの削除と値の消去は行いません。")
    if report.clashing_tenants:
        notes.append(
            f"注意: ID付与コードが同じEMCのテナント（{'、'.join(report.clashing_tenants)}）と重なる可能性があります。"
        )
    return notes


def _people(report: RunReport, people: Sequence[tuple[str, str, str]]) -> list[str]:
    """The first of them, by user id and page."""
    lines = [
        f"  {one_line(user_id) or '(IDなし)'}  {_page_of(report, crew_id)}".rstrip()
        for _, user_id, crew_id in people[:PEOPLE_SHOWN]
    ]
    return lines + _more(len(people))


def _page_of(report: RunReport, crew_id: str) -> str:
    return crew_page(report.smarthr_url, crew_id) if crew_id else ""


def _doubt_lines(report: RunReport) -> list[str]:
    """Doubtful values by kind: how many people, what to do, and the first of them with the items."""
    lines = []
    for kind, count in report.value_warnings.items():
        warning = VALUE_WARNINGS[kind]
        lines += ["", f"注意: {warning.title}: {count}名。{warning.remedy}"]
        for found, user_id, crew_id, items in report.warned_of:
            if found == kind:
                lines.append(f"  {user_id}  {crew_page(report.smarthr_url, crew_id)}  {items}")
        lines += _more(count)
    return lines


def _more(count: int, shown: int = PEOPLE_SHOWN, unit: str = "名") -> list[str]:
    return [f"  ほか{count - shown}{unit}（全件は運用担当者が処理記録で確認できます）"] if count > shown else []


def _time(moment: dt.datetime) -> str:
    local = moment.astimezone(TOKYO)
    return f"({local:%Y/%m/%d} {local.hour}:{local:%M:%S})"
