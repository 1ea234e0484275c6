"""What a worker makes once for all its tasks: see renkei.orchestration.preload."""

from __future__ import annotations

import subprocess
import sys

MADE = """
import renkei.orchestration.preload
from renkei.adapters import adapter_of
from renkei.links.smarthr_emc.records import Plan, RunSheet, RunStart
from renkei.orchestration.link import LINKS
from renkei.runs.hold import HeldPlan
from renkei.sheets.load import form_of
before = adapter_of.cache_info().currsize
for model in (Plan, RunSheet, RunStart, HeldPlan):
    adapter_of(model)
for link in LINKS.values():
    form_of(link.sheets())
print(before, adapter_of.cache_info().currsize - before)
"""


def test_a_forked_task_inherits_what_reads_and_writes_every_record_and_sheet() -> None:
    done = subprocess.run([sys.executable, "-c", MADE], capture_output=True, text=True, check=True)
    made, missing = map(int, done.stdout.split())
    assert (made > 100, missing) == (True, 0)
