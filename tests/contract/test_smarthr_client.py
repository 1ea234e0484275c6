"""SmartHRClient and the fetch stage against a running SmartHR: the whole truth or an error (E17, E33, L1, L6)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter

from renkei.errors import FetchError, IncompleteReadError, RefusedFetchError
from renkei.links.smarthr_emc import fetch
from renkei.links.smarthr_emc.sheet.mapping import Mapping
from renkei.systems.smarthr.client import SmartHRClient
from tests.harness.clock import SkipClock
from tests.harness.sheet import SHEET, full_mapping
from tests.harness.smarthr import SmartHR

KINDS = [
    "status_429",
    "status_500",
    "maintenance_503",
    "maintenance_json",
    "truncated",
    "not_json",
    "drop_connection",
    "repeated_page",
    "shifted_page",
    "short_total",
    "wrong_total",
    "expired_token",
    "forbidden",
    "ip_not_permitted",
    "empty",
    "null_crew",
    "missing_id",
    "change_while_reading",
]


class Watched(HTTPAdapter):
    """The real wire, with a list of what went over it."""

    def __init__(self) -> None:
        super().__init__(pool_maxsize=20)
        self.urls: list[str] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self.urls.append(request.url or "")
        return super().send(request, *args, **kwargs)


@pytest.fixture
def mapping() -> Mapping:
    return full_mapping(SHEET)


def client_of(simulator: SmartHR, token: str = "shr_sim_acme", rate: int = 10) -> SmartHRClient:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    session.mount("http://", Watched())
    return SmartHRClient(session, simulator.url, rate)


def urls_of(client: SmartHRClient) -> list[str]:
    watched = client._session.get_adapter("http://x")
    assert isinstance(watched, Watched)
    return watched.urls


def company(simulator: SmartHR, size: int, name: str = "acme", **more: Any) -> None:
    simulator.sim("POST", "companies", {"name": name, "seed": size + 1, "size": size, **more})


@pytest.fixture(scope="module")
def three_pages_once(smarthr_sim_process: SmartHR) -> None:
    company(smarthr_sim_process, 250, "paged")


@pytest.fixture
def three_pages(smarthr_bare: SmartHR, three_pages_once: None) -> SmartHR:
    """A company `paged` of 250 crews, shared by tests that keep its number of crews."""
    return smarthr_bare


def truth(simulator: SmartHR, fields: str = "", name: str = "acme") -> list[dict[str, Any]]:
    """What the simulator itself says, past every fault."""
    found: list[dict[str, Any]] = simulator.sim(
        "GET", f"companies/{name}/crews" + (f"?fields={fields}" if fields else "")
    )
    return found


@pytest.mark.parametrize("size", [1, 99, 100, 101, 1234])
def test_e33_a_read_is_the_whole_truth(smarthr_bare: SmartHR, skipped: SkipClock, size: int) -> None:
    """Crews and departments of companies of every awkward size, as the simulator itself knows them."""
    company(smarthr_bare, size)
    client = client_of(smarthr_bare)

    assert client.read_all("crews") == truth(smarthr_bare)
    assert client.read_all("departments") == smarthr_bare.sim("GET", "companies/acme/departments")


def test_e13_a_company_without_departments_is_read(smarthr_bare: SmartHR, skipped: SkipClock, mapping: Mapping) -> None:
    """部署マスター is optional: an empty list of departments is a read like any other."""
    company(smarthr_bare, 3)
    for department in smarthr_bare.sim("GET", "companies/acme/departments"):
        if department["parent"] is None:
            smarthr_bare.sim("DELETE", f"companies/acme/departments/{department['id']}")
    client = client_of(smarthr_bare)

    assert client.read_all("departments") == []
    departments, _ = fetch.fetch_departments(client, mapping)
    assert len(departments) == 0


def test_e33_zero_crews_are_no_valid_read(smarthr_bare: SmartHR, skipped: SkipClock, mapping: Mapping) -> None:
    """A company of nobody is a token that sees nobody: stop, and say where to look."""
    company(smarthr_bare, 0)
    client = client_of(smarthr_bare)
    _, masters = fetch.fetch_departments(client, mapping)

    with pytest.raises(IncompleteReadError, match=r"1件も返りませんでした.*参照権限"):
        fetch.fetch_users(client, mapping, masters)


def fetched(
    simulator: SmartHR, mapping: Mapping, known: list[str] | None = None, name: str = "acme"
) -> dict[str, tuple[str, ...]]:
    """The fetch stage's users by crew id: status, number, mail address and names."""
    client = client_of(simulator, f"shr_sim_{name}")
    _, masters = fetch.fetch_departments(client, mapping)
    users = fetch.fetch_users(client, mapping, masters, known or [])
    assert users["line"].tolist() == list(range(1, len(users) + 1))
    rows = users[["crew_id", "emp_status", "社員番号", "メールアドレス", "姓", "名"]].itertuples(index=False)
    return {row[0]: tuple(row[1:]) for row in rows}


