"""What the task that closes a run leaves in XComs, for whoever ends the run (`ended_run`) and for the pages."""

from __future__ import annotations

from typing import Any

SUMMARY_KEY = "summary"  # of the XCom of the task that closed the run: a list of lines
WELL_KEY = "well"  # of its XCom, with the id of that very try: it found a good end on record
TOLD_KEY = "told"  # of the XCom of who stands in for `notify`, with what that would have given back: a task that ended
# its run early (`early_end`), or `outcome`, where `notify` failed


def mark_run_good(context: Any) -> None:
    """Record that this try found a good end; called by the task that closes the run."""
    context["ti"].xcom_push(key=f"{WELL_KEY} {context['ti'].id}", value=True)
