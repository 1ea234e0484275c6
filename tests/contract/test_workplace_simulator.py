"""The WORKPLACE simulator over HTTP: by our contract, word for word, and what people do on its page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings

from tests.conftest import ROOT
from tests.harness.workplace import TOKEN, Workplace, days

CONFIG = schemathesis.Config.from_dict({"headers": {"Authorization": f"Bearer {TOKEN}"}})
CONTRACT = schemathesis.openapi.from_path(str(ROOT / "include/contracts/workplace.openapi.yaml"), config=CONFIG)


@pytest.fixture(scope="module")
def process() -> Iterator[Workplace]:
    with Workplace.start() as workplace:
        yield workplace


@pytest.fixture
def workplace(process: Workplace) -> Workplace:
    process.clear()
    process.sim("POST", "clock", {"at": "2026-11-29T12:00:00+09:00", "stands": True})
    return process


@CONTRACT.parametrize()
@settings(max_examples=8, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_c8_every_call_is_answered_as_the_contract_says(case: Any, process: Workplace) -> None:
    case.call_and_validate(base_url=f"{process.url}/api/v1")


def test_c9_a_list_is_what_ends_or_was_changed_since_a_day_and_says_its_version(workplace: Workplace) -> None:
    old = workplace.apply(days("2026-10-01"))
    workplace.sim("POST", "clock", {"advance_s": 3 * 24 * 3600})
    half, timed = (
        workplace.apply({"unit": "MORNING", "on": "2026-12-01"}),
        workplace.apply({"unit": "HALF_HOURS", "start_at": "2026-12-03T10:00", "end_at": "2026-12-03T10:30"}),
    )
    first = workplace.ask("absences", since="2026-12-01", limit=1).json()
    second = workplace.ask("absences", since="2026-12-01", limit=1, after=first["next"]).json()

    assert [one["id"] for one in first["absences"] + second["absences"]] == [half, timed]
    assert (first["total"], second["total"], second["next"]) == (2, 2, None)
    assert first["version"] == second["version"] == 3
    workplace.change(old, status="CANCELLED")
    third = workplace.ask("absences", since="2026-12-01").json()
    assert ([one["id"] for one in third["absences"]], third["version"]) == ([old, half, timed], 4)
    assert (third["absences"][0]["status"], third["absences"][0]["revision"]) == ("CANCELLED", 2)
    assert workplace.ask("absences/nobody").status_code == 404
    assert workplace.ask("absences", since="2026-12-01", token="wrong").status_code == 401


def test_c9_too_many_requests_say_how_long_to_wait(workplace: Workplace) -> None:
    workplace.sim("POST", "settings", {"requests": 1})
    answers = [workplace.ask("absences", since="2026-12-01") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].headers["retry-after"] == "60"


def test_c4_people_apply_approve_move_and_cancel_on_the_page(workplace: Workplace) -> None:
    form = {"user_id": "sato@acme.example", "kind": "外出", "unit": "HOURS", "start_on": "2026-12-01", "end_on": ""}
    form |= {"start_time": "10:00", "end_time": "11:00", "title": "", "reason": "<b>私用</b>"}
    page = requests.post(f"{workplace.url}/apply", data=form, timeout=30)
    assert "外出" in page.text
    for action in ("approve", "later", "cancel"):
        requests.post(f"{workplace.url}/absences/A-000001/{action}", timeout=30)

    found = workplace.ask("absences/A-000001").json()
    assert (found["status"], found["revision"], found["reason"]) == ("CANCELLED", 4, "<b>私用</b>")
    assert found["periods"] == [{"unit": "HOURS", "start_at": "2026-12-02T10:00", "end_at": "2026-12-02T11:00"}]
    wrong = requests.post(f"{workplace.url}/apply", data=form | {"start_on": "やがて"}, timeout=30)
    assert "日付と時刻を確認してください" in wrong.text
