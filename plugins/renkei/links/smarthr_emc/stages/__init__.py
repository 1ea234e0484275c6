"""What a run does, each stage in the module of its task's name (E2); `open_run` is the beginning of the first."""

from renkei.links.smarthr_emc.stages import approve, diff, fetch, load, open_run, snapshot, validate

__all__ = ["approve", "diff", "fetch", "load", "open_run", "snapshot", "validate"]
