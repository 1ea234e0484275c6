"""The SmartHR simulator against its reference: a real process, real HTTP, the documented samples."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from simulators.smarthr.generator import generate
from simulators.smarthr.limits import Budget, Limits
from tests.harness.patience import within

if TYPE_CHECKING:
    from tests.harness.smarthr import SmartHR

SAMPLES = Path(__file__).parents[1] / "samples/smarthr"
SHAPES = json.loads((SAMPLES / "shapes.json").read_text())["shapes"]
ERRORS = json.loads((SAMPLES / "errors.json").read_text())
SIZE = 300


def _problems(value: Any, shape: str, path: str) -> Iterator[str]:
    """What in `value` departs from the documented shape: unknown keys, wrong types, undocumented enum values."""
    for key, item in value.items():
        kind, where = SHAPES[shape].get(key), f"{path}.{key}"
        if kind is None:
            yield f"{where}: not documented"
        elif item is None:
            if key == "id":
                yield f"{where}: null"
        elif isinstance(kind, dict):
            if "enum" in kind and item not in kind["enum"]:
                yield f"{where}: {item!r}"
            elif "object" in kind:
                yield from _problems(item, kind["object"], where)
            elif "array" in kind:
                for entry in item:
                    yield from _problems(entry, kind["array"], where) if entry is not None else ()
        elif not _is_a(kind, item):
            yield f"{where}: {item!r} is no {kind}"


def _is_a(kind: str, item: Any) -> bool:
    match kind:
        case "integer":
            return type(item) is int
        case "boolean":
            return type(item) is bool
        case "date":
            return re.fullmatch(r"\d{4}-\d\d-\d\d", item) is not None
        case "date-time":
            return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(\+09:00|Z)", item) is not None
    return isinstance(item, str)


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("crews", "Crew"),
        ("departments", "Department"),
        ("biz_establishments", "BizEstablishment"),
        ("companies", "Company"),
        ("job_titles", "JobTitle"),
        ("employment_types", "EmploymentType"),
        ("grades", "Grade"),
        ("job_categories", "JobCategory"),
        ("recruitment_types", "RecruitmentType"),
        ("payment_periods", "PaymentPeriod"),
        ("crew_custom_field_templates", "CrewCustomFieldTemplate"),
        ("crew_custom_field_template_groups", "CrewCustomFieldTemplateGroup"),
        ("users", "User"),
    ],
)
def test_lists_have_the_documented_properties_types_and_enum_values(
    smarthr_sim: SmartHR, path: str, shape: str
) -> None:
    """Every record of every list keeps to SmartHR's Swagger document."""
    response = smarthr_sim.get(path, per_page=100)
    assert response.headers["content-type"] == "application/json;charset=utf-8"
    records = response.json()
    assert records
    assert [problem for record in records for problem in _problems(record, shape, shape)] == []


def test_a_crew_has_every_documented_property_and_the_sample_s_types(smarthr_sim: SmartHR) -> None:
    """Without `fields` all 145 properties are there but one of a pair; nested objects have the sample's keys."""
    sample = json.loads((SAMPLES / "crew.json").read_text())["body"]
    crews = smarthr_sim.read_all()
    assert all(crew.keys() == SHAPES["Crew"].keys() - {"biz_establishment"} for crew in crews)
    crew = next(c for c in crews if c["departments"] and c["positions"] and c["positions"][0] and c["employment_type"])
    assert sample.keys() <= crew.keys()
    for key in ("employment_type", "address"):
        assert sample[key].keys() == crew[key].keys()
    assert sample["positions"][0].keys() == crew["positions"][0].keys()
    assert sample["departments"][0].keys() <= crew["departments"][0].keys()
    assert sample["departments"][0]["parent"].keys() <= crew["departments"][0]["parent"].keys()
    assert crew["department"] == crew["departments"][0]["full_name"]
    assert crew["position"] == crew["positions"][0]["name"]


