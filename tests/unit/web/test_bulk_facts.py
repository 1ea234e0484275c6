"""Which companies an action concerns, and why it does not concern the others (S1)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from renkei.web.bulk_facts import NO_RIGHT, BulkAction, chosen, why_not
from renkei.web.facts import Company
from renkei.web.services import Right

ONE = Company("smarthr_emc__acme", "SmartHR → EMC", "acme", "アクメ", freezable=True)


@pytest.mark.parametrize(
    ("action", "changes", "why"),
    [
        (BulkAction.CHECK, {}, ""),
        (BulkAction.CHECK, {"paused": True}, "一時停止中"),
        (BulkAction.CHECK, {"unlinked": True}, "連携解除"),
        (BulkAction.CHECK, {"broken": True}, "シートを使えません"),
        (BulkAction.CHECK, {"sheet_gone": True}, "シートを使えません"),
        (BulkAction.CHECK, {"pending": True}, "読み取り中"),
        (BulkAction.CHECK, {"dag_gone": True}, "Dagがありません"),
        (BulkAction.PAUSE, {}, ""),
        (BulkAction.PAUSE, {"paused": True}, "既に一時停止中"),
        (BulkAction.UNPAUSE, {}, "一時停止していません"),
        (BulkAction.UNPAUSE, {"paused": True}, ""),
        (BulkAction.FREEZE, {}, ""),
        (BulkAction.FREEZE, {"frozen": True}, "既に凍結中"),
        (BulkAction.FREEZE, {"freezable": False}, "災害時凍結のない連携"),
        (BulkAction.FREEZE, {"dag_gone": True}, ""),
        (BulkAction.UNFREEZE, {}, "凍結していません"),
        (BulkAction.UNFREEZE, {"frozen": True}, ""),
    ],
)
def test_what_makes_no_sense_with_a_company_is_said(action: BulkAction, changes: dict[str, bool], why: str) -> None:
    found = why_not(action, replace(ONE, **changes))
    assert (why in found) if why else found == ""


def test_s1_the_right_is_asked_for_each_company_and_is_the_actions_own() -> None:
    asked = []

    def may(right: Right, dag_id: str) -> bool:
        asked.append((right, dag_id))
        return dag_id.endswith("acme")

    two = replace(ONE, dag_id="smarthr_emc__beta", name="ベータ")
    found = chosen(BulkAction.CHECK, [two, ONE], may)
    assert ([one.dag_id for one in found.those], found.others) == (["smarthr_emc__acme"], [(two, NO_RIGHT)])
    assert asked == [(Right.RUN, "smarthr_emc__acme"), (Right.RUN, "smarthr_emc__beta")]
    chosen(BulkAction.FREEZE, [ONE], may)
    assert asked[-1] == (Right.EDIT, "smarthr_emc__acme")
