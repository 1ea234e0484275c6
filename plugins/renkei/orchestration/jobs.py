"""The Dag `renkei_jobs`: work that a page of the console asks for, each job one run (docs/decisions/0011)."""

from __future__ import annotations

import datetime as dt
import logging
import re
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, BaseOperator, Param
from airflow.sdk.exceptions import AirflowFailException, AirflowRescheduleException, AirflowTaskTimeout

from renkei.clock import utcnow
from renkei.errors import RenkeiError, SettingError, StoreError
from renkei.jobs.records import KEPT, LASTS, Jobs, NotToBeginError, Progress, Request
from renkei.orchestration import connections
from renkei.orchestration.link import LINKS, Link, Part, split_dag_id
from renkei.orchestration.tenant import find_tenant
from renkei.storage.tenant_folder import TenantFolder

if TYPE_CHECKING:
    from renkei.orchestration.link import Work

log = logging.getLogger(__name__)

DAG_ID = "renkei_jobs"
AT_ONCE = 2  # of a million people one takes 2.8 GB
RUNS_AT_ONCE = AT_ONCE + 1  # one for the job that waits for companies' runs most of the time
LONGEST = dt.timedelta(hours=24)  # of that one
TRIES = 3  # after a death of the worker; a job that may not be begun again ends at the first of them
PATIENCE_S = 60.0  # for a sheet that nobody has compiled yet
TELLS_EVERY_S = 1.0
COMMON: Mapping[str, Part[Work]] = {  # of every link
    "sheets": Part("renkei.orchestration.many_sheets:run_many_sheets"),
    "connections": Part("renkei.orchestration.connection_trial:run_connection_test"),
    "channel": Part("renkei.orchestration.channel_connections:run_channel_test"),
    "checks": Part("renkei.orchestration.many_checks:run_many_checks"),
}
AGAIN = ("checks",)  # kinds that find what they have done, and go on from there
DOC = f"""# Renkei 作業

「連携」の画面から始めた、時間のかかる作業（リハーサル、今のSmartHRでの確認、kintoneの読み込みと連携テスト）を行います。**画面から始めてください。** この画面の
「トリガー」からは始められません。

- 1件が1つの実行です。同時に{AT_ONCE}件まで、1社では1件だけ実行します。再試行はしません。ただし「まとめて確認のみ」は、実行する環境が止まっても、止まったところから続けます（最長{LONGEST.days * 24}時間）。
- 結果は保存先に{KEPT.days}日間置き、その会社のDagを編集できる人だけが、「連携」の画面で見られます。
- 失敗（赤）は、その作業が終わらなかったことだけを示します。連携の処理には影響しません。
- このDagを一時停止すると、画面の作業は始まりません。
"""


class JobOperator(BaseOperator):
    """Does the job that the run's conf names."""

    def __init__(self, *, dag_file: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dag_file = dag_file

    def execute(self, context: Any) -> dict[str, Any]:
        run = context["dag_run"]
        named = (run.conf or {}).get("job")
        return run_job(named, run.run_id, self.dag_file)


def name_of(dag_id: str, number: int) -> str:
    """How a run's conf names a job."""
    return f"{dag_id}/{number}"


def run_job(named: object, run_id: str, dag_file: str) -> dict[str, Any]:
    """Do the job; what kind it was, and how many seconds it took. Its result is in the store, and nowhere else (L6).

    Raises:
        AirflowFailException: it ended without a result; the page says why.
    """
    link, tenant, number = _understood(named)
    try:
        jobs = Jobs(TenantFolder(connections.open_store(), link.name, tenant))
        request = jobs.begin(number, run_id, utcnow(), AGAIN)
    except (NotToBeginError, StoreError) as error:
        raise AirflowFailException(str(error)) from None
    began = time.monotonic()
    try:
        found = find_tenant(link, tenant, dag_file, PATIENCE_S)
        asked = request.asked
        if request.kind in AGAIN:
            asked = {**asked, "run": request.run, "number": str(number)}
        result = _work(link, request)(found, asked, _progress_reporter(jobs, number))
        jobs.finish(number, result, utcnow())
    except AirflowRescheduleException:
        raise
    except RenkeiError as error:
        raise _failed(jobs, number, str(error)) from None
    except AirflowTaskTimeout:
        raise _failed(jobs, number, "時間がかかりすぎたため、中止しました。") from None
    except Exception as error:  # its text might quote a person (L6)
        last = traceback.extract_tb(error.__traceback__)[-1]
        log.error("job kind=%s: %s at %s:%s", request.kind, type(error).__name__, Path(last.filename).name, last.lineno)
        fault = f"予期しないエラー（{type(error).__name__}）です。運用担当者がAirflowのログを確認してください。"
        raise _failed(jobs, number, fault) from None
    took = round(time.monotonic() - began, 1)
    log.info("job kind=%s tenant=%s seconds=%s", request.kind, tenant, took)
    return {"kind": request.kind, "seconds": took}


def _understood(named: object) -> tuple[Link, str, int]:
    found = re.fullmatch(r"(.+)/([1-9][0-9]{0,7})", named) if isinstance(named, str) else None
    whose = split_dag_id(found[1]) if found else None
    if found is None or whose is None:
        raise AirflowFailException("作業は「連携」の画面から始めてください。")
    return LINKS[whose[0]], whose[1], int(found[2])


def _work(link: Link, request: Request) -> Work:
    own = link.jobs() if link.jobs else {}
    kinds = {**own, **{kind: part() for kind, part in COMMON.items() if kind == request.kind}}
    if request.kind not in kinds:  # of another version
        raise SettingError("この種類の作業はありません。画面を開き直してください。")
    return kinds[request.kind]


def _progress_reporter(jobs: Jobs, number: int) -> Callable[[str, int, int], None]:
    """Each new thing that is done at once, how far it is once a second; a store that fails for a moment ends no job."""
    said, at = "", 0.0

    def tell(what: str, done: int, total: int) -> None:
        nonlocal said, at
        if what == said and time.monotonic() - at < TELLS_EVERY_S:
            return
        said, at = what, time.monotonic()
        with suppress(StoreError):
            jobs.tell(number, Progress(what, done, total))

    return tell


def _failed(jobs: Jobs, number: int, fault: str) -> AirflowFailException:
    with suppress(StoreError):  # then nobody hears of it but by the colour of the run
        jobs.fail(number, fault, utcnow())
    return AirflowFailException(fault)


def build_dag(dag_file: str) -> DAG:
    with DAG(
        DAG_ID,
        dag_display_name="Renkei 作業",
        description="「連携」の画面から始めた、時間のかかる作業",
        doc_md=DOC,
        schedule=None,
        catchup=False,
        max_active_runs=RUNS_AT_ONCE,
        dagrun_timeout=LONGEST,  # where no worker takes it: its place is the others'
        is_paused_upon_creation=False,
        params={"job": Param("", type="string", title="作業", description="画面が指定します")},
        tags=["renkei"],
        default_args={"owner": "renkei", "retries": TRIES, "retry_delay": dt.timedelta(seconds=10)},
    ) as dag:
        JobOperator(
            dag_file=dag_file,
            task_id="work",
            task_display_name="作業",
            execution_timeout=LASTS,
            max_active_tis_per_dag=AT_ONCE,
        )
    return dag
