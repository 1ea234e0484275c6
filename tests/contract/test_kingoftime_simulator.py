"""The KING OF TIME simulator over HTTP, against what the vendor's pages and public clients say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.harness.kingoftime import KingOfTime
from tests.harness.program import ROOT

DAY, READ = "2026-11-30", "daily-workings/timerecord"


@pytest.fixture(scope="module")
def process() -> Iterator[KingOfTime]:
    with KingOfTime.start() as kot:
        yield kot


@pytest.fixture
def kot(process: KingOfTime) -> KingOfTime:
    process.clear()
    return process


def error(response: requests.Response) -> tuple[int, int]:
    """HTTP status and code of the only error."""
    (only,) = response.json()["errors"]
    return response.status_code, only["code"]


def test_punch_is_answered_and_read_back_without_what_is_null(kot: KingOfTime) -> None:
    made = kot.punch("1001", f"{DAY}T09:00:59")
    there = kot.punch("1001", f"{DAY}T11:00:00", None, divisionCode="2000", latitude=35.6, longitude=139)

    record = {"time": f"{DAY}T09:00:59+09:00", "code": "1", "name": "出勤"}
    at_home = {**record, "divisionCode": "1000", "divisionName": "本社"}
    key = kot.key("1001")
    assert (made.status_code, made.json()) == (201, {"date": DAY, "employeeKey": key, "timeRecord": at_home})
    second = there.json()["timeRecord"]
    assert (second["code"], second["divisionName"], second["latitude"]) == ("2", "大阪センター", 35.6), "decided by KOT"
    whole = {"date": DAY, "dailyWorkings": [{"date": DAY, "employeeKey": key, "timeRecord": [at_home, second]}]}
    assert kot.call("GET", f"{READ}/{DAY}").json() == whole
    query = {"start": "2026-11-29", "end": DAY, "employeeKeys": f"{key},{'0' * 64}"}
    assert kot.call("GET", READ, params=query).json() == [{"date": "2026-11-29", "dailyWorkings": []}, whole]


def test_read_is_narrowed_and_its_period_is_bounded(kot: KingOfTime) -> None:
    kot.punch("1001", f"{DAY}T09:00:00", divisionCode="2000")
    kot.punch("1003", f"{DAY}T10:00:00")

    def keys(**query: str) -> list[str]:
        return [one["employeeKey"] for one in kot.call("GET", f"{READ}/{DAY}", params=query).json()["dailyWorkings"]]

    first, second = kot.key("1001"), kot.key("1003")
    assert (keys(), keys(employeeKeys=second)) == ([first, second], [second])
    assert (keys(division="2000"), keys(division="2000", ondivision="true")) == ([second], [first, second])
    working = kot.call("GET", f"{READ}/{DAY}", params={"additionalFields": "currentDateEmployee"}).json()
    assert working["dailyWorkings"][0]["currentDateEmployee"]["code"] == "1001"
    for query in (
        {"employeeKeys": first, "division": "2000"},
        {"start": "2026-10-01", "end": "2026-12-02"},
        {"start": DAY, "end": "2026-11-29"},
        {"start": "2023-11-29", "end": "2023-11-30"},
    ):
        assert kot.call("GET", READ, params=query).status_code == 400, query


def test_forbidden_hours_refuse_all_but_punching_and_tokens(kot: KingOfTime) -> None:
    for time, is_open in (
        *(("08:29:59", True), ("08:30:00", False), ("09:59:59", False), ("10:00:00", True)),
        *(("17:29:59", True), ("17:30:00", False), ("18:29:59", False), ("18:30:00", True)),
    ):
        kot.clock(f"{DAY}T{time}+09:00")
        reads = [kot.call("GET", path) for path in ("employees", "divisions", READ)]
        if is_open:
            assert [one.status_code for one in reads] == [200, 200, 200], time
        else:
            assert [error(one) for one in reads] == [(403, 104)] * 3, time
        assert kot.punch("1001", f"{DAY}T{time}").status_code == 201
        assert kot.call("GET", "tokens/kot_sim_token/available").json() == {"available": True}


def test_token_address_and_right_are_refused_alike(kot: KingOfTime) -> None:
    kot.sim("PUT", "tokens/elsewhere", {"rights": ["employees:read"], "addresses": ["203.0.113.5"]})
    kot.sim("PUT", "tokens/nowhere", {"rights": ["employees:read"]})
    kot.sim("PUT", "tokens/other", {"rights": ["timerecord:read"], "addresses": ["127.0.0.0/8"]})

    refused = [kot.call("GET", "employees", token) for token in ("unknown", "elsewhere", "nowhere", "other")]

    assert {(error(one), one.json()["errors"][0]["message"]) for one in refused} == {((403, 100), "認証に失敗しました")}
    assert kot.call("GET", READ, "other").status_code == 200
    assert error(kot.call("POST", f"{READ}/{kot.key('1001')}", "other", json={})) == (403, 100)


def test_duplicates_stay_and_make_the_day_an_error(kot: KingOfTime) -> None:
    for time, kind in (("09:00:00", "1"), ("09:00:00", "1"), ("12:00:00", "3"), ("18:00:00", "2"), ("18:00:01", "2")):
        assert kot.punch("1001", f"{DAY}T{time}", kind).status_code == 201
    assert kot.errors(DAY)["1001"] == [
        *("出勤打刻が2回以上あります", "退勤打刻が2回以上あります", "休憩打刻がそろっていません"),
    ]

    kot.sim("POST", "settings", {"overwrite": True})
    assert "退勤打刻が2回以上あります" not in kot.errors(DAY)["1001"]
    assert len(kot.punches()) == 5
    page = requests.get(kot.url, params={"date": DAY, "errors": "true"}, timeout=30).text
    assert page.count("09:00:00 <small>API") == 2
    assert "出勤打刻が2回以上あります" in page
    assert "美咲" not in page


def test_answer_is_lost_after_the_punch_is_kept(kot: KingOfTime) -> None:
    kot.fault("drop_after", method="POST")
    with pytest.raises(requests.ConnectionError):
        kot.punch("1001", f"{DAY}T09:00:00")

    assert kot.punches() == [("1001", DAY, f"{DAY}T09:00:00+09:00", "1")]


def test_bad_punches_are_refused_and_leave_nothing(kot: KingOfTime) -> None:
    kot.sim("PATCH", "employees/1003", {"resignationDate": "2026-11-30"})
    good = f"{DAY}T12:00:00"
    refused = [
        kot.punch("1003", good, "3"),
        kot.punch("1003", "2026-12-01T09:00:00"),
        kot.punch("1001", good, "5"),
        kot.punch("1001", good, date="2026-11-28"),
        kot.punch("1001", good, date="2026-11-31"),
        kot.punch("1001", good, divisionCode="9999"),
        kot.punch("1001", good, latitude="35"),
        *(kot.punch("1001", time) for time in (f"{good}.500", f"{DAY}T24:00:00", f"{DAY}T12:00", f"{good}Z")),
        kot.call("POST", f"{READ}/{kot.key('1001')}", data="date=2026-11-30"),
    ]
    assert [one.status_code for one in refused] == [400] * len(refused)
    assert error(kot.call("POST", f"{READ}/{'0' * 64}", json={})) == (400, 100)
    assert kot.punches() == []
    assert kot.punch("1001", good, "3").status_code == 201, "the 雇用区分 of 1001 has breaks"
    as_sent_by_a_client = {"employeeKey": kot.key("1001"), "date": DAY, "time": f"{DAY}T13:00:00+09:00", "code": 4}
    assert kot.call("POST", f"{READ}/{kot.key('1001')}", json=as_sent_by_a_client).status_code == 201


def test_employee_has_a_key_that_outlives_the_code(kot: KingOfTime) -> None:
    key = kot.key("1001")
    kot.sim("PATCH", "employees/1001", {"code": "A-7"})
    kot.sim("PATCH", "employees/1003", {"resignationDate": "2026-11-29"})

    found = kot.call("GET", "employees/A-7", params={"additionalFields": "emailAddresses,hiredDate"}).json()

    assert found == {
        **{"code": "A-7", "key": key, "lastName": "佐藤", "firstName": "花子", "gender": "male"},
        **{"divisionCode": "1000", "divisionName": "本社", "typeCode": "1", "typeName": "正社員"},
        **{"employeeGroups": [], "emailAddresses": ["sato@acme.example"]},
    }
    assert error(kot.call("GET", "employees/1001")) == (400, 100)
    everybody = [len(kot.call("GET", "employees", params=each).json()) for each in ({}, {"includeResigner": "true"})]
    assert everybody == [1, 2], "who has resigned is asked for"
    borders = [(one["code"], one["dayBorderTime"]) for one in kot.call("GET", "divisions").json()]
    assert borders == [("1000", "00:00"), ("2000", "05:00")]


def test_limit_answers_in_the_other_shape(kot: KingOfTime) -> None:
    kot.sim("POST", "settings", {"limit": 2, "limit_seconds": 3600})

    answers = [kot.punch("1001", f"{DAY}T09:00:00") for _ in range(3)]

    assert [one.status_code for one in answers] == [201, 201, 429]
    assert answers[2].json() == {"code": "303", "message": "Too Many Requests"}
    assert len(kot.punches()) == 2


def test_states_are_played_and_errors_come_flat_on_order(kot: KingOfTime) -> None:
    for state, wanted in {"down": (500, 300), "address": (403, 100), "hours": (403, 104)}.items():
        kot.fault(state)
        assert error(kot.call("GET", "employees")) == wanted

    kot.sim("POST", "settings", {"error_shape": "flat"})
    assert kot.call("GET", "employees", "unknown").json() == {"code": "100", "message": "認証に失敗しました"}


def test_time_recorder_punches_by_the_day_boundary_and_a_person_takes_away(kot: KingOfTime) -> None:
    night = {"time": "2026-12-01T04:59:00+09:00", "kind": "2"}
    number = kot.sim("POST", "punches", {"code": "1003", **night})
    kot.sim("POST", "punches", {"code": "1001", **night})

    assert [(code, day) for code, day, _, _ in kot.punches()] == [("1003", DAY), ("1001", "2026-12-01")]
    page = requests.get(kot.url, params={"date": DAY}, timeout=30).text
    assert "12/01 04:59:00 <small>タイムレコーダー" in page
    kot.sim("DELETE", f"punches/{number}")
    assert [code for code, _, _, _ in kot.punches()] == ["1001"]


def test_token_is_renewed_and_revoked(kot: KingOfTime) -> None:
    new = kot.call("POST", "tokens/kot_sim_token").json()["token"]

    assert error(kot.call("GET", "employees")) == (403, 100)
    assert kot.call("GET", "employees", new).status_code == 200
    assert kot.call("DELETE", f"tokens/{new}").status_code == 204
    assert kot.call("GET", f"tokens/{new}/available").json() == {"available": False}


def test_sample_company_punches_and_is_kept_over_a_start(tmp_path: Path) -> None:
    sample = ROOT / "simulators" / "kingoftime" / "sample.yaml"
    arguments = ("--company", str(sample), "--keep", str(tmp_path / "kot.pickle"))
    with KingOfTime.start(*arguments) as kot:
        assert kot.punch("1002", kot.sim("GET", "clock")["now"][:19]).status_code == 201
        kept = kot.punches()
    with KingOfTime.start(*arguments) as kot:
        assert len(kept) == 1
        assert kot.punches() == kept
        asked = kot.sim("GET", "asked")
        assert [(one["method"], one["status"]) for one in asked] == [("POST", 201)]