@pytest.mark.parametrize(
    ("path", "shape", "name"),
    [
        ("crews", "Crew", "biz_establishment"),
        ("departments", "Department", "company"),
        ("biz_establishments", "BizEstablishment", "soc_ins_owner"),
        ("biz_establishments", "BizEstablishment", "lab_ins_owner"),
        ("companies", "Company", "owner"),
        ("crew_custom_field_templates", "CrewCustomFieldTemplate", "group"),
        ("users", "User", "crew"),
    ],
)
def test_a_record_stands_in_place_of_its_id_where_it_is_asked_for(
    smarthr_sim: SmartHR, path: str, shape: str, name: str
) -> None:
    """By a switch everywhere, by `embed=` on lists of masters and users: one of the two, never both."""
    plain = smarthr_sim.get(path, per_page=5).json()
    embedded = smarthr_sim.get(path, per_page=5, embed=name).json()
    smarthr_sim.sim("PATCH", "companies/acme", {"expanded": [name]})
    expanded = smarthr_sim.get(path, per_page=5).json()
    assert path in ("crews", "departments") or embedded == expanded
    for before, after in zip(plain, expanded, strict=True):
        assert before.keys() - after.keys() == {f"{name}_id"}
        assert after.keys() - before.keys() == {name}
        assert (after[name] or {}).get("id") == before[f"{name}_id"]
        known = {key: value for key, value in after.items() if not (key == name and name not in ("company", "crew"))}
        assert list(_problems(known, shape, shape)) == []


def test_children_of_a_department_have_their_times(smarthr_sim: SmartHR) -> None:
    """As SmartHR's document has them."""
    children = [one for row in smarthr_sim.get("departments", per_page=100).json() for one in row["children"]]
    assert children
    assert all(one["created_at"] and one["updated_at"] for one in children)


def test_paging_headers_totals_and_links(smarthr_sim: SmartHR) -> None:
    """Total, page and page size are stated; links go by rel, keep the other parameters and stop at the ends."""
    sample = json.loads((SAMPLES / "headers.json").read_text())["headers"]
    first = smarthr_sim.get("crews", per_page=100, fields="emp_code")
    middle = smarthr_sim.get("crews", per_page=100, page=2, fields="emp_code")
    last = smarthr_sim.get("crews", per_page=100, page=3, fields="emp_code")
    assert sample.keys() <= {name.lower() for name in middle.headers}
    assert [middle.headers[h] for h in ("x-total-count", "x-page", "x-per-page")] == [str(SIZE), "2", "100"]
    assert set(first.links) == {"next", "last"}
    assert set(middle.links) == {"first", "prev", "next", "last"}
    assert set(last.links) == {"first", "prev"}
    follow = requests.get(middle.links["next"]["url"], headers=middle.request.headers, timeout=10)
    assert follow.json() == last.json()
    ids = [crew["id"] for page in (first, middle, last) for crew in page.json()]
    assert ids == sorted(set(ids))
    assert len(ids) == SIZE


def test_page_sizes_and_pages_out_of_range(smarthr_sim: SmartHR) -> None:
    """10 by default, 100 at most; page 0 is page 1; past the end is an empty 200; one page has no Link at all."""
    assert len(smarthr_sim.get("crews").json()) == 10
    clamped = smarthr_sim.get("crews", per_page=1000)
    assert (len(clamped.json()), clamped.headers["x-per-page"]) == (100, "100")
    assert smarthr_sim.get("crews", page=0).json() == smarthr_sim.get("crews", page=1).json()
    beyond = smarthr_sim.get("crews", page=99, per_page=100)
    assert (beyond.status_code, beyond.json(), beyond.headers["x-total-count"]) == (200, [], str(SIZE))
    assert "next" not in beyond.links
    assert "link" not in smarthr_sim.get("grades").headers
    assert smarthr_sim.get("crews", page="two").json()["code"] == 1