def true_users(simulator: SmartHR, name: str = "acme") -> dict[str, tuple[str, ...]]:
    """The same of the simulator's true state; nothing but id and status of 退職済."""
    names = ("emp_code", "email", "last_name", "first_name")
    return {
        crew["id"]: (crew["emp_status"], *(crew[n] or "" if crew["emp_status"] != "retired" else "" for n in names))
        for crew in truth(simulator, ",".join(("id", "emp_status", *names)), name)
    }


@pytest.mark.parametrize("page", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("times", [1, None], ids=["once", "always"])
def test_e33_whatever_goes_wrong_the_read_is_right_or_refused(
    three_pages: SmartHR, skipped: SkipClock, mapping: Mapping, kind: str, page: int, times: int | None
) -> None:
    """Every fault, on every page, once or for good: never a wrong list.

    A list that changes while it is read may be as it was at any moment of the read after the change.
    """
    more = {"delete": 1, "insert": 1} if kind == "change_while_reading" else {}
    three_pages.fault(kind=kind, page=page, times=times, seconds=0, **more)
    try:
        read = fetched(three_pages, mapping, name="paged")
    except FetchError:
        return

    assert read == true_users(three_pages, "paged")


@pytest.mark.parametrize("page", [1, 2, 3])
@pytest.mark.parametrize("after", [0, 1])
def test_e33_a_deletion_during_the_read_never_looks_like_a_leaver(
    three_pages: SmartHR, skipped: SkipClock, mapping: Mapping, page: int, after: int
) -> None:
    """One crew goes while we read, and another comes: of those who stay everybody is in the read, or there is none."""
    known = [crew["id"] for crew in truth(three_pages, "id", "paged")]
    three_pages.fault(kind="change_while_reading", page=page, after=after, delete=1, insert=1)
    try:
        read = fetched(three_pages, mapping, known, "paged")
    except FetchError:
        return

    stayed = {crew["id"] for crew in truth(three_pages, "id", "paged")} & set(known)
    assert stayed <= set(read)


def test_e33_a_crew_skipped_unnoticed_is_asked_for_by_id(
    smarthr_sim: SmartHR, skipped: SkipClock, mapping: Mapping
) -> None:
    """Somebody leaves page 2 and somebody comes on page 3: totals and first page tell nothing, asking for the id does."""
    company(smarthr_sim, 250)
    crews = truth(smarthr_sim)
    known = [crew["id"] for crew in crews]
    client = client_of(smarthr_sim)
    _, masters = fetch.fetch_departments(client, mapping)
    real = client._page
    changed: list[str] = []

    def page(resource: str, params: Any, number: int) -> Any:
        """Between the answers for page 2 and page 3 of the first read, SmartHR changes."""
        if resource == "crews" and number == 3 and not changed and "id" not in params:
            changed.append(known[150])
            two.wait(10)
            smarthr_sim.sim("DELETE", f"companies/acme/crews/{known[150]}")
            smarthr_sim.sim("POST", "companies/acme/crews", {"id": "ffffffff" + known[-1][8:]})
        found = real(resource, params, number)
        if number == 2:
            two.set()
        return found

    two = threading.Event()
    client._page = page  # type: ignore[method-assign]
    users = fetch.fetch_users(client, mapping, masters, known)

    assert set(users["crew_id"]) == {crew["id"] for crew in truth(smarthr_sim)}
    assert known[150] not in set(users["crew_id"])


def test_e33_an_attribute_that_only_some_crews_have_is_no_read(
    three_pages: SmartHR, skipped: SkipClock, mapping: Mapping
) -> None:
    """SmartHR leaves out what a token may not see for everybody alike: left out on one page, the page is malformed."""
    three_pages.fault(kind="hidden_attribute", field="email", page=2)

    with pytest.raises(FetchError):
        fetched(three_pages, mapping, name="paged")


def test_l1_no_request_is_limited_at_the_real_limit(smarthr_bare: SmartHR, mapping: Mapping) -> None:
    """Ten requests in any second are all that SmartHR allows: 1,500 crews are read without one 429, and fast."""
    company(smarthr_bare, 1500)
    smarthr_bare.sim("POST", "limits", {"per_second": 10, "per_hour": 5000})
    smarthr_bare.sim("DELETE", "requests")
    client = client_of(smarthr_bare)
    crews = client.read_all("crews", {"fields": "id"})

    assert len(crews) == 1500
    (count,) = [row for row in smarthr_bare.sim("GET", "requests") if row["path"] == "/api/v1/crews"]
    assert count["too_many"] == 0
    assert count["requests"] == 16
    assert count["last_at"] - count["first_at"] < 3.0


def test_a_token_that_others_use_too_only_slows_the_read(smarthr_bare: SmartHR) -> None:
    """With half of the limit taken by somebody else there are 429s, and the read is whole."""
    company(smarthr_bare, 1200)
    smarthr_bare.sim("POST", "limits", {"per_second": 5, "per_hour": 5000})
    crews = client_of(smarthr_bare, rate=10).read_all("crews", {"fields": "id"})

    assert [crew["id"] for crew in crews] == [crew["id"] for crew in truth(smarthr_bare, "id")]


def test_l6_only_what_the_sheet_maps_is_asked_for(smarthr_sim: SmartHR, skipped: SkipClock, mapping: Mapping) -> None:
    """`fields` names the mapped attributes with id and 在籍状況, on every request for people, and nothing else."""
    client = client_of(smarthr_sim)
    _, masters = fetch.fetch_departments(client, mapping)
    fetch.fetch_users(client, mapping, masters, ["00000000-0000-4000-8000-000000000000"])

    asked = [parse_qs(urlsplit(url).query) for url in urls_of(client) if urlsplit(url).path.endswith("/crews")]
    mapped = {
        *("id", "emp_status", "emp_code", "email", "tel_number", "last_name", "first_name", "last_name_yomi"),
        *("first_name_yomi", "departments", "custom_fields", "employment_type"),
        *("biz_establishment_id", "biz_establishment"),  # SmartHR writes either
    }
    assert {frozenset(query["fields"][0].split(",")) for query in asked} == {frozenset(mapped), frozenset({"id"})}


@pytest.mark.parametrize("expanded", [[], ["biz_establishment"]])
def test_e17_establishment_is_read_as_smarthr_writes_it(
    smarthr_sim: SmartHR, skipped: SkipClock, mapping: Mapping, expanded: list[str]
) -> None:
    """「biz_establishment_id か biz_establishment のいずれか」: the name is the same."""
    names = {one["id"]: one["name"] for one in smarthr_sim.get("biz_establishments", per_page=100).json()}
    wanted = {
        crew["id"]: names[crew["biz_establishment_id"]]
        for crew in truth(smarthr_sim)
        if crew["emp_status"] != "retired"
    }
    smarthr_sim.sim("PATCH", "companies/acme", {"expanded": expanded})
    client = client_of(smarthr_sim)
    users = fetch.fetch_users(client, mapping, fetch.fetch_departments(client, mapping)[1]).set_index("crew_id")
    assert users.loc[list(wanted), "事業所"].to_dict() == wanted


def test_l6_a_smaller_sheet_asks_for_less(smarthr_sim: SmartHR, skipped: SkipClock) -> None:
    """Without custom fields and establishments neither they nor their master lists are read."""
    mapping = full_mapping(
        {k: v for k, v in SHEET.items() if not k.startswith(("検索ワード", "緊急連絡", "所属", "兼務"))}
    )
    client = client_of(smarthr_sim)
    _, masters = fetch.fetch_departments(client, mapping)
    fetch.fetch_users(client, mapping, masters)

    paths = {urlsplit(url).path for url in urls_of(client)}
    fields = {parse_qs(urlsplit(url).query)["fields"][0] for url in urls_of(client) if "/crews" in url}
    assert paths == {"/api/v1/departments", "/api/v1/crews"}
    assert fields == {"emp_code,emp_status,first_name,first_name_yomi,id,last_name,last_name_yomi"}


def test_l6_of_retired_crews_nothing_but_id_and_status_is_kept(
    smarthr_sim: SmartHR, skipped: SkipClock, mapping: Mapping
) -> None:
    """退職済 crews are in the read for the counts alone."""
    crew = truth(smarthr_sim)[0]["id"]
    smarthr_sim.sim("PATCH", f"companies/acme/crews/{crew}", {"emp_status": "retired"})

    assert fetched(smarthr_sim, mapping)[crew] == ("retired", "", "", "", "")


@pytest.mark.parametrize("switches", [{"slots": "trimmed"}, {"slots": "padded"}, {"no_slots": "null"}], ids=str)
def test_e17_a_slot_may_be_null_and_keeps_its_number(
    smarthr_bare: SmartHR, skipped: SkipClock, mapping: Mapping, switches: dict[str, str]
) -> None:
    """部署2 vacated, 部署1 and 部署3 taken: 部署2 is blank and 部署3 is no 部署2; no slots at all are blanks."""
    company(smarthr_bare, 3, switches=switches)
    departments = smarthr_bare.sim("GET", "companies/acme/departments")
    crews = truth(smarthr_bare)
    smarthr_bare.sim(
        "PATCH",
        f"companies/acme/crews/{crews[0]['id']}",
        {"department_ids": [departments[0]["id"], None, departments[1]["id"]], "emp_status": "employed"},
    )
    smarthr_bare.sim(
        "PATCH", f"companies/acme/crews/{crews[1]['id']}", {"department_ids": [], "emp_status": "employed"}
    )
    client = client_of(smarthr_bare)
    _, masters = fetch.fetch_departments(client, mapping)
    users = fetch.fetch_users(client, mapping, masters).set_index("crew_id")

    first, second = users.loc[crews[0]["id"]], users.loc[crews[1]["id"]]
    assert (first["部署1(コード)"], first["部署2(コード)"]) == (departments[0]["code"], "")
    assert first["部署3(コード)"] == departments[1]["code"]
    assert (second["部署1(コード)"], second["部署2(コード)"]) == ("", "")


def test_e17_a_custom_enum_is_its_label(smarthr_sim: SmartHR, skipped: SkipClock, mapping: Mapping) -> None:
    """What SmartHR keeps is a physical name or an id; what people know, and EMC gets, is the label."""
    (template,) = [t for t in smarthr_sim.get("crew_custom_field_templates").json() if t["name"] == "勤務形態"]
    crews = truth(smarthr_sim)[: len(template["elements"])]
    wanted = {}
    for crew, element in zip(crews, template["elements"], strict=True):
        value = element["physical_name"] or element["id"]
        body = {"custom_values": {"勤務形態": value}, "emp_status": "employed"}
        smarthr_sim.sim("PATCH", f"companies/acme/crews/{crew['id']}", body)
        wanted[crew["id"]] = element["name"]
    client = client_of(smarthr_sim)
    _, masters = fetch.fetch_departments(client, mapping)
    users = fetch.fetch_users(client, mapping, masters).set_index("crew_id")

    assert users.loc[list(wanted), "カスタム項目:勤務形態"].to_dict() == wanted


def test_e17_a_custom_field_that_smarthr_lacks_is_named(smarthr_sim: SmartHR, skipped: SkipClock) -> None:
    """A misspelt name in the sheet stops the read and stands in the message."""
    mapping = full_mapping(SHEET | {"検索ワード2:勤務形態": "カスタム項目:勤務型態"})

    with pytest.raises(RefusedFetchError, match="「勤務型態」"):
        fetch.fetch_departments(client_of(smarthr_sim), mapping)


@pytest.mark.parametrize("hidden", ["omitted", "null"])
def test_e33_a_status_that_cannot_be_read_stops(
    smarthr_bare: SmartHR, skipped: SkipClock, mapping: Mapping, hidden: str
) -> None:
    """Without 在籍状況 nobody knows who left."""
    company(smarthr_bare, 3, switches={"hidden_fields": ["emp_status"], "hidden_as": hidden})

    with pytest.raises(IncompleteReadError, match="在籍状況"):
        fetched(smarthr_bare, mapping)


REFUSALS: dict[str, tuple[Callable[[SmartHR], None], str]] = {
    "token": (lambda s: s.fault(kind="expired_token", path="/api/v1/departments"), "アクセストークンが無効"),
    "permission": (lambda s: s.fault(kind="forbidden", path="/api/v1/departments"), "「部署」の参照権限"),
    "address": (lambda s: s.fault(kind="ip_not_permitted", path="/api/v1/departments"), "IPアドレス"),
}


@pytest.mark.parametrize(("cause", "words"), REFUSALS.values(), ids=REFUSALS.keys())
def test_l8_a_refusal_says_what_to_mend_and_is_asked_once(
    smarthr_sim: SmartHR, skipped: SkipClock, mapping: Mapping, cause: Callable[[SmartHR], None], words: str
) -> None:
    """What only a person can mend costs one request."""
    cause(smarthr_sim)
    smarthr_sim.sim("DELETE", "requests")
    with pytest.raises(RefusedFetchError, match=words):
        fetch.fetch_departments(client_of(smarthr_sim), mapping)

    assert sum(row["requests"] for row in smarthr_sim.sim("GET", "requests")) == 1
