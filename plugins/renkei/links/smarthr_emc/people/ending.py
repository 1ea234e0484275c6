"""How far a recorded run came with its plan, and why no further."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from renkei.clock import time_in_japan
from renkei.links.smarthr_emc.records import DiffSummary, EmcRefusal, Plan, PlanWarnings, RunStart
from renkei.runs.current_baseline import current_baseline
from renkei.runs.hold import Approval, HeldPlan
from renkei.runs.outcome import End
from renkei.storage.runs import RunRecord


class EndState(StrEnum):
    """Up to where a run came."""

    LOADED = "loaded"  # EMC has taken the plan
    UNCHANGED = "unchanged"  # there was nothing to write
    CHECKED = "checked"  # 確認のみ
    REFUSED = "refused"  # by EMC
    CONFIRM = "confirm"  # files lie in EMC's place; nobody has said what became of them
    HELD = "held"  # waits for an approval
    DENIED = "denied"  # the approval was refused, or ran out
    ERRORS = "errors"  # a record breaks a rule
    UNLOADED = "unloaded"  # there is a plan, and no word of a load
    UNCHECKED = "unchecked"  # it stopped before it was checked
    UNCOMPARED = "uncompared"  # it stopped before it was compared
    # Of a run that is only tried:
    WOULD_LOAD = "would_load"  # nothing keeps the next run from it
    WOULD_HOLD = "would_hold"  # it would wait for an approval
    WOULD_STOP = "would_stop"  # it would stop between comparing and planning


@dataclass(frozen=True, slots=True)
class Ending:
    """`text` is what keeps the plan from EMC, in a sentence; "" where nothing does, or where the plan itself says so."""

    state: EndState
    at: str = ""  # ISO 8601
    text: str = ""
    by: str = ""  # who answered


_TEXTS = {
    EndState.CHECKED: "ただし、確認のみの実行のため、EMCには書き込んでいません。",
    EndState.REFUSED: "ただし、EMCがこの取込を受け付けなかったため、誰も登録されていません。",
    EndState.CONFIRM: "ただし、EMCへの取込の結果がまだ確認されていません。",
    EndState.UNLOADED: "ただし、この実行は登録の前に止まったか、まだ実行中です。",
    EndState.UNCHECKED: "ただし、この実行は検査の前に止まったか、まだ実行中です。",
    EndState.UNCOMPARED: "ただし、この実行は前回データと比べる前に止まったか、まだ実行中です。",
}
_ENDS = {
    "loaded": EndState.LOADED,
    "already": EndState.LOADED,
    "unchanged": EndState.UNCHANGED,
    "checked": EndState.CHECKED,
}


def ending_of(run: RunRecord) -> Ending:
    """By what is in the run's record, as `runs.outcome` has it."""
    end, current = run.read_or_none(End), current_baseline(run.tenant_folder).baseline
    if current is not None and current.run == run.run:
        return Ending(EndState.LOADED, current.confirmed_at)
    if end is not None and end.result in _ENDS:
        return _ending(_ENDS[end.result], end.at.isoformat())
    if not run.has(DiffSummary):
        return _ending(EndState.UNCOMPARED)
    if not run.has(PlanWarnings):
        return _ending(EndState.UNCHECKED)
    plan = run.read_or_none(Plan)
    if plan is None:
        return Ending(EndState.ERRORS)
    if not run.read(RunStart).mode.writes:
        return _ending(EndState.CHECKED)
    if not plan.writes:
        return Ending(EndState.UNCHANGED)
    if run.has(EmcRefusal):
        return _ending(EndState.REFUSED)
    if end is not None:  # of a load that nobody has heard the end of
        return _ending(EndState.CONFIRM, end.at.isoformat())
    return _held(run) or _ending(EndState.UNLOADED)


def _ending(state: EndState, at: str = "") -> Ending:
    return Ending(state, at, _TEXTS.get(state, ""))


def _held(run: RunRecord) -> Ending | None:
    held, approval = run.read(HeldPlan), run.read_or_none(Approval)
    if not held.holds:
        return None
    if approval is None:
        return Ending(EndState.HELD)
    if approval.approved:
        return None
    at = approval.at.isoformat()
    return Ending(
        EndState.DENIED,
        at,
        f"ただし、{time_in_japan(at)} に承認されなかったため、誰も登録されていません。",
        approval.by,
    )
