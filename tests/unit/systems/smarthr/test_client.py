"""SmartHRClient over a Session whose wire is a function: every answer SmartHR may give, right or wrong (E33, L1, L6)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from renkei.errors import FetchError, IncompleteReadError, RefusedFetchError, RetriableFetchError
from renkei.systems.smarthr import client as module
from renkei.systems.smarthr.client import SmartHRClient, TornReadError
from tests.harness.clock import SkipClock, no_waits
from tests.unit.systems.transport import Answer, Seen, Wire, session_over

URL = "https://acme.smarthr.jp"
Reply = Callable[[Seen], Answer | Exception]


@pytest.fixture
def clock() -> Iterator[SkipClock]:
    with no_waits(module) as clock:
        yield clock


class SmartHR:
    """A list of records behind a client; `twists` may answer a request in place of the list."""

    def __init__(self, total: int, clock: SkipClock) -> None:
        self.records: list[dict[str, Any]] = [{"id": f"c{number:05d}"} for number in range(total)]
        self.twists: list[Callable[[Seen], Answer | Exception | None]] = []
        self.wire = Wire(self._reply)
        self.client = SmartHRClient(session_over(self.wire), URL + "/")
        self._lock = threading.Lock()

    def page(self, seen: Seen) -> Answer:
        """What a sound SmartHR answers."""
        number, size = int(seen.query["page"]), int(seen.query["per_page"])
        records = self.records
        if "id" in seen.query:
            wanted = seen.query["id"].split(",")
            records = [record for record in records if record["id"] in wanted]
        return Answer(
            records[(number - 1) * size : number * size],
            headers={"x-total-count": str(len(records)), "x-page": str(number), "x-per-page": str(size)},
        )

    def once(self, page: int, *replies: Answer | Exception) -> None:
        """Answer the next requests for `page` with `replies`, then soundly."""
        left = list(replies)
        self.twists.append(lambda seen: left.pop(0) if left and seen.query["page"] == str(page) else None)

    def always(self, page: int, bend: Callable[[Answer], Answer | Exception]) -> None:
        """Bend every answer for `page`."""
        self.twists.append(lambda seen: bend(self.page(seen)) if seen.query["page"] == str(page) else None)

    def _reply(self, seen: Seen) -> Answer | Exception:
        with self._lock:
            for twist in self.twists:
                found = twist(seen)
                if found is not None:
                    return found
            return self.page(seen)

    @property
    def asked(self) -> list[int]:
        return [int(seen.query["page"]) for seen in self.wire.seen]


@pytest.fixture
def hr(clock: SkipClock) -> SmartHR:
    """250 crews, that is three pages."""
    return SmartHR(250, clock)


def error(status: int, code: int | None = None, headers: dict[str, str] | None = None) -> Answer:
    return Answer({"code": code, "type": "x", "message": "山田 太郎"}, status, headers or {})


@pytest.mark.parametrize("total", [0, 1, 99, 100, 101, 200, 1234])
def test_e33_every_record_is_read_once_and_in_order(clock: SkipClock, total: int) -> None:
    """Any number of pages, none at all included: an empty list is a valid answer of SmartHR."""
    hr = SmartHR(total, clock)

    assert hr.client.read_all("crews") == hr.records


def test_a_request_is_the_documented_one(hr: SmartHR) -> None:
    """Path, page size, page, the caller's parameters and the token; the URL's last slash does no harm."""
    hr.client.read_all("crews", {"fields": "id,email"})

    seen = hr.wire.seen[0]
    assert (seen.method, seen.path) == ("GET", "/api/v1/crews")
    assert seen.query == {"per_page": "100", "fields": "id,email", "page": "1"}
    assert seen.headers["Authorization"] == "Bearer token"
    assert sorted(hr.asked) == [1, 1, 2, 3]  # the first page is asked for again at the end


def test_progress_is_told_and_reaches_the_total(hr: SmartHR) -> None:
    """Records so far only grow, up to all of them."""
    told: list[tuple[int, int]] = []
    hr.client.read_all("crews", progress=lambda done, total: told.append((done, total)))

    assert told[0] == (100, 250)
    assert told[-1] == (250, 250)
    assert told == sorted(told)


def test_e33_a_server_that_clamps_the_page_size_is_read_whole(hr: SmartHR) -> None:
    """The size that the server says it used decides how many pages there are."""

    def clamped(seen: Seen) -> Answer:
        number = int(seen.query["page"])
        rows = hr.records[(number - 1) * 20 : number * 20]
        return Answer(rows, headers={"x-total-count": "250", "x-page": str(number), "x-per-page": "20"})

    hr.twists.append(clamped)

    assert hr.client.read_all("crews") == hr.records


@pytest.mark.parametrize("page", [1, 2, 3])
@pytest.mark.parametrize(
    "failure",
    [
        error(500, 5),
        error(502),
        error(503, 9),
        Answer("<h1>メンテナンス</h1>", 503, {"content-type": "text/html"}),
        error(429, 6),
        requests.ConnectionError("reset"),
        requests.ReadTimeout("slow"),
        Answer([{"id": "c00000"}], headers={"x-total-count": "250"}, cut=True),
    ],
    ids=["500", "502", "503", "maintenance", "429", "connection", "timeout", "cut"],
)
def test_a_passing_failure_is_asked_again(hr: SmartHR, page: int, failure: Answer | Exception) -> None:
    """Two failures of one page in a row do not hurt the read."""
    hr.once(page, failure, failure)

    assert hr.client.read_all("crews") == hr.records


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (error(500, 5), "HTTP 500"),
        (error(503, 9), "メンテナンス"),
        (error(429, 6), "上限"),
        (requests.ConnectionError("https://secret.example/?id=yamada"), "ConnectionError"),
        (Answer("[]", headers={"x-total-count": "0"}, cut=True), "切れました"),
    ],
    ids=["500", "503", "429", "connection", "cut"],
)
def test_l1_a_failure_that_stays_ends_the_read(hr: SmartHR, failure: Answer | Exception, words: str) -> None:
    """After five tries of one request the read fails as one that may be repeated."""
    hr.always(1, lambda answer: failure)

    with pytest.raises(RetriableFetchError, match=words) as caught:
        hr.client.read_all("crews")
    assert hr.asked == [1] * 5
    assert "yamada" not in str(caught.value)


def test_tries_are_spaced_further_and_further(hr: SmartHR, clock: SkipClock) -> None:
    """The pauses between tries are never nothing, and grow."""
    hr.always(1, lambda answer: error(500, 5))
    with pytest.raises(RetriableFetchError):
        hr.client.read_all("crews")

    pauses = [slept for slept in clock.slept if slept > 0.2]
    assert len(pauses) == 4
    assert pauses[-1] > pauses[0]


@pytest.mark.parametrize("prefix", ["x-rate-limit", "x-intensive-rate-limit"])
def test_a_429_waits_for_the_reset_it_states(hr: SmartHR, clock: SkipClock, prefix: str) -> None:
    """The next request leaves after the stated reset."""
    hr.once(1, error(429, 6, {f"{prefix}-remaining": "0", f"{prefix}-reset": "20"}))
    before = clock.monotonic()
    hr.client.read_all("crews")

    assert clock.monotonic() - before >= 20


def test_a_used_up_hour_is_left_to_the_next_attempt(hr: SmartHR, clock: SkipClock) -> None:
    """A reset of half an hour is not slept through in a task."""
    hr.once(1, error(429, 6, {"x-rate-limit-remaining": "0", "x-rate-limit-reset": "1800"}))

    with pytest.raises(RetriableFetchError, match="上限"):
        hr.client.read_all("crews")
    assert sum(clock.slept) < 60


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (error(401, 2), "アクセストークンが無効"),
        (error(403, 3), "「従業員」の参照権限"),
        (error(403, 15), "IPアドレス"),
        (error(404, 4), "SmartHR URL"),
        (error(400, 1), "HTTP 400"),
        (Answer("", 302, {"Location": "https://login.example/"}), "転送"),
        (Answer("", 301, {"Location": f"{URL}/api/v1/crews?page=1&per_page=100"}), "転送"),
    ],
    ids=["401", "403", "403 code 15", "404", "400", "302", "301"],
)
def test_l1_a_refusal_is_final(hr: SmartHR, answer: Answer, words: str) -> None:
    """What only a person can mend is asked once, followed nowhere, and says what to do."""
    hr.always(1, lambda _: answer)

    with pytest.raises(RefusedFetchError, match=words) as caught:
        hr.client.read_all("crews")
    assert len(hr.wire.seen) == 1
    assert "山田" not in str(caught.value)


def test_l1_a_refusal_of_a_later_page_is_final_too(hr: SmartHR) -> None:
    """A token that expires during the read ends it."""
    hr.always(3, lambda _: error(401, 2))

    with pytest.raises(RefusedFetchError):
        hr.client.read_all("crews")
    assert hr.asked.count(3) == 1


def headed(answer: Answer, **headers: str) -> Answer:
    return Answer(
        answer.body, answer.status, {**answer.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
    )


BENDS: dict[str, Callable[[Answer], Answer]] = {
    "html": lambda a: Answer("<html>SmartHR</html>", 200, a.headers),
    "object": lambda a: Answer({"crews": a.body}, 200, a.headers),
    "not records": lambda a: Answer(["c1"], 200, a.headers),
    "no total": lambda a: Answer(a.body, 200, {}),
    "total is no number": lambda a: headed(a, x_total_count="many"),
    "negative total": lambda a: headed(a, x_total_count="-1"),
    "per-page 0": lambda a: headed(a, x_per_page="0"),
    "another page": lambda a: headed(a, x_page="9"),
    "id missing": lambda a: Answer([{"name": "x"}, *a.body[1:]], 200, a.headers),
    "id null": lambda a: Answer([{"id": None}, *a.body[1:]], 200, a.headers),
    "id empty": lambda a: Answer([{"id": ""}, *a.body[1:]], 200, a.headers),
    "a record short": lambda a: Answer(a.body[:-1], 200, a.headers),
    "a record twice": lambda a: Answer([a.body[0], *a.body[:-1]], 200, a.headers),
    "a record over": lambda a: Answer([*a.body, {"id": "new"}], 200, a.headers),
    "empty page": lambda a: Answer([], 200, a.headers),
    "short total": lambda a: headed(a, x_total_count="249"),
    "long total": lambda a: headed(a, x_total_count="251"),
    "emptied": lambda a: headed(Answer([], 200, a.headers), x_total_count="0"),
}


@pytest.mark.parametrize("page", [1, 2, 3])
@pytest.mark.parametrize("bend", BENDS.values(), ids=BENDS.keys())
def test_e33_a_page_that_stays_wrong_is_never_taken_for_a_read(
    hr: SmartHR, page: int, bend: Callable[[Answer], Answer]
) -> None:
    """A malformed, short, doubled or shifted page ends in an error that a later attempt may cure.

    Only a first page that claims there is nobody is a read of its own: an empty one.
    """
    hr.always(page, bend)

    if page == 1 and bend is BENDS["emptied"]:
        assert hr.client.read_all("crews") == []
    else:
        with pytest.raises(RetriableFetchError):
            hr.client.read_all("crews")


@pytest.mark.parametrize("page", [1, 2, 3])
@pytest.mark.parametrize("kind", ["a record short", "a record twice", "short total", "long total", "another page"])
def test_e33_a_page_that_is_torn_once_is_read_again(hr: SmartHR, page: int, kind: str) -> None:
    """The list changed during the first read; the second one is whole."""
    number = str(page)
    wrong = BENDS[kind](hr.page(Seen("GET", "", {"page": number, "per_page": "100"}, {}, b"")))
    hr.once(page, wrong)

    assert hr.client.read_all("crews") == hr.records
    assert hr.asked.count(page) >= 2


def test_e33_a_repeated_page_is_noticed(hr: SmartHR) -> None:
    """Page 2 that brings page 1's rows again under its own number is a torn read."""
    hr.always(2, lambda answer: Answer(hr.records[:100], 200, answer.headers))

    with pytest.raises(TornReadError, match="従業員"):
        hr.client.read_all("crews")
    assert hr.asked.count(2) == 3  # three whole reads


