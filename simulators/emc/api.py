"""The import contract over HTTP: everything below /api/v1."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, StrictStr

from simulators.emc.imports import Imports
from simulators.emc.problems import Problem
from simulators.emc.store import Store

STUCK = "emc.stuck_for_s"  # set in the request's scope by a stuck_applying fault

File = Literal["departments", "users"]


def _whole(value: Any) -> Any:
    """1.0 is an integer in JSON, 1.5 and true are none."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Declared(BaseModel):
    model_config = ConfigDict(extra="forbid")
    rows: Annotated[StrictInt, BeforeValidator(_whole), Field(ge=0)]
    sha256: Annotated[StrictStr, Field(pattern="^[0-9a-f]{64}$")]


class Opening(BaseModel):
    model_config = ConfigDict(extra="forbid")
    source: Annotated[StrictStr, Field(min_length=1, max_length=100)]
    plan_digest: Annotated[StrictStr, Field(min_length=1, max_length=128, pattern="^[!-~]+$")]
    departments: Declared | None
    users: Declared | None


class Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")
    ids: Annotated[list[StrictStr], Field(max_length=10_000)]
    fields: list[StrictStr] | None = None


def account_of(request: Request, authorization: Annotated[str, Header()] = "") -> str:
    """Name of the account that the request's token stands for."""
    store: Store = request.app.state.store
    scheme, _, token = authorization.partition(" ")
    account = store.account_of_token(token) if scheme.lower() == "bearer" else None
    if account is None:
        raise Problem("UNAUTHORIZED", headers={"WWW-Authenticate": "Bearer"})
    return account


def only_known_parameters(request: Request) -> None:
    """A misspelt parameter is refused; left out without a word it would ask for something else."""
    known = {parameter.alias for parameter in request.scope["route"].dependant.query_params}
    if unknown := sorted(set(request.query_params) - known):
        raise Problem("BAD_REQUEST", f"(query: {len(unknown)})")


Account = Annotated[str, Depends(account_of)]
After = Annotated[str, Query(max_length=100)]
Limit = Annotated[int, Query(ge=1, le=1000)]


def build_router(store: Store, imports: Imports) -> APIRouter:
    """Routes of the contract; every one of them needs an account's token."""
    router = APIRouter(prefix="/api/v1", dependencies=[Depends(only_known_parameters)])

    @router.get("/account")
    def get_account(account: Account) -> dict[str, Any]:
        return {**store.head(account), "format": store.format.description()}

    @router.post("/imports")
    def open_import(
        account: Account,
        opening: Opening,
        idempotency_key: Annotated[str, Header(min_length=1, max_length=128, pattern="^[!-~]([ -~]*[!-~])?$")],
    ) -> JSONResponse:
        if opening.departments is None and opening.users is None:
            raise Problem("BAD_REQUEST", "departmentsとusersの両方をnullにすることはできません。")
        opened, is_new = imports.open(account, idempotency_key, opening.model_dump())
        return JSONResponse(opened, status_code=201 if is_new else 200)

    @router.get("/imports")
    def list_imports(
        account: Account,
        key: str | None = None,
        source: str | None = None,
        state: Literal["open", "applying", "committed", "rejected", "aborted"] | None = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> dict[str, Any]:
        return {"imports": imports.listed(account, limit=limit, key=key, source=source, state=state)}

    @router.get("/imports/{import_id}")
    def get_import(account: Account, import_id: str) -> dict[str, Any]:
        return imports.get(account, import_id)

    @router.delete("/imports/{import_id}")
    def abort_import(account: Account, import_id: str) -> dict[str, Any]:
        return imports.abort(account, import_id)

    @router.post("/imports/{import_id}/commit")
    def commit_import(account: Account, import_id: str, request: Request) -> JSONResponse:
        done = imports.commit(account, import_id, stuck_for_s=request.scope.get(STUCK, 0))
        return JSONResponse(done, status_code=202 if done["state"] == "applying" else 200)

    async def put_file(account: str, import_id: str, file: File, request: Request) -> Response:
        await run_in_threadpool(imports.check_open, account, import_id, file)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
        await run_in_threadpool(imports.put_file, account, import_id, file, bytes(body))
        return Response(status_code=204)

    @router.put("/imports/{import_id}/departments")
    async def put_departments(account: Account, import_id: str, request: Request) -> Response:
        return await put_file(account, import_id, "departments", request)

    @router.put("/imports/{import_id}/users")
    async def put_users(account: Account, import_id: str, request: Request) -> Response:
        return await put_file(account, import_id, "users", request)

    @router.get("/departments")
    def export_departments(
        account: Account, after: After = "", limit: Limit = 1000, fields: str | None = None
    ) -> dict[str, Any]:
        return store.page(account, "departments", after, limit, _names(fields))

    @router.get("/users")
    def export_users(
        account: Account, after: After = "", limit: Limit = 1000, fields: str | None = None
    ) -> dict[str, Any]:
        return store.page(account, "users", after, limit, _names(fields))

    @router.post("/departments/search")
    def search_departments(account: Account, wanted: Wanted) -> dict[str, Any]:
        return store.search(account, "departments", wanted.ids, wanted.fields)

    @router.post("/users/search")
    def search_users(account: Account, wanted: Wanted) -> dict[str, Any]:
        return store.search(account, "users", wanted.ids, wanted.fields)

    return router


def _names(fields: str | None) -> list[str] | None:
    return fields.split(",") if fields else None
