"""The Dag `renkei_watch`: every 15 minutes, who is silent and what expires (docs/decisions/0012-a-missing-result-is-noticed.md)."""

from __future__ import annotations

import datetime as dt
from pkgutil import resolve_name
from typing import Any

from airflow.sdk import DAG, BaseOperator, DeltaTriggerTimetable

DAG_ID = "renkei_watch"
EVERY = dt.timedelta(minutes=15)
TIMEOUT = dt.timedelta(minutes=30)  # a first look compiles every sheet: 10,000 workbooks are two looks' work
DOC = """# Renkei 見張り

15分ごとに、次のことを確認します。会社ごとのDagが動いていなくても、読み込めなくても確認できます。

- **結果が届いていない会社**: 処理時刻から `RENKEI_SILENCE_HOURS` 時間（既定3時間）が過ぎても、その日の結果通知が無い会社を、
  運用担当者の通知先に1日1回知らせます。結果が届いたら、復旧も知らせます。初回連携の前と連携解除の会社は対象外です。
- **期限切れ予告**: 承認の期限まで2時間を切った処理を、その会社の通知先に知らせます。接続に登録した有効期限の30日前、7日前、
  前日、当日に、その会社と運用担当者の通知先に知らせます（9:00以降）。

- **誤りのあるシート**: 連携設定シートに誤りがある会社を、運用担当者の通知先に1回知らせ、その会社のDagを1回実行します
  （Dagは失敗（赤）になり、直すところがその会社の結果通知先に届きます）。
- **処理されていないメッセージ**: 受信してから15分を過ぎても処理されないメッセージがある会社を、運用担当者の通知先に1回知らせます。
- **お客様の操作**: お客様ページでのシートのアップロードとSmartHRとの連携、SmartHRの再認可が必要になったことを、運用担当者の
  通知先に1回知らせます（最長で15分あとになります）。
- **解除を忘れた災害時凍結**: 72時間を超えて続く災害時凍結を、運用担当者の通知先に1回知らせます。
- **知らせずに終わった処理**: 途中で削除されるなどして結果を知らせずに終わった処理の結果を、その会社の通知先に知らせます。

運用担当者の通知先は `include/mappings/operator.yaml`（環境変数 `RENKEI_OPERATOR`）の `channels:` に登録します。
**登録が無いと誰にも知らせません。** その場合、結果が届いていない会社があると、このDagが失敗（赤）になります。

Airflow自体が止まると、このDagも動きません。別の機械のcronから `renkei watch --tell` を実行してください。
"""


class MonitorOperator(BaseOperator):
    """Looks once, and tells; what does it is imported by the task alone."""

    def __init__(self, *, dag_file: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dag_file = dag_file

    def execute(self, context: Any) -> Any:
        return resolve_name("renkei.orchestration.monitor.monitor:monitor_in_task")(self.dag_file, context)


def build_dag(dag_file: str) -> DAG:
    with DAG(
        DAG_ID,
        dag_display_name="Renkei 見張り",
        description="結果が届いていない会社と、期限が近い承認・接続を15分ごとに確認",
        doc_md=DOC,
        schedule=DeltaTriggerTimetable(EVERY),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        tags=["renkei"],
        # The next look is the repetition; but right after Airflow's start its API may not answer a task in time.
        default_args={"owner": "renkei", "retries": 2, "retry_delay": dt.timedelta(seconds=30)},
    ) as dag:
        MonitorOperator(dag_file=dag_file, task_id="look", task_display_name="見張り", execution_timeout=TIMEOUT)
    return dag
