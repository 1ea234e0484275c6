"""What a person is asked: whether a held plan is loaded (E36), what became of an uploaded file (E38)."""

from __future__ import annotations

from typing import Any

from renkei.clock import utcnow
from renkei.errors import HoldError, RetriableLoadError
from renkei.links.smarthr_emc import stages
from renkei.orchestration.approval_tasks import Answer, Question
from renkei.orchestration.markdown import quoted
from renkei.orchestration.monitor.operator_channels import console_page
from renkei.orchestration.smarthr_emc import connections
from renkei.orchestration.smarthr_emc.approval_page import plan_body
from renkei.orchestration.smarthr_emc.dag import APPROVAL, APPROVE, IMPORTED
from renkei.orchestration.smarthr_emc.tasks import answered_job, job_of
from renkei.orchestration.tenant import Tenant
from renkei.runs.hold import HeldPlan
from renkei.runs.outcome import Outcome, note_end


def ask_about_plan(tenant: Tenant, context: Any) -> Question | str:
    """A plan that the guards stopped is held until a person lets exactly that plan through."""
    job = job_of(tenant, context)
    if not stages.approve.is_held(job):
        return "nothing to ask"
    page = console_page("dag", context["dag"].dag_id, APPROVAL, context["run_id"])
    return Question(Outcome.HOLD, lambda until: plan_body(job, until, page), page)


def decide_plan(tenant: Tenant, context: Any, answer: Answer) -> str:
    if not answer.chosen:
        raise HoldError("保留された処理の承認を受け取れませんでした。EMCには何も書き込んでいません。")
    job, approved = answered_job(tenant, context), answer.chosen == APPROVE
    if approved and answer.plan not in ("", job.record.read(HeldPlan).digest):  # cleared, and planned anew
        raise HoldError("承認された計画は、承認の前に作り直されました。EMCには何も書き込んでいません。")
    stages.approve.decide(job, approved, answer.by, answer.why, utcnow())
    return "approved"


def ask_about_upload(tenant: Tenant, context: Any) -> Question | str:
    """After a file drop: the outcome from the result file, or from the operator who uploaded the files."""
    job = job_of(tenant, context)
    waiting = job.import_lock().pending()
    if waiting is None or waiting.run != job.record.run:
        return "nothing to ask"
    if stages.load.confirm(job, connections.emc_target(job.mapping), utcnow()) is not None:
        note_end(job.record, "loaded", utcnow())
        return "loaded"
    key = waiting.import_key
    body = (
        f"取込ファイル {quoted(f'{key}.departments.csv')} / {quoted(f'{key}.users.csv')} をEMCのメンテナンスサイトで一括アップロードし、"
        f"結果を選んでください。\n\n「{IMPORTED}」を選ぶと、この内容が次回の前回データになります。"
    )
    return Question(Outcome.CONFIRM, lambda until: body)


def confirm_upload(tenant: Tenant, context: Any, answer: Answer) -> str:
    job = answered_job(tenant, context)
    folder = connections.drop_folder(job.mapping)
    waiting = job.import_lock().pending()
    if waiting is None:
        return "nothing to confirm"
    if waiting.run == job.record.run and answer.chosen:
        folder.confirm(waiting.import_key, "committed" if answer.chosen == IMPORTED else "rejected", answer.by)
    if stages.load.confirm(job, folder, utcnow()) is None:
        raise RetriableLoadError("取込ファイルの結果が確認されませんでした。確認されるまで次の取込は行いません。")
    note_end(job.record, "loaded", utcnow())
    return "loaded"
