"""即応証明: each way in which the statement could be false is a doubt, and without one it may be made."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest

from renkei.web.facts import ChannelFact, Company, Compared, Confirmed, Evidence, Question, ReachCounts, Run, Written
from renkei.web.screens.readiness import (
    COMPARED_WITHIN,
    SKEW,
    Case,
    ChannelCounts,
    NotReadyReason,
    channel_counts,
    not_ready_reasons,
    statement,
)

NOW = dt.datetime(2026, 11, 30, 1, 0, tzinfo=dt.UTC)
TICK = dt.datetime(2026, 11, 29, 19, 30, tzinfo=dt.UTC)
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
RUN = Run("r2", "success", TICK, TICK, TICK + 3 * MINUTE, "通常", True)
FAILED, LOOKED = dataclasses.replace(RUN, run_id="r3", state="failed"), dataclasses.replace(RUN, writes=False)
COMPANY = Company(
    "link__acme", "甲 → 乙", "acme", "アクメ", "乙", "甲", due=TICK, sheet_digest="s", last=RUN, last_result=TICK
)  # fmt: skip
CONFIRMED = Confirmed(7, TICK + 2 * MINUTE, 30, 4, True, "p")
REACHED = ReachCounts(31, 0, 28, 2, 0, {"メール": 28})
WRITTEN = Written("r2", TICK + MINUTE, TICK + 3 * MINUTE, True, True, False, 30, "s", REACHED)
COMPARED = Compared(TICK + HOUR, True, 0)


def case(**changes: Any) -> Case:
    """A case of which nothing is doubtful, but for `changes`: of the company, of what is written, of the rest."""
    of: dict[str, dict[str, Any]] = {"company": {}, "confirmed": {}, "written": {}, "compared": {}, "rest": {}}
    for name, value in changes.items():
        part, _, field = name.partition("__")
        of[part if field else "rest"][field or name] = value
    evidence = Evidence(
        dataclasses.replace(CONFIRMED, **of["confirmed"]),
        dataclasses.replace(WRITTEN, **of["written"]),
        dataclasses.replace(COMPARED, **of["compared"]),
    )
    whole = Case(dataclasses.replace(COMPANY, **of["company"]), evidence, [RUN], NOW)
    return dataclasses.replace(whole, **of["rest"])


def without(part: str) -> Evidence:
    return dataclasses.replace(case().evidence, **{part: None})


def test_what_every_record_says_may_be_stated() -> None:
    """As of the moment at which the source was begun to be read."""
    said = statement(case())
    assert (said.reasons, said.as_of) == ([], TICK + MINUTE)


DOUBTFUL: list[tuple[NotReadyReason, dict[str, Any]]] = [
    (NotReadyReason.UNREADABLE, {"faults": ["保存先を読み取れません。"]}),
    (NotReadyReason.UNREADABLE, {"evidence": Evidence(fault="壊れています")}),
    (NotReadyReason.NEVER, {"evidence": Evidence()}),
    (NotReadyReason.UNLINKED, {"company__unlinked": True}),
    (NotReadyReason.SHEET, {"company__broken": True}),
    (NotReadyReason.SHEET, {"company__sheet_gone": True}),
    (NotReadyReason.SHEET_PENDING, {"company__pending": True}),
    (NotReadyReason.DAG_GONE, {"company__dag_gone": True}),
    (NotReadyReason.HELD, {"company__question": Question("r3", "approve", NOW)}),
    (
        NotReadyReason.FAILED,
        {"company__last": dataclasses.replace(LOOKED, state="failed")},
    ),  # a 照合 that could not be made
    (NotReadyReason.FAILED, {"company__last": LOOKED, "runs": [LOOKED, dataclasses.replace(RUN, state="failed")]}),
    (NotReadyReason.FROZEN, {"company__frozen": True}),
    (NotReadyReason.FROZEN, {"company__frozen": True, "written__frozen": True}),
    (NotReadyReason.PAUSED, {"company__paused": True}),
    (NotReadyReason.NO_BASELINE, {"confirmed__sound": False}),
    (NotReadyReason.NO_RECORD, {"evidence": without("written")}),
    (NotReadyReason.UNFINISHED, {"written__ended_at": None}),
    (NotReadyReason.OTHER_RUN, {"written__run_id": "r1"}),  # the store is older than Airflow
    (NotReadyReason.OTHER_RUN, {"runs": []}),  # Airflow knows of no run
    (NotReadyReason.OTHER_RUN, {"runs": [dataclasses.replace(RUN, is_test=True), LOOKED]}),
    (NotReadyReason.OTHER_BASELINE, {"written__is_current": False}),
    (NotReadyReason.RESTORED, {"written__as_read": False}),
    (NotReadyReason.FROZEN_THEN, {"written__frozen": True}),
    (NotReadyReason.LATE, {"written__read_at": TICK - MINUTE}),
    (NotReadyReason.LATE, {"written__read_at": None}),
    (NotReadyReason.LATE, {"company__due": None}),
    (NotReadyReason.LATE, {"company__silent_since": TICK}),
    (NotReadyReason.SHEET_CHANGED, {"company__sheet_digest": "t"}),
    (NotReadyReason.SHEET_CHANGED, {"company__sheet_digest": "", "written__sheet_digest": "t"}),
    (NotReadyReason.COUNTS, {"written__valid": 31}),
    (NotReadyReason.COUNTS, {"written__valid": None}),
    (NotReadyReason.NO_FIGURES, {"written__reached": None}),
    (NotReadyReason.LOST, {"written__reached": dataclasses.replace(REACHED, lost=2)}),
    (NotReadyReason.NOT_COMPARED, {"evidence": without("compared")}),
    (NotReadyReason.COMPARED_BEFORE, {"compared__current": False}),
    (NotReadyReason.COMPARED_BEFORE, {"compared__at": CONFIRMED.at - MINUTE}),
    (NotReadyReason.MOVED, {"compared__elsewhere": True}),
    (NotReadyReason.COMPARED_OLD, {"now": COMPARED.at + COMPARED_WITHIN}),
    (
        NotReadyReason.FAILED_SINCE,
        {"runs": [dataclasses.replace(LOOKED, state="failed", ended=NOW), RUN]},
    ),  # today's 照合
    (NotReadyReason.DIFFERENCES, {"compared__differences": 1}),
    (NotReadyReason.AHEAD, {"compared__at": NOW + SKEW + MINUTE}),
    (NotReadyReason.AHEAD, {"written__read_at": NOW + SKEW + MINUTE}),
    (NotReadyReason.AHEAD, {"confirmed__at": NOW + SKEW + MINUTE, "compared__at": NOW + SKEW + 2 * MINUTE}),
]


@pytest.mark.parametrize(("doubt", "changes"), DOUBTFUL, ids=lambda value: str(value)[:60])
def test_l1_what_could_be_false_is_not_stated(doubt: NotReadyReason, changes: dict[str, Any]) -> None:
    """L1: that one reason, and no claim."""
    found = case(**changes)
    assert not_ready_reasons(found) == [doubt]
    said = statement(found)
    assert said.as_of is None
    assert len(said.reasons) == 1
    assert "{" not in said.reasons[0]


def test_every_doubt_is_tried() -> None:
    assert {doubt for doubt, _ in DOUBTFUL} == set(NotReadyReason)


def test_l1_nothing_is_stated_of_a_company_that_is_not_well() -> None:
    """L1: a state that no doubt knows of is the reason itself."""
    said = statement(case(company__last_result=None))
    assert (said.reasons, said.as_of) == (["会社の状態が「未連携」です"], None)


def test_several_reasons_are_told_in_order_and_name_what_was_found() -> None:
    found = case(company__paused=True, written__read_at=TICK - HOUR, compared__differences=1234)
    assert statement(found).reasons == [
        "一時停止中です",
        "2026/11/30 4:30 の処理の結果がありません",
        "照合で1,234件の差異が見つかっています",
    ]


def test_the_rate_is_that_of_runs_that_were_to_write_and_are_over() -> None:
    """A 照合, a test and one that is under way do not count."""
    running, test = dataclasses.replace(RUN, state="running"), dataclasses.replace(RUN, is_test=True, state="failed")
    said = statement(case(runs=[running, test, RUN, LOOKED, FAILED, FAILED, FAILED, FAILED, RUN]))
    assert (said.succeeded, said.ended, said.failed, len(said.errors)) == (2, 6, 4, 3)


def test_a_channel_is_counted_once() -> None:
    one = ChannelFact("a", "メール", "", [], muted=False)
    failing = dataclasses.replace(one, failures=2)
    disabled = dataclasses.replace(failing, disabled_since=NOW)
    found = channel_counts([one, failing, disabled, dataclasses.replace(disabled, muted=True)])
    assert found == ChannelCounts(well=1, failing=1, disabled=1, muted=1)