def test_e33_pages_shifted_by_a_deletion_are_noticed(hr: SmartHR) -> None:
    """A crew deleted between page 1 and the others moves one crew over the page's edge, unseen."""

    def shifted(seen: Seen) -> Answer | None:
        number = int(seen.query["page"])
        if number == 1:
            return None
        rows = hr.records[(number - 1) * 100 + 1 : number * 100 + 1]
        return Answer(rows, headers={"x-total-count": "250", "x-page": str(number), "x-per-page": "100"})

    hr.twists.append(shifted)

    with pytest.raises(TornReadError):
        hr.client.read_all("crews")


def test_e33_a_total_that_changed_after_the_read_is_noticed(hr: SmartHR) -> None:
    """Every page was whole, but the list grew before the last question."""
    first = hr.page(Seen("GET", "", {"page": "1", "per_page": "100"}, {}, b""))
    hr.once(1, first, headed(first, x_total_count="251"))

    assert hr.client.read_all("crews") == hr.records
    assert hr.asked.count(1) == 4  # two reads of two questions each


def test_e33_an_exchange_of_people_during_the_read_is_noticed(hr: SmartHR) -> None:
    """One left and one came: the total is the same, the first page is not."""
    first = hr.page(Seen("GET", "", {"page": "1", "per_page": "100"}, {}, b""))
    hr.once(1, first, Answer([{"id": "b"}, *first.body[:-1]], 200, first.headers))

    assert hr.client.read_all("crews") == hr.records
    assert hr.asked.count(1) == 4


