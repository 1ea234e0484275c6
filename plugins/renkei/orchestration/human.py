"""Tasks that wait for a person in Airflow's 要対応項目: a held plan (E36), an uploaded file (E38)."""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param

from renkei.clock import TOKYO
from renkei.errors import HoldError, RetriableLoadError
from renkei.links.smarthr_emc.model import Counts, Mode, RecordSet
from renkei.links.smarthr_emc.report import LABELS, Outcome, crew_page
from renkei.links.smarthr_emc.stages import approving, loading
from renkei.orchestration import connections, reporting
from renkei.orchestration.stage import Tenant, job_of, stage, utcnow

if TYPE_CHECKING:
    from renkei.links.smarthr_emc.stages.job import Job

log = logging.getLogger(__name__)

MARGIN = dt.timedelta(minutes=15)  # before the next scheduled run, which would be blocked otherwise
PEOPLE_SHOWN = 100
APPROVE, REFUSE = "承認して登録する", "登録しない"
IMPORTED, FAILED = "取込成功", "取込失敗"


class _PersonOperator(HITLOperator):
    """Asks a person only when there is something to ask; otherwise it succeeds at once."""

    def __init__(self, *, tenant: Tenant, **kwargs: Any) -> None:
        # Airflow hands every operator the Dag's params and defaults; the form of this task is its own.
        kwargs["params"] = {
            "reason": Param("", type="string", title="理由", description_md="個人情報は書かないでください。")
        }
        kwargs["retries"] = 0
        super().__init__(**kwargs)
        self.tenant = tenant

    def ask(self, context: Any, body: str, outcome: Outcome) -> None:
        self.body = body
        now = utcnow()
        self.response_timeout = until_next_run(self.tenant.mapping.run_at, now)
        reporting.note_waiting(self.tenant, context, now + self.response_timeout, outcome)
        link = self.generate_link_to_ui_from_context(context=context)
        try:
            reporting.send_report(self.tenant, context, outcome, "", utcnow(), {"対応画面": link})
        except Exception as error:  # a message that does not pass changes nothing: the question stands in the UI (N3)
            log.error("not everybody was told of this question: %s", type(error).__name__)
        super().execute(context)


class ApprovePlan(_PersonOperator):
    """Holds a plan that the guards stopped until a person lets exactly that plan through."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            subject="EMC-HOLD: 登録処理の承認",
            options=[APPROVE, REFUSE],
            defaults=REFUSE,
            **kwargs,
        )

    def execute(self, context: Any) -> None:
        with stage(context):
            job = job_of(self.tenant, context)
            if not approving.is_held(job):
                return
            self.ask(context, _plan_body(job), Outcome.HOLD)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> None:
        with stage(context):
            reporting.forget_waiting(self.tenant)
            if "error" in event:
                raise HoldError("保留された処理の承認を受け取れませんでした。EMCには何も書き込んでいません。")
            approved = event["chosen_options"] == [APPROVE]
            approving.decide(job_of(self.tenant, context), approved, _who(event), _why(event), utcnow())


class ConfirmUpload(_PersonOperator):
    """After a file drop: the outcome from the result file, or from the operator who uploaded the files."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            subject="EMC取込ファイルの結果確認",
            options=[IMPORTED, FAILED],
            **kwargs,
        )

    def execute(self, context: Any) -> None:
        with stage(context):
            job = job_of(self.tenant, context)
            waiting = job.gate().pending()
            if waiting is None or waiting.run != job.record.run:
                return
            if loading.confirm(job, connections.emc_target(job.mapping), utcnow()) is not None:
                return
            key = waiting.import_key
            body = (
                f"取込ファイル `{key}.departments.csv` / `{key}.users.csv` をEMCのメンテナンスサイトで一括アップロードし、"
                f"結果を選んでください。\n\n「{IMPORTED}」を選ぶと、この内容が次回の前回データになります。"
            )
            self.ask(context, body, Outcome.CONFIRM)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> None:
        with stage(context):
            reporting.forget_waiting(self.tenant)
            job = job_of(self.tenant, context)
            folder = connections.drop_folder(job.mapping)
            waiting = job.gate().pending()
            if (
                waiting is not None
                and waiting.run == job.record.run
                and "error" not in event
                and event["chosen_options"]
            ):
                imported = event["chosen_options"] == [IMPORTED]
                folder.confirm(waiting.import_key, "committed" if imported else "rejected", _who(event))
            if waiting is not None and loading.confirm(job, folder, utcnow()) is None:
                raise RetriableLoadError(
                    "取込ファイルの結果が確認されませんでした。確認されるまで次の取込は行いません。"
                )