def test_switches_change_what_smarthr_leaves_open(smarthr_sim: SmartHR) -> None:
    """Each undocumented behaviour has a switch."""
    smarthr_sim.sim(
        "PATCH",
        "companies/acme",
        {
            "per_page_over": "reject",
            "unknown_name": "reject",
            "slots": "padded",
            "hidden_fields": ["tel_number"],
            "forbidden": ["grades"],
            "timestamps": "Z",
        },
    )
    assert smarthr_sim.get("crews", per_page=101).status_code == 400
    assert smarthr_sim.get("crews", fields="nonsense").status_code == 400
    assert smarthr_sim.get("crews", sort="nonsense").status_code == 400
    assert smarthr_sim.get("grades").json()["code"] == 3
    crew = smarthr_sim.get("crews").json()[0]
    assert "tel_number" not in crew
    assert len(crew["departments"]) == len(crew["positions"]) == 10
    assert crew["created_at"].endswith("Z")
    assert "tel_number" in smarthr_sim.sim("GET", "companies/acme/crews")[0]
    smarthr_sim.sim("PATCH", "companies/acme", {"hidden_as": "null", "slots": "trimmed", "no_slots": "null"})
    smarthr_sim.sim("PATCH", f"companies/acme/crews/{crew['id']}", {"department_ids": []})
    crew = smarthr_sim.get(f"crews/{crew['id']}").json()
    assert crew["tel_number"] is None
    assert crew["departments"] is None


def test_fields_names_what_comes_back_and_implies_id(smarthr_sim: SmartHR) -> None:
    """`fields` works on the list and on one crew; unknown names are ignored."""
    listed = smarthr_sim.get("crews", fields="emp_code,departments,nonsense").json()[0]
    assert listed.keys() == {"id", "emp_code", "departments"}
    assert smarthr_sim.get(f"crews/{listed['id']}", fields="emp_code,departments").json() == listed


def test_crew_filters(smarthr_sim: SmartHR) -> None:
    """Every documented filter selects what a scan of the true state selects."""
    truth = smarthr_sim.sim("GET", "companies/acme/crews")
    one = next(c for c in truth if c["departments"] and c["positions"] and c["positions"][0] and c["user_id"])
    department, title = one["departments"][0]["id"], one["positions"][0]["id"]
    cases: list[tuple[dict[str, str], Any]] = [
        ({"emp_code": one["emp_code"]}, lambda c: c["emp_code"] == one["emp_code"]),
        ({"emp_status": "retired"}, lambda c: c["emp_status"] == "retired"),
        ({"gender": "female"}, lambda c: c["gender"] == "female"),
        ({"emp_type": "part_timer"}, lambda c: c["emp_type"] == "part_timer"),
        ({"user_id": one["user_id"]}, lambda c: c["user_id"] == one["user_id"]),
        ({"id": f"{truth[0]['id']},{truth[5]['id']}"}, lambda c: c["id"] in (truth[0]["id"], truth[5]["id"])),
        ({"entered_at_from": "2015-01-01", "entered_at_to": "2018-12-31"},
         lambda c: "2015-01-01" <= c["entered_at"] <= "2018-12-31"),
        ({"entered_at_from": one["entered_at"], "entered_at_to": one["entered_at"]},
         lambda c: c["entered_at"] == one["entered_at"]),
        ({"resigned_at_from": "2010-01-01"}, lambda c: (c["resigned_at"] or "") >= "2010-01-01"),
        ({"resigned_at_to": "2020-12-31"}, lambda c: (c["resigned_at"] or "9") <= "2020-12-31"),
        ({"employment_type_id": one["employment_type"]["id"]},
         lambda c: c["employment_type"]["id"] == one["employment_type"]["id"]),
        ({"department_id": department}, lambda c: any(d and d["id"] == department for d in c["departments"])),
        ({"position_id": title}, lambda c: any(p and p["id"] == title for p in c["positions"])),
        ({"q": one["last_name"] + one["first_name"]}, lambda c: c["last_name"] + c["first_name"] ==
         one["last_name"] + one["first_name"] or c["business_last_name"] + c["business_first_name"] ==
         one["last_name"] + one["first_name"]),
    ]  # fmt: skip
    for params, expected in cases:
        wanted = [crew["id"] for crew in truth if expected(crew)]
        assert wanted, params
        assert [crew["id"] for crew in smarthr_sim.read_all(fields="id", **params)] == wanted, params
    assert smarthr_sim.get("crews", emp_status="gone").json()["errors"][0]["field"] == "emp_status"
    assert smarthr_sim.get("crews", entered_at_from="soon").status_code == 400


