"""What can be done with many companies at once, and which of them it concerns. No clock, no files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from renkei.web.facts import Company
from renkei.web.services import Right

KIND, PLACE = "checks", "_checks"  # of the job, and whose it is: no company is called so
NO_RIGHT = "この会社で操作する権限がありません"


class BulkAction(StrEnum):
    """What is done; the value is its name in an address."""

    CHECK = "check"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"


LABELS = {
    BulkAction.CHECK: "確認のみを実行する",
    BulkAction.PAUSE: "一時停止する",
    BulkAction.UNPAUSE: "一時停止を解除する",
    BulkAction.FREEZE: "災害時凍結する",
    BulkAction.UNFREEZE: "災害時凍結を解除する",
}
RIGHTS = {action: Right.RUN if action is BulkAction.CHECK else Right.EDIT for action in BulkAction}
WITH_REASON = (BulkAction.FREEZE, BulkAction.UNFREEZE)


@dataclass(frozen=True, slots=True)
class BulkSelection:
    """Those of the shown companies with which it is done, and the others, each with why it is not."""

    those: Sequence[Company]
    others: Sequence[tuple[Company, str]]


@dataclass(frozen=True, slots=True)
class CheckedMany:
    """What the job says of 確認のみ of many companies; how each of them went, its own run says."""

    asked: int
    refused: Sequence[str] = field(default_factory=list)  # dag ids that Airflow did not start


def chosen(action: BulkAction, companies: Iterable[Company], may: Callable[[Right, str], bool]) -> BulkSelection:
    those, others = [], []
    for one in sorted(companies, key=lambda one: (one.name, one.dag_id)):
        why = why_not(action, one) or ("" if may(RIGHTS[action], one.dag_id) else NO_RIGHT)
        if why:
            others.append((one, why))
        else:
            those.append(one)
    return BulkSelection(those, others)


def why_not(action: BulkAction, one: Company) -> str:
    """Why it makes no sense with this company, in Japanese; empty where it does."""
    if action in WITH_REASON:
        if not one.freezable:
            return "災害時凍結のない連携です"
        return (
            ("既に凍結中です" if one.frozen else "")
            if action is BulkAction.FREEZE
            else ""
            if one.frozen
            else "凍結していません"
        )
    if one.dag_gone:
        return "AirflowにこのDagがありません"
    if action is BulkAction.CHECK:
        if one.paused:
            return "一時停止中です（実行が始まりません）"
        if one.unlinked:
            return "連携解除されています"
        return "シートを使えません" if one.broken or one.sheet_gone else "シートを読み取り中です" if one.pending else ""
    if action is BulkAction.PAUSE:
        return "既に一時停止中です" if one.paused else ""
    return "" if one.paused else "一時停止していません"


def check_run(run: str) -> str:
    """The id of each company's run, of the job's own run."""
    return f"checks__{run}"
