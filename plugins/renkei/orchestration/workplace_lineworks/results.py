"""What is told of a run (C3, C9, C10): trouble once, its end once, failed absences once; of a quiet run nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import replace

from renkei.channel import Event
from renkei.clock import utcnow
from renkei.links.workplace_lineworks import history
from renkei.links.workplace_lineworks.events import worker
from renkei.links.workplace_lineworks.model import Compared, Fetched, Planned, ToldDifferences, Written
from renkei.links.workplace_lineworks.sheet.mapping import Mapping
from renkei.links.workplace_lineworks.tables import FAILED
from renkei.links.workplace_lineworks.wording import (
    DOUBTFUL_READ,
    FAILED_ABSENCES,
    HELD,
    LEFT_ALONE,
    MAX_LISTED,
    OVER,
    PUT_BACK,
    doubts,
    figures,
    listed,
)
from renkei.orchestration.report import Report, RunEnd, plain_report
from renkei.orchestration.workplace_lineworks import connections
from renkei.runs import notes
from renkei.runs.outcome import Outcome
from renkei.runs.troubles import Troubles
from renkei.storage import records

REMIND_AFTER = dt.timedelta(days=6, hours=12)  # a week; a run may be early
IS_HELD, DOUBTS = "held", "doubtful read"


def report(end: RunEnd) -> Report:
    """Raises StoreError: the record, or the rows, cannot be read."""
    if end.record is None:
        return plain_report(end, [])
    database, tenant, now = connections.database(), end.tenant.name, utcnow()
    fetched, planned = end.record.read_or_none(Fetched), end.record.read_or_none(Planned)
    written, compared = end.record.read_or_none(Written), end.record.read_or_none(Compared)
    count = history.counts(database, tenant).get(FAILED, 0)
    absences = history.failed(database, tenant, MAX_LISTED) if count else []
    kinds = {*_kinds(end, fetched, planned)}
    known = Troubles(database, end.tenant.link.name, tenant)
    new, news = known.untold(kinds, now), history.count_untold(database, tenant)
    ended = known.over(kinds) if end.outcome.succeeded else set()
    texts = [*figures(fetched, planned, written, compared), *listed(absences, count)]
    mapping: Mapping | None = end.tenant.sheet.mapping
    if mapping and compared and (compared.missing or compared.changed):
        texts.append(PUT_BACK if mapping.restore else LEFT_ALONE)
    found = plain_report(end, texts)
    by_itself = end.run_id.startswith("scheduled__")
    is_well = end.outcome is Outcome.OK or (end.outcome is Outcome.COMPARED and by_itself)
    subject = _subject(new, news, ended) if is_well else ""
    if subject:
        event = {OVER: Event.SUCCESS, HELD: Event.HOLD}.get(subject, Event.FAILURE)
        title = f"【{event.label}】{end.tenant.link.label}: {tenant} {subject}"
        mail = replace(found.message, title=title, subject=f"{subject} {end.tenant.sheet.company}")
        found = replace(found, event=event, message=mail, operators_message=mail)
    folder = end.tenant.folder()
    differs = compared if compared and end.outcome is Outcome.DIFFERS else None

    def heard() -> None:
        known.note_told(kinds, now)
        history.note_told(database, tenant, now)
        if differs:
            records.write(folder.store, folder.last_comparison, ToldDifferences(differs.of, now))

    is_new = differs is not None and not _is_left(end, differs, now)
    quiet = by_itself and not (new or news or ended or is_new)
    return replace(found, quiet=quiet, calls=not quiet, heard=heard)


def _is_left(end: RunEnd, differs: Compared, now: dt.datetime) -> bool:
    """Whether it is what somebody has heard of, and what is left as it is, night after night."""
    if end.tenant.mapping.restore and differs.removed == differs.strays:
        return False  # put back: found again, it is another one
    folder = end.tenant.folder()
    told = notes.read(folder.store, folder.last_comparison, ToldDifferences)
    return told is not None and told.of == differs.of and now - told.at < REMIND_AFTER


def _kinds(end: RunEnd, fetched: Fetched | None, planned: Planned | None) -> Iterator[str]:
    """The troubles that this run has met, each by a name that stays the same while it lasts."""
    if planned and planned.held:
        yield IS_HELD
    if fetched and [*doubts(fetched)]:
        yield DOUBTS
    if end.outcome is Outcome.SETTING:  # another setting is another trouble
        yield f"{end.outcome} {hashlib.sha256(end.message.encode()).hexdigest()[:12]}"
    elif not end.outcome.succeeded and not end.outcome.waiting:
        yield end.outcome.value


def _subject(new: set[str], news: int, ended: set[str]) -> str:
    """Of a run that ended well, what somebody should see first; empty where there is nothing but the run."""
    if IS_HELD in new:
        return HELD
    if DOUBTS in new:
        return DOUBTFUL_READ
    if news:
        return FAILED_ABSENCES
    return OVER if ended else ""


def tidy(now: dt.datetime, keep: dt.timedelta) -> int:
    """Deletes what is kept of absences, and of documents, that were over so long ago; raises StoreError."""
    return history.tidy(connections.database(), now, keep) + worker.forget(connections.database(), now)
