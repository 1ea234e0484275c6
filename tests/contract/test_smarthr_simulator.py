"""The SmartHR simulator against its reference, a real process, real HTTP: pages, filters, tokens, limits."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from simulators.smarthr.limits import Budget, Limits
from tests.harness.patience import within

if TYPE_CHECKING:
    from tests.harness.smarthr import SmartHR

HEADERS = Path(__file__).parents[1] / "samples/smarthr/headers.json"
SIZE = 300


def test_paging_headers_totals_and_links(smarthr_sim: SmartHR) -> None:
    """Total, page and page size are stated; links go by rel, keep the other parameters and stop at the ends."""
    sample = json.loads(HEADERS.read_text())["headers"]
    first = smarthr_sim.get("crews", per_page=100, fields="emp_code")
    middle = smarthr_sim.get("crews", per_page=100, page=2, fields="emp_code")
    last = smarthr_sim.get("crews", per_page=100, page=3, fields="emp_code")
    assert sample.keys() <= {name.lower() for name in middle.headers}
    assert [middle.headers[h] for h in ("x-total-count", "x-page", "x-per-page")] == [str(SIZE), "2", "100"]
    assert set(first.links) == {"next", "last"}
    assert set(middle.links) == {"first", "prev", "next", "last"}
    assert set(last.links) == {"first", "prev"}
    follow = requests.get(middle.links["next"]["url"], headers=middle.request.headers, timeout=10)
    assert follow.json() == last.json()
    ids = [crew["id"] for page in (first, middle, last) for crew in page.json()]
    assert ids == sorted(set(ids))
    assert len(ids) == SIZE


def test_page_sizes_and_pages_out_of_range(smarthr_sim: SmartHR) -> None:
    """10 by default, 100 at most; page 0 is page 1; past the end is an empty 200; one page has no Link at all."""
    assert len(smarthr_sim.get("crews").json()) == 10
    clamped = smarthr_sim.get("crews", per_page=1000)
    assert (len(clamped.json()), clamped.headers["x-per-page"]) == (100, "100")
    assert smarthr_sim.get("crews", page=0).json() == smarthr_sim.get("crews", page=1).json()
    beyond = smarthr_sim.get("crews", page=99, per_page=100)
    assert (beyond.status_code, beyond.json(), beyond.headers["x-total-count"]) == (200, [], str(SIZE))
    assert "next" not in beyond.links
    assert "link" not in smarthr_sim.get("grades").headers
    assert smarthr_sim.get("crews", page="two").json()["code"] == 1


def test_switches_change_what_smarthr_leaves_open(smarthr_sim: SmartHR) -> None:
    """Each undocumented behaviour has a switch."""
    smarthr_sim.sim(
        "PATCH",
        "companies/acme",
        {
            "per_page_over": "reject",
            "unknown_name": "reject",
            "slots": "padded",
            "hidden_fields": ["tel_number"],
            "forbidden": ["grades"],
            "timestamps": "Z",
        },
    )
    assert smarthr_sim.get("crews", per_page=101).status_code == 400
    assert smarthr_sim.get("crews", fields="nonsense").status_code == 400
    assert smarthr_sim.get("crews", sort="nonsense").status_code == 400
    assert smarthr_sim.get("grades").json()["code"] == 3
    crew = smarthr_sim.get("crews").json()[0]
    assert "tel_number" not in crew
    assert len(crew["departments"]) == len(crew["positions"]) == 10
    assert crew["created_at"].endswith("Z")
    assert "tel_number" in smarthr_sim.sim("GET", "companies/acme/crews")[0]
    smarthr_sim.sim("PATCH", "companies/acme", {"hidden_as": "null", "slots": "trimmed", "no_slots": "null"})
    smarthr_sim.sim("PATCH", f"companies/acme/crews/{crew['id']}", {"department_ids": []})
    crew = smarthr_sim.get(f"crews/{crew['id']}").json()
    assert crew["tel_number"] is None
    assert crew["departments"] is None


def test_fields_names_what_comes_back_and_implies_id(smarthr_sim: SmartHR) -> None:
    """`fields` works on the list and on one crew; unknown names are ignored."""
    listed = smarthr_sim.get("crews", fields="emp_code,departments,nonsense").json()[0]
    assert listed.keys() == {"id", "emp_code", "departments"}
    assert smarthr_sim.get(f"crews/{listed['id']}", fields="emp_code,departments").json() == listed


def test_crew_filters(smarthr_sim: SmartHR) -> None:
    """Every documented filter selects what a scan of the true state selects."""
    truth = smarthr_sim.sim("GET", "companies/acme/crews")
    one = next(c for c in truth if c["departments"] and c["positions"] and c["positions"][0] and c["user_id"])
    department, title = one["departments"][0]["id"], one["positions"][0]["id"]
    cases: list[tuple[dict[str, str], Any]] = [
        ({"emp_code": one["emp_code"]}, lambda c: c["emp_code"] == one["emp_code"]),
        ({"emp_status": "retired"}, lambda c: c["emp_status"] == "retired"),
        ({"gender": "female"}, lambda c: c["gender"] == "female"),
        ({"emp_type": "part_timer"}, lambda c: c["emp_type"] == "part_timer"),
        ({"user_id": one["user_id"]}, lambda c: c["user_id"] == one["user_id"]),
        ({"id": f"{truth[0]['id']},{truth[5]['id']}"}, lambda c: c["id"] in (truth[0]["id"], truth[5]["id"])),
        ({"entered_at_from": "2015-01-01", "entered_at_to": "2018-12-31"},
         lambda c: "2015-01-01" <= c["entered_at"] <= "2018-12-31"),
        ({"entered_at_from": one["entered_at"], "entered_at_to": one["entered_at"]},
         lambda c: c["entered_at"] == one["entered_at"]),
        ({"resigned_at_from": "2010-01-01"}, lambda c: (c["resigned_at"] or "") >= "2010-01-01"),
        ({"resigned_at_to": "2020-12-31"}, lambda c: (c["resigned_at"] or "9") <= "2020-12-31"),
        ({"employment_type_id": one["employment_type"]["id"]},
         lambda c: c["employment_type"]["id"] == one["employment_type"]["id"]),
        ({"department_id": department}, lambda c: any(d and d["id"] == department for d in c["departments"])),
        ({"position_id": title}, lambda c: any(p and p["id"] == title for p in c["positions"])),
        ({"q": one["last_name"] + one["first_name"]}, lambda c: c["last_name"] + c["first_name"] ==
         one["last_name"] + one["first_name"] or c["business_last_name"] + c["business_first_name"] ==
         one["last_name"] + one["first_name"]),
    ]  # fmt: skip
    for params, expected in cases:
        wanted = [crew["id"] for crew in truth if expected(crew)]
        assert wanted, params
        assert [crew["id"] for crew in smarthr_sim.read_all(fields="id", **params)] == wanted, params
    assert smarthr_sim.get("crews", emp_status="gone").json()["errors"][0]["field"] == "emp_status"
    assert smarthr_sim.get("crews", entered_at_from="soon").status_code == 400


def test_sort_takes_several_keys_and_descends(smarthr_sim: SmartHR) -> None:
    """`sort=a,-b` orders by a, then descending by b."""
    crews = smarthr_sim.read_all(fields="emp_status,updated_at", sort="emp_status,-updated_at")
    assert [c["emp_status"] for c in crews] == sorted(c["emp_status"] for c in crews)
    retired = [c["updated_at"] for c in crews if c["emp_status"] == "retired"]
    assert retired == sorted(retired, reverse=True)
    codes = [c["emp_code"] for c in smarthr_sim.read_all(fields="emp_code", emp_status="employed", sort="-emp_code")]
    assert codes == sorted(codes, reverse=True)


def test_the_token_chooses_the_company(smarthr_sim: SmartHR) -> None:
    """One process, several companies; Basic with the token as user name works too."""
    other = smarthr_sim.get("crews", token="shr_sim_other")
    assert other.headers["x-total-count"] == "20"
    basic = requests.get(f"{smarthr_sim.url}/api/v1/crews", auth=("shr_sim_other", ""), timeout=10)
    assert basic.json() == other.json()
    assert smarthr_sim.get("users/me").json()["admin"] is True


def test_the_eleventh_request_of_a_second_is_refused_with_429(smarthr_sim: SmartHR) -> None:
    """Ten a second per token, told in the intensive headers; after the reset it goes on; other tokens are not hit."""
    smarthr_sim.sim("POST", "limits", {"per_second": 10, "per_hour": 5000})
    responses = [smarthr_sim.get("grades") for _ in range(11)]
    assert [r.status_code for r in responses] == [200] * 10 + [429]
    refused = responses[-1]
    assert (refused.json()["code"], refused.json()["type"]) == (6, "too_many_requests")
    assert refused.headers["x-intensive-rate-limit-limit"] == "10"
    assert refused.headers["x-intensive-rate-limit-remaining"] == "0"
    assert refused.headers["x-intensive-rate-limit-reset"] == "1"
    assert refused.headers["x-rate-limit-remaining"] == "4990"
    assert 3590 <= int(refused.headers["x-rate-limit-reset"]) <= 3600
    assert "retry-after" not in refused.headers
    assert smarthr_sim.get("grades", token="shr_sim_other").status_code == 200
    time.sleep(1.01)
    assert smarthr_sim.get("grades").status_code == 200


def test_limits_slide_by_the_second_and_start_a_new_hour() -> None:
    """The oldest request leaves the window one second after it was made; the hour is counted from its first."""
    budget = Budget(Limits(per_second=2, per_hour=4))
    assert [budget.spend(t) for t in (100.0, 100.5, 100.99, 101.0, 101.4, 101.5)] == [
        True,
        True,
        False,
        True,
        False,
        True,
    ]
    assert budget.headers(101.6)["x-intensive-rate-limit-reset"] == "1"
    assert [budget.spend(t) for t in (200.0, 3699.9, 3700.0)] == [False, False, True]
    assert budget.headers(3700.0)["x-rate-limit-remaining"] == "3"


def test_the_hourly_limit_is_enforced(smarthr_sim: SmartHR) -> None:
    """Over the hour's figure the other header set shows 0."""
    smarthr_sim.sim("POST", "limits", {"per_second": 100, "per_hour": 2})
    responses = [smarthr_sim.get("grades") for _ in range(3)]
    assert [r.status_code for r in responses] == [200, 200, 429]
    assert responses[-1].headers["x-rate-limit-remaining"] == "0"
    assert int(responses[-1].headers["x-rate-limit-reset"]) > 3000


