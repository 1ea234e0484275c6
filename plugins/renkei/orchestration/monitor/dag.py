"""The Dag `renkei_watch`: every 15 minutes, who is silent and what expires (docs/decisions/0012-a-missing-result-is-noticed.md)."""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable, Sequence, Set
from dataclasses import replace
from typing import Any

from airflow.sdk import DAG, BaseOperator, DeltaTriggerTimetable
from airflow.sdk.exceptions import AirflowFailException

from renkei import settings
from renkei.channel import OPERATOR, Channel, Event
from renkei.clock import utcnow
from renkei.errors import NotificationError, RenkeiError
from renkei.notifications.deliver import was_accepted
from renkei.notifications.monitor import silence
from renkei.notifications.monitor.silence import Silence
from renkei.orchestration import channel_connections, connections
from renkei.orchestration.disaster_freeze import frozen_tenants
from renkei.orchestration.link import LINKS, Link, dag_id
from renkei.orchestration.monitor import expiring
from renkei.orchestration.monitor.broken import Start, start_in, tell_broken
from renkei.orchestration.monitor.customers import ReviewSheet, tell_customers, tell_void
from renkei.orchestration.monitor.freeze import tell_forgotten
from renkei.orchestration.monitor.once import Notices
from renkei.orchestration.monitor.operator_channels import Tell, airflow_page, operator_channels
from renkei.orchestration.monitor.scan import ScanResult, scan, write_notes, write_results
from renkei.orchestration.monitor.unfinished import Ongoing, ongoing_in, tell_unfinished
from renkei.orchestration.monitor.unworked import tell_unworked
from renkei.orchestration.sheet_review import review_content
from renkei.orchestration.tenant import Tenant
from renkei.sheets.compiled import Compiled
from renkei.sheets.grants import AllGrants, read_grants
from renkei.sheets.review import Review
from renkei.sheets.tenant_files import tenants
from renkei.storage.store import Store

log = logging.getLogger(__name__)

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


