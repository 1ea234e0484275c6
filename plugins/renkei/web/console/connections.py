"""接続: what a company's sheet needs of Airflow's Connections, each filled in on a page and tried by a job (L7, S2).

A secret goes from the form into the Connection, as the user who presses, and is in no answer of ours. Whoever may not
change Connections in Airflow sees which there are, and no more of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from renkei import settings
from renkei.texts import Fault
from renkei.web.connection_facts import CHANGED, ConnectionState, entered, faults_of
from renkei.web.console import guard
from renkei.web.console.jobs import CONNECTIONS, newest, start
from renkei.web.console.page import address, page
from renkei.web.services import Refused

router = APIRouter()
MAX_TEXT = 10_000  # characters of a field: a key has three thousand


@router.get("/dag/{dag_id}/connections")
def connections(request: Request, access: guard.EditsDag, saved: str = "") -> Response:
    states = access.services.knowledge.connection_states(access.company.dag_id)
    return page(
        request,
        "connections.html",
        one=access.company,
        states=states,
        there=access.services.knowledge.connections(access.company.dag_id),
        may={one.name: access.services.authority.may_register(access.user, one.name) for one in states},
        saved=next((one.name for one in states if one.name == saved), ""),
        jobs=newest(access),
        now=access.services.now(),
    )


@router.post("/dag/{dag_id}/connections")
def try_all(request: Request, access: guard.PostsEditsDag) -> Response:
    """接続を確かめる."""
    return start(request, access, CONNECTIONS, {"name": ""})


@router.get("/dag/{dag_id}/connections/{name}")
def form(request: Request, name: str, access: guard.EditsDag) -> Response:
    return _form(request, access, _state(access, name))


@router.post("/dag/{dag_id}/connections/{name}")
async def save(request: Request, name: str, access: guard.PostsEditsDag) -> Response:
    """登録する, and the trial of what was registered."""
    state = await run_in_threadpool(_changeable, access, name)
    given = await given_of(request, state)
    await refuse_changed(request, state)
    if faults := faults_of(state, given, settings.allowed_hosts()):
        return await run_in_threadpool(_form, request, access, state, faults, given)
    await register(request, access, state, given)
    return await run_in_threadpool(_tried, request, access, name)


async def given_of(request: Request, state: ConnectionState) -> dict[str, str]:
    """What was filled in, by the fields' keys; the inputs are called `field.<key>`."""
    sent = await request.form()
    names = {one.key: sent.get(f"field.{one.key}") for one in state.kind.fields}
    return {key: text[:MAX_TEXT] for key, text in names.items() if isinstance(text, str)}


async def refuse_changed(request: Request, state: ConnectionState) -> None:
    """Raises Refused: the form was drawn over what is there no more. Its input is in `connection_parts.html`."""
    if str((await request.form()).get("connection_digest", "")) != state.digest:
        raise Refused(CHANGED)


async def register(request: Request, access: guard.Access, state: ConnectionState, given: Mapping[str, str]) -> None:
    """Put what was filled in, and found right, into the Connection. Raises Refused."""
    said = entered(state, given)
    knowledge, dag_id = access.services.knowledge, access.company.dag_id
    await access.services.actions.register(request, state.name, state.kind.type, said.values, said.extra, state.digest)
    await run_in_threadpool(knowledge.connection_renewed, dag_id, state.name)
    knowledge.changed()


def _tried(request: Request, access: guard.Access, name: str) -> Response:
    try:
        return start(request, access, CONNECTIONS, {"name": name})
    except Refused:  # other work is under way: it is registered all the same
        here = address(request, "dag", access.company.dag_id, "connections")
        return RedirectResponse(f"{here}?saved={name}", 303)


def _state(access: guard.Access, name: str) -> ConnectionState:
    found = access.services.knowledge.connection_state(access.company.dag_id, name)
    if found is None:
        raise guard.NotFound
    return found


def _changeable(access: guard.Access, name: str) -> ConnectionState:
    """Raises NotFound, NotAllowed; Refused: another place than Airflow's database decides."""
    found = _state(access, name)
    if not access.services.authority.may_register(access.user, name):
        raise guard.NotAllowed
    if found.fault:
        raise Refused(found.fault)
    return found


def _form(
    request: Request,
    access: guard.Access,
    state: ConnectionState,
    faults: Sequence[Fault] = (),
    given: Mapping[str, str] | None = None,
) -> Response:
    """What was given wrongly comes back, but for secrets."""
    may = access.services.authority.may_register(access.user, state.name)
    secret = {one.key for one in state.kind.fields if one.secret}
    values = {key: text for key, text in (state.values if given is None else given).items() if key not in secret}
    return page(
        request,
        "connection.html",
        400 if faults else 200,
        one=access.company,
        state=state,
        may=may,
        values=values if may else {},
        faults=faults,
        now=access.services.now(),
    )
