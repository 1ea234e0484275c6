"""Indexes that are asked for again: the newest in memory, as many as fit, made one at a time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from renkei.links.smarthr_emc.people.index import PeopleIndex
from renkei.links.smarthr_emc.people.make_index import people_index
from renkei.links.smarthr_emc.records import DiffSummary, Plan, PlanWarnings
from renkei.storage.runs import RunRecord

MOST_BYTES = 256 * 1024 * 1024  # one company of a million people takes 160 MB


class IndexCache:
    """Of one process; from any thread."""

    def __init__(self, most_bytes: int = MOST_BYTES, make: Callable[[RunRecord], PeopleIndex] = people_index) -> None:
        self._most, self._make = most_bytes, make
        self._kept: OrderedDict[object, PeopleIndex] = OrderedDict()  # the last one asked for comes last
        self._lock = threading.Lock()
        self._making = threading.Lock()  # room for more than one would be memory that nobody has counted

    def __call__(self, run: RunRecord) -> PeopleIndex:
        """The index of a run as far as it has come; raises as `people_index`."""
        name = run.store.root, run.folder, _came(run)
        found = self._found(name)
        if found is not None:
            return found
        with self._making:
            found = self._found(name)  # somebody else has made it meanwhile
            return found if found is not None else self._keep(name, self._make(run))

    @property
    def nbytes(self) -> int:
        with self._lock:
            return sum(one.nbytes for one in self._kept.values())

    def _found(self, name: object) -> PeopleIndex | None:
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._kept.get(name)

    def _keep(self, name: object, made: PeopleIndex) -> PeopleIndex:
        with self._lock:
            self._kept[name] = made
            while len(self._kept) > 1 and sum(one.nbytes for one in self._kept.values()) > self._most:
                self._kept.popitem(last=False)
        return made


def _came(run: RunRecord) -> tuple[object, ...]:
    """What an index of it is made of; other than that nothing of a run changes."""
    plan = run.read_or_none(Plan)
    return run.has(DiffSummary), run.has(PlanWarnings), plan.digest if plan else ""
