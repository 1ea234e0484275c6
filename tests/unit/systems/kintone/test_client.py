"""KintoneClient over a Session whose wire is a function: what it sends, what it makes of each answer, what it counts."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from renkei.errors import ConnectionError_
from renkei.links.hotprofile_kintone.isolate import write_all_but_the_bad
from renkei.systems.kintone import client as module
from renkei.systems.kintone.client import KintoneClient
from renkei.systems.kintone.crowding import ConcurrencyLimit
from renkei.systems.kintone.errors import (
    KintoneAwayError,
    KintoneSettingError,
    KintoneUnreachedError,
    QuotaSpentError,
    RecordRefusedError,
)
from renkei.systems.kintone.payloads import Written
from tests.harness.clock import SkipClock, no_waits
from tests.unit.systems.transport import Answer, Seen, Wire, session_over

URL = "https://example.cybozu.com"
Reply = Callable[[Seen], Answer | Exception]


@pytest.fixture
def clock() -> Iterator[SkipClock]:
    with no_waits(module) as clock:
        yield clock


class Kintone:
    """An app of records by their key behind a client; `twists` answer in its place, or after it has done its work."""

    def __init__(self, upserts: bool = True, **options: Any) -> None:
        self.upserts = upserts
        self.records: dict[str, dict[str, Any]] = {}
        self.ids: dict[str, int] = {}
        self.key_type = "SINGLE_LINE_TEXT"
        self.before: list[Callable[[Seen], Answer | Exception | None]] = []
        self.after: list[Callable[[Seen], Answer | Exception | None]] = []
        self.spent = 0
        self.wire = Wire(self._reply)
        self.client = KintoneClient(session_over(self.wire), URL + "/", spend=self._spend, **options)
        self._lock = threading.Lock()

    def _spend(self, count: int) -> None:
        self.spent += count

    def add(self, key: str, **values: str) -> None:
        self.records[key] = {code: {"value": value} for code, value in values.items()}
        self.ids.setdefault(key, len(self.ids) + 1)

    def _reply(self, seen: Seen) -> Answer | Exception:
        with self._lock:
            for twist in self.before:
                if (found := twist(seen)) is not None:
                    return found
            answer = self._sound(seen)
            for twist in self.after:
                if (found := twist(seen)) is not None:
                    return found
            return answer

    def _sound(self, seen: Seen) -> Answer:
        body = json.loads(seen.body) if seen.body else {}
        match seen.method, seen.path.rpartition("/")[2]:
            case "PUT", "records.json":
                return self._put(body)
            case "POST", "records.json":
                return self._post(body)
            case "GET", "records.json":
                return self._get(seen.query["query"])
            case "GET", "fields.json":
                return Answer({"properties": {}, "revision": "7"})
        raise AssertionError(seen)

    def _put(self, body: dict[str, Any]) -> Answer:
        rows = []
        for one in body["records"]:
            if "id" in one:
                key = next((key for key, number in self.ids.items() if str(number) == one["id"]), None)
                if key is None:
                    return refusal("GAIA_RE01", 404)
                new = False
            else:
                key = one["updateKey"]["value"]
                new = key not in self.records
                if new and not self.upserts:
                    return refusal("GAIA_RE20", 404)
            self.records.setdefault(key, {}).update(one["record"])
            self.ids.setdefault(key, len(self.ids) + 1)
            rows.append({"id": str(self.ids[key]), "revision": "1", "operation": "INSERT" if new else "UPDATE"})
        return Answer({"records": rows})

    def _post(self, body: dict[str, Any]) -> Answer:
        keys = [one["code"]["value"] for one in body["records"]]
        errors = {
            f"records[{place}].code.value": {"messages": ["値がほかのレコードと重複しています。"]}
            for place, key in enumerate(keys)
            if key in self.records
        }
        if errors:
            return Answer({"code": "CB_VA01", "id": "x", "message": "", "errors": errors}, 400)
        for key, one in zip(keys, body["records"], strict=True):
            self.records[key] = one
            self.ids[key] = len(self.ids) + 1
        return Answer({"ids": [str(self.ids[key]) for key in keys], "revisions": ["1"] * len(keys)})

    def _get(self, query: str) -> Answer:
        after = re.search(r"\$id > (\d+)", query)
        wanted = re.findall(r'"((?:[^"\\]|\\.)*)"', query)
        keys = [key for key in self.records if not wanted or key in wanted]
        rows = [
            {
                "$id": {"type": "__ID__", "value": str(self.ids[key])},
                "$revision": {"type": "__REVISION__", "value": "1"},
                "code": {"type": self.key_type, "value": key},
            }
            for key in keys
            if not after or self.ids[key] > int(after[1])
        ]
        return Answer({"records": sorted(rows, key=lambda row: int(row["$id"]["value"]))[:500], "totalCount": None})


def refusal(code: str, status: int = 400, headers: dict[str, str] | None = None) -> Answer:
    return Answer({"code": code, "id": "x", "message": "山田 太郎"}, status, headers or {})


def once(*replies: Answer | Exception, when: str = "") -> Callable[[Seen], Answer | Exception | None]:
    """The next requests (of that method) get these answers."""
    left = list(replies)
    return lambda seen: left.pop(0) if left and (not when or seen.method == when) else None


def rows(*keys: str) -> list[tuple[str, dict[str, Any]]]:
    return [(key, {"name": {"value": f"n{key}"}}) for key in keys]


def test_k5_upsert_is_the_documented_request_and_tells_what_became_of_each(clock: SkipClock) -> None:
    """Path, token, language, updateKey; the key is not sent a second time; added is told from changed."""
    app = Kintone()
    app.add("a", name="old")

    written = app.client.upsert("5", "code", [("a", {"name": {"value": "A"}, "code": {"value": "a"}}), *rows("b")])

    assert written == [Written("1", "1", False), Written("2", "1", True)]
    seen = app.wire.seen[0]
    assert (seen.method, seen.path) == ("PUT", "/k/v1/records.json")
    assert seen.headers["Accept-Language"] == "ja"
    assert json.loads(seen.body) == {
        "app": "5",
        "upsert": True,
        "records": [
            {"updateKey": {"field": "code", "value": "a"}, "record": {"name": {"value": "A"}}},
            {"updateKey": {"field": "code", "value": "b"}, "record": {"name": {"value": "nb"}}},
        ],
    }
    assert app.spent == 1


def test_k11_an_app_in_a_guest_space_has_its_path(clock: SkipClock) -> None:
    app = Kintone(guest_space="12")
    app.client.form("5")
    assert app.wire.seen[0].path == "/k/guest/12/v1/app/form/fields.json"
    assert app.wire.seen[0].query == {"app": "5"}


@pytest.mark.parametrize("key", ["", " ", "\u3000"])
def test_k7_an_empty_key_is_never_sent(clock: SkipClock, key: str) -> None:
    app = Kintone()
    with pytest.raises(RecordRefusedError) as raised:
        app.client.upsert("5", "code", rows("a", key))
    assert raised.value.first.index == 1
    assert app.wire.seen == []


def test_k17_what_passes_is_tried_again_and_counted_each_time(clock: SkipClock) -> None:
    """503 with HTML, a lock, a broken answer: the same upsert again, every one of them a request (K15)."""
    app = Kintone()
    app.before.append(once(Answer("<html>", 503), refusal("GAIA_DA02"), requests.ConnectionError()))
    assert len(app.client.upsert("5", "code", rows("a"))) == 1
    assert (app.spent, len(app.wire.seen), len(app.records)) == (4, 4, 1)
    assert len(clock.slept) == 3


def test_k17_an_outage_that_lasts_is_told_as_one(clock: SkipClock) -> None:
    app = Kintone()
    app.before.append(lambda seen: Answer("<html>", 503))
    with pytest.raises(KintoneAwayError) as raised:
        app.client.upsert("5", "code", rows("a"))
    assert raised.value.unknown
    assert app.spent == module.TRIES


@pytest.mark.parametrize(("fault", "unknown"), [(requests.ConnectTimeout(), False), (requests.ReadTimeout(), True)])
def test_k12_who_was_not_reached_is_told_from_who_did_not_answer(
    clock: SkipClock, fault: Exception, unknown: bool
) -> None:
    """K12: only an address that nobody is at may be a wrong サブドメイン."""
    app = Kintone()
    app.before.append(lambda seen: fault)
    with pytest.raises(KintoneAwayError) as raised:
        app.client.upsert("5", "code", rows("a"))
    assert (raised.value.unknown, isinstance(raised.value, KintoneUnreachedError)) == (unknown, not unknown)


def test_k17_a_page_in_place_of_an_answer_is_an_outage(clock: SkipClock) -> None:
    """Some maintenance pages come with 200."""
    app = Kintone()
    app.before.append(lambda seen: Answer("<html>"))
    with pytest.raises(KintoneAwayError):
        app.client.form("5")


@pytest.mark.parametrize("body", [{}, {"records": []}, {"records": [{"id": "1"}]}, {"records": [3]}, {"records": {}}])
def test_l1_an_answer_that_does_not_fit_is_no_confirmation(clock: SkipClock, body: Any) -> None:
    app = Kintone()
    app.before.append(lambda seen: Answer(body))
    with pytest.raises(KintoneAwayError) as raised:
        app.client.upsert("5", "code", rows("a"))
    assert raised.value.unknown


def test_k15_nothing_is_sent_when_nothing_may_be_spent(clock: SkipClock) -> None:
    app = Kintone()

    def spend(count: int) -> None:
        raise QuotaSpentError

    app.client._spend = spend
    with pytest.raises(QuotaSpentError):
        app.client.upsert("5", "code", rows("a"))
    assert app.wire.seen == []


def test_k16_a_429_is_waited_for(clock: SkipClock) -> None:
    app = Kintone()
    app.before.append(once(refusal("GAIA_TO04", 429), refusal("GAIA_TO04", 429, {"Retry-After": "7"})))
    assert len(app.client.upsert("5", "code", rows("a"))) == 1
    assert sum(clock.slept) >= 7


def test_k16_a_domain_that_is_nearly_full_is_asked_less(clock: SkipClock) -> None:
    """Half as many at once for each such answer, never none; one more for each that is not; never more than ours."""
    gate = ConcurrencyLimit(8)

    def told(running: str) -> int:
        with gate.passed() as note:
            note({"X-ConcurrencyLimit-Limit": "100", "X-ConcurrencyLimit-Running": running})
        return gate.width

    assert [told(running) for running in ("85", "90", "99", "100", "10", "?", "10")] == [4, 2, 1, 1, 2, 3, 4]
    assert [told("5") for _ in range(6)][-1] == 8


def test_k16_no_more_are_under_way_than_we_may() -> None:
    """The third waits until one of two is answered."""
    app = Kintone(at_once=2)
    inside, begun, free = threading.Semaphore(0), [], threading.Event()

    def held(seen: Seen) -> Answer:
        begun.append(seen)
        inside.release()
        assert free.wait(60)
        return Answer({"properties": {}, "revision": "1"})

    app.wire.reply = held
    threads = [threading.Thread(target=app.client.form, args=("5",)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        assert inside.acquire(timeout=60)
    assert app.client._concurrency._inside == 2
    assert len(begun) == 2
    free.set()
    for thread in threads:
        thread.join(60)
    assert len(begun) == 3


def test_the_form_names_a_refused_lookup(clock: SkipClock) -> None:
    """Its label, which kintone may say in place of the code, is enough."""
    lookup = {"relatedApp": {"app": "3", "code": ""}, "relatedKeyField": "code", "fieldMappings": []}
    field = {"type": "SINGLE_LINE_TEXT", "code": "parent", "label": "親会社", "lookup": lookup}
    message = "フィールド「親会社」の値「山田」が、ルックアップの参照先のフィールドにないか"
    app = Kintone()
    app.before.append(once(Answer({"properties": {"parent": field}, "revision": "7"})))
    app.client.form("5")
    app.before.append(once(Answer({"code": "GAIA_LO04", "id": "x", "message": message}, 400)))
    with pytest.raises(RecordRefusedError) as raised:
        app.client.upsert("5", "code", rows("a"))
    assert raised.value.first.field == "parent"


def test_k19_a_refused_record_costs_one_request(clock: SkipClock) -> None:
    app = Kintone()
    error = {"code": "CB_VA01", "errors": {"records[1].name.value": {"messages": ["必須です。"]}}}
    app.before.append(once(Answer(error, 400)))
    with pytest.raises(RecordRefusedError):
        app.client.upsert("5", "code", rows("a", "b"))
    assert app.spent == 1


def test_k19_a_user_that_kintone_does_not_know_is_asked_about_once(clock: SkipClock) -> None:
    """It says neither which record nor who: found by halves each time, a hundred such records cost two hundred."""
    app = Kintone()
    app.before.append(lambda seen: refusal("GAIA_IL26") if "gone" in str(seen.body) else None)
    records = [(str(number), {"who": {"value": [{"code": "gone"}]}}) for number in range(99)]
    records.append(("99", {"who": {"value": [{"code": "sato"}]}}))
    results = list(write_all_but_the_bad(records, lambda batch: app.client.upsert("5", "code", batch)))
    assert [record[0] for record, found in results if isinstance(found, Written)] == ["99"]
    assert app.spent <= 10


@pytest.mark.parametrize("then", ["GAIA_DA02", "GAIA_IA02", "quota"])
def test_l4_a_write_that_may_have_arrived_stays_that_whatever_the_next_try_meets(clock: SkipClock, then: str) -> None:
    app = Kintone()

    def spend(count: int) -> None:
        if then == "quota" and app.wire.seen:
            raise QuotaSpentError("used up")

    app.client = KintoneClient(session_over(app.wire), URL, spend=spend)
    app.before.append(once(requests.ReadTimeout()))
    app.before.append(lambda seen: refusal(then))
    with pytest.raises(KintoneAwayError) as raised:
        app.client.upsert("5", "code", rows("a"))
    assert raised.value.unknown


def test_a_revoked_token_ends_it_at_once(clock: SkipClock) -> None:
    app = Kintone()
    app.before.append(lambda seen: refusal("GAIA_IA02"))
    with pytest.raises(KintoneSettingError):
        app.client.upsert("5", "code", rows("a"))
    assert app.spent == 1


def test_keys_are_found_whatever_stands_in_them(clock: SkipClock) -> None:
    """Quotes and backslashes are written so that they end nothing; a long question goes as the reference's POST."""
    app = Kintone()
    app.client.find("5", "code", ['a" or "" = "', "b\\"])
    assert app.wire.seen[0].query["query"] == (
        '(code in ("a\\" or \\"\\" = \\"", "b\\\\")) and $id > 0 order by $id asc limit 500'
    )

    app.wire.reply = lambda seen: Answer({"records": []})
    app.client.find("5", "code", [f"{number:0100}" for number in range(250)], ["name"])
    long = app.wire.seen[1:]
    assert [(seen.method, seen.headers.get("X-HTTP-Method-Override")) for seen in long] == [("POST", "GET")] * 3
    assert json.loads(long[0].body)["fields"] == ["name", "code", "$id", "$revision"]


