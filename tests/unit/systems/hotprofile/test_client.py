"""HotProfileClient over a Session whose wire is a function: whole reads, proven, whatever the other side does (K4 to K6)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from renkei.clock import TOKYO
from renkei.errors import ConnectionError_, FetchError, RefusedFetchError, RetriableFetchError
from renkei.systems.hotprofile import client as module
from renkei.systems.hotprofile.client import HotProfileClient
from renkei.systems.hotprofile.payloads import TornReadError, UserGoneError, Window, updated_at
from tests.harness.clock import SkipClock, no_waits
from tests.unit.systems.transport import Answer, Seen, Wire, session_over

URL = "https://example.hot-profile.com"
SINCE = dt.datetime(2026, 4, 1, 9, 0, tzinfo=TOKYO)
UNTIL = dt.datetime(2026, 4, 1, 9, 5, tzinfo=TOKYO)
INSIDE = "2026-04-01 09:03:00"
Twist = Callable[[Seen, dict[str, Any]], Answer | Exception | None]


@pytest.fixture
def clock() -> Iterator[SkipClock]:
    with no_waits(module) as clock:
        yield clock


class HotProfile:
    """Records behind a client, in an order of its own; `twists` may answer a request in place of them."""

    def __init__(self, *ids: int, **options: Any) -> None:
        self.records = {number: entry(number) for number in ids}
        self.twists: list[Twist] = []
        self.order = -1
        self.headers: dict[str, str] = {"Date": "Wed, 01 Apr 2026 00:05:30 GMT"}
        self.wire = Wire(self._reply)
        self.client = HotProfileClient(session_over(self.wire), URL, "key", **options)

    def page(self, body: dict[str, Any], path: str = "clients") -> Answer:
        """What a sound Hot Profile answers: newest ids first, which nobody may rely on."""
        search, page = body["search"], body["page"]
        low, high = search["from_id"], search.get("to_id", 1 << 60)
        first, last = search.get("from_datetime_updated_on", ""), search.get("to_datetime_updated_on", "9")
        found = [
            one for number, one in self.records.items() if low <= number <= high and first <= one["updated_at"] <= last
        ]
        found.sort(key=lambda one: one["id"] * self.order % 1_000_003 if self.order > 1 else one["id"] * self.order)
        shown = found[: page["display_number"]]
        return Answer({path: shown, "pages": {"total_count": len(found)}}, headers=self.headers)

    def _reply(self, seen: Seen) -> Answer | Exception:
        body = json.loads(seen.body)
        for twist in self.twists:
            if (found := twist(seen, body)) is not None:
                return found
        return self.page(body, seen.path.split("/")[3])

    def changed(self, data_set: str = "companies") -> list[dict[str, Any]]:
        return [one for entries in self.client.changed(data_set, SINCE, UNTIL) for one in entries]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(seen.body) for seen in self.wire.seen]


def entry(number: int, at: str = INSIDE, **more: Any) -> dict[str, Any]:
    return {"id": number, "name": f"会社{number}", "updated_at": at, **more}


def numbers(entries: list[dict[str, Any]]) -> list[int]:
    return sorted(one["id"] for one in entries)


def once(*replies: Answer | Exception) -> Twist:
    left = list(replies)
    return lambda seen, body: left.pop(0) if left else None


def test_k5_a_quiet_run_is_one_documented_request(clock: SkipClock) -> None:
    """Path, key in the body, both ends in Japan's time to the second, no order asked for."""
    hot = HotProfile(1, 2, 3)

    assert numbers(hot.changed()) == [1, 2, 3]
    (seen,) = hot.wire.seen
    assert (seen.method, seen.path, seen.query) == ("POST", "/rest_api/v1/clients/get_entry_list", {})
    assert json.loads(seen.body) == {
        "api_key": "key",
        "search": {
            "from_id": 1,
            "from_datetime_updated_on": "2026-04-01 09:00:00",
            "to_datetime_updated_on": "2026-04-01 09:05:00",
        },
        "page": {"number": 1, "display_number": 1000},
    }


def test_k5_both_ends_of_the_window_are_in_it(clock: SkipClock) -> None:
    hot = HotProfile()
    times = ("08:59:59", "09:00:00", "09:05:00", "09:05:01")
    hot.records = {number: entry(number, f"2026-04-01 {at}") for number, at in enumerate(times, 1)}
    assert numbers(hot.changed()) == [2, 3]


