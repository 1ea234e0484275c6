"""A batch without its bad records: whatever kintone says of them, the others are written, for few requests more."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renkei.links.hotprofile_kintone.isolate import write_all_but_the_bad
from renkei.systems.kintone.errors import KintoneAwayError, RecordRefusedError, Refusal


class Writer:
    """Refuses what has a bad record: naming all, the first, or none of them by their places."""

    def __init__(self, bad: set[int], names: str) -> None:
        self.bad, self.names = bad, names
        self.asked: list[list[int]] = []
        self.written: list[int] = []

    def __call__(self, batch: Sequence[int]) -> list[str]:
        self.asked.append(list(batch))
        places = [place for place, record in enumerate(batch) if record in self.bad]
        if places:
            told = {"all": places, "first": places[:1], "none": [None]}[self.names]
            raise RecordRefusedError([Refusal(place, "code", "GAIA_LO04", "", "") for place in told])
        self.written += batch
        return [f"w{record}" for record in batch]


records = st.integers(min_value=1, max_value=100)


@given(count=records, bad=st.data(), names=st.sampled_from(["all", "first", "none"]))
def test_k18_all_but_the_bad_are_written_once(count: int, bad: st.DataObject, names: str) -> None:
    """Any number of bad records in any places: each record is decided once, in the way it should be."""
    wrong = bad.draw(st.sets(st.integers(min_value=0, max_value=count - 1)))
    write = Writer(wrong, names)

    decided = list(write_all_but_the_bad(range(count), write))

    assert sorted(record for record, _ in decided) == list(range(count))
    assert {record for record, what in decided if isinstance(what, Refusal)} == wrong
    assert all(what == f"w{record}" for record, what in decided if record not in wrong)
    assert sorted(write.written) == sorted(set(range(count)) - wrong)


@given(count=records, place=st.data(), names=st.sampled_from(["all", "none"]))
def test_k19_one_bad_record_of_a_hundred_costs_at_most_fourteen_requests_more(
    count: int, place: st.DataObject, names: str
) -> None:
    """One more where its place is told; two for each halving else."""
    bad = place.draw(st.integers(min_value=0, max_value=count - 1))
    write = Writer({bad}, names)
    list(write_all_but_the_bad(range(count), write))

    more = len(write.asked) - 1
    assert more <= (1 if names == "all" else 2 * math.ceil(math.log2(count)) if count > 1 else 0)
    assert more <= 14


@given(bad=st.sets(st.integers(min_value=0, max_value=99), min_size=1))
def test_k19_who_knows_the_bad_ones_is_asked_once_and_saves_the_halving(bad: set[int]) -> None:
    """However many they are: one question, and the others in one request."""
    write = Writer(bad, "none")
    questions: list[int] = []

    def suspects(batch: Sequence[int]) -> dict[int, Refusal]:
        questions.append(len(batch))
        return {place: Refusal(None, "code", "known", "", "") for place, one in enumerate(batch) if one in bad}

    decided = dict(write_all_but_the_bad(range(100), write, suspects))
    assert {record for record, what in decided.items() if isinstance(what, Refusal)} == bad
    assert len(questions) == 1
    assert len(write.asked) == (1 if len(bad) == 100 else 2)


def test_k19_a_place_that_is_none_is_no_place() -> None:
    """An index beyond the batch is taken for none, not for another record's."""

    def write(batch: Sequence[int]) -> list[int]:
        if 2 in batch:
            raise RecordRefusedError([Refusal(99, "", "CB_VA01", "", "")])
        return list(batch)

    decided = dict(write_all_but_the_bad(range(4), write))
    assert [record for record, what in decided.items() if isinstance(what, Refusal)] == [2]


def test_l4_what_was_written_before_an_outage_is_told_before_it() -> None:
    """The caller marks each record as it comes; the outage ends the rest, which nobody calls written."""
    decided: list[int] = []

    def write(batch: Sequence[int]) -> list[int]:
        if len(batch) == 4:
            raise RecordRefusedError([Refusal(None, "", "GAIA_LO04", "", "")])
        if 2 in batch:
            raise KintoneAwayError("", unknown=True)
        return list(batch)

    def follow() -> None:
        for record, _ in write_all_but_the_bad(range(4), write):
            decided.append(record)

    with pytest.raises(KintoneAwayError):
        follow()
    assert decided == [0, 1]