def test_k11_a_key_that_may_not_be_seen_is_no_key_that_is_not_there(clock: SkipClock) -> None:
    """kintone leaves out what one may not see; taken for absent, the records would be added again."""
    app = Kintone()
    app.before.append(lambda seen: Answer({"records": [{"$id": {"value": "1"}, "$revision": {"value": "1"}}]}))
    with pytest.raises(KintoneSettingError, match="「code」の閲覧権限"):
        app.client.find("5", "code", ["a"], ["name"])


def test_k2_every_record_is_read_once_by_its_id(clock: SkipClock) -> None:
    app = Kintone()
    for number in range(1_234):
        app.add(f"{number}")
    pages = list(app.client.pages("5", ["code"], "price > 5"))
    assert [len(page) for page in pages] == [500, 500, 234]
    assert {record["code"]["value"] for page in pages for record in page} == app.records.keys()
    assert app.wire.seen[1].query["query"] == "(price > 5) and $id > 500 order by $id asc limit 500"
    assert app.spent == 3


def test_l1_a_page_that_comes_again_is_no_page(clock: SkipClock) -> None:
    app = Kintone()
    for number in range(600):
        app.add(f"{number}")
    page = app._get("")
    app.before.append(lambda seen: page)
    with pytest.raises(KintoneAwayError):
        list(app.client.pages("5", []))