def test_sort_takes_several_keys_and_descends(smarthr_sim: SmartHR) -> None:
    """`sort=a,-b` orders by a, then descending by b."""
    crews = smarthr_sim.read_all(fields="emp_status,updated_at", sort="emp_status,-updated_at")
    assert [c["emp_status"] for c in crews] == sorted(c["emp_status"] for c in crews)
    retired = [c["updated_at"] for c in crews if c["emp_status"] == "retired"]
    assert retired == sorted(retired, reverse=True)
    codes = [c["emp_code"] for c in smarthr_sim.read_all(fields="emp_code", emp_status="employed", sort="-emp_code")]
    assert codes == sorted(codes, reverse=True)


def test_departments_list_every_level_with_parents_and_children(smarthr_sim: SmartHR) -> None:
    """The list is flat; parent chains end in null, children and full names agree with them; `code` filters exactly."""
    departments = smarthr_sim.get("departments", per_page=100).json()
    by_id = {d["id"]: d for d in departments}
    assert len({d["code"] for d in departments}) == len(departments)
    for department in departments:
        chain, parent = [department["name"]], department["parent"]
        while parent:
            chain.append(parent["name"])
            parent = parent["parent"]
        assert department["full_name"] == "/".join(reversed(chain))
        assert 1 <= len(chain) <= 4
        if department["parent"]:
            assert department["id"] in [child["id"] for child in by_id[department["parent"]["id"]]["children"]]
    assert max(d["full_name"].count("/") for d in departments) >= 1
    one = departments[-1]
    assert smarthr_sim.get("departments", code=one["code"]).json() == [one]
    assert smarthr_sim.get(f"departments/{one['id']}").json() == one


def test_slots_may_hold_null_between_posts(smarthr_sim: SmartHR) -> None:
    """Concurrent posts keep their slot number: some crew has 部署1 and 部署3 and null between them."""
    crews = smarthr_sim.read_all(fields="departments,positions")
    gaps = [c for c in crews if len(c["departments"]) == 3 and c["departments"][1] is None and c["departments"][2]]
    assert gaps
    assert all(c["departments"][-1] is not None for c in crews if c["departments"])


def test_custom_fields_give_values_not_labels(smarthr_sim: SmartHR) -> None:
    """An enum value is the element's physical name, or its id when it has none."""
    crews = smarthr_sim.read_all(fields="custom_fields")
    fields = [f for c in crews for f in c["custom_fields"]]
    assert {f["template"]["name"] for f in fields} == {
        "社員区分コード",
        "勤務形態",
        "安全講習受講日",
        "緊急連絡用メール",
    }
    enum = [f for f in fields if f["template"]["type"] == "enum"]
    elements = enum[0]["template"]["elements"]
    allowed = {e["physical_name"] or e["id"] for e in elements}
    assert {f["value"] for f in enum} == allowed
    assert not allowed & {e["name"] for e in elements}


def test_a_default_company_is_believable_and_clean() -> None:
    """Retired and absent people in proportion; codes and addresses unique; only retired people lack a code."""
    crews = list(generate("acme", 3, 4000).crews.values())
    by_status = {s: [c for c in crews if c["emp_status"] == s] for s in ("employed", "absent", "retired")}
    assert 0.06 < len(by_status["retired"]) / 4000 < 0.10
    assert 0.01 < len(by_status["absent"]) / 4000 < 0.03
    codes = [c["emp_code"] for c in crews if c["emp_code"]]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"\d{5}", code) for code in codes)
    assert len({c["email"] for c in crews}) == 4000
    assert all(c["emp_code"] for s in ("employed", "absent") for c in by_status[s])
    assert any(c["emp_code"] is None for c in by_status["retired"])
    assert all(c["last_name"] and re.fullmatch("[ァ-ヶー]+", c["last_name_yomi"]) for c in crews)


