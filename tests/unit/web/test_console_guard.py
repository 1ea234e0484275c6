"""Each guard of the console asks for its own right, and a route that names one gets that one (S1)."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any, get_args

import pytest

from renkei.web.console import guard
from renkei.web.guarded import NotFound
from renkei.web.services import Right

DAG = "smarthr_emc__acme"
# Of each guard of a company the right that it asks for, and what is answered to those who see the company and lack it.
RIGHTS: dict[str, tuple[Right, type[Exception]]] = {
    "sees_dag": (Right.SEE, NotFound),
    "sees_jobs": (Right.EDIT, NotFound),
    "edits_dag": (Right.EDIT, guard.NotAllowed),
    "posts_edits_dag": (Right.EDIT, guard.NotAllowed),
    "runs_dag": (Right.RUN, guard.NotAllowed),
    "posts_runs_dag": (Right.RUN, guard.NotAllowed),
    "posts_answers_dag": (Right.ANSWER, guard.NotAllowed),
}
# Of each guard of many companies what it asks Airflow.
MANY = {"creates": "may_create", "posts_creates": "may_create", "posts_freezes_all": "may_freeze_all"}
FOR_ALL = {"everybody", "signed_in", "posts_signed_in"}


def visitor(*rights: Right, **may: bool) -> Any:
    """Somebody with these rights to the one company there is."""
    asked = {name: (lambda user, answer=answer: answer) for name, answer in may.items()}
    authority = SimpleNamespace(may=lambda user, right, dag_id: dag_id == DAG and right in rights, **asked)
    companies = {one: SimpleNamespace(dag_id=one) for one in (DAG, "smarthr_emc__unseen")}
    knowledge = SimpleNamespace(companies=lambda: companies)
    return guard.Visitor("omar", SimpleNamespace(authority=authority, knowledge=knowledge))  # type: ignore[arg-type]


def test_s1_a_route_that_names_a_guard_has_that_guard() -> None:
    named = {name: get_args(one)[1].dependency.__name__ for name, one in vars(guard).items() if get_args(one)[1:]}
    named = {name: function for name, function in named.items() if not name.startswith("_")}
    assert named == {name: re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() for name in named}
    assert {one.__name__ for one in guard.GUARDS} == {*RIGHTS, *MANY, *FOR_ALL} == {*named.values(), "everybody"}


@pytest.mark.parametrize("name", RIGHTS)
def test_s1_a_guard_of_a_company_asks_for_its_own_right_alone(name: str) -> None:
    right, otherwise = RIGHTS[name]
    enter = getattr(guard, name)
    assert enter(DAG, visitor(Right.SEE, right)).company.dag_id == DAG
    with pytest.raises(otherwise):
        enter(DAG, visitor(*(set(Right) - {right})))


@pytest.mark.parametrize("dag_id", ["smarthr_emc__unseen", "smarthr_emc__none"])
@pytest.mark.parametrize("name", RIGHTS)
def test_s1_a_company_that_somebody_may_not_see_is_as_one_that_does_not_exist(name: str, dag_id: str) -> None:
    with pytest.raises(NotFound):
        getattr(guard, name)(dag_id, visitor(*Right))


@pytest.mark.parametrize("name", MANY)
def test_s1_what_concerns_many_companies_asks_for_a_right_of_its_own(name: str) -> None:
    enter, all_rights = getattr(guard, name), dict.fromkeys(MANY.values(), True)
    allowed = visitor(**all_rights)
    assert enter(allowed) is allowed
    with pytest.raises(guard.NotAllowed):
        enter(visitor(*Right, **{**all_rights, MANY[name]: False}))