def test_without_upsert_those_that_are_there_are_changed_and_the_others_added(clock: SkipClock) -> None:
    app = Kintone(upserts=False)
    app.add("b", name="old")
    written = app.client.upsert("5", "code", rows("a", "b", "c"))
    assert [one.added for one in written] == [True, False, True]
    assert [one.id for one in written] == [str(app.ids[key]) for key in "abc"]
    assert [seen.method for seen in app.wire.seen] == ["PUT", "GET", "PUT", "POST"]
    app.client.upsert("5", "code", rows("d"))
    assert [seen.method for seen in app.wire.seen[4:]] == ["GET", "POST"]  # it is known from then on


def test_l4_an_added_record_whose_answer_was_lost_is_there(clock: SkipClock) -> None:
    """The POST is not sent blindly again: it is asked who is there, and those are changed."""
    app = Kintone(upserts=False)
    app.after.append(once(requests.ConnectionError(), when="POST"))
    written = app.client.upsert("5", "code", rows("a", "b"))
    assert [seen.method for seen in app.wire.seen] == ["PUT", "GET", "POST", "GET", "PUT"]
    assert len(written) == len(app.records) == 2


def test_l4_a_record_that_somebody_else_added_meanwhile_is_changed(clock: SkipClock) -> None:
    """CB_VA01 of the key means that it is there."""
    app = Kintone(upserts=False)

    def other(seen: Seen) -> None:
        if seen.method == "POST" and "b" not in app.records:
            app.add("b", name="theirs")

    app.before.append(other)
    written = app.client.upsert("5", "code", rows("a", "b"))
    assert [one.added for one in written] == [True, False]
    assert app.records["b"]["name"] == {"value": "nb"}


