"""The Dag `renkei_maintenance`: every night the records of runs that are old enough are deleted (docs/operations.md)."""

from __future__ import annotations

import datetime as dt
from pkgutil import resolve_name
from typing import Any

from airflow.sdk import DAG, BaseOperator

from renkei import settings
from renkei.jobs.records import KEPT
from renkei.orchestration.timetable import DailyInJapan

DAG_ID = "renkei_maintenance"
TIMEOUT = dt.timedelta(hours=6)  # ten thousand tenants in an object store, one request after the other
DOC = f"""# Renkei 保守

毎日3:00（Asia/Tokyo）に、保存期間（環境変数 `RENKEI_KEEP_DAYS`、既定400日）を過ぎた処理記録を保存先から削除します。
社員を画面で見た人の記録も、同じ期間を過ぎると削除します。
「連携」の画面から始めた作業（リハーサルなど）の結果は、{KEPT.days}日を過ぎると削除します。

受け取ったメッセージと、社員に送ったメッセージは、処理が終わってから35日を過ぎると削除します。未処理、確認待ちのものは残します。

次の処理記録は、保存期間を過ぎても残します。

- 現在の前回データと、その1つ前の前回データの処理記録
- 取込結果が未確定の処理記録（`pending.json`）、実行中の処理記録
- 開始日時が分からない処理記録、前回データが失われたことを示す処理記録（タスクのログに警告として表示します）

連携設定シートが無くなった会社も同じ規則です。ある会社で失敗しても他の会社の処理は続け、最後に失敗した会社の一覧とともに
タスクを失敗にします。途中で止まった場合は、次の実行が続きを削除します。
"""


class PruneOperator(BaseOperator):
    """Prunes the runs of every tenant in the store; what does it is imported by the task alone."""

    def execute(self, context: Any) -> Any:
        return resolve_name("renkei.orchestration.maintenance:prune_in_task")(context)


def build_dag() -> DAG:
    with DAG(
        DAG_ID,
        dag_display_name="Renkei 保守",
        description="保存期間を過ぎた処理記録を毎日 03:00 に削除",
        doc_md=DOC,
        schedule=DailyInJapan(3, 0),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,  # personal data goes in time without anybody having to think of it
        tags=["renkei"],
        default_args={"owner": "renkei", "retries": 3, "retry_delay": settings.retry_delay()},
    ) as dag:
        PruneOperator(task_id="prune", task_display_name="処理記録の整理", execution_timeout=TIMEOUT)
    return dag