def test_requests_are_counted_by_company_and_path(smarthr_sim: SmartHR) -> None:
    """Counters tell what a client read, and how often it was refused."""
    smarthr_sim.sim("POST", "limits", {"per_second": 2})
    for _ in range(3):
        smarthr_sim.get("crews", fields="id")
    count = next(c for c in smarthr_sim.sim("GET", "requests") if c["path"] == "/api/v1/crews")
    assert (count["company"], count["requests"], count["too_many"]) == ("acme", 3, 1)
    assert count["first_at"] <= count["last_at"] <= time.time()
    smarthr_sim.sim("DELETE", "requests")
    assert smarthr_sim.sim("GET", "requests") == []


def test_the_command_line_serves_companies_and_ends_at_once(smarthr_sim_process: SmartHR) -> None:
    """`--company` is repeatable, limits are arguments, SIGTERM ends a process that is in the middle of an answer."""
    simulator = smarthr_sim_process.start("--company", "one:1:5", "--company", "two:2:6", "--per-second", "3")
    try:
        companies = simulator.sim("GET", "companies")
        assert [(c["name"], c["token"], c["crews"]) for c in companies] == [
            ("one", "shr_sim_one", 5),
            ("two", "shr_sim_two", 6),
        ]
        assert simulator.get("crews", token="shr_sim_two").headers["x-intensive-rate-limit-limit"] == "3"
        simulator.fault(kind="slow", seconds=60)
        host, port = simulator.url.removeprefix("http://").split(":")
        waiting = socket.create_connection((host, int(port)))
        waiting.sendall(b"GET /api/v1/crews HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer shr_sim_one\r\n\r\n")
        while simulator.sim("GET", "faults")[0]["fired"] == 0:
            time.sleep(0.01)
    finally:
        with within(20):
            assert simulator.stop() == 0
        waiting.close()
