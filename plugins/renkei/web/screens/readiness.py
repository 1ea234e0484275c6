"""即応証明: whether it may be stated that a target is as its source, or why not, and the figures. No clock, no files.

Nothing is stated that a record does not say: whatever is missing, old or contradicts another record is a doubt.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from renkei.clock import time_in_japan
from renkei.web.facts import ChannelFact, Company, Compared, Confirmed, Evidence, Run, Written
from renkei.web.screens.company_state import state_of
from renkei.web.screens.words import CompanyState

COMPARED_WITHIN = dt.timedelta(hours=26)  # a 照合 a day, and some time for it
SKEW = dt.timedelta(minutes=5)  # by which clocks may differ
DAYS = 30
ERRORS = 3  # of the last ones


@dataclass(frozen=True, slots=True)
class Case:
    """All that one statement goes by. `runs` are those of the last DAYS, newest first."""

    company: Company
    evidence: Evidence
    runs: Sequence[Run]
    now: dt.datetime
    faults: Sequence[str] = ()

    @property
    def last(self) -> Run | None:
        """The last run that was to write, and is over, as Airflow knows it."""
        return next((run for run in self.runs if run.finished and run.writes and not run.is_test), None)

    @property
    def written(self) -> Written:
        return self.evidence.written or Written("")

    @property
    def confirmed(self) -> Confirmed:
        return self.evidence.confirmed or Confirmed(0, self.now, 0, 0)

    @property
    def compared(self) -> Compared | None:
        return self.evidence.compared

    @property
    def is_failed(self) -> bool:
        return any(run is not None and run.state == "failed" for run in (self.company.last, self.last))

    @property
    def has_failed_since(self) -> bool:
        """A run of any kind failed after the 照合, which may be the next one: then nobody knows what it would have found."""
        return self.compared is not None and any(
            run.state == "failed" and not run.is_test and (run.ended or run.at) > self.compared.at for run in self.runs
        )

    @property
    def is_late(self) -> bool:
        """The last read is older than the newest daily run of which there should be a result."""
        due, read_at = self.company.due, self.written.read_at
        return self.company.silent_since is not None or due is None or read_at is None or read_at < due

    @property
    def is_ahead(self) -> bool:
        moments = (self.written.read_at, self.confirmed.at, self.compared.at if self.compared else None)
        return any(moment is not None and moment > self.now + SKEW for moment in moments)


@dataclass(frozen=True, slots=True)
class Check:
    """One way in which a statement could be false. Behind a `final` one the others could say nothing."""

    text: str
    holds: Callable[[Case], bool]
    final: bool = False


class NotReadyReason(Enum):
    """Why it cannot be stated, in the order in which it is told; texts may name target, source, due, lost, differences."""

    UNREADABLE = Check("保存先の記録を読み取れません", lambda c: bool(c.faults or c.evidence.fault), final=True)
    NEVER = Check("まだ一度も連携していません", lambda c: c.evidence.confirmed is None, final=True)
    UNLINKED = Check("連携解除中です", lambda c: c.company.unlinked)
    SHEET = Check("連携設定シートがないか、誤りがあります", lambda c: c.company.broken or c.company.sheet_gone)
    SHEET_PENDING = Check("連携設定シートが新しいか変更されたため、確認中です", lambda c: c.company.pending)
    DAG_GONE = Check("AirflowがこのDagを読み込んでいません", lambda c: c.company.dag_gone)
    HELD = Check("処理が保留され、回答を待っています", lambda c: c.company.question is not None)
    FAILED = Check("直近の処理が失敗しています", lambda c: c.is_failed)
    FROZEN = Check("災害時凍結中です（削除と値の消去をしていません）", lambda c: c.company.frozen)
    PAUSED = Check("一時停止中です", lambda c: c.company.paused)
    NO_BASELINE = Check(
        "前回データの記録が保存先から失われているか、合いません", lambda c: not c.confirmed.sound, final=True
    )
    NO_RECORD = Check(
        "最後の処理の記録がありません（保存期間を過ぎたか、保存先から削除されています）",
        lambda c: c.evidence.written is None,
        final=True,
    )
    UNFINISHED = Check(
        "最後の処理が実行中か、完了した記録がありません", lambda c: c.written.ended_at is None, final=True
    )
    OTHER_RUN = Check(
        "Airflowの実行履歴と保存先の記録が合いません", lambda c: c.last is None or c.last.run_id != c.written.run_id
    )
    OTHER_BASELINE = Check("最後の処理と前回データが合いません", lambda c: not c.written.is_current)
    RESTORED = Check("最後の処理は復元です（以前の内容に戻しています）", lambda c: not c.written.as_read)
    FROZEN_THEN = Check("最後の処理のとき、災害時凍結中でした", lambda c: c.written.frozen and not c.company.frozen)
    LATE = Check("{due} の処理の結果がありません", lambda c: c.is_late)
    SHEET_CHANGED = Check(
        "最後の処理の後に、連携設定シートが変わりました",
        lambda c: c.written.sheet_digest != c.company.sheet_digest and not c.company.pending,
    )
    COUNTS = Check("対象者の人数と{target}の登録人数が合いません", lambda c: c.written.valid != c.confirmed.people)
    NO_FIGURES = Check("連絡先の件数の記録がありません（次の処理から記録します）", lambda c: c.written.reached is None)
    LOST = Check(
        "{source}でユーザIDの値が無くなった在籍者が{lost}名います（{target}に登録されていません）",
        lambda c: c.written.reached is not None and c.written.reached.lost > 0,
    )
    NOT_COMPARED = Check(
        "照合の記録がありません（{target}の登録内容を読み取れない取込方式では、照合できません）",
        lambda c: c.compared is None,
    )
    COMPARED_BEFORE = Check(
        "最後の照合は、最後の登録より前のものです",
        lambda c: c.compared is not None and (not c.compared.current or c.compared.at < c.confirmed.at),
    )
    MOVED = Check(
        "最後の照合の後に、{target}の接続先（Airflowの接続のURL）が変わったか、接続が使えなくなりました",
        lambda c: c.compared is not None and c.compared.elsewhere,
    )
    COMPARED_OLD = Check(
        f"最後の照合から{COMPARED_WITHIN // dt.timedelta(hours=1)}時間以上たっています",
        lambda c: c.compared is not None and c.now - c.compared.at >= COMPARED_WITHIN,
    )
    FAILED_SINCE = Check("最後の照合の後に、失敗した実行があります", lambda c: c.has_failed_since)
    DIFFERENCES = Check(
        "照合で{differences}件の差異が見つかっています",
        lambda c: c.compared is not None and c.compared.differences != 0,
    )
    AHEAD = Check("記録の日時が現在より先です（サーバーの時計を確認してください）", lambda c: c.is_ahead)


def not_ready_reasons(case: Case) -> list[NotReadyReason]:
    """Every reason why it cannot be stated that the target is as the source; none: it may."""
    found = []
    for doubt in NotReadyReason:
        if doubt.value.holds(case):
            found.append(doubt)
            if doubt.value.final:
                break
    return found


@dataclass(frozen=True, slots=True)
class Statement:
    """One company's statement: figures, and no name or id of anybody."""

    company: Company
    evidence: Evidence
    reasons: Sequence[str]  # why it cannot be stated; none: it may
    succeeded: int  # runs that were to write, of the last DAYS
    ended: int
    errors: Sequence[tuple[dt.datetime, str]]  # the last failed runs: when, and their subjects
    failed: int

    @property
    def as_of(self) -> dt.datetime | None:
        """The moment for which it is stated; None: it cannot be."""
        return self.evidence.written.read_at if self.evidence.written and not self.reasons else None