@pytest.mark.parametrize(
    "ids",
    [
        range(1, 1_001),
        range(1, 1_002),
        range(1, 9_000, 2),
        [*range(1, 1_500), *range(900_000, 901_500), 5_000_000],
        range(1_000_000_000, 1_000_005_432),
    ],
    ids=["one page", "one more", "sparse", "clusters", "far"],
)
def test_k6_every_record_is_read_once_whatever_their_ids(clock: SkipClock, ids: range) -> None:
    """By ranges of ids, in a number of requests that the gaps between them hardly change."""
    hot = HotProfile(*ids)
    assert numbers(hot.changed()) == list(ids)
    assert len(hot.wire.seen) <= 3 * (len(ids) // 1_000) + 40
    assert all(body["page"]["number"] == 1 for body in hot.bodies)


def test_k6_what_changes_meanwhile_is_read_again_and_leaves_the_window(clock: SkipClock) -> None:
    """A record that is updated during the read is gone from the window: read again, without it."""
    hot = HotProfile(*range(1, 2_001))

    def changes(seen: Seen, body: dict[str, Any]) -> None:
        if body["page"]["display_number"] == 1 and hot.records[5]["updated_at"] == INSIDE:
            hot.records[5] = entry(5, "2026-04-01 09:06:00")

    hot.twists.append(changes)
    assert numbers(hot.changed()) == [number for number in range(1, 2_001) if number != 5]


def test_k6_what_becomes_visible_meanwhile_is_read_too(clock: SkipClock) -> None:
    """A late commit with an earlier time, on an id that was read already."""
    hot = HotProfile(*range(1, 4_002, 2))

    def commits(seen: Seen, body: dict[str, Any]) -> None:
        if body["page"]["display_number"] == 1:
            hot.records.setdefault(2, entry(2))

    hot.twists.append(commits)
    assert 2 in numbers(hot.changed())


def test_k6_totals_that_drift_for_ever_fail_with_nothing_given(clock: SkipClock) -> None:
    hot = HotProfile(*range(1, 2_001))

    def drifts(seen: Seen, body: dict[str, Any]) -> None:
        if body["page"]["display_number"] == 1:
            del hot.records[max(hot.records)]

    hot.twists.append(drifts)
    given: list[dict[str, Any]] = []
    with pytest.raises(TornReadError):
        given.extend(hot.client.changed("companies", SINCE, UNTIL))
    assert given == []


CLUSTERS = st.lists(
    st.tuples(st.integers(1, 10**7), st.integers(1, 900), st.sampled_from([1, 2, 17])), min_size=1, max_size=4
)


@given(clusters=CLUSTERS, data=st.data())
@settings(max_examples=20, deadline=None)
def test_k6_whatever_changes_nobody_who_stays_is_lost_or_read_twice(
    clusters: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    """Ids in any clusters, lists in any order, records updated, gone and added at any request: or the read fails."""
    with no_waits(module), mock.patch.object(module, "PAGE_SIZE", 100):
        ids = {low + number * step for low, count, step in clusters for number in range(count)}
        hot = HotProfile(*ids)
        hot.order = data.draw(st.sampled_from([-1, 1, 7919]))
        moving = {
            at: data.draw(st.sampled_from(sorted(ids))) for at in data.draw(st.sets(st.integers(0, 60), max_size=5))
        }

        def changes(seen: Seen, body: dict[str, Any]) -> None:
            number = moving.get(len(hot.wire.seen))
            if number is not None:
                hot.records[number] = entry(number, "2026-04-01 09:06:00")

        hot.twists.append(changes)
        try:
            found = numbers(hot.changed())
        except TornReadError:
            assert moving
            return
        assert len(found) == len(set(found))
        assert ids - set(moving.values()) <= set(found) <= ids


@pytest.mark.parametrize(
    "body",
    [
        {"clients": [entry(1)], "pages": {"total_count": 2}},
        {"clients": [entry(1), entry(1)], "pages": {"total_count": 2}},
        {"clients": [entry(1), entry(2)], "pages": {"total_count": 1}},
        {"clients": [], "pages": {"total_count": 1}},
        {"clients": [entry(0)], "pages": {"total_count": 1}},
        {"clients": [entry(1, "2026-04-01 08:00:00")], "pages": {"total_count": 1}},
        {"clients": [entry(1, "2026-04-01 09:05:01")], "pages": {"total_count": 1}},
    ],
    ids=["short", "repeated", "too many", "empty", "another id", "too early", "too late"],
)
def test_k6_a_page_that_is_not_what_was_asked_for_is_read_again_and_then_fails(clock: SkipClock, body: Any) -> None:
    hot = HotProfile(1, 2)
    hot.twists.append(once(Answer(body)))
    assert numbers(hot.changed()) == [1, 2]

    hot.twists.append(lambda seen, asked: Answer(body))
    with pytest.raises(TornReadError):
        hot.changed()


@pytest.mark.parametrize(
    "body",
    [
        "<html>",
        "[]",
        "null",
        "{}",
        '{"clients": []}',
        '{"clients": null, "pages": {"total_count": 0}}',
        '{"clients": [], "pages": {"total_count": "0"}}',
        '{"clients": [], "pages": {"total_count": -1}}',
        '{"clients": [], "pages": {"total_count": true}}',
        '{"clients": [{"id": 1}], "pages": {"total_count": 1}}',
        '{"clients": [{"id": 1.5, "updated_at": "2026-04-01 09:03:00"}], "pages": {"total_count": 1}}',
        '{"clients": [{"id": true, "updated_at": "2026-04-01 09:03:00"}], "pages": {"total_count": 1}}',
        '{"clients": [{"id": 1, "updated_at": "yesterday"}], "pages": {"total_count": 1}}',
        '{"errors": ["x"], "clients": [], "pages": {"total_count": 0}}',
    ],
)
def test_l1_what_is_no_list_is_not_an_empty_one(clock: SkipClock, body: str) -> None:
    hot = HotProfile()
    hot.twists.append(lambda seen, asked: Answer(body))
    with pytest.raises(RetriableFetchError):
        hot.changed()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer("x", 500), RetriableFetchError),
        (Answer("x", 503), RetriableFetchError),
        (Answer("x", 429), RetriableFetchError),
        (requests.ConnectionError(), RetriableFetchError),
        (Answer({"clients": [entry(1)]}, cut=True), RetriableFetchError),
        (Answer("x", 401), UserGoneError),
        (Answer("x", 403), UserGoneError),
        (Answer("x", 404), RefusedFetchError),
        (Answer("x", 301), RefusedFetchError),
    ],
)
def test_k6_an_error_is_never_an_empty_list(clock: SkipClock, answer: Any, kind: type[FetchError]) -> None:
    hot = HotProfile()
    hot.twists.append(lambda seen, asked: answer)
    with pytest.raises(FetchError) as raised:
        hot.changed()
    assert type(raised.value) is kind


