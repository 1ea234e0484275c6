"""The Dag `renkei_pump`: what works off the messages that were pushed at us (docs/decisions/0017)."""

from __future__ import annotations

import datetime as dt
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, BaseOperator, DeltaTriggerTimetable
from airflow.sdk.exceptions import AirflowFailException

from renkei import settings
from renkei.errors import RenkeiError
from renkei.orchestration.link import LINKS
from renkei.sheets.tenant_files import tenants

if TYPE_CHECKING:
    from renkei.inbox.pump import Pump

DAG_ID = "renkei_pump"
EVERY = dt.timedelta(minutes=1)
AT_ONCE = 2  # one works, one waits for its leases
LASTS = dt.timedelta(minutes=30)  # then the other one goes on, with the code as it is by then
ENDS_WITHIN = dt.timedelta(minutes=10)
DOC = f"""# Renkei 受信メッセージ処理

受け取ったメッセージ（LINE WORKSの打刻など）を、届いた順に処理します。すべての会社のメッセージを、この1つのDagが処理します。

- 1つの実行が約{LASTS.seconds // 60}分間処理を続け、もう1つの実行が待機します。処理中の実行が止まると、約10秒後に待機中の実行が引き継ぎます。
  **実行が2つ並び、ワーカーの枠を2つ使い続けるのは正常です。**
- ある会社の設定の誤りや、その会社の接続先の障害で、他の会社の処理は止まりません。
- 失敗（赤）になっても、メッセージは失われません。次の実行が続きを処理します。
- **このDagを一時停止すると、受け取ったメッセージは処理されずに残ります**（再開すると続きから処理します）。
- 会社が多いときは、環境変数 `RENKEI_PUMPS` で、会社を複数のDagに分けます。
"""


class PumpOperator(BaseOperator):
    """Works messages off for half an hour."""

    def __init__(self, *, dag_file: str, shard: int, shards: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dag_file, self.shard, self.shards = dag_file, shard, shards
        self._pump: Pump | None = None

    def execute(self, context: Any) -> None:
        try:
            self._pump = resolve_name("renkei.orchestration.pump:pump")(self.dag_file, self.shard, self.shards)
            resolve_name("renkei.orchestration.pump:run")(self._pump, LASTS)
        except RenkeiError as error:
            raise AirflowFailException(str(error)) from None
        except Exception as error:  # its text might quote anything (L6)
            raise AirflowFailException(
                f"予期しないエラー（{type(error).__name__}）で止まりました。次の実行が続けます。"
            ) from None

    def on_kill(self) -> None:
        """Airflow asks it to end, as where a worker is stopped: what is under way is done first."""
        if self._pump:
            self._pump.stop()


def build_dags(dag_file: str) -> dict[str, DAG]:
    """By dag id; the first one is DAG_ID, whatever their number."""
    has_tenants = any(tenants(settings.mappings_folder(dag_file, link.name)) for link in LINKS.values() if link.drain)
    shards = settings.pumps()
    return {dag.dag_id: dag for dag in (_dag(dag_file, shard, shards, has_tenants) for shard in range(shards))}


def _dag(dag_file: str, shard: int, shards: int, has_tenants: bool) -> DAG:
    number = f"{shard + 1}" if shard else ""
    with DAG(
        f"{DAG_ID}_{number}" if number else DAG_ID,
        dag_display_name=f"Renkei 受信メッセージ処理 {number}".strip(),
        description="受け取ったメッセージ（打刻など）を常に処理",
        doc_md=DOC,
        schedule=DeltaTriggerTimetable(EVERY) if has_tenants else None,
        catchup=False,
        max_active_runs=AT_ONCE,
        dagrun_timeout=LASTS + 2 * ENDS_WITHIN,  # where no worker takes it: its place is another's
        is_paused_upon_creation=False,
        tags=["renkei"],
        default_args={"owner": "renkei", "retries": 0},  # the next minute's run is the repetition
    ) as dag:
        PumpOperator(
            dag_file=dag_file,
            shard=shard,
            shards=shards,
            task_id="work",
            task_display_name="メッセージ処理",
            execution_timeout=LASTS + ENDS_WITHIN,
            weight_rule="absolute",
            priority_weight=1_000,  # a punch is waited for, a night's run is not
        )
    return dag