def test_a_duplicate_that_nobody_can_see_is_the_records_fault(clock: SkipClock) -> None:
    """Refused as a duplicate, yet not found: the token may not see it."""
    app = Kintone(upserts=False)
    app.add("b")
    app.before.append(lambda seen: Answer({"records": []}) if seen.method == "GET" else None)
    with pytest.raises(RecordRefusedError) as raised:
        app.client.upsert("5", "code", rows("a", "b"))
    assert (raised.value.first.index, raised.value.first.field) == (1, "code")


def test_l4_a_record_deleted_meanwhile_is_added_anew(clock: SkipClock) -> None:
    app = Kintone(upserts=False)
    app.client._upserts = False
    app.add("a")

    def deleted(seen: Seen) -> None:
        if seen.method == "PUT":
            app.records.pop("a", None)
            app.ids.pop("a", None)

    app.before.append(deleted)
    assert [one.added for one in app.client.upsert("5", "code", rows("a"))] == [True]


def test_k7_numeric_keys_are_found_as_numbers_and_texts_as_texts(clock: SkipClock) -> None:
    app = Kintone(upserts=False)
    app.client._upserts = False
    app.add("1")
    app.before.append(
        lambda seen: app._get("") if seen.method == "GET" else None  # kintone finds 1 where 01.0 is asked for
    )
    app.key_type = "NUMBER"
    assert [one.added for one in app.client.upsert("5", "code", rows("01.0"))] == [False]
    app.key_type = "SINGLE_LINE_TEXT"
    assert [one.added for one in app.client.upsert("5", "code", rows("01"))] == [True]


def test_k22_a_key_is_changed_by_kintones_own_id(clock: SkipClock) -> None:
    app = Kintone()
    app.add("old")
    app.client.update("5", [("1", {"code": {"value": "new"}})])
    assert json.loads(app.wire.seen[0].body) == {
        "app": "5",
        "records": [{"id": "1", "record": {"code": {"value": "new"}}}],
    }


def test_a_url_that_is_none_is_the_connections_fault(clock: SkipClock) -> None:
    app = Kintone()
    app.client._root = "https://"
    with pytest.raises(ConnectionError_):
        app.client.form("5")
