"""What a result mail says for its reader, in the customer's words: whose turn it is, and what EMC has now (L8).

The customer's administrator mends SmartHR and the sheet, and judges a held plan. Whatever lies in Airflow, in a
Connection, in the store or in EMC's interface is the operator's work, and is never told as the customer's.
"""

from __future__ import annotations

import re

from renkei.clock import time_in_japan
from renkei.links.smarthr_emc.model import Counts, RecordSet
from renkei.links.smarthr_emc.run_report import RunReport
from renkei.runs.outcome import Outcome

SHEET_FAULT = " → "  # between what is wrong with a cell and what to do (errors.Problem)
# What only the operator can reach or do.
_OPERATORS = re.compile(
    r"Airflow|Admin >|RENKEI|保存先|接続「|Connection|\bClear\b|Trigger|SFTP|フォルダ|EMCのトークン|EMCの応答|バックアップ"
    r"|\bExtra|\bLogin\b|\bPassword\b|手動実行|再実行|を実行してください|お問い合わせください|災害時凍結を|凍結を解除"
)
_CUSTOMERS = re.compile(r"SmartHR|シート")  # what the customer can reach
_SENTENCE = re.compile(r"(?<=。)(?![^（]*）)")  # not within brackets


def addressed(message: str) -> list[str]:
    """The lines of an error's message, those sentences apart that only the operator can act on.

    What is asked behind such a sentence is asked of the operator too, unless it speaks of what the customer has.
    """
    lines, operators = [], []
    for line in message.splitlines():
        sentences = [line] if SHEET_FAULT in line else _SENTENCE.split(line)
        mine: list[str] = []
        for sentence in sentences if SHEET_FAULT not in line else ():
            asked_too = mine and "ください" in sentence and not _CUSTOMERS.search(sentence)
            mine += [sentence] if asked_too or _OPERATORS.search(sentence) else []
        lines.append("".join(sentence for sentence in sentences if sentence not in mine))
        operators += mine
    lines = [line for line in lines if line.strip()]
    if operators:
        lines = lines or ["連携サーバーの側の理由で、処理できませんでした。"]
        lines += [f"運用担当者の作業（お客様の作業ではありません）: {''.join(operators)}"]
    return lines


def summary(report: RunReport) -> list[str]:
    """Company, what EMC has, what was written, whose turn it is, when the next run is."""
    lines = [f"会社名: {report.company}"] if report.company else []
    if (now := report.registered) is not None:
        lines.append(
            f"EMCの現在の登録: 社員 {now.people}名、部署 {now.departments}件（{time_in_japan(now.at)} にEMCが確認）"
        )
    elif report.company and report.linked:
        lines.append("EMCの現在の登録: まだありません（初回連携の前です）")
    lines += [f"EMCへ書き込んだ件数: {text}"] if (text := _written(report)) else []
    if report.company:
        lines += _turns(report)
        lines.append(f"次回の自動処理: {_next(report)}")
    return lines


def _written(report: RunReport) -> str:
    """How many rows went to EMC; the mail's 更新件数 counts those that stayed as they were, too."""
    if report.ahead:
        return "社員 0件、部署 0件（事前確認のため）"
    if report.outcome in (Outcome.OK, Outcome.CHECKED) and report.counts and report.changed:
        shown = {
            s: _rows(report.counts[s]) if report.changed[s] and report.outcome is Outcome.OK else 0 for s in RecordSet
        }
        text = f"社員 {shown[RecordSet.USERS]}件、部署 {shown[RecordSet.DEPARTMENTS]}件"
        if report.outcome is Outcome.CHECKED:
            return f"{text}（確認のみのため）"
        return text if any(report.changed.values()) else f"{text}（変化が無いため、書き込んでいません）"
    if report.outcome in (Outcome.LOAD, Outcome.SYSTEM) and report.planned and not report.emc_problems:
        return "EMCに確認中です。次の処理が確認します"
    return "" if report.outcome is Outcome.OK else "社員 0件、部署 0件"


def _rows(counts: Counts) -> int:
    return counts.created + counts.updated + counts.deleted


def _next(report: RunReport) -> str:
    if report.next_run is None:
        return "ありません（連携状態が連携解除です）"
    at = time_in_japan(report.next_run)
    return (
        at
        if report.registered is not None or not report.linked
        else f"初回連携を運用担当者が手動で行った後、{at} から毎日"
    )


def _turns(report: RunReport) -> list[str]:
    """Who does what next: the customer, then the operator."""
    customer, operator = _ahead(report) if report.ahead else (_customer(report), _operator(report))
    call = f"（運用担当者の連絡先: {report.contact}）" if report.contact and "運用担当者" in customer else ""
    return [
        f"お客様の作業: {customer or 'ありません。'}{call}",
        *([f"運用担当者の作業: {operator}"] if operator else []),
    ]


