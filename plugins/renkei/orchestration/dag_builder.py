"""One Dag per mapping file of the link `smarthr_emc` (E1–E3). Parsing opens sheets, and nothing else."""

from __future__ import annotations

import datetime as dt
import logging
import zlib
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Param, chain, get_parsing_context, task
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from renkei import settings
from renkei.links.smarthr_emc import pipeline
from renkei.links.smarthr_emc.baseline import standing
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.sheet.index import Compiled, TenantFile, load, tenants
from renkei.links.smarthr_emc.sheet.mapping import LinkState, Loader
from renkei.orchestration import connections, documentation, mailing
from renkei.orchestration.human import ApprovePlan, ConfirmUpload
from renkei.orchestration.stage import LINK, Tenant, job_of, record_of, run_start, stage, utcnow
from renkei.orchestration.timetable import TOKYO, DailyInJapan

log = logging.getLogger(__name__)

LATE = dt.timedelta(hours=1)  # a scheduled run this late was not meant for now: see _skip_first_catch_up
FETCH_TIMEOUT = dt.timedelta(hours=3)  # a million people at 10 requests a second take 17 minutes
WORK_TIMEOUT = dt.timedelta(minutes=30)
LOAD_TIMEOUT = dt.timedelta(minutes=90)  # less than load.LEASE
MODES = {
    Mode.NORMAL.value: "通常",
    Mode.CHECK_ONLY.value: "確認のみ（EMCへの登録と前回データの更新をしない）",
    Mode.WRITE_ALL.value: "全件書き込み（変化が無くても全件登録する）",
    Mode.RELINK.value: "再連携（現在連携中のユーザ・部署を削除し、全件を新規登録する。承認が必要）",
    Mode.RELINK_CHECK.value: "再連携の確認のみ（何が削除されるかを見る）",
}
FORM = ParamsDict(
    {"mode": Param(Mode.NORMAL.value, type="string", enum=list(MODES), values_display=MODES, title="実行方法")}
)


def build_dags(dag_file: str) -> dict[str, DAG]:
    """The Dags of this shard file, by dag id.

    Files beside it named like it (`smarthr_emc*.py`, `make shards`) share the tenants among them. A task's
    process asks for one Dag: only that tenant's sheet is opened.
    """
    folder = settings.mappings_folder(dag_file, LINK)
    wanted = get_parsing_context().dag_id
    shards = sorted(path.name for path in Path(dag_file).parent.glob(f"{LINK}*.py"))
    here, count = shards.index(Path(dag_file).name), len(shards)
    dags = {}
    for file in tenants(folder):
        dag_id = f"{LINK}__{file.tenant}"
        if wanted is not None and wanted != dag_id:
            continue
        if zlib.crc32(file.tenant.encode()) % count != here:
            continue
        dags[dag_id] = _build(dag_id, _tenant(file, dag_file))
    return dags


def _tenant(file: TenantFile, dag_file: str) -> Tenant:
    sheet = (
        Compiled(file.tenant, "", None, (file.problem,))
        if file.problem
        else load(file.path, file.tenant, settings.index_folder(), settings.allowed_hosts())
    )
    return Tenant(file.tenant, sheet, file.path.name, settings.emc_format_file(dag_file))


def _build(dag_id: str, tenant: Tenant) -> DAG:
    sheet = tenant.sheet
    run_at, active = sheet.run_at or dt.time(4, 30), sheet.mapping is None or sheet.mapping.state is LinkState.ACTIVE
    with DAG(
        dag_id,
        dag_display_name=documentation.display_name(tenant),
        description=documentation.description(tenant),
        doc_md=documentation.of_dag(tenant),
        schedule=DailyInJapan(run_at.hour, run_at.minute) if active else None,
        start_date=_midnight(sheet.link_start_on or dt.date(2026, 1, 1)),
        catchup=False,
        max_active_runs=1,
        tags=["renkei", LINK, *([] if sheet.mapping else ["設定エラー"])],
        default_args={
            "owner": "renkei",
            "retries": 3,
            "retry_delay": settings.retry_delay(),
            "retry_exponential_backoff": True,
            "max_retry_delay": dt.timedelta(minutes=30),
        },
    ) as dag:
        work = _work_tasks(tenant) if sheet.mapping else [_broken_sheet(tenant)]
        _closing_tasks(tenant, work)
    dag.params = FORM  # last: every operator would copy it, which was a quarter of the time that parsing took
    return dag


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), TOKYO)


