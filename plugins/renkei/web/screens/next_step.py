"""次にすること: one sentence, and at most one button. No clock, no files."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from renkei.clock import time_in_japan
from renkei.web.facts import Company, Details
from renkei.web.screens.words import CompanyState
from renkei.web.services import Right

Kind = Literal["", "run", "unpause", "last_run", "answer", "sheet", "import_errors", "freeze", "page"]


@dataclass(frozen=True, slots=True)
class NextStep:
    """What is to be done; `right` is what the button needs."""

    text: str
    kind: Kind = ""
    label: str = ""
    right: Right = Right.SEE
    page: str = ""  # of kind "page": the last part of its address


RUN, UNPAUSE = Right.RUN, Right.EDIT


def next_step(
    company: Company, state: CompanyState, details: Details, first: NextStep | None = None, connects: str = ""
) -> NextStep:
    """The one thing that brings this company on.

    `first` is what its link begins with, if not with a run; `connects` the page on which a person allows us the source.
    """
    match state:
        case CompanyState.BROKEN:
            return _broken(company, details)
        case CompanyState.HELD:
            until = f"{_at(details.answer_until)} までに" if details.answer_until else ""
            text = f"登録が止まっています。{until}内容を確認して回答してください。回答がない場合は何も登録しません。"
            return NextStep(text, "answer", "内容を確認して回答する")
        case CompanyState.VOID_GRANT:
            text = f"{company.source}の許可の期限が切れたか、取り消されました。「連携する」から許可し直してください。"
            return NextStep(text, "page", f"{company.source}の接続を開く", Right.EDIT, connects)
        case CompanyState.STOPPED:
            running = (
                "いま実行中です。終わったら結果を確認してください。"
                if company.current
                else "誤りと対処を確認し、直してから実行してください。"
            )
            return NextStep(f"直近の処理が失敗しました。{running}", "last_run", "誤りと対処を見る")
        case CompanyState.SILENT:
            return _silent(company)
        case CompanyState.FROZEN:
            text = "災害時凍結中です。新規と更新は続け、削除と値の消去は行いません。続ける必要がなくなったら、解除してください。"
            return NextStep(text, "freeze", "災害時凍結の画面を開く")
        case CompanyState.UNLINKED_YET:
            if company.current:
                return NextStep("最初の処理を実行中です。終わったら結果を確認してください。")
            if first:
                return first
            text = "まだ一度も連携していません。「確認のみ」で内容を確かめてから「通常」で実行してください。"
            return NextStep(text, "run", "実行する", RUN)
        case CompanyState.BEFORE:
            begins = company.link_start_on
            day = f"連携開始日（{begins.year}/{begins.month}/{begins.day}）" if begins else "連携開始日"
            if company.paused:
                text = f"一時停止中です。解除すると、{day}から自動で実行します。"
                return NextStep(text, "unpause", "一時停止を解除する", UNPAUSE)
            return NextStep(
                f"{day}から自動で実行します。それまでに「確認のみ」で内容を確かめられます。", "run", "実行する", RUN
            )
        case CompanyState.PAUSED:
            text = "一時停止中のため、自動では実行しません。再開する場合は、一時停止を解除してください。"
            return NextStep(text, "unpause", "一時停止を解除する", UNPAUSE)
        case CompanyState.UNLINKED:
            text = f"連携解除中です。{company.target}のデータはそのままです。再開する場合は、シートの連携状態を直してください。"
            return NextStep(text)
        case CompanyState.WELL:
            upcoming = f"次回は {_at(company.next_run)} です。" if company.next_run else ""
            if company.notes:
                text = f"急ぐことはありません。{upcoming}シートに注意が{company.notes}件あります。"
                return NextStep(text, "sheet", "注意を見る")
            return NextStep(f"することはありません。{upcoming}")


def _broken(company: Company, details: Details) -> NextStep:
    if company.sheet_gone:
        return NextStep(
            "連携設定シートがありません。シートを元の場所に戻してください。連携をやめた会社であれば、連携状態を「連携解除」にした"
            "シートを1時間ほど置いてから取り除いてください。"
        )
    if company.broken:
        text = (
            f"連携設定シートに誤りが{len(details.problems) or 1}件あります。直したシートを置くと、数分で反映されます。"
            f"それまで{company.target}には何も書き込みません。"
        )
        return NextStep(text, "sheet", "誤りを見る")
    text = "AirflowがこのDagを読み込んでいません。シートを置いた直後は数分待ち、続く場合は読み込みエラーを確認してください。"
    return NextStep(text, "import_errors", "Airflowを開く")


def _silent(company: Company) -> NextStep:
    head = f"{_at(company.silent_since)} の処理の結果がありません。"
    if company.paused:
        return NextStep(f"{head}一時停止中のため、実行されていません。", "unpause", "一時停止を解除する", UNPAUSE)
    if company.current:
        return NextStep(
            f"{head}実行中のまま終わっていません。実行の画面で、止まっているタスクを確認してください。",
            "answer",
            "実行の画面を開く",
        )
    text = f"{head}Airflowのスケジューラが動いているか確認し、本日分が必要な場合は実行してください。"
    return NextStep(text, "run", "実行する", RUN)


def _at(moment: dt.datetime | None) -> str:
    return time_in_japan(moment) if moment else ""
