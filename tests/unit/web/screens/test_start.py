"""連携開始までの流れ, by the facts (S3)."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from renkei.web.facts import ChannelFact, Company, Details, Run
from renkei.web.screens.start import CUSTOMER, OPERATOR, CompletedStep, Facts, StepState, start_steps

AT = dt.datetime(2026, 11, 30, 1, 0, tzinfo=dt.UTC)
COMPANY = Company("smarthr_emc__acme", "A → B", "acme", "アクメ", "B", "A", link_start_on=dt.date(2026, 12, 1))
BEGINNING = Facts(COMPANY, Details(), (), {"a__acme": True, "b__acme": True}, False, AT, AT.date())
MAIL = ChannelFact("メール", "メール", "", (), False, last_well=True)


def run(hours: int, *, writes: bool = False, state: str = "success", is_test: bool = False) -> Run:
    at = AT + dt.timedelta(hours=hours)
    return Run(f"r{hours}", state, at, at, at + dt.timedelta(minutes=5), "", writes, is_test)


def next_of(facts: Facts) -> str:
    return next((step.title for step in start_steps(facts).steps if step.state is StepState.NEXT), "")


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"company": dataclasses.replace(COMPANY, broken=True)}, "シート"),
        ({"connections": {"a__acme": True, "b__acme": False}}, "AとBの接続"),
        ({}, "通知テスト"),
        ({"runs": (run(1, is_test=True),)}, "リハーサル"),
        ({"details": Details(channels=(MAIL,))}, "リハーサル"),
        ({"details": Details(channels=(MAIL,)), "rehearsed": True}, "確認のみ"),
        ({"details": Details(channels=(MAIL,)), "runs": (run(2), run(1, state="failed"))}, "初回連携"),
        ({"details": Details(channels=(MAIL,)), "runs": (run(3, writes=True, state="failed"), run(2))}, "初回連携"),
        ({"details": Details(channels=(MAIL,)), "runs": (run(3, writes=True), run(2))}, "結果の確認"),
        ({"details": Details(channels=(MAIL,), people=30), "runs": (run(3, writes=True), run(2))}, "連携開始日"),
    ],
    ids=str,
)
def test_s3_the_first_step_that_is_missing_is_next(changes: dict[str, object], title: str) -> None:
    """S3: one at a time, and never two."""
    facts = dataclasses.replace(BEGINNING, **changes)  # type: ignore[arg-type]
    assert next_of(facts) == title
    assert sum(step.state is StepState.NEXT for step in start_steps(facts).steps) == 1


def test_s3_all_is_done_when_it_runs_by_itself() -> None:
    """S3: from 連携開始日 on; the time is from the first version to the first good run that wrote."""
    runs = (run(30, writes=True), run(3, writes=True), run(2))
    done = dataclasses.replace(
        BEGINNING, runs=runs, details=Details(channels=(MAIL,), people=30), today=dt.date(2026, 12, 2)
    )
    found = start_steps(done)
    assert {step.state for step in found.steps} == {StepState.DONE}
    assert found.took == (AT, AT + dt.timedelta(hours=3, minutes=5))
    paused = dataclasses.replace(done, company=dataclasses.replace(COMPANY, paused=True))
    assert next_of(paused) == "連携開始日"


@pytest.mark.parametrize(
    ("there", "title", "said"),
    [
        ({"a__acme": False, "b__acme": False}, "連携済み", "登録されていない接続: b__acme"),
        ({"a__acme": True, "b__acme": False}, "Bなどの接続", "登録されていない接続: b__acme"),
        ({"a__acme": False, "b__acme": True}, "連携済み", "接続: b__acme"),
        ({"a__acme": True, "b__acme": True}, "通知テスト", "接続: b__acme"),
    ],
)
def test_s3_the_source_is_a_step_of_its_own_where_a_person_allows_it(
    there: dict[str, bool], title: str, said: str
) -> None:
    """S3: text 1's step 3, with a button that leads to the page."""
    facts = dataclasses.replace(BEGINNING, connections=there, connects=("source", "a"))
    steps = {step.title: step for step in start_steps(facts).steps}
    assert next_of(facts) == title
    assert (steps["連携済み"].page, steps["連携済み"].who, steps["Bなどの接続"].text) == ("source", CUSTOMER, said)


def test_s3_each_step_says_who_has_to_act() -> None:
    """S3: and has one button."""
    steps = start_steps(BEGINNING).steps
    assert len(steps) == 8
    assert all(step.who in (CUSTOMER, OPERATOR) and step.label for step in steps)


def test_s3_what_was_done_stays_done_when_what_proved_it_is_gone() -> None:
    """S3: jobs go in days, Airflow's runs in months; what the sheet and the Connections are now, is asked anew."""
    runs = (run(3, writes=True), run(2), run(1, is_test=True))
    done = dataclasses.replace(
        BEGINNING, runs=runs, details=Details(people=30), rehearsed=True, today=dt.date(2026, 12, 2)
    )
    first = start_steps(done)
    assert {step.state for step in first.steps} == {StepState.DONE}
    assert set(first.passed.done) == {one.name for one in CompletedStep}
    pruned = dataclasses.replace(
        done, runs=(), rehearsed=False, details=Details(people=30), first_version=None, passed=first.passed
    )
    assert start_steps(pruned) == first
    broken = dataclasses.replace(
        pruned, company=dataclasses.replace(COMPANY, broken=True), connections={"a__acme": True, "b__acme": False}
    )
    assert [step.title for step in start_steps(broken).steps if step.state is not StepState.DONE] == [
        "シート",
        "AとBの接続",
    ]


def test_s3_whose_first_load_is_the_baseline_alone_is_linked() -> None:
    """S3: a company of before, whose runs are gone and whose checklist nobody ever opened."""
    steps = {step.title: step for step in start_steps(dataclasses.replace(BEGINNING, details=Details(people=30))).steps}
    assert [steps[one].state for one in ("リハーサル", "確認のみ", "初回連携", "結果の確認")] == [StepState.DONE] * 4
