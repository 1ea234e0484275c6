"""What the console does by Airflow's API on a busy database: asked again where that does no harm, and then said (S4)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.requests import Request as Asked
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from renkei.orchestration.web import actions
from renkei.orchestration.web.actions import AirflowActions
from renkei.web.services import Refused
from tests.contract.console.world import BASE, ConsoleWorld, dag, text_of


class BusyAirflow:
    """Airflow's app, whose database is locked for so many requests."""

    def __init__(self, locked: int) -> None:
        self.locked, self.methods = locked, list[str]()
        self.app = Starlette(routes=[Route("/{path:path}", self._answer, methods=["PATCH", "POST"])])

    def request(self) -> Asked:
        return Asked({"type": "http", "headers": [], "airflow_app": self.app})

    def _answer(self, request: Asked) -> Response:
        self.methods.append(request.method)
        if len(self.methods) <= self.locked:
            raise OperationalError("UPDATE dag", {}, Exception("database is locked"))
        return JSONResponse({"dag_run_id": "manual__1"})


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "PAUSES_S", (0.0,) * len(actions.PAUSES_S))


def test_s4_a_pause_is_asked_for_again_while_the_database_is_locked() -> None:
    airflow = BusyAirflow(locked=len(actions.PAUSES_S))
    asyncio.run(AirflowActions().pause(airflow.request(), dag("acme"), True))
    assert airflow.methods == ["PATCH"] * (1 + len(actions.PAUSES_S))


def test_s4_who_was_asked_often_enough_is_left_in_peace() -> None:
    airflow = BusyAirflow(locked=10**6)
    with pytest.raises(Refused, match="少し待ってから画面を開き直し"):
        asyncio.run(AirflowActions().pause(airflow.request(), dag("acme"), True))
    assert len(airflow.methods) == 1 + len(actions.PAUSES_S)


def test_l4_a_run_that_may_have_been_started_is_not_started_again() -> None:
    """L4: only what says how things are to be is sent twice."""
    airflow = BusyAirflow(locked=1)
    with pytest.raises(Refused, match="操作できたか分かりません"):
        asyncio.run(AirflowActions().start(airflow.request(), dag("acme"), "NORMAL"))
    assert airflow.methods == ["POST"]


@pytest.mark.parametrize(("path", "form"), [("pause", {"paused": "1"}), ("run", {"mode": "NORMAL"})])
def test_s4_the_page_of_what_was_refused_leads_back_to_the_company(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch, path: str, form: dict[str, str]
) -> None:
    async def refuse(*_: Any) -> None:
        raise Refused("Airflowが混み合っています。")

    for what in ("pause", "start"):
        monkeypatch.setattr(world.hands, what, refuse)
    here = f"{BASE}/dag/{dag('acme')}"
    answer = world.browser("omar").post(f"{here}/{path}", data=form | {"token": world.token("omar")})
    assert answer.status_code == 409
    assert "混み合っています" in text_of(answer.text)
    assert f'<a class="button" href="{here}">会社の画面に戻る</a>' in answer.text