def test_k17_what_passes_is_tried_again(clock: SkipClock) -> None:
    hot = HotProfile(1)
    hot.twists.append(once(Answer("x", 500), Answer("x", 429, {"Retry-After": "20"}), requests.ConnectionError()))
    assert numbers(hot.changed()) == [1]
    assert sum(clock.slept) >= 20


def test_k4_a_user_who_is_gone_is_told_with_text_5s_words(clock: SkipClock) -> None:
    hot = HotProfile()
    assert hot.client.user_exists("sato")
    hot.twists.append(lambda seen, asked: Answer("x", 401))
    assert not hot.client.user_exists("sato")
    with pytest.raises(UserGoneError, match="ユーザーが削除されていました"):
        hot.changed("leads")


def test_an_outage_is_no_user_who_is_gone(clock: SkipClock) -> None:
    hot = HotProfile()
    hot.twists.append(lambda seen, asked: Answer("x", 503))
    with pytest.raises(RetriableFetchError):
        hot.client.user_exists("sato")


def test_k5_the_clock_is_the_sources_own(clock: SkipClock) -> None:
    """Of its last answer, and what has passed since; asked for where there is none; never ahead of it."""
    hot = HotProfile()
    said = dt.datetime(2026, 4, 1, 0, 5, 30, tzinfo=dt.UTC)
    assert said <= hot.client.now() < said + dt.timedelta(seconds=20)
    assert len(hot.wire.seen) == 1

    clock.sleep(30)
    assert said + dt.timedelta(seconds=30) <= hot.client.now()
    assert len(hot.wire.seen) == 1
    clock.sleep(module.CLOCK_KEPT_S)
    assert hot.client.now() < said + dt.timedelta(seconds=20)
    assert len(hot.wire.seen) == 2


