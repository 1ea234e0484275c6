"""The short message of a run for chat: how it ended, figures, errors by kind; never a person (N1, L6). No clock, no files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from renkei.channel import Event
from renkei.clock import TOKYO
from renkei.links.smarthr_emc.model import RecordSet
from renkei.links.smarthr_emc.run_report import RunReport
from renkei.links.smarthr_emc.sheet.items import DEPARTMENT_ITEM, USER_ITEM
from renkei.links.smarthr_emc.wording import DIFFERS, EMC_REMEDIES, PROBLEMS, RECORD_SETS, VALUE_WARNINGS, WARNINGS
from renkei.runs.outcome import Outcome
from renkei.systems.delivery import Message, Tone, clean

KINDS_SHOWN = 8
MAX_MESSAGE = 300  # characters of a failure's own text
PAGE, ANSWER_PAGE = "処理の詳細", "対応画面"  # keys of `RunReport.links`
WHERE_MORE_IS = "詳しい内容は結果通知メールと実行画面にあります。"
TONES = {
    Event.SUCCESS: Tone.GOOD,
    Event.UNCHANGED: Tone.PLAIN,
    Event.HOLD: Tone.WAITING,
    Event.FAILURE: Tone.BAD,
}
RESULTS = {Event.SUCCESS: "成功", Event.UNCHANGED: "成功", Event.HOLD: "保留", Event.FAILURE: "失敗"}

# What a message of ours may quote: a mail address out of a sheet, the SmartHR id of a record, a URL, a telephone number.
_PEOPLE = (
    (re.compile(r"https?://[^\s、。」）]+"), "(URL)"),
    (
        re.compile(r"(?<![^\s「」『』（）、。:：<>\"'])[^\s「」『』（）、。:：<>\"']+@[^\s「」『』（）、。:：<>\"']+"),
        "(メールアドレス)",
    ),
    (re.compile(r"(?<=SmartHRの)(従業員|部署)（[^（）]*）"), r"\1"),
    (re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"), "(ID)"),
    (re.compile(r"(?<![\d-])(?!\d{4}-\d\d-\d\d(?![\d-]))\+?\d[\d-]{8,}\d(?![\d-])"), "(番号)"),
)


def event_of(report: RunReport) -> Event:
    """Which event of 通知管理 the end of this run is."""
    if report.outcome.waiting:
        return Event.HOLD
    if not report.outcome.succeeded or report.outcome is Outcome.DIFFERS:  # nobody reads of a success
        return Event.FAILURE
    if report.ahead and report.holds:
        return Event.HOLD
    same = report.outcome is Outcome.OK and report.changed is not None and not any(report.changed.values())
    return Event.UNCHANGED if same else Event.SUCCESS


def message(report: RunReport, tenant: str) -> Message:
    """The run in a few lines. Of people it says how many, by kind; the rest is in the mail and in the run's record (L6)."""
    event, differs = event_of(report), report.outcome is Outcome.DIFFERS
    lines = [
        f"処理結果: {report.forecast if report.ahead else DIFFERS if differs else RESULTS[event]}",
        _times(report),
        *_note(report),
        *_figures(report),
        *_failure(report),
        *_problems(report),
        *_emc_problems(report),
        *(f"{'登録時は保留' if report.outcome.succeeded else '保留'}: {_unnamed(hold.text)}" for hold in report.holds),
        *_first([_unnamed(text) for text in report.differences if not _is_record(text)]),
        *_first(_warnings(report)),
        WHERE_MORE_IS,
    ]
    asks = report.outcome.waiting and ANSWER_PAGE in report.links
    return Message(
        title=f"【{'事前確認' if report.ahead else '注意' if differs else event.label}】SmartHR → EMC: {tenant} {report.subject}",
        lines=tuple(lines),
        link=report.links.get(ANSWER_PAGE if asks else PAGE, ""),
        link_label="承認・確認の画面を開く" if asks else "実行結果を開く",
        tone=Tone.WAITING if differs else TONES[event],
        subject=report.subject,
    )


def _times(report: RunReport) -> str:
    start, end = report.started_at.astimezone(TOKYO), report.ended_at.astimezone(TOKYO)
    day = "" if start.date() == end.date() else f"{end:%Y/%m/%d} "
    return f"処理日時: {start:%Y/%m/%d} {start.hour}:{start:%M:%S}～{day}{end.hour}:{end:%M:%S}"


def _note(report: RunReport) -> list[str]:
    """What kind of run it was, where that is not plain."""
    lines = []
    if report.ahead:
        calls = report.holds or not report.outcome.succeeded
        mend = "次回の処理までに直すと、直した内容で処理します。" if calls else ""
        lines.append(f"EMCへの登録処理は行っていません。{mend}")
    elif report.outcome is Outcome.CHECKED:
        lines.append("確認のみの実行です。EMCへの登録処理は行っていません。")
    elif report.outcome is Outcome.HOLD:
        lines.append("登録処理を保留しました。運用担当者の承認を待っています。承認されない場合は何も登録しません。")
    elif report.outcome is Outcome.CONFIRM:
        lines.append("取込ファイルを出力しました。EMCへの取込結果の確認を待っています。")
    if report.restored:
        lines.append(f"復元: {_unnamed(report.restored)}")
    if report.disaster:
        lines.append("災害時凍結中です。EMCからの削除と値の消去は行いません。")
    return lines


