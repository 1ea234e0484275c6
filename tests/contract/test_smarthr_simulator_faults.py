"""Every fault of the SmartHR simulator, as a client meets it: what rules E33 and L1 have to notice."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from tests.harness.smarthr import SmartHR

ERRORS = json.loads((Path(__file__).parents[1] / "samples/smarthr/errors.json").read_text())
SIZE = 300


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("status_429", 429, 6),
        ("status_500", 500, 5),
        ("maintenance_json", 503, 9),
        ("expired_token", 401, 2),
        ("forbidden", 403, 3),
        ("ip_not_permitted", 403, 15),
    ],
)
def test_l1_fault_answers_with_a_documented_error(smarthr_sim: SmartHR, kind: str, status: int, code: int) -> None:
    """An error fault has the documented status, code and type, strikes as often as told, then the API is well."""
    smarthr_sim.fault(kind=kind, times=1, after=1)
    assert smarthr_sim.get("crews").status_code == 200
    response = smarthr_sim.get("crews")
    entry = next(row for row in ERRORS["table"] if row["code"] == code)
    assert (response.status_code, response.json()["code"], response.json()["type"]) == (status, code, entry["type"])
    assert response.json().keys() == ERRORS["body"].keys()
    assert entry["status"] == status
    if kind == "status_429":
        assert response.headers["x-intensive-rate-limit-remaining"] == "0"
    assert smarthr_sim.get("crews").status_code == 200


@pytest.mark.parametrize(("kind", "status"), [("maintenance_503", 503), ("not_json", 200)])
def test_l1_fault_answers_with_html(smarthr_sim: SmartHR, kind: str, status: int) -> None:
    """A proxy's or maintenance page is no JSON."""
    smarthr_sim.fault(kind=kind)
    response = smarthr_sim.get("crews")
    assert response.status_code == status
    assert response.headers["content-type"].startswith("text/html")
    with pytest.raises(requests.JSONDecodeError):
        response.json()
    assert smarthr_sim.get("departments").status_code == 200


@pytest.mark.parametrize("kind", ["truncated", "drop_connection"])
def test_l1_fault_breaks_the_connection(smarthr_sim: SmartHR, kind: str) -> None:
    """Fewer bytes than promised, or none at all, and the client sees a broken connection; the next call works."""
    smarthr_sim.fault(kind=kind, times=1)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        smarthr_sim.get("crews", per_page=100)
    assert smarthr_sim.get("crews").status_code == 200


def test_l1_fault_is_slow(smarthr_sim: SmartHR) -> None:
    """The answer comes, late."""
    smarthr_sim.fault(kind="slow", seconds=0.3)
    began = time.monotonic()
    assert smarthr_sim.get("crews").status_code == 200
    assert time.monotonic() - began >= 0.3


def test_e33_fault_repeats_a_page(smarthr_sim: SmartHR) -> None:
    """Page 2 shows page 1 again under its own number."""
    pages = [smarthr_sim.get("crews", page=n, fields="id") for n in (1, 2)]
    smarthr_sim.fault(kind="repeated_page", page=2)
    repeated = smarthr_sim.get("crews", page=2, fields="id")
    assert repeated.json() == pages[0].json() != pages[1].json()
    assert repeated.headers["x-page"] == "2"


def test_e33_fault_shifts_a_page(smarthr_sim: SmartHR) -> None:
    """Page 2 misses its first row and has the first of page 3; the total does not tell."""
    second, third = (smarthr_sim.get("crews", page=n, fields="id").json() for n in (2, 3))
    smarthr_sim.fault(kind="shifted_page", page=2)
    shifted = smarthr_sim.get("crews", page=2, fields="id")
    assert shifted.json() == [*second[1:], third[0]]
    assert shifted.headers["x-total-count"] == str(SIZE)


@pytest.mark.parametrize(("kind", "delta", "total"), [("short_total", None, SIZE - 1), ("wrong_total", 5, SIZE + 5)])
def test_e33_fault_states_a_wrong_total(smarthr_sim: SmartHR, kind: str, delta: int | None, total: int) -> None:
    """The rows are right, the count is not."""
    rows = smarthr_sim.get("crews").json()
    smarthr_sim.fault(kind=kind, delta=delta, company="acme")
    wrong = smarthr_sim.get("crews")
    assert wrong.headers["x-total-count"] == str(total)
    assert wrong.json() == rows
    assert smarthr_sim.get("crews", token="shr_sim_other").headers["x-total-count"] == "20"


def test_e33_fault_serves_an_empty_list(smarthr_sim: SmartHR) -> None:
    """200, no rows, total 0, as if everybody had left."""
    smarthr_sim.fault(kind="empty")
    empty = smarthr_sim.get("crews")
    assert (empty.status_code, empty.json(), empty.headers["x-total-count"]) == (200, [], "0")


