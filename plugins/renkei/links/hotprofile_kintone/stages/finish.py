"""What a run came to, when all its data sets are seen to (K8, K15, K17, K18)."""

from __future__ import annotations

from sqlalchemy import func, select

from renkei.errors import LoadError, SettingError
from renkei.links.hotprofile_kintone import history
from renkei.links.hotprofile_kintone.history import Processed, State
from renkei.links.hotprofile_kintone.model import Job, Mode, Now
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet
from renkei.links.hotprofile_kintone.tables import FAILED, WORK
from renkei.runs.outcome import note_end


def finish(job: Job, now: Now) -> str:
    """Note a good end: all was written that could be. What waits for tomorrow's requests, or failed and is listed, is
    no bad end.

    Raises:
        SettingError: a data set was stopped, and a person has to see to it; the others have been written.
        LoadError: kintone could not be reached; the next run goes on.
    """
    lines = list(history.lines(job).values())
    for kind, state in ((SettingError, State.STOPPED), (LoadError, State.AWAY)):
        if stopped := [line for line in lines if line.state is state]:
            raise kind("\n".join(map(_said, stopped)))
    for data_set in job.data_sets:  # of a run that only counts, nobody has ended the lines
        if any(line.data_set == data_set.name and line.state is State.RUNNING for line in lines):
            history.note(job, data_set, state=State.DONE.value, ended_at=now())
    result = "compared" if job.mode is Mode.RECONCILE else "loaded" if job.mode.writes else "checked"
    note_end(job.record, result, now())
    return result


def end_line(job: Job, data_set: DataSet, state: State, said: str, now: Now) -> None:
    """What became of a data set in this run, with what is left of its work."""
    of = (WORK.c.tenant == job.tenant, WORK.c.data_set == data_set.name)
    with job.database.writing() as connection:
        held = connection.scalar(select(func.count()).where(*of, WORK.c.state != FAILED))
        failed = connection.scalar(select(func.count()).where(*of, WORK.c.state == FAILED))
        values = {"held": held, "failed": failed, "state": state.value, "said": said, "ended_at": now()}
        history.note(job, data_set, connection, **values)


def finish_if_idle(job: Job, now: Now) -> bool:
    """After `plan`: end the run where it has nothing to write, as its writes would; else False, and nothing is noted."""
    lines = history.lines(job)
    if not job.mode.writes or any(line.state is not State.RUNNING or line.held for line in lines.values()):
        return False
    for data_set in job.data_sets:
        if data_set.name in lines:
            end_line(job, data_set, State.DONE, "", now)
    finish(job, now)
    return True


def _said(line: Processed) -> str:
    return f"{line.label}: {line.said}"
