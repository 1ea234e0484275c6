"""One Dag per mapping file of the link `smarthr_emc` (E1–E3). Parsing opens sheets, and nothing else."""

from __future__ import annotations

import copy
import datetime as dt
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, BaseOperator, Param, chain, get_parsing_context
from airflow.sdk.definitions.param import ParamsDict

from renkei import settings
from renkei.clock import DAILY_AT
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.sheet.index import Compiled, TenantFile, load, tenants
from renkei.links.smarthr_emc.sheet.mapping import LinkState, Loader
from renkei.orchestration import documentation, tasks
from renkei.orchestration.human import ApprovePlan, ConfirmUpload
from renkei.orchestration.stage import LINK, Tenant
from renkei.orchestration.timetable import TOKYO, DailyInJapan

FETCH_TIMEOUT = dt.timedelta(hours=3)  # a million people at 10 requests a second take 17 minutes
WORK_TIMEOUT = dt.timedelta(minutes=30)
NOTIFY_TIMEOUT = dt.timedelta(minutes=10)
LOAD_TIMEOUT = dt.timedelta(minutes=90)  # less than load.LEASE
MODES = {
    Mode.NORMAL.value: "通常",
    Mode.CHECK_ONLY.value: "確認のみ（EMCへの登録と前回データの更新をしない）",
    Mode.WRITE_ALL.value: "全件書き込み（変化が無くても全件登録する）",
    Mode.RELINK.value: "再連携（現在連携中のユーザ・部署を削除し、全件を新規登録する。承認が必要）",
    Mode.RELINK_CHECK.value: "再連携の確認のみ（何が削除されるかを見る）",
    Mode.RECONCILE.value: "照合（EMCの登録内容を前回データと比べる。何も書き込まない）",
    Mode.RESTORE.value: "復元（EMCを以前の世代に戻す。承認が必要）",
}
FORM = ParamsDict(
    {
        "mode": Param(
            Mode.NORMAL.value,
            type="string",
            enum=[*MODES, tasks.TEST],
            values_display={**MODES, tasks.TEST: "通知テスト（通知先に試しの通知を送る。連携の処理はしない）"},
            title="実行方法",
        ),
        "generation": Param(
            None, type=["null", "integer"], minimum=1, title="復元する世代（復元のときだけ。空欄なら1つ前）"
        ),
        "channel": Param(
            None, type=["null", "string"], maxLength=100, title="通知先の名前（通知テストのときだけ。空欄ならすべて）"
        ),
    }
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
    run_at, active = sheet.run_at or DAILY_AT, sheet.mapping is None or sheet.mapping.state is LinkState.ACTIVE
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
        work = _work_tasks(tenant) if sheet.mapping else _broken_sheet(tenant)
        _closing_tasks(tenant, work)
    # Last: every operator would copy it, which was a quarter of the time that parsing took. A copy of its own: Airflow
    # writes what a run was triggered with into the form.
    dag.params = copy.deepcopy(FORM)
    return dag


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), TOKYO)


def _work_tasks(tenant: Tenant) -> Sequence[BaseOperator]:
    """The chain that does the work, first to last."""
    work: list[BaseOperator] = [
        _step(tenant, tasks.fetch_departments, "部署の受信", FETCH_TIMEOUT),
        _step(tenant, tasks.fetch_users, "社員の受信", FETCH_TIMEOUT),
        _step(tenant, tasks.snapshot, "スナップショット", WORK_TIMEOUT),
        _step(tenant, tasks.diff, "前回との差分", WORK_TIMEOUT),
        _step(tenant, tasks.validate, "検証", WORK_TIMEOUT),
        ApprovePlan(tenant=tenant, task_id="approve", task_display_name="保留の承認"),
        _step(tenant, tasks.load, "EMCへの登録", LOAD_TIMEOUT),
    ]
    if tenant.mapping.loader is Loader.FILE_DROP:
        work.append(ConfirmUpload(tenant=tenant, task_id="confirm", task_display_name="取込結果の確認"))
    chain(*work)
    return work


def _broken_sheet(tenant: Tenant) -> Sequence[BaseOperator]:
    """The only work task of a tenant whose sheet cannot be used: it says what to mend (L5)."""
    return [_step(tenant, tasks.read_sheet, "連携設定シート", WORK_TIMEOUT, retries=0)]


def _closing_tasks(tenant: Tenant, work: Sequence[BaseOperator]) -> None:
    """`notify` always runs; `outcome` is the leaf, so that the run's colour is the work's (E2, N3)."""
    mail = _step(tenant, tasks.notify, "結果通知", NOTIFY_TIMEOUT, trigger_rule="all_done")
    chain(work[-1], mail, _step(tenant, tasks.outcome, "処理結果", NOTIFY_TIMEOUT, trigger_rule="all_done"))


def _step(
    tenant: Tenant, function: Callable[[Tenant, Any], Any], name: str, timeout: dt.timedelta, **kwargs: Any
) -> tasks.StageOperator:
    return tasks.StageOperator(
        tenant=tenant,
        function=function,
        task_id=function.__name__,
        task_display_name=name,
        execution_timeout=timeout,
        **kwargs,
    )
