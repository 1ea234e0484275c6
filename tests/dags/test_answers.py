"""A person's answer as Airflow hands it over, and as the link takes it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from renkei.errors import StoreError
from renkei.orchestration import approval_tasks
from renkei.orchestration.approval_tasks import Answer, AskPersonOperator


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
    ],
    ids=["one", "two", "none", "too late"],
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
    task.execute_complete(context, event | {"params_input": {"reason": "確認済み"}})
    assert taken == [expected]
