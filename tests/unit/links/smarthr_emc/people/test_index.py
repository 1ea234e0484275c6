"""Everybody in columns: a search finds whom a plain loop over the rows finds, and says of each what the run decided."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from fsspec.implementations.local import LocalFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st

from renkei.errors import RecordError
from renkei.links.smarthr_emc.people.cache import IndexCache
from renkei.links.smarthr_emc.people.index import KINDS, Kind, PeopleFilter, PeopleIndex
from renkei.links.smarthr_emc.people.make_index import people_index
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.texts import BLANKS
from tests.builders import crew
from tests.unit.links.smarthr_emc.people.test_explain import day, record
from tests.unit.links.smarthr_emc.rehearsal.test_rehearsal import person

FAMILIES = (
    "山田",
    "山　田",
    "ヤマダ",
    "ﾔﾏﾀﾞ",
    "髙橋",
    "佐 藤",
    "Ｓｍｉｔｈ",
    "O'Neil",
    "鈴木(a.b)",
    "鈴木[1]",
    "\u200b李",
)
TEXTS = st.text(alphabet="山田ヤﾔﾏﾀﾞ　 髙橋佐藤Ｓsｍit0123489@.p()[]*\\^$'", max_size=6)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two days: people of all kinds who stay, come, go, retire, lose their number, are renumbered and hand one over."""
    store = Store(LocalFileSystem(), str(tmp_path_factory.mktemp("people")))
    everybody = {
        n: person(
            n,
            姓=FAMILIES[n % len(FAMILIES)],
            メールアドレス=f"{'P' if n % 3 else 'ｐ'}{n}@acme.example.jp" if n % 3 else "",
        )
        for n in range(1, 61)
    }
    day(store, 0, [everybody[n] for n in range(1, 56)])
    later = [everybody[n] for n in range(4, 61) if n not in (10, 20, 30, 40)]
    later += [crew("c10", "10", "retired"), {**everybody[20], "社員番号": ""}, {**everybody[30], "社員番号": "X30"}]
    later += [crew("c99", "", "retired"), person(77, 社員番号="2", 姓="引継")]
    day(store, 1, later, until="plan")
    return store


@pytest.fixture(scope="module")
def index(store: Store) -> PeopleIndex:
    return people_index(record(store, 1))


@pytest.fixture(scope="module")
def known(store: Store) -> list[tuple[str, list[str]]]:
    return list(rows(store))


def plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text) if c not in BLANKS).lower()


def rows(store: Store) -> Iterator[tuple[str, list[str]]]:
    """Crew id, and every text by which somebody of the second day, or of the first alone, is known."""
    run, first = record(store, 1), record(store, 0)
    diff = run.table("users_diff").to_dict("records")
    before = {row["crew_id"]: row for row in first.table("users").to_dict("records")}
    texts = ("user_id", "社員番号", "メールアドレス", "姓", "姓(ヨミガナ)", "crew_id")
    there = run.table("users").to_dict("records")
    for row in there:
        known = [row[name] for name in texts]
        mine = [one for one in diff if one["crew_id"] == row["crew_id"] and one["id"] == row["user_id"]]
        then = before.get(row["crew_id"])
        if mine:
            known.append(mine[0]["was"])
        elif then is not None:
            known += [then["user_id"], *((then[name] for name in texts) if not row["姓"] else ())]
        yield row["crew_id"], known
    for crew_id, row in before.items():
        if crew_id not in {one["crew_id"] for one in there}:
            yield crew_id, [row[name] for name in texts]


@settings(max_examples=300)
@given(data=st.data())
def test_l8_a_search_finds_whom_a_plain_loop_finds(
    known: list[tuple[str, list[str]]], index: PeopleIndex, data: st.DataObject
) -> None:
    """L8: parts of any text of theirs, and texts of nobody; whatever width, case and blanks, and never a pattern."""
    own = st.sampled_from([text for _, texts in known for text in texts if text])
    some = own.flatmap(lambda text: st.integers(0, len(text)).map(lambda start: text[start:][:4]))
    text = data.draw(st.one_of(TEXTS, own, some))
    expected = [crew_id for crew_id, texts in known if any(plain(text) in plain(one) for one in texts)]
    found = index.find(text, most=1000)
    assert [line.crew_id for line in found.lines] == expected
    assert found.total == len(expected)


