"""The company that the SmartHR simulator makes from a seed, and its days."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import requests

from simulators.smarthr.day import Day, play
from simulators.smarthr.generator import generate

if TYPE_CHECKING:
    from tests.harness.smarthr import SmartHR

SIZE = 300


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


def test_an_invented_mail_address_leaves_room_for_a_prefix_in_a_user_id() -> None:
    """Whoever is invented can be written: an EMC account takes user ids of 40 characters, prefix and all."""
    for seed in range(1, 61):
        company = generate(f"t{seed:05d}", seed, 40)
        play(company, Day(joiners=5, leavers=1))
        addresses = [crew["email"] for crew in company.crews.values()]
        assert max(map(len, addresses)) <= 36
        assert len(set(addresses)) == len(addresses)


def test_e33_the_same_seed_and_size_give_the_same_company(smarthr_sim: SmartHR) -> None:
    """A read can be repeated exactly; another seed gives other people."""
    first = smarthr_sim.sim("GET", "companies/acme/crews")
    smarthr_sim.sim("POST", "companies", {"name": "acme", "seed": 1, "size": SIZE})
    assert smarthr_sim.sim("GET", "companies/acme/crews") == first
    smarthr_sim.sim("POST", "companies", {"name": "acme", "seed": 2, "size": SIZE})
    assert smarthr_sim.sim("GET", "companies/acme/crews") != first


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
