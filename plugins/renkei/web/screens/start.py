"""連携開始までの流れ: what is done and missing until a company's link runs by itself, and who has to act. No clock, no files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from renkei.storage.records import Moment
from renkei.web.facts import Company, Details, Run
from renkei.web.labelled import Labelled

CUSTOMER, OPERATOR = "お客様の管理者", "運用担当者"


class StepState(Labelled):
    """How far a step is: a label and its tone."""

    DONE = ("完了", "good")
    NEXT = ("次にすること", "wait")
    OPEN = ("未完了", "none")


@dataclass(frozen=True, slots=True)
class Step:
    """One step; the button leads to a `page` of the company's."""

    title: str
    state: StepState
    text: str
    who: str
    label: str = ""
    page: str = ""


class CompletedStep(StrEnum):
    """The steps that stay done: what proves them (jobs, Airflow's runs, drafts of the sheet) is deleted in time."""

    TESTED = "通知テスト"
    REHEARSED = "リハーサル"
    LOOKED = "確認のみ"
    LINKED = "初回連携"
    CONFIRMED = "結果の確認"


@dataclass(frozen=True, slots=True)
class StepsDone:
    """What somebody has seen done already: the names of `CompletedStep`, and `StartSteps.took`."""

    done: Sequence[str] = ()
    took: tuple[Moment, Moment] | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a company on its way; `runs` the newest first."""

    company: Company
    details: Details
    runs: Sequence[Run]
    connections: Mapping[str, bool]  # those that the sheet needs: whether they are registered
    rehearsed: bool
    first_version: dt.datetime | None
    today: dt.date
    connects: tuple[str, str] | None = None  # as OwnPages.connects
    passed: StepsDone = field(default_factory=StepsDone)


@dataclass(frozen=True, slots=True)
class StartSteps:
    """The steps, and how long it took from the first version of the sheet to the first good result that was written."""

    steps: Sequence[Step]
    took: tuple[dt.datetime, dt.datetime] | None

    @property
    def passed(self) -> StepsDone:
        """As the next one who looks is to know it."""
        done = {step.title for step in self.steps if step.state is StepState.DONE}
        return StepsDone([one.name for one in CompletedStep if one in done], self.took)


def start_steps(facts: Facts) -> StartSteps:
    """The first step that is not done is what is next; the ones behind it may be done already."""
    linked = _first(facts.runs, lambda run: run.writes and run.is_result)
    found, next_seen = [], False
    before = {one.value for one in CompletedStep if one.name in facts.passed.done}
    for is_done, step in (*_prepared(facts, linked), *_started(facts, linked)):
        done = is_done or step.title in before
        state = StepState.DONE if done else StepState.OPEN if next_seen else StepState.NEXT
        next_seen = next_seen or not done
        found.append(Step(step.title, state, step.text, step.who, step.label, step.page))
    ended = linked.ended if linked else None
    took = (facts.first_version, ended) if facts.first_version and ended and facts.first_version < ended else None
    return StartSteps(found, facts.passed.took or took)


def _prepared(facts: Facts, linked: Run | None) -> list[tuple[bool, Step]]:
    one = facts.company
    sound = not (one.sheet_gone or one.broken or one.pending)
    page, prefix = facts.connects or ("", "")
    source = f"{prefix}__{one.tenant}" if page else ""
    missing = [name for name, there in facts.connections.items() if not there and name != source]
    there = "、".join(name for name in facts.connections if name != source)
    said = f"登録されていない接続: {'、'.join(missing)}" if missing else f"接続: {there}"
    allowed = [
        (facts.connections.get(source, False),
         _step("連携済み", f"「連携する」を押し、{one.source}の管理者権限でログインして許可します。アクセストークンでも連携できます。",
               CUSTOMER, f"{one.source}の接続", page)),
    ] if page else []  # fmt: skip
    tested = any(run.is_test and run.state == "success" for run in facts.runs)
    told = [channel.name for channel in facts.details.channels if channel.last_well]
    looked = _first(facts.runs, lambda run: not run.writes and run.is_result) is not None
    return [
        (sound, _step("シート", "誤りのない連携設定シートが使用中です。" if sound else "連携設定シートを用意し、誤りを直して有効にします。",
                      CUSTOMER, "シートの画面", "sheets")),
        *allowed,
        (bool(facts.connections) and not missing,
         _step(f"{one.target}などの接続" if page else f"{one.source}と{one.target}の接続", said if sound else "シートの後に、必要な接続が決まります。", OPERATOR,
               "接続の画面", "connections")),
        (tested or bool(told),
         _step("通知テスト", f"届いた通知先: {'、'.join(told)}" if told else "結果を知らせる先に、届くことを確かめます。", CUSTOMER,
               "通知連携の画面", "channels")),
        (facts.rehearsed or looked or linked is not None or facts.details.people is not None,
         _step("リハーサル", "この内容で何が登録されるかを、何も書き込まずに確かめます。", CUSTOMER, "リハーサル", "rehearsal")),
        (looked or linked is not None or facts.details.people is not None,
         _step("確認のみ", "実際の接続で、登録の手前までを行います。結果の通知も届きます。", OPERATOR, "実行する", "run")),
    ]  # fmt: skip


def _started(facts: Facts, linked: Run | None) -> list[tuple[bool, Step]]:
    one, begins = facts.company, facts.company.link_start_on
    confirmed = facts.details.people
    is_linked = linked is not None or confirmed is not None or CompletedStep.LINKED.name in facts.passed.done
    began = begins is not None and begins <= facts.today and not one.paused
    day = f"{begins.year}/{begins.month}/{begins.day}" if begins else ""
    waits = (
        "一時停止中です。解除すると始まります。" if one.paused else f"連携開始日（{day}）から、毎日自動で実行します。"
    )
    return [
        (is_linked,
         _step("初回連携", "最初の「通常」の実行は、担当者が内容を見て始めます。", OPERATOR, "実行する", "run")),
        (is_linked and bool(confirmed),
         _step("結果の確認", f"{one.target}が確認した社員: {confirmed:,}名" if confirmed else f"{one.target}が登録を確認すると、人数が出ます。",
               CUSTOMER, "実行履歴", "runs")),
        (began and is_linked,
         _step("連携開始日", f"{day}から毎日実行しています。" if began else waits, CUSTOMER, "会社の状態", "")),
    ]  # fmt: skip


def _step(title: str, text: str, who: str, label: str, page: str = "") -> Step:
    return Step(title, StepState.OPEN, text, who, label, page)


def _first(runs: Sequence[Run], wanted: object) -> Run | None:
    """The oldest good run of a kind."""
    assert callable(wanted)
    return next((run for run in reversed(runs) if run.state == "success" and wanted(run)), None)
