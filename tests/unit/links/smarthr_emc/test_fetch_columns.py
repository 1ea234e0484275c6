"""What becomes of SmartHR's JSON: one text column per source, of the mapped attributes alone."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from requests.adapters import BaseAdapter

from renkei.errors import FetchError, IncompleteReadError, RefusedFetchError
from renkei.links.smarthr_emc.fetch import fetch_departments, fetch_users, source_columns
from renkei.systems.smarthr.client import SmartHRClient
from tests.builders import CONTACT, mapping

SAMPLE = json.loads((Path(__file__).parents[3] / "samples/smarthr/crew.json").read_text(encoding="utf-8"))["body"]
URL = "https://acme.smarthr.jp"
DEPARTMENT = {"id": "d1", "code": "A", "name": "本社", "full_name": "本社", "parent": None}
OTHER = {"id": "t2", "name": "別", "type": "string", "elements": None}
# A crew with no more than every sheet of these tests reads.
LEAST = {"id": "c1", "emp_status": "employed", **dict.fromkeys(("emp_code", "last_name", "last_name_yomi"))}


class Lists(BaseAdapter):
    """Serves whole lists by resource name, honouring `id`; remembers what was asked for."""

    def __init__(self, **lists: list[dict[str, Any]]) -> None:
        super().__init__()
        self.lists = lists
        self.queries: list[tuple[str, dict[str, list[str]]]] = []
        self.hidden: set[str] = set()  # crews that a list leaves out until `shown_after` reads of it
        self.shown_after = 10**9

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        resource, query = str(parts.path).rsplit("/", 1)[-1], parse_qs(str(parts.query))
        self.queries.append((resource, query))
        records = self.lists[resource]
        if "id" in query:
            records = [r for r in records if r["id"] in query["id"][0].split(",")]
        elif sum(1 for name, q in self.queries if name == resource and "id" not in q) <= self.shown_after:
            records = [r for r in records if r["id"] not in self.hidden]
        response = requests.Response()
        response.status_code = 200
        response.headers.update({"x-total-count": str(len(records)), "x-page": query["page"][0]})
        response.raw = io.BytesIO(json.dumps(records).encode())
        response.url = request.url or ""
        return response

    def close(self) -> None:
        pass

    def client(self) -> SmartHRClient:
        session = requests.Session()
        session.mount("https://", self)
        return SmartHRClient(session, URL)


def column(source: str, crew: dict[str, Any], masters: dict[str, Any] | None = None) -> str:
    """The cell that `source` gets for one crew of SmartHR."""
    sheet = mapping({"検索ワード1": source})
    table = fetch_users(Lists(crews=[crew]).client(), sheet, masters or {})
    (name,) = [n for n in table.columns if n == source]
    return table[name][0]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("社員番号", "00027"),
        ("メールアドレス", "kazuko@example.com"),
        ("姓", "見本"),
        ("ビジネスネーム(姓)", ""),
        ("部署1", "営業部"),
        ("部署1(コード)", "D010"),
        ("部署1(階層)", "本社/営業部"),
        ("部署2(コード)", ""),
        ("部署10", ""),
        ("役職1", "課長"),
        ("役職2", ""),
        ("住所(都道府県)", "東京都"),
        ("電話番号", "090-0000-0000"),
        ("雇用形態", "正社員"),
        ("雇用形態(コード)", ""),
        ("入社年月日", "2015-04-01"),
        ("退職年月日", ""),
        ("戸籍上の性別", "女性"),
        ("社員ID", "0b6f0c1e-6a55-4c0e-9d3a-2f4f7a6b1c01"),
    ],
)
def test_e17_items_of_the_documented_sample(source: str, expected: str) -> None:
    """Each Japanese name finds its place in a crew; null and absent are blank."""
    assert column(source, SAMPLE) == expected


@pytest.mark.parametrize(
    ("slots", "first", "second"),
    [
        ([None, {"code": "D2"}], "", "D2"),
        ([{"code": "D1"}, None], "D1", ""),
        ([{"code": None}, {"code": ""}], "", ""),
        ([], "", ""),
        (None, "", ""),
        ([None, None], "", ""),
    ],
)
def test_e17_a_slot_may_be_null(slots: Any, first: str, second: str) -> None:
    """部署n is slot n: an empty one never moves the others up."""
    crew = {**LEAST, "departments": slots}
    assert column("部署1(コード)", crew) == first
    assert column("部署2(コード)", crew) == second


@pytest.mark.parametrize(
    ("value", "expected"),
    [("rank_a", "甲種"), ("el-2", "乙種"), ("el-1", "甲種"), (None, ""), ("", "")],
)
def test_e17_enum_of_a_custom_field_is_its_label(value: Any, expected: str) -> None:
    """The value is a physical name or an element id; what is written is the shown name."""
    template = {
        "id": "t1",
        "name": "資格",
        "type": "enum",
        "elements": [
            {"id": "el-1", "name": "甲種", "physical_name": "rank_a"},
            {"id": "el-2", "name": "乙種", "physical_name": None},
        ],
    }
    lists = Lists(
        departments=[DEPARTMENT],
        crew_custom_field_templates=[OTHER, template],
        crews=[
            {
                **LEAST,
                "custom_fields": [{"value": "x", "template": {"id": "t2"}}, {"value": value, "template": {"id": "t1"}}],
            }
        ],
    )
    sheet = mapping({"検索ワード1": "カスタム項目:資格"})
    client = lists.client()
    _, masters = fetch_departments(client, sheet)
    assert fetch_users(client, sheet, masters)["カスタム項目:資格"].tolist() == [expected]


@pytest.mark.parametrize(
    "templates", [[], [{"id": "t1", "name": "資格", "type": "text", "elements": None}, {"id": "t9", "name": "資格"}]]
)
def test_e17_a_custom_field_that_cannot_be_told_is_refused(templates: list[dict[str, Any]]) -> None:
    """Neither a missing name nor one that two fields share is guessed at."""
    lists = Lists(departments=[DEPARTMENT], crew_custom_field_templates=[*templates, OTHER])
    with pytest.raises(RefusedFetchError, match="資格"):
        fetch_departments(lists.client(), mapping({"検索ワード1": "カスタム項目:資格"}))


def test_e33_attributes_that_the_token_may_not_see_are_named_together() -> None:
    """All of them at once, as the sheet calls them, with the screen on which they are permitted."""
    sheet = mapping({**CONTACT, "検索ワード1": "住所(都道府県)"})
    crews = [{"id": f"c{n}", "emp_status": "employed", "emp_code": str(n)} for n in range(3)]
    with pytest.raises(
        IncompleteReadError,
        match=r"「姓」、「姓\(ヨミガナ\)」、「メールアドレス」、「住所\(都道府県\)」.*アクセストークン",
    ):
        fetch_users(Lists(crews=crews).client(), sheet, {})


def test_l6_only_mapped_attributes_are_asked_for_and_kept() -> None:
    """`fields=` names them, and whatever the server sends beside is dropped."""
    lists = Lists(crews=[SAMPLE])
    sheet = mapping(CONTACT)
    table = fetch_users(lists.client(), sheet, {})
    asked = {query["fields"][0] for name, query in lists.queries if name == "crews"}
    assert asked == {"email,emp_code,emp_status,id,last_name,last_name_yomi"}
    assert list(table.columns) == ["line", "crew_id", "emp_status", *source_columns(sheet)]
    assert "090-0000-0000" not in table.to_csv()


def test_l6_nothing_is_kept_of_retired_crews() -> None:
    """Of somebody who left only id and status are needed."""
    table = fetch_users(Lists(crews=[{**SAMPLE, "emp_status": "retired"}]).client(), mapping(CONTACT), {})
    assert table.iloc[0].to_dict() == {
        "line": 1,
        "crew_id": SAMPLE["id"],
        "emp_status": "retired",
        **dict.fromkeys(source_columns(mapping(CONTACT)), ""),
    }


def test_e29_line_is_the_row_of_the_received_data() -> None:
    """Lines count from 1 in SmartHR's order, retired crews included."""
    crews = [
        {**LEAST, "id": f"c{n}", "emp_status": status} for n, status in enumerate(["employed", "retired", "absent"])
    ]
    table = fetch_users(Lists(crews=crews).client(), mapping(), {})
    assert table[["line", "crew_id"]].to_numpy().tolist() == [[1, "c0"], [2, "c1"], [3, "c2"]]


