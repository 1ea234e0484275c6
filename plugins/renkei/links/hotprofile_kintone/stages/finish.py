"""What a run came to, when all its data sets are seen to (K8, K15, K17, K18)."""

from __future__ import annotations

from renkei.errors import LoadError, SettingError
from renkei.links.hotprofile_kintone import history
from renkei.links.hotprofile_kintone.history import Processed, State
from renkei.links.hotprofile_kintone.model import Job, Mode, Now
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
    result = "compared" if job.mode is Mode.RECONCILE else "loaded" if job.mode.writes else "checked"
    note_end(job.record, result, now())
    return result


def _said(line: Processed) -> str:
    return f"{line.label}: {line.said}"
