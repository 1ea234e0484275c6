"""Starting a simulator: it says where it listens once it answers, and goes at once when told to."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import uvicorn
from starlette.types import ASGIApp

T = TypeVar("T")


class Server(uvicorn.Server):
    """uvicorn that prints READY and its address; `at_end` is called between two requests, when it is told to go."""

    def __init__(self, config: uvicorn.Config, at_end: Callable[[], None]) -> None:
        super().__init__(config)
        self.at_end = at_end

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if sockets and not self.should_exit:
            host, port = sockets[0].getsockname()[:2]
            print(f"READY http://{host}:{port}", flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        asyncio.get_running_loop().call_soon_threadsafe(self._leave)

    def _leave(self) -> None:
        try:
            self.at_end()
        finally:
            os._exit(0)


def _left(path: Path) -> Any:
    """What the file holds; None where another version of the simulator left it."""
    try:
        return pickle.loads(path.read_bytes())
    except Exception:
        logging.getLogger(__name__).warning("%s cannot be read: beginning anew", path)
        return None


def kept(path: Path | None, new: Callable[[], T]) -> tuple[T, Callable[[], None]]:
    """What an earlier start left in the file, or something new; and how to leave it there."""
    state = _left(path) if path and path.exists() else None
    found = new() if state is None else state

    def keep() -> None:
        if path:
            path.with_suffix(".new").write_bytes(pickle.dumps(found))
            path.with_suffix(".new").replace(path)

    return found, keep


def serve(app: ASGIApp, host: str, port: int, at_end: Callable[[], None] = lambda: None) -> None:
    """Answer until a signal; port 0 takes a free one."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    listener = socket.create_server((host, port), backlog=512)
    # Inherited by each connection; without it the body waits 40 ms for the acknowledgement of the head.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        lifespan="off",
        timeout_keep_alive=75,  # a client that pauses finds its connection as it left it
        date_header=False,  # the simulated service's clock says it
        server_header=False,
    )
    Server(config, at_end).run(sockets=[listener])
