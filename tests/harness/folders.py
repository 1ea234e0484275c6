"""Folders for tests that write much."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def in_memory() -> tempfile.TemporaryDirectory[str]:
    """A folder where flushing costs nothing, if the machine has one: these tests write thousands of small files."""
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="renkei-", dir=memory if os.access(memory, os.W_OK) else None)
