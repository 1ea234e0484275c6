"""The Hot Profile simulator over HTTP: what its connector shows of the API, and what a reader must be ready for."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from tests.harness.hotprofile import HotProfile

NOON = "2026-11-29T12:00:00+09:00"
AT_NOON = {"from_datetime_updated_on": "2026-11-29 12:00:00", "to_datetime_updated_on": "2026-11-29 12:00:00"}


@pytest.fixture(scope="module")
def process() -> Iterator[HotProfile]:
    with HotProfile.start() as hotprofile:
        yield hotprofile


@pytest.fixture
def hotprofile(process: HotProfile) -> HotProfile:
    """Ten companies and thirty leads of the day before, and a clock that stands at noon."""
    process.clear()
    process.sim("POST", "clock", {"at": NOON, "stands": True})
    day_before = {"updated_from": "2026-11-28T09:00:00+09:00", "updated_to": "2026-11-28T18:00:00+09:00"}
    process.sim("POST", "seed", {"clients": 10, "leads": 30, **day_before})
    return process


def pages(answer: requests.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return answer.json()["pages"]


def test_lists_come_in_pages_and_by_ranges_of_ids(hotprofile: HotProfile) -> None:
    second = hotprofile.call("leads", page={"number": 2, "display_number": 12})
    by_query = requests.post(
        f"{hotprofile.url}/rest_api/v1/clients/get_entry_list_flow?api_key=hp_sim_key&search[from_id]=9&page[number]=1",
        timeout=30,
    )

    assert pages(second) == {"current_number": 2, "display_number": 12, "total_count": 30, "total_number": 3}
    assert [lead["id"] for lead in second.json()["leads"]] == list(range(18, 6, -1)), "newest first, unless asked"
    assert [client["id"] for client in by_query.json()["clients"]] == [10, 9]
    assert hotprofile.ids("leads", from_id=5, to_id=7) == [5, 6, 7]
    assert pages(hotprofile.call("clients", page={"number": 9}))["total_count"] == 10
    lead = hotprofile.call("leads", search={"ids": [4]}).json()["leads"][0]
    company = hotprofile.call("clients", search={"from_id": lead["client_id"]}, order={"key": "id", "type": "asc"})
    assert company.json()["clients"][0]["name"] == lead["client_name"]
    ordered = hotprofile.call("leads", order={"key": "updated_on", "type": "asc"})
    assert (ordered.status_code, list(ordered.json())) == (500, ["errors"])
    assert hotprofile.call("leads", page={"display_number": 1001}).status_code == 400
    assert hotprofile.call("leads", key="wrong").status_code == 401


def test_k5_a_window_has_both_its_ends_and_what_becomes_visible_late(hotprofile: HotProfile) -> None:
    hotprofile.sim("POST", "clients/many", {"first_id": 1, "count": 2, "values": {"note": "同じ秒"}})
    hotprofile.add("clients", {"name": "遅れて見える"}, visible_after_s=3)
    hotprofile.change("clients", 5, {"note": "遅れて見える"}, visible_after_s=3)

    before = hotprofile.ids("clients", **AT_NOON)
    hotprofile.sim("POST", "clock", {"advance_s": 3})
    after = hotprofile.ids("clients", **AT_NOON)

    assert (before, after) == ([1, 2], [1, 2, 5, 11])
    assert (
        hotprofile.call("clients", search={"from_id": 11}).json()["clients"][0]["updated_at"] == "2026/11/29 12:00:00"
    )
    assert hotprofile.ids("clients", from_datetime_updated_on="2026-11-29 12:00:01") == []
    assert hotprofile.call("clients", search={"from_datetime_updated_on": "2026/11/29"}).status_code == 400
    assert hotprofile.ids("clients", from_updated_on="2026/11/29") == after


def test_k6_a_list_changes_between_pages_and_totals_drift(hotprofile: HotProfile) -> None:
    change = {"method": "POST", "path": "leads/many", "body": {"first_id": 1, "count": 5}}
    hotprofile.fault("calls", after=1, calls=[change])
    yesterday = {"to_updated_on": "2026/11/28"}

    first = pages(hotprofile.call("leads", search=yesterday))
    second = pages(hotprofile.call("leads", search=yesterday))
    hotprofile.sim("POST", "settings", {"bend_next": 1, "bend_total": 1, "bend_drop": 2})
    bent = hotprofile.call("clients")

    assert (first["total_count"], second["total_count"]) == (30, 25)
    assert (pages(bent)["total_count"], len(bent.json()["clients"])) == (11, 8)
    assert len(hotprofile.ids("clients")) == 10
    hotprofile.sim("POST", "settings", {"date_ahead_s": 90})
    said = parsedate_to_datetime(hotprofile.call("clients").headers["Date"]).isoformat()
    assert said == "2026-11-29T03:01:30+00:00"


def test_k4_a_key_sees_what_its_user_may_and_nothing_once_they_are_deleted(hotprofile: HotProfile) -> None:
    hotprofile.sim("PUT", "users/eigyou", {"name": "営業 花子", "key": "hanako"})
    hotprofile.sim("PATCH", "leads/3", {"values": {"seen_by": ["tantou"]}})

    assert hotprofile.ids("leads", "hanako", to_id=4) == [1, 2, 4]
    assert hotprofile.ids("leads", to_id=4) == [1, 2, 3, 4]
    assert len(hotprofile.ids("clients", "hanako")) == 10, "companies are everybody's"
    hotprofile.sim("DELETE", "users/eigyou")
    assert hotprofile.call("leads", "hanako").status_code == 401


def test_k22_cleansing_gives_a_company_another_id_and_takes_its_leads_along(hotprofile: HotProfile) -> None:
    old = hotprofile.call("leads", search={"ids": [1]}).json()["leads"][0]
    new_id = hotprofile.sim("POST", f"clients/{old['client_id']}/cleanse", {})["id"]

    moved = hotprofile.call("clients", search={"from_id": new_id}).json()["clients"][0]
    assert old["client_id"] not in hotprofile.ids("clients")
    assert {"label": "旧会社ID", "value": str(old["client_id"])} in moved["items"]
    lead = hotprofile.call("leads", search={"ids": [1]}).json()["leads"][0]
    assert (lead["client_id"], lead["updated_at"]) == (new_id, "2026/11/29 12:00:00")
    department = next(lead for lead in hotprofile.sim("GET", "leads") if lead["organization_id"])
    number = department["organization_id"]
    hotprofile.sim("PATCH", f"departments/{number}?name=新部署&touch=false")
    renamed = hotprofile.call("leads", search={"ids": [department["id"]]}).json()["leads"][0]
    assert (renamed["organization_name"], renamed["updated_at"]) == ("新部署", department["updated_at"])


def test_limits_and_faults_are_never_an_empty_list(hotprofile: HotProfile) -> None:
    hotprofile.sim("POST", "settings", {"requests": 2, "seconds": 600})
    assert [hotprofile.call("clients").status_code for _ in range(3)] == [200, 200, 429]
    hotprofile.sim("POST", "settings", {"requests": 1000})

    for kind, status in {"error": 500, "maintenance": 503, "login_page": 200, "too_many": 429, "address": 403}.items():
        hotprofile.fault(kind)
        answer = hotprofile.call("clients")
        assert (answer.status_code, "clients" in answer.text) == (status, False), kind
    for kind in ("drop", "drop_after", "truncated"):
        hotprofile.fault(kind)
        with pytest.raises(requests.RequestException):
            hotprofile.call("clients")
    counts = hotprofile.sim("GET", "requests")["counts"]
    assert counts["clients/get_entry_list 429"] == 1


def test_a_salesperson_sees_and_changes_a_record_on_its_page(hotprofile: HotProfile) -> None:
    hotprofile.change("clients", 3, {"name": "<script>alert(1)</script>"})

    saved = requests.post(f"{hotprofile.url}/clients/4", data={"note": "訪問\r\n済み", "item": "S"}, timeout=30)

    assert saved.ok
    assert "保存しました" in saved.text
    company = hotprofile.call("clients", search={"from_id": 4, "to_id": 4}).json()["clients"][0]
    assert (company["note"], company["items"][0]["value"]) == ("訪問\n済み", "S")
    assert company["updated_at"] == "2026/11/29 12:00:00"
    listed = requests.get(f"{hotprofile.url}/clients?q=alert", timeout=30).text
    assert "&lt;script&gt;alert(1)" in listed
    assert "<script>alert(1)" not in listed
    assert "部署" in requests.get(f"{hotprofile.url}/leads", timeout=30).text
