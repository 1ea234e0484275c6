"""One look of the Dag `renkei_watch`: who is silent, what expires, and who hears of it (docs/decisions/0012)."""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable, Sequence, Set
from dataclasses import replace
from typing import Any

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
from renkei.orchestration.monitor.operator_channels import NotifyChannels, airflow_page, operator_channels
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


def monitor_in_task(dag_file: str, context: Any) -> dict[str, int]:
    """As `monitor`, in a task of Airflow."""
    try:
        ongoing, start = ongoing_in(context), start_in(context)
        store = connections.open_store()
        return monitor(store, dag_file, utcnow(), ongoing=ongoing, start=start, frozen=frozen_tenants)
    except RenkeiError as error:
        raise AirflowFailException(str(error)) from None
    except Exception as error:  # its text might quote anything (L6)
        raise AirflowFailException(f"予期しないエラー（{type(error).__name__}）で見張りが止まりました。") from None


def monitor(
    store: Store,
    dag_file: str,
    now: dt.datetime,
    tell: NotifyChannels = channel_connections.notify_channels,
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


def tell_silence(
    link: Link, store: Store, found: ScanResult, channels: Sequence[Channel], tell: NotifyChannels
) -> list[str]:
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