@pytest.mark.parametrize("headers", [{}, {"Date": "yesterday"}])
def test_k5_without_a_date_there_is_no_clock(clock: SkipClock, headers: dict[str, str]) -> None:
    hot = HotProfile()
    hot.headers = headers
    with pytest.raises(RetriableFetchError):
        hot.client.now()


def test_no_more_is_asked_than_the_pace_allows(clock: SkipClock) -> None:
    """A hundred at once, then none until a minute after the first."""
    hot = HotProfile(requests_per_period=100, period_s=60.0)
    began = clock.monotonic()
    for _ in range(100):
        hot.client.total("companies", Window(SINCE, UNTIL))
    assert clock.slept == []
    hot.client.total("companies", Window(SINCE, UNTIL))
    assert clock.monotonic() - began >= 60


def test_k1_departments_are_what_leads_name_as_theirs(clock: SkipClock) -> None:
    """Each once, as its newest lead has it; a lead without one has none."""
    hot = HotProfile()
    leads = [
        entry(1, "2026-04-01 09:01:00", organization_id=7, organization_name="営業部", client_id=3, name="山田"),
        entry(2, "2026-04-01 09:02:00", organization_id=7, organization_name="営業本部", client_id=3, name="佐藤"),
        entry(3, organization_id=None),
        entry(4, organization_id=""),
        entry(5),
    ]
    hot.records = {lead["id"]: lead for lead in leads}

    (found,) = hot.changed("departments")
    assert found["id"] == 7
    assert (found["organization_name"], found["client_id"]) == ("営業本部", 3)
    assert found["updated_at"] == "2026-04-01 09:02:00"
    assert "name" not in found  # a person
    assert hot.wire.seen[0].path == "/rest_api/v1/leads/get_entry_list"
    assert hot.client.by_id("departments", ["7", "8"]) == [found]

    asked = len(hot.wire.seen)
    assert hot.client.by_id("departments", ["7"] * 500) == [found]
    assert hot.client.by_id("departments", ["8"]) == hot.client.by_id("departments", []) == []
    assert len(hot.wire.seen) == asked, "all leads are read once for all of them"
    hot.records[4]["organization_id"] = 8
    clock.sleep(module.DEPARTMENTS_KEPT_S + 1)
    assert numbers(hot.client.by_id("departments", ["7", "8"])) == [7, 8]

    hot.records[5]["organization_id"] = {"id": 7}
    with pytest.raises(RetriableFetchError, match="部署ID"):
        hot.changed("departments")


def test_records_are_found_by_id_whenever_they_changed(clock: SkipClock) -> None:
    hot = HotProfile(1, 2, 3)
    hot.records[2] = entry(2, "2020-01-01 00:00:00")
    assert numbers(hot.client.by_id("companies", ["2", "3", "9", "x", ""])) == [2, 3]
    assert hot.client.total("companies", Window(SINCE, UNTIL)) == 2


def test_times_are_read_as_they_may_be_written(clock: SkipClock) -> None:
    for text in ("2026/04/01 09:03:00", "2026-04-01T09:03:00+09:00", "2026-04-01T00:03:00Z"):
        assert updated_at({"updated_at": text}) == dt.datetime(2026, 4, 1, 9, 3, tzinfo=TOKYO)


def test_l7_a_url_that_is_none_is_the_connections_fault(clock: SkipClock) -> None:
    hot = HotProfile()
    hot.client._base_url = "https://"
    with pytest.raises(ConnectionError_):
        hot.changed()


def test_k18_a_thousand_that_failed_are_asked_for_together(clock: SkipClock) -> None:
    """Each by itself they took ten minutes of Hot Profile's pace, every day."""
    hot = HotProfile(*range(1, 1003), 5_000, 5_999, 6_000)
    wanted = [*range(1, 1002, 2), 5_000, 5_999, 6_000]
    assert numbers(hot.client.by_id("companies", list(map(str, wanted)))) == sorted(wanted)
    assert len(hot.bodies) == 4