class WatchOperator(BaseOperator):
    """Looks once, and tells."""

    def __init__(self, *, dag_file: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dag_file = dag_file

    def execute(self, context: Any) -> dict[str, int]:
        try:
            ongoing, start = ongoing_in(context), start_in(context)
            store = connections.open_store()
            return watch(store, self.dag_file, utcnow(), ongoing=ongoing, start=start, frozen=frozen_tenants)
        except RenkeiError as error:
            raise AirflowFailException(str(error)) from None
        except Exception as error:  # its text might quote anything (L6)
            raise AirflowFailException(f"予期しないエラー（{type(error).__name__}）で見張りが止まりました。") from None


def watch(
    store: Store,
    dag_file: str,
    now: dt.datetime,
    tell: Tell = channel_connections.notify_channels,
    *,
    ongoing: Ongoing = lambda _dag_id, _run_id: True,
    start: Start = lambda _dag_id, _run_id: None,
    frozen: Callable[[], Set[str]] = frozenset,
) -> dict[str, int]:
    """Scan, tell, and remember what was told; how many tenants were looked at, are silent, came back, were warned.

    `ongoing`, `start` and `frozen` are Airflow's answers: whether a run is going on, a run of a Dag, who is in 災害時凍結.

    Raises:
        StoreError: the store is out of reach, so nobody can say who is silent.
        SettingError, NotificationError: at the end, when all that could be told is told.
    """
    own = settings.operator_file(dag_file)
    grants, (channels, faults) = read_grants(own), operator_channels(own)
    counts: Counter[str] = Counter(tenants=0, silent=0, back=0, expiring=0)
    for link in LINKS.values():
        found = scan(link, store, settings.mappings_folder(dag_file, link.name), grants, now, settings.silence_grace())
        faults += tell_silence(link, store, found, channels, tell)
        write_results(link, store, found.results)
        notices = Notices(link, store, now, tell)
        tell_broken(notices, found.sheets.compiled, channels, start)
        tell_unfinished(notices, _tenants(link, found, dag_file, grants), ongoing)
        asking = {name: one for name, one in found.waiting.items() if ongoing(dag_id(link.name, name), one.run)}
        before = notices.told
        expiring.tell_waiting(notices, asking, found.sheets.channels)
        expiring.tell_connections(notices, found.sheets.channels, channels, found.sheets.compiled)
        tell_forgotten(notices, frozen, channels)
        tell_unworked(notices, channels)
        tell_customers(notices, channels, found.sheets.compiled, _reviewing(link, dag_file, grants))
        tell_void(notices, channels, found.sheets.compiled)
        faults += notices.faults
        counts.update(
            tenants=len(found.notes.schedules),
            silent=len(found.silent),
            back=len(found.back),
            expiring=notices.told - before,
        )
    if faults:
        raise NotificationError("\n".join(faults))
    return dict(counts)


def _reviewing(link: Link, dag_file: str, grants: AllGrants) -> ReviewSheet:
    """Looks at a customer's sheet as the console does."""

    def review(tenant: str, file_name: str, content: bytes) -> Review:
        files = tenants(settings.mappings_folder(dag_file, link.name))
        others = [file.path for file in files if not file.problem and file.tenant != tenant]
        return review_content(link, tenant, file_name, content, grants.of(tenant), others)

    return review


def _tenants(link: Link, found: ScanResult, dag_file: str, grants: AllGrants) -> list[Tenant]:
    """Every tenant that the watch knows, by name; one whose sheet has vanished has an empty one."""
    sheets = found.sheets.compiled
    return [
        Tenant(link, name, sheets.get(name) or Compiled(name, "", None), "", dag_file, grants.of(name))
        for name in sorted(found.notes.schedules)
    ]


def tell_silence(link: Link, store: Store, found: ScanResult, channels: Sequence[Channel], tell: Tell) -> list[str]:
    """Tell the operator of new silences and of those that are over, and note what was told; why somebody was not told.

    The note comes after the message: a crash between the two tells twice, never not at all.
    """
    new, notes, faults = silence.untold(found.silent, found.notes), found.notes, []
    for one in found.silent:
        log.warning("silent tenant=%s tick=%s last=%s %s", one.tenant, one.tick, one.last, one.cause)
    told = {tenant: tick for tenant, tick in notes.told.items() if tenant in notes.schedules}
    if new:
        key = silence.message_key("silent", link.name, {one.tenant: one.tick for one in new})
        message = silence.silence_message(link.label, new, airflow_page())
        if was_accepted(tell(link.name, OPERATOR, channels, Event.FAILURE, message, key), Event.FAILURE):
            told |= {one.tenant: one.tick for one in new}
        else:
            faults.append(_nobody_told(new, channels))
    if found.back:
        # As an event of 失敗 too: who heard the alarm hears that it is over.
        key = silence.message_key("back", link.name, found.back)
        message = silence.back_message(link.label, found.back, airflow_page())
        if (
            was_accepted(tell(link.name, OPERATOR, channels, Event.FAILURE, message, key), Event.FAILURE)
            or not channels
        ):
            told = {tenant: tick for tenant, tick in told.items() if tenant not in found.back}
    write_notes(link, store, replace(notes, told=told, whole=True))
    return faults


def _nobody_told(new: Sequence[Silence], channels: Sequence[Channel]) -> str:
    names = "、".join(one.tenant for one in new[: silence.TENANTS_SHOWN])
    why = (
        "運用担当者の通知先に届けられませんでした。通知先の接続を確認してください。"
        if channels
        else "運用担当者の通知先(RENKEI_OPERATOR)が登録されていないため、誰にも知らせていません。"
    )
    return (
        f"{len(new)}社から結果が届いていません（{names}{' ほか' if len(new) > silence.TENANTS_SHOWN else ''}）。{why}"
    )


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
        WatchOperator(dag_file=dag_file, task_id="look", task_display_name="見張り", execution_timeout=TIMEOUT)
    return dag
