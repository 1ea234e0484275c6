"""Every record once, or no read at all: pages that are torn, short, doubled or moved (E33)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from renkei.errors import IncompleteReadError, RetriableFetchError
from renkei.systems.smarthr import client as module
from renkei.systems.smarthr.client import TornReadError
from tests.harness.clock import SkipClock
from tests.unit.systems.smarthr.listed import BENDS, SmartHR, error, headed
from tests.unit.systems.transport import Answer, Seen


@pytest.mark.parametrize("total", [0, 1, 99, 100, 101, 200, 1234])
def test_e33_every_record_is_read_once_and_in_order(clock: SkipClock, total: int) -> None:
    """Any number of pages, none at all included: an empty list is a valid answer of SmartHR."""
    hr = SmartHR(total, clock)

    assert hr.client.read_all("crews") == hr.records


def test_e33_a_server_that_clamps_the_page_size_is_read_whole(hr: SmartHR) -> None:
    """The size that the server says it used decides how many pages there are."""

    def clamped(seen: Seen) -> Answer:
        number = int(seen.query["page"])
        rows = hr.records[(number - 1) * 20 : number * 20]
        return Answer(rows, headers={"x-total-count": "250", "x-page": str(number), "x-per-page": "20"})

    hr.twists.append(clamped)

    assert hr.client.read_all("crews") == hr.records


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
