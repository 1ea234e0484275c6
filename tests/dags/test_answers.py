"""A person's answer as Airflow hands it over, and as the link takes it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from renkei.errors import HoldError, StoreError
from renkei.orchestration import approval_tasks
from renkei.orchestration.approval_tasks import Answer, AskPersonOperator
from renkei.orchestration.smarthr_emc import approval
from renkei.orchestration.smarthr_emc.dag import APPROVE
from renkei.runs.hold import Approval, HeldPlan, Hold
from renkei.storage.runs import RunRecord
from renkei.storage.store import Store
from renkei.storage.tenant_folder import TenantFolder


class Company:
    """A tenant whose store is away: only the note that it waits is lost."""

    name = "acme"

    def folder(self) -> Any:
        raise StoreError("away")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"chosen_options": ["はい"], "responded_by_user": {"name": "yuki"}}, Answer("はい", "yuki", "確認済み")),
        ({"chosen_options": ["はい", "いいえ"], "responded_by_user": {"name": "yuki"}}, Answer("", "yuki", "確認済み")),
        ({"chosen_options": [], "responded_by_user": {"name": "yuki"}}, Answer("", "yuki", "確認済み")),
        ({"error": "timeout", "chosen_options": ["はい"]}, Answer("", approval_tasks.UNANSWERED, "確認済み")),
        (
            {"chosen_options": ["はい"], "responded_by_user": {"name": "yuki"}, "params_input": {"plan": "d"}},
            Answer("はい", "yuki", "確認済み", "d"),
        ),
    ],
    ids=["one", "two", "none", "too late", "of a plan"],
)
def test_l1_one_option_in_time_is_an_answer(
    event: dict[str, Any], expected: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L1: what is not sure is no answer, least of all a yes."""
    taken: list[Answer] = []

    def takes(_tenant: Any, _context: Any, answer: Answer) -> dict[str, str]:
        taken.append(answer)
        return {}

    monkeypatch.setattr(approval_tasks, "resolve_name", {"takes": takes}.__getitem__)
    tenant: Any = Company()
    task = AskPersonOperator(
        task_id="ask", subject="?", tenant=tenant, asks="asks", takes="takes", options=["はい", "いいえ"]
    )
    context: Any = {"run_id": "r", "ti": SimpleNamespace()}
    task.execute_complete(context, event | {"params_input": {"reason": "確認済み"} | event.get("params_input", {})})
    assert taken == [expected]


def test_e36_an_approval_of_another_plan_lets_nothing_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """E36: planned anew between the page and the answer; what was approved is gone, and nothing is on record."""
    record = RunRecord(TenantFolder(Store(LocalFileSystem(), str(tmp_path)), "smarthr_emc", "acme"), "r")
    record.write(HeldPlan("new", [Hold("delete_users", "6件", 6, 12)]))
    monkeypatch.setattr(approval, "answered_job", lambda *_: SimpleNamespace(record=record))
    nobody: Any = None
    with pytest.raises(HoldError, match="作り直されました"):
        approval.decide_plan(nobody, nobody, Answer(APPROVE, "yuki", "確認済み", "old"))
    assert not record.has(Approval)
    for plan in ("new", ""):  # Airflow's own page names none
        approval.decide_plan(nobody, nobody, Answer(APPROVE, "yuki", "確認済み", plan))
    assert record.read(Approval).digest == "new"
