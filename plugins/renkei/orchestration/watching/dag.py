"""The Dag `renkei_watch`: every 15 minutes, who is silent and what expires (docs/decisions/0012-silence.md)."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from airflow.sdk import DAG, BaseOperator, DeltaTriggerTimetable
from airflow.sdk.exceptions import AirflowFailException

from renkei import settings
from renkei.errors import NotificationError, RenkeiError
from renkei.notifications.channel import OPERATOR, Channel
from renkei.notifications.deliver import was_heard
from renkei.notifications.event import Event
from renkei.notifications.watch import silence
from renkei.notifications.watch.silence import Silence
from renkei.orchestration import connections, telling
from renkei.orchestration.stage import LINK, utcnow
from renkei.orchestration.timetable import TOKYO
from renkei.orchestration.watching import expiring
from renkei.orchestration.watching.look import Look, look, write_notes
from renkei.orchestration.watching.operator_channels import (
    LABEL,
    Tell,
    airflow_page,
    operator_channels,
)
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
            return watch(connections.open_store(), self.dag_file, utcnow())
        except RenkeiError as error:
            raise AirflowFailException(str(error)) from None
        except Exception as error:  # its text might quote anything (L6)
            raise AirflowFailException(f"予期しないエラー（{type(error).__name__}）で見張りが止まりました。") from None


def watch(store: Store, dag_file: str, now: dt.datetime, tell: Tell = telling.tell) -> dict[str, int]:
    """Look, tell, and remember what was told; how many tenants were looked at, are silent, came back, were warned.

    Raises:
        StoreError: the store is out of reach, so nobody can say who is silent.
        SettingError, NotificationError: at the end, when all that could be told is told.
    """
    found = look(store, settings.mappings_folder(dag_file, LINK), now, settings.silence_grace())
    channels, faults = operator_channels(settings.operator_file(dag_file))
    faults += tell_silence(store, found, channels, tell)
    waiting = expiring.tell_waiting(store, found.waiting, found.sheets.channels, now, tell)
    ending = expiring.tell_connections(store, found.sheets.channels, channels, now, tell)
    faults += [*waiting.faults, *ending.faults]
    if faults:
        raise NotificationError("\n".join(faults))
    return {
        "tenants": len(found.notes.schedules),
        "silent": len(found.silent),
        "back": len(found.back),
        "expiring": waiting.told + ending.told,
    }


def tell_silence(store: Store, found: Look, channels: Sequence[Channel], tell: Tell) -> list[str]:
    """Tell the operator of new silences and of those that are over, and note what was told; why somebody was not told.

    The note comes after the message: a crash between the two tells twice, never not at all.
    """
    new, notes, faults = silence.untold(found.silent, found.notes), found.notes, []
    for one in found.silent:
        log.warning("silent tenant=%s tick=%s last=%s %s", one.tenant, one.tick, one.last, one.cause)
    told = {tenant: tick for tenant, tick in notes.told.items() if tenant in notes.schedules}
    if new:
        key = silence.message_key("silent", LINK, {one.tenant: one.tick for one in new})
        message = silence.silence_message(LABEL, new, airflow_page())
        if was_heard(tell(LINK, OPERATOR, channels, Event.FAILURE, message, key), Event.FAILURE):
            told |= {one.tenant: one.tick for one in new}
        else:
            faults.append(_nobody_told(new, channels))
    if found.back:
        # As an event of 失敗 too: who heard the alarm hears that it is over.
        key = silence.message_key("back", LINK, found.back)
        message = silence.back_message(LABEL, found.back, airflow_page())
        if was_heard(tell(LINK, OPERATOR, channels, Event.FAILURE, message, key), Event.FAILURE) or not channels:
            told = {tenant: tick for tenant, tick in told.items() if tenant not in found.back}
    write_notes(store, replace(notes, told=told, whole=True))
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
        start_date=dt.datetime(2026, 1, 1, tzinfo=TOKYO),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        tags=["renkei"],
        default_args={"owner": "renkei", "retries": 0},  # the next look is the repetition
    ) as dag:
        WatchOperator(dag_file=dag_file, task_id="look", task_display_name="見張り", execution_timeout=TIMEOUT)
    return dag
