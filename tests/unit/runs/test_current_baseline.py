"""Where a tenant stands, and what tells that it once stood somewhere."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from renkei.errors import BaselineError
from renkei.runs.current_baseline import current_baseline, was_linked
from renkei.runs.outcome import End
from renkei.storage.baselines import Baseline, Baselines
from renkei.storage.runs import Loaded, RunRecord

AT = dt.datetime(2026, 4, 1, 4, 31, tzinfo=dt.UTC)


def promote(record: RunRecord, generation: int) -> None:
    baseline = Baseline(generation, record.run, "digest", f"key {generation}", AT.isoformat(), 1, 1)
    Baselines(record.tenant_folder).promote(baseline)


def test_e31_before_the_first_link_there_is_nothing_to_compare_with(record: RunRecord) -> None:
    """None, not an error: tables, records, run and generation."""
    where = current_baseline(record.tenant_folder)
    assert (where.table("users"), where.read(End, "結果"), where.run, where.generation) == (None, None, "", 0)


def test_l3_what_the_baselines_run_left_is_what_is_compared_with(record: RunRecord) -> None:
    """The newest one's."""
    for generation, run in enumerate(("first", "second"), 1):
        one = record.sibling(run)
        one.write_table("users", pd.DataFrame({"user_id": [run]}, dtype="str"))
        one.write(End(run, AT))
        promote(one, generation)
    where = current_baseline(record.tenant_folder)
    users, end = where.table("users", ["user_id"]), where.read(End, "結果")
    assert (where.run, where.generation, end) == ("second", 2, End("second", AT))
    assert users is not None
    assert users["user_id"].tolist() == ["second"]


def test_e31_a_baseline_whose_run_is_gone_is_a_lost_one(record: RunRecord) -> None:
    """Never none: it would be taken for a first link, or an empty table for one that nobody was in."""
    promote(record.sibling("first"), 1)
    where = current_baseline(record.tenant_folder)
    with pytest.raises(BaselineError, match="first の users"):
        where.table("users")
    with pytest.raises(BaselineError, match="前回データの結果"):
        where.read(End, "結果")


@pytest.mark.parametrize(
    ("loaded", "linked"), [((), False), (("b",), True), (("a", "b", "c"), True), (("today",), True)]
)
def test_e31_one_run_that_was_loaded_tells_of_a_lost_baseline(
    record: RunRecord, loaded: tuple[str, ...], linked: bool
) -> None:
    """Whatever the others came to; also this one, cleared after its baseline was lost."""
    for run in ("a", "b", "c", "today"):
        record.sibling(run).write(End("", AT))
    for run in loaded:
        record.sibling(run).write(Loaded(AT))
    assert was_linked(record) is linked