def test_e33_a_read_of_known_people_is_proven_by_itself(hr: SmartHR) -> None:
    """Everybody in it was there before, and they are as many as there were: no second read."""
    known = {record["id"] for record in hr.records}

    assert hr.client.read_all("crews", known=known) == hr.records
    assert sorted(hr.asked) == [1, 1, 2, 3]


def test_e33_a_joiner_may_have_hidden_somebody_so_the_list_is_read_again(
    hr: SmartHR, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of page 2 leaves and one joins at the end: no total and no first page tells that c00200 is on no page."""
    monkeypatch.setattr(module, "WORKERS", 1)  # page 3 is asked for after page 2 was answered
    before = list(hr.records)

    def moved(seen: Seen) -> None:
        if seen.query["page"] == "3" and hr.records == before:
            hr.records = [*before[:150], *before[151:], {"id": "joiner"}]

    hr.twists.append(moved)
    assert {"id": "c00200"} not in hr.client.read_all("crews")
    hr.records = before

    assert hr.client.read_all("crews", known={record["id"] for record in before}) == hr.records
    assert hr.records[-1] == {"id": "joiner"}


def test_e33_one_page_is_whole_whoever_is_on_it(clock: SkipClock) -> None:
    """One answer is one moment: nobody need be known."""
    hr = SmartHR(99, clock)

    assert hr.client.read_all("crews", known=()) == hr.records
    assert hr.asked == [1, 1]


@pytest.mark.parametrize("lie", [100, 200])
def test_e33_a_total_that_hides_a_whole_page_is_noticed(hr: SmartHR, lie: int) -> None:
    """The rows of the pages agree with the total; the page after the last is not empty."""
    hr.twists.append(lambda seen: headed(hr.page(seen), x_total_count=str(lie)))

    with pytest.raises(TornReadError):
        hr.client.read_all("crews")


@pytest.mark.parametrize("answer", [None, error(400, 1)], ids=["sorted", "refused"])
def test_e33_the_newest_are_asked_for_and_need_not_be_told(hr: SmartHR, answer: Answer | None) -> None:
    """They only save a second read, so a SmartHR that refuses to sort is no error."""
    hr.twists.append(lambda seen: answer)

    assert hr.client.newest() == (set() if answer else {record["id"] for record in hr.records[:100]})
    assert [seen.query["sort"] for seen in hr.wire.seen] == ["-updated_at"]


def test_e33_a_torn_read_is_an_incomplete_one_and_says_what_to_do(hr: SmartHR) -> None:
    """The message is for the customer's mail: what happened, that nothing was written, what to do."""
    hr.always(3, BENDS["a record short"])

    with pytest.raises(IncompleteReadError, match=r"従業員.*完全なデータ.*何も書き込んでいません.*再実行"):
        hr.client.read_all("crews")


def test_l6_no_error_holds_what_smarthr_sent(hr: SmartHR) -> None:
    """A malformed record with a name in it does not bring the name into the message."""
    hr.records[150] = {"last_name": "山田", "email": "yamada@acme.example.jp"}

    with pytest.raises(FetchError) as caught:
        hr.client.read_all("crews")
    assert "山田" not in str(caught.value)
    assert "yamada" not in str(caught.value)


def test_e33_present_asks_for_those_very_crews(hr: SmartHR) -> None:
    """Of 120 crews asked for, in two requests, those that SmartHR has come back; nothing but ids is read (L6)."""
    asked = [f"c{number:05d}" for number in range(200, 320)]

    assert hr.client.present(asked) == set(asked[:50])
    assert [len(seen.query["id"].split(",")) for seen in hr.wire.seen] == [100, 20]
    assert {seen.query["fields"] for seen in hr.wire.seen} == {"id"}


def test_e33_present_of_nobody_asks_nothing(hr: SmartHR) -> None:
    """No ids, no request: `id=` without a value would ask for everybody."""
    assert hr.client.present([]) == set()
    assert hr.wire.seen == []


def test_e33_present_takes_only_what_it_asked_for(hr: SmartHR) -> None:
    """A server that ignores the filter is not believed about crews nobody asked for."""
    hr.twists.append(lambda seen: Answer([{"id": "c00001"}, {"id": "other"}], headers={"x-total-count": "2"}))

    assert hr.client.present(["c00001", "c00002"]) == {"c00001"}


def test_check_is_one_request_for_one_id(hr: SmartHR) -> None:
    """The test button of a connection reads nobody's data but an id."""
    hr.client.check()

    assert [seen.query for seen in hr.wire.seen] == [{"per_page": "1", "fields": "id", "page": "1"}]


@pytest.mark.parametrize(
    "answer",
    [
        Answer("[" * 100_000, headers={"x-total-count": "1"}),
        Answer('[{"id": "c1", "emp_code": NaN}]', headers={"x-total-count": "1"}),
        Answer('[{"id": "c1", "emp_code": 1e999}]', headers={"x-total-count": "1"}),
        Answer([{"id": "c1"}], headers={"x-total-count": "9" * 400}),
        Answer([{"id": f"c{n}"} for n in range(100)], headers={"x-total-count": "1000000000000"}),
        Answer([{"id": "c1,c2"}], headers={"x-total-count": "1"}),
        Answer([{"id": "山田"}], headers={"x-total-count": "1"}),
        Answer([{"id": "c" * 101}], headers={"x-total-count": "1"}),
        Answer("[" + " " * module.MAX_BODY + "]", headers={"x-total-count": "0"}),
        Answer("[" * 100_000, 400),
        Answer("", 302, {"location": "http://["}),
        Answer("", 302, {"location": "\xff\xfe"}),
    ],
    ids=[
        "deep",
        "nan",
        "inf",
        "400 digits",
        "trillion",
        "comma",
        "id",
        "long id",
        "huge",
        "error",
        "nowhere",
        "no text",
    ],
)
def test_l1_an_answer_that_is_no_list_of_smarthrs_is_a_failed_read(clock: SkipClock, answer: Answer) -> None:
    """Whatever the answer is made to do to its reader, the read fails with a message."""
    hr = SmartHR(0, clock)
    hr.twists.append(lambda seen: answer)

    with pytest.raises(FetchError, match="SmartHR") as caught:
        hr.client.read_all("crews")
    assert len(str(caught.value)) < 300


def test_e22_json_is_utf_8_whatever_the_headers_say(clock: SkipClock) -> None:
    """A wrong charset does not change a name."""
    hr = SmartHR(0, clock)
    headers = {"x-total-count": "1", "content-type": "application/json; charset=shift_jis"}
    hr.twists.append(lambda seen: Answer([{"id": "c1", "last_name": "山田"}], headers=headers))

    assert hr.client.read_all("crews") == [{"id": "c1", "last_name": "山田"}]


class Granted:
    """Gives the next token in place of a refused one, once for each."""

    def __init__(self, hr: SmartHR, good: str) -> None:
        self.refused: list[str] = []
        self.tokens: list[str] = []
        hr.twists.append(lambda seen: self._refuse(seen, good))
        session = session_over(hr.wire)
        del session.headers["Authorization"]
        self.client = SmartHRClient(session, URL, 10, "token-1", self._another)

    def _refuse(self, seen: Seen, good: str) -> Answer | None:
        self.tokens.append(str(seen.headers["Authorization"]).removeprefix("Bearer "))
        return None if self.tokens[-1] == good else error(401, 2)

    def _another(self, refused: str) -> str:
        self.refused.append(refused)
        return f"token-{len(self.refused) + 1}"


def test_s3_a_refused_token_is_replaced_once_for_all_requests_under_way(hr: SmartHR) -> None:
    """S3: pages that were asked for at once are asked for again with the one new token."""
    granted = Granted(hr, "token-2")
    assert granted.client.read_all("crews") == hr.records
    assert granted.refused == ["token-1"]
    assert set(granted.tokens) == {"token-1", "token-2"}


def test_s3_in_the_middle_of_a_read_too(hr: SmartHR) -> None:
    granted = Granted(hr, "token-1")
    granted.client.read_all("crews")
    hr.twists.clear()
    hr.twists.append(lambda seen: granted._refuse(seen, "token-2"))
    assert granted.client.read_all("crews") == hr.records
    assert granted.refused == ["token-1"]


def test_s3_a_new_token_that_is_refused_too_ends_it(hr: SmartHR) -> None:
    """S3: no other is asked for by that request."""
    granted = Granted(hr, "none of them")
    with pytest.raises(RefusedFetchError, match="更新したばかりの許可"):
        granted.client.check()
    assert (granted.refused, granted.tokens) == (["token-1"], ["token-1", "token-2"])