def test_e33_the_same_seed_and_size_give_the_same_company(smarthr_sim: SmartHR) -> None:
    """A read can be repeated exactly; another seed gives other people."""
    first = smarthr_sim.sim("GET", "companies/acme/crews")
    smarthr_sim.sim("POST", "companies", {"name": "acme", "seed": 1, "size": SIZE})
    assert smarthr_sim.sim("GET", "companies/acme/crews") == first
    smarthr_sim.sim("POST", "companies", {"name": "acme", "seed": 2, "size": SIZE})
    assert smarthr_sim.sim("GET", "companies/acme/crews") != first


def test_the_token_chooses_the_company(smarthr_sim: SmartHR) -> None:
    """One process, several companies; Basic with the token as user name works too."""
    other = smarthr_sim.get("crews", token="shr_sim_other")
    assert other.headers["x-total-count"] == "20"
    basic = requests.get(f"{smarthr_sim.url}/api/v1/crews", auth=("shr_sim_other", ""), timeout=10)
    assert basic.json() == other.json()
    assert smarthr_sim.get("users/me").json()["admin"] is True


def test_refusals_have_the_documented_body(smarthr_sim: SmartHR) -> None:
    """No token, a wrong token, an unknown record, an unknown path, a write."""
    for token in (None, "shr_wrong"):
        response = smarthr_sim.get("crews", token=token)
        assert (response.status_code, response.json()) == (401, ERRORS["body"])
        assert "x-rate-limit-remaining" in response.headers
    for path in ("crews/00000000-0000-4000-8000-000000000000", "departments/x", "nothing"):
        response = smarthr_sim.get(path)
        assert (response.status_code, response.json()["code"]) == (404, 4)
    write = requests.post(
        f"{smarthr_sim.url}/api/v1/crews", json={}, headers={"Authorization": "Bearer shr_sim_acme"}, timeout=10
    )
    assert (write.status_code, write.json()["code"]) == (403, 3)


def test_the_eleventh_request_of_a_second_is_refused_with_429(smarthr_sim: SmartHR) -> None:
    """Ten a second per token, told in the intensive headers; after the reset it goes on; other tokens are not hit."""
    smarthr_sim.sim("POST", "limits", {"per_second": 10, "per_hour": 5000})
    responses = [smarthr_sim.get("grades") for _ in range(11)]
    assert [r.status_code for r in responses] == [200] * 10 + [429]
    refused = responses[-1]
    assert (refused.json()["code"], refused.json()["type"]) == (6, "too_many_requests")
    assert refused.headers["x-intensive-rate-limit-limit"] == "10"
    assert refused.headers["x-intensive-rate-limit-remaining"] == "0"
    assert refused.headers["x-intensive-rate-limit-reset"] == "1"
    assert refused.headers["x-rate-limit-remaining"] == "4990"
    assert 3590 <= int(refused.headers["x-rate-limit-reset"]) <= 3600
    assert "retry-after" not in refused.headers
    assert smarthr_sim.get("grades", token="shr_sim_other").status_code == 200
    time.sleep(1.01)
    assert smarthr_sim.get("grades").status_code == 200


def test_limits_slide_by_the_second_and_start_a_new_hour() -> None:
    """The oldest request leaves the window one second after it was made; the hour is counted from its first."""
    budget = Budget(Limits(per_second=2, per_hour=4))
    assert [budget.spend(t) for t in (100.0, 100.5, 100.99, 101.0, 101.4, 101.5)] == [
        True,
        True,
        False,
        True,
        False,
        True,
    ]
    assert budget.headers(101.6)["x-intensive-rate-limit-reset"] == "1"
    assert [budget.spend(t) for t in (200.0, 3699.9, 3700.0)] == [False, False, True]
    assert budget.headers(3700.0)["x-rate-limit-remaining"] == "3"


