"""After a new log-in at SmartHR the first deletions wait for a person: it may see fewer people than the last one (E34)."""

from __future__ import annotations

from typing import Any

import pytest

from renkei.errors import HoldError, RefusedFetchError
from renkei.links.smarthr_emc import fetch, stages
from renkei.links.smarthr_emc.model import Mode
from renkei.links.smarthr_emc.rehearsal import rehearse
from renkei.links.smarthr_emc.stages.job import Job
from tests.harness.tenant import FORMAT, LINK, NOW
from tests.harness.world import World, ids

FIRST, SECOND = "2026-10-01T09:00:00+09:00", "2026-11-01T09:00:00+09:00"


@pytest.fixture
def read(linked: World) -> World:
    """A baseline that was read by the first log-in."""
    linked.tenant.log_in = FIRST
    linked.day(joiners=1)
    assert linked.tenant.run() == "loaded"
    return linked


def hide(world: World, people: int) -> None:
    """The log-in does not see the first of those who work there."""
    unseen = [crew["id"] for crew in world.active()[:people]]
    world.smarthr.sim("PATCH", "companies/acme", {"hidden_crews": unseen})


def held(job: Job) -> list[tuple[str, int]]:
    return [(hold["kind"], hold["count"]) for hold in job.record.json("hold")["holds"]]


def test_e34_two_people_whom_a_new_log_in_does_not_see_are_asked_about_once(read: World) -> None:
    """Held and rehearsed alike; once approved and loaded the next deletion by the same log-in waits for nobody."""
    before, tenant = read.state(), read.tenant
    tenant.log_in = SECOND
    hide(read, 2)
    rehearsed = rehearse(read.store, LINK, tenant.mapping, FORMAT, NOW, source=tenant.client(), target=tenant.target)
    assert rehearsed.verdict == "held"
    job = tenant.plan(manual=False)
    (hold,) = job.record.json("hold")["holds"]
    assert (hold["kind"], hold["count"]) == ("unseen", 2)
    assert "社員2件・部署0件" in hold["text"]
    assert [one.text for one in rehearsed.holds] == [hold["text"]]
    with pytest.raises(HoldError):
        tenant.load(job)
    assert read.state() == before

    stages.approve.decide(job, True, "tanto", "退職の確認済み", NOW)
    assert tenant.load(job) == "loaded"
    assert tenant.run() == "unchanged"
    hide(read, 3)
    assert tenant.run(manual=False) == "loaded"
    assert sorted(read.users()) == ids(read.active()[3:])


def test_e34_a_refusal_asks_again_until_somebody_logs_in_who_sees_everybody(read: World) -> None:
    """Every day, for the baseline is still the first log-in's; then nothing is left to ask, and nobody has gone."""
    users, tenant = set(read.users()), read.tenant
    hide(read, 1)
    tenant.log_in = SECOND
    for _ in range(2):
        job = tenant.plan(manual=False)
        assert held(job) == [("unseen", 1)]
        with pytest.raises(HoldError):
            stages.approve.decide(job, False, "tanto", "在籍しています", NOW)
    hide(read, 0)
    tenant.log_in = "2026-11-02T09:00:00+09:00"
    read.day(joiners=1)
    assert tenant.run(manual=False) == "loaded"
    assert users < set(read.users())


@pytest.mark.parametrize("by", ["", SECOND], ids=["an access token", "a log-in"])
def test_e34_a_department_that_is_seen_no_more_and_an_id_that_is_lost_are_asked_about_too(read: World, by: str) -> None:
    """An item may be hidden as a person may; from a log-in to an access token is a change as well."""
    read.tenant.log_in = by
    read.day(lost_codes=1)
    read.dissolve()
    job = read.tenant.plan(manual=False)
    assert held(job)[-1] == ("unseen", 2)
    assert "社員1件・部署1件" in job.record.json("hold")["holds"][-1]["text"]


def test_e34_a_department_with_another_code_is_not_asked_about(read: World) -> None:
    """Its old id goes, and SmartHR shows it all the same."""
    read.tenant.log_in = SECOND
    empty = read.found_department("D999")
    assert read.tenant.run(manual=False) == "loaded"
    read.tenant.log_in = "2026-11-02T09:00:00+09:00"
    read.company("PATCH", f"companies/acme/departments/{empty}", {"code": "D998"})
    assert read.tenant.run(manual=False) == "loaded"


