"""The kintone simulator over HTTP, against what kintone's pages and notes on a real tenant say."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.harness.kintone import Kintone
from tests.harness.program import ROOT

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
    nonsense = problems(kintone.upsert(1, "会社ID", company(1, 区分=["顧客"], 契約日="0000-00-00", 面談="12:00")))
    assert len(nonsense) == 3, "a value of another kind is a fault of its field"
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
    assert ids('(会社ID in ("C1", "C4") or $id > 6) and $id > 1 order by $id asc') == ["C4", "C7"]
    assert ids('会社ID = "C1" or $id > 6') == ["C7", "C1"]
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


def test_faults_on_order_answer_as_kintone_in_trouble_and_a_lost_answer_was_written(kintone: Kintone) -> None:
    said = {}
    for kind in ("maintenance", "lock", "lock_520", "too_many", "address"):
        kintone.fault(kind)
        said[kind] = kintone.upsert(1, "会社ID", company(1))
    kintone.fault("drop", contains="C1")
    kintone.fault("drop_after", contains="C2")
    for number in (1, 2):
        with pytest.raises(requests.ConnectionError):
            kintone.upsert(1, "会社ID", company(number))

    assert {kind: answer.status_code for kind, answer in said.items()} == {
        **{"maintenance": 503, "lock": 400, "lock_520": 520, "too_many": 429, "address": 403}
    }
    assert said["lock_520"].json()["code"] == "GAIA_DA02"
    assert said["maintenance"].headers["Content-Type"].startswith("text/html")
    assert said["maintenance"].headers["X-ConcurrencyLimit-Running"] == "1"
    assert [one["会社ID"] for one in kintone.records(1)] == ["C2"], "only the answer was lost"


def test_the_form_and_the_rights_change_between_two_requests(kintone: Kintone) -> None:
    def on_order(method: str, path: str, body: Any = None) -> requests.Response:
        """The change comes after one more request; the answer of the one that meets it."""
        kintone.fault("calls", after=1, calls=[{"method": method, "path": path, "body": body}])
        assert kintone.upsert(1, "会社ID", company(1, 区分="見込", 従業員="3")).status_code == 200
        return kintone.upsert(1, "会社ID", company(1, 区分="見込", 従業員="4"))

    assert "records[0].区分.value" in problems(on_order("PATCH", "apps/1/fields/区分", {"options": ["顧客"]}))
    kintone.sim("PATCH", "apps/1/fields/区分", {"options": ["顧客", "見込"]})
    assert on_order("PATCH", "apps/1/fields/従業員", {"code": "人数"}).status_code == 200, "an unknown code is ignored"
    assert kintone.records(1)[0]["人数"] == "3", "the value went with its field"
    required = {"type": "SINGLE_LINE_TEXT", "required": True}
    assert problems(on_order("PUT", "apps/1/fields/必須", required)) == {"records[0].必須.value": "必須です。"}
    kintone.sim("DELETE", "apps/1/fields/必須")
    revision = int(kintone.call("GET", "app/form/fields", params={"app": 1}).json()["revision"])
    assert revision == 6, "each change counts it up"
    assert on_order("PUT", "tokens/app1", {"app": 1, "rights": ["view", "edit"]}).json()["code"] == "GAIA_NO01"
    kintone.sim("PUT", "tokens/app1", {"app": 1, "rights": ["view", "add", "edit"]})
    assert on_order("DELETE", "tokens/app1").json()["code"] == "GAIA_IA02"
    kintone.sim("PUT", "tokens/app1", {"app": 1, "rights": ["view", "add", "edit"]})
    assert on_order("DELETE", "apps/1").json()["code"] == "GAIA_AP01"


def test_what_cannot_be_a_key_or_an_old_revision_is_refused(kintone: Kintone) -> None:
    kintone.sim("PUT", "apps/1/fields/登録日", {"type": "DATE", "unique": True})
    kintone.upsert(1, "会社ID", company(1), company(2))

    assert "records[0].updateKey.field" in problems(kintone.upsert(1, "登録日", {"登録日": "2026-11-29"}))
    assert "records[0].updateKey.value" in problems(kintone.upsert(1, "会社ID", {"会社ID": "", "会社名": "空"}))
    assert "records[1].updateKey.value" in problems(kintone.upsert(1, "会社ID", company(3), company(3)))
    assert kintone.upsert(1, "無い", {"無い": "1"}).json()["code"] == "GAIA_FC01"
    stale = {"app": 1, "records": [{"id": 1, "revision": 7, "record": {"会社名": {"value": "古"}}}]}
    assert (kintone.call("PUT", "records", json=stale).status_code, len(kintone.records(1))) == (409, 2)
    both = {"app": 1, "records": [{"id": 1, "updateKey": {"field": "会社ID", "value": "C1"}, "record": {}}]}
    assert kintone.call("PUT", "records", json=both).status_code == 400
    kintone.sim("POST", "settings", {"upsert": False})
    assert kintone.upsert(1, "会社ID", company(9)).json()["code"] == "GAIA_RE20"
    kintone.sim("PATCH", "apps/1/fields/従業員", {"required": True})
    only_the_name = {"app": 1, "records": [{"id": 1, "record": {"会社名": {"value": "改"}}}]}
    assert problems(kintone.call("PUT", "records", json=only_the_name)) == {"records[0].従業員.value": "必須です。"}


def test_cursors_end_and_requests_are_counted_by_the_hour_of_the_clock(kintone: Kintone) -> None:
    kintone.upsert(1, "会社ID", *[company(number) for number in range(5)])
    kintone.sim("DELETE", "requests")
    kintone.sim("POST", "clock", {"at": "2026-11-29T23:59:00+09:00", "stands": True})
    made = kintone.call("POST", "records/cursor", json={"app": 1, "query": "order by $id asc", "size": 3}).json()
    cursor = {"id": made["id"]}
    pages = [kintone.call("GET", "records/cursor", params=cursor).json() for _ in range(2)]
    assert [(len(page["records"]), page["next"]) for page in pages] == [(3, True), (2, False)]
    more = [kintone.call("POST", "records/cursor", json={"app": 1}) for _ in range(11)]
    assert more[-1].json()["code"] == "GAIA_TM12"
    kintone.sim("POST", "clock", {"advance_s": 601})
    assert kintone.call("GET", "records/cursor", params={"id": more[0].json()["id"]}).status_code == 404
    assert kintone.call("POST", "records/cursor", json={"app": 1}).status_code == 200, "the old ones are over"

    assert (kintone.requests(1, "2026-11-29"), kintone.requests(1, "2026-11-30"), kintone.requests(1)) == (14, 1, 15)
    assert kintone.sim("GET", "asked")[-1] == {
        **{"at": "2026-11-29T15:09:01+00:00", "method": "POST", "api": "records/cursor", "app": 1, "status": 200}
    }


def test_a_person_sees_apps_and_records(kintone: Kintone) -> None:
    kintone.upsert(1, "会社ID", company(1, 会社名="<script>", 担当=[{"code": "tanaka"}], 拠点=[{"value": {}}]))

    def page(path: str) -> str:
        answer = requests.get(f"{kintone.url}{path}", timeout=30)
        assert answer.status_code == 200
        return answer.text

    assert 'href="/k/1/"' in page("/")
    assert "&lt;script&gt;" in page('/k/1/?query=会社ID+in+("C1")')
    assert "クエリ記法が間違っています。" in page("/k/1/?query=会社ID")
    record = page("/k/1/show?record=1")
    assert "田中" in record
    assert "<script>" not in record


def test_what_was_there_is_there_again_after_a_restart(tmp_path: Path) -> None:
    keep = str(tmp_path / "kintone")
    with Kintone.start("--apps", str(ROOT / "simulators/kintone/sample.yaml"), "--keep", keep) as first:
        first.upsert(1, "会社ID", {"会社ID": "1", "会社名": "残る"}, token="kin_sim_companies")
    with Kintone.start("--keep", keep) as second:
        again = second.upsert(1, "会社ID", {"会社ID": "1", "会社名": "残った"}, token="kin_sim_companies")
        assert again.json()["records"] == [{"id": "1", "revision": "2", "operation": "UPDATE"}]
        assert [app["name"] for app in second.sim("GET", "apps")] == ["会社", "部署", "リード"]
