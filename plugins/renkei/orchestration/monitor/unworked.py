"""Messages that were received and that nobody works off: the operator is told once, after a quarter of an hour."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from renkei import settings
from renkei.channel import OPERATOR, Channel, Event
from renkei.clock import time_in_japan
from renkei.errors import StoreError
from renkei.inbox.inbox import oldest_waiting
from renkei.orchestration.monitor.once import Notices
from renkei.orchestration.monitor.operator_channels import airflow_page
from renkei.storage.database.database import open_database
from renkei.systems.delivery import Message, Tone, key_of

LATE = dt.timedelta(minutes=15)
MAX_LINES = 20


def tell_unworked(notices: Notices, operator: Sequence[Channel]) -> None:
    """Of one link with an inbox; by tenant since when its oldest message waits that nothing has been done about."""
    if notices.link.drain is None:
        return
    try:
        oldest = oldest_waiting(open_database(settings.database_url()), notices.link.name)
    except StoreError as error:
        notices.faults.append(str(error))
        return
    late = {tenant: since for tenant, since in oldest.items() if notices.now - since >= LATE}
    told = notices.told_before(OPERATOR)
    new = [key for tenant, at in late.items() if (key := key_of("unworked", tenant, at.isoformat())) not in told]
    if new:
        notices.tell_once(OPERATOR, operator, _message(notices.link.label, late), new, Event.FAILURE)


def _message(label: str, late: Mapping[str, dt.datetime]) -> Message:
    shown = [f"{tenant}: {time_in_japan(late[tenant])} から" for tenant in sorted(late)[:MAX_LINES]]
    more = [f"ほか{len(late) - MAX_LINES}社"] if len(late) > MAX_LINES else []
    return Message(
        title=f"【失敗】{label}: 受信したメッセージが処理されていません（{len(late)}社）",
        lines=(
            *shown,
            *more,
            "Dag「renkei_pump」が動いているか（一時停止されていないか、ワーカーの枠があるか）、そのタスクのログを確認してください。"
            "接続先が要求を拒否している会社には、その会社の通知先に理由を知らせています。メッセージは失われていません。",
        ),
        link=airflow_page("/dags/renkei_pump"),
        link_label="Dagを開く",
        tone=Tone.BAD,
    )
