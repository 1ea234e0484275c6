"""KingOfTimeClient over a Session whose wire is a function: what it sends, and what it makes of each answer."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
import requests

from renkei.errors import ConnectionError_
from renkei.systems.kingoftime.client import Employee, KingOfTimeClient, Punch
from renkei.systems.kingoftime.errors import KingOfTimeAwayError, OtherPunchError, PunchRefusedError, StoppedError
from tests.unit.systems.transport import Answer, Wire, session_over

URL = "https://api.kingtime.jp"
KEY = "ab" * 32
DAY = dt.date(2026, 11, 30)
AT = dt.datetime(2026, 11, 29, 23, 45, 59, 900_000, tzinfo=dt.UTC)  # 08:45:59.9 in Japan
DONE = {
    "date": "2026-11-30",
    "employeeKey": KEY,
    "timeRecord": {"time": "2026-11-30T08:45:59+09:00", "code": "1", "name": "出勤"},
}


def listed(code: int, message: str = "x") -> dict[str, Any]:
    return {"errors": [{"message": message, "code": code}]}


def client(answer: Answer | Exception, url: str = URL) -> tuple[KingOfTimeClient, Wire]:
    wire = Wire(lambda seen: answer)
    return KingOfTimeClient(session_over(wire), url, "203.0.113.7"), wire


def punch(answer: Answer | Exception) -> Wire:
    kot, wire = client(answer)
    kot.punch(KEY, DAY, AT, "1")
    return wire


def test_p10_a_punch_has_its_own_time_to_the_second_in_japan() -> None:
    for status in (200, 201):
        (seen,) = punch(Answer(DONE, status)).seen
        assert (seen.method, seen.path) == ("POST", f"/v1.0/daily-workings/timerecord/{KEY}")
        assert json.loads(seen.body) == {"date": "2026-11-30", "time": "2026-11-30T08:45:59+09:00", "code": "1"}
        assert seen.headers["Authorization"] == "Bearer token"


def test_a_base_url_may_have_the_version_in_it() -> None:
    kot, wire = client(Answer([]), URL + "/v1.0/")
    assert kot.employees() == []
    assert wire.seen[0].path == "/v1.0/employees"


@pytest.mark.parametrize(
    ("answer", "unknown", "seconds"),
    [
        (Answer(listed(104), 403), False, 60),
        (Answer({"code": "303", "message": "Too Many Requests"}, 429), False, 10),
        (Answer({"code": "303", "message": "Too Many Requests"}, 503), False, 10),
        (Answer("busy", 429, {"Retry-After": "7"}), False, 7),
        (Answer(listed(300, "Resource Server Error."), 500), True, 20),
        (Answer("<html>", 502), True, 20),
        (Answer("", 504), True, 20),
        (Answer("", 408), True, 20),
        (Answer("", 302, {"Location": "https://elsewhere.example"}), True, 20),
        (Answer(DONE, 201, cut=True), True, 20),
        (Answer("<html>log in</html>", 200), True, 20),
        (Answer(DONE | {"timeRecord": {"time": "2026-11-30T08:46:00+09:00", "code": "1"}}, 201), True, 20),
        (Answer([], 201), True, 20),
        (requests.ReadTimeout(), True, 20),
        (requests.ConnectionError(), True, 20),
        (requests.ConnectTimeout(), False, 20),
    ],
)
def test_p14_what_may_have_been_registered_is_told_from_what_was_not(
    answer: Answer | Exception, unknown: bool, seconds: float
) -> None:
    with pytest.raises(KingOfTimeAwayError) as error:
        punch(answer)
    assert (error.value.unknown, error.value.pause_s) == (unknown, seconds)


@pytest.mark.parametrize(
    "said",
    [
        {"date": "2026-11-29"},
        {"timeRecord": {"time": "2026-11-30T08:46:00+09:00", "code": "1"}},
        {"timeRecord": {"time": "2026-11-30T08:45:59+09:00", "code": "2"}},
        {"timeRecord": {"time": "2026-11-30T08:45:59", "code": "1"}},
    ],
)
def test_p14_another_punch_than_the_one_that_was_sent_is_no_success_and_not_nothing(said: dict[str, Any]) -> None:
    with pytest.raises(OtherPunchError):
        punch(Answer(DONE | said, 201))


def test_p14_a_punch_whose_seconds_were_cut_off_is_the_one_that_was_sent() -> None:
    punch(Answer(DONE | {"timeRecord": {"time": "2026-11-30T08:45:00+09:00", "code": 1}}, 201))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(listed(100), 403),
        Answer({"code": "100", "message": "認証に失敗しました"}, 403),
        Answer("", 401),
        Answer("<html>", 403),
        Answer(listed(404), 404),
        Answer("", 415),
    ],
)
def test_p15_a_refusal_that_is_of_everybody_names_all_three_causes_and_our_address(answer: Answer) -> None:
    with pytest.raises(StoppedError) as error:
        punch(answer)
    for word in ("アクセストークン", "許可IPアドレス: 203.0.113.7", "権限", "保管"):
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("break time record is not allowed for 山田", "休憩打刻が許可されていません（コード101）"),
        ("employee has resigned", "退職した従業員です"),
        ("employee not found", "従業員が見つかりません"),
        ("山田太郎 is bad", "受け付けませんでした（コード101）"),
    ],
)
def test_l6_a_refused_punch_says_why_in_our_words(message: str, said: str) -> None:
    with pytest.raises(PunchRefusedError, match=said) as error:
        punch(Answer(listed(101, message), 400))
    assert "山田" not in str(error.value)


def test_a_host_that_is_none_is_the_connections_fault() -> None:
    with pytest.raises(ConnectionError_):
        client(requests.exceptions.InvalidURL(), "https://")[0].punch(KEY, DAY, AT, "1")


def test_p14_the_punches_of_a_day_are_read_of_some_or_of_all() -> None:
    records = [{"time": "2026-12-01T00:30:05+09:00", "code": "2", "name": "退勤"}, DONE["timeRecord"]]
    workings = [{"date": "2026-11-30", "employeeKey": KEY, "timeRecord": records}, {"employeeKey": "cd"}]
    kot, wire = client(Answer({"date": "2026-11-30", "dailyWorkings": workings}))
    night = dt.datetime.fromisoformat("2026-12-01T00:30:05+09:00")
    morning = dt.datetime.fromisoformat("2026-11-30T08:45:59+09:00")
    assert kot.punches(DAY, [KEY, "cd"]) == [Punch(KEY, DAY, night, "2"), Punch(KEY, DAY, morning, "1")]
    assert kot.punches(DAY)
    assert [seen.query for seen in wire.seen] == [{"employeeKeys": f"{KEY},cd"}, {}]
    assert wire.seen[0].path == "/v1.0/daily-workings/timerecord/2026-11-30"


@pytest.mark.parametrize(
    "body",
    [
        "<html>",
        [],
        {},
        {"date": "2026-12-01", "dailyWorkings": []},
        {"date": "2026-11-30", "dailyWorkings": [{}]},
        *(
            {"date": "2026-11-30", "dailyWorkings": [{"employeeKey": KEY, "timeRecord": [record]}]}
            for record in ({}, {"time": "8:45", "code": "1"}, {"time": "2026-11-30T08:45:59", "code": "1"})
        ),
    ],
)
def test_l1_what_is_no_list_of_punches_proves_no_absence(body: Any) -> None:
    kot, _ = client(Answer(body))
    with pytest.raises(KingOfTimeAwayError):
        kot.punches(DAY)


def test_employees_come_with_their_key_their_groups_and_their_mail_addresses() -> None:
    said = {"key": KEY, "code": "1001", "divisionCode": "1000", "divisionName": "本社", "typeCode": "1"}
    said |= {"typeName": "正社員", "lastName": "佐藤", "firstName": "花子", "emailAddresses": ["sato@acme.example"]}
    kot, wire = client(Answer([said]))
    mails = ("sato@acme.example",)
    assert kot.employees() == [Employee(KEY, "1001", "1000", "本社", "1", "正社員", "佐藤 花子", mails)]
    assert wire.seen[0].query == {"additionalFields": "emailAddresses"}
    assert "佐藤" not in repr(kot.employees())
    for broken in ({}, said | {"key": "a/b"}, said | {"code": 7}):
        with pytest.raises(KingOfTimeAwayError):
            client(Answer([broken]))[0].employees()
    assert client(Answer([{"code": "1", "name": "正社員"}]))[0].types() == {"1": "正社員"}
