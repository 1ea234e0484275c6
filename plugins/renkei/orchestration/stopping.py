"""Whether whoever runs this task wants it to end, or is not there any more: a pump would work on for half an hour.

Celery's worker, asked to stop, takes no more tasks and waits for those that it has; nobody tells them. So it leaves a
file with its process id (`celery_config`), which a long task looks for.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import psutil  # type: ignore[import-untyped]


def file_of(pid: int) -> Path:
    """Is there from when the worker of this process id was asked to stop."""
    return Path(tempfile.gettempdir(), f"renkei-worker-{pid}-stops")


class ParentProcesses:
    """The processes above this one, as they were when it began."""

    def __init__(self) -> None:
        self._parent = os.getppid()
        try:
            above = psutil.Process().parents()
        except psutil.Error:  # a machine that hides them from us
            above = []
        self._files = [file_of(process.pid) for process in above]

    def wants_end(self) -> bool:
        """One of them was asked to stop; or the one that started us is gone, and nobody will hear of what we do."""
        return os.getppid() != self._parent or any(file.exists() for file in self._files)
