"""What a simulated service holds, copied under a name and put back: what a test needs many times, it makes once."""

from __future__ import annotations

import io
import pickle
from typing import Any

from fastapi import APIRouter, HTTPException, Response


class _Writer(pickle.Pickler):
    """What refers to `held` itself refers to it again when it is read."""

    def __init__(self, file: io.BytesIO, held: Any) -> None:
        super().__init__(file)
        self.held = held

    def persistent_id(self, one: Any) -> str | None:
        return "held" if one is self.held else None


class _Reader(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, held: Any) -> None:
        super().__init__(file)
        self.held = held

    def persistent_load(self, name: str) -> Any:
        return self.held


def routes(held: Any) -> APIRouter:
    """`POST` and `PUT /_sim/copies/{name}`. `held` has a `clock`, which others know, too; faults are apart."""
    router = APIRouter(prefix="/_sim/copies")
    copies: dict[str, bytes] = {}

    @router.post("/{name}", status_code=204)
    async def copy(name: str) -> Response:
        file = io.BytesIO()
        _Writer(file, held).dump(held.__getstate__())
        copies[name] = file.getvalue()
        return Response(status_code=204)

    @router.put("/{name}", status_code=204)
    async def put_back(name: str) -> Response:
        if name not in copies:
            raise HTTPException(404, f"no copy {name}")
        found = _Reader(io.BytesIO(copies[name]), held).load()
        vars(held.clock).update(vars(found.pop("clock")))
        vars(held).update(found)
        return Response(status_code=204)

    return router
