"""What the SmartHR simulator answers has the documented properties and types, refusals too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from tests.harness.smarthr import SmartHR


SAMPLES = Path(__file__).parents[1] / "samples/smarthr"
SHAPES = json.loads((SAMPLES / "shapes.json").read_text())["shapes"]
ERRORS = json.loads((SAMPLES / "errors.json").read_text())


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