def test_the_hourly_limit_is_enforced(smarthr_sim: SmartHR) -> None:
    """Over the hour's figure the other header set shows 0."""
    smarthr_sim.sim("POST", "limits", {"per_second": 100, "per_hour": 2})
    responses = [smarthr_sim.get("grades") for _ in range(3)]
    assert [r.status_code for r in responses] == [200, 200, 429]
    assert responses[-1].headers["x-rate-limit-remaining"] == "0"
    assert int(responses[-1].headers["x-rate-limit-reset"]) > 3000


def test_a_day_changes_what_it_says_and_nothing_else(smarthr_sim: SmartHR) -> None:
    """Each kind touches as many crews as asked; everybody else stays byte for byte."""
    before = {c["id"]: c for c in smarthr_sim.sim("GET", "companies/acme/crews")}
    plan = {
        "joiners": 3,
        "leavers": 2,
        "retirements": 4,
        "moves": 5,
        "renumbered": 2,
        "lost_codes": 1,
        "blank_names": 1,
    }
    touched = smarthr_sim.sim("POST", "companies/acme/day", plan)
    after = {c["id"]: c for c in smarthr_sim.sim("GET", "companies/acme/crews")}
    assert {kind: len(touched[kind]) for kind in plan} == plan
    assert after.keys() - before.keys() == set(touched["joiners"])
    assert before.keys() - after.keys() == set(touched["leavers"])
    assert all(after[i]["emp_status"] == "retired" and after[i]["resigned_at"] for i in touched["retirements"])
    assert all(after[i]["departments"][0] != before[i]["departments"][0] for i in touched["moves"])
    assert all(after[i]["emp_code"] not in (None, before[i]["emp_code"]) for i in touched["renumbered"])
    assert all(after[i]["emp_code"] is None for i in touched["lost_codes"])
    assert all(after[i]["last_name"] == after[i]["first_name"] == "" for i in touched["blank_names"])
    changed = {i for i in before.keys() & after.keys() if before[i] != after[i]}
    assert changed == {i for kind in plan if kind not in ("joiners", "leavers") for i in touched[kind]}
    codes = [c["emp_code"] for c in after.values() if c["emp_code"]]
    assert len(set(codes)) == len(codes)


def test_a_reorganisation_renames_moves_and_adds_departments(smarthr_sim: SmartHR) -> None:
    """The departments named in the answer changed; the crews in them are listed and carry the new department."""
    before = {d["id"]: d for d in smarthr_sim.sim("GET", "companies/acme/departments")}
    people = {c["id"]: c for c in smarthr_sim.sim("GET", "companies/acme/crews")}
    touched = smarthr_sim.sim("POST", "companies/acme/day", {"reorganised": 4})
    after = {d["id"]: d for d in smarthr_sim.sim("GET", "companies/acme/departments")}
    departments = touched["departments"]
    assert after.keys() - before.keys() == set(departments["added"])
    assert all(after[d]["name"] != before[d]["name"] for d in departments["renamed"])
    assert all(after[d]["parent"] != before[d]["parent"] for d in departments["moved"])
    assert departments["renamed"]
    assert departments["moved"]
    now = {c["id"]: c for c in smarthr_sim.sim("GET", "companies/acme/crews")}
    paths = {i for i in people if [d and d["full_name"] for d in people[i]["departments"]]
             != [d and d["full_name"] for d in now[i]["departments"]]}  # fmt: skip
    assert paths
    assert paths <= set(touched["reorganised"])


def test_days_are_deterministic(smarthr_sim: SmartHR) -> None:
    """The same days on the same company leave the same company."""
    day = {"joiners": 2, "leavers": 1, "retirements": 2, "moves": 3, "renumbered": 1, "reorganised": 2}
    results = []
    for _ in range(2):
        smarthr_sim.sim("POST", "companies", {"name": "acme", "seed": 1, "size": SIZE})
        played = [smarthr_sim.sim("POST", "companies/acme/day", day) for _ in range(2)]
        results.append((played, smarthr_sim.sim("GET", "companies/acme/crews")))
    assert results[0] == results[1]


