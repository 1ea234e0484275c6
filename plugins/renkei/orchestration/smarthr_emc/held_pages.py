"""承認: the plan that a guard stopped, with the people's names, and the answer (E36, S4).

Names are for those who may change the Dag, and every look is noted; the answer goes to Airflow, for the plan that the
page showed and for no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from renkei.errors import BaselineError, StoreError
from renkei.links.smarthr_emc import LINK
from renkei.links.smarthr_emc.people.held import HeldPlanDetails, held_plan
from renkei.links.smarthr_emc.people.index import PAGE
from renkei.links.smarthr_emc.wording import RECORD_SETS
from renkei.orchestration.approval_tasks import UNANSWERED
from renkei.orchestration.smarthr_emc.dag import APPROVAL, APPROVE, REFUSE
from renkei.runs.hold import Approval, Deadline, HeldPlan
from renkei.storage.runs import RunRecord
from renkei.storage.store import MissingKeyError
from renkei.web.console import guard
from renkei.web.console.page import PageNumber, address, message, page
from renkei.web.facts import QuestionState, Run
from renkei.web.screens.approval import ApprovalState, approval_state
from renkei.web.screens.overview import page_of
from renkei.web.services import Refused, Right

router = APIRouter()
TASK = "approve"
ANSWERS = {"approve": APPROVE, "refuse": REFUSE}
MAX_REASON = 500  # characters
NO_RECORD = "この実行の記録が保存先にありません。保存期間を過ぎたか、削除されています。内容を確認できないため、この画面では回答できません。"
NO_PLAN = "この実行の計画の記録がありません。検証をやり直している場合は、終わってから画面を開き直してください。"


@dataclass(frozen=True, slots=True)
class _Question:
    """What is known of a run's question without anybody's name."""

    run: Run
    state: ApprovalState
    question: QuestionState | None
    record: RunRecord | None = None
    digest: str = ""  # of the plan as it is now
    fault: str = ""  # why the plan cannot be shown


@router.get(f"/dag/{{dag_id}}/{APPROVAL}/{{run_id}}")
def approval(request: Request, run_id: str, access: guard.EditsDag, of: str = "", number: PageNumber = "") -> Response:
    found = _question(access, run_id)
    plan, fault = None, found.fault
    if found.record and found.digest and found.question:
        try:
            access.note(APPROVAL)
            plan = _plan(found.record, of, number)
        except MissingKeyError:
            fault = NO_PLAN
        except (StoreError, BaselineError) as error:
            fault = str(error)
    return page(
        request,
        "smarthr_emc/held.html",
        one=access.company,
        run=found.run,
        state=found.state,
        plan=plan,
        shown=page_of(number, plan.groups[plan.chosen].count, PAGE) if plan and plan.groups else None,
        fault=fault,
        record_sets=RECORD_SETS,
        may_answer=access.may(Right.ANSWER),
        reason_most=MAX_REASON,
        now=access.services.now(),
    )


@router.post(f"/dag/{{dag_id}}/{APPROVAL}/{{run_id}}")
async def answer(
    request: Request,
    run_id: str,
    access: guard.PostsAnswersDag,
    plan: Annotated[str, Form(max_length=200)] = "",
    answer: Annotated[str, Form()] = "",
    reason: Annotated[str, Form(max_length=MAX_REASON)] = "",
) -> Response:
    here = address(request, "dag", access.company.dag_id, APPROVAL, run_id)

    def refusal(status: int, title: str, said: str) -> Response:
        return message(request, status, title, said, links=[("承認の画面に戻る", here)])

    if answer not in ANSWERS:
        return await run_in_threadpool(refusal, 400, "回答を読み取れません", "画面に戻り、もう一度回答してください。")
    why = " ".join(reason.split())
    if not why:
        said = "画面に戻り、判断の理由を入力してください。個人情報は書かないでください。"
        return await run_in_threadpool(refusal, 400, "理由が入力されていません", said)
    found = await run_in_threadpool(_question, access, run_id)
    if not found.state.open:
        return await run_in_threadpool(refusal, 409, found.state.label, found.state.text)
    if not found.digest:
        return await run_in_threadpool(refusal, 409, "計画を確認できません", found.fault)
    if plan != found.digest:
        said = "画面を開いた後に、計画が作り直されました。回答は受け付けていません。新しい内容を確認して、もう一度回答してください。"
        return await run_in_threadpool(refusal, 409, "計画が変わりました", said)
    try:
        actions = access.services.actions
        await actions.answer(request, access.company.dag_id, run_id, TASK, ANSWERS[answer], why, plan)
    except Refused:  # somebody else was faster, as a rule: it is said who
        found = await run_in_threadpool(_question, access, run_id)
        if found.state.open:
            raise
        return await run_in_threadpool(refusal, 409, found.state.label, found.state.text)
    finally:
        access.services.knowledge.changed()
    return RedirectResponse(here, 303)


def _question(access: guard.Access, run_id: str) -> _Question:
    knowledge, dag_id, now = access.services.knowledge, access.company.dag_id, access.services.now()
    run = knowledge.run(dag_id, run_id) if dag_id.startswith(f"{LINK}__") else None
    if run is None:
        raise guard.NotFound
    question, until, digest, fault, record = knowledge.question_state(dag_id, run_id, TASK), None, "", NO_RECORD, None
    try:
        record = knowledge.record(dag_id, run_id)
        if record:
            question = question or _decided(record.read_or_none(Approval))
            deadline, plan = record.read_or_none(Deadline), record.read_or_none(HeldPlan)
            until = deadline.until if deadline else None
            digest, fault = (plan.digest, "") if plan else ("", NO_PLAN)
    except StoreError as error:
        fault = str(error)
    return _Question(run, approval_state(question, run.finished, until, now, APPROVE), question, record, digest, fault)


def _decided(approval: Approval | None) -> QuestionState | None:
    """What the run's record says, where Airflow has forgotten the question: its task was cleared since."""
    if approval is None:
        return None
    by = "" if approval.by == UNANSWERED else approval.by
    return QuestionState(False, by, APPROVE if approval.approved else REFUSE, approval.why, approval.at)


def _plan(record: RunRecord, of: str, number: str) -> HeldPlanDetails:
    """A page of the group that the address asks for; the first one where it makes no sense."""
    chosen = int(of) if of.isascii() and of.isdigit() and len(of) < 3 else 0
    return held_plan(record, chosen, int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 1)