@pytest.mark.parametrize(
    ("log_in", "day"),
    [(FIRST, {"leavers": 1}), (SECOND, {"retirements": 1, "renumbered": 1}), (SECOND, {"joiners": 1, "moves": 2})],
    ids=["the same", "seen to go", "nobody goes"],
)
def test_e34_nothing_is_asked_where_nobody_can_be_hidden(read: World, log_in: str, day: dict[str, int]) -> None:
    read.tenant.log_in = log_in
    read.day(**day)
    assert read.tenant.run(manual=False) == "loaded"


def test_e34_a_baseline_of_before_asks_nothing(linked: World) -> None:
    """An upgrade loads and holds nothing: by whom the baseline was read is not known."""
    linked.tenant.log_in = SECOND
    linked.day(leavers=1)
    assert linked.tenant.run(manual=False) == "loaded"


def test_e34_what_asks_by_itself_asks_once(read: World) -> None:
    """再連携 and 復元 show all that they delete, and 再連携 that fewer come back."""
    read.tenant.log_in = SECOND
    people = len(read.users())
    hide(read, 1)
    (hold,) = read.tenant.plan(Mode.RELINK).record.json("hold")["holds"]
    assert hold["kind"] == "delete_relink"
    assert f"社員{people}件" in hold["text"]
    assert f"社員{people - 1}件" in hold["text"]
    job = read.tenant.open(Mode.RESTORE)
    stages.snapshot.take_snapshot(job)
    stages.diff.make_diff(job, read.tenant.target, NOW)
    stages.validate.validate(job, read.tenant.target, FORMAT, NOW)
    assert [kind for kind, _ in held(job)] == ["restore"]


def test_e34_whom_a_freeze_kept_is_asked_about_after_it(read: World) -> None:
    """災害時凍結 loads by the new log-in and deletes nobody; the run after it is the first that would."""
    tenant = read.tenant
    tenant.disaster, tenant.log_in = True, SECOND
    read.day(joiners=1)
    hide(read, 1)
    assert tenant.run(manual=False) == "loaded"
    tenant.disaster = False
    assert held(tenant.plan(manual=False)) == [("unseen", 1)]


def test_e34_what_was_brought_back_is_asked_about_again(read: World) -> None:
    """復元 undoes the approved deletion; the daily run after it does not do it again by itself."""
    tenant = read.tenant
    tenant.log_in = SECOND
    hide(read, 1)
    job = tenant.plan()
    stages.approve.decide(job, True, "tanto", "", NOW)
    tenant.load(job)
    back = tenant.open(Mode.RESTORE)
    stages.snapshot.take_snapshot(back)
    stages.diff.make_diff(back, tenant.target, NOW)
    stages.validate.validate(back, tenant.target, FORMAT, NOW)
    stages.approve.decide(back, True, "tanto", "", NOW)
    assert tenant.load(back) == "loaded"
    assert held(tenant.plan(manual=False)) == [("unseen", 1)]


@pytest.mark.parametrize(("now", "after"), [(SECOND, SECOND), (None, "")], ids=["a log-in", "連携解除"])
def test_e3_a_log_in_while_departments_are_read_stops_the_run(
    read: World, monkeypatch: pytest.MonkeyPatch, now: str | None, after: str
) -> None:
    """They may be what the last one sees, in part or whole: what counts is by which the read began."""
    tenant, departments_of = read.tenant, fetch.fetch_departments

    def while_read(*given: Any) -> Any:
        found = departments_of(*given)
        tenant.log_in = now
        return found

    monkeypatch.setattr(fetch, "fetch_departments", while_read)
    job = tenant.open()
    stages.fetch.fetch_departments(job, tenant.client(), "read", tenant.now)
    tenant.log_in = after
    with pytest.raises(RefusedFetchError, match="許可が変わった"):
        stages.fetch.fetch_users(job, tenant.client(), tenant.now)


@pytest.mark.parametrize("late", [False, True])
def test_e3_a_log_in_between_departments_and_people_stops_the_run(
    read: World, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    """Both halves are what one log-in sees; what cannot be taken is not read, as after a task was cleared."""
    tenant, users_of, reads = read.tenant, fetch.fetch_users, []
    job, client = tenant.open(), tenant.client()
    stages.fetch.fetch_departments(job, client, "read", tenant.now)

    def while_read(*given: Any) -> Any:
        reads.append(users_of(*given))
        tenant.log_in = SECOND
        return reads[0]

    monkeypatch.setattr(fetch, "fetch_users", while_read)
    if not late:
        tenant.log_in = SECOND
    with pytest.raises(RefusedFetchError, match="許可が変わった"):
        stages.fetch.fetch_users(job, client, tenant.now)
    assert len(reads) == late
    assert not job.record.has(stages.fetch.FetchedUsers)
