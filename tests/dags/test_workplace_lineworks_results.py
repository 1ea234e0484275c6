"""What is told of WORKPLACE → LINE WORKS' 照合: differences that are new, and of one that finds nothing, nothing (C8)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from renkei.links.workplace_lineworks.model import Mode
from renkei.orchestration.link import LINKS
from renkei.orchestration.report import Report, RunEnd
from renkei.orchestration.tenant import Tenant
from renkei.orchestration.workplace_lineworks import results
from renkei.runs.outcome import GOOD_ENDS, End, Outcome
from renkei.sheets.compiled import Compiled
from tests.harness.workplace_lineworks import MAPPING, AbsenceWorld, day

NIGHTLY = "scheduled__2026-11-29T17:27:30+00:00__reconcile"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AbsenceWorld:
    world = AbsenceWorld(tmp_path)
    monkeypatch.setenv("RENKEI_STORE", (tmp_path / "store").as_uri())
    monkeypatch.setattr(results.connections, "database", lambda: world.database)
    monkeypatch.setattr(results, "utcnow", lambda: world.clock)
    for number in ("A-1", "A-2"):
        world.workplace.put(number, day("2026-12-15"))
    world.run()
    return world


def compare(world: AbsenceWorld, run_id: str = NIGHTLY) -> Report:
    """A 照合, and what is told of it; somebody hears it."""
    record = world.run(Mode.RECONCILE).record
    outcome = GOOD_ENDS[record.read(End).result]
    tenant = Tenant(LINKS["workplace_lineworks"], "acme", Compiled("acme", "", world.mapping), "acme.yaml", "")
    told = results.report(RunEnd(tenant, record, outcome, "", world.clock, world.clock, run_id=run_id))
    if not told.quiet:
        told.heard()
    return told


def test_c8_of_a_night_that_finds_no_difference_nobody_is_told_but_who_asks(world: AbsenceWorld) -> None:
    assert [compare(world, run_id).quiet for run_id in (NIGHTLY, "manual__x")] == [True, False]


def test_n1_what_is_told_names_the_company_and_its_tenant(world: AbsenceWorld) -> None:
    """N1: the sheet's 会社名; where it has none, the tenant alone."""
    for company, named in (("株式会社アクメ", "株式会社アクメ（acme）"), ("", "acme")):
        sheet = Compiled("acme", "", world.mapping, company_name=company)
        tenant = Tenant(LINKS["workplace_lineworks"], "acme", sheet, "acme.yaml", "")
        end = RunEnd(tenant, world.run().record, Outcome.OK, "", world.clock, world.clock, run_id="manual__x")
        assert results.report(end).message.title.startswith(f"【成功】WORKPLACE → LINE WORKS: {named} ")


def test_c8_a_difference_is_told_each_time_it_is_put_back(world: AbsenceWorld) -> None:
    for _ in range(2):
        world.calendar.events.popitem()
        told = compare(world)
        assert (told.quiet, told.calls) == (False, True)
        assert "照合: 違いあり" in told.message.subject
        assert "消えていた予定 1件" in "\n".join(told.message.lines)
        assert "登録し直します" in told.message.lines[-1]
        assert compare(world).quiet


def test_c8_what_is_left_is_told_once_a_week_and_another_difference_at_once(world: AbsenceWorld) -> None:
    world.mapping = replace(MAPPING, restore=False)
    world.calendar.events.popitem()
    first = compare(world)
    assert "そのままです" in first.message.lines[-1]
    found = [first.quiet, compare(world).quiet]
    world.clock += dt.timedelta(days=7)
    found += [compare(world).quiet for _ in range(2)]
    world.calendar.events.popitem()
    assert [*found, compare(world).quiet] == [False, True, False, True, False]