def test_e33_zero_crews_is_never_a_valid_read() -> None:
    """An empty answer proves nothing."""
    with pytest.raises(IncompleteReadError, match="1件も返りませんでした"):
        fetch_users(Lists(crews=[]).client(), mapping(), {})


@pytest.mark.parametrize("status", [None, "", 1, True, [], {}])
def test_e33_a_crew_without_a_status_stops_the_read(status: Any) -> None:
    """Without 在籍状況 nobody can be told from a leaver."""
    with pytest.raises(IncompleteReadError, match=r"（c2）.*在籍状況"):
        fetch_users(Lists(crews=[SAMPLE, {**SAMPLE, "id": "c2", "emp_status": status}]).client(), mapping(), {})


def test_e33_a_status_that_nobody_knows_is_told_apart_from_one_that_is_not_permitted() -> None:
    """A new 在籍状況 of SmartHR is named, with whom to ask; an absent one is a permission."""
    with pytest.raises(IncompleteReadError, match=r"（c2）.*在籍状況.*「seconded」.*Renkeiの更新"):
        fetch_users(Lists(crews=[SAMPLE, {**SAMPLE, "id": "c2", "emp_status": "seconded"}]).client(), mapping(), {})
    with pytest.raises(
        IncompleteReadError, match=r"（c1）.*知らない値です"
    ):  # what may be somebody's words is not repeated
        fetch_users(Lists(crews=[{**LEAST, "emp_status": "山田 花子"}]).client(), mapping(), {})
    hidden = [{key: value for key, value in SAMPLE.items() if key != "emp_status"}]
    with pytest.raises(IncompleteReadError, match=r"「在籍状況」.*アクセス許可"):
        fetch_users(Lists(crews=hidden).client(), mapping(), {})


