"""The control interface below /_sim: changes made by hand in EMC's screens, faults, counters."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Response

from simulators.emc.faults import Fault, Faults
from simulators.emc.problems import Problem
from simulators.emc.store import Store, dumps, grow_version, references, version

File = Literal["departments", "users"]
Record = dict[str, str]


def build_control(store: Store, faults: Faults) -> APIRouter:
    """Routes without authentication, for tests and demonstrations."""
    router = APIRouter(prefix="/_sim")

    @router.get("/accounts")
    def list_accounts() -> dict[str, Any]:
        return {"accounts": [store.head(name) for name in store.account_names()]}

    @router.get("/accounts/{account}")
    def head(account: str) -> dict[str, Any]:
        with store.read() as db:
            rows = db.execute(
                "SELECT state, count(*) AS n FROM imports WHERE account = ? GROUP BY state", (account,)
            ).fetchall()
        return {**store.head(account), "imports": {row["state"]: row["n"] for row in rows}}

    @router.delete("/accounts/{account}", status_code=204)
    def wipe(account: str) -> Response:
        with store.write() as db:
            version(db, account)
            db.execute(
                "DELETE FROM import_files WHERE import_id IN (SELECT id FROM imports WHERE account = ?)", (account,)
            )
            for table in ("departments", "users", "imports"):
                db.execute(f"DELETE FROM {table} WHERE account = ?", (account,))
            grow_version(db, account)
        return Response(status_code=204)

    @router.post("/accounts/{account}/{file}", status_code=201)
    def add(account: str, file: File, body: Annotated[Record | list[Record], Body()]) -> dict[str, int]:
        """Add one record or a list of them; values by item name, passwords excepted."""
        records = body if isinstance(body, list) else [body]
        with store.write() as db:
            for record in records:
                record_id = record.get(_id_name(file), "")
                if not record_id or _find(db, account, file, record_id) is not None:
                    raise Problem("BAD_REQUEST", "IDが空、または既に登録されています。")
                _put(db, account, file, record_id, record)
            return {"version": grow_version(db, account)}

    @router.get("/accounts/{account}/{file}/{record_id:path}")
    def show(account: str, file: File, record_id: str) -> dict[str, Any]:
        """One record as kept, with the SHA-256 of a user's password."""
        with store.read() as db:
            row = _existing(db, account, file, record_id)
            values = {_id_name(file): record_id, **json.loads(row["record"])}
            return {"values": values, "password_sha256": row["password_sha256"] if file == "users" else None}

    @router.patch("/accounts/{account}/{file}/{record_id:path}")
    def change(account: str, file: File, record_id: str, values: Record) -> dict[str, int]:
        """Change items of one record; an empty value clears."""
        with store.write() as db:
            row = _existing(db, account, file, record_id)
            _put(db, account, file, record_id, {**json.loads(row["record"]), **values})
            return {"version": grow_version(db, account)}

    @router.delete("/accounts/{account}/{file}/{record_id:path}", status_code=204)
    def remove(account: str, file: File, record_id: str) -> Response:
        with store.write() as db:
            _existing(db, account, file, record_id)
            db.execute(f"DELETE FROM {file} WHERE account = ? AND id = ?", (account, record_id))
            grow_version(db, account)
        return Response(status_code=204)

    @router.get("/faults")
    def pending_faults() -> list[dict[str, Any]]:
        return faults.pending()

    @router.post("/faults", status_code=204)
    def add_faults(body: list[Fault]) -> Response:
        faults.add(body)
        return Response(status_code=204)

    @router.delete("/faults", status_code=204)
    def clear_faults() -> Response:
        faults.clear()
        return Response(status_code=204)

    @router.get("/requests")
    def requests() -> dict[str, int]:
        return faults.requests()

    @router.delete("/requests", status_code=204)
    def clear_requests() -> Response:
        faults.clear_requests()
        return Response(status_code=204)

    def _id_name(file: str) -> str:
        return store.format.data_set(file).id_column.name

    def _find(db: Any, account: str, file: str, record_id: str) -> Any:
        return db.execute(f"SELECT * FROM {file} WHERE account = ? AND id = ?", (account, record_id)).fetchone()

    def _existing(db: Any, account: str, file: str, record_id: str) -> Any:
        row = _find(db, account, file, record_id)
        if row is None:
            raise Problem("NOT_FOUND")
        return row

    def _put(db: Any, account: str, file: str, record_id: str, values: Record) -> None:
        data_set = store.format.data_set(file)
        kept = {name: value for name, value in values.items() if value and name in data_set.stored[1:]}
        db.execute(
            f"INSERT INTO {file} (account, id, record, refs) VALUES (?1, ?2, ?3, ?4)"
            " ON CONFLICT (account, id) DO UPDATE SET record = ?3, refs = ?4",
            (account, record_id, dumps(kept), dumps(references(kept, data_set))),
        )

    return router
