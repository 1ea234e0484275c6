"""KintoneClient, conversion and isolation before the kintone simulator: what kintone then holds, and what it cost."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from renkei.links.hotprofile_kintone.conversion import convert_all, with_row_ids
from renkei.links.hotprofile_kintone.form_check import form_problems
from renkei.links.hotprofile_kintone.isolate import write_all_but_the_bad
from renkei.links.hotprofile_kintone.lookups import missing_in_lookups
from renkei.links.hotprofile_kintone.sheet.mapping import DataSet, Item
from renkei.systems.kintone import client as module
from renkei.systems.kintone.client import KintoneClient
from renkei.systems.kintone.errors import (
    KintoneAwayError,
    KintoneSettingError,
    RecordChangedError,
    RecordRefusedError,
    Refusal,
)
from renkei.systems.kintone.payloads import Record
from tests.harness.clock import no_waits
from tests.harness.kintone import Kintone

FIELDS: dict[str, dict[str, Any]] = {
    "code": {"type": "SINGLE_LINE_TEXT", "label": "会社ID", "unique": True, "required": True},
    "name": {"type": "SINGLE_LINE_TEXT", "label": "会社名", "maxLength": "10"},
    "note": {"type": "RICH_TEXT"},
    "price": {"type": "NUMBER"},
    "on": {"type": "DATE"},
    "time": {"type": "TIME"},
    "at": {"type": "DATETIME"},
    "kind": {"type": "DROP_DOWN", "options": ["顧客", "見込"]},
    "who": {"type": "USER_SELECT"},
    "tags": {"type": "SUBTABLE", "fields": {"tag": {"type": "SINGLE_LINE_TEXT"}}},
    "parent": {
        "type": "SINGLE_LINE_TEXT",
        "label": "親会社",
        "lookup": {"relatedApp": {"app": "1"}, "relatedKeyField": "code", "fieldMappings": []},
    },
}
PARENTS = {"code": {"type": "SINGLE_LINE_TEXT", "unique": True}}
NUMBERS = {"number": {"type": "NUMBER", "unique": True}, "name": {"type": "SINGLE_LINE_TEXT"}}
MAPPING = DataSet(
    "companies",
    "2",
    True,
    "会社ID",
    (
        Item("会社ID", "code"),
        Item("会社名", "name"),
        Item("備考", "note"),
        Item("資本金", "price"),
        Item("登録日", "on"),
        Item("時刻", "time"),
        Item("更新日時", "at"),
        Item("区分", "kind"),
        Item("担当者", "who"),
        Item("タグ", "tag", table="tags"),
        Item("親会社", "parent"),
    ),
)


@pytest.fixture(scope="module")
def process() -> Iterator[Kintone]:
    with Kintone.start() as kintone:
        yield kintone


@pytest.fixture
def kintone(process: Kintone) -> Iterator[Kintone]:
    """App 1 of parents (P1), app 2 that looks them up, app 3 with a number as its key; waiting costs nothing."""
    process.clear()
    process.app(1, PARENTS)
    process.app(2, FIELDS)
    process.app(3, NUMBERS)
    process.sim("PUT", "users/sato", {"code": "sato", "name": "佐藤"})
    process.upsert(1, "code", {"code": "P1"})
    with no_waits(module):
        yield process


def client_of(kintone: Kintone, tokens: str = "app2,app1", **options: Any) -> KintoneClient:
    session = requests.Session()
    session.headers["X-Cybozu-API-Token"] = tokens
    return KintoneClient(session, kintone.url, **options)


def records(*keys: str, **values: str) -> list[tuple[str, Record]]:
    return [(key, {code: {"value": value} for code, value in values.items()}) for key in keys]


def held(kintone: Kintone, app: int = 2) -> dict[str, dict[str, Any]]:
    return {one["code"]: one for one in kintone.records(app)}


def cost(kintone: Kintone, what: Callable[[], object], app: int = 2) -> int:
    before = kintone.requests(app)
    what()
    return kintone.requests(app) - before


def test_k9_every_type_arrives_as_the_mapping_means_it(kintone: Kintone) -> None:
    """Converted by the form that kintone gives, written, and read again."""
    client = client_of(kintone)
    form = client.form("2")
    assert form_problems(MAPPING, form) == []
    values = {
        **{
            "会社ID": 7,
            "会社名": "😀𠮷野家",
            "備考": "<script>x</script>\n二行",
            "資本金": "1,234.50",
            "登録日": "2026/4/1",
        },
        **{"時刻": "9:05:59", "更新日時": "2026/04/01 09:05:59", "区分": "顧客", "担当者": ["佐藤"]},
        **{"タグ": ["甲", "乙"], "親会社": "P1"},
    }
    (one,) = convert_all([values], MAPPING, form, {"佐藤": "sato"})
    assert one.refusals == ()

    assert [written.added for written in client.upsert("2", "code", [(one.key, one.record)])] == [True]

    found = held(kintone)["7"]
    assert found["name"] == "😀𠮷野家"
    assert found["note"] == "&lt;script&gt;x&lt;/script&gt;<br />二行"
    assert (found["price"], found["on"], found["time"]) == ("1234.5", "2026-04-01", "09:05")
    assert dt.datetime.fromisoformat(found["at"]) == dt.datetime(2026, 4, 1, 0, 5, tzinfo=dt.UTC)
    assert found["kind"] == "顧客"
    assert [person["code"] for person in found["who"]] == ["sato"]
    assert [row["value"]["tag"]["value"] for row in found["tags"]] == ["甲", "乙"]

    ids = [row["id"] for row in found["tags"]]
    (current,) = client.find("2", "code", ["7"], ["tags"])
    (fewer,) = convert_all([{**values, "タグ": ["丙"]}], MAPPING, form, {"佐藤": "sato"})
    client.upsert("2", "code", [(fewer.key, with_row_ids(fewer.record, current))])
    assert [(row["id"], row["value"]["tag"]["value"]) for row in held(kintone)["7"]["tags"]] == [(ids[0], "丙")]

    (blank,) = convert_all([{"会社ID": 7}], MAPPING, form, {})
    client.upsert("2", "code", [(blank.key, blank.record)])
    assert {code: held(kintone)["7"][code] for code in ("name", "price", "on", "kind", "who", "tags", "parent")} == {
        **{"name": "", "price": "", "on": None, "kind": None, "who": [], "tags": [], "parent": ""}
    }


def test_k18_k19_a_lookup_that_kintone_refuses_without_a_place_is_found(kintone: Kintone) -> None:
    """The 37th of a hundred: 99 are written, the one is named with its field, for at most fourteen requests more."""
    client = client_of(kintone)
    client.form("2")
    rows = [(f"C{number}", {"parent": {"value": "無い" if number == 37 else "P1"}}) for number in range(100)]
    results: list[Any] = []
    spent = cost(
        kintone, lambda: results.extend(write_all_but_the_bad(rows, lambda some: client.upsert("2", "code", some)))
    )

    ((bad, refusal),) = [(row, what) for row, what in results if isinstance(what, Refusal)]
    assert (bad[0], refusal.code, refusal.field) == ("C37", "GAIA_LO04", "parent")
    assert len(held(kintone)) == 99
    assert spent <= 15


def test_k19_k21_lookups_without_their_values_cost_a_question_however_many_they_are(kintone: Kintone) -> None:
    """Half of a hundred: one refusal, one question to the other app, one request for the rest; and the cause is sure."""
    client = client_of(kintone)
    form = client.form("2")
    rows: list[tuple[str, Record]] = [
        (f"C{number}", {"parent": {"value": f"無い{number}" if number % 2 else "P1"}}) for number in range(100)
    ]

    def suspects(some: Sequence[tuple[str, Record]]) -> dict[int, Refusal]:
        return missing_in_lookups([record for _, record in some], form, lambda app: client)

    def write() -> list[Any]:
        return list(write_all_but_the_bad(rows, lambda some: client.upsert("2", "code", some), suspects))

    assert (cost(kintone, write), kintone.requests(1)) == (2, 2)  # app 1: P1 was put there, and asked for
    assert len(held(kintone)) == 50

    blind = client_of(kintone, "app2")
    with pytest.raises(KintoneSettingError, match=r"アプリID 1.*APIトークン"):
        missing_in_lookups([record for _, record in rows], form, lambda app: blind)


@pytest.mark.parametrize("key_form", ["dotted", "bracket"])
def test_k19_a_record_that_kintone_names_costs_one_request_more(kintone: Kintone, key_form: str) -> None:
    kintone.sim("POST", "settings", {"key_form": key_form})
    client = client_of(kintone)
    rows = [(f"C{number}", {"name": {"value": "あ" * (11 if number == 5 else 1)}}) for number in range(10)]
    results: list[Any] = []
    spent = cost(
        kintone, lambda: results.extend(write_all_but_the_bad(rows, lambda some: client.upsert("2", "code", some)))
    )
    assert spent == 2
    assert [(row[0], what.field) for row, what in results if isinstance(what, Refusal)] == [("C5", "name")]
    assert len(held(kintone)) == 9


def test_k21_a_lookup_without_the_other_apps_token_names_both_causes(kintone: Kintone) -> None:
    with pytest.raises(RecordRefusedError, match="APIトークン"):
        client_of(kintone, "app2").upsert("2", "code", records("C1", parent="P1"))


@pytest.mark.parametrize("fault", ["drop", "drop_after", "truncated", "maintenance", "lock", "lock_520", "too_many"])
def test_k17_l4_whatever_happens_once_each_record_is_there_once(kintone: Kintone, fault: str) -> None:
    """Answer lost after the commit among them: the same upsert again changes what is there."""
    kintone.fault(fault)
    written = client_of(kintone).upsert("2", "code", records("C1", "C2", name="x"))
    assert [one.id for one in written] == [one["$id"] for one in kintone.records(2)]
    assert held(kintone).keys() == {"C1", "C2"}


@pytest.mark.parametrize("fault", ["drop", "drop_after", "truncated", "maintenance", "lock"])
def test_l4_a_server_without_upsert_gets_each_record_once_too(kintone: Kintone, fault: str) -> None:
    """Half of them are there already; a fault of the POST that adds the others, before or after its work."""
    client = client_of(kintone)
    client.upsert("2", "code", records("C1", name="old"))
    kintone.sim("POST", "settings", {"upsert": False})
    kintone.fault(fault, method="POST")
    try:
        written = client.upsert("2", "code", records("C1", "C2", name="new"))
    except KintoneAwayError:  # the next run sends it again
        written = client.upsert("2", "code", records("C1", "C2", name="new"))
    assert len(written) == 2
    assert {key: one["name"] for key, one in held(kintone).items()} == {"C1": "new", "C2": "new"}


def test_k15_k17_an_outage_that_lasts_is_an_outage_and_every_try_is_counted(kintone: Kintone) -> None:
    kintone.fault("maintenance", times=None)
    spent: list[int] = []
    with pytest.raises(KintoneAwayError):
        client_of(kintone, spend=spent.append).upsert("2", "code", records("C1"))
    assert sum(spent) == module.TRIES


def test_k21_a_refusal_by_address_is_told_as_one(kintone: Kintone) -> None:
    kintone.fault("address", times=None)
    with pytest.raises(KintoneSettingError, match=r"203\.0\.113\.7"):
        client_of(kintone, address="203.0.113.7").form("2")


def test_k11_every_setting_that_is_wrong_is_told_as_one(kintone: Kintone) -> None:
    """Token of another app, a right that lacks, an app that is gone, a guest space, a field that is no key."""
    wrong: list[Callable[[], object]] = [
        lambda: client_of(kintone, "app1").form("2"),
        lambda: client_of(kintone, "nobody").form("2"),
        lambda: client_of(kintone, "view").upsert("2", "code", records("C1")),
        lambda: client_of(kintone).form("99"),
        lambda: client_of(kintone, "app4").form("4"),
        lambda: client_of(kintone).upsert("2", "name", records("C1")),
        lambda: client_of(kintone).find("2", "zzz", ["C1"]),
    ]
    kintone.app(2, FIELDS, tokens={"app2": ["view", "add", "edit"], "view": ["view"]})
    kintone.app(4, PARENTS, guest_space=9)
    for ask in wrong:
        with pytest.raises(KintoneSettingError):
            ask()
    assert client_of(kintone, "app4", guest_space="9").form("4").fields["code"].unique


def test_k7_numbers_are_keys_however_they_are_written(kintone: Kintone) -> None:
    client = client_of(kintone, "app3")
    client.upsert("3", "number", records("7", name="a"))
    assert [one.added for one in client.upsert("3", "number", records("007", name="b"))] == [False]
    kintone.sim("POST", "settings", {"upsert": False})
    client._upserts = False
    assert [one.added for one in client.upsert("3", "number", records("7.00", "8", name="c"))] == [False, True]
    assert [(one["number"], one["name"]) for one in kintone.records(3)] == [("7", "c"), ("8", "c")]


def test_k22_a_record_gets_another_key_and_stays_the_record(kintone: Kintone) -> None:
    client = client_of(kintone)
    (one,) = client.upsert("2", "code", records("old", name="x"))
    client.update("2", [(one.id, {"code": {"value": "new"}})])
    assert {key: record["$id"] for key, record in held(kintone).items()} == {"new": one.id}


def test_k16_many_at_once_stay_below_the_domains_limit(kintone: Kintone, monkeypatch: pytest.MonkeyPatch) -> None:
    """A domain with room for three, and eight who write: some are refused, all come through, each record once."""
    kintone.sim("POST", "settings", {"concurrency": 3})
    client = client_of(kintone, at_once=5)
    monkeypatch.setattr(module, "TRIES", 1_000)  # waiting costs nothing here, so that the next try comes at once
    ready = threading.Barrier(8)

    def write(number: int) -> None:
        ready.wait(60)
        client.upsert("2", "code", records(*(f"C{number}-{one}" for one in range(50))))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert len(held(kintone)) == 400


def test_k2_all_records_are_read_in_pages_of_their_ids(kintone: Kintone) -> None:
    client = client_of(kintone)
    for start in range(0, 600, 100):
        client.upsert("2", "code", records(*(f"C{number}" for number in range(start, start + 100))))
    pages = list(client.pages("2", ["code"]))
    assert [len(page) for page in pages] == [500, 100]
    assert {record["code"]["value"] for page in pages for record in page} == held(kintone).keys()
    assert len(client.find("2", "code", [f"C{number}" for number in range(590, 700)], ["code"])) == 10


def test_k23_kintone_tells_a_revision_that_has_moved(kintone: Kintone) -> None:
    """All of the request or none, said at once and not asked again; without a revision it is written as ever."""
    client = client_of(kintone)
    first, second = client.upsert("2", "code", records("A", "B", name="x"))
    client.update("2", [(first.id, {"name": {"value": "by hand"}})])
    rows = [(one.id, {"name": {"value": "new"}}) for one in (first, second)]
    before = kintone.requests(2)
    with pytest.raises(RecordChangedError):
        client.update("2", rows, [first.revision, second.revision])
    assert kintone.requests(2) - before == 1
    assert {key: one["name"] for key, one in held(kintone).items()} == {"A": "by hand", "B": "x"}
    client.update("2", rows, ["", second.revision])
    assert {one["name"] for one in held(kintone).values()} == {"new"}