def _ahead(report: RunReport) -> tuple[str, str]:
    """What the customer and the operator can do before the next run."""
    until = f"{time_in_japan(report.next_run)} までに" if report.next_run else "次回の処理までに"
    match report.outcome:
        case Outcome.CHECKED if report.holds:
            return (
                f"下の社員・部署の変更が正しいかをご確認ください。誤りの場合は、{until}SmartHRを直してください。"
                "正しい場合は、次回の処理の保留のお知らせの後に、運用担当者へお知らせください。"
            ), ""
        case Outcome.DATA if set(report.problem_kinds) != {"other_tenant"}:
            return f"上の各行の社員・部署を、その行の案内のとおりに、{until}直してください。{MENDED}", ""
        case Outcome.SETTING if SHEET_FAULT in report.message:
            return (
                f"連携設定シートの上の箇所を直し、{until}運用担当者へ渡してください。",
                "直したシートを置き換えます。",
            )
        case Outcome.RECEIVE | Outcome.SETTING if _asks_customer(report.message):
            return f"上の案内のとおりに、{until}ご対応ください。{MENDED}", ""
        case Outcome.CHECKED:
            return "", ""
    return "", f"{until}原因を確認し、対応します。"


MENDED = "直した内容で、次回の処理を行います。"
AGAIN = (
    "次回の自動処理で取り込みます。その日のうちに必要な場合は、直した後に運用担当者へ再度の取り込みを依頼してください。"
)


def _customer(report: RunReport) -> str:
    """What the reader has to do; empty where it is nothing."""
    match report.outcome:
        case Outcome.OK if must_act(report):
            return "下の「要対応」の社員をSmartHRで直し、運用担当者へ再度の取り込みを依頼してください。"
        case Outcome.OK if has_notes(report):
            return "急ぎのものはありません。下の「注意」をご確認ください。"
        case Outcome.CHECKED:
            return "件数と下の「注意」をご確認ください。問題が無ければ、運用担当者へ登録の実行を依頼してください。"
        case Outcome.DIFFERS:
            return "上の各行をご確認ください。"
        case Outcome.DATA if set(report.problem_kinds) == {"other_tenant"}:
            return ""
        case Outcome.DATA:
            return f"上の各行の社員・部署を、その行の案内のとおりに直してください。{AGAIN}"
        case Outcome.SETTING if SHEET_FAULT in report.message:
            return f"連携設定シートの上の箇所を直し、運用担当者へ渡してください。{AGAIN}"
        case Outcome.HOLD:
            until = f"{time_in_japan(report.deadline)} までに" if report.deadline else ""
            return f"下の社員・部署の変更が正しいかをご確認のうえ、{until}運用担当者へお知らせください。"
        case Outcome.REFUSED:
            return (
                "変更が正しい場合は、運用担当者へ再度の取り込みと承認を依頼してください。"
                "誤りの場合は、SmartHRを直してください。"
            )
        case Outcome.LOAD if report.emc_problems:
            return f"上の各行をご確認ください。{AGAIN}"
        case Outcome.RECEIVE | Outcome.SETTING if _asks_customer(report.message):
            return f"上の案内のとおりにご対応ください。{AGAIN}"
    return ""


def _operator(report: RunReport) -> str:
    match report.outcome:
        case Outcome.OK | Outcome.COMPARED | Outcome.REFUSED:
            return ""
        case Outcome.CHECKED:
            return "ご依頼の後に、「通常」を実行します。"
        case Outcome.DIFFERS:
            return "差異の原因を確認します。EMCに無いものは次回の処理で、値が異なるものは「全件書き込み」で戻ります。"
        case Outcome.HOLD:
            return (
                "お客様の確認の後に、承認して登録するか、登録しないかを回答します。"
                "期限までに回答が無い場合は、何も登録しません。"
            )
        case Outcome.CONFIRM:
            return "出力したファイルをEMCに取り込み、その結果を回答します。回答まで、次の取り込みは行いません。"
        case Outcome.SETTING if SHEET_FAULT in report.message:
            return "直したシートを置き換えます。"
        case Outcome.LOAD if report.emc_problems:
            return ""
        case _ if _customer(report):
            return ""
    return "原因を確認し、対応します。"


def must_act(report: RunReport) -> bool:
    """Whether somebody was, or will be, lost by a fault in SmartHR."""
    return any(kind == "lost_id" for kind, _, _ in report.people)


def has_notes(report: RunReport) -> bool:
    return bool(report.people or report.value_warnings or report.sheet_warnings)


def _asks_customer(message: str) -> bool:
    """Whether a sentence of the message asks for something that is not the operator's."""
    return any("ください" in line for line in addressed(message) if not line.startswith("運用担当者の作業"))


def lost_ids(report: RunReport, count: int) -> list[str]:
    """E8: people who lose their place in EMC by a fault, not by leaving; with what to do, before it is done or after."""
    item = report.id_source or "ユーザIDの元になる項目"
    match report.outcome:
        case Outcome.HOLD:
            what = "承認するとEMCから削除されます。承認の前に"
        case Outcome.OK:
            what = "EMCから削除しました。この社員には、安否確認の連絡が届きません。すぐに"
        case _:
            what = "このまま登録するとEMCから削除されます。登録の前に"
    remedy = f"SmartHRで「{item}」を入力し直し、運用担当者へ再度の取り込みを依頼してください。"
    head = f"要対応: ユーザIDの値が無くなった社員（退職・休職ではありません）: {count}名。{what}{remedy}"
    return ["", head]


def answered(report: RunReport) -> list[str]:
    """Who refused a held plan, or that nobody answered."""
    if report.answer is None:
        return []
    if report.answer.by:
        why = f"理由: {report.answer.why}" if report.answer.why.strip() else "理由は書かれていません"
        return [f"- 承認しないと回答した人: {report.answer.by}（{why}）"]
    until = f"（{time_in_japan(report.deadline)}）" if report.deadline else ""
    return [f"- 期限{until}までに、承認するかどうかの回答がありませんでした。"]
