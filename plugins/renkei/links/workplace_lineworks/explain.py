"""なぜこの不在はカレンダーに（い）ないのか: one absence's way, by what the database knows of it; nobody is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from renkei.clock import time_in_japan
from renkei.links.workplace_lineworks.calendar_events import live
from renkei.links.workplace_lineworks.history import KnownAbsence
from renkei.links.workplace_lineworks.sheet.mapping import Mapping
from renkei.links.workplace_lineworks.tables import FAILED, HELD, WAITING
from renkei.links.workplace_lineworks.wording import RELEASE_HOW, STATUSES
from renkei.runs.steps import Step, StepResult
from renkei.systems.lineworks.calendar import NO_MEMBER, SUSPENDED
from renkei.systems.workplace.client import Status


@dataclass(frozen=True, slots=True)
class Explained:
    """One absence's way; `answer` in one sentence."""

    absence_id: str
    answer: str
    steps: Sequence[Step]


def explain(mapping: Mapping, absence_id: str, known: KnownAbsence | None) -> Explained:
    """`known` is None for one that WORKPLACE has never listed."""
    asked: tuple[tuple[str, Callable[[Mapping, KnownAbsence], Step]], ...] = (
        *(("設定", _used), ("状態", _approved), ("期間", _timed)),
        *(("メンバー", _member), ("登録", _written)),
    )
    steps = [_received(known)]
    for name, look in asked:
        over = steps[-1].passed is not StepResult.YES
        steps.append(Step(name, StepResult.NOT) if over or known is None else look(mapping, known))
    return Explained(absence_id, _answer(known, steps), steps)


def _answer(known: KnownAbsence | None, steps: Sequence[Step]) -> str:
    stopped = next((step for step in steps if step.passed is not StepResult.YES), None)
    why = f"{stopped.name}: {stopped.reason}" if stopped else ""
    if known and known.events and all(event.is_sure for event in known.events):
        return f"カレンダーに登録済みです（{len(known.events)}件）。" + (f"ただし、{why}" if why else "")
    return f"カレンダーに登録していません。{why}"


def _received(known: KnownAbsence | None) -> Step:
    if known is None:
        reason = "WORKPLACEの一覧で受信していません（番号が違うか、1か月より前に終わっています）"
        return Step("受信", StepResult.NO, reason, "WORKPLACEで不在の番号を確認してください")
    return Step("受信", StepResult.YES, f"版 {known.absence.revision} を {time_in_japan(known.since)} に受信")


def _used(mapping: Mapping, known: KnownAbsence) -> Step:
    if not mapping.calendar:
        remedy = "連携設定シートで「カレンダー登録」を「使用する」にしてください"
        return Step("設定", StepResult.NO, "カレンダー登録を使用していません", remedy)
    return Step("設定", StepResult.YES)


def _approved(mapping: Mapping, known: KnownAbsence) -> Step:
    shown = STATUSES.get(known.status, known.status)
    if known.state == HELD:
        return Step(
            "状態", StepResult.NO, f"{shown}。一度に多くの取消があったため、予定を残して保留中です", RELEASE_HOW
        )
    if known.status not in live(mapping):
        remedy = "承認されると、次の実行で登録します" if known.status == Status.APPLIED else ""
        return Step("状態", StepResult.NO, f"WORKPLACEでの状態が「{shown}」です", remedy)
    return Step("状態", StepResult.YES, shown)


def _timed(mapping: Mapping, known: KnownAbsence) -> Step:
    failed = known.failed
    if failed and failed.code not in (NO_MEMBER, SUSPENDED):
        return Step("期間", StepResult.NO, failed.cause, failed.remedy)
    return Step("期間", StepResult.YES, f"{len(known.absence.periods)}件の期間")


def _member(mapping: Mapping, known: KnownAbsence) -> Step:
    if known.failed:
        return Step("メンバー", StepResult.NO, known.failed.cause, known.failed.remedy)
    return Step("メンバー", StepResult.YES)


def _written(mapping: Mapping, known: KnownAbsence) -> Step:
    if known.state == WAITING:
        return Step("登録", StepResult.NOT, "順番を待っています。次の実行で登録します")
    if known.state == FAILED or not known.events:
        return Step("登録", StepResult.NOT)
    newest = max((event.written_at for event in known.events if event.written_at), default=None)
    return Step("登録", StepResult.YES, f"{time_in_japan(newest)} に書き込み" if newest else "")
