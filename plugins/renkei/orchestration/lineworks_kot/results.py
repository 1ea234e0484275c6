"""What is told of a run (P15, P19): trouble once, its end once; of a quiet run nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from renkei import settings
from renkei.channel import Event
from renkei.clock import utcnow
from renkei.links.lineworks_kot.model import Figures, Observations, RunStart
from renkei.links.lineworks_kot.stages.reconcile import DOUBLED, MISSING, REFUSED, SILENT, Reconciliation
from renkei.links.lineworks_kot.wording import NEEDS_SOMEBODY, OVER
from renkei.orchestration.report import Report, RunEnd, plain_report
from renkei.runs.outcome import Outcome
from renkei.runs.troubles import Troubles
from renkei.storage.database.database import open_database

LOOKED = (Outcome.OK, Outcome.DIFFERS)  # of a run that saw to everything
BY_COMPARING = (MISSING, DOUBLED)


def report(end: RunEnd) -> Report:
    """Raises StoreError: the record, or the rows, cannot be read."""
    if end.record is None:
        return plain_report(end, [])
    figures = end.record.read_or_none(Figures) or Figures()
    noticed = end.record.read_or_none(Observations) or Observations()
    compared = end.record.read_or_none(Reconciliation)
    said = [*noticed.said, *figures.said, *(compared.said() if compared else ())]
    found, now = plain_report(end, said), utcnow()
    kinds = {*figures.troubles, *noticed.troubles, *(compared.troubles if compared else ()), *_failed(end)}
    troubles = Troubles(open_database(settings.database_url()), end.tenant.link.name, end.tenant.name)
    known = troubles.over(())
    start = end.record.read_or_none(RunStart)
    if (
        end.outcome not in LOOKED or start is None or not start.mode.refreshes
    ):  # it has not looked at what is wrong: nothing of it is over
        kinds |= known
    elif compared is None:
        kinds |= {kind for kind in known if kind.startswith(BY_COMPARING)}
    new = troubles.untold(kinds, now)
    ended = {
        kind for kind in known - kinds if not kind.startswith((*BY_COMPARING, SILENT, REFUSED))
    }  # those end by their day
    subject = NEEDS_SOMEBODY if new else OVER if ended else ""
    if subject and end.outcome in LOOKED:
        event = Event.SUCCESS if subject == OVER else Event.FAILURE
        title = f"【{event.label}】{end.tenant.link.label}: {end.tenant.name} {subject}"
        message = replace(found.message, title=title, subject=f"{subject} {end.tenant.sheet.company}")
        found = replace(found, event=event, message=message, operators_message=message)
    by_itself = end.run_id.startswith("scheduled__")
    return replace(found, quiet=by_itself and not (new or ended), heard=lambda: troubles.note_told(kinds, now))


def _failed(end: RunEnd) -> Iterator[str]:
    """How the run failed, by a name that stays the same while it lasts; another setting is another trouble."""
    if end.outcome is Outcome.SETTING:
        yield f"{end.outcome} {hashlib.sha256(end.message.encode()).hexdigest()[:12]}"
    elif not end.outcome.succeeded:
        yield end.outcome.value
