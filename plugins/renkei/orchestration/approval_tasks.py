"""A task that waits for a person in Airflow's 要対応項目 (E36, E38)."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param

from renkei.clock import DAILY_AT, TOKYO, utcnow
from renkei.orchestration import run_notes
from renkei.orchestration.airflow_run import this_run
from renkei.orchestration.run_log import log_counts
from renkei.orchestration.stage import record_of, stage
from renkei.orchestration.tenant import Tenant
from renkei.runs.hold import Deadline
from renkei.runs.outcome import Outcome

log = logging.getLogger(__name__)

MARGIN = dt.timedelta(minutes=15)  # before the next scheduled run, which would be blocked otherwise
UNANSWERED = "(期限切れ)"  # in place of a name, where nobody answered in time
ANSWER_PAGE, CONSOLE_PAGE = "対応画面", "承認の画面（氏名を確認できます）"  # what messages call them


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked, and how a run stands that waits for the answer."""

    outcome: Outcome
    body: Callable[[dt.datetime], str]  # Markdown, by the time until which an answer counts
    page: str = ""  # of the console, where it can be answered with all that is known
    within: dt.timedelta | None = None  # where the next run comes sooner than tomorrow


@dataclass(frozen=True, slots=True)
class Answer:
    """A person's; `chosen` is empty where Airflow could not take one."""

    chosen: str
    by: str
    why: str
    plan: str = ""  # the digest of the plan that it is about, where it was given on a page that shows one


class AskPersonOperator(HITLOperator):
    """Asks a person where there is something to ask; otherwise it succeeds at once.

    Two functions by their names ("module:name"), as `StageOperator` has them: `asks` gives the `Question`, or what to
    log where there is none; `takes` is given the `Answer`, and gives back what to log.
    """

    def __init__(self, *, tenant: Tenant, asks: str, takes: str, options: Sequence[str], **kwargs: Any) -> None:
        # Airflow hands every operator the Dag's params and defaults; the form of this task is its own.
        kwargs["params"] = {
            "reason": Param("", type="string", title="理由", description_md="個人情報は書かないでください。")
        }
        kwargs["retries"] = 0
        super().__init__(options=[*options], **kwargs)
        self.tenant, self.asks, self.takes = tenant, asks, takes

    def execute(self, context: Any) -> None:
        with stage(self.tenant, context):
            question = resolve_name(self.asks)(self.tenant, context)
            if isinstance(question, Question):
                self._ask(context, question)
            else:
                log_counts(self.task_id, self.tenant.name, question)

    def _ask(self, context: Any, question: Question) -> None:
        now = utcnow()
        longest = until_next_run(self.tenant.sheet.run_at or DAILY_AT, now)
        self.response_timeout = min(longest, question.within or longest)
        until = now + self.response_timeout
        self.body = question.body(until)
        run_notes.note_waiting(self.tenant, context, until, question.outcome)
        record = record_of(self.tenant, context)
        run_notes.note_begun(record, context)  # cleared after it had told its end, it has another one to tell
        record.write(Deadline(until))
        run = this_run(context)
        links = {ANSWER_PAGE: f"{run.page}/tasks/{self.task_id}/required_actions"}
        if question.page:
            links[CONSOLE_PAGE] = question.page
        try:
            send = resolve_name(
                "renkei.orchestration.result_notification:send_report"
            )  # with all clients: not for a parse
            send(self.tenant, run, record, question.outcome, "", utcnow(), links)
        except Exception as error:  # a message that does not pass changes nothing: the question stands in the UI (N3)
            log.error("not everybody was told of this question: %s", type(error).__name__)
        super().execute(context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> None:
        with stage(self.tenant, context):
            run_notes.forget_waiting(self.tenant, context["run_id"])
            options = [] if "error" in event else event["chosen_options"]
            chosen = options[0] if len(options) == 1 else ""  # two answers are none
            log_counts(
                self.task_id,
                self.tenant.name,
                resolve_name(self.takes)(self.tenant, context, _answer(chosen, event)),
            )


def until_next_run(run_at: dt.time, now: dt.datetime) -> dt.timedelta:
    """How long an answer may take: until shortly before the tenant's next daily run."""
    local = now.astimezone(TOKYO)
    next_run = dt.datetime.combine(local.date(), run_at, TOKYO)
    while next_run - MARGIN <= local:
        next_run += dt.timedelta(days=1)
    return next_run - MARGIN - local


def _who(event: dict[str, Any]) -> str:
    user = event.get("responded_by_user")
    name = user.get("name") if isinstance(user, dict) else getattr(user, "name", None)
    return str(name) if name else UNANSWERED


def _answer(chosen: str, event: dict[str, Any]) -> Answer:
    given = event.get("params_input") or {}
    return Answer(chosen, _who(event), str(given.get("reason", "")), str(given.get("plan", "")))
