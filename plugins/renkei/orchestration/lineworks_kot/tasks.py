"""What each task of a Dag does: its stage, with the clients and the rows of its tenant."""

from __future__ import annotations

from typing import Any

from renkei import settings
from renkei.clock import TOKYO, utcnow
from renkei.errors import SettingError
from renkei.links.lineworks_kot import first_message, preparing
from renkei.links.lineworks_kot.accounts import Selection
from renkei.links.lineworks_kot.mode import Mode
from renkei.links.lineworks_kot.model import Figures, Job, Observations, RunStart
from renkei.links.lineworks_kot.punches import Punches
from renkei.links.lineworks_kot.registration import UNCALLED, is_uncalled
from renkei.links.lineworks_kot.stages.reconcile import (
    HELD,
    NOT_TAKEN,
    REFUSED,
    SILENCE,
    SILENT,
    Reconciliation,
    is_silent,
)
from renkei.links.lineworks_kot.stages.reconcile import reconcile as compare
from renkei.links.lineworks_kot.words_store import Words
from renkei.orchestration.begin_run import begin_run
from renkei.orchestration.lineworks_kot.connection_trial import try_systems
from renkei.orchestration.lineworks_kot.connections import kingoftime_client
from renkei.orchestration.lineworks_kot.lineworks import lineworks
from renkei.orchestration.stage import record_of, started
from renkei.orchestration.tenant import Tenant
from renkei.runs.outcome import note_end
from renkei.storage.database.database import open_database
from renkei.systems.delivery import Verdict
from renkei.systems.kingoftime.hours import reading_opens_in
from renkei.systems.lineworks.menu import put_menu
from renkei.systems.lineworks.users import find_user


def check(tenant: Tenant, context: Any) -> dict[str, str]:
    """P1: what is missing is named before anything else is done."""
    record = begin_run(tenant, context)
    record.create(_start(tenant, context))  # cleared, it does again what it was asked first
    job = _job(tenant, context)
    found = [one for one in try_systems(job.mapping, tenant.dag_file) if not _is_closed(one.connection)]
    if refused := [one.said for one in found if not one.well]:
        raise SettingError("\n".join(refused))
    return {one.connection: one.said for one in found}


def accounts(tenant: Tenant, context: Any) -> dict[str, int]:
    """Employees, userIds and the menu; or the first messages."""
    job = _job(tenant, context)
    figures = Figures()
    if job.start.mode is Mode.FIRST_MESSAGE:
        figures = _first_messages(job)
    elif job.start.mode.refreshes:
        figures = _refreshed(job)
    job.record.write(figures)
    return {"employees": figures.employees, "gone": figures.gone, **figures.accounts}


def reconcile(tenant: Tenant, context: Any) -> dict[str, Any]:
    """照合 and the watch for silence (P19); as the last one it also says what the run came to."""
    job = _job(tenant, context)
    if not job.start.mode.compares:
        note_end(job.record, "checked", utcnow())
        return {"result": "checked"}
    punches = Punches(job.database, job.record.store, job.tenant)
    found, closed = Reconciliation(), reading_opens_in(utcnow()) > 0
    if closed and not job.start.mode.refreshes:
        raise SettingError(
            "KING OF TIMEを読み取れない時間帯（8:30～10:00、17:30～18:30）です。その後に、もう一度実行してください。"
        )
    if not closed:
        found = compare(punches, kingoftime_client(job.tenant), utcnow())
        job.record.write(found)
    job.record.write(_noticed(job, punches))
    result = "differs" if found.findings else "loaded" if job.start.mode.refreshes else "compared"
    note_end(job.record, result, utcnow())
    return {"result": result, "ours": found.ours, "there": found.there, "findings": len(found.findings)}


def _noticed(job: Job, punches: Punches) -> Observations:
    """What waits for a person; and whether nobody has punched on a morning like this one, or nobody ever could."""
    now, silence_at, found = utcnow(), job.mapping.silence_at, Observations()
    local = now.astimezone(TOKYO)
    if count := punches.held():
        found.said.append(HELD.format(count=count))
        found.troubles.append("held")
    if count := punches.refused(local.replace(hour=0, minute=0, second=0, microsecond=0)):
        found.said.append(NOT_TAKEN.format(count=count))
        found.troubles.append(f"{REFUSED} {local.date().isoformat()}")
    if is_uncalled(job.database, job.tenant, now):
        found.said.append(UNCALLED)
        found.troubles.append("uncalled")
    elif silence_at is not None and local.time() >= silence_at and is_silent(punches, now):
        found.said.append(SILENCE)
        found.troubles.append(f"{SILENT} {local.date().isoformat()}")
    return found


def _refreshed(job: Job) -> Figures:
    said = []
    read = preparing.read_employees(job.accounts, kingoftime_client(job.tenant), utcnow())
    app = lineworks(job.mapping)
    preparing.check_accounts(job.accounts, lambda account: find_user(app.api, account), utcnow)
    answer = put_menu(app.api, app.bot_id, preparing.menu_of(job.mapping, Words(job.database, job.tenant).current()))
    if answer.verdict is not Verdict.ACCEPTED:  # people write the words all the same
        said.append(f"トークのメニューを更新できませんでした（{answer.reason}）。次の実行でもう一度更新します。")
    states = job.accounts.states()
    said += [
        f"従業員: {read.employees:,}名" + (f"（KING OF TIMEにいなくなった登録 {read.gone:,}名）" if read.gone else "")
        if read
        else preparing.CLOSED,
        *preparing.accounts_said(states),
    ]
    troubles = ["accounts"] if preparing.unusable(states) else []
    figures = {state.value: count for state, count in states.items()}
    return Figures(read.employees if read else 0, read.gone if read else 0, figures, said, troubles)


def _first_messages(job: Job) -> Figures:
    registered = job.accounts.registered(Selection(job.start.division, job.start.type))
    words = Words(job.database, job.tenant).current()
    added = first_message.send_first_messages(
        *(job.database, job.record.store, job.mapping, words, registered, utcnow())
    )
    minutes = first_message.minutes_for(added)
    said = f"初回メッセージ: 登録済み {len(registered):,}名のうち、まだ送っていない {added:,}名に送ります（約{minutes}分）。"
    return Figures(len(registered), said=[said])


def _start(tenant: Tenant, context: Any) -> RunStart:
    request = tenant.run_request(context)
    return RunStart(
        *(context["run_id"], Mode(request.mode.value), started(context), tenant.mapping, tenant.sheet.digest),
        *(request.settings.get("division", ""), request.settings.get("type", "")),
    )


def _job(tenant: Tenant, context: Any) -> Job:
    record = record_of(tenant, context)
    return Job(open_database(settings.database_url()), record, record.read(RunStart))


def _is_closed(connection: str) -> bool:
    """KING OF TIME cannot be tried in the hours in which it must not be read."""
    return connection.startswith("kingoftime__") and reading_opens_in(utcnow()) > 0
