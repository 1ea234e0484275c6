"""What a run came to."""

from __future__ import annotations

from renkei.errors import LoadError
from renkei.links.workplace_lineworks.model import Compared, Job, Mode, Now, Planned, Written
from renkei.runs.outcome import note_end


def finish(job: Job, now: Now) -> str:
    """Note a good end: all was written that could be. What failed and is listed, or is held, is no bad end.

    Raises:
        LoadError: LINE WORKS could not be reached; the next run goes on.
    """
    written = job.record.read_or_none(Written)
    if written and written.said:
        raise LoadError(written.said)
    compared = job.record.read_or_none(Compared)
    result = "loaded" if job.mode.writes else "checked"
    if job.mode is Mode.RECONCILE and compared:
        result = "differs" if compared.of else "compared"
    note_end(job.record, result, now())
    return result


def finish_if_idle(job: Job, now: Now) -> bool:
    """After `plan`: end the run where it has nothing to write, as `write_calendar` would; else False."""
    planned = job.record.read_or_none(Planned) or Planned()
    if job.mode in (Mode.RELEASE, Mode.RECONCILE) or planned.waiting:
        return False
    job.record.write(Written(failed=planned.failed, held=planned.held))
    finish(job, now)
    return True