def test_e33_fault_serves_malformed_crews(smarthr_sim: SmartHR) -> None:
    """A crew with nothing but its id, and a crew without id."""
    smarthr_sim.fault(kind="null_crew", page=1)
    smarthr_sim.fault(kind="missing_id", page=2)
    blank = smarthr_sim.get("crews", fields="emp_code,last_name").json()[0]
    assert blank.pop("id")
    assert blank == {"emp_code": None, "last_name": None}
    rows = smarthr_sim.get("crews", page=2, fields="emp_code").json()
    assert ["id" in row for row in rows] == [False] + [True] * 9


@pytest.mark.parametrize("hidden_as", ["omitted", "null"])
def test_e33_fault_hides_an_attribute(smarthr_sim: SmartHR, hidden_as: str) -> None:
    """A lost permission shows as a missing key or as null, on every crew."""
    smarthr_sim.fault(kind="hidden_attribute", field="email", hidden_as=hidden_as)
    rows = smarthr_sim.get("crews", fields="email,emp_code").json()
    assert all(row.get("email", "gone") == ("gone" if hidden_as == "omitted" else None) for row in rows)
    assert all("emp_code" in row for row in rows)


def test_e33_fault_changes_crews_while_they_are_read(smarthr_sim: SmartHR) -> None:
    """Deleting a row already read makes a later one skip; inserting one in front makes one appear twice."""
    truth = {c["id"] for c in smarthr_sim.sim("GET", "companies/acme/crews?fields=id")}
    smarthr_sim.fault(kind="change_while_reading", after=1, delete=2)
    ids = [c["id"] for c in smarthr_sim.read_all(fields="id")]
    still_there = {c["id"] for c in smarthr_sim.sim("GET", "companies/acme/crews?fields=id")}
    assert len(truth - still_there) == 2
    assert len(still_there - set(ids)) == 2
    smarthr_sim.sim("DELETE", "faults")
    smarthr_sim.fault(kind="change_while_reading", after=1, insert=1)
    ids = [c["id"] for c in smarthr_sim.read_all(fields="id")]
    assert len(ids) == len(set(ids)) + 1


def test_e33_fault_makes_chosen_changes_while_they_are_read(smarthr_sim: SmartHR) -> None:
    """Before the second answer for a page one crew goes, one changes and one comes."""
    gone, kept, *_ = [crew["id"] for crew in smarthr_sim.get("crews", fields="id").json()]
    come = "00000000-0000-4000-8000-000000000001"
    changes = {gone: None, kept: {"emp_code": "X1"}, come: {"emp_code": "X2"}}
    smarthr_sim.fault(kind="change_while_reading", page=1, after=1, changes=changes)
    before, after = ([c["id"] for c in smarthr_sim.get("crews", fields="id").json()] for _ in range(2))
    assert (before[:2], after[:2]) == ([gone, kept], [come, kept])
    assert {c["id"]: c["emp_code"] for c in smarthr_sim.get("crews", id=f"{kept},{come}").json()} == {
        kept: "X1",
        come: "X2",
    }
    wrong = {"kind": "change_while_reading", "changes": {kept: {"shoe_size": 42}}}
    assert requests.post(f"{smarthr_sim.url}/_sim/faults", json=[wrong], timeout=10).status_code == 400


def test_e33_fault_sorts_a_page_anew(smarthr_sim: SmartHR) -> None:
    """The page is one of the list read backwards."""
    everybody = [crew["id"] for crew in smarthr_sim.sim("GET", "companies/acme/crews?fields=id")]
    smarthr_sim.fault(kind="resorted_page", page=2)
    assert [crew["id"] for crew in smarthr_sim.get("crews", page=2, fields="id").json()] == everybody[::-1][10:20]


def test_a_server_may_give_smaller_pages(smarthr_sim: SmartHR) -> None:
    """`per_page_most` clamps a page, and the answer says so."""
    smarthr_sim.sim("PATCH", "companies/acme", {"per_page_most": 3})
    clamped = smarthr_sim.get("crews", per_page=100)
    assert (len(clamped.json()), clamped.headers["x-per-page"]) == (3, "3")


def test_faults_are_checked_and_listed(smarthr_sim: SmartHR) -> None:
    """A fault that could do nothing is refused; the list tells how often each struck."""
    for wrong in ({"kind": "nonsense"}, {"kind": "hidden_attribute"}, {"kind": "change_while_reading"}):
        response = requests.post(f"{smarthr_sim.url}/_sim/faults", json=[wrong], timeout=10)
        assert response.status_code in (400, 422)
    smarthr_sim.fault(kind="status_500", after=1, times=1)
    for _ in range(3):
        smarthr_sim.get("crews")
    (fault,) = smarthr_sim.sim("GET", "faults")
    assert (fault["seen"], fault["fired"]) == (3, 1)
