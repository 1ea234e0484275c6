"""SmartHRClient over a Session whose wire is a function: requests, failures, refusals, answers that are none (L1, L6)."""

from __future__ import annotations

import pytest
import requests

from renkei.errors import FetchError, RefusedFetchError, RetriableFetchError
from renkei.systems.smarthr import client as module
from tests.harness.clock import SkipClock
from tests.unit.systems.smarthr.listed import URL, SmartHR, error
from tests.unit.systems.transport import Answer


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


def test_l6_no_error_holds_what_smarthr_sent(hr: SmartHR) -> None:
    """A malformed record with a name in it does not bring the name into the message."""
    hr.records[150] = {"last_name": "山田", "email": "yamada@acme.example.jp"}

    with pytest.raises(FetchError) as caught:
        hr.client.read_all("crews")
    assert "山田" not in str(caught.value)
    assert "yamada" not in str(caught.value)


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