def test_e33_a_crew_that_the_list_skipped_is_read_again() -> None:
    """Somebody known who is missing is asked for by id; the list is read again until it has all."""
    lists = Lists(crews=[{**LEAST, "id": c} for c in ("c1", "c2")])
    lists.hidden, lists.shown_after = {"c2"}, 2
    table = fetch_users(lists.client(), mapping(), {}, ["c1", "c2", "gone"])
    assert table["crew_id"].tolist() == ["c1", "c2"]


def test_e33_a_crew_that_the_list_never_shows_stops_the_read() -> None:
    """Absence from a list that is known to skip proves nothing."""
    lists = Lists(crews=[{**LEAST, "id": c} for c in ("c1", "c2")])
    lists.hidden = {"c2"}
    with pytest.raises(IncompleteReadError):
        fetch_users(lists.client(), mapping(), {}, ["c1", "c2"])


def test_e13_departments_are_taken_as_they_are() -> None:
    """Code, names and the parent's code; a parent without code is still a parent."""
    lists = Lists(
        departments=[
            {"id": "d1", "code": "A", "name": "本社", "full_name": "本社", "parent": None},
            {"id": "d2", "code": None, "name": "営業", "full_name": "本社/営業", "parent": {"id": "d1", "code": "A"}},
            {
                "id": "d3",
                "code": "C",
                "name": "一課",
                "full_name": "本社/営業/一課",
                "parent": {"id": "d2", "code": None},
            },
        ]
    )
    table, masters = fetch_departments(lists.client(), mapping())
    assert masters == {"departments": ["d1", "d2", "d3"]}
    assert table.drop(columns="full_name").to_numpy().tolist() == [
        [1, "d1", "A", "本社", "", False],
        [2, "d2", "", "営業", "A", True],
        [3, "d3", "C", "一課", "", True],
    ]


