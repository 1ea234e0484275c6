"""The kintone simulator over HTTP, against what kintone's pages and notes on a real tenant say."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.harness.kintone import Kintone

COMPANIES: dict[str, dict[str, Any]] = {
    "会社ID": {"type": "SINGLE_LINE_TEXT", "unique": True, "required": True},
    "会社名": {"type": "SINGLE_LINE_TEXT", "required": True, "maxLength": "10"},
    "従業員": {"type": "NUMBER", "minValue": "1"},
    "区分": {"type": "DROP_DOWN", "options": ["顧客", "見込"], "defaultValue": "見込"},
    "契約日": {"type": "DATE"},
    "面談": {"type": "DATETIME"},
    "担当": {"type": "USER_SELECT"},
    "拠点": {"type": "SUBTABLE", "fields": {"拠点名": {"type": "SINGLE_LINE_TEXT"}, "席": {"type": "NUMBER"}}},
}
CONTACTS: dict[str, dict[str, Any]] = {
    "番号": {"type": "NUMBER", "unique": True},
    "会社": {
        "type": "SINGLE_LINE_TEXT",
        "lookup": {
            "relatedApp": {"app": "1", "code": ""},
            "relatedKeyField": "会社ID",
            "fieldMappings": [{"field": "社名", "relatedField": "会社名"}],
        },
    },
    "社名": {"type": "SINGLE_LINE_TEXT"},
}


@pytest.fixture(scope="module")
def process() -> Iterator[Kintone]:
    with Kintone.start() as kintone:
        yield kintone


@pytest.fixture
def kintone(process: Kintone) -> Kintone:
    """App 1 of companies, app 2 of contacts that look them up, nobody's records."""
    process.clear()
    process.app(1, COMPANIES)
    process.app(2, CONTACTS)
    process.sim("PUT", "users/tanaka", {"code": "tanaka", "name": "田中"})
    return process


def company(number: int, **values: Any) -> dict[str, Any]:
    return {"会社ID": f"C{number}", "会社名": f"会社{number}", **values}


def problems(response: requests.Response) -> dict[str, str]:
    """Path to message of a CB_VA01."""
    body = response.json()
    assert (response.status_code, body["code"]) == (400, "CB_VA01"), body
    return {path: "/".join(error["messages"]) for path, error in body["errors"].items()}


def test_upsert_writes_by_key_and_keeps_values_as_kintone_does(kintone: Kintone) -> None:
    values = {
        **{"従業員": " 1.5e1 ", "区分": "顧客", "契約日": "2026-4", "面談": "2026-11-29T09:30:59+09:00"},
        **{"担当": [{"code": "tanaka"}], "拠点": [{"value": {"拠点名": {"value": "本社"}, "席": {"value": "多数"}}}]},
        "無い項目": "無視される",
    }

    first = kintone.upsert(1, "会社ID", company(1, **values), company(2)).json()["records"]
    second = kintone.upsert(1, "会社ID", company(2, 会社名="改"), company(3)).json()["records"]

    assert [one["operation"] for one in first + second] == ["INSERT", "INSERT", "UPDATE", "INSERT"]
    assert second[0] == {"id": first[1]["id"], "revision": "2", "operation": "UPDATE"}
    kept, changed, _ = kintone.records(1)
    assert kept["従業員"] == "15"
    assert (kept["契約日"], kept["面談"]) == ("2026-04-01", "2026-11-29T00:30:00Z")
    assert kept["担当"] == [{"code": "tanaka", "name": "田中"}]
    assert kept["拠点"][0]["value"]["席"] == {"type": "NUMBER", "value": ""}, (
        "a table takes what is no number as nothing"
    )
    assert (changed["会社名"], changed["区分"]) == ("改", "見込"), "a default, on insert"
    row = kept["拠点"][0]["id"]
    rows = [{"id": row, "value": {"席": {"value": "3"}}}, {"value": {"拠点名": {"value": "支社"}}}]
    kintone.upsert(1, "会社ID", {"会社ID": "C1", "拠点": rows})
    told = [
        (one["id"] == row, one["value"]["拠点名"]["value"], one["value"]["席"]["value"])
        for one in kintone.records(1)[0]["拠点"]
    ]
    assert told == [(True, "本社", "3"), (False, "支社", "")]


