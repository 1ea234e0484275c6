"""WorkplaceClient over the simulator: a read is proven whole, or proves nothing (C9)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from renkei.errors import IncompleteReadError, RefusedFetchError, RetriableFetchError
from renkei.systems.workplace import client as module
from renkei.systems.workplace.client import Absence, Period, Status, Unit, WorkplaceClient
from tests.harness.clock import no_waits
from tests.harness.workplace import TOKEN, Workplace, days

SINCE = dt.date(2026, 11, 1)


@pytest.fixture(scope="module")
def process() -> Iterator[Workplace]:
    with Workplace.start() as workplace:
        yield workplace


@pytest.fixture
def workplace(process: Workplace) -> Iterator[Workplace]:
    process.clear()
    process.sim("POST", "clock", {"at": "2026-11-29T12:00:00+09:00"})
    with no_waits(module):
        yield process


def client_of(workplace: Workplace, token: str = TOKEN) -> WorkplaceClient:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    return WorkplaceClient(session, workplace.url)


def test_c9_every_page_is_read_and_the_whole_proven(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE_SIZE", 2)
    half = {"unit": "AFTERNOON", "on": "2026-12-02"}
    timed = {"unit": "HOURS", "start_at": "2026-12-03T10:00", "end_at": "2026-12-03T12:00"}
    ids = [
        *(workplace.apply(days("2026-12-01", "2026-12-02"), half, kind="慶弔休暇", reason="秘密"),),
        *(workplace.apply(timed, status="APPLIED"), workplace.apply(days("2026-12-05"))),
    ]
    listed = client_of(workplace).absences(SINCE)

    assert listed.whole
    first = Absence(
        ids[0],
        1,
        Status.APPROVED,
        "sato@acme.example",
        "慶弔休暇",
        (Period(Unit.ALL_DAY, "2026-12-01", "2026-12-02"), Period(Unit.AFTERNOON, "2026-12-02", "2026-12-02")),
    )
    assert listed.absences[0] == first
    assert [one.id for one in listed.absences] == ids
    assert client_of(workplace).absence(ids[0]) == first
    assert client_of(workplace).absence("A-999999") is None


def test_c9_a_list_that_changes_meanwhile_is_read_again(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE_SIZE", 1)
    ids = [workplace.apply(days("2026-12-01")) for _ in range(3)]
    change = {"method": "PATCH", "path": f"absences/{ids[0]}", "body": {"status": "CANCELLED"}}
    workplace.fault("calls", after=1, calls=[change])
    listed = client_of(workplace).absences(SINCE)
    assert (listed.whole, listed.absences[0].status) == (True, Status.CANCELLED)


@pytest.mark.parametrize("fault", [{"bend_next": 3, "bend_drop": 1}, {"bend_next": 3, "bend_drop": 9}])
def test_c9_a_torn_read_is_given_and_is_not_whole(workplace: Workplace, fault: dict[str, int]) -> None:
    for _ in range(3):
        workplace.apply(days("2026-12-01"))
    workplace.sim("POST", "settings", fault)
    listed = client_of(workplace).absences(SINCE)
    assert (listed.whole, len(listed.absences)) == (False, max(0, 3 - fault["bend_drop"]))
    assert client_of(workplace).absences(SINCE).whole


@pytest.mark.parametrize("kind", ["error", "maintenance", "login_page", "empty_page", "drop", "truncated"])
def test_c9_what_is_no_answer_is_no_empty_list(workplace: Workplace, kind: str) -> None:
    number = workplace.apply(days("2026-12-01"))
    workplace.fault(kind, times=None)
    with pytest.raises(RetriableFetchError):
        client_of(workplace).absences(SINCE)
    with pytest.raises(RetriableFetchError):
        client_of(workplace).absence(number)


def test_c9_a_passing_fault_is_tried_again(workplace: Workplace) -> None:
    workplace.apply(days("2026-12-01"))
    for kind in ("error", "drop_after"):
        workplace.fault(kind)
    assert client_of(workplace).absences(SINCE).whole


def test_c9_a_token_that_is_refused_waits_for_a_person_and_is_not_quoted(workplace: Workplace) -> None:
    with pytest.raises(RefusedFetchError, match="トークン") as caught:
        client_of(workplace, "wrong-token").absences(SINCE)
    assert "wrong-token" not in str(caught.value)


ABSENCE: dict[str, Any] = {
    **{"id": "A-1", "revision": 1, "status": "APPROVED", "user_id": "sato", "kind": "休暇", "title": "", "reason": ""},
    "periods": [{"unit": "ALL_DAY", "start_on": "2026-12-01", "end_on": "2026-12-01"}],
    "updated_at": "2026-11-29T12:00:00+09:00",
}


@pytest.mark.parametrize(
    "wrong",
    [
        *({"revision": "2"}, {"revision": 0}, {"status": "DONE"}, {"user_id": ""}, {"user_id": "a\nb"}, {"kind": None}),
        *({"periods": []}, {"periods": [{"unit": "ALL_DAY", "start_on": "2026-12-01"}]}, {"periods": "2026-12-01"}),
        {"periods": [{"unit": "ALL_DAY", "start_on": "2026-12-01", "end_on": "2026-02-30"}]},
        {"periods": [{"unit": "HOURS", "start_at": "2026-12-01T10:00+09:00", "end_at": "2026-12-01T11:00+09:00"}]},
    ],
)
def test_c10_one_record_that_is_none_is_named_and_the_others_come(workplace: Workplace, wrong: dict[str, Any]) -> None:
    page = {"version": 1, "total": 2, "next": None, "absences": [ABSENCE | wrong, ABSENCE | {"id": "A-2"}]}
    workplace.fault("answer", answer={"status": 200, "body": page})
    listed = client_of(workplace).absences(SINCE)
    assert ([one.id for one in listed.absences], listed.malformed, listed.whole) == (["A-2"], ["A-1"], True)


def test_c7_however_long_a_title_and_a_reason_are_nothing_of_them_is_kept(workplace: Workplace) -> None:
    long = ABSENCE | {"title": "長" * 5_000, "reason": "由" * 5_000}
    workplace.fault(
        "answer", answer={"status": 200, "body": {"version": 1, "total": 1, "next": None, "absences": [long]}}
    )
    (found,) = client_of(workplace).absences(SINCE).absences
    assert (found.id, "長" in repr(found), "由" in repr(found)) == ("A-1", False, False)


def test_c9_pages_that_do_not_go_on_end(workplace: Workplace) -> None:
    page = {"version": 1, "total": 1, "next": "A-1", "absences": [ABSENCE]}
    workplace.fault("answer", times=None, answer={"status": 200, "body": page})
    with pytest.raises(IncompleteReadError):
        client_of(workplace).absences(SINCE)


def test_c8_of_two_revisions_the_newer_one_counts(workplace: Workplace) -> None:
    newer = ABSENCE | {"revision": 3, "status": "CANCELLED"}
    page = {"version": 1, "total": 2, "next": None, "absences": [newer, ABSENCE]}
    workplace.fault("answer", times=None, answer={"status": 200, "body": page})
    listed = client_of(workplace).absences(SINCE)
    assert ([one.revision for one in listed.absences], listed.whole) == ([3], False)