def _work_tasks(tenant: Tenant) -> list[Any]:
    """The chain that does the work, first to last."""

    @task(task_display_name="部署の受信", execution_timeout=FETCH_TIMEOUT)
    def fetch_departments(**context: Any) -> dict[str, int]:
        with stage(context):
            record, mapping = record_of(tenant, context), tenant.mapping
            start = run_start(tenant, context)
            _skip_first_catch_up(context, standing(record).baseline is None and not start.manual)
            target = connections.emc_target(mapping)
            job = pipeline.open_run(record, mapping, start, target, utcnow())
            client = connections.smarthr_client(job.mapping)
            return {
                "departments": pipeline.fetch_departments(job, client, f"{context['run_id']}:{utcnow().isoformat()}")
            }

    @task(task_display_name="社員の受信", execution_timeout=FETCH_TIMEOUT)
    def fetch_users(**context: Any) -> dict[str, int]:
        with stage(context):
            job = job_of(tenant, context)
            client = connections.smarthr_client(job.mapping)
            return {"users": pipeline.fetch_users(job, client, _log_progress)}

    @task(task_display_name="スナップショット", execution_timeout=WORK_TIMEOUT)
    def snapshot(**context: Any) -> dict[str, int]:
        with stage(context):
            return pipeline.take_snapshot(job_of(tenant, context))

    @task(task_display_name="前回との差分", execution_timeout=WORK_TIMEOUT)
    def diff(**context: Any) -> dict[str, Any]:
        with stage(context):
            job = job_of(tenant, context)
            return pipeline.make_diff(job, connections.emc_target(job.mapping), utcnow())

    @task(task_display_name="検証", execution_timeout=WORK_TIMEOUT)
    def validate(**context: Any) -> list[str]:
        with stage(context):
            job = job_of(tenant, context)
            holds = pipeline.validate(job, connections.emc_target(job.mapping), tenant.emc_format(), utcnow())
            return [hold.kind for hold in holds]

    @task(task_display_name="EMCへの登録", execution_timeout=LOAD_TIMEOUT)
    def load(**context: Any) -> dict[str, str]:
        with stage(context):
            job = job_of(tenant, context)
            target = connections.emc_target(job.mapping)
            result = pipeline.apply(job, target, tenant.emc_format(), connections.secret, utcnow())
            return {"result": result, "at": utcnow().isoformat()}

    approve = ApprovePlan(tenant=tenant, task_id="approve", task_display_name="保留の承認")
    work: list[Any] = [fetch_departments(), fetch_users(), snapshot(), diff(), validate(), approve, load()]
    if tenant.mapping.loader is Loader.FILE_DROP:
        work.append(ConfirmUpload(tenant=tenant, task_id="confirm", task_display_name="取込結果の確認"))
    chain(*work)
    return work


def _broken_sheet(tenant: Tenant) -> Any:
    """The only work task of a tenant whose sheet cannot be used: it says what to mend (L5)."""

    @task(task_display_name="連携設定シート", retries=0)
    def read_sheet(**context: Any) -> None:
        with stage(context):
            _ = tenant.mapping

    return read_sheet()


def _closing_tasks(tenant: Tenant, work: list[Any]) -> None:
    """`notify` always runs; `outcome` is the leaf, so that the run's colour is the work's (E2, N3)."""
    work_ids = [item.operator.task_id if hasattr(item, "operator") else item.task_id for item in work]

    @task(task_display_name="結果通知", trigger_rule="all_done", execution_timeout=dt.timedelta(minutes=10))
    def notify(**context: Any) -> str:
        if mailing.was_skipped(context, work_ids[0]):
            return ""
        if not tenant.sheet.result_addresses:
            log.warning("tenant=%s: no result address could be read from the sheet; no mail", tenant.name)
            return ""
        return mailing.report_run(tenant, context, work_ids, "load")

    @task(task_display_name="処理結果", trigger_rule="all_done", retries=0)
    def outcome(**context: Any) -> None:
        failed = mailing.failed_tasks(context, work_ids)
        if failed:
            raise AirflowFailException(
                f"{failed[0]} が失敗しました。EMCと前回データの状態は結果通知メールを確認してください。"
            )

    chain(work[-1], notify(), outcome())


def _skip_first_catch_up(context: Any, first: bool) -> None:
    """Airflow starts the tick that was missed when a Dag is switched on; before the first link it means nothing."""
    run_after = context["dag_run"].run_after
    if first and run_after is not None and utcnow() - run_after > LATE:
        raise AirflowSkipException(
            "初回連携前の過ぎた予定のため実行しません。初回連携は手動で実行(Trigger)してください。"
        )


def _log_progress(done: int, total: int) -> None:
    if done == total or done % 1000 == 0:
        log.info("fetch users %d/%d", done, total)