def until_next_run(run_at: dt.time, now: dt.datetime) -> dt.timedelta:
    """How long an answer may take: until shortly before the tenant's next daily run."""
    local = now.astimezone(TOKYO)
    next_run = dt.datetime.combine(local.date(), run_at, TOKYO)
    while next_run - MARGIN <= local:
        next_run += dt.timedelta(days=1)
    return next_run - MARGIN - local


def _plan_body(job: Job) -> str:
    """Markdown: the figures, and the people by SmartHR page, for names do not go into Airflow (L6)."""
    hold = job.record.json("hold")
    lines = [f"- {entry['text']}" for entry in hold["holds"]]
    for name, result in job.record.json("diff")["sets"].items():
        counts = Counts(**result["counts"])
        figures = f"新規{counts.created}、更新{counts.updated}、削除{counts.deleted}"
        lines.append(f"- {LABELS[RecordSet(name)]}: {figures}（前回 有効{counts.previous_valid}）")
    if job.mode is Mode.RESTORE:
        lines.append(
            "- 復元の後も、次回の処理でSmartHRの現在の内容が再び登録されます。望まない場合は、先にSmartHRか"
            "連携設定シートを直すか、Dagを一時停止してください。"
        )
    diff = job.record.table("users_diff", ["crew_id", "operation", "reason"])
    gone = diff[diff["operation"] == "DELETE"]
    lines += ["", f"**削除される社員: {len(gone)}件**", "", "| SmartHRの従業員 | 理由 |", "|---|---|"]
    for crew_id, reason in zip(gone["crew_id"].head(PEOPLE_SHOWN), gone["reason"].head(PEOPLE_SHOWN), strict=True):
        shown = f"[{crew_id}]({crew_page(job.mapping.smarthr_url, crew_id)})" if crew_id else "（不明）"
        lines.append(f"| {shown} | {REASONS.get(reason, reason)} |")
    if len(gone) > PEOPLE_SHOWN:
        lines.append(f"| ほか{len(gone) - PEOPLE_SHOWN}件 | 処理記録 `{job.record.folder}` |")
    lost = [row for row in (job.record.json("warnings")["people"]) if row[0] == "lost_contact"]
    if lost:
        lines += ["", f"**緊急連絡先が無くなる社員: {len(lost)}名**", ""]
        lines += [f"- [{crew}]({crew_page(job.mapping.smarthr_url, crew)})" for _, _, crew in lost[:PEOPLE_SHOWN]]
    lines += ["", f"計画: `{hold['digest'][:16]}`"]
    return "\n".join(lines)


REASONS = {
    "gone": "SmartHRに居ない",
    "retired": "退職済",
    "lost_id": "ユーザIDの値が無くなった",
    "id_change": "ユーザIDが変わった",
    "replaced": "再連携",
}


def _who(event: dict[str, Any]) -> str:
    user = event.get("responded_by_user")
    name = user.get("name") if isinstance(user, dict) else getattr(user, "name", None)
    return str(name) if name else "(期限切れ)"


def _why(event: dict[str, Any]) -> str:
    return str((event.get("params_input") or {}).get("reason", ""))