def test_e13_a_company_without_departments_gives_an_empty_table() -> None:
    """No rows, but all columns with their types."""
    table, _ = fetch_departments(Lists(departments=[]).client(), mapping())
    assert len(table) == 0
    assert table["line"].dtype == "int64"
    assert table["has_parent"].dtype == "bool"
    assert (table[["source_id", "code", "name", "full_name", "parent_code"]].dtypes == "str").all()


@pytest.mark.parametrize("broken", [lambda c: {**c, "last_name": "\ud842"}, lambda c: {**c, "email": "a\udc00"}])
def test_e33_a_broken_character_is_told_as_a_failed_read(broken: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Half of a surrogate pair cannot be kept anywhere; the read fails with a message, not with a trace."""
    with pytest.raises(FetchError):
        fetch_users(Lists(crews=[broken(SAMPLE)]).client(), mapping(CONTACT), {})


CUSTOM = {"id": "t1", "name": "資格", "type": "enum", "elements": [{"id": "e1", "name": "甲"}]}
NO_ELEMENT = {"id": "e1"}


@pytest.mark.parametrize(
    "bend",
    [
        {"departments": [{**DEPARTMENT, "parent": "d0"}]},
        {"departments": [{**DEPARTMENT, "parent": [1]}]},
        *({"departments": [{**DEPARTMENT, key: odd}]} for key in ("code", "name") for odd in (True, 5, [], {})),
        *({"departments": [{k: v for k, v in DEPARTMENT.items() if k != key}]} for key in ("code", "name", "parent")),
        {"departments": [{**DEPARTMENT, "parent": {"id": "d0"}}]},
        {"departments": [{**DEPARTMENT, "parent": {"id": "d0", "code": 1}}]},
        *({"crew_custom_field_templates": [{**CUSTOM, key: odd}]} for key in ("name", "type") for odd in (True, 5, [])),
        *(
            {"crew_custom_field_templates": [{k: v for k, v in CUSTOM.items() if k != key}]}
            for key in ("name", "elements", "type")
        ),
        *(
            {"crew_custom_field_templates": [{**CUSTOM, "elements": [{**NO_ELEMENT, **part}]}]}
            for part in (
                {},
                {"name": ""},
                {"name": None},
                {"name": 5},
                {"name": "甲", "id": ""},
                {"name": "甲", "physical_name": 5},
            )
        ),
        {"crew_custom_field_templates": [{**CUSTOM, "elements": 5}]},
        *(
            {"crew_custom_field_templates": [{**CUSTOM, "elements": [{"id": "e1", "name": "甲"}, other]}]}
            for other in ({"id": "e1", "name": "乙"}, {"id": "e2", "name": "乙", "physical_name": "e1"})
        ),
        {"crew_custom_field_templates": [{**CUSTOM, "elements": ["e1"]}]},
        {"crew_custom_field_templates": [{**CUSTOM, "elements": [{"id": "e1", "name": "\ud800"}]}]},
        {"crews": [{**SAMPLE, "emp_status": ["employed"]}]},
        {"crews": [{**SAMPLE, "custom_fields": 5}]},
        {"crews": [{**SAMPLE, "custom_fields": ["x"]}]},
        {"crews": [{**SAMPLE, "custom_fields": [{"template": "t1", "value": "e1"}]}]},
        {"crews": [{**SAMPLE, "email": {"address": "x"}}]},
        {"crews": [{**SAMPLE, "departments": {"code": "A"}}]},
        {"crews": [{**SAMPLE, "departments": ["A"]}]},
    ],
    ids=str,
)
def test_e33_a_value_of_another_shape_is_a_failed_read(bend: dict[str, list[dict[str, Any]]]) -> None:
    """What is not as SmartHR documents it is never taken for blank: a blank may clear what EMC has."""
    lists = {"departments": [DEPARTMENT], "crew_custom_field_templates": [CUSTOM], "crews": [SAMPLE], **bend}
    client = Lists(**lists).client()
    sheet = mapping({**CONTACT, "所属部署コード": "部署1", "検索ワード1": "カスタム項目:資格"})

    with pytest.raises(IncompleteReadError):
        fetch_users(client, sheet, fetch_departments(client, sheet)[1])
