"""What is told of a run (P15, P19): trouble once, its end once; of a quiet run nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from renkei import settings
from renkei.channel import Event
from renkei.clock import utcnow
from renkei.links.lineworks_kot.model import Figures
from renkei.links.lineworks_kot.wording import NEEDS_SOMEBODY, OVER
from renkei.orchestration.report import Report, RunEnd, plain_report
from renkei.runs.outcome import Outcome
from renkei.runs.troubles import Troubles
from renkei.storage.database.database import open_database


def report(end: RunEnd) -> Report:
    """Raises StoreError: the record, or the rows, cannot be read."""
    figures = end.record.read_or_none(Figures) if end.record else None
    found = plain_report(end, figures.said if figures else [])
    if end.record is None:
        return found
    now, kinds = utcnow(), {*_kinds(end, figures)}
    troubles = Troubles(open_database(settings.database_url()), end.tenant.link.name, end.tenant.name)
    new = troubles.untold(kinds, now)
    ended = troubles.over(kinds) if end.outcome.succeeded else set()
    subject = NEEDS_SOMEBODY if new else OVER if ended else ""
    if subject and end.outcome is Outcome.OK:
        event = Event.SUCCESS if subject == OVER else Event.FAILURE
        title = f"【{event.label}】{end.tenant.link.label}: {end.tenant.name} {subject}"
        message = replace(found.message, title=title, subject=f"{subject} {end.tenant.sheet.company}")
        found = replace(found, event=event, message=message, operators_message=message)
    by_itself = end.run_id.startswith("scheduled__")
    return replace(found, quiet=by_itself and not (new or ended), heard=lambda: troubles.note_told(kinds, now))


def _kinds(end: RunEnd, figures: Figures | None) -> Iterator[str]:
    """The troubles that this run has met, each by a name that stays the same while it lasts."""
    yield from figures.troubles if figures else ()
    if end.outcome is Outcome.SETTING:  # another setting is another trouble
        yield f"{end.outcome} {hashlib.sha256(end.message.encode()).hexdigest()[:12]}"
    elif not end.outcome.succeeded:
        yield end.outcome.value