def _figures(report: RunReport) -> list[str]:
    """新規, 更新 and 削除 per record set, in the cases in which the mail shows them."""
    if report.counts is None or not (report.outcome.succeeded or report.outcome.waiting):
        return []
    lines = []
    for record_set in (RecordSet.USERS, RecordSet.DEPARTMENTS):
        counts = report.counts[record_set]
        if report.changed is not None and not report.changed[record_set]:
            lines.append(f"{RECORD_SETS[record_set]}: 変化なし（{counts.received_valid}件）")
        else:
            lines.append(
                f"{RECORD_SETS[record_set]}: 新規 {counts.created}件、更新 {counts.updated}件、削除 {counts.deleted}件"
            )
    return lines


def _failure(report: RunReport) -> list[str]:
    """The first lines of what stopped the run; of a sheet's faults only the cells, for what a cell says is quoted there."""
    if not report.message:
        return []
    lines, length = [], 0
    for line in clean(report.message).splitlines():
        text = _unnamed(line.partition(": ")[0] if " → " in line else line).strip()
        if not text:
            continue
        if length + len(text) > MAX_MESSAGE:
            lines.append(_beginning(text, MAX_MESSAGE - length))
            break
        lines.append(text)
        length += len(text)
    return _first(lines, "行")


def _beginning(text: str, most: int) -> str:
    """As many whole sentences or parts of one as fit, where there are such."""
    kept = text[:most]
    ends = max(kept.rfind(sign) for sign in "。、 ") + 1
    return (kept[:ends].rstrip() if ends > most // 2 else kept) + "…"


def _problems(report: RunReport) -> list[str]:
    """「氏名: 値がありません 3件」. Items are known of the first problems only; where there are more, kinds alone are counted."""
    if report.problem_count <= len(report.problems):
        found = Counter((p.record_set, p.item, p.kind) for p in report.problems)
        return _first(
            [f"{_item(record_set, item)}: {_kind(kind)} {count}件" for (record_set, item, kind), count in found.items()]
        )
    items: dict[str, list[str]] = {}
    for problem in report.problems:
        names, name = items.setdefault(problem.kind, []), _item(problem.record_set, problem.item)
        if name not in names:
            names.append(name)
    return _first(
        [
            f"{_kind(kind)} {count}件" + (f"（{'、'.join(items[kind][:3])}など）" if kind in items else "")
            for kind, count in report.problem_kinds.items()
        ]
    )


def _item(record_set: RecordSet, item: str) -> str:
    return DEPARTMENT_ITEM[item].name if record_set is RecordSet.DEPARTMENTS else USER_ITEM[item].name


def _kind(kind: str) -> str:
    return PROBLEMS.get(kind, "その他の誤り")


def _emc_problems(report: RunReport) -> list[str]:
    """EMC's reasons by code: their texts name people."""
    codes = Counter(row.code if row.code in EMC_REMEDIES else "" for row in report.emc_problems)
    return _first(
        [
            f"EMC: {code} {count}件（{EMC_REMEDIES[code]}）" if code else f"EMC: その他の理由 {count}件"
            for code, count in codes.items()
        ]
    )


def _warnings(report: RunReport) -> list[str]:
    """How many people, by kind of warning."""
    if not (report.outcome.succeeded or report.outcome.waiting):
        return []
    people = Counter(kind for kind, _, _ in report.people)
    lines = [
        f"{'要対応' if kind == 'lost_id' else '注意'}: {_short(title)} {people[kind]}名"
        for kind, title in WARNINGS.items()
        if people[kind]
    ]
    if report.id_changes:
        lines.append(f"注意: ID変更 {len(report.id_changes)}件")
    lines += [
        f"注意: {_short(VALUE_WARNINGS[k].title)} {n}名"
        for k, n in report.value_warnings.items()
        if k in VALUE_WARNINGS
    ]
    if report.sheet_warnings:
        lines.append(f"注意: 連携設定シートの注意 {len(report.sheet_warnings)}件")
    if report.clashing_tenants:
        lines.append(f"注意: ID付与コードが重なる可能性のあるテナント {len(report.clashing_tenants)}件")
    return lines


def _short(title: str) -> str:
    return title.partition("（")[0]


def _is_record(text: str) -> bool:
    """Whether a line of 照合 names a record (reconcile.lines)."""
    return "／" in text


def _first(lines: Sequence[str], unit: str = "種類") -> list[str]:
    """At most KINDS_SHOWN lines, and one that counts the others."""
    rest = len(lines) - KINDS_SHOWN
    return [*lines[:KINDS_SHOWN], *([f"ほか{rest}{unit}"] if rest > 0 else [])]


def _unnamed(text: str) -> str:
    """The text without what might name somebody."""
    for pattern, instead in _PEOPLE:
        text = pattern.sub(instead, text)
    return text
