"""The command `renkei` as an operator types it, with a Japanese terminal."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import pytest

from renkei.commands.app import main

Done = subprocess.CompletedProcess[str]
# The last: where the SmartHR of the sample sheets is.
SETTINGS = {"LC_ALL": "ja_JP.UTF-8", "PYTHONUTF8": "1", "RENKEI_ALLOWED_HOSTS": "127.0.0.1:8181"}


def renkei(*words: str | Path, **environment: str) -> Done:
    """The command, run in this process: one of its own takes seconds to start, and would do the same."""
    command = ["renkei", *map(str, words)]
    out, err, muted = io.StringIO(), io.StringIO(), logging.root.manager.disable
    # What it sets for itself is undone: the environment, how much Airflow logs, who prints what nobody has caught.
    # Whom an earlier test's task asked for its Connections is nobody here.
    with (
        patch.dict(os.environ, _environment(environment), clear=True),
        pytest.MonkeyPatch.context() as patched,
        patch.object(sys, "excepthook", sys.excepthook),
        patch.object(sys, "argv", command),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        if task_runner := sys.modules.get("airflow.sdk.execution_time.task_runner"):
            patched.delattr(task_runner, "SUPERVISOR_COMMS", raising=False)
        try:
            main()
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
        finally:
            logging.disable(muted)
    return Done(command, status, out.getvalue(), err.getvalue())


def renkei_process(*words: str | Path, **environment: str) -> Done:
    """The same in a process of its own: for how it starts, and that nothing but its answer is printed."""
    command = [str(Path(sys.executable).with_name("renkei")), *map(str, words)]
    return subprocess.run(
        command, env=_environment(environment), capture_output=True, text=True, timeout=120, check=False
    )


def _environment(given: dict[str, str]) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if name not in ("LANGUAGE", "LC_MESSAGES", "LANG")}
    return own | SETTINGS | given