def test_crews_and_departments_can_be_set_by_hand(smarthr_sim: SmartHR) -> None:
    """What the control routes add, change and delete is what the API serves."""
    added = smarthr_sim.sim("POST", "companies/acme/departments", {"name": "新部", "code": None})["id"]
    crew = smarthr_sim.sim("POST", "companies/acme/crews", {"emp_code": "X1", "department_ids": [None, added]})["id"]
    served = smarthr_sim.get(f"crews/{crew}").json()
    assert served["emp_code"] == "X1"
    assert served["departments"][0] is None
    assert served["departments"][1]["name"] == "新部"
    smarthr_sim.sim(
        "PATCH",
        f"companies/acme/crews/{crew}",
        {"email": None, "last_name": "", "custom_values": {"社員区分コード": "99"}, "having_spouse": True},
    )
    served = smarthr_sim.get(f"crews/{crew}").json()
    values = {f["template"]["name"]: f["value"] for f in served["custom_fields"]}
    assert (served["email"], served["last_name"], served["having_spouse"]) == (None, "", True)
    assert values["社員区分コード"] == "99"
    assert values["勤務形態"] is not None
    smarthr_sim.sim("PATCH", f"companies/acme/departments/{added}", {"code": "N1", "name": "改名部"})
    assert smarthr_sim.get("departments", code="N1").json()[0]["full_name"] == "改名部"
    smarthr_sim.sim("DELETE", f"companies/acme/departments/{added}")
    assert smarthr_sim.get(f"crews/{crew}").json()["departments"] == []
    assert smarthr_sim.get(f"departments/{added}").status_code == 404
    smarthr_sim.sim("DELETE", f"companies/acme/crews/{crew}")
    assert smarthr_sim.get(f"crews/{crew}").status_code == 404
    refused = requests.patch(f"{smarthr_sim.url}/_sim/companies/acme/crews/{crew}", json={}, timeout=10)
    assert refused.status_code == 404


def test_requests_are_counted_by_company_and_path(smarthr_sim: SmartHR) -> None:
    """Counters tell what a client read, and how often it was refused."""
    smarthr_sim.sim("POST", "limits", {"per_second": 2})
    for _ in range(3):
        smarthr_sim.get("crews", fields="id")
    count = next(c for c in smarthr_sim.sim("GET", "requests") if c["path"] == "/api/v1/crews")
    assert (count["company"], count["requests"], count["too_many"]) == ("acme", 3, 1)
    assert count["first_at"] <= count["last_at"] <= time.time()
    smarthr_sim.sim("DELETE", "requests")
    assert smarthr_sim.sim("GET", "requests") == []


def test_the_command_line_serves_companies_and_ends_at_once(smarthr_sim_process: SmartHR) -> None:
    """`--company` is repeatable, limits are arguments, SIGTERM ends a process that is in the middle of an answer."""
    simulator = smarthr_sim_process.start("--company", "one:1:5", "--company", "two:2:6", "--per-second", "3")
    try:
        companies = simulator.sim("GET", "companies")
        assert [(c["name"], c["token"], c["crews"]) for c in companies] == [
            ("one", "shr_sim_one", 5),
            ("two", "shr_sim_two", 6),
        ]
        assert simulator.get("crews", token="shr_sim_two").headers["x-intensive-rate-limit-limit"] == "3"
        simulator.fault(kind="slow", seconds=60)
        host, port = simulator.url.removeprefix("http://").split(":")
        waiting = socket.create_connection((host, int(port)))
        waiting.sendall(b"GET /api/v1/crews HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer shr_sim_one\r\n\r\n")
        while simulator.sim("GET", "faults")[0]["fired"] == 0:
            time.sleep(0.01)
    finally:
        with within(20):
            assert simulator.stop() == 0
        waiting.close()
