"""What is told of a run (K15, K17, K18, K20): trouble once, its end once, failed records once; of a quiet run nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from renkei.channel import Event
from renkei.clock import utcnow
from renkei.links.hotprofile_kintone import conflicts, history, troubles
from renkei.links.hotprofile_kintone.history import Processed, State
from renkei.links.hotprofile_kintone.model import host_of
from renkei.links.hotprofile_kintone.quota import WARN_AT, Quota, day
from renkei.links.hotprofile_kintone.sheet.mapping import Mapping
from renkei.links.hotprofile_kintone.stages.trial import PASSED, Tested
from renkei.links.hotprofile_kintone.wording import (
    CONFLICTS,
    FAILED_RECORDS,
    MAX_LISTED,
    OVER,
    QUOTA_NEAR,
    QUOTA_SPENT,
    TESTED,
    conflict_lines,
    figures,
    listed,
)
from renkei.orchestration.hotprofile_kintone import connections
from renkei.orchestration.report import Report, RunEnd, plain_report
from renkei.runs.outcome import Outcome
from renkei.runs.troubles import Troubles
from renkei.storage.database.database import Database

SPENT, NEAR = "quota spent", "quota near"
NEAR_MEANS = "上限に達すると、残りは保留し、翌日0:00以降に自動で再開します。"


def report(end: RunEnd) -> Report:
    """Raises StoreError: the record, or the rows, cannot be read."""
    if end.record is None:
        return plain_report(end, [])
    database, tenant, now = connections.database(), end.tenant.name, utcnow()
    lines = history.of_run(database, tenant, end.record.run)
    failed = sum(one.failed for one in history.data_set_statuses(database, tenant).values())
    records = history.failed_records(database, tenant, limit=MAX_LISTED) if failed else []
    causes = history.causes(database, tenant) if failed > MAX_LISTED else []
    tested = end.record.read_or_none(Tested)
    mapping: Mapping | None = end.tenant.sheet.mapping
    watched = {one.name for one in mapping.data_sets if one.watched} if mapping else set()
    quotas = list(_quotas(database, mapping)) if mapping else []
    changed = conflicts.count(database, tenant, untold=True)
    texts = [
        *([PASSED] if tested else []),
        *(text for line in lines for text in figures(line, is_watched=line.data_set in watched)),
        *(said for _, said in quotas),
        *listed(records, failed, causes),
        *conflict_lines(conflicts.listed(database, tenant, limit=MAX_LISTED, untold=True), changed),
    ]
    above = end.message.splitlines()  # what stopped a data set stands in its line, too: it is read once
    texts = [text for text in texts if not any(line.endswith(text.strip()) for line in above)]
    kinds = {*_kinds(end, lines), *(kind for kind, _ in quotas)}
    known = Troubles(database, end.tenant.link.name, tenant)
    new, ended = known.untold(kinds, now), known.over(kinds)
    news = troubles.count_untold_records(database, tenant)
    ended = {kind for kind in ended if not kind.startswith((SPENT, NEAR))} if end.outcome.succeeded else set()
    found = plain_report(end, texts)
    subject = TESTED if tested and end.outcome.succeeded else ""
    if end.outcome is Outcome.OK:
        subject = _subject(new, news, changed, ended)
    if subject:
        event = Event.SUCCESS if subject in (OVER, TESTED) else Event.FAILURE
        title = f"【{event.label}】{end.tenant.link.label}: {tenant} {subject}"
        mail = replace(found.message, title=title, subject=f"{subject} {end.tenant.sheet.company}")
        found = replace(found, event=event, message=mail, operators_message=mail)
    by_itself = end.run_id.startswith("scheduled__")

    def heard() -> None:
        known.note_told(kinds, now)
        troubles.note_records_told(database, tenant, now)
        conflicts.note_told(database, tenant, now)

    return replace(found, quiet=by_itself and not (new or news or changed or ended), heard=heard)


def _kinds(end: RunEnd, lines: Sequence[Processed]) -> Iterator[str]:
    """The troubles that this run has met, each by a name that stays the same while it lasts."""
    today = day(end.ended).isoformat()
    if any(line.state is State.HELD for line in lines):
        yield f"{SPENT} {today}"
    if end.outcome is Outcome.SETTING:  # another setting is another trouble
        yield f"{end.outcome} {hashlib.sha256(end.message.encode()).hexdigest()[:12]}"
    elif not end.outcome.succeeded:
        yield end.outcome.value


def _quotas(database: Database, mapping: Mapping) -> Iterator[tuple[str, str]]:
    """The apps that have had four fifths of the day's requests (K15)."""
    now = utcnow()
    for data_set in mapping.enabled:
        quota = Quota(database, host_of(mapping), data_set.app, mapping.daily_requests)
        used = quota.used(now)
        if used >= WARN_AT * quota.most:
            said = f"kintoneアプリ {data_set.app}: 本日のAPIリクエスト数 {used:,} / {quota.most:,}。{NEAR_MEANS}"
            yield f"{NEAR} {data_set.app} {day(now)}", said


def _subject(new: set[str], news: int, changed: int, ended: set[str]) -> str:
    """Of a run that ended well, what somebody should see first; empty where there is nothing but the run."""
    if any(kind.startswith(SPENT) for kind in new):
        return QUOTA_SPENT
    if news:
        return FAILED_RECORDS
    if changed:
        return CONFLICTS
    if new:
        return QUOTA_NEAR
    return OVER if ended else ""


def tidy(now: dt.datetime, keep: dt.timedelta) -> int:
    """Deletes the lines of データ処理状況一覧 that are old enough; raises StoreError."""
    return history.tidy(connections.database(), now, keep)
