"""Folders for tests: where much is written, and where Airflow looks for Dag files."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def in_memory() -> tempfile.TemporaryDirectory[str]:
    """A folder where flushing costs nothing, if the machine has one: these tests write thousands of small files."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="renkei-", dir=memory if os.access(memory, os.W_OK) else None)


def dags_in(folder: Path, *names: str) -> Path:
    """A folder below `folder` with these Dag files of ours alone: the others would be parsed again and again, and run."""
    dags = folder / "dags"
    dags.mkdir()
    for name in names:
        shutil.copyfile(ROOT / "dags" / name, dags / name)
    return dags
