"""What the console does in Airflow, by Airflow's own REST API as the user who asks: rights, checks and the audit log are its.

But for jobs: by the API, who looks after one company would need the right to change the Dag that does the jobs of all, and
with it could switch it off for them. Who may have a job done is who may change his company's Dag, which the page has asked.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
from airflow.api.common.trigger_dag import trigger_dag
from airflow.exceptions import DagNotFound
from airflow.sdk import conf
from airflow.utils.types import DagRunTriggeredByType
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from renkei.orchestration import jobs
from renkei.orchestration.web import freezing, registering
from renkei.orchestration.web.freezing import PAUSES_S
from renkei.orchestration.web.guard import COOKIE
from renkei.web.services import Refused, User

SAID = {
    401: "ログインの期限が切れました。ログインし直してから、もう一度操作してください。",
    403: "この操作の権限がありません。運用担当者に連絡してください。",
    404: "Airflowにこの会社のDagがありません。シートを置いた直後は、数分待ってから操作してください。",
    409: "同じ操作が先に行われました。画面を開き直して確認してください。",
}


class AirflowActions:
    """`renkei.web.services.Actions`: in this very process, without a socket."""

    async def start(self, request: Request, dag_id: str, mode: str, **settings: str) -> str:
        body = {"logical_date": None, "conf": {"mode": mode, **settings}}
        answer = await _call(request, "POST", f"/dags/{quote(dag_id, safe='')}/dagRuns", body)
        return str(answer["dag_run_id"])

    async def pause(self, request: Request, dag_id: str, paused: bool) -> None:
        await _call(request, "PATCH", f"/dags/{quote(dag_id, safe='')}", {"is_paused": paused})

    def freeze(self, user: User, tenant: str, dag_id: str | None, on: bool, why: str) -> None:
        """Not by the API: there only who may write every Variable may freeze one company."""
        freezing.switch(user, tenant, dag_id, on, why)

    async def answer(
        self, request: Request, dag_id: str, run_id: str, task_id: str, chosen: str, why: str, plan: str
    ) -> None:
        dag, run, task = (quote(one, safe="") for one in (dag_id, run_id, task_id))
        path = f"/dags/{dag}/dagRuns/{run}/taskInstances/{task}/-1/hitlDetails"
        body = {"chosen_options": [chosen], "params_input": {"reason": why, "plan": plan}}
        await _call(request, "PATCH", path, body)

    async def register(
        self,
        request: Request,
        name: str,
        conn_type: str,
        values: Mapping[str, str],
        extra: Mapping[str, str],
        drawn_over: str,
    ) -> None:
        async with registering.form_lock(name, drawn_over):
            kept = await run_in_threadpool(registering.extra_of, name)
            path = "/connections" if kept is None else f"/connections/{quote(name, safe='')}?{_mask(values)}"
            whole = json.dumps({**(kept or {}), **extra}, ensure_ascii=False)
            given = {place: text or None if place == "port" else text for place, text in values.items()}
            body = {"connection_id": name, "conn_type": conn_type, **given, "extra": whole}
            await _call(request, "POST" if kept is None else "PATCH", path, body)

    def start_job(self, user: User, dag_id: str, number: int, run_id: str) -> None:
        try:
            trigger_dag(
                jobs.DAG_ID,
                triggered_by=DagRunTriggeredByType.UI,
                triggering_user_name=user.name,
                run_id=run_id,
                conf={"job": jobs.name_of(dag_id, number)},
            )
        except DagNotFound:
            raise Refused(
                f"AirflowにDag「{jobs.DAG_ID}」がありません。運用担当者は、Dagのフォルダに {jobs.DAG_ID}.py を置いてください。"
            ) from None


def _mask(values: Mapping[str, str]) -> str:
    """What of the body counts: all else of the Connection stays as it is."""
    return urlencode([("update_mask", name) for name in ("conn_type", "extra", *values)])


async def _call(request: Request, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """What Airflow answers. A PATCH says how things are to be, so it is sent again where Airflow broke off, as on a
    database that another process has locked; a POST might do it twice.

    Raises:
        Refused
    """
    base = conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
    parts = urlsplit(base)
    transport = httpx.ASGITransport(app=request.scope["airflow_app"], raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {request.cookies.get(COOKIE, '')}"}
    async with httpx.AsyncClient(transport=transport, base_url=f"{parts.scheme}://{parts.netloc}") as client:
        for pause_s in (*PAUSES_S, None):
            answer = await client.request(method, f"{parts.path}/api/v2{path}", json=body, headers=headers)
            if answer.status_code < 500 or method != "PATCH" or pause_s is None:
                break
            await asyncio.sleep(pause_s)
    if answer.status_code >= 400:
        raise Refused(SAID.get(answer.status_code) or _unsaid(answer.status_code))
    found: dict[str, Any] = answer.json()
    return found


def _unsaid(status: int) -> str:
    if status >= 500:
        return "Airflowが混み合っているため、操作できたか分かりません。少し待ってから画面を開き直し、できていなければもう一度操作してください。"
    return f"Airflowが操作を受け付けませんでした（{status}）。少し待ってから、もう一度操作してください。"