def test_a_batch_with_one_bad_record_writes_nothing_and_names_every_fault(kintone: Kintone) -> None:
    bad = {"会社ID": "C8", "会社名": "十一文字はこれで届きます", "従業員": "多数", "区分": "無い"}

    refused = problems(kintone.upsert(1, "会社ID", company(1), bad, {"会社ID": "C9"}))

    assert refused == {
        "records[1].会社名.value": "11文字より短くなければなりません。",
        "records[1][従業員].value": "数字でなければなりません。",
        "records[1].区分.value": '"無い"は選択肢にありません。',
        "records[2].会社名.value": "必須です。",
    }
    assert kintone.records(1) == []
    kintone.sim("POST", "settings", {"key_form": "bracket"})
    assert "records[1][会社名].value" in problems(kintone.upsert(1, "会社ID", company(1), {"会社ID": "C9"}))
    twice = {"app": 1, "records": [{k: {"value": v} for k, v in company(1).items()}] * 2}
    assert problems(kintone.call("POST", "records", json=twice)) == {
        "records[1][会社ID].value": "値がほかのレコードと重複しています。"
    }


def test_a_lookup_needs_the_value_and_the_token_and_says_the_same_of_both(kintone: Kintone) -> None:
    kintone.upsert(1, "会社ID", company(1))

    without_token = kintone.upsert(2, "番号", {"番号": "1", "会社": "C1"}, token="app2")
    without_value = kintone.upsert(2, "番号", {"番号": "1", "会社": "C7"}, token="app2,app1")

    for refused in (without_token, without_value):
        assert (refused.status_code, refused.json()["code"]) == (400, "GAIA_LO04")
        assert "errors" not in refused.json()
    kintone.upsert(2, "番号", {"番号": "1", "会社": "C1", "社名": "無視される"}, token="app2,app1")
    assert [one["社名"] for one in kintone.records(2)] == ["会社1"]
    kintone.upsert(1, "会社ID", company(1, 会社名="新名"))
    assert kintone.records(2)[0]["社名"] == "会社1", "a copy of then"
    assert (
        kintone.upsert(2, "番号", {"番号": "1.0", "会社": ""}, token="app2").json()["records"][0]["operation"]
        == "UPDATE"
    )
    assert kintone.records(2)[0]["社名"] == ""


def test_queries_find_by_key_by_id_and_refuse_as_kintone_refuses(kintone: Kintone) -> None:
    kintone.upsert(1, "会社ID", *[company(number) for number in range(1, 8)])

    def ids(query: str) -> list[str]:
        answer = kintone.call("GET", "records", params={"app": 1, "query": query, "fields[0]": "会社ID"})
        assert answer.status_code == 200, answer.text
        return [record["会社ID"]["value"] for record in answer.json()["records"]]

    assert ids('会社ID in ("C2", "C5", "C9")') == ["C5", "C2"], "by descending id"
    assert ids("$id > 3 order by $id asc limit 2") == ["C4", "C5"]
    assert ids('区分 in ("見込") and (会社名 = "会社1" or 会社名 like "社7") order by 会社ID desc') == ["C7", "C1"]
    assert ids('契約日 = "" offset 5') == ["C2", "C1"]
    keys = ", ".join(f'"C{number}"' for number in range(1, 2000))
    long = {"app": 1, "query": f"会社ID in ({keys})", "totalCount": "true"}
    overridden = kintone.call("POST", "records", json=long, headers={"X-HTTP-Method-Override": "GET"})
    assert overridden.json()["totalCount"] == "7"
    assert kintone.call("GET", "records", params=long).status_code == 414
    for query, code in {
        "会社ID = ": "CB_VA01",
        '無い = "1"': "GAIA_IQ11",
        '区分 = "顧客"': "GAIA_IQ03",
        '拠点名 = "本社"': "GAIA_IQ07",
        "limit 501": "GAIA_QU01",
        "offset 10001": "GAIA_QU02",
    }.items():
        assert kintone.call("GET", "records", params={"app": 1, "query": query}).json()["code"] == code, query