def test_e6_e8_e12_each_kind_is_what_the_run_decided(index: PeopleIndex) -> None:
    """E6, E7, E8, E12, E40: one row for each person, with kind and reason."""
    of = {line.crew_id: line for line in index.find(most=1000).lines}
    assert len(of) == len(index) == index.find().total
    told = {n: (of[f"c{n}"].kind.value, of[f"c{n}"].user_id, of[f"c{n}"].was, of[f"c{n}"].why) for n in (1, 2, 5, 10, 20, 30, 40, 58, 77, 99)}  # fmt: skip
    assert told == {
        1: ("削除", "1", "", "SmartHRに居ない"),
        2: ("対象外", "2", "", "ユーザIDを別の人が引き継いだ"),
        5: ("更新", "5", "", ""),
        10: ("削除", "10", "", "退職済"),
        20: ("削除", "20", "", "ユーザIDの値が無くなった（退職ではありません）"),
        30: ("ID変更", "X30", "30", "ユーザIDが変わった"),
        40: ("削除", "40", "", "SmartHRに居ない"),
        58: ("新規", "58", "", ""),
        77: ("更新", "2", "", "ユーザIDを別の人から引き継ぐ"),
        99: ("対象外", "", "", "退職済"),
    }
    assert (of["c10"].name, of["c10"].department) == ("李", "d1 d1部")  # SmartHR tells it no more
    assert of["c20"].noted


@pytest.mark.parametrize("only", PeopleFilter)
def test_l8_a_list_is_narrowed_paged_and_counted(index: PeopleIndex, only: PeopleFilter) -> None:
    """L8: the pages together are the list, which has as many as are counted."""
    shown, start = [], 0
    while True:
        page = index.find("", only, start, most=3)
        shown += page.lines
        if page.next is None:
            break
        start = page.next
    assert len(shown) == page.total == index.count()[only]
    if only in (PeopleFilter.WRONG, PeopleFilter.NOTED):
        assert all(line.wrong if only is PeopleFilter.WRONG else line.noted for line in shown)
    else:
        assert {line.kind.value for line in shown} <= {only.value}


def test_e29_errors_and_doubles(tmp_path: Path) -> None:
    """E10, E29: who has an error of the own, who cannot be there for having another's id; a failed run is searched too."""
    store = Store(LocalFileSystem(), str(tmp_path))
    day(store, 0, [person(1)])
    with pytest.raises(RecordError):
        day(store, 1, [person(1), person(2, 社員番号="1"), person(3, メールアドレス="kaputt")])
    index = people_index(record(store, 1))
    assert [line.crew_id for line in index.find("", PeopleFilter.WRONG).lines] == ["c1", "c2", "c3"]
    (second,) = index.find("c2").lines
    assert (second.kind, second.why) == (Kind.OUT, "同じユーザIDの人がほかにもいる")


def test_l1_of_a_run_that_did_not_compare_nothing_is_said(tmp_path: Path) -> None:
    """L1: everybody of the read is found, and nobody is new or gone."""
    store = Store(LocalFileSystem(), str(tmp_path))
    day(store, 0, [person(1)])
    day(store, 1, [person(1), person(2)], until="read")
    index = people_index(record(store, 1))
    assert [(line.crew_id, line.kind, line.why) for line in index.find().lines] == [
        ("c1", Kind.OPEN, ""),
        ("c2", Kind.OPEN, ""),
    ]


def test_l1_whom_a_freeze_keeps_is_still_there(tmp_path: Path) -> None:
    """災害時凍結: without a line in the read, and kept: an update, not a delete."""
    store = Store(LocalFileSystem(), str(tmp_path))
    day(store, 0, [person(1), person(2), person(3)])
    day(store, 1, [person(1), person(3, 社員番号="33")], disaster=True)
    index = people_index(record(store, 1))
    kinds = [(line.user_id, line.kind) for line in index.find().lines]
    assert kinds == [("1", Kind.UPDATE), ("33", Kind.ID_CHANGE), ("2", Kind.UPDATE), ("3", Kind.UPDATE)]


def test_s6_the_cache_is_bounded_by_bytes_and_makes_one_at_a_time(store: Store) -> None:
    """S6: the least lately asked for goes first; of many who ask at once, one makes it and the others wait."""
    making, most, made = 0, 0, list[str]()

    def make(run: RunRecord) -> PeopleIndex:
        nonlocal making, most
        making += 1
        most = max(most, making)
        made.append(run.run)
        found = people_index(run)
        making -= 1
        return found

    size = people_index(record(store, 0)).nbytes
    cache = IndexCache(int(size * 1.5), make)
    threads = [threading.Thread(target=cache, args=[record(store, n % 2)]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert cache.nbytes <= size * 1.5
    made.clear()
    for n in (0, 0, 1, 1, 0):
        assert cache(record(store, n)).run == f"day{n}"
    assert made in (["day1", "day0"], ["day0", "day1", "day0"])


def test_e14_what_a_run_has_come_to_meanwhile_is_seen(tmp_path: Path) -> None:
    """L4: an index of a run under way is not kept past its next stage."""
    store = Store(LocalFileSystem(), str(tmp_path))
    cache = IndexCache()
    day(store, 0, [person(1)], until="read")
    assert cache(record(store, 0)).find().lines[0].kind is Kind.OPEN
    day(store, 0, [person(1)])
    assert cache(record(store, 0)).find().lines[0].kind is Kind.CREATE


def test_l8_every_kind_can_be_listed() -> None:
    """L8: but for what is not decided yet."""
    assert {only.value for only in PeopleFilter} - {"誤り", "注意"} == {kind.value for kind in KINDS} - {
        Kind.OPEN.value
    }
