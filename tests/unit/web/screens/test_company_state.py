"""In which state a company is, what stands beside it, and what is to be done next."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest

from renkei.errors import Problem
from renkei.web.facts import Company, Details, Question, Run
from renkei.web.screens.company_state import badges, state_of
from renkei.web.screens.next_step import next_step
from renkei.web.screens.words import BY_KEY, CompanyState
from renkei.web.services import Right

NOW = dt.datetime(2026, 11, 30, 1, 0, tzinfo=dt.UTC)
GOOD = Run("r1", "success", NOW, NOW, NOW, "通常", True)
BAD = dataclasses.replace(GOOD, state="failed")
ASKED = Question("r2", "approve", NOW)
RUNNING = dataclasses.replace(GOOD, state="running", ended=None)
WELL = Company("link__acme", "甲 → 乙", "acme", "アクメ", "乙", last=GOOD, last_result=NOW, next_run=NOW)


def company(**changes: Any) -> Company:
    return dataclasses.replace(WELL, **changes)


NEVER = {"last": None, "last_result": None}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, CompanyState.WELL),
        ({"current": RUNNING}, CompanyState.WELL),  # what runs now is no result
        ({"last": BAD}, CompanyState.STOPPED),
        ({"last": BAD, "paused": True}, CompanyState.STOPPED),
        ({"last": BAD, "void_grant": True}, CompanyState.VOID_GRANT),  # the failure's cause
        ({"void_grant": True, "question": ASKED}, CompanyState.HELD),
        ({"void_grant": True, "broken": True}, CompanyState.BROKEN),
        ({"last": BAD, "silent_since": NOW}, CompanyState.STOPPED),
        ({"last": BAD, "question": ASKED}, CompanyState.HELD),
        ({"silent_since": NOW}, CompanyState.SILENT),
        ({"silent_since": NOW, "paused": True}, CompanyState.SILENT),  # never grey: it does not matter why
        ({"broken": True, "last": BAD}, CompanyState.BROKEN),  # the failures come from it
        ({"broken": True, "question": ASKED}, CompanyState.BROKEN),
        ({"sheet_gone": True}, CompanyState.BROKEN),
        ({"dag_gone": True}, CompanyState.BROKEN),
        ({"frozen": True}, CompanyState.FROZEN),
        ({"frozen": True, "last": BAD}, CompanyState.STOPPED),
        (NEVER, CompanyState.UNLINKED_YET),
        (NEVER | {"paused": True}, CompanyState.UNLINKED_YET),
        (NEVER | {"link_start_on": dt.date(2026, 12, 1)}, CompanyState.BEFORE),
        (NEVER | {"link_start_on": dt.date(2026, 11, 30)}, CompanyState.UNLINKED_YET),
        ({"link_start_on": dt.date(2026, 12, 1)}, CompanyState.WELL),
        ({"paused": True}, CompanyState.PAUSED),
        ({"unlinked": True, "last": BAD, "silent_since": NOW}, CompanyState.UNLINKED),
    ],
    ids=str,
)
def test_every_company_is_in_one_state(changes: dict[str, Any], expected: CompanyState) -> None:
    assert state_of(company(**changes), NOW) is expected


def test_the_day_of_link_start_begins_in_japan() -> None:
    """At 15:00 UTC it is tomorrow there."""
    begins = company(**NEVER, link_start_on=dt.date(2026, 12, 1))
    assert state_of(begins, dt.datetime(2026, 11, 30, 14, 59, tzinfo=dt.UTC)) is CompanyState.BEFORE
    assert state_of(begins, dt.datetime(2026, 11, 30, 15, 0, tzinfo=dt.UTC)) is CompanyState.UNLINKED_YET


def test_s3_a_void_grant_leads_to_the_page_where_it_is_given_anew() -> None:
    """S3: by who may change the company."""
    one = company(void_grant=True, source="甲")
    step = next_step(one, state_of(one, NOW), Details(), connects="source")
    assert (step.kind, step.page, step.right, step.label) == ("page", "source", Right.EDIT, "甲の接続を開く")
    assert "許可し直してください" in step.text


def test_states_are_told_apart_by_more_than_their_colour() -> None:
    """A word each, and within one colour another word: no two look the same to anybody."""
    looks = [state.value for state in CompanyState]
    assert len({look.label for look in looks}) == len({look.key for look in looks}) == len(BY_KEY) == 11
    assert all(look.sign for look in looks)


def test_beside_the_state_stands_what_else_is_so() -> None:
    one = company(last=BAD, current=RUNNING, paused=True, frozen=True, pending=True, stopped_channels=2)
    ends = {"over": dt.date(2026, 11, 28), "today": dt.date(2026, 11, 30), "soon": dt.date(2026, 12, 24)}
    one = dataclasses.replace(one, endings=ends)
    assert [words for words, _ in badges(one, state_of(one, NOW), NOW)] == [
        "実行中", "シート確認中", "一時停止中", "災害時凍結中", "通知無効 2", "通知の期限切れ 1", "通知の期限間近 2",
    ]  # fmt: skip
    for plain in (WELL, company(paused=True), company(frozen=True), company(question=ASKED, current=RUNNING)):
        assert badges(plain, state_of(plain, NOW), NOW) == []


@pytest.mark.parametrize(
    ("changes", "kind", "says"),
    [
        ({}, "", "することはありません。次回は 2026/11/30 10:00 です。"),
        ({"notes": 3}, "sheet", "シートに注意が3件あります"),
        ({"last": BAD}, "last_run", "誤りと対処を確認"),
        ({"last": BAD, "current": RUNNING}, "last_run", "いま実行中です"),
        ({"question": ASKED}, "answer", "2026/11/30 10:00 までに"),
        ({"silent_since": NOW}, "run", "2026/11/30 10:00 の処理の結果がありません"),
        ({"silent_since": NOW, "paused": True}, "unpause", "一時停止中のため"),
        ({"silent_since": NOW, "current": RUNNING}, "answer", "実行中のまま"),
        (
            {"broken": True},
            "sheet",
            "誤りが1件あります。直したシートを置くと、数分で反映されます。それまで乙には何も書き込みません",
        ),
        ({"sheet_gone": True}, "", "シートを元の場所に戻してください"),
        ({"dag_gone": True}, "import_errors", "AirflowがこのDagを読み込んでいません"),
        ({"frozen": True}, "freeze", "災害時凍結中です"),
        (NEVER, "run", "まだ一度も連携していません"),
        (NEVER | {"current": RUNNING}, "", "最初の処理を実行中です"),
        (NEVER | {"link_start_on": dt.date(2026, 12, 1)}, "run", "連携開始日（2026/12/1）から自動で実行します"),
        (NEVER | {"link_start_on": dt.date(2026, 12, 1), "paused": True}, "unpause", "連携開始日（2026/12/1）から"),
        ({"paused": True}, "unpause", "自動では実行しません"),
        ({"unlinked": True}, "", "連携解除中です。乙のデータはそのままです"),
    ],
    ids=str,
)
def test_there_is_one_sentence_and_at_most_one_button(changes: dict[str, Any], kind: str, says: str) -> None:
    one = company(**changes)
    found = next_step(one, state_of(one, NOW), Details(answer_until=NOW, problems=(Problem("a", "b", "c"),)))
    assert (found.kind, bool(found.label)) == (kind, bool(kind))
    assert says in found.text
    assert found.text.endswith("。")
    assert found.right is {"run": Right.RUN, "unpause": Right.EDIT}.get(kind, Right.SEE)