def test_tokens_rights_and_paths_are_refused_by_their_own_codes(kintone: Kintone) -> None:
    kintone.app(3, COMPANIES, guest_space=5, tokens={"app3": ["view"]})
    answers = {
        (401, "CB_AU01"): kintone.call("GET", "records", "", params={"app": 1}),
        (400, "GAIA_IA02"): kintone.call("GET", "records", "app2", params={"app": 1}),
        (404, "GAIA_AP01"): kintone.call("GET", "records", params={"app": 9}),
        (400, "GAIA_IL23"): kintone.call("GET", "records", "app3", params={"app": 3}),
        (403, "GAIA_NO01"): kintone.call("POST", "record", "app3", space=5, json={"app": 3, "record": {}}),
        (404, "GAIA_RE01"): kintone.call("PUT", "record", json={"app": 1, "id": 77, "record": {}}),
        (404, "GAIA_RE20"): kintone.call(
            "PUT", "record", json={"app": 1, "updateKey": {"field": "会社ID", "value": "C7"}, "record": {}}
        ),
        (400, "CB_IJ01"): kintone.call("GET", "app", params={"id": 1}, headers={"Content-Type": "application/json"}),
    }

    assert {(answer.status_code, answer.json()["code"]) for answer in answers.values()} == answers.keys()
    assert kintone.call("GET", "records", "app3", space=5, params={"app": 3}).status_code == 200
    kintone.sim("PUT", "tokens/app1", {"app": 1, "rights": ["view", "edit"]})
    assert kintone.upsert(1, "会社ID", company(1)).json()["code"] == "GAIA_NO01", "an upsert may add"


def test_a_bulk_request_is_one_transaction_over_apps(kintone: Kintone) -> None:
    def adding(app: int, **values: str) -> dict[str, Any]:
        record = {code: {"value": value} for code, value in values.items()}
        return {"method": "POST", "api": "/k/v1/record.json", "payload": {"app": app, "record": record}}

    first = adding(1, 会社ID="C1", 会社名="一")
    failed = kintone.call("POST", "bulkRequest", "app1,app2", json={"requests": [first, adding(2, 会社="C9"), first]})
    done = kintone.call("POST", "bulkRequest", "app1,app2", json={"requests": [first, adding(2, 会社="C1")]})

    assert [result.get("code") for result in failed.json()["results"]] == [None, "GAIA_LO04", None]
    assert [result["revision"] for result in done.json()["results"]] == ["1", "1"]
    assert (len(kintone.records(1)), kintone.records(2)[0]["社名"]) == (1, "一")
    assert (kintone.requests(1), kintone.requests(2)) == (2, 2), "each counts for its app"


def test_the_hundred_and_first_request_at_once_is_refused(kintone: Kintone) -> None:
    kintone.sim("POST", "settings", {"concurrency": 2})
    address = kintone.url.removeprefix("http://").split(":")
    head = b"POST /k/v1/record.json HTTP/1.1\r\nHost: kintone\r\nContent-Length: 9\r\n\r\n"
    with (
        socket.create_connection((address[0], int(address[1]))) as one,
        socket.create_connection(one.getpeername()) as two,
    ):
        one.sendall(head)  # and nothing of the body: both are in work until they are closed
        two.sendall(head)
        until = time.monotonic() + 150
        while (most := kintone.sim("GET", "requests")["most_at_once"]) < 2:
            assert time.monotonic() < until, f"{most} at once"
        refused = kintone.call("GET", "app", params={"id": 1})

    assert (refused.status_code, refused.json()["code"]) == (429, "GAIA_TO04")
    assert refused.headers["X-ConcurrencyLimit-Limit"] == refused.headers["X-ConcurrencyLimit-Running"] == "2"