def statement(case: Case) -> Statement:
    """What the page says. Of a company whose state is not 正常, and of which no doubt says why, the state is the reason."""
    reasons = [_reason_text(doubt, case) for doubt in not_ready_reasons(case)]
    state = state_of(case.company, case.now)
    if not reasons and state is not CompanyState.WELL:
        reasons = [f"会社の状態が「{state.value.label}」です"]
    over = [run for run in case.runs if run.finished and run.writes and not run.is_test]
    failed = [run for run in over if run.state == "failed"]
    return Statement(
        case.company,
        case.evidence,
        reasons,
        len(over) - len(failed),
        len(over),
        [(run.ended or run.at, run.subject or "失敗") for run in failed[:ERRORS]],
        len(failed),
    )


def _reason_text(doubt: NotReadyReason, case: Case) -> str:
    company, reached = case.company, case.written.reached
    return doubt.value.text.format(
        target=company.target,
        source=company.source,
        due=time_in_japan(company.due) if company.due else "直近",
        lost=f"{reached.lost:,}" if reached else "",
        differences=f"{case.compared.differences:,}" if case.compared else "",
    )


@dataclass(frozen=True, slots=True)
class ChannelCounts:
    """How the channels do."""

    well: int
    failing: int
    disabled: int
    muted: int


def channel_counts(channels: Sequence[ChannelFact]) -> ChannelCounts:
    muted = [one for one in channels if one.muted]
    disabled = [one for one in channels if one.disabled_since and not one.muted]
    failing = [one for one in channels if one.failures and not one.disabled_since and not one.muted]
    well = len(channels) - len(muted) - len(disabled) - len(failing)
    return ChannelCounts(well, len(failing), len(disabled), len(muted))
